use bytes::Bytes;
use chalkcast_core::flv::audio::{Audio, PacketType, SoundFlags};
use chalkcast_core::flv::{AudioCodec, Tag, TagType};
use chalkcast_core::{Instant, Timestamp};
use js_sys::{Float32Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AudioData, AudioDataInit, AudioEncoder, AudioEncoderConfig, AudioEncoderInit,
    AudioSampleFormat, EncodedAudioChunk, MessageEvent, MessagePort,
};

use super::Epoch;
use super::encoding::Encoding;
use super::framer::Framer;
use crate::clock::{ForeignClock, signed};
use crate::handle::Callbacks;
use crate::page::{FromWorklet, Settings, reason, warn};
use crate::publishers::Handle;
use crate::samples::planes;

#[wasm_bindgen]
extern "C" {
    /// The module of `js/src/aac.ts`.
    type AacModule;
    #[wasm_bindgen(method, structural, js_name = "createEncoder")]
    fn create_encoder(this: &AacModule, sample_rate: f64, channels: usize, bitrate: f64)
    -> Promise;

    /// Which this version of web-sys leaves out.
    #[wasm_bindgen(js_namespace = AudioEncoder, js_name = "isConfigSupported")]
    fn is_config_supported(config: &AudioEncoderConfig) -> Promise;

    /// The `Encoder` of that module.
    type AacEncoder;
    #[wasm_bindgen(method, getter, structural)]
    fn description(this: &AacEncoder) -> Vec<u8>;
    #[wasm_bindgen(method, getter, structural)]
    fn priming(this: &AacEncoder) -> f64;
    #[wasm_bindgen(method, structural, catch)]
    fn encode(this: &AacEncoder, planar: &[f32]) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method, structural)]
    fn close(this: &AacEncoder);
}

/// Samples of a frame: AAC's is fixed, Opus' is 20 ms.
const AAC_FRAME: usize = 1024;
const OPUS_RATE: f64 = 48_000.0;
const OPUS_FRAME: usize = 960;
/// What libopus looks ahead at 48 kHz, in samples.
const OPUS_PRIMING: f64 = 312.0;

/// Encodes captured samples to AAC, or to Opus if the page asks for it.
pub(super) struct AudioTrack {
    number: u32,
    handle: Handle,
    load_aac: Function,
    settings: AudioSettings,
    clock: ForeignClock,
    /// Rate and channels of what comes, once something has.
    format: Option<(f64, usize)>,
    framer: Framer,
    encoder: Encoder,
    /// Samples by which the decoder's output lags what the encoder was given.
    priming: f64,
    record: Option<Bytes>,
    record_sent: bool,
    /// The next tag will not be earlier, in capture microseconds.
    frontier: Option<i64>,
    heard: Instant,
    _port: Option<Port>,
}

/// `AudioSettings` of the protocol.
struct AudioSettings {
    channels: usize,
    bitrate: f64,
    opus: bool,
}

enum Encoder {
    /// None yet, or none any more.
    Absent,
    Loading,
    Own(OwnEncoder),
    Browser(BrowserEncoder),
}

/// Closed when dropped.
struct OwnEncoder(AacEncoder);

struct BrowserEncoder {
    encoder: AudioEncoder,
    encoding: Encoding,
    _callbacks: Callbacks<dyn FnMut(JsValue, JsValue)>,
}

/// A capture worklet's port, heard until it is dropped.
struct Port {
    port: MessagePort,
    _message: Closure<dyn FnMut(JsValue)>,
}

impl AudioTrack {
    pub(super) fn new(
        number: u32,
        handle: Handle,
        load_aac: Function,
        settings: &Settings,
        port: Option<MessagePort>,
    ) -> Self {
        let channels = if settings.channels() >= 2.0 { 2 } else { 1 };
        let settings = AudioSettings {
            channels,
            bitrate: settings.bitrate(),
            opus: settings.codec() == "opus",
        };
        let port = port.map(|port| Port::new(port, number, &handle));
        Self {
            number,
            handle,
            load_aac,
            settings,
            clock: ForeignClock::default(),
            format: None,
            framer: Framer::new(OPUS_RATE, AAC_FRAME, 1),
            encoder: Encoder::Absent,
            priming: 0.0,
            record: None,
            record_sent: false,
            frontier: None,
            heard: Instant::ZERO,
            _port: port,
        }
    }

    /// Publishing begins: the next tag is the sequence header.
    pub(super) fn restart(&mut self) {
        self.record_sent = false;
    }

    pub(super) fn bitrate(&self) -> f64 {
        self.settings.bitrate
    }

    pub(super) fn is_opus(&self) -> bool {
        self.settings.opus
    }

    /// Rate in Hz and channels, once they are known.
    pub(super) fn format(&self) -> Option<(f64, usize)> {
        self.format
    }

    /// Capture microseconds before which nothing comes any more, while sound is coming.
    pub(super) fn frontier(&self, now: Instant) -> Option<i64> {
        let alive = self.record.is_some() && (now - self.heard).as_millis() < 500;
        self.frontier.filter(|_| alive)
    }

    /// What MediaStreamTrackProcessor gives.
    pub(super) fn data(
        &mut self,
        now: Instant,
        data: &AudioData,
        live: Option<&Epoch>,
    ) -> Vec<Tag> {
        let channels = planes(data);
        let (rate, timestamp) = (f64::from(data.sample_rate()), data.timestamp());
        data.close();
        channels
            .map(|channels| self.samples(now, rate, timestamp, &channels, live))
            .unwrap_or_default()
    }

    /// What the capture worklet posts.
    pub(super) fn posted(
        &mut self,
        now: Instant,
        message: &FromWorklet,
        live: Option<&Epoch>,
    ) -> Vec<Tag> {
        let rate = message.worklet_rate();
        let channels: Vec<Vec<f32>> = message
            .planes()
            .iter()
            .map(|plane| plane.unchecked_into::<Float32Array>().to_vec())
            .collect();
        self.samples(
            now,
            rate,
            message.current_frame() * 1e6 / rate,
            &channels,
            live,
        )
    }

    /// The browser's encoder has put out a frame.
    pub(super) fn encoded(
        &mut self,
        chunk: &EncodedAudioChunk,
        metadata: &JsValue,
        live: Option<&Epoch>,
    ) -> Vec<Tag> {
        if let Some(record) = super::video::description(metadata) {
            self.record = Some(record);
            self.record_sent = false;
        }
        let mut data = vec![0; chunk.byte_length() as usize];
        if chunk.copy_to_with_u8_slice(&mut data).is_err() {
            return Vec::new();
        }
        let Encoder::Browser(browser) = &mut self.encoder else {
            return Vec::new();
        };
        let begin = browser.encoding.taken(chunk.timestamp() as i64);
        self.frontier =
            Some(begin + chunk.duration().unwrap_or_default() as i64 - self.priming_micros());
        self.tags(begin, data.into(), live)
    }

    /// The next samples make a new encoder.
    pub(super) fn fail(&mut self, error: &JsValue) {
        warn(&format!("audio encoder: {}", reason(error)));
        self.encoder = Encoder::Absent;
        self.frontier = None;
    }

    /// The AAC encoder has been loaded.
    fn loaded(&mut self, encoder: OwnEncoder) {
        self.priming = encoder.0.priming();
        self.record = Some(encoder.0.description().into());
        self.record_sent = false;
        self.encoder = Encoder::Own(encoder);
    }

    fn samples(
        &mut self,
        now: Instant,
        rate: f64,
        timestamp: f64,
        channels: &[Vec<f32>],
        live: Option<&Epoch>,
    ) -> Vec<Tag> {
        let length = channels.first().map_or(0, Vec::len);
        if length == 0 {
            return Vec::new();
        }
        let format = (rate, self.settings.channels.min(channels.len()));
        if self.format != Some(format) {
            self.format = Some(format);
            self.clock = ForeignClock::default();
            self.encoder = Encoder::Absent;
            self.framer = Framer::new(
                rate,
                if self.settings.opus {
                    OPUS_FRAME
                } else {
                    AAC_FRAME
                },
                format.1,
            );
        }
        if matches!(self.encoder, Encoder::Absent) {
            self.load();
        }
        self.heard = now;
        // A buffer comes when its last sample has been captured.
        self.clock
            .observe(now, (timestamp + length as f64 * 1e6 / rate) as i64);
        self.framer.push(self.clock.map(timestamp as i64), channels);
        let mut tags = Vec::new();
        while let Some((begin, frame)) = self.framer.pop() {
            let encoded = match &mut self.encoder {
                Encoder::Own(encoder) => encoder.0.encode(&frame).map(Some),
                Encoder::Browser(browser) => browser.encode(begin, &frame, format).map(|()| None),
                Encoder::Absent | Encoder::Loading => Ok(None),
            };
            match encoded {
                Ok(Some(unit)) => tags.extend(self.tags(begin, unit.into(), live)),
                Ok(None) => {}
                Err(error) => self.fail(&error),
            }
        }
        if matches!(self.encoder, Encoder::Own(_)) {
            self.frontier = self.framer.next().map(|next| next - self.priming_micros());
        }
        tags
    }

    /// The sequence header if it was not sent yet, and a frame whose encoder was given samples captured from `begin` on.
    fn tags(&mut self, begin: i64, data: Bytes, live: Option<&Epoch>) -> Vec<Tag> {
        let mut tags = Vec::new();
        let timestamp = live.and_then(|epoch| epoch.timestamp(begin - self.priming_micros()));
        if let (Some(timestamp), Some(record)) = (timestamp, &self.record) {
            if !self.record_sent {
                self.record_sent = true;
                tags.extend(self.tag(timestamp, PacketType::SequenceStart, record.clone()));
            }
            tags.extend(self.tag(timestamp, PacketType::CodedFrames, data));
        }
        tags
    }

    fn tag(&self, timestamp: Timestamp, packet_type: PacketType, data: Bytes) -> Option<Tag> {
        let audio = if self.settings.opus {
            Audio::enhanced(AudioCodec::Opus, packet_type, data)
        } else {
            Audio::legacy(SoundFlags::AAC, AudioCodec::Aac, packet_type, data)
        };
        Some(Tag {
            tag_type: TagType::Audio,
            timestamp,
            payload: audio.encode().ok()?,
        })
    }

    fn priming_micros(&self) -> i64 {
        self.format
            .map_or(0, |(rate, _)| (self.priming * 1e6 / rate) as i64)
    }

    /// The browser's encoder where it has one, else ours.
    fn load(&mut self) {
        let Some((rate, channels)) = self.format else {
            return;
        };
        self.encoder = Encoder::Loading;
        let config = AudioEncoderConfig::new(
            if self.settings.opus {
                "opus"
            } else {
                "mp4a.40.2"
            },
            channels as u32,
            rate as u32,
        );
        config.set_bitrate_f64(self.settings.bitrate);
        let (number, bitrate, opus, load_aac) = (
            self.number,
            self.settings.bitrate,
            self.settings.opus,
            self.load_aac.clone(),
        );
        self.handle.spawn(move |handle| async move {
            let made = if opus || is_supported(&config).await {
                BrowserEncoder::new(number, &handle, &config).map(Encoder::Browser)
            } else {
                load(&load_aac, rate, channels, bitrate)
                    .await
                    .map(Encoder::Own)
            };
            handle.with(|publishers, _| {
                let Some(publisher) = publishers.find(number) else {
                    return;
                };
                let Some(track) = publisher.audio_track() else {
                    return;
                };
                match made {
                    Ok(Encoder::Own(encoder)) => track.loaded(encoder),
                    Ok(encoder) => {
                        track.priming = if opus {
                            OPUS_PRIMING
                        } else {
                            browser_aac_priming()
                        };
                        track.encoder = encoder;
                    }
                    // Not tried again before the source changes.
                    Err(error) => warn(&format!("no audio encoder: {}", reason(&error))),
                }
            });
        });
    }
}

impl BrowserEncoder {
    fn new(number: u32, handle: &Handle, config: &AudioEncoderConfig) -> Result<Self, JsValue> {
        let encoded = handle.clone();
        let output = Closure::new(move |chunk: JsValue, metadata: JsValue| {
            encoded.with(|publishers, now| {
                if let Some(publisher) = publishers.find(number) {
                    publisher.audio_encoded(now, chunk.unchecked_ref(), &metadata);
                }
            });
        });
        let error = handle.callback(move |publishers, _, error: JsValue| {
            if let Some(publisher) = publishers.find(number)
                && let Some(track) = publisher.audio_track()
            {
                track.fail(&error);
            }
        });
        let init = AudioEncoderInit::new(
            error.as_ref().unchecked_ref(),
            output.as_ref().unchecked_ref(),
        );
        let encoder = AudioEncoder::new(&init)?;
        encoder.configure(config)?;
        Ok(Self {
            encoder,
            encoding: Encoding::default(),
            _callbacks: (output, error),
        })
    }

    fn encode(
        &mut self,
        begin: i64,
        planar: &[f32],
        (rate, channels): (f64, usize),
    ) -> Result<(), JsValue> {
        let frames = planar.len() / channels;
        let samples = Float32Array::from(planar);
        let init = AudioDataInit::new(
            &samples,
            AudioSampleFormat::F32Planar,
            channels as u32,
            frames as u32,
            rate as f32,
            0,
        );
        init.set_timestamp_f64(begin as f64);
        let data = AudioData::new(&init)?;
        self.encoding.given(begin, frames as f64 * 1e6 / rate);
        let encoded = self.encoder.encode(&data);
        data.close();
        encoded
    }
}

impl Drop for BrowserEncoder {
    fn drop(&mut self) {
        let _ = self.encoder.close();
    }
}

impl Drop for OwnEncoder {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Port {
    fn new(port: MessagePort, number: u32, handle: &Handle) -> Self {
        let message = handle.callback(move |publishers, now, event: JsValue| {
            let message: FromWorklet = event
                .unchecked_into::<MessageEvent>()
                .data()
                .unchecked_into();
            if let Some(publisher) = publishers.find(number) {
                publisher.audio_posted(now, &message);
            }
        });
        // This also starts the port.
        port.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Self {
            port,
            _message: message,
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
        self.port.close();
    }
}

async fn is_supported(config: &AudioEncoderConfig) -> bool {
    let support = JsFuture::from(is_config_supported(config)).await;
    support
        .ok()
        .and_then(|support| Reflect::get(&support, &"supported".into()).ok())
        .is_some_and(|supported| supported.is_truthy())
}

async fn load(
    load_aac: &Function,
    rate: f64,
    channels: usize,
    bitrate: f64,
) -> Result<OwnEncoder, JsValue> {
    let module: Promise = load_aac.call0(&JsValue::NULL)?.unchecked_into();
    let module: AacModule = JsFuture::from(module).await?.unchecked_into();
    Ok(OwnEncoder(
        JsFuture::from(module.create_encoder(rate, channels, bitrate))
            .await?
            .unchecked_into(),
    ))
}

/// WebCodecs does not say: Apple's encoder primes by 2,112 samples, the others by 1,024.
fn browser_aac_priming() -> f64 {
    let agent = Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| Reflect::get(&navigator, &"userAgent".into()));
    let apple = agent
        .ok()
        .and_then(|agent| agent.as_string())
        .is_some_and(|agent| agent.contains("Mac OS"));
    if apple { 2112.0 } else { 1024.0 }
}

/// Capture microseconds as media time, without an epoch's refusal of what is before it.
pub(super) fn clamp(epoch: &Epoch, micros: i64) -> Timestamp {
    epoch
        .timestamp(micros.max(signed(epoch.origin())))
        .unwrap_or_default()
}
