use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::{Instant, Timestamp};

/// An AAC frame of 1024 samples at 48 kHz, microseconds.
const FRAME_US: f64 = 1024.0 / 0.048;
/// Timestamps this far apart from the samples before are a gap.
const SLACK_MS: i32 = 15;

/// A worklet's queue and the sound card behind it, which runs on its own clock.
#[derive(Debug)]
pub struct SoundCard {
    speed: f64,
    queue: VecDeque<Segment>,
    /// Microseconds of the sound card's clock that the first segment has played.
    played: f64,
    at: Instant,
    /// Where the newest samples given end.
    end: Option<Timestamp>,
    /// What is heard now: media microseconds modulo 2^32 ms, and whether it is sound.
    heard: Option<i64>,
    /// When the sound broke off.
    pub gaps: Vec<Instant>,
    started: bool,
    silent: bool,
}

#[derive(Debug)]
struct Segment {
    /// Media microseconds; `None` is silence.
    media: Option<i64>,
    /// Microseconds of the sound card's clock.
    length: f64,
    /// Media microseconds per microsecond.
    rate: f64,
}

impl SoundCard {
    /// From the queue to the ear.
    pub const LATENCY: Duration = Duration::from_millis(10);

    /// Silent, `ppm` faster than the simulation's clock.
    pub fn new(ppm: i64) -> Self {
        Self {
            speed: 1.0 + ppm as f64 / 1e6,
            queue: VecDeque::new(),
            played: 0.0,
            at: Instant::ZERO,
            end: None,
            heard: None,
            gaps: Vec::new(),
            started: false,
            silent: true,
        }
    }

    /// Whether sound is coming out.
    pub fn is_sounding(&self) -> bool {
        !self.queue.is_empty()
    }

    /// What is heard, media microseconds (the player's timeline modulo 2^32 ms).
    pub fn heard_us(&self) -> Option<i64> {
        self.heard
    }

    /// Takes a decoded AAC frame of media time `timestamp`, which is due at `due`, to be played at `rate`.
    pub fn play(&mut self, now: Instant, timestamp: Timestamp, due: Instant, rate: f64) {
        self.advance(now);
        let follows = !self.queue.is_empty()
            && self
                .end
                .is_some_and(|end| timestamp.since(end).abs() <= SLACK_MS);
        if !follows {
            let wait =
                due.saturating_sub(Self::LATENCY).as_micros() as f64 - now.as_micros() as f64;
            let queued: f64 =
                self.queue.iter().map(|segment| segment.length).sum::<f64>() - self.played;
            let silence = wait * self.speed - queued;
            if silence < -FRAME_US {
                return;
            }
            if silence > 0.0 {
                self.queue.push_back(Segment {
                    media: None,
                    length: silence,
                    rate: 0.0,
                });
            }
        }
        self.end = Some(timestamp.offset((FRAME_US / 1000.0).round() as i32));
        let media = Some(i64::from(timestamp.as_millis()) * 1000);
        self.queue.push_back(Segment {
            media,
            length: FRAME_US / rate,
            rate,
        });
        self.advance(now);
    }

    /// Drops what is queued.
    pub fn flush(&mut self, now: Instant) {
        self.advance(now);
        self.queue.clear();
        self.end = None;
        self.played = 0.0;
        self.fall_silent();
    }

    /// Plays up to `now`.
    pub fn advance(&mut self, now: Instant) {
        let mut elapsed = (now - self.at).as_micros() as f64 * self.speed;
        self.at = self.at.max(now);
        while let Some(segment) = self.queue.front() {
            if segment.media.is_some() {
                self.started = true;
                self.silent = false;
            }
            let left = segment.length - self.played;
            if elapsed < left {
                self.played += elapsed;
                break;
            }
            elapsed -= left;
            self.played = 0.0;
            self.queue.pop_front();
            if self
                .queue
                .front()
                .is_none_or(|segment| segment.media.is_none())
            {
                self.fall_silent();
            }
        }
        let latency = Self::LATENCY.as_micros() as i64;
        self.heard = self.queue.front().and_then(|segment| {
            Some(segment.media? + (self.played * segment.rate) as i64 - latency)
        });
    }

    fn fall_silent(&mut self) {
        if self.started && !self.silent {
            self.gaps.push(self.at);
        }
        self.silent = true;
    }
}
