//! Playing: tags through the jitter buffer to the decoders, pictures to the canvas and sound to the worklet when they are due.

mod audio;
mod mse;
mod pacer;
mod recent;
mod support;
mod video;

use std::time::Duration;

use chalkcast_core::flv::{Tag, TagType, script::ScriptData};
use chalkcast_core::jitter::{Config, Decode, Event, Input, JitterBuffer, Output};
use chalkcast_core::session::Status;
use chalkcast_core::{Instant, Timestamp};
use js_sys::Array;
use web_sys::{MessagePort, OffscreenCanvas};

use crate::connection::Handle;
use crate::connection::post_status;
use crate::page::{Message, ToWorker};
use audio::AudioPlayout;
use mse::MsePlayout;
use recent::Recent;
use support::FlashCodecs;
use video::VideoPlayout;

/// Three pictures at 30 a second, and sound enough that a busy decoder does not interrupt it.
const DECODE_LEAD: Duration = Duration::from_millis(100);
/// What segments take on their way to a video element.
const MARGIN: Duration = Duration::from_millis(50);

/// What a NetStream plays.
pub(crate) struct Player {
    number: u32,
    buffer: JitterBuffer,
    buffer_time: Duration,
    buffer_time_max: Option<Duration>,
    video: VideoPlayout,
    audio: AudioPlayout,
    /// In place of the two before, where a video element plays.
    mse: Option<MsePlayout>,
    recent: Recent,
    flash: FlashCodecs,
    paused: bool,
    /// Presentation time of the first tag, for ActionScript's `time`.
    first: Option<Timestamp>,
}

impl Player {
    pub(crate) fn new(number: u32, handle: Handle, now: Instant) -> Self {
        Self {
            number,
            buffer: JitterBuffer::new(Config::default(), now),
            buffer_time: Duration::ZERO,
            buffer_time_max: None,
            video: VideoPlayout::new(number, handle.clone()),
            audio: AudioPlayout::new(number, handle),
            mse: None,
            recent: Recent::default(),
            flash: FlashCodecs::default(),
            paused: false,
            first: None,
        }
    }

    /// Another stream is to be played: nothing of the one before is.
    pub(crate) fn start(&mut self, now: Instant) {
        self.stop(now);
    }

    /// The last picture stays.
    pub(crate) fn stop(&mut self, now: Instant) {
        self.recent.clear();
        self.flash = FlashCodecs::default();
        if let Some(mse) = &mut self.mse {
            mse.forget();
        }
        self.reset(now);
        self.paused = false;
    }

    /// Whether what plays is a video element of the page's or the decoders here. A change begins with what has come of late.
    pub(crate) fn set_renderer(&mut self, now: Instant, message: &ToWorker) {
        let mse = message.renderer() == "mse";
        if mse != self.mse.is_some() {
            self.mse = mse.then(|| MsePlayout::new(self.number, message.bare_mp3()));
            self.restart(now);
        }
    }

    /// The page could not play what it was given.
    pub(crate) fn media_failed(&mut self, now: Instant, source: u32) {
        if self.mse.as_ref().is_some_and(|mse| mse.source() == source) {
            // What it failed on is among what has come of late.
            self.recent.drop_frames();
            self.restart(now);
        }
    }

    /// What the page's video element does.
    pub(crate) fn media_state(&mut self, now: Instant, message: &ToWorker) {
        if let Some(mse) = &mut self.mse {
            mse.report(now, message, &mut self.buffer);
        }
        self.tell_latency(now);
    }

    /// The buffer learns what lies behind it: the sound card, or a video element that wants so much ahead, on top of the jitter and from the start.
    fn tell_latency(&mut self, now: Instant) {
        let sound = match &self.mse {
            Some(mse) => {
                self.buffer.set_picture_latency(now, mse.lead());
                mse.lead()
            }
            None => self.audio.latency(),
        };
        self.buffer.set_output_latency(now, sound);
        self.buffer.set_buffer_time(now, self.least_buffer());
    }

    /// What the page asked for, or more where a video element needs it.
    fn least_buffer(&self) -> Duration {
        let needed = self.mse.as_ref().map(|mse| mse.lead() + MARGIN);
        self.buffer_time.max(needed.unwrap_or_default())
    }

    pub(crate) fn metadata(&mut self, data: &ScriptData) {
        if let Some(mse) = &mut self.mse {
            mse.metadata(data);
        }
    }

    /// Begins anew with what has come of late.
    fn restart(&mut self, now: Instant) {
        self.reset(now);
        for tag in self.recent.iter() {
            self.first.get_or_insert(tag.timestamp);
            self.buffer.handle_input(now, Input::Tag(tag.clone()));
        }
    }

    fn reset(&mut self, now: Instant) {
        self.video.reset();
        self.audio.reset();
        if let Some(mse) = &mut self.mse {
            mse.reset();
        }
        let decode_lead = if self.mse.is_some() {
            Config::AT_ONCE
        } else {
            DECODE_LEAD
        };
        let config = Config {
            decode_lead,
            buffer_time: self.least_buffer(),
            buffer_time_max: self.buffer_time_max,
            ..Config::default()
        };
        self.buffer = JitterBuffer::new(config, now);
        self.tell_latency(now);
        self.first = None;
    }

    pub(crate) fn pause(&mut self, now: Instant, paused: bool) {
        self.paused = paused;
        self.audio.flush();
        self.video.drop_ready();
        if self.mse.is_some() && !paused {
            self.restart(now);
        } else if !paused {
            self.buffer.handle_input(now, Input::Begin);
        }
    }

    pub(crate) fn set_buffer_time(
        &mut self,
        now: Instant,
        buffer_time: Duration,
        max: Option<Duration>,
    ) {
        (self.buffer_time, self.buffer_time_max) = (buffer_time, max);
        self.buffer.set_buffer_time(now, self.least_buffer());
        self.buffer.set_buffer_time_max(now, max);
    }

    pub(crate) fn set_canvas(&mut self, canvas: Option<OffscreenCanvas>) {
        self.video.set_canvas(canvas);
    }

    /// `sample_rate` in Hz, `latency` in milliseconds.
    pub(crate) fn set_audio_output(
        &mut self,
        now: Instant,
        port: MessagePort,
        sample_rate: f64,
        latency: f64,
    ) {
        self.audio.set_output(port, sample_rate, latency);
        self.tell_latency(now);
    }

    pub(crate) fn audio_output_state(&mut self, now: Instant, running: bool, latency: f64) {
        self.audio.output_state(running, latency);
        self.tell_latency(now);
    }

    /// Whether anybody can see the page.
    pub(crate) fn set_hidden(&mut self, hidden: bool) {
        self.video.set_hidden(hidden);
    }

    /// The display refreshes.
    pub(crate) fn refresh(&mut self, now: Instant) {
        self.video.refresh(now, &mut self.buffer);
    }

    pub(crate) fn tag(&mut self, now: Instant, tag: Tag) {
        self.flash.look(self.number, &tag);
        self.recent.push(&tag, self.buffer_time);
        if let Some(mse) = &mut self.mse {
            mse.arrived(now, &tag);
        }
        if !self.paused {
            self.first.get_or_insert(tag.timestamp);
            self.buffer.handle_input(now, Input::Tag(tag));
        }
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        self.buffer.handle_input(now, Input::Begin);
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.buffer.handle_input(now, Input::End);
    }

    /// What is on the screen and in the speakers.
    pub(crate) fn position(&self, now: Instant) -> Timestamp {
        self.buffer.position(now).unwrap_or_default()
    }

    /// The stream is about to end: its last picture goes to the page, since some browsers take a canvas's away with its Worker.
    pub(crate) fn leave(&self) {
        if self.mse.is_none()
            && let Some(picture) = self.video.picture()
        {
            Message::new("picture")
                .with("stream", self.number)
                .with("frame", &picture)
                .post_with(&Array::of1(&picture));
        }
    }

    pub(crate) fn video(&mut self) -> (&mut VideoPlayout, &mut JitterBuffer) {
        (&mut self.video, &mut self.buffer)
    }

    pub(crate) fn audio(&mut self) -> (&mut AudioPlayout, &mut JitterBuffer) {
        (&mut self.audio, &mut self.buffer)
    }

    /// Decodes and shows what is due.
    pub(crate) fn settle(&mut self, now: Instant) {
        if self.buffer.poll_timeout().is_some_and(|at| at <= now) {
            self.buffer.handle_timeout(now);
        }
        self.drain();
        self.video.settle(now, &mut self.buffer);
        if self.video.take_failed() {
            self.buffer.handle_input(now, Input::DecoderReset);
        }
        self.drain();
        if let Some(mse) = &mut self.mse {
            let restart = mse.settle(now, &self.buffer);
            if restart {
                self.restart(now);
                self.drain();
            }
        }
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        [
            self.buffer.poll_timeout(),
            self.video.poll_timeout(now, &self.buffer),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn stats(&mut self, now: Instant) -> Message {
        let stats = self.buffer.stats(now);
        let (width, height) = self
            .mse
            .as_ref()
            .map_or(self.video.size(), MsePlayout::size);
        let position = self.position(now);
        let time = self.first.map_or(0, |first| position.since(first)).max(0);
        let dropped =
            stats.frames_skipped + stats.frames_shed + stats.frames_lost + self.video.dropped();
        let renderer = if self.mse.is_some() {
            "mse"
        } else {
            "webcodecs"
        };
        let message = Message::default()
            .with("role", "play")
            .with("renderer", renderer)
            .with("time", f64::from(time) / 1000.0)
            .with("bufferLength", self.buffer.buffer_length(now).as_secs_f64())
            .with_some("liveDelay", stats.live_delay.map(millis))
            .with("width", width)
            .with("height", height)
            .with("fps", stats.frames_per_second)
            .with("kbps", stats.bits_per_second as f64 / 1000.0)
            .with("droppedFrames", dropped as f64)
            .with("jitter", millis(stats.jitter))
            .with("targetDelay", millis(stats.target))
            .with("rate", stats.rate)
            .with("driftPpm", stats.drift_ppm)
            .with("stalls", stats.stalls as f64)
            .with("stalled", millis(stats.stalled))
            .with("skips", stats.skips as f64)
            .with("lateFrames", stats.frames_unshown as f64)
            .with("skippedFrames", stats.frames_skipped as f64)
            .with("shedFrames", stats.frames_shed as f64)
            .with("lostFrames", stats.frames_lost as f64)
            .with("audioGaps", stats.audio_gaps as f64)
            .with("lateAudio", stats.audio_late as f64)
            .with("audioUnderruns", self.audio.underruns())
            .with("audioQueued", self.audio.queued_millis())
            .with("decodeTime", millis(stats.decode_time))
            .with_some("skew", stats.skew_ms);
        match &self.mse {
            Some(mse) => mse.stats(message),
            None => message,
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.buffer.poll_output() {
            match output {
                Output::Decode(Decode { tag, show }) => match (&mut self.mse, tag.tag_type) {
                    (Some(mse), _) => mse.decode(&tag),
                    (None, TagType::Video) => self.video.decode(&tag, show),
                    (None, TagType::Audio) => self.audio.decode(&tag, show),
                    (None, TagType::Script) => {}
                },
                Output::Rate(rate) => match &mut self.mse {
                    Some(mse) => mse.set_rate(rate),
                    None => self.audio.set_rate(rate),
                },
                // The element's own standing and going on is what the page hears of.
                Output::Event(Event::Full | Event::Empty) if self.mse.is_some() => {}
                Output::Skipped { .. } => match &mut self.mse {
                    Some(mse) => mse.skip(),
                    None => {
                        self.video.drop_ready();
                        self.audio.flush();
                    }
                },
                Output::Event(event) => post_event(self.number, event),
            }
        }
    }
}

/// Tells the page what ActionScript calls `NetStream.Buffer.*`.
fn post_event(number: u32, event: Event) {
    let (code, description) = match event {
        Event::Full => (
            "NetStream.Buffer.Full",
            "the buffer is full, and the stream plays",
        ),
        Event::Empty => (
            "NetStream.Buffer.Empty",
            "nothing is left to play, and the buffer fills again",
        ),
        Event::Flush => (
            "NetStream.Buffer.Flush",
            "the stream has ended, and what is left of it plays",
        ),
    };
    post_status(Some(number), &Status::ok(code, description));
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
