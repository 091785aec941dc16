use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::{Event, ServerSession};
use crate::amf0::Value;
use crate::chunk::SharedMessage;
use crate::flv::Tag;
use crate::message::UserControl;
use crate::session::media::script_tag;
use crate::session::{Status, StreamKey, Transition, UsageError, code};
use crate::{Instant, Timestamp};

/// A NetStream of the client's.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) activity: Activity,
}

/// What a NetStream is used for.
#[derive(Debug, Default)]
pub(super) enum Activity {
    #[default]
    Idle,
    /// publish awaits the owner's answer. Some clients send media at once: it waits here.
    PublishRequested {
        name: String,
        held: Held,
    },
    Publishing {
        name: String,
    },
    /// play or play2 awaits the owner's answer.
    PlayRequested {
        name: String,
        reset: bool,
        /// Of play2: says what is told of the start.
        transition: Transition,
    },
    Playing,
}

/// Tags that came before publish was answered.
#[derive(Debug, Default)]
pub(super) struct Held {
    tags: Vec<Tag>,
    bytes: usize,
}

impl Held {
    /// Keeps a tag, or answers that there is no room.
    pub(super) fn push(&mut self, tag: Tag) -> bool {
        const TAGS: usize = 256;
        const BYTES: usize = 1 << 20;
        self.bytes += tag.payload.len();
        let fits = self.tags.len() < TAGS && self.bytes <= BYTES;
        if fits {
            self.tags.push(tag);
        }
        fits
    }
}

impl ServerSession {
    /// Lets the client publish: Stream Begin and `NetStream.Publish.Start`. Its tags follow as [`Event::Tag`].
    pub fn accept_publish(&mut self, _now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        let activity = self.activity(stream)?;
        let Activity::PublishRequested { name, held } = activity else {
            return Err(UsageError::WrongState {
                stream,
                expected: "asking to publish",
            });
        };
        let (name, held) = (core::mem::take(name), core::mem::take(held));
        *activity = Activity::Publishing { name: name.clone() };
        self.transport
            .send_user_control(UserControl::StreamBegin(stream.0));
        self.on_status(
            stream.0,
            &Status::ok(code::PUBLISH_START, format!("{name} is now published.")),
        );
        for tag in held.tags {
            self.transport.event(Event::Tag { stream, tag });
        }
        Ok(())
    }

    /// Refuses to let the client publish, with a status of level error (`NetStream.Publish.BadName`).
    pub fn reject_publish(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        status: Status,
    ) -> Result<(), UsageError> {
        self.reject(stream, &status, "asking to publish", |activity| {
            matches!(activity, Activity::PublishRequested { .. })
        })
    }

    /// Lets the client play: Stream Begin, `NetStream.Play.Reset` (if it asked to), `NetStream.Play.Start`, `|RtmpSampleAccess`,
    /// `NetStream.Data.Start`. From here on tags can be sent.
    pub fn accept_play(&mut self, _now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        let activity = self.activity(stream)?;
        let Activity::PlayRequested {
            name,
            reset,
            transition,
        } = activity
        else {
            return Err(UsageError::WrongState {
                stream,
                expected: "asking to play",
            });
        };
        let (name, reset, transition) = (core::mem::take(name), *reset, *transition);
        *activity = Activity::Playing;
        self.transport
            .send_user_control(UserControl::StreamBegin(stream.0));
        if reset {
            self.on_status(
                stream.0,
                &Status::ok(code::PLAY_RESET, format!("Playing and resetting {name}.")),
            );
        }
        let start = if transition.replaces() {
            Status::ok(code::PLAY_TRANSITION, format!("Transitioned to {name}."))
        } else {
            Status::ok(code::PLAY_START, format!("Started playing {name}."))
        };
        self.on_status(stream.0, &start.with("details", name));
        self.send_script(stream, "|RtmpSampleAccess", &[true.into(), true.into()]);
        let data_start = crate::amf0::Object::new().with("code", code::DATA_START);
        self.send_script(stream, "onStatus", &[data_start.into()]);
        if transition.replaces() {
            let complete = Status::ok(code::PLAY_TRANSITION_COMPLETE, "").to_object();
            self.send_script(stream, "onPlayStatus", &[complete.into()]);
        }
        Ok(())
    }

    /// Refuses to let the client play, with a status of level error (`NetStream.Play.StreamNotFound`).
    pub fn reject_play(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        status: Status,
    ) -> Result<(), UsageError> {
        self.reject(stream, &status, "asking to play", |activity| {
            matches!(activity, Activity::PlayRequested { .. })
        })
    }

    /// Sends an onStatus on a stream.
    pub fn send_status(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        status: Status,
    ) -> Result<(), UsageError> {
        self.activity(stream)?;
        self.on_status(stream.0, &status);
        Ok(())
    }

    /// User control Stream Begin: what is played has begun, again.
    pub fn stream_begin(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        self.stream_event(stream, UserControl::StreamBegin(stream.0))
    }

    /// User control Stream EOF: what is played has ended.
    pub fn stream_eof(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        self.stream_event(stream, UserControl::StreamEof(stream.0))
    }

    /// User control StreamDry: what is played has sent nothing for a while.
    pub fn stream_dry(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        self.stream_event(stream, UserControl::StreamDry(stream.0))
    }

    /// User control StreamIsRecorded: what is played is a recording.
    pub fn stream_is_recorded(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        self.stream_event(stream, UserControl::StreamIsRecorded(stream.0))
    }

    /// Sends a message that was encoded once for every viewer to a stream that plays.
    ///
    /// Fails with [`UsageError::ChunkSize`] if it was encoded for another chunk size than this session's.
    pub fn send_shared(
        &mut self,
        stream: StreamKey,
        message: &SharedMessage,
    ) -> Result<(), UsageError> {
        let connection = self.transport.chunk_size();
        if message.chunk_size() != connection {
            return Err(UsageError::ChunkSize {
                message: message.chunk_size(),
                connection,
            });
        }
        self.playing(stream)?;
        self.transport.send_shared(message, stream.0);
        Ok(())
    }

    /// Counts bytes of shared messages that the owner has put into the byte stream itself, in a place where
    /// [`poll_output`](Self::poll_output) had nothing more.
    pub fn sent_shared(&mut self, bytes: usize) {
        self.transport.count_sent(bytes);
    }

    /// Sends a tag to a stream that plays.
    pub fn send_tag(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        tag: &Tag,
    ) -> Result<(), UsageError> {
        self.playing(stream)?;
        self.transport.send_tag(stream.0, tag)
    }

    /// Sends onStatus on a message stream.
    pub(super) fn on_status(&mut self, message_stream_id: u32, status: &Status) {
        let information = vec![status.to_object().into()];
        self.transport
            .send_call(message_stream_id, "onStatus", 0.0, information);
    }

    /// Makes a stream idle because the client said so; tells a publisher that it is done.
    pub(super) fn end_use(&mut self, id: u32) {
        let stream = self.streams.get(&id);
        let published = match stream.map(|stream| &stream.activity) {
            Some(Activity::Publishing { name }) => Some(format!("{name} is now unpublished.")),
            _ => None,
        };
        self.stop(id);
        if let Some(description) = published {
            self.on_status(id, &Status::ok(code::UNPUBLISH_SUCCESS, description));
        }
    }

    /// Makes a stream idle; tells the owner if it was in use.
    pub(super) fn stop(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if !matches!(core::mem::take(&mut stream.activity), Activity::Idle) {
            self.transport.event(Event::StreamClosed {
                stream: StreamKey(id),
            });
        }
    }

    pub(super) fn activity(&mut self, stream: StreamKey) -> Result<&mut Activity, UsageError> {
        self.open()?;
        self.streams
            .get_mut(&stream.0)
            .map(|stream| &mut stream.activity)
            .ok_or(UsageError::UnknownStream(stream))
    }

    /// Makes a stream idle that is `expected` to be asking for something, and tells the client why.
    fn reject(
        &mut self,
        stream: StreamKey,
        status: &Status,
        expected: &'static str,
        is_asking: fn(&Activity) -> bool,
    ) -> Result<(), UsageError> {
        let activity = self.activity(stream)?;
        if !is_asking(activity) {
            return Err(UsageError::WrongState { stream, expected });
        }
        *activity = Activity::Idle;
        self.on_status(stream.0, status);
        Ok(())
    }

    fn playing(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        match self.activity(stream)? {
            Activity::Playing => Ok(()),
            _ => Err(UsageError::WrongState {
                stream,
                expected: "playing",
            }),
        }
    }

    fn stream_event(&mut self, stream: StreamKey, event: UserControl) -> Result<(), UsageError> {
        self.activity(stream)?;
        self.transport.send_user_control(event);
        Ok(())
    }

    /// Script data of the session's own, which is never too long to send.
    fn send_script(&mut self, stream: StreamKey, name: &str, values: &[Value]) {
        let sent = self
            .transport
            .send_tag(stream.0, &script_tag(Timestamp::ZERO, name, values));
        debug_assert!(sent.is_ok());
    }
}
