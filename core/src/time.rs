//! The two kinds of time, which the compiler keeps apart.

use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A point on the caller's monotonic clock, in microseconds since an origin of the caller's choice.
///
/// The core never reads a clock: each call that needs the time is handed one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The caller's origin.
    pub const ZERO: Self = Self(0);

    /// The instant `micros` microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This instant moved back by `by`, at most to the origin.
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of the clock (584,000 years).
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// Zero if `earlier` is in fact later.
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

fn micros(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(duration.subsec_micros().into())
}

/// Media time in milliseconds, modulo 2^32, compared by serial number arithmetic (RTMP 1.0 §4).
///
/// There is no `Ord`: serial order is not transitive. Two timestamps less than 2^31 ms (24.8 days) apart have a
/// meaningful difference, which [`Timestamp::since`] gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(u32);

impl Timestamp {
    /// Zero, where most publishers start.
    pub const ZERO: Self = Self(0);

    /// The timestamp that is `millis` on the wire.
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis)
    }

    /// The 32 bits on the wire.
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    /// Milliseconds from `other` to this, negative if this is earlier.
    pub const fn since(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }

    /// Whether this is later than `other`.
    pub const fn is_after(self, other: Self) -> bool {
        self.since(other) > 0
    }

    /// This timestamp moved by `millis`, across the wrap if need be.
    pub const fn offset(self, millis: i32) -> Self {
        Self(self.0.wrapping_add(millis as u32))
    }
}

impl Add<u32> for Timestamp {
    type Output = Self;

    /// Moves forward by a timestamp delta in milliseconds.
    fn add(self, delta: u32) -> Self {
        Self(self.0.wrapping_add(delta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_compared_across_the_wrap() {
        let before = Timestamp::from_millis(u32::MAX - 9);
        let after = before + 30;
        assert_eq!(after.as_millis(), 20);
        assert_eq!(after.since(before), 30);
        assert!(after.is_after(before) && !before.is_after(after));
        assert_eq!(after.offset(-30), before);
    }

    #[test]
    fn an_instant_never_goes_below_its_origin() {
        let early = Instant::from_micros(5);
        let late = early + Duration::from_millis(1);
        assert_eq!(late - early, Duration::from_millis(1));
        assert_eq!(early - late, Duration::ZERO);
        assert_eq!(early.saturating_sub(Duration::from_secs(1)), Instant::ZERO);
    }
}
