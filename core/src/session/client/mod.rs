//! The client's side of a connection.

mod config;
mod event;

use alloc::vec::Vec;
use core::time::Duration;

pub use config::{Config, Connect, Play};
pub use event::Event;

use super::{CallId, Output, PublishKind, Reply, Stats, StreamKey, UsageError};
use crate::Instant;
use crate::amf0::Value;
use crate::flv::Tag;
use crate::message::SharedObject;

/// A NetConnection and its NetStreams, as the client sees them.
#[derive(Debug)]
pub struct ClientSession {}

impl ClientSession {
    /// A session whose first output is the start of the handshake (C0, C1).
    pub fn new(config: Config, now: Instant) -> Self {
        let _ = (config, now);
        Self {}
    }

    /// Takes in bytes from the server, in pieces of any size.
    pub fn handle_input(&mut self, now: Instant, input: &[u8]) {
        let _ = (now, input);
    }

    /// The server's byte stream has ended.
    pub fn handle_eof(&mut self, now: Instant) {
        let _ = now;
    }

    /// To be called at the instant of [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// What the session wants done next. To be drained after every call that takes `&mut self`.
    pub fn poll_output(&mut self) -> Option<Output<Event>> {
        None
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless input comes first.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Asks to be let in, once the handshake is over. Answered by [`Event::Connected`], or by an [`Event::Status`] and [`Event::Closed`].
    pub fn connect(&mut self, now: Instant, connect: Connect) -> Result<(), UsageError> {
        let _ = (now, connect);
        Ok(())
    }

    /// Calls a method of the server's. Answered by [`Event::CallResult`].
    pub fn call(
        &mut self,
        now: Instant,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<CallId, UsageError> {
        let _ = (now, name, arguments);
        Err(UsageError::Closed)
    }

    /// Answers an [`Event::Call`]: `Ok` as `_result`, `Err` as `_error`.
    pub fn reply(
        &mut self,
        now: Instant,
        reply: Reply,
        result: Result<Value, Value>,
    ) -> Result<(), UsageError> {
        let _ = (now, reply, result);
        Ok(())
    }

    /// Makes a NetStream, usable at once, even before connect is answered: what is asked of it is sent when createStream is answered.
    pub fn create_stream(&mut self, now: Instant) -> Result<StreamKey, UsageError> {
        let _ = now;
        Err(UsageError::Closed)
    }

    /// Publishes `name`. Answered by [`Event::PublishReady`] or an [`Event::Status`] of level error.
    pub fn publish(
        &mut self,
        now: Instant,
        stream: StreamKey,
        name: &str,
        kind: PublishKind,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, name, kind);
        Ok(())
    }

    /// Plays. Answered by [`Event::Status`].
    pub fn play(&mut self, now: Instant, stream: StreamKey, play: Play) -> Result<(), UsageError> {
        let _ = (now, stream, play);
        Ok(())
    }

    /// Calls any method on a stream (play2, say), without waiting for an answer. The command object is null.
    pub fn send_command(
        &mut self,
        now: Instant,
        stream: StreamKey,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, name, arguments);
        Ok(())
    }

    /// Pauses at `position`, or resumes from it.
    pub fn pause(
        &mut self,
        now: Instant,
        stream: StreamKey,
        paused: bool,
        position: crate::Timestamp,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, paused, position);
        Ok(())
    }

    /// Seeks to `position`.
    pub fn seek(
        &mut self,
        now: Instant,
        stream: StreamKey,
        position: crate::Timestamp,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, position);
        Ok(())
    }

    /// Whether audio is wanted.
    pub fn receive_audio(
        &mut self,
        now: Instant,
        stream: StreamKey,
        on: bool,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, on);
        Ok(())
    }

    /// Whether video is wanted.
    pub fn receive_video(
        &mut self,
        now: Instant,
        stream: StreamKey,
        on: bool,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, on);
        Ok(())
    }

    /// Tells the server how long this side's buffer is, now and with every later play on this stream.
    pub fn set_buffer_length(
        &mut self,
        now: Instant,
        stream: StreamKey,
        length: Duration,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, length);
        Ok(())
    }

    /// Stops publishing or playing; the stream can be used again.
    pub fn close_stream(&mut self, now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        let _ = (now, stream);
        Ok(())
    }

    /// Stops publishing or playing, and gives the stream up.
    pub fn delete_stream(&mut self, now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        let _ = (now, stream);
        Ok(())
    }

    /// Sends a tag of a stream being published, from [`Event::PublishReady`] on. `onMetaData` is sent as `@setDataFrame`.
    pub fn send_tag(
        &mut self,
        now: Instant,
        stream: StreamKey,
        tag: &Tag,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, tag);
        Ok(())
    }

    /// Sends a data message on a stream being published, at the timestamp of the last tag.
    pub fn send_data(
        &mut self,
        now: Instant,
        stream: StreamKey,
        name: &str,
        values: Vec<Value>,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, name, values);
        Ok(())
    }

    /// Sends a shared object message.
    pub fn send_shared_object(
        &mut self,
        now: Instant,
        object: &SharedObject,
    ) -> Result<(), UsageError> {
        let _ = (now, object);
        Ok(())
    }

    /// Ends the session: what is left to say, then [`Event::Closed`].
    pub fn close(&mut self, now: Instant) {
        let _ = now;
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
