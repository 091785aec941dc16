//! Frames of one track on their way into a segment.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::boxes::{self, Sample, SampleEntry};
use super::prompt::Prompt;
use super::{Config, Init, Output, Segment, Skipped, Stream};
use crate::flv::{
    AudioCodec, AudioConfig, Error, VideoCodec, VideoConfig, audio, opus, video, vpx,
};

/// Video is timed in milliseconds, as its tags are.
const VIDEO_TIMESCALE: u32 = 1000;
/// A longer silence between frames is a gap, not one long frame.
const LONGEST_FRAME: Duration = Duration::from_secs(10);
/// So many milliseconds of sound may be missing without a hole in the segments, before which a video element stands still: the next frame begins
/// early and lasts longer.
const SHORT_SILENCE: u64 = 100;
/// A segment is closed at this size, so that frames without progress in time cost no more.
const MAX_SEGMENT_BYTES: usize = 4 << 20;
const MAX_SEGMENT_SAMPLES: usize = 1000;

/// What has a configuration record and a sample entry.
const SUPPORTED: [VideoCodec; 5] = [
    VideoCodec::Avc,
    VideoCodec::Hevc,
    VideoCodec::Vp8,
    VideoCodec::Vp9,
    VideoCodec::Av1,
];

/// The picture.
#[derive(Debug)]
pub(super) struct VideoTrack {
    fragments: Fragments,
    config: Option<VideoConfig>,
    /// The record that the configuration was read from.
    record: Bytes,
    /// Whether the initialization segment has been handed out.
    ready: bool,
    started: bool,
}

impl VideoTrack {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            fragments: Fragments::new(Stream::Video, VIDEO_TIMESCALE, config),
            config: None,
            record: Bytes::new(),
            ready: false,
            started: false,
        }
    }

    pub(super) fn configure(
        &mut self,
        codec: VideoCodec,
        record: &Bytes,
        outputs: &mut VecDeque<Output>,
        skipped: &mut Skipped,
    ) -> Result<(), Error> {
        if self
            .config
            .as_ref()
            .is_some_and(|config| config.codec == codec)
            && self.record == *record
        {
            return Ok(());
        }
        // Some senders announce themselves with an empty record before the real one.
        if record.is_empty() {
            return Ok(());
        }
        if !SUPPORTED.contains(&codec) {
            skipped.unsupported += 1;
            return Ok(());
        }
        let config = VideoConfig::parse(codec, record)?;
        self.fragments.flush(outputs);
        (self.ready, self.started, self.record) = (false, false, record.clone());
        if let Some(size) = config.size {
            self.announce(&config, size, outputs);
        }
        self.config = Some(config);
        Ok(())
    }

    pub(super) fn push(
        &mut self,
        millis: u64,
        keyframe: bool,
        track: &video::Track,
        outputs: &mut VecDeque<Output>,
        skipped: &mut Skipped,
    ) {
        let Some(config) = self.config.take_if(|config| config.codec == track.codec) else {
            let supported = SUPPORTED.contains(&track.codec);
            *if supported {
                &mut skipped.early
            } else {
                &mut skipped.unsupported
            } += 1;
            return;
        };
        if !self.ready && keyframe {
            let size = match track.codec {
                VideoCodec::Vp8 => vpx::vp8_frame_size(&track.data),
                VideoCodec::Vp9 => vpx::vp9_frame_size(&track.data),
                _ => None,
            };
            if let Some(size) = size {
                self.announce(&config, size, outputs);
            }
        }
        self.config = Some(config);
        self.started |= keyframe && self.ready;
        if !self.started {
            skipped.early += 1;
            return;
        }
        // A temporal delimiter says nothing that the sample does not (AV1 in ISOBMFF §2.4).
        let temporal_delimiter =
            track.codec == VideoCodec::Av1 && track.data.starts_with(&[0x12, 0]);
        let data = if temporal_delimiter {
            track.data.slice(2..)
        } else {
            track.data.clone()
        };
        let sample = Sample {
            time: millis,
            duration: None,
            composition_time: track.composition_time,
            keyframe,
            data,
        };
        self.fragments.push(sample, keyframe, outputs);
    }

    pub(super) fn flush(&mut self, outputs: &mut VecDeque<Output>) {
        self.fragments.flush(outputs);
    }

    fn announce(
        &mut self,
        config: &VideoConfig,
        (width, height): (u32, u32),
        outputs: &mut VecDeque<Output>,
    ) {
        self.ready = true;
        let (name, config_box) = match config.codec {
            VideoCodec::Hevc => (b"hvc1", b"hvcC"),
            VideoCodec::Vp8 => (b"vp08", b"vpcC"),
            VideoCodec::Vp9 => (b"vp09", b"vpcC"),
            VideoCodec::Av1 => (b"av01", b"av1C"),
            _ => (b"avc1", b"avcC"),
        };
        let mut record = self.record.to_vec();
        let mut codec_string = config.codec_string.clone();
        if let Ok(vp) = vpx::CodecConfig::parse(&self.record)
            && config_box == b"vpcC"
        {
            record = [[1, 0, 0, 0].as_slice(), &vp.encode()].concat();
            // What WebCodecs calls vp8 has a longer name in a file.
            codec_string = vp.codec_string(VideoCodec::Vp9);
            if config.codec == VideoCodec::Vp8
                && let Some(rest) = codec_string.strip_prefix("vp09")
            {
                codec_string = format!("vp08{rest}");
            }
        }
        let entry = SampleEntry::Video {
            name,
            width,
            height,
            config_box,
            record,
        };
        outputs.push_back(Output::Init(Init {
            stream: Stream::Video,
            mime_type: format!("video/mp4; codecs=\"{codec_string}\""),
            data: boxes::init(VIDEO_TIMESCALE, &entry),
        }));
    }
}

/// The sound.
#[derive(Debug)]
pub(super) struct AudioTrack {
    fragments: Fragments,
    bare_mp3: bool,
    config: Option<AudioConfig>,
    /// Where the next frame starts if none is missing, in samples.
    expected: Option<u64>,
}

impl AudioTrack {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            fragments: Fragments::new(Stream::Audio, 48_000, config),
            bare_mp3: config.bare_mp3,
            config: None,
            expected: None,
        }
    }

    pub(super) fn configure(
        &mut self,
        codec: AudioCodec,
        record: &Bytes,
        outputs: &mut VecDeque<Output>,
        skipped: &mut Skipped,
    ) -> Result<(), Error> {
        if self
            .config
            .as_ref()
            .is_some_and(|config| config.codec == codec && config.description == *record)
        {
            return Ok(());
        }
        if !matches!(codec, AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac) {
            skipped.unsupported += 1;
            return Ok(());
        }
        let config = AudioConfig::parse(codec, record)?;
        self.announce(config, outputs);
        Ok(())
    }

    pub(super) fn push(
        &mut self,
        millis: u64,
        track: &audio::Track,
        outputs: &mut VecDeque<Output>,
        skipped: &mut Skipped,
    ) {
        if let Some(config) = AudioConfig::from_frame(track.codec, &track.data)
            && self.config.as_ref() != Some(&config)
        {
            self.announce(config, outputs);
        }
        let Some(config) = self
            .config
            .as_ref()
            .filter(|config| config.codec == track.codec)
        else {
            if matches!(
                track.codec,
                AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac
            ) {
                skipped.early += 1;
            } else {
                skipped.unsupported += 1;
            }
            return;
        };
        if track.data.is_empty() {
            return;
        }
        let duration = config.frame_length.or_else(|| {
            opus::packet_duration(&track.data).filter(|_| config.codec == AudioCodec::Opus)
        });
        let rate = u64::from(config.sample_rate);
        let stamped = millis.saturating_mul(rate).div_ceil(1000);
        // Timestamps are rounded to milliseconds and publishers' clocks drift: frames follow each other until that is off by more.
        let tolerance = duration.map_or(0, u64::from).max(rate / 100);
        let hole = if self.fragments.bare {
            0
        } else {
            rate * SHORT_SILENCE / 1000
        };
        let (time, duration) = match self.expected {
            Some(expected) if expected.abs_diff(stamped) <= tolerance => (expected, duration),
            Some(expected) if (expected..=expected + hole).contains(&stamped) => {
                let late = (stamped - expected) as u32;
                (expected, duration.map(|duration| late + duration))
            }
            _ => (stamped, duration),
        };
        self.expected = duration.map(|duration| time + u64::from(duration));
        let sample = Sample {
            time,
            duration,
            composition_time: 0,
            keyframe: true,
            data: track.data.clone(),
        };
        self.fragments.push(sample, false, outputs);
    }

    pub(super) fn flush(&mut self, outputs: &mut VecDeque<Output>) {
        self.expected = None;
        self.fragments.flush(outputs);
    }

    fn announce(&mut self, config: AudioConfig, outputs: &mut VecDeque<Output>) {
        self.flush(outputs);
        self.fragments.timescale = config.sample_rate;
        self.fragments.bare = self.bare_mp3 && config.codec == AudioCodec::Mp3;
        let (mime_type, data) = if self.fragments.bare {
            (String::from("audio/mpeg"), Bytes::new())
        } else {
            let entry = SampleEntry::Audio { config: &config };
            (
                format!("audio/mp4; codecs=\"{}\"", config.codec_string),
                boxes::init(config.sample_rate, &entry),
            )
        };
        outputs.push_back(Output::Init(Init {
            stream: Stream::Audio,
            mime_type,
            data,
        }));
        self.config = Some(config);
    }
}

/// Collects samples and closes segments.
#[derive(Debug)]
struct Fragments {
    stream: Stream,
    timescale: u32,
    segment_duration: Duration,
    prompt: Option<Prompt>,
    /// Whether segments are frames without boxes.
    bare: bool,
    sequence_number: u32,
    /// All but the last know how long they are; the last may.
    samples: Vec<Sample>,
    bytes: usize,
    /// The last frame's duration that was known, for one that nothing follows.
    usual: u32,
}

impl Fragments {
    fn new(stream: Stream, timescale: u32, config: &Config) -> Self {
        Self {
            stream,
            timescale,
            segment_duration: config.segment_duration,
            prompt: config.prompt.then(Prompt::default),
            bare: false,
            sequence_number: 0,
            samples: Vec::new(),
            bytes: 0,
            usual: 0,
        }
    }

    fn push(&mut self, mut sample: Sample, starts_segment: bool, outputs: &mut VecDeque<Output>) {
        if let Some(prompt) = &mut self.prompt {
            prompt.time(&mut sample, self.timescale);
            self.samples.push(sample);
            self.flush(outputs);
            return;
        }
        if let Some(last) = self.samples.last_mut() {
            let step = sample
                .time
                .checked_sub(last.time)
                .filter(|step| *step > 0 && time(*step, self.timescale) <= LONGEST_FRAME);
            let follows = match (step, last.duration) {
                (Some(step), Some(duration)) => step == u64::from(duration),
                (Some(step), None) => {
                    last.duration = Some(step as u32);
                    true
                }
                // Time went back, stood still or jumped.
                (None, _) => false,
            };
            let first = self.samples.first().map_or(sample.time, |first| first.time);
            let long =
                time(sample.time.saturating_sub(first), self.timescale) >= self.segment_duration;
            if !follows
                || starts_segment
                || long
                || self.bytes >= MAX_SEGMENT_BYTES
                || self.samples.len() >= MAX_SEGMENT_SAMPLES
            {
                self.flush(outputs);
            }
        }
        self.bytes += sample.data.len();
        self.samples.push(sample);
    }

    fn flush(&mut self, outputs: &mut VecDeque<Output>) {
        let mut samples = core::mem::take(&mut self.samples);
        self.bytes = 0;
        for sample in &mut samples {
            self.usual = *sample.duration.get_or_insert(self.usual.max(1));
        }
        let Some(first) = samples.first() else { return };
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let duration = samples
            .iter()
            .map(|sample| u64::from(sample.duration.unwrap_or_default()))
            .sum();
        outputs.push_back(Output::Media(Segment {
            stream: self.stream,
            start: time(first.time, self.timescale),
            duration: time(duration, self.timescale),
            starts_with_keyframe: first.keyframe,
            data: match samples.as_slice() {
                [only] if self.bare => only.data.clone(),
                frames if self.bare => frames
                    .iter()
                    .flat_map(|sample| sample.data.iter().copied())
                    .collect(),
                _ => boxes::segment(self.sequence_number, &samples),
            },
        }));
    }
}

fn time(units: u64, timescale: u32) -> Duration {
    let scale = u64::from(timescale.max(1));
    Duration::from_secs(units / scale)
        + Duration::from_nanos((units % scale).saturating_mul(1_000_000_000) / scale)
}
