use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::rate;
use chalkcast_core::{Instant, Timestamp};

use crate::Random;

/// What is published.
#[derive(Clone, Debug)]
pub struct Source {
    /// Pictures per second.
    pub frame_rate: u64,
    /// Seconds between keyframes.
    pub keyframe_interval: u64,
    /// Video bits per second.
    pub bitrate: u32,
    /// Whether there is sound: AAC, 48 kHz, 64 kbit/s.
    pub audio: bool,
    /// The first timestamp.
    pub epoch: u32,
    /// How much faster than the simulation's clock the publisher's runs, in parts per million.
    pub ppm: i64,
}

/// Where a tag's payload has the instant its media was captured at (microseconds, big-endian): after the FLV header.
const CAPTURED: usize = 5;
/// From a picture's capture to its tag.
const ENCODE: Duration = Duration::from_millis(5);
/// Samples in an AAC frame, at 48 kHz; a tag is there when its last sample is.
const AAC_FRAME: u64 = 1024;

/// A page that publishes: captures on its own clock, encodes, interleaves, follows its rate controller.
#[derive(Debug)]
pub struct Publisher {
    source: Source,
    controller: rate::Controller,
    random: Random,
    began: Instant,
    frames: u64,
    since_keyframe: u64,
    audio_frames: u64,
    /// Encoded and not yet handed out, by the instant it is ready.
    ready: VecDeque<(Instant, Tag)>,
    /// Bytes given to the wire.
    pub sent: u64,
}

impl Publisher {
    /// Begins to capture at `now`.
    pub fn new(source: Source, now: Instant, seed: u64) -> Self {
        let config = rate::Config {
            max_bitrate: source.bitrate,
            ..rate::Config::default()
        };
        Self {
            controller: rate::Controller::new(config, now),
            source,
            random: Random::new(seed),
            began: now,
            frames: 0,
            since_keyframe: 0,
            audio_frames: 0,
            ready: VecDeque::new(),
            sent: 0,
        }
    }

    /// When the next tag is ready or the next picture is captured.
    pub fn poll_timeout(&self) -> Instant {
        let ready = self.ready.front().map(|(at, _)| *at);
        self.next_picture()
            .min(self.next_audio())
            .min(ready.unwrap_or(Instant::from_micros(u64::MAX)))
    }

    /// The next tag that is ready, `buffered` being what waits in front of the socket.
    pub fn poll(&mut self, now: Instant, buffered: usize) -> Option<Tag> {
        while self.next_picture() <= now {
            let at = self.next_picture();
            self.frames += 1;
            self.controller.observe(now, buffered);
            if self.controller.admit() {
                let tag = self.picture(at);
                self.push(at + ENCODE, tag);
            }
        }
        while self.next_audio() <= now {
            let at = self.next_audio();
            let tag = self.sound();
            self.push(at, tag);
        }
        if self.ready.front()?.0 > now {
            return None;
        }
        let tag = self.ready.pop_front()?.1;
        self.controller.sent(now, size(&tag));
        self.sent += size(&tag) as u64;
        Some(tag)
    }

    /// The relay has acknowledged `total` bytes.
    pub fn acknowledged(&mut self, now: Instant, total: u64) {
        self.controller.acknowledged(now, total as u32);
    }

    fn push(&mut self, at: Instant, tag: Tag) {
        let index = self.ready.partition_point(|(ready, _)| *ready <= at);
        self.ready.insert(index, (at, tag));
    }

    fn picture(&mut self, at: Instant) -> Tag {
        let advice = self.controller.advice();
        let interval = self.source.keyframe_interval * self.source.frame_rate;
        let keyframe = self.since_keyframe.is_multiple_of(interval);
        if self.frames == 1 {
            let tag = Tag {
                tag_type: TagType::Video,
                timestamp: self.timestamp(0),
                payload: payload(&[0x17, 0, 0, 0, 0], at, 40),
            };
            self.push(at + ENCODE, tag);
        }
        self.since_keyframe = if keyframe { 1 } else { self.since_keyframe + 1 };
        // A keyframe is five other pictures; those vary by a quarter.
        let share =
            u64::from(advice.bitrate) / 8 * interval / self.source.frame_rate / (interval + 4);
        let bytes = if keyframe {
            share * 5
        } else {
            share * 3 / 4 + self.random.below(share / 2 + 1)
        };
        let timestamp = self.timestamp((self.frames - 1) * 1_000_000 / self.source.frame_rate);
        let header: &[u8] = if keyframe {
            &[0x17, 1, 0, 0, 0]
        } else {
            &[0x27, 1, 0, 0, 0]
        };
        Tag {
            tag_type: TagType::Video,
            timestamp,
            payload: payload(header, at, bytes as usize),
        }
    }

    fn sound(&mut self) -> Tag {
        let start = self.audio_frames * AAC_FRAME * 1_000_000 / 48_000;
        self.audio_frames += 1;
        let captured = self.instant_of(start);
        Tag {
            tag_type: TagType::Audio,
            timestamp: self.timestamp(start),
            payload: payload(&[0xaf, 1, 0, 0, 0], captured, 170),
        }
    }

    fn next_picture(&self) -> Instant {
        self.instant_of(self.frames * 1_000_000 / self.source.frame_rate)
    }

    fn next_audio(&self) -> Instant {
        if !self.source.audio {
            return Instant::from_micros(u64::MAX);
        }
        self.instant_of((self.audio_frames + 1) * AAC_FRAME * 1_000_000 / 48_000)
    }

    /// The simulation's instant at which the publisher's clock is `media` microseconds after its beginning.
    fn instant_of(&self, media: u64) -> Instant {
        let micros = i128::from(media) * 1_000_000 / i128::from(1_000_000 + self.source.ppm);
        self.began + Duration::from_micros(micros as u64)
    }

    fn timestamp(&self, media_us: u64) -> Timestamp {
        Timestamp::from_millis(self.source.epoch.wrapping_add((media_us / 1000) as u32))
    }
}

/// What a tag takes on the wire: a chunk header of 12 bytes more.
pub(super) fn size(tag: &Tag) -> usize {
    tag.payload.len() + 12
}

/// When what a tag holds was captured.
pub(super) fn captured(tag: &Tag) -> Instant {
    let bytes = tag
        .payload
        .get(CAPTURED..CAPTURED + 8)
        .and_then(|bytes| bytes.try_into().ok());
    Instant::from_micros(bytes.map_or(0, u64::from_be_bytes))
}

fn payload(header: &[u8], captured: Instant, bytes: usize) -> Bytes {
    let mut payload = Vec::with_capacity(bytes.max(CAPTURED + 8));
    payload.extend_from_slice(header);
    payload.extend_from_slice(&captured.as_micros().to_be_bytes());
    payload.resize(bytes.max(CAPTURED + 8), 0);
    payload.into()
}
