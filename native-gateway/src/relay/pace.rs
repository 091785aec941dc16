//! How fast a viewer that lags takes what it is sent.

use std::time::Duration;

use chalkcast_core::Instant;

/// It is measured over this.
const SPAN: Duration = Duration::from_millis(500);

/// Measures while the viewer lags: then what it is sent fills its connection.
#[derive(Debug, Default)]
pub(super) struct Pace {
    since: Option<Instant>,
    bytes: u64,
    bits_per_second: Option<u64>,
}

impl Pace {
    /// So many bytes were taken from the log, `lags` or not.
    pub(super) fn taken(&mut self, now: Instant, bytes: usize, lags: bool) {
        if !lags {
            *self = Self::default();
            return;
        }
        let since = *self.since.get_or_insert(now);
        let elapsed = now - since;
        if elapsed >= SPAN {
            self.bits_per_second = Some(self.bytes * 8_000_000 / elapsed.as_micros() as u64);
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.bytes += bytes as u64;
    }

    /// What a viewer of a stream of this rate takes.
    pub(super) fn of(&self, bits_per_second: u64) -> u64 {
        match self.bits_per_second {
            Some(taken) if bits_per_second > 0 => taken.min(bits_per_second),
            _ => bits_per_second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_lags_has_a_pace_of_its_own() {
        let mut pace = Pace::default();
        for i in 0..100 {
            pace.taken(Instant::from_micros(i * 100_000), 5_000, true);
        }
        assert_eq!(pace.of(1_000_000), 400_000);
        assert_eq!(pace.of(300_000), 300_000);
        pace.taken(Instant::from_micros(10_000_000), 5_000, false);
        assert_eq!(pace.of(1_000_000), 1_000_000);
    }
}
