//! How much may be on its way to a viewer that lags.

use std::time::Duration;

use chalkcast_core::Instant;

/// A viewer that lags is asked to acknowledge so often: in bytes.
pub const WINDOW: u32 = 16 * 1024;

/// What may be on its way, besides what is not acknowledged yet: so long a time of what arrives.
const ON_ITS_WAY: Duration = Duration::from_millis(400);
/// What arrives is measured over this.
const SPAN: Duration = Duration::from_secs(1);
/// One that has not acknowledged for so long does not do so at all, or has lost its connection: it is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// One that has not lagged for so long need not acknowledge so often any more.
const CALM: Duration = Duration::from_secs(10);

/// What is in routers' and modems' queues cannot be recalled either, and no socket tells how much it is: acknowledgements do.
#[derive(Debug, Default)]
pub struct InFlight {
    /// It has been asked to acknowledge often; it lagged last at this instant.
    asked: Option<Instant>,
    /// The newest acknowledgement, and when it came.
    heard: Option<(Instant, u64)>,
    /// Where the measurement began, and what came of the one before in bytes per second.
    since: Option<(Instant, u64)>,
    arrives: Option<u64>,
}

/// What a viewer has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Acknowledge each [`WINDOW`].
    Often,
    /// Acknowledge as usual.
    Seldom,
}

impl InFlight {
    /// Whether the viewer lags, or did so not long ago: then it is to be looked after before each write.
    pub fn is_concerned(&self) -> bool {
        self.asked.is_some()
    }

    /// Looks at whether the viewer `lags`. Answers what to tell it, once.
    pub fn look(&mut self, now: Instant, lags: bool) -> Option<Ask> {
        match self.asked {
            None if lags => {
                self.asked = Some(now);
                Some(Ask::Often)
            }
            Some(_) if lags => {
                self.asked = Some(now);
                None
            }
            Some(last) if now - last > CALM => {
                *self = Self::default();
                Some(Ask::Seldom)
            }
            _ => None,
        }
    }

    /// Whether more may be sent, so many bytes having been `sent` and `acknowledged` so far.
    pub fn admits(&mut self, now: Instant, sent: u64, acknowledged: Option<u64>) -> bool {
        let (Some(_), Some(acknowledged)) = (self.asked, acknowledged) else {
            return true;
        };
        if self.heard.is_none_or(|(_, heard)| heard != acknowledged) {
            self.heard = Some((now, acknowledged));
            let (began, before) = *self.since.get_or_insert((now, acknowledged));
            if now - began >= SPAN {
                let elapsed = (now - began).as_micros() as u64;
                self.arrives = Some((acknowledged - before) * 1_000_000 / elapsed);
                self.since = Some((now, acknowledged));
            }
        }
        let given_up = self.heard.is_some_and(|(at, _)| now - at > PATIENCE);
        let arrives = self.arrives.unwrap_or(u64::from(WINDOW) * 4);
        let limit = arrives * ON_ITS_WAY.as_millis() as u64 / 1000 + 2 * u64::from(WINDOW);
        given_up || sent.saturating_sub(acknowledged) <= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    #[test]
    fn what_is_on_its_way_over_a_slow_line_is_kept_short() {
        let mut in_flight = InFlight::default();
        assert!(in_flight.admits(at(0), 1_000_000, None));
        assert_eq!(in_flight.look(at(0), true), Some(Ask::Often));
        assert_eq!(in_flight.look(at(0), true), None);
        // 75 KB/s arrive, whatever is sent; as much is sent as is let.
        let (mut sent, mut most) = (100_000, 0);
        for ms in 0..20_000 {
            let arrived = 100_000 + ms * 75;
            let acknowledged = arrived - arrived % u64::from(WINDOW);
            sent = sent.max(arrived);
            while in_flight.admits(at(ms), sent, Some(acknowledged)) {
                sent += 1_400;
            }
            if ms > 5_000 {
                most = most.max(sent - arrived);
            }
        }
        assert!((20_000..70_000).contains(&most), "{most}");
    }

    #[test]
    fn one_that_does_not_acknowledge_is_not_waited_for() {
        let mut in_flight = InFlight::default();
        in_flight.look(at(0), true);
        assert!(in_flight.admits(at(0), 1_000_000, None));
        assert!(!in_flight.admits(at(10), 1_000_000, Some(10_000)));
        assert!(in_flight.admits(at(3_011), 1_000_000, Some(10_000)));
    }

    #[test]
    fn one_that_has_recovered_is_let_alone() {
        let mut in_flight = InFlight::default();
        in_flight.look(at(0), true);
        assert_eq!(in_flight.look(at(10_000), false), None);
        assert_eq!(in_flight.look(at(10_001), false), Some(Ask::Seldom));
        assert!(in_flight.admits(at(10_002), 1_000_000, Some(0)));
    }
}
