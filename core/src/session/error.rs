use core::time::Duration;

use crate::{chunk, handshake, message};

use super::{Status, StreamKey};

/// What the owner of a session did wrong. The session is as it was before the call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The session has ended.
    #[error("the session is closed")]
    Closed,
    /// connect has not been called, or not been answered.
    #[error("not connected")]
    NotConnected,
    /// connect has been called, or answered, before.
    #[error("connect was already answered or sent")]
    AlreadyConnected,
    /// The stream was never created, or has been deleted.
    #[error("no stream {}", .0.0)]
    UnknownStream(StreamKey),
    /// The stream is not doing what the call is about.
    #[error("stream {} is not {expected}", .stream.0)]
    WrongState {
        /// Which stream.
        stream: StreamKey,
        /// What it would have to be doing.
        expected: &'static str,
    },
    /// As many streams as the limits allow are there.
    #[error("{limit} streams are the limit of a connection")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
    /// As many calls as the limits allow await their answer.
    #[error("{limit} calls in flight are the limit of a connection")]
    TooManyCalls {
        /// The limit.
        limit: usize,
    },
    /// A [`chunk::SharedMessage`](crate::chunk::SharedMessage) was encoded for another chunk size than this connection sends.
    #[error("encoded for chunk size {message}, but the connection sends {connection}")]
    ChunkSize {
        /// What the message was encoded for.
        message: u32,
        /// What the connection announced.
        connection: u32,
    },
    /// A message's length has 24 bits.
    #[error("a message of {length} bytes, over the limit of {limit}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: u32,
    },
    /// The peer did not announce that it can do this.
    #[error("the peer does not support {0}")]
    Unsupported(&'static str),
}

/// What the peer did wrong, beyond what a status or `_error` can answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It does not speak RTMP, or not plainly.
    #[error(transparent)]
    Handshake(#[from] handshake::Error),
    /// Its chunks are malformed or over a limit.
    #[error(transparent)]
    Chunk(#[from] chunk::Error),
    /// The values of a message are over a limit.
    #[error(transparent)]
    Message(#[from] message::Error),
    /// More of its calls than allowed await their answer.
    #[error("a call more than the {limit} that may await their answer")]
    TooManyCalls {
        /// The limit.
        limit: usize,
    },
    /// It asks for one stream more than allowed.
    #[error("a stream more than the limit of {limit}")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Timeout {
    /// The end of the handshake.
    #[error("the handshake did not end")]
    Handshake,
    /// connect, or its answer.
    #[error("connect was not sent or not answered")]
    Connect,
    /// Any sign of life.
    #[error("not a byte came, and no answer to a ping,")]
    Silence,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side's owner closed it.
    #[error("closed by this side")]
    Local,
    /// The peer's byte stream ended, or it said so by the command `close`.
    #[error("the peer closed the connection")]
    Eof,
    /// The server refused connect, or this side did.
    #[error("rejected: {} {}", .0.code, .0.description)]
    Rejected(Status),
    /// The peer let a deadline pass.
    #[error("{what} within {} s", .after.as_secs())]
    Timeout {
        /// What was waited for.
        what: Timeout,
        /// How long.
        after: Duration,
    },
    /// The peer's fault.
    #[error("protocol error: {0}")]
    Peer(#[from] PeerError),
}
