use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::{ClientSession, Event, Phase, Play, Purpose};
use crate::amf0::Value;
use crate::flv::Tag;
use crate::message::UserControl;
use crate::session::arguments::play_start_number;
use crate::session::media::{as_data_frame, script_tag};
use crate::session::{PlayOptions, PublishKind, Status, StreamKey, Transition, UsageError, code};
use crate::{Instant, Timestamp};

/// A NetStream of the owner's.
#[derive(Debug)]
pub(super) struct Stream {
    created: Created,
    activity: Activity,
    /// Sent with each play.
    buffer_length: Option<Duration>,
    /// Of the last tag sent.
    timestamp: Timestamp,
}

/// Whether the server knows the stream.
#[derive(Debug)]
enum Created {
    /// createStream has not been sent or not been answered: this is what waits for it.
    Awaited(VecDeque<Request>),
    /// Under this message stream id.
    As(u32),
}

/// What is asked of the server about a stream.
#[derive(Debug)]
enum Request {
    /// A command on the stream's own message stream.
    Command(&'static str, Vec<Value>),
    /// A command the owner named.
    Other(String, Vec<Value>),
    /// A command on message stream 0 whose answer does not matter.
    Connection(&'static str, Vec<Value>),
    BufferLength(Duration),
    Delete,
}

/// What a stream is used for.
#[derive(Debug, Default, PartialEq)]
enum Activity {
    #[default]
    Idle,
    /// publish was sent under this name; `ready` once it is answered.
    Publishing {
        name: String,
        ready: bool,
    },
    Playing,
    /// Given up before createStream was answered.
    Deleted,
}

impl Stream {
    pub(super) const fn id(&self) -> Option<u32> {
        match self.created {
            Created::As(id) => Some(id),
            Created::Awaited(_) => None,
        }
    }

    pub(super) fn is_playing(&self) -> bool {
        self.activity == Activity::Playing
    }
}

impl ClientSession {
    /// Makes a NetStream, usable at once, even before connect is answered: what is asked of it is sent when createStream is answered.
    pub fn create_stream(&mut self, _now: Instant) -> Result<StreamKey, UsageError> {
        self.open()?;
        let limit = self.config.limits.streams;
        if self.streams.len() >= limit {
            return Err(UsageError::TooManyStreams { limit });
        }
        let key = StreamKey(self.next_stream);
        self.next_stream += 1;
        let created = Created::Awaited(VecDeque::new());
        let stream = Stream {
            created,
            activity: Activity::Idle,
            buffer_length: None,
            timestamp: Timestamp::ZERO,
        };
        self.streams.insert(key.0, stream);
        if matches!(self.phase, Phase::Connected) {
            self.send_create_stream(key);
        }
        Ok(key)
    }

    /// Publishes `name`. Answered by [`Event::PublishReady`] or an [`Event::Status`] of level error.
    pub fn publish(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        name: &str,
        kind: PublishKind,
    ) -> Result<(), UsageError> {
        self.stream(stream)?.activity = Activity::Publishing {
            name: name.to_string(),
            ready: false,
        };
        if self.config.fc_commands {
            self.request(
                stream,
                Request::Connection("releaseStream", vec![name.into()]),
            )?;
            self.request(stream, Request::Connection("FCPublish", vec![name.into()]))?;
        }
        let kind = match kind {
            PublishKind::Live => "live",
            PublishKind::Record => "record",
            PublishKind::Append => "append",
        };
        self.request(
            stream,
            Request::Command("publish", vec![name.into(), kind.into()]),
        )
    }

    /// Plays. Answered by [`Event::Status`].
    pub fn play(&mut self, _now: Instant, stream: StreamKey, play: Play) -> Result<(), UsageError> {
        let Play {
            name,
            start,
            duration,
            reset,
        } = play;
        self.stream(stream)?;
        if self.config.fc_commands {
            self.request(
                stream,
                Request::Connection("FCSubscribe", vec![name.as_str().into()]),
            )?;
        }
        let duration = duration.map_or(-1000.0, |duration| duration.as_millis() as f64);
        let arguments = vec![
            name.into(),
            play_start_number(start).into(),
            duration.into(),
            reset.into(),
        ];
        self.start_playing(stream, "play", arguments)
    }

    /// Plays something else, or changes to it (§7.2.2.2). Answered by [`Event::Status`].
    pub fn play2(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        options: &PlayOptions,
    ) -> Result<(), UsageError> {
        let arguments = vec![options.to_object().into()];
        if options.transition != Transition::Stop {
            return self.start_playing(stream, "play2", arguments);
        }
        self.stream(stream)?.activity = Activity::Idle;
        self.request(stream, Request::Command("play2", arguments))
    }

    /// Calls any method on a stream, without waiting for an answer. The command object is null.
    pub fn send_command(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<(), UsageError> {
        self.request(stream, Request::Other(name.to_string(), arguments))
    }

    /// Pauses at `position`, or resumes from it.
    pub fn pause(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        paused: bool,
        position: Timestamp,
    ) -> Result<(), UsageError> {
        self.request(
            stream,
            Request::Command("pause", vec![paused.into(), position.as_millis().into()]),
        )
    }

    /// Seeks to `position`.
    pub fn seek(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        position: Timestamp,
    ) -> Result<(), UsageError> {
        self.request(
            stream,
            Request::Command("seek", vec![position.as_millis().into()]),
        )
    }

    /// Whether audio is wanted.
    pub fn receive_audio(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        on: bool,
    ) -> Result<(), UsageError> {
        self.request(stream, Request::Command("receiveAudio", vec![on.into()]))
    }

    /// Whether video is wanted.
    pub fn receive_video(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        on: bool,
    ) -> Result<(), UsageError> {
        self.request(stream, Request::Command("receiveVideo", vec![on.into()]))
    }

    /// Tells the server how long this side's buffer is, now and with every later play on this stream.
    pub fn set_buffer_length(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        length: Duration,
    ) -> Result<(), UsageError> {
        let state = self.stream(stream)?;
        state.buffer_length = Some(length);
        if state.is_playing() {
            self.request(stream, Request::BufferLength(length))
        } else {
            Ok(())
        }
    }

    /// Stops publishing or playing; the stream can be used again.
    pub fn close_stream(&mut self, _now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        self.unpublish(stream)?;
        self.request(stream, Request::Command("closeStream", Vec::new()))
    }

    /// Stops publishing or playing, and gives the stream up.
    pub fn delete_stream(&mut self, _now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        self.unpublish(stream)?;
        let asked_for = matches!(self.phase, Phase::Connected);
        match &mut self.stream(stream)?.created {
            Created::Awaited(waiting) if asked_for => {
                // The answer to createStream tells what there is to delete.
                waiting.push_back(Request::Delete);
                self.stream(stream)?.activity = Activity::Deleted;
                return Ok(());
            }
            Created::Awaited(_) => {}
            Created::As(id) => {
                let id = *id;
                self.send_request(id, Request::Delete);
            }
        }
        self.streams.remove(stream.0);
        Ok(())
    }

    /// Sends a tag of a stream being published, from [`Event::PublishReady`] on. `onMetaData` is sent as `@setDataFrame`.
    pub fn send_tag(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        tag: &Tag,
    ) -> Result<(), UsageError> {
        let id = self.publishing(stream)?;
        match as_data_frame(tag) {
            Some(data_frame) => self.transport.send_tag(id, &data_frame)?,
            None => self.transport.send_tag(id, tag)?,
        }
        self.stream(stream)?.timestamp = tag.timestamp;
        Ok(())
    }

    /// Sends a data message on a stream being published, at the timestamp of the last tag.
    pub fn send_data(
        &mut self,
        _now: Instant,
        stream: StreamKey,
        name: &str,
        values: Vec<Value>,
    ) -> Result<(), UsageError> {
        let id = self.publishing(stream)?;
        let timestamp = self.stream(stream)?.timestamp;
        self.transport
            .send_tag(id, &script_tag(timestamp, name, &values))
    }

    pub(super) fn send_create_stream(&mut self, key: StreamKey) {
        match self.calls.begin(Purpose::CreateStream(key)) {
            Ok(id) => {
                self.transport
                    .send_call(0, "createStream", id.transaction_id(), Vec::new());
            }
            Err(error) => self.stream_refused(key, error.to_string().into()),
        }
    }

    /// createStream was answered: what waited for it is sent.
    pub(super) fn stream_created(&mut self, key: StreamKey, id: u32) {
        let Some(stream) = self.streams.get_mut(key.0) else {
            return self.transport.ignore();
        };
        let Created::Awaited(waiting) = mem::replace(&mut stream.created, Created::As(id)) else {
            return self.transport.ignore();
        };
        if stream.activity == Activity::Deleted {
            self.streams.remove(key.0);
        }
        for request in waiting {
            self.send_request(id, request);
        }
    }

    /// createStream failed: there is no such stream.
    pub(super) fn stream_refused(&mut self, key: StreamKey, why: Value) {
        let Some(stream) = self.streams.remove(key.0) else {
            return self.transport.ignore();
        };
        if stream.activity == Activity::Deleted {
            return;
        }
        let mut status = Status::from_value(why);
        status.level = crate::session::Level::Error;
        if status.code.is_empty() {
            status.code = code::STREAM_FAILED.into();
        }
        if status.description.is_empty() {
            status.description = "the answer to createStream names no new stream".to_string();
        }
        self.transport.event(Event::Status {
            stream: Some(key),
            status,
        });
    }

    /// What a status means for the stream it is about. Answers whether it can be published to from here on.
    pub(super) fn stream_status(&mut self, key: StreamKey, status: &Status) -> bool {
        let stream = self.streams.get_mut(key.0);
        let Some(Activity::Publishing { ready, .. }) = stream.map(|stream| &mut stream.activity)
        else {
            return false;
        };
        match &*status.code {
            code::PUBLISH_START => !mem::replace(ready, true),
            // The end of an earlier publish may come after the next one was asked for.
            code::UNPUBLISH_SUCCESS if !*ready => false,
            code::PUBLISH_BAD_NAME
            | code::PUBLISH_DENIED
            | code::STREAM_FAILED
            | code::UNPUBLISH_SUCCESS => {
                if let Some(stream) = self.streams.get_mut(key.0) {
                    stream.activity = Activity::Idle;
                }
                false
            }
            _ => false,
        }
    }

    /// Plays by this command, and says how long the buffer is.
    fn start_playing(
        &mut self,
        stream: StreamKey,
        command: &'static str,
        arguments: Vec<Value>,
    ) -> Result<(), UsageError> {
        let state = self.stream(stream)?;
        state.activity = Activity::Playing;
        let buffer_length = state.buffer_length;
        self.request(stream, Request::Command(command, arguments))?;
        match buffer_length {
            Some(length) => self.request(stream, Request::BufferLength(length)),
            None => Ok(()),
        }
    }

    fn stream(&mut self, stream: StreamKey) -> Result<&mut Stream, UsageError> {
        self.open()?;
        let state = self
            .streams
            .get_mut(stream.0)
            .filter(|state| state.activity != Activity::Deleted);
        state.ok_or(UsageError::UnknownStream(stream))
    }

    /// The message stream id of a stream whose publish was answered.
    fn publishing(&mut self, stream: StreamKey) -> Result<u32, UsageError> {
        match self.stream(stream)? {
            Stream {
                created: Created::As(id),
                activity: Activity::Publishing { ready: true, .. },
                ..
            } => Ok(*id),
            _ => Err(UsageError::WrongState {
                stream,
                expected: "publishing",
            }),
        }
    }

    /// Ends what the stream does, on this side, and says FCUnpublish where FCPublish was said.
    fn unpublish(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        match mem::take(&mut self.stream(stream)?.activity) {
            Activity::Publishing { name, .. } if self.config.fc_commands => self.request(
                stream,
                Request::Connection("FCUnpublish", vec![name.into()]),
            ),
            _ => Ok(()),
        }
    }

    /// Sends a request, or keeps it until createStream is answered.
    fn request(&mut self, stream: StreamKey, request: Request) -> Result<(), UsageError> {
        let limit = self.config.limits.commands_in_flight;
        match &mut self.stream(stream)?.created {
            Created::Awaited(waiting) if waiting.len() >= limit => {
                return Err(UsageError::TooManyCalls { limit });
            }
            Created::Awaited(waiting) => waiting.push_back(request),
            Created::As(id) => {
                let id = *id;
                self.send_request(id, request);
            }
        }
        Ok(())
    }

    fn send_request(&mut self, id: u32, request: Request) {
        match request {
            Request::Command(name, arguments) => {
                self.transport.send_call(id, name, 0.0, arguments);
            }
            Request::Other(name, arguments) => self.transport.send_call(id, &name, 0.0, arguments),
            Request::Connection(name, arguments) => {
                let transaction_id = self.calls.begin_unawaited().transaction_id();
                self.transport.send_call(0, name, transaction_id, arguments);
            }
            Request::BufferLength(length) => {
                self.transport
                    .send_user_control(UserControl::set_buffer_length(id, length));
            }
            Request::Delete => {
                self.transport
                    .send_call(0, "deleteStream", 0.0, vec![id.into()]);
            }
        }
    }
}
