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
const STEADY: Duration = Duration::from_secs(5);

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// An attempt was admitted, and lasted for so long. Some relays admit before they refuse: only what lasts makes the next failure
    /// a first one. True if it did.
    pub(super) fn lasted(&mut self, time: Duration) -> bool {
        let steady = time >= STEADY;
        if steady {
            self.next = FIRST;
        }
        steady
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
        assert!(!backoff.lasted(STEADY / 2));
        assert!(backoff.wait() >= LONGEST / 2, "admitted, and then refused");
        assert!(backoff.lasted(STEADY));
        assert!(backoff.wait() <= FIRST);
    }
}
