//! A NetStream: it publishes, or it plays.

use std::time::Duration;

use chalkcast_core::flv::{Tag, TagType, script::ScriptData};
use chalkcast_core::session::client::{ClientSession, Play};
use chalkcast_core::session::{PlayStart, PublishKind, Status, StreamKey, UsageError, code};
use chalkcast_core::{Instant, Timestamp};
use wasm_bindgen::prelude::*;

use crate::amf;
use crate::connection::Handle;
use crate::connection::post_status;
use crate::page::{Message, ToWorker};
use crate::play::Player;

#[wasm_bindgen]
extern "C" {
    /// The publishers of the connection, which are another file's: `Publishers` of `wasm/src/publishers.rs`, reached through the Worker. What is said here
    /// arrives after the call in which it was said.
    #[derive(Clone)]
    pub type Publishing;
    /// The server waits for the stream's tags.
    #[wasm_bindgen(method, structural)]
    fn start(this: &Publishing, stream: u32, buffer_time: f64);
    #[wasm_bindgen(method, structural)]
    fn stop(this: &Publishing, stream: u32);
    #[wasm_bindgen(method, structural, js_name = "setBufferTime")]
    fn set_buffer_time(this: &Publishing, stream: u32, buffer_time: f64);
    /// The peer has acknowledged more of what was sent.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn acknowledged(this: &Publishing);
    /// There is no such stream any more.
    #[wasm_bindgen(method, structural)]
    fn remove(this: &Publishing, stream: u32);
}

/// One of the page's NetStreams.
pub(crate) struct Stream {
    number: u32,
    key: StreamKey,
    player: Player,
    publishing: Publishing,
    buffer_time: f64,
    playing: bool,
}

impl Stream {
    pub(crate) fn new(number: u32, key: StreamKey, handle: Handle, publishing: Publishing) -> Self {
        let now = handle.now();
        Self {
            number,
            key,
            player: Player::new(number, handle, now),
            publishing,
            buffer_time: 0.0,
            playing: false,
        }
    }

    /// The page's number for this stream.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The session's name for this stream.
    pub(crate) fn key(&self) -> StreamKey {
        self.key
    }

    pub(crate) fn player(&mut self) -> &mut Player {
        &mut self.player
    }

    /// A message of the page's about this stream.
    pub(crate) fn told(
        &mut self,
        now: Instant,
        session: &mut ClientSession,
        kind: &str,
        message: &ToWorker,
    ) {
        let key = self.key;
        let done = match kind {
            "publish" => {
                let kind = match message.what().as_str() {
                    "record" => PublishKind::Record,
                    "append" => PublishKind::Append,
                    _ => PublishKind::Live,
                };
                session.publish(now, key, &message.name(), kind)
            }
            "play" => self.play(now, session, message),
            "closeStream" => {
                self.playing = false;
                self.player.stop(now);
                self.publishing.stop(self.number);
                session.close_stream(now, key)
            }
            "pause" => {
                let position = self.player.position(now);
                self.player.pause(now, message.paused());
                session.pause(now, key, message.paused(), position)
            }
            "seek" => session.seek(now, key, seconds(message.offset())),
            "receiveAudio" => session.receive_audio(now, key, message.on()),
            "receiveVideo" => session.receive_video(now, key, message.on()),
            "bufferTime" => {
                let buffer_time = duration(message.buffer_time());
                self.player.set_buffer_time(
                    now,
                    buffer_time,
                    message.buffer_time_max().map(duration),
                );
                self.buffer_time = message.buffer_time();
                self.publishing
                    .set_buffer_time(self.number, self.buffer_time);
                session.set_buffer_length(now, key, buffer_time)
            }
            "send" => session.send_data(now, key, &message.name(), amf::from_array(message.args())),
            "canvas" => {
                self.player.set_canvas(message.canvas());
                Ok(())
            }
            "renderer" => {
                self.player.set_renderer(now, message);
                Ok(())
            }
            "mediaState" => {
                self.player.media_state(now, message);
                Ok(())
            }
            "mediaFailed" => {
                self.player.media_failed(now, message.source());
                Ok(())
            }
            "audioOutput" => {
                if let Some(port) = message.port() {
                    self.player.set_audio_output(
                        now,
                        port,
                        message.sample_rate(),
                        message.output_latency(),
                    );
                }
                Ok(())
            }
            "audioOutputState" => {
                self.player
                    .audio_output_state(now, message.running(), message.output_latency());
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            self.refused(kind, &error);
        }
    }

    /// What the server says of this stream.
    pub(crate) fn status(&mut self, now: Instant, status: &Status) {
        match &*status.code {
            code::PLAY_PUBLISH_NOTIFY => self.player.begin(now),
            code::PLAY_UNPUBLISH_NOTIFY => self.player.end(now),
            code::PUBLISH_BAD_NAME | code::PUBLISH_DENIED | code::UNPUBLISH_SUCCESS => {
                self.publishing.stop(self.number)
            }
            _ => {}
        }
    }

    pub(crate) fn publish_ready(&self) {
        self.publishing.start(self.number, self.buffer_time);
    }

    /// A tag of what is played. Script data goes to the page's `client` at once, as Flash does it for live streams.
    pub(crate) fn tag(&mut self, now: Instant, tag: Tag) {
        if tag.tag_type == TagType::Script {
            if let Ok(data) = ScriptData::parse(&tag.payload) {
                if data.name == "onMetaData" {
                    self.player.metadata(&data);
                }
                Message::new("invoke")
                    .with("stream", self.number)
                    .with("name", data.name)
                    .with("args", amf::to_array(&data.values))
                    .post();
            }
        } else {
            self.player.tag(now, tag);
        }
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        self.player.begin(now);
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.player.end(now);
    }

    /// Plays what is due.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.player.settle(now);
    }

    /// When [`Stream::settle`] has something to do again.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.player.poll_timeout(now)
    }

    pub(crate) fn post_stats(&mut self, now: Instant) {
        if self.playing {
            self.player.stats(now).post_as_stats(self.number);
        }
    }

    fn play(
        &mut self,
        now: Instant,
        session: &mut ClientSession,
        message: &ToWorker,
    ) -> Result<(), UsageError> {
        let mut play = Play::new(message.name());
        play.start = match message.start() {
            start if start >= 0.0 => PlayStart::Recorded(seconds(start)),
            -1.0 => PlayStart::Live,
            _ => PlayStart::LiveOrRecorded,
        };
        play.duration = (message.length() >= 0.0).then(|| duration(message.length()));
        let reset = message.reset();
        play.reset = reset
            .as_bool()
            .unwrap_or_else(|| reset.as_f64() != Some(0.0));
        self.playing = true;
        self.player.start(now);
        session.play(now, self.key, play)
    }

    fn refused(&self, what: &str, error: &UsageError) {
        post_status(
            Some(self.number),
            &Status::error(code::STREAM_FAILED, format!("{what}: {error}")),
        );
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.publishing.remove(self.number);
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as u32)
}
