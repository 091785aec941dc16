//! The newest part of a stream, and where in it a viewer can start.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::{self, Tag, TagHeader, TagType};
use chalkcast_core::{Instant, Timestamp};

use super::Config;

/// A bounded log of tags, each encoded once, and of the publisher's coming and going.
///
/// Entries are numbered from 0 in the order they came; a number stays with its entry when older ones are dropped.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// The number of the first entry kept.
    first: u64,
    bytes: usize,
    /// Ascending, all of the present publisher.
    starts: VecDeque<Start>,
    /// For each video track, its newest keyframe.
    keyframes: BTreeMap<u8, u64>,
    headers: Arc<Headers>,
    /// Where the present publisher began.
    begun: u64,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) arrival: Instant,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// A publisher came.
    Begin,
    /// It went.
    End,
    /// What it sent.
    Tag {
        kind: Kind,
        tag: Tag,
        message: SharedMessage,
    },
}

/// What the relay must know of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Script,
    AudioHeader,
    Audio,
    VideoHeader,
    Video { track: u8, is_keyframe: bool },
}

/// What a decoder needs before it can begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    metadata: Option<Tag>,
    video: BTreeMap<Place, Tag>,
    audio: BTreeMap<Place, Tag>,
}

/// A header's track; and whether it tells more about a sequence header (VideoMetadata, MultichannelConfig), after which it comes.
type Place = (u8, bool);

/// An entry from which every video track can be decoded.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) at: u64,
    pub(super) arrival: Instant,
    pub(super) timestamp: Timestamp,
    pub(super) headers: Arc<Headers>,
}

/// What an entry takes beside its payload.
const ENTRY_BYTES: usize = size_of::<Entry>();

impl Log {
    /// A publisher comes: what it sends starts anew.
    pub(super) fn begin(&mut self, now: Instant) {
        self.push(Entry {
            arrival: now,
            content: Content::Begin,
        });
        self.starts.clear();
        self.keyframes.clear();
        self.headers = Arc::default();
        self.begun = self.end();
    }

    /// The publisher goes.
    pub(super) fn finish(&mut self, now: Instant) {
        self.push(Entry {
            arrival: now,
            content: Content::End,
        });
    }

    /// Appends a tag and drops what is too old or too much. Answers what it is; `None` if it is too large to send.
    pub(super) fn append(&mut self, now: Instant, tag: Tag, config: &Config) -> Option<Kind> {
        let message = SharedMessage::encode(&tag, config.chunk_size).ok()?;
        let (kind, place) = classify(&tag);
        let at = self.end();
        match kind {
            Kind::Script if TagHeader::parse(&tag).is_metadata() => {
                Arc::make_mut(&mut self.headers).metadata = Some(tag.clone())
            }
            Kind::VideoHeader => self.keep_header(false, place, &tag),
            Kind::AudioHeader => self.keep_header(true, place, &tag),
            _ => {}
        }
        let timestamp = tag.timestamp;
        self.push(Entry {
            arrival: now,
            content: Content::Tag { kind, tag, message },
        });
        if let Kind::Video {
            track,
            is_keyframe: true,
        } = kind
        {
            self.note_keyframe(at, now, timestamp, track);
        }
        self.trim(now, config);
        Some(kind)
    }

    /// Drops everything; the numbering goes on.
    pub(super) fn clear(&mut self) {
        self.first = self.end();
        self.begun = self.first;
        self.entries.clear();
        self.starts.clear();
        self.keyframes.clear();
        self.headers = Arc::default();
        self.bytes = 0;
    }

    pub(super) fn get(&self, at: u64) -> Option<&Entry> {
        self.entries
            .get(usize::try_from(at.checked_sub(self.first)?).ok()?)
    }

    /// The number of the first entry kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next entry will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The start whose arrival is nearest to `at`.
    pub(super) fn start_near(&self, at: Instant) -> Option<&Start> {
        let after = self.starts.partition_point(|start| start.arrival < at);
        let before = after
            .checked_sub(1)
            .and_then(|index| self.starts.get(index));
        match (before, self.starts.get(after)) {
            (Some(before), Some(next)) if at - before.arrival <= next.arrival - at => Some(before),
            (before, next) => next.or(before),
        }
    }

    /// The first entry of the present publisher that came at `at` or later; the end if there is none.
    pub(super) fn first_since(&self, at: Instant) -> u64 {
        let since = self.first + self.entries.partition_point(|entry| entry.arrival < at) as u64;
        since.max(self.begun)
    }

    /// The sequence headers and metadata in force at the end.
    pub(super) fn headers(&self) -> &Arc<Headers> {
        &self.headers
    }

    /// Whether the present publisher has sent a video frame that anybody could start with.
    pub(super) fn has_start(&self) -> bool {
        !self.starts.is_empty()
    }

    /// What the kept part takes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
    }

    /// Encoders repeat their sequence headers: only a new one makes new headers.
    fn keep_header(&mut self, audio: bool, place: Place, tag: &Tag) {
        let kept = if audio {
            &self.headers.audio
        } else {
            &self.headers.video
        };
        if kept
            .get(&place)
            .is_some_and(|kept| kept.payload == tag.payload)
        {
            return;
        }
        let headers = Arc::make_mut(&mut self.headers);
        let kept = if audio {
            &mut headers.audio
        } else {
            &mut headers.video
        };
        kept.insert(place, tag.clone());
    }

    /// The newest tag from which every video track has a keyframe is the oldest of the tracks' newest keyframes.
    fn note_keyframe(&mut self, at: u64, now: Instant, timestamp: Timestamp, track: u8) {
        self.keyframes.insert(track, at);
        let start = self.keyframes.values().copied().min().unwrap_or(at);
        if self.starts.back().is_some_and(|last| last.at >= start) {
            return;
        }
        let (arrival, timestamp) = match self.get(start) {
            Some(Entry {
                arrival,
                content: Content::Tag { tag, .. },
            }) => (*arrival, tag.timestamp),
            _ => (now, timestamp),
        };
        self.starts.push_back(Start {
            at: start,
            arrival,
            timestamp,
            headers: Arc::clone(&self.headers),
        });
    }

    fn trim(&mut self, now: Instant, config: &Config) {
        let horizon = now.saturating_sub(config.keep);
        // A start is needed until the next one is old enough to take its place.
        while self
            .starts
            .get(1)
            .is_some_and(|next| next.arrival <= horizon)
        {
            self.starts.pop_front();
        }
        let needed = self.starts.front().map_or(u64::MAX, |start| start.at);
        while self.bytes > config.stream_bytes
            || self
                .entries
                .front()
                .is_some_and(|entry| entry.arrival < horizon && self.first < needed)
        {
            let Some(entry) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= entry.bytes();
            self.first += 1;
        }
        while self
            .starts
            .front()
            .is_some_and(|start| start.at < self.first)
        {
            self.starts.pop_front();
        }
        // A track that has had no keyframe for so long is gone, or cannot be started anyway.
        self.keyframes.retain(|_, at| *at >= self.first);
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES
            + match &self.content {
                Content::Tag { tag, .. } => tag.payload.len(),
                Content::Begin | Content::End => 0,
            }
    }
}

impl Headers {
    /// Metadata, then the sequence headers of video, then those of audio, all stamped `timestamp`.
    pub(super) fn tags(
        &self,
        timestamp: Timestamp,
        video: bool,
        audio: bool,
    ) -> impl Iterator<Item = Tag> {
        let video = self.video.values().filter(move |_| video);
        let audio = self.audio.values().filter(move |_| audio);
        self.metadata
            .iter()
            .chain(video)
            .chain(audio)
            .map(move |tag| Tag {
                timestamp,
                ..tag.clone()
            })
    }
}

impl Kind {
    pub(super) fn is_video(self) -> bool {
        matches!(self, Self::Video { .. } | Self::VideoHeader)
    }

    pub(super) fn is_audio(self) -> bool {
        matches!(self, Self::Audio | Self::AudioHeader)
    }
}

/// What a tag is, and where it is kept if it is a header.
pub(super) fn classify(tag: &Tag) -> (Kind, Place) {
    let header = TagHeader::parse(tag);
    let track = header.track_id();
    let tells_more = matches!(
        header.kind(),
        flv::Kind::VideoMetadata | flv::Kind::MultichannelConfig
    );
    let is_header = tells_more || header.is_sequence_header();
    let kind = match tag.tag_type {
        TagType::Script => Kind::Script,
        TagType::Audio if is_header => Kind::AudioHeader,
        TagType::Audio => Kind::Audio,
        TagType::Video if is_header => Kind::VideoHeader,
        TagType::Video => Kind::Video {
            track,
            is_keyframe: header.is_keyframe(),
        },
    };
    (kind, (track, tells_more))
}
