//! The server's side of a connection.

mod config;
mod event;

use alloc::vec::Vec;

pub use config::Config;
pub use event::{ConnectRequest, Event};

use super::{CallId, Output, Reply, Stats, Status, StreamKey, UsageError};
use crate::Instant;
use crate::amf0::Value;
use crate::chunk::SharedMessage;
use crate::flv::Tag;
use crate::message::SharedObject;

/// A NetConnection and its NetStreams, as the server sees them.
#[derive(Debug)]
pub struct ServerSession {}

impl ServerSession {
    /// A session that waits for the client's handshake.
    pub fn new(config: Config, now: Instant) -> Self {
        let _ = (config, now);
        Self {}
    }

    /// Takes in bytes from the client, in pieces of any size.
    pub fn handle_input(&mut self, now: Instant, input: &[u8]) {
        let _ = (now, input);
    }

    /// The client's byte stream has ended.
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

    /// Lets the client in.
    pub fn accept_connect(&mut self, now: Instant) -> Result<(), UsageError> {
        let _ = now;
        Ok(())
    }

    /// Turns the client away, as `_error` with this status (`NetConnection.Connect.Rejected`), and ends the session.
    pub fn reject_connect(&mut self, now: Instant, status: Status) -> Result<(), UsageError> {
        let _ = (now, status);
        Ok(())
    }

    /// Lets the client publish: `NetStream.Publish.Start`. Its tags follow as [`Event::Tag`].
    pub fn accept_publish(&mut self, now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        let _ = (now, stream);
        Ok(())
    }

    /// Refuses to let the client publish, with a status of level error (`NetStream.Publish.BadName`).
    pub fn reject_publish(
        &mut self,
        now: Instant,
        stream: StreamKey,
        status: Status,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, status);
        Ok(())
    }

    /// Lets the client play: Stream Begin, `NetStream.Play.Reset` (if it asked to), `NetStream.Play.Start`, `|RtmpSampleAccess`,
    /// `NetStream.Data.Start`. From here on tags can be sent.
    pub fn accept_play(&mut self, now: Instant, stream: StreamKey) -> Result<(), UsageError> {
        let _ = (now, stream);
        Ok(())
    }

    /// Refuses to let the client play, with a status of level error (`NetStream.Play.StreamNotFound`).
    pub fn reject_play(
        &mut self,
        now: Instant,
        stream: StreamKey,
        status: Status,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, status);
        Ok(())
    }

    /// Sends an onStatus on a stream.
    pub fn send_status(
        &mut self,
        now: Instant,
        stream: StreamKey,
        status: Status,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, status);
        Ok(())
    }

    /// User control Stream Begin: what is played has begun, again.
    pub fn stream_begin(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        let _ = stream;
        Ok(())
    }

    /// User control Stream EOF: what is played has ended.
    pub fn stream_eof(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        let _ = stream;
        Ok(())
    }

    /// User control StreamDry: what is played has sent nothing for a while.
    pub fn stream_dry(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        let _ = stream;
        Ok(())
    }

    /// User control StreamIsRecorded: what is played is a recording.
    pub fn stream_is_recorded(&mut self, stream: StreamKey) -> Result<(), UsageError> {
        let _ = stream;
        Ok(())
    }

    /// Sends a message that was encoded once for every viewer to a stream that plays.
    ///
    /// Fails with [`UsageError::ChunkSize`] if it was encoded for another chunk size than this session's.
    pub fn send_shared(
        &mut self,
        stream: StreamKey,
        message: &SharedMessage,
    ) -> Result<(), UsageError> {
        let _ = (stream, message);
        Ok(())
    }

    /// Sends a tag to a stream that plays.
    pub fn send_tag(
        &mut self,
        now: Instant,
        stream: StreamKey,
        tag: &Tag,
    ) -> Result<(), UsageError> {
        let _ = (now, stream, tag);
        Ok(())
    }

    /// Calls a method of the client's NetConnection, or of a NetStream. Answered by [`Event::CallResult`].
    pub fn call(
        &mut self,
        now: Instant,
        stream: Option<StreamKey>,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<CallId, UsageError> {
        let _ = (now, stream, name, arguments);
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

    /// Asks the client to connect again, to `tc_url` or where it is connected now (Enhanced RTMP v2).
    ///
    /// Fails with [`UsageError::Unsupported`] if the client did not say that it can.
    pub fn request_reconnect(
        &mut self,
        now: Instant,
        tc_url: Option<&str>,
        description: &str,
    ) -> Result<(), UsageError> {
        let _ = (now, tc_url, description);
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

    /// Ends the session: a last status of the connection's, if there is one (`NetConnection.Connect.AppShutdown`), then [`Event::Closed`].
    pub fn close(&mut self, now: Instant, status: Option<Status>) {
        let _ = (now, status);
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
