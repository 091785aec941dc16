//! Publishing: frames and samples through the encoders to tags in one order, on one epoch.

mod audio;
mod encoding;
mod framer;
mod interleave;
mod link;
mod source;
mod still;
mod video;

use std::time::Duration;

use chalkcast_core::amf0::Object;
use chalkcast_core::flv::script::ScriptData;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::Stats;
use chalkcast_core::{Instant, Timestamp};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{
    AudioData, EncodedAudioChunk, EncodedVideoChunk, MessagePort, ReadableStream, VideoFrame,
};

use crate::clock::signed;
use crate::page::{FromWorklet, Message, Settings};
use crate::publishers::Handle;
use audio::AudioTrack;
use interleave::Interleave;
use link::Link;
use source::Source;
use video::VideoTrack;

/// What a NetStream publishes. Sources may come before it is live, and change while it is.
pub(crate) struct Publisher {
    number: u32,
    handle: Handle,
    load_aac: Function,
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    video_source: Option<Source>,
    audio_source: Option<Source>,
    epoch: Option<Epoch>,
    interleave: Interleave,
    metadata: Option<Object>,
    link: Link,
    sent: Sent,
}

/// When this publication began: media time is counted from here, for sound and pictures alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch(Instant);

impl Epoch {
    /// `captured` in microseconds of our clock as media time; `None` before the epoch.
    fn timestamp(&self, captured: i64) -> Option<Timestamp> {
        let elapsed = captured - signed(self.0);
        (elapsed >= 0).then(|| Timestamp::from_millis((elapsed / 1000) as u32))
    }

    fn origin(&self) -> Instant {
        self.0
    }
}

/// What went out, for the stats.
#[derive(Default)]
struct Sent {
    bytes: u64,
    frames: u64,
    last: Timestamp,
    /// Since when, and what had gone out by then.
    since: Option<(Instant, u64, u64)>,
    fps: f64,
    kbps: f64,
}

impl Sent {
    /// Takes the rates of what went out since they were last taken; over less than half a second they would mean nothing.
    fn measure(&mut self, now: Instant) {
        let (since, bytes, frames) = *self.since.get_or_insert((now, self.bytes, self.frames));
        let seconds = (now - since).as_secs_f64();
        if seconds >= 0.5 {
            self.fps = (self.frames - frames) as f64 / seconds;
            self.kbps = (self.bytes - bytes) as f64 * 8.0 / 1000.0 / seconds;
            self.since = Some((now, self.bytes, self.frames));
        }
    }
}

impl Publisher {
    pub(crate) fn new(number: u32, handle: Handle, load_aac: Function) -> Self {
        Self {
            number,
            handle,
            load_aac,
            video: None,
            audio: None,
            video_source: None,
            audio_source: None,
            epoch: None,
            interleave: Interleave::default(),
            metadata: None,
            link: Link::default(),
            sent: Sent::default(),
        }
    }

    /// The server waits for tags.
    pub(crate) fn start(&mut self, now: Instant) {
        self.epoch = Some(Epoch(now));
        self.link.start(now);
        self.interleave.clear();
        self.metadata = None;
        self.sent = Sent::default();
        if let Some(video) = &mut self.video {
            video.restart();
        }
        if let Some(audio) = &mut self.audio {
            audio.restart();
        }
    }

    /// Nothing more is sent. The sources stay, for another publish.
    pub(crate) fn stop(&mut self) {
        self.epoch = None;
        self.interleave.clear();
    }

    pub(crate) fn is_live(&self) -> bool {
        self.epoch.is_some()
    }

    /// How old what waits to be sent may be; zero leaves it to the publisher.
    pub(crate) fn set_buffer_time(&mut self, buffer_time: Duration) {
        self.link.set_queue_time(buffer_time);
    }

    pub(crate) fn video_source(&mut self, settings: &Settings, readable: Option<ReadableStream>) {
        self.video_source = None;
        self.video = Some(VideoTrack::new(self.number, self.handle.clone(), settings));
        self.video_source = readable.and_then(|readable| {
            let take = |publisher: &mut Self, now, frame: JsValue| {
                publisher.video_frame(now, frame.unchecked_into())
            };
            Source::new(self.number, &self.handle, &readable, take, |frame| {
                frame.unchecked_ref::<VideoFrame>().close()
            })
        });
    }

    pub(crate) fn video_settings(&mut self, settings: &Settings) {
        if let Some(video) = &mut self.video {
            video.set_settings(settings);
        }
    }

    pub(crate) fn audio_source(
        &mut self,
        settings: &Settings,
        readable: Option<ReadableStream>,
        port: Option<MessagePort>,
    ) {
        self.audio_source = None;
        self.audio = Some(AudioTrack::new(
            self.number,
            self.handle.clone(),
            self.load_aac.clone(),
            settings,
            port,
        ));
        self.audio_source = readable.and_then(|readable| {
            let take = |publisher: &mut Self, now, data: JsValue| {
                publisher.audio_data(now, data.unchecked_ref())
            };
            Source::new(self.number, &self.handle, &readable, take, |data| {
                data.unchecked_ref::<AudioData>().close()
            })
        });
    }

    pub(crate) fn source_ended(&mut self, kind: &str) {
        if kind == "audio" {
            self.audio_source = None;
            self.audio = None;
        } else {
            self.video_source = None;
            self.video = None;
        }
    }

    /// A captured frame, which is closed here in the end.
    pub(crate) fn video_frame(&mut self, now: Instant, frame: VideoFrame) {
        match &mut self.video {
            Some(video) => video.frame(now, frame, self.epoch.as_ref(), &mut self.link),
            None => frame.close(),
        }
    }

    /// Captured samples, which are closed here.
    pub(crate) fn audio_data(&mut self, now: Instant, data: &AudioData) {
        match &mut self.audio {
            Some(audio) => {
                let tags = audio.data(now, data, self.epoch.as_ref());
                self.push_audio(now, tags);
            }
            None => data.close(),
        }
    }

    pub(crate) fn audio_posted(&mut self, now: Instant, message: &FromWorklet) {
        if let Some(audio) = &mut self.audio {
            let tags = audio.posted(now, message, self.epoch.as_ref());
            self.push_audio(now, tags);
        }
    }

    pub(crate) fn audio_encoded(
        &mut self,
        now: Instant,
        chunk: &EncodedAudioChunk,
        metadata: &JsValue,
    ) {
        if let Some(audio) = &mut self.audio {
            let tags = audio.encoded(chunk, metadata, self.epoch.as_ref());
            self.push_audio(now, tags);
        }
    }

    pub(crate) fn video_encoded(
        &mut self,
        now: Instant,
        chunk: &EncodedVideoChunk,
        metadata: &JsValue,
    ) {
        if let (Some(video), true) = (&mut self.video, self.epoch.is_some()) {
            for tag in video.encoded(now, chunk, metadata) {
                self.interleave.push_video(now, tag);
            }
        }
    }

    pub(crate) fn video_failed(&mut self, error: &JsValue) {
        if let Some(video) = &mut self.video {
            video.fail(error);
        }
    }

    fn audio_track(&mut self) -> Option<&mut AudioTrack> {
        self.audio.as_mut()
    }

    /// Sends what is ready. `stats` are the connection's, of which `queued` bytes are still on their way out of the browser.
    pub(crate) fn settle(
        &mut self,
        now: Instant,
        stats: &Stats,
        queued: u32,
        mut send: impl FnMut(Tag),
    ) {
        if self.epoch.is_some() {
            let video = self.video.as_ref().map_or(0.0, VideoTrack::bitrate);
            let audio = self.audio.as_ref().map_or(0.0, AudioTrack::bitrate);
            self.link.observe(now, stats, queued, video, audio);
        }
        if let Some(video) = &mut self.video {
            video.settle(now, self.epoch.as_ref(), &mut self.link);
        }
        let Some(epoch) = self.epoch else { return };
        let audio = self.audio.as_ref().and_then(|audio| audio.frontier(now));
        self.interleave
            .set_audio_frontier(audio.map(|micros| audio::clamp(&epoch, micros)));
        self.interleave
            .set_video_frontier(self.video.as_ref().and_then(VideoTrack::frontier));
        while let Some(tag) = self.interleave.pop(now) {
            let metadata = self.describe();
            if self.metadata.as_ref() != Some(&metadata) {
                let payload = ScriptData::metadata(metadata.clone()).encode();
                send(Tag {
                    tag_type: TagType::Script,
                    timestamp: tag.timestamp,
                    payload,
                });
                self.metadata = Some(metadata);
            }
            self.sent.bytes += tag.payload.len() as u64;
            self.sent.frames += u64::from(tag.tag_type == TagType::Video);
            self.sent.last = tag.timestamp;
            send(tag);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let live = self.is_live();
        let interleave = self.interleave.poll_timeout().filter(|_| live);
        let video = self.video.as_ref();
        [interleave, video.and_then(|video| video.poll_timeout(live))]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn stats(&mut self, now: Instant, queued: u32) -> Message {
        self.sent.measure(now);
        let (width, height) = self.video.as_ref().map_or((0, 0), VideoTrack::size);
        let dropped = self.video.as_ref().map_or(0, |video| video.dropped);
        Message::default()
            .with("role", "publish")
            .with("time", f64::from(self.sent.last.as_millis()) / 1000.0)
            .with("bufferLength", f64::from(queued) * 8.0 / self.bitrate())
            .with("width", width)
            .with("height", height)
            .with("fps", self.sent.fps)
            .with("kbps", self.sent.kbps)
            .with("droppedFrames", dropped as f64)
            .with("queuedBytes", queued)
            .with("queueAge", self.link.queue_age(now).as_secs_f64() * 1000.0)
            .with("targetKbps", f64::from(self.link.advice().bitrate) / 1000.0)
    }

    fn push_audio(&mut self, now: Instant, tags: Vec<Tag>) {
        for tag in tags {
            self.interleave.push_audio(now, tag);
        }
    }

    fn bitrate(&self) -> f64 {
        let video = self.video.as_ref().map_or(0.0, VideoTrack::bitrate);
        let audio = self.audio.as_ref().map_or(0.0, AudioTrack::bitrate);
        (video + audio).max(64_000.0)
    }

    /// What `onMetaData` says of the stream.
    fn describe(&self) -> Object {
        let mut object = Object::new();
        if let Some(video) = &self.video {
            let (width, height) = video.size();
            object.insert("width", width);
            object.insert("height", height);
            object.insert("framerate", video.frame_rate());
            object.insert("videodatarate", video.bitrate() / 1000.0);
            object.insert("videocodecid", 7.0);
        }
        if let Some(audio) = &self.audio
            && let Some((rate, channels)) = audio.format()
        {
            object.insert("audiosamplerate", rate);
            object.insert("audiosamplesize", 16.0);
            object.insert("stereo", channels == 2);
            object.insert("audiodatarate", audio.bitrate() / 1000.0);
            // Enhanced RTMP names a codec by its FourCC read as a number.
            object.insert(
                "audiocodecid",
                if audio.is_opus() {
                    f64::from(u32::from_be_bytes(*b"Opus"))
                } else {
                    10.0
                },
            );
        }
        object.insert("encoder", concat!("Chalkcast ", env!("CARGO_PKG_VERSION")));
        object
    }
}
