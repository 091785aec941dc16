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
