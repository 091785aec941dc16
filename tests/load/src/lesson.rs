//! The stream that is watched: an FLV file, over and over, in real time.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Demuxer, Tag, TagHeader, TagType};

/// A file's tags, to be played in a loop.
pub(crate) struct Lesson {
    headers: Vec<Tag>,
    frames: Vec<Tag>,
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
            let is_frame =
                tag.tag_type != TagType::Script && !TagHeader::parse(&tag).is_sequence_header();
            if is_frame {
                frames.push(tag)
            } else {
                headers.push(tag)
            }
        }
        ensure!(frames.len() > 1, "{} holds no media", path.display());
        frames.sort_by_key(|tag| tag.timestamp.as_millis());
        let last = frames[frames.len() - 1].timestamp.as_millis();
        Ok(Self {
            headers,
            length: last + 33,
            frames,
        })
    }

    /// Metadata and sequence headers.
    pub(crate) fn headers(&self) -> &[Tag] {
        &self.headers
    }

    /// Every frame, stamped for the whole of the stream, with the time at which it is due.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Duration, Tag)> {
        (0u32..).flat_map(move |round| {
            self.frames.iter().map(move |tag| {
                let ms = round * self.length + tag.timestamp.as_millis();
                (
                    Duration::from_millis(u64::from(ms)),
                    Tag {
                        timestamp: Timestamp::from_millis(ms),
                        ..tag.clone()
                    },
                )
            })
        })
    }
}
