use core::time::Duration;

use alloc::vec;
use alloc::vec::Vec;

use super::{Purpose, ServerSession};
use crate::Instant;
use crate::amf0::Value;

/// Flash Media Server's bandwidth detection: an empty call gives the latency, one with a payload the bandwidth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Whether the client asked by `checkBandwidth`, and not by `_checkbw`, which has other names for the calls.
    by_application: bool,
    asked: Instant,
    /// The round trip of the empty call, once it is known.
    latency: Option<Duration>,
}

/// Characters in the payload: several round trips of TCP's first window, a tenth of a second at 1.3 Mbit/s.
const PAYLOAD: usize = 16 << 10;

impl ServerSession {
    pub(super) fn check_bandwidth(
        &mut self,
        now: Instant,
        transaction_id: f64,
        by_application: bool,
    ) {
        self.answer(transaction_id, Value::Undefined);
        self.ask(
            Step {
                by_application,
                asked: now,
                latency: None,
            },
            Vec::new(),
        );
    }

    pub(super) fn bandwidth_answered(&mut self, now: Instant, step: Step) {
        let round_trip = now - step.asked;
        let Some(latency) = step.latency else {
            let step = Step {
                asked: now,
                latency: Some(round_trip),
                ..step
            };
            return self.ask(step, vec!["0".repeat(PAYLOAD).into()]);
        };
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        // At least a millisecond, or a fast link would come out infinite.
        let delta_time = millis(round_trip.saturating_sub(latency)).max(1.0);
        let delta_down = PAYLOAD as f64 * 8.0 / 1000.0;
        let kbit_down = delta_down * 1000.0 / delta_time;
        let name = if step.by_application {
            "onBWDone"
        } else {
            "_onbwdone"
        };
        let result = [kbit_down, delta_down, delta_time, millis(latency)];
        let result = result.into_iter().map(Value::from).collect();
        self.transport.send_call(0, name, 0.0, result);
    }

    /// Calls the client, unless so many calls await their answer already.
    fn ask(&mut self, step: Step, payload: Vec<Value>) {
        let name = if step.by_application {
            "onBWCheck"
        } else {
            "_onbwcheck"
        };
        if let Ok(id) = self.calls.begin(Purpose::Bandwidth(step)) {
            self.transport
                .send_call(0, name, id.transaction_id(), payload);
        }
    }
}
