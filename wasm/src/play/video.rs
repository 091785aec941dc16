use std::collections::VecDeque;

use bytes::Bytes;
use chalkcast_core::flv::video::{FrameType, PacketType, Video};
use chalkcast_core::flv::{Tag, VideoCodec, VideoConfig};
use chalkcast_core::jitter::{Input, JitterBuffer, Show};
use chalkcast_core::{Instant, Timestamp};
use js_sys::{Object, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    CodecState, EncodedVideoChunk, EncodedVideoChunkInit, EncodedVideoChunkType, OffscreenCanvas,
    OffscreenCanvasRenderingContext2d, VideoDecoder, VideoDecoderConfig, VideoDecoderInit,
    VideoFrame, VideoFrameInit,
};

use super::pacer::Pacer;
use super::support::{refuse, unless_supported, video_support};
use crate::connection::Handle;
use crate::handle::Callbacks;
use crate::page::{Message, reason, set, warn};

/// Decodes pictures, keeps each until its instant, and draws it.
pub(crate) struct VideoPlayout {
    number: u32,
    handle: Handle,
    decoder: Option<Decoder>,
    /// Of the newest sequence header.
    config: Option<VideoConfig>,
    /// The browser does not decode that.
    refused: bool,
    /// Nothing can be decoded before a keyframe.
    wants_keyframe: bool,
    failed: bool,
    /// Whether a picture of this stream has been drawn.
    pictured: bool,
    /// What is inside the decoder, by presentation time.
    decoding: VecDeque<(Timestamp, Show)>,
    /// Decoded pictures that are not due yet, in presentation order.
    ready: VecDeque<(Timestamp, VideoFrame)>,
    pacer: Pacer,
    /// Drawn, and told as shown when the display refreshes.
    drawn: Option<Timestamp>,
    surface: Option<Surface>,
    size: (u32, u32),
    dropped: u64,
}

struct Decoder {
    decoder: VideoDecoder,
    _callbacks: Callbacks<dyn FnMut(JsValue)>,
}

struct Surface {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
}

impl VideoPlayout {
    pub(super) fn new(number: u32, handle: Handle) -> Self {
        Self {
            number,
            pacer: Pacer::new(number, &handle),
            drawn: None,
            handle,
            decoder: None,
            config: None,
            refused: false,
            wants_keyframe: true,
            failed: false,
            pictured: false,
            decoding: VecDeque::new(),
            ready: VecDeque::new(),
            surface: None,
            size: (0, 0),
            dropped: 0,
        }
    }

    /// A canvas can have its context made once; the page gives each canvas once.
    pub(super) fn set_canvas(&mut self, canvas: Option<OffscreenCanvas>) {
        self.surface = canvas.and_then(|canvas| {
            let options = Object::new();
            set(&options, "alpha", &JsValue::FALSE);
            set(&options, "desynchronized", &JsValue::TRUE);
            let context = canvas
                .get_context_with_context_options("2d", &options)
                .ok()??;
            Some(Surface {
                canvas,
                context: context.unchecked_into(),
            })
        });
        // Its first picture is told to the page, which then takes away what is below.
        self.size = (0, 0);
    }

    pub(super) fn reset(&mut self) {
        self.drop_ready();
        self.decoder = None;
        self.config = None;
        self.decoding.clear();
        self.wants_keyframe = true;
        self.pictured = false;
        self.drawn = None;
    }

    /// What is decoded and not yet shown will not be.
    pub(super) fn drop_ready(&mut self) {
        for (_, frame) in self.ready.drain(..) {
            frame.close();
        }
        for (_, show) in &mut self.decoding {
            *show = Show::Never;
        }
    }

    pub(super) fn decode(&mut self, tag: &Tag, show: Show) {
        // What the core cannot read, the decoder could not either.
        let Ok(video) = Video::parse(&tag.payload) else {
            return;
        };
        let Some(track) = video.tracks.into_iter().next() else {
            return;
        };
        match video.packet_type {
            PacketType::SequenceStart => self.configure(track.codec, track.data),
            PacketType::CodedFrames => {
                let key = matches!(video.frame_type, FrameType::Key | FrameType::GeneratedKey);
                let timestamp = tag.timestamp.offset(track.composition_time);
                if let Err(error) = self.submit(timestamp, key, &track.data, show) {
                    self.fail(&error);
                }
            }
            _ => {}
        }
    }

    /// A picture has come out of the decoder.
    pub(crate) fn decoded(&mut self, now: Instant, frame: VideoFrame, buffer: &mut JitterBuffer) {
        let timestamp = Timestamp::from_millis((frame.timestamp() / 1000.0).round() as u32);
        let at = self.decoding.iter().position(|(at, _)| *at == timestamp);
        let show = at.map_or(Show::Never, |at| self.decoding[at].1);
        // Pictures come out in the order of presentation: those before it have been swallowed.
        self.decoding.retain(|(at, _)| at.is_after(timestamp));
        buffer.handle_input(now, Input::Decoded { timestamp });
        match show {
            Show::Never => frame.close(),
            // The first picture stands while the buffer fills.
            Show::At(at) if !self.pictured && at <= now => {
                self.draw(&frame);
                buffer.handle_input(now, Input::Shown { timestamp });
                frame.close();
            }
            Show::At(_) => {
                let earlier = |(ready, _): &&(Timestamp, VideoFrame)| !ready.is_after(timestamp);
                let at = self.ready.iter().take_while(earlier).count();
                self.ready.insert(at, (timestamp, frame));
            }
        }
    }

    pub(super) fn set_hidden(&mut self, hidden: bool) {
        self.pacer.set_hidden(hidden);
    }

    /// The display refreshes: draws what is to be on it.
    pub(super) fn refresh(&mut self, now: Instant, buffer: &mut JitterBuffer) {
        self.pacer.refreshed(now);
        buffer.set_display_latency(now, self.pacer.latency());
        let until = now + self.pacer.half();
        self.draw_due(now, buffer, &|_, due| due <= until);
        self.tell_shown(now, buffer);
    }

    /// Draws what the next refresh shows before it comes, since a big picture takes half of what lies between two; by timer where none comes.
    pub(super) fn settle(&mut self, now: Instant, buffer: &mut JitterBuffer) {
        self.draw_due(now, buffer, &|pacer, due| {
            pacer.turn(now, due).is_some_and(|at| at <= now)
        });
        if self.pacer.fallback().is_some_and(|at| at <= now) {
            self.draw_due(now, buffer, &|_, due| due <= now);
            self.tell_shown(now, buffer);
        }
        if !self.ready.is_empty() || self.drawn.is_some() {
            self.pacer.ask(now);
        }
    }

    pub(super) fn poll_timeout(&self, now: Instant, buffer: &JitterBuffer) -> Option<Instant> {
        let (timestamp, _) = self.ready.front()?;
        let due = buffer.show_at(now, *timestamp);
        let by_timer = || Some(due.max(self.pacer.fallback()?));
        self.pacer.turn(now, due).or_else(by_timer)
    }

    fn tell_shown(&mut self, now: Instant, buffer: &mut JitterBuffer) {
        if let Some(timestamp) = self.drawn.take() {
            buffer.handle_input(now, Input::Shown { timestamp });
            // The next refresh tells how long one lasts.
            self.pacer.ask(now);
        }
    }

    /// Draws the picture that the buffer chooses, and lets those before it go.
    fn draw_due(
        &mut self,
        now: Instant,
        buffer: &mut JitterBuffer,
        is_due: &dyn Fn(&Pacer, Instant) -> bool,
    ) {
        let ready = self.ready.iter().map(|(timestamp, _)| *timestamp);
        let choice = buffer.choose(now, ready, &|due| is_due(&self.pacer, due));
        for left in (0..choice.gone).rev() {
            let Some((timestamp, frame)) = self.ready.pop_front() else {
                break;
            };
            if left == 0 && choice.draw {
                self.draw(&frame);
                self.drawn = Some(timestamp);
            } else {
                self.dropped += 1;
            }
            frame.close();
        }
    }

    /// Whether the decoder has failed since the last time.
    pub(super) fn take_failed(&mut self) -> bool {
        std::mem::take(&mut self.failed)
    }

    /// A copy of what the surface shows, for a page whose browser takes the surface away with the Worker.
    pub(super) fn picture(&self) -> Option<VideoFrame> {
        // It may be of a stream that is played no more.
        let surface = self.surface.as_ref().filter(|_| self.size != (0, 0))?;
        let init = VideoFrameInit::new();
        init.set_timestamp(0);
        VideoFrame::new_with_offscreen_canvas_and_video_frame_init(&surface.canvas, &init).ok()
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Pictures decoded and never drawn, because the next was due as well or they were out of step with their sound.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn configure(&mut self, codec: VideoCodec, record: Bytes) {
        let Ok(config) = VideoConfig::parse(codec, &record) else {
            let name = codec.fourcc().map(|fourcc| fourcc.to_string());
            return refuse(
                self.number,
                "picture",
                name.as_deref().unwrap_or("this codec"),
            );
        };
        if self.config.as_ref() == Some(&config) && (self.decoder.is_some() || self.refused) {
            return;
        }
        self.config = Some(config);
        self.refused = false;
        self.wants_keyframe = true;
        match self.build() {
            Ok(()) => self.ask(),
            Err(error) => self.fail(&error),
        }
    }

    /// Asks whether the browser decodes what is configured, and says so to the page if not.
    fn ask(&self) {
        let Some(config) = self.config.clone() else {
            return;
        };
        let (number, handle) = (self.number, self.handle.clone());
        unless_supported(&video_support(&init(&config)), move || {
            handle.with(|connection, _| {
                if let Some(stream) = connection.stream(number) {
                    let video = stream.player().video().0;
                    if video.config.as_ref() == Some(&config) {
                        video.refused = true;
                        video.decoder = None;
                        refuse(number, "picture", &config.codec_string);
                    }
                }
            });
        });
    }

    /// Configures the decoder, a new one if the last is gone.
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
        }
        match &self.decoder {
            Some(decoder) => decoder.decoder.configure(&init(config)),
            None => Ok(()),
        }
    }

    fn submit(
        &mut self,
        timestamp: Timestamp,
        key: bool,
        data: &[u8],
        show: Show,
    ) -> Result<(), JsValue> {
        if self.config.is_none() || self.refused || (self.wants_keyframe && !key) {
            return Ok(());
        }
        if self.decoder.is_none() {
            self.build()?;
        }
        let Some(Decoder { decoder, .. }) = &self.decoder else {
            return Ok(());
        };
        let kind = if key {
            EncodedVideoChunkType::Key
        } else {
            EncodedVideoChunkType::Delta
        };
        let init = EncodedVideoChunkInit::new(&Uint8Array::from(data), 0, kind);
        init.set_timestamp_f64(f64::from(timestamp.as_millis()) * 1000.0);
        self.wants_keyframe = false;
        self.decoding.push_back((timestamp, show));
        decoder.decode(&EncodedVideoChunk::new(&init)?)
    }

    /// The next keyframe makes a new decoder.
    pub(crate) fn fail(&mut self, error: &JsValue) {
        warn(&format!("video decoder: {}", reason(error)));
        self.decoder = None;
        self.decoding.clear();
        self.wants_keyframe = true;
        self.failed = true;
    }

    fn draw(&mut self, frame: &VideoFrame) {
        self.pictured = true;
        let size = (frame.display_width(), frame.display_height());
        if size != self.size {
            self.size = size;
            if let Some(surface) = &self.surface {
                surface.resize(size.0, size.1);
            }
            Message::new("videoSize")
                .with("stream", self.number)
                .with("width", size.0)
                .with("height", size.1)
                .post();
        }
        if let Some(surface) = &self.surface {
            // Fails for a frame that is closed, which this one is not.
            let _ = surface.context.draw_image_with_video_frame(frame, 0.0, 0.0);
        }
    }
}

impl Drop for VideoPlayout {
    fn drop(&mut self) {
        self.drop_ready();
    }
}

impl Decoder {
    fn new(number: u32, handle: &Handle) -> Result<Self, JsValue> {
        let output = handle.callback(move |connection, now, frame: JsValue| {
            let frame: VideoFrame = frame.unchecked_into();
            match connection.stream(number) {
                Some(stream) => {
                    let (video, buffer) = stream.player().video();
                    video.decoded(now, frame, buffer);
                }
                None => frame.close(),
            }
        });
        let error = handle.callback(move |connection, _, error: JsValue| {
            if let Some(stream) = connection.stream(number) {
                stream.player().video().0.fail(&error);
            }
        });
        let init = VideoDecoderInit::new(
            error.as_ref().unchecked_ref(),
            output.as_ref().unchecked_ref(),
        );
        Ok(Self {
            decoder: VideoDecoder::new(&init)?,
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

impl Surface {
    fn resize(&self, width: u32, height: u32) {
        self.canvas.set_width(width);
        self.canvas.set_height(height);
    }
}

fn init(config: &VideoConfig) -> VideoDecoderConfig {
    let init = VideoDecoderConfig::new(&config.codec_string);
    if !config.description.is_empty() {
        init.set_description(&Uint8Array::from(&config.description[..]));
    }
    init.set_optimize_for_latency(true);
    init
}
