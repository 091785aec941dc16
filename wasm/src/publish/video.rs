use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::flv::video::{Form, FrameType, PacketType, Track, Video};
use chalkcast_core::flv::{Tag, TagType, VideoCodec, avc};
use chalkcast_core::{Instant, Timestamp};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    CodecState, EncodedVideoChunk, EncodedVideoChunkType, LatencyMode, VideoEncoder,
    VideoEncoderConfig, VideoEncoderEncodeOptions, VideoEncoderInit, VideoFrame,
};

use super::Epoch;
use super::link::Link;
use super::still::Still;
use crate::clock::{ForeignClock, signed};
use crate::handle::Callbacks;
use crate::page::{Settings, reason, set, warn};
use crate::publishers::Handle;

/// Frames inside the encoder beyond which further ones are not given to it.
const QUEUE: u32 = 3;
/// An encoder that is full and puts nothing out for this long never will: some leave frames out without a word, and then wait for more.
const HUNG: Duration = Duration::from_secs(2);
/// Frames without any output after which an encoder counts as one that looks ahead.
const LOOKAHEAD: u32 = 5;
/// An encoder that looks ahead is flushed after so many frames: more would be later, fewer would be mostly keyframes (measured in Firefox:
/// 57 ms at 1.2 times the bits, against 46 ms at 1.3 times after every second one and 12 ms at 1.8 times after each).
const FLUSH_EVERY: u32 = 3;

/// Encodes captured frames to H.264.
pub(super) struct VideoTrack {
    number: u32,
    handle: Handle,
    settings: VideoSettings,
    clock: ForeignClock,
    encoder: Option<Encoder>,
    /// Width, height and bits per second that the encoder is configured for.
    size: (u32, u32),
    bitrate: u32,
    /// Frames inside the encoder: their own timestamps and the media's.
    encoding: VecDeque<(f64, Timestamp)>,
    /// Frames given to this encoder, and whether it has put any out.
    given: u32,
    any_output: bool,
    /// When a frame last went in or came out.
    moved: Instant,
    looks_ahead: bool,
    last_timestamp: Option<Timestamp>,
    last_key: Option<Timestamp>,
    record: Option<Bytes>,
    still: Still,
    /// Capture instant before which a frame is one too many, in microseconds.
    next_due: i64,
    cadence: Cadence,
    pub(super) dropped: u64,
}

/// `VideoSettings` of the protocol.
#[derive(Clone, Copy, PartialEq)]
struct VideoSettings {
    width: f64,
    height: f64,
    frame_rate: f64,
    bitrate: f64,
    key_frame_interval: f64,
}

struct Encoder {
    encoder: VideoEncoder,
    _callbacks: Callbacks<dyn FnMut(JsValue, JsValue)>,
}

impl VideoTrack {
    pub(super) fn new(number: u32, handle: Handle, settings: &Settings) -> Self {
        Self {
            number,
            handle,
            settings: VideoSettings::read(settings),
            clock: ForeignClock::default(),
            encoder: None,
            size: (0, 0),
            bitrate: 0,
            encoding: VecDeque::new(),
            given: 0,
            any_output: false,
            moved: Instant::ZERO,
            looks_ahead: false,
            last_timestamp: None,
            last_key: None,
            record: None,
            still: Still::default(),
            next_due: 0,
            cadence: Cadence::default(),
            dropped: 0,
        }
    }

    pub(super) fn set_settings(&mut self, settings: &Settings) {
        let settings = VideoSettings::read(settings);
        if settings != self.settings {
            self.settings = settings;
            // The next frame configures the encoder anew.
            self.size = (0, 0);
        }
    }

    /// Publishing begins: the next frame is a keyframe, with the sequence header before it.
    pub(super) fn restart(&mut self) {
        self.encoder = None;
        self.encoding.clear();
        self.size = (0, 0);
        self.record = None;
        self.last_timestamp = None;
        self.last_key = None;
        self.next_due = 0;
        self.still.hasten();
    }

    /// A frame of the source's. `live` is the epoch while publishing, `link` says what the way out takes.
    pub(super) fn frame(
        &mut self,
        now: Instant,
        frame: VideoFrame,
        live: Option<&Epoch>,
        link: &mut Link,
    ) {
        let captured = self.clock.observe(now, frame.timestamp() as i64);
        if let Some(epoch) = live {
            self.encode(now, captured, &frame, epoch, link);
        }
        let interval = Duration::from_secs_f64(1.0 / self.settings.frame_rate.max(1.0));
        self.still.keep(now, frame, interval);
    }

    /// Encodes the last frame once more if none has come for a while, and gives it back to its source when another is overdue.
    pub(super) fn settle(&mut self, now: Instant, live: Option<&Epoch>, link: &mut Link) {
        self.still.settle(now);
        let Some(epoch) = live else { return };
        let timestamp = self.clock.unmap(now).unwrap_or_default() as f64;
        if let Some(frame) = self.still.repeat(now, timestamp) {
            self.encode(now, now, &frame, epoch, link);
            frame.close();
        }
    }

    pub(super) fn poll_timeout(&self, live: bool) -> Option<Instant> {
        let repeat = self.still.repeat_at().filter(|_| live);
        [repeat, self.still.give_back_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The timestamp of the oldest picture inside the encoder.
    pub(super) fn frontier(&self) -> Option<Timestamp> {
        self.encoding.front().map(|(_, timestamp)| *timestamp)
    }

    /// Bits per second.
    pub(super) fn bitrate(&self) -> f64 {
        self.settings.bitrate
    }

    pub(super) fn frame_rate(&self) -> f64 {
        self.settings.frame_rate
    }

    /// What is encoded, in pixels; what will be, before the first frame.
    pub(super) fn size(&self) -> (u32, u32) {
        if self.size.0 > 0 {
            self.size
        } else {
            (self.settings.width as u32, self.settings.height as u32)
        }
    }

    /// The encoder's output as tags: a sequence header if it has changed, and the picture.
    pub(super) fn encoded(
        &mut self,
        now: Instant,
        chunk: &EncodedVideoChunk,
        metadata: &JsValue,
    ) -> Vec<Tag> {
        self.any_output = true;
        self.moved = now;
        // An encoder may leave frames out, but does not reorder them.
        let timestamp = loop {
            match self.encoding.pop_front() {
                Some((own, timestamp)) if own == chunk.timestamp() => break timestamp,
                Some(_) => self.dropped += 1,
                None => return Vec::new(),
            }
        };
        let mut data = vec![0; chunk.byte_length() as usize];
        if chunk.copy_to_with_u8_slice(&mut data).is_err() {
            return Vec::new();
        }
        let mut tags = Vec::new();
        if let Some(record) = description(metadata).map(|record| in_band(&data).unwrap_or(record))
            && self.record.as_ref() != Some(&record)
        {
            self.record = Some(record.clone());
            tags.extend(tag(
                timestamp,
                FrameType::Key,
                PacketType::SequenceStart,
                record,
            ));
        }
        let frame_type = if chunk.type_() == EncodedVideoChunkType::Key {
            FrameType::Key
        } else {
            FrameType::Inter
        };
        if self.record.is_some() {
            tags.extend(tag(
                timestamp,
                frame_type,
                PacketType::CodedFrames,
                data.into(),
            ));
        }
        tags
    }

    /// The next frame makes a new encoder.
    pub(super) fn fail(&mut self, error: &JsValue) {
        warn(&format!("video encoder: {}", reason(error)));
        self.encoder = None;
        self.encoding.clear();
        self.size = (0, 0);
        self.last_key = None;
    }

    fn encode(
        &mut self,
        now: Instant,
        captured: Instant,
        frame: &VideoFrame,
        epoch: &Epoch,
        link: &mut Link,
    ) {
        let interval = 1e6 / self.settings.frame_rate.max(1.0);
        let captured = signed(captured);
        if (captured as f64) < self.next_due as f64 - interval * 0.4 {
            return;
        }
        self.next_due = (self.next_due.max(captured - interval as i64) as f64 + interval) as i64;
        let steady = self.cadence.smooth(captured, interval as i64);
        let Some(timestamp) = epoch.timestamp(steady) else {
            return;
        };
        if self
            .last_timestamp
            .is_some_and(|last| !timestamp.is_after(last))
        {
            return;
        }
        let queue = if self.looks_ahead {
            QUEUE + FLUSH_EVERY
        } else {
            QUEUE
        };
        let full = self.any_output && self.encoding.len() as u32 >= queue;
        if full && now - self.moved > HUNG {
            self.fail(&"nothing comes out of it".into());
        } else if full || !link.admit() {
            self.dropped += 1;
            return;
        }
        self.moved = now;
        let bitrate = link.advice().bitrate;
        if let Err(error) = self.submit(timestamp, frame, bitrate) {
            self.fail(&error);
        }
    }

    fn submit(
        &mut self,
        timestamp: Timestamp,
        frame: &VideoFrame,
        bitrate: u32,
    ) -> Result<(), JsValue> {
        let size = self
            .settings
            .fit(frame.display_width(), frame.display_height());
        if self
            .encoder
            .as_ref()
            .is_none_or(|encoder| encoder.encoder.state() == CodecState::Closed)
        {
            self.encoder = Some(Encoder::new(self.number, &self.handle)?);
            self.encoding.clear();
            self.size = (0, 0);
            (self.given, self.any_output) = (0, false);
        }
        let Some(Encoder { encoder, .. }) = &self.encoder else {
            return Ok(());
        };
        if size != self.size {
            self.last_key = None;
        }
        if size != self.size || bitrate != self.bitrate {
            encoder.configure(&self.settings.config(size, bitrate))?;
            (self.size, self.bitrate) = (size, bitrate);
        }
        let every = (self.settings.key_frame_interval * 1000.0) as i32;
        let key = self
            .last_key
            .is_none_or(|last| timestamp.since(last) >= every);
        let options = VideoEncoderEncodeOptions::new();
        options.set_key_frame(key);
        encoder.encode_with_options(frame, &options)?;
        if key {
            self.last_key = Some(timestamp);
        }
        self.encoding.push_back((frame.timestamp(), timestamp));
        self.last_timestamp = Some(timestamp);
        self.given += 1;
        self.looks_ahead |= !self.any_output && self.given >= LOOKAHEAD;
        if self.looks_ahead && self.given.is_multiple_of(FLUSH_EVERY) {
            flush(encoder);
        }
        Ok(())
    }
}

/// Takes the jitter out of capture instants, which some browsers only know by when a frame reached the page.
#[derive(Default)]
struct Cadence {
    /// Capture instant of the last frame as it was and as it was smoothed, and the smoothed time between two, in
    /// microseconds.
    last: Option<(i64, i64)>,
    interval: i64,
}

impl Cadence {
    /// A frame that is less than half an interval from where it should be is put most of the way there.
    fn smooth(&mut self, captured: i64, nominal: i64) -> i64 {
        let smoothed = match self.last {
            Some((last, steady)) if captured - last < 3 * nominal => {
                self.interval += (captured - last - self.interval) / 16;
                let expected = steady + self.interval;
                let off = captured - expected;
                if off.abs() * 2 < self.interval {
                    expected + off / 8
                } else {
                    captured
                }
            }
            _ => {
                self.interval = nominal;
                captured
            }
        };
        self.last = Some((captured, smoothed));
        smoothed
    }
}

impl VideoSettings {
    fn read(settings: &Settings) -> Self {
        Self {
            width: settings.width(),
            height: settings.height(),
            frame_rate: settings.frame_rate(),
            bitrate: settings.bitrate(),
            key_frame_interval: settings.key_frame_interval(),
        }
    }

    /// The size to encode a frame of this size at: what was asked for, or what fits in it with the frame's proportions. Always even.
    fn fit(&self, width: u32, height: u32) -> (u32, u32) {
        let (width, height) = (f64::from(width.max(2)), f64::from(height.max(2)));
        let scale = if self.width > 0.0 && self.height > 0.0 {
            (self.width / width).min(self.height / height).min(1.0)
        } else {
            1.0
        };
        let even = |pixels: f64| ((pixels * scale / 2.0).round() as u32 * 2).max(2);
        (even(width), even(height))
    }

    fn config(&self, (width, height): (u32, u32), bitrate: u32) -> VideoEncoderConfig {
        let config =
            VideoEncoderConfig::new(&baseline(width, height, self.frame_rate), height, width);
        config.set_bitrate_f64(f64::from(bitrate));
        config.set_framerate(self.frame_rate);
        config.set_latency_mode(LatencyMode::Realtime);
        // Length-prefixed NAL units, with the configuration record apart: what an FLV tag holds.
        let avc = Object::new();
        set(&avc, "format", &"avc".into());
        set(&config, "avc", &avc);
        config
    }
}

impl Encoder {
    fn new(number: u32, handle: &Handle) -> Result<Self, JsValue> {
        let encoded = handle.clone();
        let output = Closure::new(move |chunk: JsValue, metadata: JsValue| {
            encoded.with(|publishers, now| {
                if let Some(publisher) = publishers.find(number) {
                    publisher.video_encoded(now, chunk.unchecked_ref(), &metadata);
                }
            });
        });
        let error = handle.callback(move |publishers, _, error: JsValue| {
            if let Some(publisher) = publishers.find(number) {
                publisher.video_failed(&error);
            }
        });
        let init = VideoEncoderInit::new(
            error.as_ref().unchecked_ref(),
            output.as_ref().unchecked_ref(),
        );
        Ok(Self {
            encoder: VideoEncoder::new(&init)?,
            _callbacks: (output, error),
        })
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // Fails when it has closed itself by an error.
        let _ = self.encoder.close();
    }
}

fn flush(encoder: &VideoEncoder) {
    let flushed = encoder.flush();
    wasm_bindgen_futures::spawn_local(async move {
        // Rejected when the encoder is closed meanwhile; its error callback tells of errors.
        let _ = wasm_bindgen_futures::JsFuture::from(flushed).await;
    });
}

fn tag(
    timestamp: Timestamp,
    frame_type: FrameType,
    packet_type: PacketType,
    data: Bytes,
) -> Option<Tag> {
    let track = Track {
        track_id: 0,
        codec: VideoCodec::Avc,
        composition_time: 0,
        data,
    };
    let payload = Video {
        form: Form::Legacy,
        frame_type,
        packet_type,
        tracks: vec![track],
    }
    .encode()
    .ok()?;
    Some(Tag {
        tag_type: TagType::Video,
        timestamp,
        payload,
    })
}

/// The configuration record of parameter sets that a keyframe carries, as Firefox's do: its own record has the first
/// byte of each twice.
fn in_band(frame: &[u8]) -> Option<Bytes> {
    let stream = avc::length_prefixed_to_annex_b(frame, 4).ok()?;
    avc::DecoderConfig::from_annex_b(&stream).map(|config| config.encode())
}

/// `metadata.decoderConfig.description`, which comes with keyframes.
pub(super) fn description(metadata: &JsValue) -> Option<Bytes> {
    let config = Reflect::get(metadata, &"decoderConfig".into()).ok()?;
    let description = Reflect::get(&config, &"description".into())
        .ok()
        .filter(JsValue::is_object)?;
    let bytes = match description.dyn_ref::<js_sys::ArrayBuffer>() {
        Some(buffer) => Uint8Array::new(buffer),
        None => {
            let view: &Uint8Array = description.unchecked_ref();
            Uint8Array::new_with_byte_offset_and_length(
                &view.buffer(),
                view.byte_offset(),
                view.byte_length(),
            )
        }
    };
    Some(bytes.to_vec().into())
}

/// Constrained Baseline of the lowest level (ITU-T H.264 table A-1) that holds such pictures at such a rate.
fn baseline(width: u32, height: u32, frame_rate: f64) -> String {
    const LEVELS: [(u32, u32, u8); 12] = [
        (11_880, 396, 20),
        (19_800, 792, 21),
        (20_250, 1_620, 22),
        (40_500, 1_620, 30),
        (108_000, 3_600, 31),
        (216_000, 5_120, 32),
        (245_760, 8_192, 40),
        (522_240, 8_704, 42),
        (589_824, 22_080, 50),
        (983_040, 36_864, 51),
        (2_073_600, 36_864, 52),
        (4_177_920, 139_264, 60),
    ];
    let size = width.div_ceil(16) * height.div_ceil(16);
    let rate = (f64::from(size) * frame_rate.max(1.0)) as u32;
    let level = LEVELS
        .iter()
        .find(|(most_rate, most_size, _)| rate <= *most_rate && size <= *most_size)
        .map_or(62, |level| level.2);
    format!("avc1.42c0{level:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(width: f64, height: f64) -> VideoSettings {
        VideoSettings {
            width,
            height,
            frame_rate: 30.0,
            bitrate: 1e6,
            key_frame_interval: 2.0,
        }
    }

    #[test]
    fn a_frame_keeps_its_proportions_and_is_never_enlarged() {
        assert_eq!(settings(320.0, 240.0).fit(640, 480), (320, 240));
        assert_eq!(settings(1280.0, 720.0).fit(1921, 1201), (1152, 720));
        assert_eq!(settings(1920.0, 1080.0).fit(321, 241), (322, 242));
        assert_eq!(settings(0.0, 0.0).fit(801, 601), (802, 602));
    }

    #[test]
    fn the_jitter_of_frames_is_smoothed_and_their_rate_kept() {
        let mut cadence = Cadence::default();
        let (mut last, mut worst) = (0, 0);
        for i in 0..300_i64 {
            let captured = i * 40_000 + (i * 37) % 13_000;
            let smoothed = cadence.smooth(captured, 33_333);
            assert!(
                (smoothed - captured).abs() < 20_000,
                "{i}: {smoothed} for {captured}"
            );
            if i > 100 {
                worst = worst.max((smoothed - last - 40_000).abs());
            }
            last = smoothed;
        }
        assert!(worst < 4_000, "{worst}");
    }

    #[test]
    fn the_level_is_the_lowest_that_holds_the_pictures() {
        assert_eq!(baseline(320, 240, 30.0), "avc1.42c014");
        assert_eq!(baseline(640, 480, 30.0), "avc1.42c01e");
        assert_eq!(baseline(1280, 720, 30.0), "avc1.42c01f");
        assert_eq!(baseline(1920, 1080, 30.0), "avc1.42c028");
        assert_eq!(baseline(3840, 2160, 60.0), "avc1.42c034");
    }
}
