use std::time::Duration;

use crate::gateway::seed;

/// Waiting times between attempts: doubling from a quarter of a second to ten, each shortened by up to a half at random,
/// so that gateways that lost the same relay do not return together.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(10);

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// It worked: the next failure is a first one.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// How long to wait before the next attempt.
    pub(super) fn wait(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(LONGEST);
        whole.mul_f64(1.0 - (seed() % 1000) as f64 / 2000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_up_to_a_limit_and_start_over_after_a_success() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..12).map(|_| backoff.wait()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST);
        assert!(waits[11] >= LONGEST / 2 && waits.iter().all(|wait| *wait <= LONGEST));
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
