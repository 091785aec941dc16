//! FLV tags to fragmented MP4 (ISO/IEC 14496-12), for Media Source Extensions.
//!
//! Audio and video come as two streams of segments, one for each SourceBuffer, so that neither waits for the other here and
//! either may change its codec. Open all SourceBuffers before the first append: Chromium takes no more once one has its
//! initialization segment. It also takes no MP3 in MP4, which Firefox does.
//!
//! The boxes are written here because a crate for MP4 brings a reader and many boxes that a player's few kilobytes have no
//! room for.

mod boxes;
mod prompt;
mod track;

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

use bytes::Bytes;

use crate::Timestamp;
use crate::flv::{Error, Tag, TagType, audio, audio::Audio, video, video::Video};
use track::{AudioTrack, VideoTrack};

/// How segments are cut.
#[derive(Clone, Debug)]
pub struct Config {
    /// A segment is closed when it is this long; zero gives one for each frame. A keyframe starts one whatever this says.
    pub segment_duration: Duration,
    /// Whether a frame comes out at once, as a segment of its own, taken to be as long as those before it: what a player wants whose delay is counted.
    /// Otherwise it comes out once the next of its track is there, which says how long it is.
    pub prompt: bool,
    /// Whether MP3 is handed out as it is, for a SourceBuffer of `audio/mpeg`, rather than in MP4.
    pub bare_mp3: bool,
    /// Which video track is taken, where there are several.
    pub video_track: u8,
    /// Which audio track is taken, where there are several.
    pub audio_track: u8,
}

impl Default for Config {
    /// A segment for every 100 ms, of the tracks 0.
    fn default() -> Self {
        Self {
            segment_duration: Duration::from_millis(100),
            prompt: false,
            bare_mp3: false,
            video_track: 0,
            audio_track: 0,
        }
    }
}

/// One of the two streams of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// For the SourceBuffer of sound.
    Audio,
    /// For the SourceBuffer of pictures.
    Video,
}

/// What to append to a SourceBuffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// An initialization segment, before the first media segment and at each change.
    Init(Init),
    /// A media segment.
    Media(Segment),
}

/// An initialization segment: `ftyp` and `moov`; nothing for `audio/mpeg`, which has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Which SourceBuffer it is for.
    pub stream: Stream,
    /// What to open the SourceBuffer with, or change its type to, such as `video/mp4; codecs="avc1.42c01e"`.
    pub mime_type: String,
    /// Its bytes.
    pub data: Bytes,
}

/// A media segment: `moof` and `mdat`; frames alone for `audio/mpeg`, where `start` has to be told to the SourceBuffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which SourceBuffer it is for.
    pub stream: Stream,
    /// Decoding time of its first frame on the media timeline, which starts where the first tag's timestamp says and does not wrap.
    pub start: Duration,
    /// How long it is.
    pub duration: Duration,
    /// Whether it starts with a keyframe, which sound always does.
    pub starts_with_keyframe: bool,
    /// Its bytes.
    pub data: Bytes,
}

/// What a segmenter left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Tags that could not be read.
    pub malformed: u64,
    /// Tags of codecs that MP4 or this crate has no place for.
    pub unsupported: u64,
    /// Frames before a configuration or before a keyframe.
    pub early: u64,
}

/// Makes segments of tags. Push a tag, then pull outputs until there is none.
///
/// Unless [`Config::prompt`] is set, the last frame of each track waits for the next one; [`Segmenter::flush`] guesses how long it is.
#[derive(Debug)]
pub struct Segmenter {
    config: Config,
    timeline: Timeline,
    video: VideoTrack,
    audio: AudioTrack,
    outputs: VecDeque<Output>,
    skipped: Skipped,
}

impl Segmenter {
    /// A segmenter that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            video: VideoTrack::new(&config),
            audio: AudioTrack::new(&config),
            config,
            timeline: Timeline::default(),
            outputs: VecDeque::new(),
            skipped: Skipped::default(),
        }
    }

    /// Takes a tag in decoding order. Script data are ignored.
    pub fn push(&mut self, tag: &Tag) {
        let result = match tag.tag_type {
            TagType::Video => self.push_video(tag),
            TagType::Audio => self.push_audio(tag),
            TagType::Script => Ok(()),
        };
        if result.is_err() {
            self.skipped.malformed += 1;
        }
    }

    /// Closes the open segments, as at the end of a stream or before a pause.
    pub fn flush(&mut self) {
        self.video.flush(&mut self.outputs);
        self.audio.flush(&mut self.outputs);
    }

    /// The next segment.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What has been left out so far.
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Where on the media timeline `timestamp` is, in milliseconds, if it is within 24 days of the newest tag's: below zero where it is before the
    /// timeline begins. `None` before the first tag.
    pub fn millis(&self, timestamp: Timestamp) -> Option<i64> {
        let (newest, millis) = self.timeline.newest?;
        Some(millis + i64::from(timestamp.since(newest)))
    }

    fn push_video(&mut self, tag: &Tag) -> Result<(), Error> {
        let video = Video::parse(&tag.payload)?;
        let Some(track) = video
            .tracks
            .iter()
            .find(|track| track.track_id == self.config.video_track)
        else {
            return Ok(());
        };
        match video.packet_type {
            video::PacketType::SequenceStart => {
                self.video.configure(
                    track.codec,
                    &track.data,
                    &mut self.outputs,
                    &mut self.skipped,
                )?;
            }
            video::PacketType::CodedFrames | video::PacketType::CodedFramesX => {
                let keyframe = matches!(
                    video.frame_type,
                    video::FrameType::Key | video::FrameType::GeneratedKey
                );
                let millis = self.timeline.millis(tag.timestamp);
                self.video.push(
                    millis,
                    keyframe,
                    track,
                    &mut self.outputs,
                    &mut self.skipped,
                );
            }
            video::PacketType::SequenceEnd => self.video.flush(&mut self.outputs),
            video::PacketType::Mpeg2TsSequenceStart => self.skipped.unsupported += 1,
            video::PacketType::Metadata | video::PacketType::Command { .. } => {}
        }
        Ok(())
    }

    fn push_audio(&mut self, tag: &Tag) -> Result<(), Error> {
        let audio = Audio::parse(&tag.payload)?;
        if audio.packet_type == audio::PacketType::SequenceEnd {
            self.audio.flush(&mut self.outputs);
        }
        let Some(track) = audio
            .tracks
            .iter()
            .find(|track| track.track_id == self.config.audio_track)
        else {
            return Ok(());
        };
        match audio.packet_type {
            audio::PacketType::SequenceStart => {
                self.audio.configure(
                    track.codec,
                    &track.data,
                    &mut self.outputs,
                    &mut self.skipped,
                )?;
            }
            audio::PacketType::CodedFrames => {
                let millis = self.timeline.millis(tag.timestamp);
                self.audio
                    .push(millis, track, &mut self.outputs, &mut self.skipped);
            }
            audio::PacketType::SequenceEnd | audio::PacketType::MultichannelConfig => {}
        }
        Ok(())
    }
}

/// Timestamps without the wrap at 2^32, on one timeline for both streams.
#[derive(Debug, Default)]
struct Timeline {
    newest: Option<(Timestamp, i64)>,
}

impl Timeline {
    /// Milliseconds, never before zero.
    fn millis(&mut self, timestamp: Timestamp) -> u64 {
        let millis = match self.newest {
            Some((newest, millis)) => millis + i64::from(timestamp.since(newest)),
            None => i64::from(timestamp.as_millis()),
        };
        self.newest = Some((timestamp, millis));
        u64::try_from(millis).unwrap_or(0)
    }
}
