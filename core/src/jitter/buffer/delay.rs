//! Where live is, and how far behind it to play.

use super::super::arrival::Arrival;
use super::{AUDIO, JitterBuffer, Phase, VIDEO, YOUNG_TAIL_US};
use crate::Instant;

/// The window's latest tag is waited for if it is no later than this after the 99th percentile. Where it is, no small margin saves it.
const TAIL_US: i64 = 22_000;
/// One picture in so many may come too late for its instant: it is shown at the next refresh, where late sound would be a break.
const LATE_PICTURES: usize = 100;
/// The most that pictures are ahead of their sound: people expect sound to be late, and EBU R 37 allows 60 ms.
const LEAD_US: i64 = 20_000;
/// The most delay where `buffer_time_max` is not set.
const AUTO_MAX_US: i64 = 2_500_000;

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
        let need = self.needs_us().into_iter().flatten().max();
        let least = self.config.buffer_time.as_micros() as i64;
        need.unwrap_or(0).max(least).min(self.max_us())
    }

    /// By how much pictures are shown ahead of their sound, where the sound is what takes longer to come.
    pub(super) fn needed_lead_us(&self) -> i64 {
        let least = self.config.buffer_time.as_micros() as i64;
        match self.needs_us() {
            [Some(sound), Some(picture)] => (sound - picture.max(least)).clamp(0, LEAD_US),
            _ => 0,
        }
    }

    /// The delay that each track needs.
    fn needs_us(&self) -> [Option<i64>; 2] {
        let base = self.base_us().unwrap_or(0);
        let after = self.after_us();
        let [sound, pictures] = &self.arrival;
        let young = if sound.is_young() { YOUNG_TAIL_US } else { 0 };
        [
            latest_us(sound).map(|most| most - base + after[AUDIO] + young),
            pictures
                .upper_quantile(LATE_PICTURES)
                .map(|most| most - base + after[VIDEO]),
        ]
    }

    /// What lies between a tag's arrival and its sound or picture, at least.
    pub(super) fn after_us(&self) -> [i64; 2] {
        let sound = self.config.sound_margin + self.output_latency;
        let picture = (self.picture_latency + self.display_latency).as_micros() as i64
            + self.meter.decode_us();
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

/// The transit that sound is waited for.
fn latest_us(arrival: &Arrival) -> Option<i64> {
    let (most, max) = (arrival.upper_quantile(100)?, arrival.max()?);
    Some(if max - most <= TAIL_US {
        max
    } else {
        most + TAIL_US / 2
    })
}
