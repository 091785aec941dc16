//! The publisher's uplink estimate and what it sheds.
//!
//! What is encoded has to be sent, or the next pictures refer to something that the viewer never got: so a publisher that produces more than its
//! uplink takes sheds *before* the encoder. The [`Controller`] sees how old the bytes are that wait for the network, and lowers first the video
//! bitrate, then the frame rate, and stops the picture before it ever touches the sound. It recovers additively.
//!
//! Two queues are seen: the one in front of the socket (`WebSocket.bufferedAmount`) at every moment, and the ones behind it (kernel, routers) by the
//! peer's Acknowledgement messages, as far as it sends them. Neither is waited for.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::Instant;

/// The least time between two reductions.
const REACTION: Duration = Duration::from_millis(800);
/// Calm for this long before anything is given back.
const CALM: Duration = Duration::from_millis(1500);
/// One step of recovery in this time.
const STEP: Duration = Duration::from_millis(500);
/// Delivery is measured over this.
const SPAN: Duration = Duration::from_millis(500);
/// How much of the measured uplink is used after it was found to be full.
const HEADROOM: f64 = 0.85;
/// The age of acknowledged bytes has the round trip in it: the least of this window is taken for that.
const ROUND_TRIP_WINDOW: Duration = Duration::from_secs(30);
/// At least one picture in this many.
const MAX_DIVISOR: u32 = 8;
/// Bound of what is remembered of sends: 8192 of 10 ms.
const MAX_SENDS: usize = 8192;
const SEND_STEP: Duration = Duration::from_millis(10);

/// What a [`Controller`] may choose between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Video bits per second when nothing is in the way.
    pub max_bitrate: u32,
    /// Video bits per second below which the frame rate is lowered instead.
    pub min_bitrate: u32,
    /// Bits per second that are sent besides video (audio): never shed, and set aside first.
    pub reserved_bitrate: u32,
    /// How old what waits for the network may be; a publisher's `bufferTime`. Below 150 ms it counts as 150 ms.
    pub queue_time: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_bitrate: 1_500_000,
            min_bitrate: 150_000,
            reserved_bitrate: 64_000,
            queue_time: Duration::from_millis(200),
        }
    }
}

/// What to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Video bits per second. Moves in steps of at least a twentieth, so following each costs little.
    pub bitrate: u32,
    /// Encode one captured picture in this many: 1, 2, 4 or 8.
    pub frame_divisor: u32,
    /// Encode no picture at all for now; the sound goes on.
    pub paused: bool,
}

/// Watches the way out and says what to put on it.
#[derive(Debug)]
pub struct Controller {
    config: Config,
    sends: VecDeque<(Instant, u64)>,
    sent: u64,
    buffered: u64,
    acknowledged: Option<u64>,
    /// When bytes came out of the queues: instant, and the running total that was out then.
    delivered: VecDeque<(Instant, u64)>,
    /// The ages acknowledged bytes had.
    round_trips: VecDeque<(Instant, Duration)>,
    /// How many bytes the peer acknowledges at a time.
    acknowledged_step: u64,
    bitrate: f64,
    advice: Advice,
    /// When something was last shed, and how old the queue was then.
    reduced: Option<(Instant, Duration)>,
    /// The bitrate that was too much the last time.
    ceiling: Option<f64>,
    /// Since when the queue has been short, and when something was last given back.
    calm: Option<Instant>,
    returned: Instant,
    captured: u64,
}

impl Controller {
    /// A controller that starts at `max_bitrate`.
    pub fn new(config: Config, now: Instant) -> Self {
        let advice = Advice {
            bitrate: config.max_bitrate,
            frame_divisor: 1,
            paused: false,
        };
        Self {
            bitrate: f64::from(config.max_bitrate),
            config,
            sends: VecDeque::new(),
            sent: 0,
            buffered: 0,
            acknowledged: None,
            delivered: VecDeque::new(),
            round_trips: VecDeque::new(),
            acknowledged_step: 0,
            advice,
            reduced: None,
            ceiling: None,
            calm: None,
            returned: now,
            captured: 0,
        }
    }

    /// Chooses within other limits from now on. What was at its most before is so again.
    pub fn set_config(&mut self, config: Config) {
        let most = self.bitrate >= f64::from(self.config.max_bitrate);
        let max = f64::from(config.max_bitrate);
        self.bitrate = if most { max } else { self.bitrate.min(max) };
        self.advice.bitrate = self.bitrate as u32;
        self.ceiling = None;
        self.config = config;
    }

    /// The limits in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// `bytes` were handed to the socket. Count all of the connection's, from its first.
    pub fn sent(&mut self, now: Instant, bytes: usize) {
        self.sent += bytes as u64;
        match self.sends.back_mut() {
            Some((at, total)) if now - *at < SEND_STEP => *total = self.sent,
            _ => self.sends.push_back((now, self.sent)),
        }
        if self.sends.len() > MAX_SENDS {
            self.sends.pop_front();
        }
    }

    /// The peer has acknowledged `total` bytes modulo 2^32 (RTMP 1.0 §5.4.3). A total that cannot be is ignored: some servers count per window.
    pub fn acknowledged(&mut self, now: Instant, total: u32) {
        let behind = (self.sent as u32).wrapping_sub(total);
        let Some(total) = self.sent.checked_sub(u64::from(behind)) else {
            return;
        };
        if self.acknowledged.is_some_and(|before| total <= before) {
            return;
        }
        self.acknowledged_step = total - self.acknowledged.unwrap_or(0);
        self.acknowledged = Some(total);
        let age = self.age_of(now, total);
        self.round_trips.push_back((now, age));
        while self
            .round_trips
            .front()
            .is_some_and(|&(at, _)| now - at > ROUND_TRIP_WINDOW)
        {
            self.round_trips.pop_front();
        }
        self.deliver(now, total);
    }

    /// Looks at the queue in front of the socket (`bufferedAmount`, bytes) and decides. To be called at each captured picture, or ten times a second.
    pub fn observe(&mut self, now: Instant, buffered: usize) -> Advice {
        self.buffered = buffered as u64;
        if self.acknowledged.is_none() {
            self.deliver(now, self.sent.saturating_sub(self.buffered));
        }
        let age = self.queue_age(now);
        let limit = self.config.queue_time.max(Duration::from_millis(150));
        self.advice.paused &= age > limit / 2;
        if age > limit {
            self.calm = None;
            self.reduce(now, age, limit);
        } else if age < limit / 3 {
            let calm = *self.calm.get_or_insert(now);
            if now - calm >= CALM && now - self.returned >= STEP {
                self.give_back(now);
            }
        } else {
            self.calm = None;
        }
        // Small moves are not worth a reconfigured encoder.
        let wanted = self.bitrate as u32;
        if wanted.abs_diff(self.advice.bitrate) >= self.advice.bitrate / 20
            || wanted == self.config.max_bitrate
            || wanted == self.config.min_bitrate
        {
            self.advice.bitrate = wanted;
        }
        self.advice
    }

    /// Whether to encode the picture that was just captured, by the advice in force. A keyframe that is due should wait for the next `true`.
    pub fn admit(&mut self) -> bool {
        let turn = self
            .captured
            .is_multiple_of(u64::from(self.advice.frame_divisor));
        self.captured += 1;
        turn && !self.advice.paused
    }

    /// The advice in force.
    pub fn advice(&self) -> Advice {
        self.advice
    }

    /// How long the oldest byte that waits for the network has waited: in front of the socket or, as far as the peer acknowledges, behind it.
    pub fn queue_age(&self, now: Instant) -> Duration {
        let mut age = Duration::ZERO;
        if self.buffered > 0 {
            age = self.age_of(now, self.sent.saturating_sub(self.buffered));
        }
        let round_trip = self.round_trips.iter().map(|&(_, age)| age).min();
        if let (Some(acknowledged), Some(round_trip)) = (self.acknowledged, round_trip) {
            // The next acknowledgement is not due before this much has arrived.
            let unheard = self.age_of(now, acknowledged + self.acknowledged_step);
            // What waited at the last one has been draining since.
            let last = self
                .round_trips
                .back()
                .map_or(Duration::ZERO, |&(at, age)| age.saturating_sub(now - at));
            age = age.max(
                unheard
                    .max(last.min(self.age_of(now, acknowledged)))
                    .saturating_sub(round_trip),
            );
        }
        age
    }

    /// Bits per second that have come out of the queues over the last half second; of a queue that is never empty, the uplink's rate.
    pub fn delivery_rate(&self, now: Instant) -> Option<u64> {
        let (&(first, before), &(_, total)) = (self.delivered.front()?, self.delivered.back()?);
        let elapsed = (now - first).as_micros() as u64;
        if elapsed < SPAN.as_micros() as u64 / 2 {
            None
        } else {
            Some((total - before) * 8_000_000 / elapsed)
        }
    }

    fn reduce(&mut self, now: Instant, age: Duration, limit: Duration) {
        // Nothing else empties a queue this old in time.
        if age > limit * 3 {
            self.advice.paused = true;
        }
        // What was done last must be seen first, and is enough if the queue gets shorter.
        if let Some((at, before)) = self.reduced
            && (now - at < REACTION || (now - at < REACTION * 2 && age < before))
        {
            return;
        }
        let episode = self.reduced.is_some_and(|(at, _)| now - at < REACTION * 3);
        self.reduced = Some((now, age));
        let (min, reserved) = (
            f64::from(self.config.min_bitrate),
            f64::from(self.config.reserved_bitrate),
        );
        let carried = self
            .delivery_rate(now)
            .map_or(f64::MAX, |rate| rate as f64 * HEADROOM - reserved);
        if self.bitrate > min {
            if !episode {
                self.ceiling = Some(self.bitrate);
            }
            self.bitrate = carried.min(self.bitrate * HEADROOM).max(min);
        } else {
            self.advice.frame_divisor = (self.advice.frame_divisor * 2).min(MAX_DIVISOR);
        }
    }

    fn give_back(&mut self, now: Instant) {
        self.returned = now;
        if self.advice.frame_divisor > 1 {
            self.advice.frame_divisor /= 2;
        } else {
            let max = f64::from(self.config.max_bitrate);
            // Quickly where there was room before, carefully around what was too much.
            let careful = self.ceiling.is_some_and(|ceiling| {
                self.bitrate > 0.75 * ceiling && self.bitrate < 1.1 * ceiling
            });
            self.bitrate = (self.bitrate + if careful { max / 200.0 } else { max / 40.0 }).min(max);
        }
    }

    fn deliver(&mut self, now: Instant, total: u64) {
        if self
            .delivered
            .back()
            .is_none_or(|&(at, before)| now > at && total >= before)
        {
            self.delivered.push_back((now, total));
        }
        while self.delivered.len() > 2
            && self
                .delivered
                .front()
                .is_some_and(|&(at, _)| now - at > SPAN)
        {
            self.delivered.pop_front();
        }
    }

    /// How long ago the byte after the first `total` was handed over; of a byte too old to be remembered, of the oldest remembered.
    fn age_of(&self, now: Instant, total: u64) -> Duration {
        let next = self.sends.partition_point(|&(_, sent)| sent <= total);
        self.sends
            .get(next)
            .map_or(Duration::ZERO, |&(at, _)| now - at)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// An uplink of a finite rate: a queue in front of the socket, and a send buffer behind it that nobody can see into.
    struct Uplink {
        bits_per_second: u64,
        send_buffer: u64,
        queued: f64,
        received: f64,
        acknowledged: f64,
        /// The peer acknowledges whenever this much has come; `None`: never.
        window: Option<f64>,
    }

    #[derive(Default)]
    struct Seen {
        worst_age_ms: u64,
        last_age_ms: u64,
        pictures: u32,
        advice: Vec<Advice>,
    }

    fn run(uplink: &mut Uplink, controller: &mut Controller, from_ms: u64, to_ms: u64) -> Seen {
        let mut seen = Seen::default();
        for ms in from_ms..to_ms {
            let now = Instant::from_micros(ms * 1000);
            let drained = (uplink.bits_per_second as f64 / 8000.0).min(uplink.queued);
            uplink.queued -= drained;
            uplink.received += drained;
            if uplink
                .window
                .is_some_and(|window| uplink.received - uplink.acknowledged >= window)
            {
                uplink.acknowledged = uplink.received;
                controller.acknowledged(now, uplink.received as u64 as u32);
            }
            let send = |uplink: &mut Uplink, controller: &mut Controller, bytes: usize| {
                controller.sent(now, bytes);
                uplink.queued += bytes as f64;
            };
            if ms % 20 == 0 {
                send(uplink, controller, 160);
            }
            if ms % 33 == 0 {
                let buffered = (uplink.queued - uplink.send_buffer as f64).max(0.0);
                let advice = controller.observe(now, buffered as usize);
                seen.advice.push(advice);
                if controller.admit() {
                    // The encoder spends what it was given, in fewer pictures if need be.
                    let bytes = f64::from(advice.bitrate) / 8.0 * 0.033;
                    send(uplink, controller, bytes as usize);
                    seen.pictures += 1;
                }
                seen.last_age_ms = (uplink.queued * 8000.0 / uplink.bits_per_second as f64) as u64;
                seen.worst_age_ms = seen.worst_age_ms.max(seen.last_age_ms);
            }
        }
        seen
    }

    fn uplink(window: Option<f64>, send_buffer: u64) -> Uplink {
        Uplink {
            bits_per_second: 3_000_000,
            send_buffer,
            queued: 0.0,
            received: 0.0,
            acknowledged: 0.0,
            window,
        }
    }

    #[test]
    fn an_uplink_that_carries_it_all_is_left_alone() {
        for window in [None, Some(16_384.0), Some(2_500_000.0)] {
            let mut controller = Controller::new(Config::default(), Instant::ZERO);
            let seen = run(&mut uplink(window, 262_144), &mut controller, 0, 60_000);
            assert!(
                seen.advice
                    .iter()
                    .all(|advice| advice.bitrate == 1_500_000 && advice.frame_divisor == 1),
                "{window:?}"
            );
            assert_eq!(seen.pictures, 1819);
        }
    }

    #[test]
    fn a_drop_to_a_fifth_is_followed_down_and_up_again() {
        // Seen through acknowledgements, behind a send buffer of seven seconds; and in front of the socket, without any.
        for (window, send_buffer) in [(Some(16_384.0), 262_144), (None, 8_192)] {
            let mut uplink = uplink(window, send_buffer);
            let mut controller = Controller::new(Config::default(), Instant::ZERO);
            run(&mut uplink, &mut controller, 0, 10_000);
            uplink.bits_per_second = 300_000;
            let down = run(&mut uplink, &mut controller, 10_000, 40_000);
            assert!(
                down.worst_age_ms < 2_500,
                "{window:?}: {} ms",
                down.worst_age_ms
            );
            let settled = run(&mut uplink, &mut controller, 40_000, 70_000);
            assert!(
                settled.worst_age_ms < 700,
                "{window:?}: {} ms",
                settled.worst_age_ms
            );
            assert!(
                settled
                    .advice
                    .iter()
                    .all(|advice| (150_000..=300_000).contains(&advice.bitrate)),
                "{window:?}"
            );
            assert!(
                settled
                    .advice
                    .iter()
                    .all(|advice| advice.frame_divisor == 1),
                "{window:?}"
            );
            uplink.bits_per_second = 3_000_000;
            let up = run(&mut uplink, &mut controller, 70_000, 100_000);
            assert_eq!(controller.advice().bitrate, 1_500_000, "{window:?}");
            assert!(
                up.advice
                    .windows(2)
                    .all(|pair| pair[1].bitrate < pair[0].bitrate + 100_000),
                "{window:?}: additive"
            );
        }
    }

    #[test]
    fn the_frame_rate_goes_when_the_bitrate_cannot() {
        let mut uplink = uplink(Some(16_384.0), 262_144);
        let mut controller = Controller::new(Config::default(), Instant::ZERO);
        uplink.bits_per_second = 150_000;
        let first = run(&mut uplink, &mut controller, 0, 30_000);
        let least = first
            .advice
            .iter()
            .position(|advice| advice.bitrate == 150_000)
            .expect("the bitrate goes first");
        assert!(
            first.advice[..least]
                .iter()
                .all(|advice| advice.frame_divisor == 1)
        );
        let settled = run(&mut uplink, &mut controller, 30_000, 60_000);
        assert!(settled.advice.iter().any(|advice| advice.frame_divisor > 1));
        assert!(settled.pictures > 100, "{}", settled.pictures);
        assert!(settled.worst_age_ms < 1_500, "{}", settled.worst_age_ms);
    }

    #[test]
    fn an_outage_pauses_the_picture_and_not_for_good() {
        let mut uplink = uplink(Some(16_384.0), 262_144);
        let mut controller = Controller::new(Config::default(), Instant::ZERO);
        run(&mut uplink, &mut controller, 0, 10_000);
        uplink.bits_per_second = 1;
        let out = run(&mut uplink, &mut controller, 10_000, 20_000);
        assert!(out.advice.last().is_some_and(|advice| advice.paused));
        assert!(out.pictures < 60, "{}", out.pictures);
        uplink.bits_per_second = 3_000_000;
        let back = run(&mut uplink, &mut controller, 20_000, 23_000);
        assert!(back.advice.last().is_some_and(|advice| !advice.paused));
        assert!(back.last_age_ms < 100, "{}", back.last_age_ms);
    }

    #[test]
    fn acknowledgements_that_make_no_sense_are_ignored() {
        let mut controller = Controller::new(Config::default(), Instant::ZERO);
        let now = Instant::from_micros(1_000_000);
        controller.sent(now, 1000);
        controller.acknowledged(now, 5000);
        controller.acknowledged(now, u32::MAX);
        assert_eq!(controller.acknowledged, None);
        controller.acknowledged(now, 800);
        controller.acknowledged(now, 700);
        assert_eq!(controller.acknowledged, Some(800));
    }
}
