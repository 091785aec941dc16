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
/// Pictures inside the decoder, where the owner reports what comes out.
const DECODER_QUEUE: usize = 12;
/// A full decoder out of which nothing has come for this long has swallowed what it was given.
const SWALLOWED_AFTER: Duration = Duration::from_secs(2);
/// The decoder is given this long to get nearer to live before pictures are shed.
const SHED_AFTER: Duration = Duration::from_millis(500);

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
                due.saturating_sub(self.config.decode_lead)
            };
            if release > now && !first {
                self.wake(release);
                return;
            }
            if self.decoder.reports && self.decoder.inside.len() >= DECODER_QUEUE {
                let newest = self.decoder.inside.back();
                if newest.is_some_and(|&(_, since, _)| now - since > SWALLOWED_AFTER) {
                    self.meter.frames_lost += self.decoder.inside.len() as u64;
                    self.decoder.inside.clear();
                    continue;
                }
                self.wake(now + TICK);
                return;
            }
            let presentation = front.presentation_us();
            let overtaken = rushing == Some(true)
                || presentation < position
                    && self.queues[VIDEO]
                        .next_time()
                        .is_some_and(|next| next * 1000 <= position);
            let show = if first {
                Show::At(now)
            } else if overtaken {
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
            if self.decoder.inside.len() < DECODER_QUEUE {
                let prompt =
                    show != Show::Never && self.decoder.inside.iter().all(|&(.., prompt)| prompt);
                self.decoder.inside.push_back((presentation, now, prompt));
            }
            self.hand_out(waiting, show);
        }
    }

    /// Drops what a newer keyframe that is due makes needless, and what the decoder will never get done.
    pub(super) fn skip_to_keyframe(&mut self, now: Instant, position: i64) {
        let late = self.queues[VIDEO]
            .front()
            .map_or(0, |front| position - front.time * 1000);
        if late < SKIP_US / 2
            || self.pictured.is_none()
            || matches!(self.phase, Phase::CatchingUp { .. })
        {
            self.decoder.behind = None;
            return;
        }
        if let Some(needless) = self.queues[VIDEO].before_newest_keyframe(position) {
            for _ in 0..needless {
                let Some(waiting) = self.queues[VIDEO].pop() else {
                    return;
                };
                match waiting.kind {
                    Kind::VideoHeader => self.hand_out(waiting, Show::Never),
                    _ => self.meter.frames_skipped += 1,
                }
            }
            if needless > 0 {
                self.decoder.behind = None;
                return;
            }
        }
        // Late with nothing to skip to: fine while the decoder gains on it.
        let (since, before) = *self.decoder.behind.get_or_insert((now, late));
        if now - since < SHED_AFTER {
            return;
        }
        let gained = before - late;
        self.decoder.behind = None;
        if gained < 50_000
            && self.decoder.inside.len() >= DECODER_QUEUE
            && matches!(self.phase, Phase::Playing)
        {
            self.need_keyframe = true;
            let all = !self.queues[VIDEO].has_keyframe();
            while all || !self.queues[VIDEO].front().is_none_or(Waiting::is_keyframe) {
                let Some(waiting) = self.queues[VIDEO].pop() else {
                    return;
                };
                match waiting.kind {
                    Kind::VideoHeader => self.hand_out(waiting, Show::Never),
                    _ => self.meter.frames_shed += 1,
                }
            }
        }
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
