use alloc::collections::VecDeque;

use super::arrival::Arrival;
use crate::Instant;

/// Tags between their decoder and the sound card, at most; more were swallowed.
const INSIDE: usize = 64;

/// When decoded sound is with the sound card: what the network and this machine take together, which have their bad moments at different times.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// Of each tag handed out: its time, and how long it had waited here, microseconds.
    inside: VecDeque<(i64, i64)>,
    transit: Arrival,
}

impl Delivery {
    /// A tag that had waited for so long is handed out.
    pub(super) fn begin(&mut self, time_us: i64, waited_us: i64) {
        if self.inside.len() == INSIDE {
            self.inside.pop_front();
        }
        self.inside.push_back((time_us, waited_us));
    }

    /// Its sound was there at `at`, and would have been earlier had it not waited.
    pub(super) fn end(&mut self, now: Instant, time_us: i64, at: Instant) {
        while let Some(&(inside, waited_us)) = self.inside.front() {
            if inside > time_us {
                return;
            }
            self.inside.pop_front();
            if inside == time_us {
                let transit_us = at.as_micros() as i64 - time_us - waited_us;
                self.transit.record(now, transit_us);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The transit times to the sound card.
    pub(super) fn transit(&self) -> &Arrival {
        &self.transit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn what_waited_is_no_later_for_it() {
        let mut delivery = Delivery::default();
        delivery.begin(0, 0);
        delivery.begin(20_000, 200_000);
        delivery.end(at(10), 0, at(7));
        delivery.end(at(240), 20_000, at(236));
        assert_eq!(delivery.transit().min(), Some(7_000));
        assert_eq!(delivery.transit().max(), Some(17_000));
    }

    #[test]
    fn what_never_comes_out_is_forgotten() {
        let mut delivery = Delivery::default();
        for i in 0..500 {
            delivery.begin(i * 20_000, 0);
            if i % 10 == 9 {
                let now = at(i as u64 * 20 + 5);
                delivery.end(now, i * 20_000, now);
            }
        }
        assert_eq!(delivery.inside.len(), 0);
        assert_eq!(delivery.transit().max(), Some(6_000));
        for i in 500..5_000 {
            delivery.begin(i * 20_000, 0);
        }
        assert_eq!(delivery.inside.len(), INSIDE);
        // Nor is what was never handed out.
        delivery.end(at(1), 1, at(1));
        assert_eq!(delivery.transit().max(), Some(6_000));
    }
}
