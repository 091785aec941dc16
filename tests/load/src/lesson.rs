//! The stream that is watched: an FLV file, over and over, in real time.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Demuxer, Tag, TagHeader, TagType};

/// A file's tags, to be played in a loop.
pub(crate) struct Lesson {
    headers: Vec<Tag>,
    frames: Vec<Tag>,
    keyframes: HashMap<Bytes, usize>,
    length: u32,
}

impl Lesson {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut demuxer = Demuxer::new();
        demuxer.push(&bytes);
        demuxer.finish();
        let (mut headers, mut frames) = (Vec::new(), Vec::new());
        while let Some(tag) = demuxer.next_tag() {
            if is_frame(&tag) {
                frames.push(tag)
            } else if !TagHeader::parse(&tag).is_end_of_sequence() {
                headers.push(tag)
            }
        }
        ensure!(frames.len() > 1, "{} holds no media", path.display());
        frames.sort_by_key(|tag| tag.timestamp.as_millis());
        let last = frames[frames.len() - 1].timestamp.as_millis();
        let keyframes = frames
            .iter()
            .enumerate()
            .filter(|(_, tag)| TagHeader::parse(tag).is_keyframe())
            .map(|(at, tag)| (tag.payload.clone(), at))
            .collect();
        Ok(Self {
            headers,
            length: last + 33,
            frames,
            keyframes,
        })
    }

    /// Metadata and sequence headers.
    pub(crate) fn headers(&self) -> &[Tag] {
        &self.headers
    }

    /// Frame `number` of the endless lesson, with the time at which it is due.
    pub(crate) fn frame(&self, number: u64) -> (Duration, Tag) {
        let count = self.frames.len() as u64;
        let tag = &self.frames[(number % count) as usize];
        let ms = u64::from(self.length) * (number / count) + u64::from(tag.timestamp.as_millis());
        let timestamp = Timestamp::from_millis(ms as u32);
        (
            Duration::from_millis(ms),
            Tag {
                timestamp,
                ..tag.clone()
            },
        )
    }

    /// A number of this frame, if it is a keyframe of the lesson's.
    pub(crate) fn find(&self, tag: &Tag) -> Option<u64> {
        let is_video = tag.tag_type == TagType::Video;
        let at = is_video.then(|| self.keyframes.get(&tag.payload))?;
        at.map(|at| *at as u64)
    }
}

/// Whether it is something to see or hear: no metadata, no header.
pub(crate) fn is_frame(tag: &Tag) -> bool {
    let header = TagHeader::parse(tag);
    tag.tag_type != TagType::Script && !header.is_sequence_header() && !header.is_end_of_sequence()
}
