//! Where live is, and how far behind it to play.

use super::super::arrival::Arrival;
use super::{AUDIO, JitterBuffer, Phase, VIDEO, YOUNG_TAIL_US};
use crate::Instant;

/// The window's latest tag is waited for if it is no later than this after the 99th percentile. Where it is, no small margin saves it.
const TAIL_US: i64 = 22_000;
/// The most delay where `buffer_time_max` is not set.
const AUTO_MAX_US: i64 = 1_000_000;

impl JitterBuffer {
    /// Where the newest tag would be now if it were as quick as the quickest.
    pub(super) fn live_us(&self, now: Instant) -> Option<i64> {
        let base = match self.phase {
            Phase::CatchingUp { best_us, .. } => best_us,
            _ => self.base_us()?,
        };
        Some(now.as_micros() as i64 - base)
    }

    pub(super) fn base_us(&self) -> Option<i64> {
        self.arrival.iter().filter_map(Arrival::min).min()
    }

    pub(super) fn quantile_us(&self) -> Option<i64> {
        self.arrival
            .iter()
            .filter_map(|arrival| arrival.upper_quantile(100))
            .max()
    }

    /// The delay to keep.
    pub(super) fn target_us(&self) -> i64 {
        let base = self.base_us().unwrap_or(0);
        let need = self
            .arrival
            .iter()
            .zip(self.after_us())
            .enumerate()
            .filter_map(|(track, (arrival, after))| {
                let tail = if track == AUDIO && arrival.is_young() {
                    YOUNG_TAIL_US
                } else {
                    0
                };
                let (most, max) = (arrival.upper_quantile(100)?, arrival.max()?);
                let most = if max - most <= TAIL_US {
                    max
                } else {
                    most + TAIL_US / 2
                } + tail;
                Some(most - base + after)
            });
        let least = self.config.buffer_time.as_micros() as i64;
        need.max().unwrap_or(0).max(least).min(self.max_us())
    }

    /// What lies between a tag's arrival and its sound or picture, at least.
    pub(super) fn after_us(&self) -> [i64; 2] {
        let sound = self.config.sound_margin + self.output_latency;
        let picture = self.picture_latency.as_micros() as i64 + self.meter.decode_us();
        [sound.as_micros() as i64, picture]
    }

    pub(super) fn max_us(&self) -> i64 {
        let least = self.config.buffer_time.as_micros() as i64;
        self.config
            .buffer_time_max
            .map_or(AUTO_MAX_US, |max| max.as_micros() as i64)
            .max(least)
    }

    pub(super) fn media_end(&self) -> Option<i64> {
        self.end.iter().flatten().copied().max()
    }

    pub(super) fn media_end_with_steps(&self) -> Option<i64> {
        [AUDIO, VIDEO]
            .into_iter()
            .filter_map(|track| Some(self.end[track]? + self.step[track]))
            .max()
    }

    pub(super) fn first_waiting(&self) -> Option<i64> {
        [AUDIO, VIDEO]
            .into_iter()
            .filter_map(|track| Some(self.queues[track].front()?.time * 1000))
            .min()
    }
}
