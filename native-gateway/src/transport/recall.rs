//! Media that has been written cannot be skipped any more: how much of it may be on its way.

use std::time::Duration;

/// So much in all: half of it pulled from the relay, half of it unsent in the kernel.
const BEYOND_RECALL: Duration = Duration::from_millis(250);
/// While the stream's rate is not known, in bits per second.
const UNKNOWN_RATE: u64 = 1_000_000;
/// Limits for either half, in bytes: a few packets, and a stream faster than any lesson.
const FEWEST: u64 = 4 * 1024;
const MOST: u64 = 256 * 1024;

/// What may be pulled for one write, in bytes: what is written together has to be pulled together.
pub(crate) fn pull_limit(bits_per_second: u64, budget: Duration) -> usize {
    bytes_in(bits_per_second, (BEYOND_RECALL / 2).max(budget * 2)) as usize
}

/// What the kernel may hold unsent, in bytes.
pub(crate) fn unsent_limit(bits_per_second: u64) -> u32 {
    bytes_in(bits_per_second, BEYOND_RECALL / 2) as u32
}

/// Bytes of a stream in so much time. A rate of 0 is not known.
fn bytes_in(bits_per_second: u64, time: Duration) -> u64 {
    let rate = match bits_per_second {
        0 => UNKNOWN_RATE,
        known => known,
    };
    (rate / 8 * time.as_millis() as u64 / 1000).clamp(FEWEST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pulled_and_what_is_unsent_are_a_quarter_of_a_second_together() {
        for bits_per_second in [300_000, 1_000_000, 4_000_000, 8_000_000] {
            // Up to the largest budget that is no longer than its half.
            for budget in [0, 10, 30, 62].map(Duration::from_millis) {
                let pulled = pull_limit(bits_per_second, budget) as u64;
                let unsent = u64::from(unsent_limit(bits_per_second));
                let ms = (pulled + unsent) * 8_000 / bits_per_second;
                assert!((200..=250).contains(&ms), "{bits_per_second}: {ms} ms");
            }
        }
        // What is written together is longer than that, and is pulled together.
        let together = pull_limit(1_000_000, Duration::from_millis(350)) as u64;
        assert!(together * 8_000 / 1_000_000 >= 350);
        // Whatever the rate is said to be.
        assert_eq!(
            pull_limit(1_000_000_000_000, Duration::from_secs(1)) as u64,
            MOST
        );
        assert_eq!(u64::from(unsent_limit(1)), FEWEST);
    }
}
