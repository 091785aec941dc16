//! Playing by Media Source Extensions: tags become segments here, and a video element on the page decodes and plays them.
//!
//! The element takes the sound card's place: where it is is reported to the jitter buffer, whose clock follows it, and whose rate becomes the
//! element's playback rate. The page brings the element to the clock's position at the start and when the two have come apart.

mod element;
mod tracks;

use std::time::Duration;

use chalkcast_core::flv::{Tag, TagType, script::ScriptData};
use chalkcast_core::fmp4::{Config, Output, Segmenter, Stream};
use chalkcast_core::jitter::{Input, JitterBuffer, Rate};
use chalkcast_core::{Instant, Timestamp};
use js_sys::{Array, Uint8Array};

use super::post_event;
use crate::page::{Message, ToWorker};
use element::{Element, Motion};
use tracks::{Tracks, Verdict};

/// The page is told where the clock is when it would be off by more than this many seconds…
const TOLD: f64 = 0.03;
/// … at once when by more than this, and else not sooner than after [`TELL_EVERY`].
const TOLD_AT_ONCE: f64 = 0.25;
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What a NetStream plays through a video element.
pub(crate) struct MsePlayout {
    number: u32,
    /// Which MediaSource the messages are about.
    source: u32,
    bare_mp3: bool,
    segmenter: Segmenter,
    tracks: Tracks,
    /// The newest of each stream: what its SourceBuffer is opened with.
    mime_types: [Option<String>; 2],
    /// What came before it was known which tracks there are.
    held: Vec<Output>,
    told: Option<Told>,
    /// How often the clock has jumped; the element follows it again once it has, too.
    jump: u32,
    rate: f64,
    element: Element,
}

/// What the page knows of the clock, in seconds of the media timeline.
struct Told {
    at: Instant,
    time: f64,
    rate: f64,
}

impl MsePlayout {
    /// `bare_mp3`: the browser takes MP3 without boxes.
    pub(super) fn new(number: u32, bare_mp3: bool) -> Self {
        Self {
            number,
            source: 0,
            bare_mp3,
            segmenter: segmenter(bare_mp3),
            tracks: Tracks::default(),
            mime_types: [None, None],
            held: Vec::new(),
            told: None,
            jump: 0,
            rate: 1.0,
            element: Element::default(),
        }
    }

    /// What comes from now on is for a new MediaSource.
    pub(super) fn reset(&mut self) {
        self.source += 1;
        self.segmenter = segmenter(self.bare_mp3);
        self.tracks.reset();
        self.mime_types = [None, None];
        self.held.clear();
        self.told = None;
        self.rate = 1.0;
        self.element.reset();
    }

    /// Another stream, of which nothing is known.
    pub(super) fn forget(&mut self) {
        self.reset();
        self.tracks = Tracks::default();
    }

    /// Which MediaSource the messages are about.
    pub(super) fn source(&self) -> u32 {
        self.source
    }

    /// How far ahead of its position the element wants to have everything.
    pub(super) fn lead(&self) -> Duration {
        self.element.lead()
    }

    /// What the publisher says of the stream.
    pub(super) fn metadata(&mut self, data: &ScriptData) {
        self.tracks.metadata(data);
    }

    /// A tag has come from the network, which its turn at [`decode`](Self::decode) need not be.
    pub(super) fn arrived(&mut self, now: Instant, tag: &Tag) {
        self.tracks.arrived(now, tag);
    }

    pub(super) fn decode(&mut self, tag: &Tag) {
        self.segmenter.push(tag);
        while let Some(output) = self.segmenter.poll_output() {
            if let Output::Init(init) = &output {
                self.tracks.configured(init.stream);
                self.mime_types[index(init.stream)] = Some(init.mime_type.clone());
            }
            if self.tracks.are_open() {
                self.post(&output);
            } else {
                self.held.push(output);
            }
        }
    }

    pub(super) fn set_rate(&mut self, rate: Rate) {
        // What clocks differ by is left to the stretching: an element that plays at 1.0001 never rests.
        self.rate = rate.stretch;
    }

    /// The clock has jumped, and the element is to follow.
    pub(super) fn skip(&mut self) {
        self.jump += 1;
        self.told = None;
    }

    /// Opens a MediaSource once its tracks are known, and tells the page where the clock is. Answers whether another MediaSource is needed.
    #[must_use]
    pub(super) fn settle(&mut self, now: Instant, buffer: &JitterBuffer) -> bool {
        match self.tracks.verdict(now) {
            Verdict::Wait => {}
            Verdict::Open => self.open(),
            Verdict::Reopen => return true,
        }
        if self.tracks.are_open() {
            self.tell_clock(now, buffer);
        }
        false
    }

    /// The page says what the element does.
    pub(super) fn report(&mut self, now: Instant, message: &ToWorker, buffer: &mut JitterBuffer) {
        if message.source() != self.source {
            return;
        }
        let age = (now.as_micros() as f64 / 1000.0 - message.at()).clamp(0.0, 1000.0);
        let motion = match message.what().as_str() {
            "advancing" => Motion::Advancing,
            "waiting" => Motion::Waiting,
            _ => Motion::Still,
        };
        let millis = message.time() * 1000.0 + age * self.rate;
        let timestamp = Timestamp::from_millis(millis.round() as u64 as u32);
        if motion == Motion::Advancing && message.jump() == self.jump {
            buffer.handle_input(now, Input::Rendered { timestamp });
        }
        let ahead = buffer.buffer_length(now);
        if let Some(event) = self.element.report(now, motion, ahead) {
            post_event(self.number, event);
        }
        self.element.seen(message);
    }

    /// The page's figures in place of the decoders'.
    pub(super) fn stats(&self, message: Message) -> Message {
        self.element.stats(message)
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.element.size()
    }

    fn open(&mut self) {
        let mut message = Message::new("mediaSource")
            .with("stream", self.number)
            .with("source", self.source);
        for stream in [Stream::Audio, Stream::Video] {
            if self.tracks.is_open(stream) {
                let mime_type = self.mime_types[index(stream)].as_deref();
                message = message.with_some(name(stream), mime_type);
            }
        }
        message.post();
        for output in std::mem::take(&mut self.held) {
            self.post(&output);
        }
    }

    fn post(&self, output: &Output) {
        let (stream, data) = match output {
            Output::Init(init) => (init.stream, &init.data),
            Output::Media(segment) => (segment.stream, &segment.data),
        };
        if !self.tracks.is_open(stream) {
            return;
        }
        let message = Message::new("mediaSegment")
            .with("stream", self.number)
            .with("source", self.source)
            .with("track", name(stream));
        let message = match output {
            Output::Init(init) => message.with("mimeType", init.mime_type.as_str()),
            Output::Media(segment) => message
                .with("start", segment.start.as_secs_f64())
                .with("duration", segment.duration.as_secs_f64())
                .with("keyframe", segment.starts_with_keyframe),
        };
        let data = Uint8Array::from(&data[..]).buffer();
        message
            .with("data", data.clone())
            .post_with(&Array::of1(&data));
    }

    fn tell_clock(&mut self, now: Instant, buffer: &JitterBuffer) {
        let Some(time) = buffer
            .position(now)
            .and_then(|position| self.segmenter.millis(position))
        else {
            return;
        };
        let time = time as f64 / 1000.0;
        if let Some(told) = &self.told {
            let since = now - told.at;
            let off = (time - told.time - since.as_secs_f64() * told.rate).abs();
            let known = self.rate == told.rate && off < TOLD;
            if known || (off < TOLD_AT_ONCE && since < TELL_EVERY) {
                return;
            }
        }
        self.told = Some(Told {
            at: now,
            time,
            rate: self.rate,
        });
        Message::new("mediaClock")
            .with("stream", self.number)
            .with("source", self.source)
            .with("at", now.as_micros() as f64 / 1000.0)
            .with("time", time)
            .with("rate", self.rate)
            .with("jump", self.jump)
            .post();
    }
}

fn segmenter(bare_mp3: bool) -> Segmenter {
    Segmenter::new(Config {
        prompt: true,
        bare_mp3,
        ..Config::default()
    })
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Audio => 0,
        Stream::Video => 1,
    }
}

fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Audio => "audio",
        Stream::Video => "video",
    }
}

fn stream_of(tag: &Tag) -> Option<Stream> {
    match tag.tag_type {
        TagType::Audio => Some(Stream::Audio),
        TagType::Video => Some(Stream::Video),
        TagType::Script => None,
    }
}
