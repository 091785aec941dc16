use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::audio::Playout;
use chalkcast_core::flv::audio::{Audio, PacketType};
use chalkcast_core::flv::{AudioConfig, Tag};
use chalkcast_core::jitter::{Input, JitterBuffer, Rate, Show};
use chalkcast_core::{Instant, Timestamp};
use js_sys::{Array, Float32Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    AudioData, AudioDecoder, AudioDecoderConfig, AudioDecoderInit, CodecState, EncodedAudioChunk,
    EncodedAudioChunkInit, EncodedAudioChunkType, MessageEvent, MessagePort,
};

use super::support::{audio_support, refuse, unless_supported};
use crate::clock::{ForeignClock, signed};
use crate::connection::Handle;
use crate::handle::Callbacks;
use crate::page::{FromWorklet, Message, reason, warn};
use crate::samples::planes;

/// Decodes sound and hands it to the worklet, whose clock leads while it sounds.
pub(crate) struct AudioPlayout {
    number: u32,
    handle: Handle,
    decoder: Option<Decoder>,
    config: Option<AudioConfig>,
    /// The browser does not decode that.
    refused: bool,
    /// Frames inside the decoder.
    decoding: VecDeque<(Timestamp, Show)>,
    /// Milliseconds by which their timestamps are ahead of what the decoder says.
    ahead: i32,
    output: Option<Output>,
    rate: Rate,
    /// Times that any worklet's queue has run dry.
    underruns: f64,
}

struct Decoder {
    decoder: AudioDecoder,
    _callbacks: Callbacks<dyn FnMut(JsValue)>,
}

/// The worklet at the other end of a port.
struct Output {
    port: MessagePort,
    /// Hz.
    sample_rate: f64,
    /// Microseconds from the worklet to the ear.
    latency: i64,
    running: bool,
    /// The context's clock, in microseconds of its frames.
    clock: ForeignClock,
    /// For decoded sound of so many channels and samples per second.
    playout: Option<((usize, u32), Playout)>,
    /// What is posted next does not follow what was posted before.
    broken: bool,
    /// Its underruns that have been counted.
    seen: f64,
    queued: f64,
    _message: Closure<dyn FnMut(JsValue)>,
}

/// More milliseconds than timestamps are rounded by, fewer than any codec's frame has.
const SWALLOWED: i32 = 12;
/// Sound that begins, or begins again, does so no sooner than this, so that the next samples come before it ends.
const CUSHION: Duration = Duration::from_millis(20);
/// Sound that is later than this is not begun with. What is less late is played, and the pictures follow it.
const LATE: Duration = Duration::from_millis(300);

impl AudioPlayout {
    pub(super) fn new(number: u32, handle: Handle) -> Self {
        Self {
            number,
            handle,
            decoder: None,
            config: None,
            refused: false,
            decoding: VecDeque::new(),
            ahead: 0,
            output: None,
            rate: Rate::NORMAL,
            underruns: 0.0,
        }
    }

    pub(super) fn set_output(&mut self, port: MessagePort, sample_rate: f64, latency: f64) {
        let number = self.number;
        let message = self
            .handle
            .callback(move |connection, now, event: JsValue| {
                let message: FromWorklet = event
                    .unchecked_into::<MessageEvent>()
                    .data()
                    .unchecked_into();
                if let Some(stream) = connection.stream(number) {
                    let (audio, buffer) = stream.player().audio();
                    audio.rendered(now, &message, buffer);
                }
            });
        // This also starts the port.
        port.set_onmessage(Some(message.as_ref().unchecked_ref()));
        self.output = Some(Output {
            port,
            sample_rate,
            latency: (latency * 1000.0) as i64,
            running: true,
            clock: ForeignClock::default(),
            playout: None,
            broken: true,
            seen: 0.0,
            queued: 0.0,
            _message: message,
        });
    }

    pub(super) fn output_state(&mut self, running: bool, latency: f64) {
        if let Some(output) = &mut self.output {
            output.latency = (latency * 1000.0) as i64;
            if running != output.running {
                output.running = running;
                // Its frames did not count on while it stood still.
                output.clock = ForeignClock::default();
                output.flush(self.rate);
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.flush();
        self.decoder = None;
        self.config = None;
        self.decoding.clear();
    }

    /// Sound that is not yet heard will not be.
    pub(super) fn flush(&mut self) {
        if let Some(output) = &mut self.output {
            output.flush(self.rate);
        }
        for (_, show) in &mut self.decoding {
            *show = Show::Never;
        }
    }

    pub(super) fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
        if let Some((_, playout)) = self
            .output
            .as_mut()
            .and_then(|output| output.playout.as_mut())
        {
            playout.set_rate(rate);
        }
    }

    /// From the worklet to the ear; zero while nothing sounds.
    pub(super) fn latency(&self) -> Duration {
        let output = self.output.as_ref().filter(|output| output.running);
        Duration::from_micros(output.map_or(0, |output| output.latency.max(0)) as u64)
    }

    pub(super) fn underruns(&self) -> f64 {
        self.underruns
    }

    /// Sound inside the worklet, in milliseconds.
    pub(super) fn queued_millis(&self) -> f64 {
        self.output
            .as_ref()
            .map_or(0.0, |output| output.queued * 1000.0 / output.sample_rate)
    }

    pub(super) fn decode(&mut self, tag: &Tag, show: Show) {
        let Ok(audio) = Audio::parse(&tag.payload) else {
            return;
        };
        let Some(track) = audio.tracks.into_iter().next() else {
            return;
        };
        let config = match audio.packet_type {
            PacketType::SequenceStart => AudioConfig::parse(track.codec, &track.data).ok(),
            PacketType::CodedFrames => AudioConfig::from_frame(track.codec, &track.data),
            _ => None,
        };
        let same = config == self.config && (self.decoder.is_some() || self.refused);
        if config.is_some() && !same {
            self.config = config;
            self.refused = false;
            match self.build() {
                Ok(()) => self.ask(),
                Err(error) => self.fail(&error),
            }
        }
        // Sound that nobody hears is not decoded.
        let heard = self.output.as_ref().is_some_and(|output| output.running);
        if audio.packet_type == PacketType::CodedFrames
            && heard
            && let Err(error) = self.submit(tag.timestamp, &track.data, show)
        {
            self.fail(&error);
        }
    }

    /// Samples have come out of the decoder.
    pub(crate) fn decoded(&mut self, now: Instant, data: &AudioData, buffer: &JitterBuffer) {
        if let (Some((timestamp, Show::At(_))), Some(output)) =
            (self.given(data.timestamp()), &mut self.output)
        {
            output.play(now, timestamp, data, self.rate, buffer);
        }
        data.close();
    }

    /// What the samples at `micros` were decoded from: the oldest frame inside the decoder. Decoders count samples on from
    /// their first timestamp, so theirs slowly leaves ours, and stays behind after a gap; but where theirs is suddenly
    /// ahead, frames went in and never came out.
    fn given(&mut self, micros: f64) -> Option<(Timestamp, Show)> {
        let theirs = Timestamp::from_millis((micros / 1000.0).round() as u32);
        let expected = theirs.offset(self.ahead);
        while self.decoding.front()?.0.since(expected) < -SWALLOWED {
            self.decoding.pop_front();
        }
        let found = self.decoding.pop_front()?;
        self.ahead = found.0.since(theirs);
        Some(found)
    }

    /// The worklet says what it plays.
    fn rendered(&mut self, now: Instant, message: &FromWorklet, buffer: &mut JitterBuffer) {
        let Some(output) = &mut self.output else {
            return;
        };
        let frame = (message.current_frame() * 1e6 / output.sample_rate) as i64;
        let rendered = output.clock.observe(now, frame);
        output.queued = message.queued();
        if message.underruns() != output.seen {
            self.underruns += message.underruns() - output.seen;
            output.seen = message.underruns();
            output.broken = true;
        }
        if let (Some(tag), true) = (message.tag(), output.clock.is_settled()) {
            let frame = (message.received() * 1e6 / output.sample_rate) as i64;
            let delivered = Input::Delivered {
                timestamp: Timestamp::from_millis(tag),
                at: output.clock.map(frame),
            };
            buffer.handle_input(now, delivered);
        }
        if let (Some(timestamp), true) = (message.timestamp(), output.running) {
            let heard =
                timestamp * 1000.0 + (signed(now) - signed(rendered) - output.latency) as f64;
            let timestamp = Timestamp::from_millis((heard / 1000.0).round() as i64 as u32);
            buffer.handle_input(now, Input::Rendered { timestamp });
        }
    }

    fn build(&mut self) -> Result<(), JsValue> {
        let Some(config) = &self.config else {
            return Ok(());
        };
        if self
            .decoder
            .as_ref()
            .is_none_or(|decoder| decoder.decoder.state() == CodecState::Closed)
        {
            self.decoder = Some(Decoder::new(self.number, &self.handle)?);
            self.decoding.clear();
            self.ahead = 0;
        }
        match &self.decoder {
            Some(decoder) => decoder.decoder.configure(&init(config)),
            None => Ok(()),
        }
    }

    /// Asks whether the browser decodes what is configured, and says so to the page if not.
    fn ask(&self) {
        let Some(config) = self.config.clone() else {
            return;
        };
        let (number, handle) = (self.number, self.handle.clone());
        unless_supported(&audio_support(&init(&config)), move || {
            handle.with(|connection, _| {
                if let Some(stream) = connection.stream(number) {
                    let audio = stream.player().audio().0;
                    if audio.config.as_ref() == Some(&config) {
                        audio.refused = true;
                        audio.decoder = None;
                        refuse(number, "sound", &config.codec_string);
                    }
                }
            });
        });
    }

    fn submit(&mut self, timestamp: Timestamp, data: &[u8], show: Show) -> Result<(), JsValue> {
        if self.refused {
            return Ok(());
        }
        if self.decoder.is_none() {
            self.build()?;
        }
        let Some(Decoder { decoder, .. }) = &self.decoder else {
            return Ok(());
        };
        let init =
            EncodedAudioChunkInit::new(&Uint8Array::from(data), 0, EncodedAudioChunkType::Key);
        init.set_timestamp_f64(f64::from(timestamp.as_millis()) * 1000.0);
        self.decoding.push_back((timestamp, show));
        decoder.decode(&EncodedAudioChunk::new(&init)?)
    }

    /// The next frame makes a new decoder.
    pub(crate) fn fail(&mut self, error: &JsValue) {
        warn(&format!("audio decoder: {}", reason(error)));
        self.decoder = None;
        self.decoding.clear();
    }
}

impl Output {
    /// Posts decoded samples: behind those before them, or for the instant at which they are due.
    fn play(
        &mut self,
        now: Instant,
        timestamp: Timestamp,
        data: &AudioData,
        rate: Rate,
        buffer: &JitterBuffer,
    ) {
        let Some(planes) = planes(data) else { return };
        let format = (planes.len(), data.sample_rate() as u32);
        if self
            .playout
            .as_ref()
            .is_none_or(|(before, _)| *before != format)
        {
            let mut playout = Playout::new(format.0, format.1, self.sample_rate as u32);
            playout.set_rate(rate);
            self.playout = Some((format, playout));
        }
        let Some((_, playout)) = &mut self.playout else {
            return;
        };
        playout.push(
            timestamp,
            &planes.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        );
        while let Some(block) = playout.pull() {
            let frames = block.channels.first().map_or(0, Vec::len) as f64;
            let seconds = frames / self.sample_rate;
            let mut message = Message::new("samples")
                .with("tag", timestamp.as_millis())
                .with("timestamp", block.timestamp)
                .with("duration", seconds * 1000.0 * rate.total());
            if block.fresh || self.broken {
                self.broken = true;
                let due = buffer.sound_at(now, Timestamp::from_millis(block.timestamp as u32));
                let at = self.clock.unmap(due.max(now + CUSHION));
                let (Some(at), true) = (at, due + LATE > now) else {
                    continue;
                };
                message = message.with(
                    "at",
                    ((at - self.latency) as f64 * self.sample_rate / 1e6).round(),
                );
            }
            self.broken = false;
            let channels: Array = block
                .channels
                .iter()
                .map(|plane| Float32Array::from(plane.as_slice()))
                .collect();
            let transfer: Array = channels
                .iter()
                .map(|plane| plane.unchecked_into::<Float32Array>().buffer())
                .collect();
            // Fails for a port that is closed, where nobody listens.
            let _ = self.port.post_message_with_transferable(
                &message.with("channels", channels).into_object(),
                &transfer,
            );
        }
    }

    fn flush(&mut self, rate: Rate) {
        self.broken = true;
        if let Some((_, playout)) = &mut self.playout {
            playout.skip(rate);
        }
        let _ = self.port.post_message(&Message::new("flush").into_object());
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
        self.port.close();
    }
}

impl Decoder {
    fn new(number: u32, handle: &Handle) -> Result<Self, JsValue> {
        let output = handle.callback(move |connection, now, data: JsValue| {
            let data: AudioData = data.unchecked_into();
            match connection.stream(number) {
                Some(stream) => {
                    let (audio, buffer) = stream.player().audio();
                    audio.decoded(now, &data, buffer);
                }
                None => data.close(),
            }
        });
        let error = handle.callback(move |connection, _, error: JsValue| {
            if let Some(stream) = connection.stream(number) {
                stream.player().audio().0.fail(&error);
            }
        });
        let init = AudioDecoderInit::new(
            error.as_ref().unchecked_ref(),
            output.as_ref().unchecked_ref(),
        );
        Ok(Self {
            decoder: AudioDecoder::new(&init)?,
            _callbacks: (output, error),
        })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // Fails when it has closed itself by an error.
        let _ = self.decoder.close();
    }
}

fn init(config: &AudioConfig) -> AudioDecoderConfig {
    let init = AudioDecoderConfig::new(
        &config.codec_string,
        u32::from(config.channels),
        config.sample_rate,
    );
    if !config.description.is_empty() {
        init.set_description(&Uint8Array::from(&config.description[..]));
    }
    init
}
