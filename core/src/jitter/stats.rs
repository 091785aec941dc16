use core::time::Duration;

use crate::Instant;

/// What a [`JitterBuffer`](super::JitterBuffer) has measured and done. Counts run from its creation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// The 99th percentile of how much later than the quickest tag a tag has come, over 30 s.
    pub jitter: Duration,
    /// The delay behind live that the buffer aims for.
    pub target: Duration,
    /// Media received and not yet played.
    pub depth: Duration,
    /// Between live, as the quickest tags show it, and what is played; network transit is not in it.
    pub live_delay: Option<Duration>,
    /// What sound is stretched and resampled by, together; 1 is as recorded.
    pub rate: f64,
    /// By how much the publisher's clock runs faster than the one played by, as learnt so far, in parts per million.
    pub drift_ppm: f64,
    /// Bytes of tags waiting.
    pub bytes: usize,
    /// Times playout stood still for lack of media for 100 ms or more.
    pub stalls: u64,
    /// How long playout stood still for lack of media in all.
    pub stalled: Duration,
    /// Times the position was moved forward to be at its target again.
    pub skips: u64,
    /// Pictures decoded without being shown because they came after their time.
    pub frames_unshown: u64,
    /// Pictures not decoded because a newer keyframe made them needless.
    pub frames_skipped: u64,
    /// Pictures not decoded because the decoder is slower than the stream.
    pub frames_shed: u64,
    /// Pictures dropped because no keyframe came before them, or the buffer was full.
    pub frames_lost: u64,
    /// Audio tags dropped because they came after their time.
    pub audio_late: u64,
    /// Breaks in the sound: playout went from one audio tag to another that does not follow it.
    pub audio_gaps: u64,
    /// Pictures shown per second, as the owner reports them.
    pub frames_per_second: f64,
    /// Bits received per second, over the last second or two.
    pub bits_per_second: u64,
    /// How long the decoder takes for a picture, smoothed.
    pub decode_time: Duration,
    /// Pictures inside the decoder.
    pub decoder_queue: usize,
    /// How much later than its sound a picture is shown, in milliseconds, smoothed; negative if earlier. `None` without both.
    pub skew_ms: Option<f64>,
}

/// Counts and smoothed measurements.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) stalls: u64,
    pub(super) stalled: Duration,
    pub(super) skips: u64,
    pub(super) frames_unshown: u64,
    pub(super) frames_skipped: u64,
    pub(super) frames_shed: u64,
    pub(super) frames_lost: u64,
    pub(super) audio_late: u64,
    pub(super) audio_gaps: u64,
    decode_us: Option<f64>,
    skew_us: Option<f64>,
    received: PerSecond,
    shown: PerSecond,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            stalls: 0,
            stalled: Duration::ZERO,
            skips: 0,
            frames_unshown: 0,
            frames_skipped: 0,
            frames_shed: 0,
            frames_lost: 0,
            audio_late: 0,
            audio_gaps: 0,
            decode_us: None,
            skew_us: None,
            received: PerSecond::new(now),
            shown: PerSecond::new(now),
        }
    }

    pub(super) fn received(&mut self, now: Instant, bytes: usize) {
        self.received.add(now, bytes as u64 * 8);
    }

    pub(super) fn decoded(&mut self, took: Duration) {
        let took = took.as_micros() as f64;
        // Quick to rise, slow to fall: the margin has to cover the slower pictures.
        let gain = if self.decode_us.is_none_or(|us| took > us) {
            0.2
        } else {
            0.02
        };
        self.decode_us = Some(self.decode_us.map_or(took, |us| us + (took - us) * gain));
    }

    pub(super) fn shown(&mut self, now: Instant, skew_us: Option<i64>) {
        self.shown.add(now, 1);
        if let Some(skew) = skew_us {
            let skew = skew as f64;
            self.skew_us = Some(self.skew_us.map_or(skew, |us| us + (skew - us) * 0.05));
        }
    }

    /// Smoothed decode time in microseconds; zero if unknown.
    pub(super) fn decode_us(&self) -> i64 {
        self.decode_us.unwrap_or(0.0) as i64
    }

    pub(super) fn stats(&self, now: Instant) -> Stats {
        Stats {
            stalls: self.stalls,
            stalled: self.stalled,
            skips: self.skips,
            frames_unshown: self.frames_unshown,
            frames_skipped: self.frames_skipped,
            frames_shed: self.frames_shed,
            frames_lost: self.frames_lost,
            audio_late: self.audio_late,
            audio_gaps: self.audio_gaps,
            frames_per_second: self.shown.rate(now),
            bits_per_second: self.received.rate(now) as u64,
            decode_time: Duration::from_micros(self.decode_us() as u64),
            skew_ms: self.skew_us.map(|us| us / 1000.0),
            ..Stats::default()
        }
    }
}

/// A sum over the last full second and what has come of this one.
#[derive(Debug)]
struct PerSecond {
    since: Instant,
    current: u64,
    last: Option<(u64, Duration)>,
}

impl PerSecond {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            current: 0,
            last: None,
        }
    }

    fn add(&mut self, now: Instant, amount: u64) {
        let elapsed = now - self.since;
        if elapsed >= Duration::from_secs(1) {
            self.last = Some((self.current, elapsed));
            self.current = 0;
            self.since = now;
        }
        self.current += amount;
    }

    fn rate(&self, now: Instant) -> f64 {
        let (before, length) = self.last.unwrap_or_default();
        let seconds = (length + (now - self.since)).as_micros() as f64 / 1e6;
        if seconds > 0.0 {
            (before + self.current) as f64 / seconds
        } else {
            0.0
        }
    }
}
