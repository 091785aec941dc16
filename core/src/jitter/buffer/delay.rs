//! Where live is, and how far behind it to play.

use core::time::Duration;

use super::super::arrival::Arrival;
use super::{AUDIO, JitterBuffer, Phase, SKIP_US, VIDEO, YOUNG_TAIL_US};
use crate::Instant;

/// The window's latest tag is waited for if it is no later than this after the 99th percentile. Where it is, no small margin saves it.
const TAIL_US: i64 = 22_000;
/// Unless something holds tags up again and again, as Wi-Fi does: what was as late as this alike in two seconds will be so in others…
const ALIKE_US: i64 = 30_000;
/// … and is waited for up to this after the 99th percentile…
const REPEATED_US: i64 = 40_000;
/// … less what is won by playing slower while it lasts.
const WON_US: i64 = 10_000;
/// One picture in so many may come too late for its instant: it is shown at the next refresh, where late sound would be a break.
const LATE_PICTURES: usize = 20;
/// One in so many may be late by more than a refresh.
const MISSING_PICTURES: usize = 100;
/// The most that pictures are ahead of their sound: people expect sound to be late, and EBU R 37 allows 60 ms.
const LEAD_US: i64 = 20_000;
/// The same where all is waited for long: a tenth of that, up to this.
const LEAD_MAX_US: i64 = 32_000;
/// Decoded sound is to be with the sound card this much before its time…
const SPARE_US: i64 = 3_000;
/// … but is not given more than this on its way there.
const SOUND_MARGIN_MAX_US: i64 = 60_000;
/// A tag that is later than nine in ten by more than this is held up by something.
const HELD_UP_US: i64 = 30_000;
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
        least(self.arrival[AUDIO].min(), self.arrival[VIDEO].min())
    }

    pub(super) fn quantile_us(&self) -> Option<i64> {
        let [sound, pictures] = &self.arrival;
        sound.upper_quantile(100).max(pictures.upper_quantile(100))
    }

    /// The delay to keep.
    pub(super) fn target_us(&self, now: Instant) -> i64 {
        let [sound, pictures] = self.needs_us(now);
        let need = sound.max(pictures);
        let least = us(self.config.buffer_time);
        need.unwrap_or(0).max(least).min(self.max_us())
    }

    /// By how much pictures are shown ahead of their sound, where the sound is what takes longer to come.
    pub(super) fn needed_lead_us(&self, now: Instant) -> i64 {
        let least = us(self.config.buffer_time);
        match self.needs_us(now) {
            [Some(sound), Some(picture)] => {
                let most = (sound / 10).clamp(LEAD_US, LEAD_MAX_US);
                (sound - picture.max(least)).max(0).min(most)
            }
            _ => 0,
        }
    }

    /// The delay that each track needs.
    fn needs_us(&self, now: Instant) -> [Option<i64>; 2] {
        let base = self.base_us().unwrap_or(0);
        let after = self.after_us();
        let [sound, pictures] = &self.arrival;
        let young = if sound.is_young() { YOUNG_TAIL_US } else { 0 };
        [
            latest_us(sound).map(|most| most - base + after[AUDIO] + young),
            self.latest_picture_us(pictures)
                .map(|most| most - base + after[VIDEO] + self.slow_us(now)),
        ]
    }

    /// The transit that pictures are waited for.
    fn latest_picture_us(&self, arrival: &Arrival) -> Option<i64> {
        let missing = arrival.upper_quantile(MISSING_PICTURES)?;
        Some((missing - us(self.display_latency)).max(arrival.upper_quantile(LATE_PICTURES)?))
    }

    /// What lies between a tag's arrival and its sound or picture, at least.
    pub(super) fn after_us(&self) -> [i64; 2] {
        let picture = us(self.picture_latency) + us(self.display_latency);
        [
            self.sound_margin_us() + us(self.output_latency),
            picture + self.meter.decode_us(),
        ]
    }

    /// What sound is given from its arrival to the sound card: what it was seen to take there beyond what the network takes, within bounds.
    fn sound_margin_us(&self) -> i64 {
        let least = us(self.config.sound_margin);
        let arrived = latest_us(&self.arrival[AUDIO]);
        let there = latest_us(self.delivery.transit());
        match (arrived, there) {
            (Some(arrived), Some(there)) => {
                let most = SOUND_MARGIN_MAX_US.max(least);
                (there + SPARE_US - arrived).clamp(least, most)
            }
            _ => least,
        }
    }

    /// What was seen of the connection says nothing about what comes.
    pub(super) fn forget_transit(&mut self) {
        self.arrival.iter_mut().for_each(Arrival::clear);
        self.delivery.clear();
    }

    /// Whether the next tag is later than tags usually are, and what is left does not last: the network stalls, for nobody knows how long.
    pub(super) fn is_held_up(&mut self, now: Instant, live: i64) -> bool {
        let usual = self.arrival[AUDIO].upper_quantile(10);
        let (Some(base), Some(usual), Some(end)) = (self.base_us(), usual, self.end[AUDIO]) else {
            return false;
        };
        let end = end + self.step[AUDIO];
        if !self.sound_leads(now) || end - self.clock.position(now) > SKIP_US {
            return false;
        }
        let until = end + usual - base + HELD_UP_US - live;
        if until > 0 {
            self.wake(now + Duration::from_micros(until as u64));
        }
        until <= 0
    }

    pub(super) fn max_us(&self) -> i64 {
        let least = us(self.config.buffer_time);
        self.config
            .buffer_time_max
            .map_or(AUTO_MAX_US, us)
            .max(least)
    }

    pub(super) fn media_end(&self) -> Option<i64> {
        self.end[AUDIO].max(self.end[VIDEO])
    }

    pub(super) fn media_end_with_steps(&self) -> Option<i64> {
        let end = |track: usize| Some(self.end[track]? + self.step[track]);
        end(AUDIO).max(end(VIDEO))
    }

    pub(super) fn first_waiting(&self) -> Option<i64> {
        let first = |track: usize| Some(self.queues[track].front()?.time * 1000);
        least(first(AUDIO), first(VIDEO))
    }
}

/// The lesser of what is there.
fn least(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}

fn us(duration: Duration) -> i64 {
    duration.as_micros() as i64
}

/// The transit that sound is waited for.
fn latest_us(arrival: &Arrival) -> Option<i64> {
    let (most, max) = (arrival.upper_quantile(100)?, arrival.max()?);
    Some(if max - most <= TAIL_US {
        max
    } else {
        let repeated = arrival.repeated(ALIKE_US).unwrap_or(most) - WON_US;
        repeated.max(most + TAIL_US / 2).min(most + REPEATED_US)
    })
}
