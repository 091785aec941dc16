//! What the way out carries, and what is therefore encoded.

use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::rate::{Advice, Config, Controller};
use chalkcast_core::session::Stats;

/// The rate controller and what it was last told.
#[derive(Debug)]
pub(super) struct Link {
    controller: Controller,
    queue_time: Duration,
    /// Bytes of the connection's that the controller knows of.
    sent: u64,
    acknowledged: Option<u64>,
}

/// Bits per second below which the frame rate goes instead; less where the page asks for less.
const LEAST_BITRATE: u32 = 150_000;

impl Default for Link {
    fn default() -> Self {
        Self {
            controller: Controller::new(Config::default(), Instant::ZERO),
            queue_time: Config::default().queue_time,
            sent: 0,
            acknowledged: None,
        }
    }
}

impl Link {
    /// Publishing begins, perhaps over another connection.
    pub(super) fn start(&mut self, now: Instant) {
        self.controller = Controller::new(self.controller.config().clone(), now);
        (self.sent, self.acknowledged) = (0, None);
    }

    /// How old what waits may be; zero leaves it to the controller.
    pub(super) fn set_queue_time(&mut self, queue_time: Duration) {
        self.queue_time = if queue_time.is_zero() {
            Config::default().queue_time
        } else {
            queue_time
        };
    }

    /// Looks at the connection. `video` and `audio` are the bits per second that the page asks for.
    pub(super) fn observe(
        &mut self,
        now: Instant,
        stats: &Stats,
        queued: u32,
        video: f64,
        audio: f64,
    ) {
        let max_bitrate = video as u32;
        let config = Config {
            max_bitrate,
            min_bitrate: LEAST_BITRATE.min(max_bitrate / 4),
            reserved_bitrate: audio as u32,
            queue_time: self.queue_time,
        };
        if *self.controller.config() != config {
            self.controller.set_config(config);
        }
        if stats.bytes_sent > self.sent {
            let bytes = stats.bytes_sent - self.sent;
            self.controller.sent(now, bytes as usize);
            self.sent = stats.bytes_sent;
        }
        if stats.bytes_acknowledged > self.acknowledged {
            self.acknowledged = stats.bytes_acknowledged;
            let total = self.acknowledged.unwrap_or(0);
            self.controller.acknowledged(now, total as u32);
        }
        self.controller.observe(now, queued as usize);
    }

    /// Whether to encode the picture that was just captured.
    pub(super) fn admit(&mut self) -> bool {
        self.controller.admit()
    }

    pub(super) fn advice(&self) -> Advice {
        self.controller.advice()
    }

    pub(super) fn queue_age(&self, now: Instant) -> Duration {
        self.controller.queue_age(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_way_out_lowers_the_bitrate_and_an_empty_one_gives_it_back() {
        let mut link = Link::default();
        let mut now = Instant::from_micros(1_000_000);
        link.start(now);
        let mut stats = Stats::default();
        let mut run = |link: &mut Link, carried: u64, seconds: u64| {
            for _ in 0..seconds * 30 {
                now += Duration::from_micros(33_333);
                let sent = u64::from(link.advice().bitrate) / 240;
                stats.bytes_sent += if link.admit() { sent } else { 0 };
                let received = stats.bytes_acknowledged.unwrap_or(0) + carried / 240;
                stats.bytes_acknowledged = Some(received.min(stats.bytes_sent));
                link.observe(now, &stats, 0, 800_000.0, 0.0);
            }
            link.advice().bitrate
        };
        assert_eq!(run(&mut link, 2_000_000, 5), 800_000);
        assert!((150_000..400_000).contains(&run(&mut link, 400_000, 10)));
        assert_eq!(run(&mut link, 2_000_000, 60), 800_000);
        // What the page asks for counts at once.
        link.observe(now, &stats, 0, 100_000.0, 0.0);
        assert_eq!(link.advice().bitrate, 100_000);
    }
}
