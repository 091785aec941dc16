//! What the video decoder is at: how much it is given, and what is done where it is too slow.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::{JitterBuffer, VIDEO};
use crate::{Instant, Timestamp};

/// Pictures inside the decoder, at most, where the owner reports what comes out.
const QUEUE: usize = 12;
/// The same while what is inside is late already: what is to be skipped must not be inside…
const QUEUE_LATE: usize = 3;
/// … and one more, for good, each time that nothing comes out for this long: some decoders want the next pictures before they put one out.
const HOLDS: Duration = Duration::from_millis(300);
/// A full decoder out of which nothing has come for this long has swallowed what it was given.
const SWALLOWED_AFTER: Duration = Duration::from_secs(2);
/// A decoder that has had to skip twice within this is too slow for the stream, and taken for it for as long.
const SLOW: Duration = Duration::from_secs(20);
/// A decoder that is too slow is given this much more delay, so that it gets through more of each group of pictures before it is late.
const SLOW_US: i64 = 350_000;

/// What is inside the video decoder, as far as its owner reports it.
#[derive(Debug)]
pub(super) struct Decoder {
    pub(super) reports: bool,
    /// Of each picture inside: presentation time, since when, and whether it does not wait behind a backlog.
    inside: VecDeque<(i64, Instant, bool)>,
    /// When one last came out.
    out: Instant,
    /// By how many more than [`QUEUE_LATE`] it wants inside.
    holds: usize,
    /// When pictures were last skipped for its sake, and until when it counts as too slow.
    skipped: Option<Instant>,
    slow_until: Instant,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            reports: false,
            inside: VecDeque::new(),
            out: Instant::ZERO,
            holds: 0,
            skipped: None,
            slow_until: Instant::ZERO,
        }
    }
}

impl Decoder {
    pub(super) fn len(&self) -> usize {
        self.inside.len()
    }

    /// A picture of this presentation time goes in.
    pub(super) fn push(&mut self, now: Instant, time_us: i64, shown: bool) {
        if self.inside.len() < QUEUE {
            let prompt = shown && self.inside.iter().all(|&(.., prompt)| prompt);
            self.inside.push_back((time_us, now, prompt));
        }
    }

    /// Another decoder, which has not begun.
    pub(super) fn reset(&mut self) {
        self.inside.clear();
        self.holds = 0;
    }

    /// Whether it is to be given no more until something has come out; `late`: what is inside should have come out by now.
    fn is_full(&mut self, now: Instant, late: bool) -> bool {
        let Some(&(_, newest, _)) = self.inside.back().filter(|_| self.reports) else {
            return false;
        };
        let most = (QUEUE_LATE + self.holds).min(QUEUE);
        if late && self.inside.len() == most && now - newest.max(self.out) > HOLDS {
            self.holds += 1;
        }
        self.inside.len() >= if late { most } else { QUEUE }
    }

    /// Pictures are skipped since it does not get through them.
    fn skips(&mut self, now: Instant) {
        if self.skipped.is_some_and(|before| now - before < SLOW) {
            self.slow_until = now + SLOW;
        }
        self.skipped = Some(now);
    }
}

impl JitterBuffer {
    pub(super) fn handle_decoded(&mut self, now: Instant, timestamp: Timestamp) {
        let time_us = self.timeline.recall(timestamp) * 1000;
        let decoder = &mut self.decoder;
        (decoder.reports, decoder.out) = (true, now);
        let before = decoder.inside.len();
        // Pictures come out in the order of presentation: those before it have been swallowed, as Firefox does when it is configured anew.
        decoder.inside.retain(|&(inside, since, prompt)| {
            if inside == time_us && prompt {
                self.meter.decoded(now - since);
            }
            inside > time_us
        });
        let left = decoder.inside.len();
        self.meter.frames_lost += (before - left).saturating_sub(1) as u64;
    }

    /// Whether the decoder is to be given no more for now.
    pub(super) fn is_decoder_full(&mut self, now: Instant) -> bool {
        let oldest = self.decoder.inside.front();
        let late = oldest.is_some_and(|&(time, ..)| time < self.clock.position(now))
            || self.slow_us(now) > 0;
        if !self.decoder.is_full(now, late) {
            return false;
        }
        let newest = self.decoder.inside.back();
        let swallowed = newest.is_some_and(|&(_, since, _)| now - since > SWALLOWED_AFTER);
        if swallowed {
            self.meter.frames_lost += self.decoder.inside.len() as u64;
            self.decoder.inside.clear();
        }
        !swallowed
    }

    /// The delay that a decoder gets that is too slow for the stream.
    pub(super) fn slow_us(&self, now: Instant) -> i64 {
        if now < self.decoder.slow_until {
            SLOW_US
        } else {
            0
        }
    }

    /// Where pictures are late since the decoder does not get through them, the newest keyframe that has come is next, due or not.
    pub(super) fn shed(&mut self, now: Instant) {
        let Some(needless) = self.queues[VIDEO].before_newest_keyframe(i64::MAX) else {
            return;
        };
        if needless == 0 || !self.is_decoder_full(now) {
            return;
        }
        let shed = self.pass_over(needless);
        if shed > 0 {
            self.decoder.skips(now);
        }
        self.meter.frames_shed += shed;
    }
}
