//! What goes to the decoders, when, and what does not.

use core::time::Duration;

use super::super::media::Kind;
use super::super::queue::{Queue, Waiting};
use super::super::timeline::wire;
use super::super::{Config, Decode, Output, Show};
use super::{AUDIO, DATA, JitterBuffer, Phase, SKIP_US, TICK, VIDEO};
use crate::Instant;
use crate::flv::Tag;

/// Pictures of a backlog are not shown unless it lasts longer than this: then a link too slow for it would leave the viewer with a still.
const RUSH: Duration = Duration::from_millis(700);
/// Sound that comes this much after its time is still played: the clock follows it.
const AUDIO_LATE_US: i64 = 40_000;

impl JitterBuffer {
    pub(super) fn release_headers(&mut self) {
        for track in [AUDIO, VIDEO, DATA] {
            while let Some(waiting) = self.queues[track].pop() {
                self.hand_out(waiting, Show::Never);
            }
        }
    }

    pub(super) fn release_data(&mut self, now: Instant) {
        while let Some(front) = self.queues[DATA].front() {
            let at = self.clock.when(now, front.time * 1000);
            if at > now {
                self.wake(at);
                return;
            }
            if let Some(waiting) = self.queues[DATA].pop() {
                self.hand_out(waiting, Show::At(at));
            }
        }
    }

    pub(super) fn release_audio(&mut self, now: Instant) {
        let playing = matches!(self.phase, Phase::Playing);
        let position = self.clock.position(now);
        // Sound that plays on may be late, the clock follows it; sound that starts does so in time.
        let earliest = if self.sound.is_some() {
            position - self.step[AUDIO] - AUDIO_LATE_US
        } else {
            position
        };
        while let Some(front) = self.queues[AUDIO].front() {
            let time_us = front.time * 1000;
            let header = front.kind == Kind::AudioHeader;
            let late = !header && time_us < earliest;
            let at = self.clock.when(now, time_us);
            if !header && !late {
                if !playing && self.config.decode_lead < Config::AT_ONCE {
                    return;
                }
                let release = at.saturating_sub(self.config.decode_lead);
                if release > now {
                    self.wake(release);
                    return;
                }
            }
            let Some(waiting) = self.queues[AUDIO].pop() else {
                return;
            };
            if header {
                self.hand_out(waiting, Show::Never);
            } else if late {
                if playing {
                    self.meter.audio_late += 1;
                }
            } else {
                // Timestamps are whole milliseconds: a tag follows the one before it if it starts within a third of its length of that one's end.
                if self
                    .audio_out
                    .is_some_and(|end| (time_us - end).abs() > self.step[AUDIO] / 3)
                {
                    self.meter.audio_gaps += 1;
                }
                self.audio_out = Some(time_us + self.step[AUDIO]);
                let waited = now - waiting.since;
                self.delivery.begin(time_us, waited.as_micros() as i64);
                self.hand_out(waiting, Show::At(at));
            }
        }
    }

    pub(super) fn release_video(&mut self, now: Instant) {
        let position = self.clock.position(now);
        self.skip_to_keyframe(now, position);
        let rushing = match self.phase {
            Phase::CatchingUp { since, .. } => Some(now - since < RUSH),
            _ => None,
        };
        let lead = self
            .config
            .decode_lead
            .saturating_add(super::micros(self.slow_us(now)));
        while let Some(front) = self.queues[VIDEO].front() {
            if front.kind == Kind::VideoHeader {
                if let Some(waiting) = self.queues[VIDEO].pop() {
                    self.hand_out(waiting, Show::Never);
                }
                continue;
            }
            if self.need_keyframe && !front.is_keyframe() {
                self.queues[VIDEO].pop();
                self.meter.frames_lost += 1;
                continue;
            }
            let first = self.pictured.is_none();
            let due = self.draw_at(now, front.time * 1000);
            let release = if rushing.is_some() {
                due
            } else {
                due.saturating_sub(lead)
            };
            if release > now && !first {
                self.wake(release);
                return;
            }
            let presentation = front.presentation_us();
            if self.is_decoder_full(now) {
                self.wake(now + TICK);
                return;
            }
            let show = if first {
                Show::At(now)
            } else if rushing == Some(true) || presentation < self.shown_from {
                self.meter.frames_unshown += 1;
                Show::Never
            } else {
                Show::At(self.draw_at(now, presentation))
            };
            let Some(waiting) = self.queues[VIDEO].pop() else {
                return;
            };
            self.need_keyframe = false;
            self.pictured.get_or_insert(presentation);
            self.decoder.push(now, presentation, show != Show::Never);
            self.hand_out(waiting, show);
        }
    }

    /// Drops what a newer keyframe makes needless.
    pub(super) fn skip_to_keyframe(&mut self, now: Instant, position: i64) {
        // An element that decodes by itself does not like holes: it is spared all but the great delays.
        let late = self.queues[VIDEO].front().is_some_and(|front| {
            position - front.time * 1000 >= SKIP_US / 2
                || self.decoder.reports && self.is_late(now, front.presentation_us())
        });
        if !late || self.pictured.is_none() || matches!(self.phase, Phase::CatchingUp { .. }) {
            return;
        }
        if let Some(needless) = self.queues[VIDEO].before_newest_keyframe(position) {
            self.meter.frames_skipped += self.pass_over(needless);
        }
        self.shed(now);
    }

    /// Drops the first of the pictures that wait, and tells how many it dropped; sequence headers among them are handed out.
    pub(super) fn pass_over(&mut self, tags: usize) -> u64 {
        let mut pictures = 0;
        for _ in 0..tags {
            let Some(waiting) = self.queues[VIDEO].pop() else {
                break;
            };
            match waiting.kind {
                Kind::VideoHeader => self.hand_out(waiting, Show::Never),
                _ => pictures += 1,
            }
        }
        pictures
    }

    /// Keeps to the limits by giving up the oldest media.
    pub(super) fn bound(&mut self) {
        loop {
            let bytes: usize = self.queues.iter().map(Queue::bytes).sum();
            let tags: usize = self.queues.iter().map(Queue::len).sum();
            if bytes <= self.config.max_bytes && tags <= self.config.max_tags {
                return;
            }
            let oldest = self
                .queues
                .iter_mut()
                .max_by_key(|queue| (queue.bytes(), queue.len()));
            let Some(waiting) = oldest.and_then(Queue::pop) else {
                return;
            };
            match waiting.kind {
                Kind::AudioHeader | Kind::VideoHeader => self.hand_out(waiting, Show::Never),
                Kind::Video { .. } => {
                    self.need_keyframe = true;
                    self.meter.frames_lost += 1;
                }
                Kind::Audio | Kind::Data => {}
            }
        }
    }

    pub(super) fn hand_out(&mut self, waiting: Waiting, show: Show) {
        let tag = Tag {
            timestamp: wire(waiting.time),
            ..waiting.tag
        };
        self.outputs.push_back(Output::Decode(Decode { tag, show }));
    }
}
