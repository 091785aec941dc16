//! Playing: tags through the jitter buffer to the decoders, pictures to the canvas and sound to the worklet when they are due.

mod audio;
mod video;

use std::time::Duration;

use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::jitter::{Config, Decode, Event, Input, JitterBuffer, Output};
use chalkcast_core::session::Status;
use chalkcast_core::{Instant, Timestamp};
use web_sys::{MessagePort, OffscreenCanvas};

use crate::connection::post_status;
use crate::handle::Handle;
use crate::page::Message;
use audio::AudioPlayout;
pub(crate) use audio::planes;
use video::VideoPlayout;

/// Three pictures at 30 a second, and sound enough that a busy decoder does not interrupt it.
const DECODE_LEAD: Duration = Duration::from_millis(100);

/// What a NetStream plays.
pub(crate) struct Player {
    number: u32,
    buffer: JitterBuffer,
    buffer_time: Duration,
    buffer_time_max: Option<Duration>,
    video: VideoPlayout,
    audio: AudioPlayout,
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
        self.video.reset();
        self.audio.reset();
        let config = Config {
            decode_lead: DECODE_LEAD,
            buffer_time: self.buffer_time,
            buffer_time_max: self.buffer_time_max,
            ..Config::default()
        };
        self.buffer = JitterBuffer::new(config, now);
        self.paused = false;
        self.first = None;
    }

    pub(crate) fn pause(&mut self, now: Instant, paused: bool) {
        self.paused = paused;
        self.audio.flush();
        self.video.drop_ready();
        if !paused {
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
        self.buffer.set_buffer_time(now, buffer_time);
        self.buffer.set_buffer_time_max(now, max);
    }

    pub(crate) fn set_canvas(&mut self, canvas: Option<OffscreenCanvas>) {
        self.video.set_canvas(canvas);
    }

    /// `sample_rate` in Hz, `latency` in milliseconds.
    pub(crate) fn set_audio_output(&mut self, port: MessagePort, sample_rate: f64, latency: f64) {
        self.audio.set_output(port, sample_rate, latency);
    }

    pub(crate) fn audio_output_state(&mut self, running: bool, latency: f64) {
        self.audio.output_state(running, latency);
    }

    pub(crate) fn tag(&mut self, now: Instant, tag: Tag) {
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
        self.video.show_due(now, &mut self.buffer);
        if self.video.take_failed() {
            self.buffer.handle_input(now, Input::DecoderReset);
        }
        self.drain();
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
        let (width, height) = self.video.size();
        let position = self.position(now);
        let time = self.first.map_or(0, |first| position.since(first)).max(0);
        let dropped =
            stats.frames_skipped + stats.frames_shed + stats.frames_lost + self.video.dropped();
        Message::default()
            .with("role", "play")
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
            .with_some("skew", stats.skew_ms)
    }

    fn drain(&mut self) {
        while let Some(output) = self.buffer.poll_output() {
            match output {
                Output::Decode(Decode { tag, show }) => match tag.tag_type {
                    TagType::Video => self.video.decode(&tag, show),
                    TagType::Audio => self.audio.decode(&tag, show),
                    TagType::Script => {}
                },
                Output::Rate(rate) => self.audio.set_rate(rate),
                Output::Skipped { .. } => {
                    self.video.drop_ready();
                    self.audio.flush();
                }
                Output::Event(event) => {
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
                    post_status(Some(self.number), &Status::ok(code, description));
                }
            }
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
