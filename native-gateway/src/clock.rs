//! The one clock of the gateway, which everything in the core is handed.

use std::time::Duration;

use chalkcast_core::Instant;

/// Turns the machine's monotonic clock into the core's [`Instant`] and back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
}

impl Clock {
    /// A clock whose origin lies an hour back, so that looking back a little never meets the origin.
    pub fn start() -> Self {
        let now = std::time::Instant::now();
        Self {
            origin: now.checked_sub(Duration::from_secs(3600)).unwrap_or(now),
        }
    }

    /// Now.
    pub fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The same point on tokio's clock, to sleep until.
    pub fn deadline(&self, at: Instant) -> tokio::time::Instant {
        // A deadline years away (the core may say "never" so) is as good as one a day away.
        let ahead = (at - self.now()).min(Duration::from_secs(86_400));
        tokio::time::Instant::now() + ahead
    }
}
