//! Client and server sessions: one RTMP connection each, from the first handshake byte to the close.
//!
//! Both sides have the four verbs of the crate, and end the same way: the last event is `Closed { reason }`, after which
//! input is ignored and every call is a [`UsageError::Closed`]. What was queued before it is still to be sent.

mod acknowledge;
mod arguments;
mod calls;
pub mod client;
mod enhanced;
mod error;
mod limits;
mod media;
mod play_options;
pub mod server;
mod status;
mod transport;

pub use enhanced::Enhanced;
pub use error::{CloseReason, PeerError, Timeout, UsageError};
pub use limits::{Limits, Timers};
pub use play_options::{PlayOptions, Transition};
pub use status::{Level, Status, code};

use alloc::sync::Arc;

use crate::Timestamp;
use crate::chunk::Transmit;

/// What a session wants its owner to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<E> {
    /// Bytes for the peer: first the head, then the body. The order of `Transmit`s is the order of the byte stream.
    Transmit(Transmit),
    /// Something the owner should know.
    Event(E),
}

/// A NetStream of this connection.
///
/// A client's keys count from 1 in the order of `create_stream`. A server's are the message stream ids it handed out, and
/// none is handed out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(pub(crate) u32);

impl StreamKey {
    /// The number behind the key, for logs and for maps of the owner's.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

/// A call made to the peer, named again when its result comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// The call's number on the wire.
    const fn transaction_id(self) -> f64 {
        self.0 as f64
    }
}

/// The right to answer a call of the peer's, once. Dropping it leaves the call unanswered; until then it counts as in flight.
#[derive(Debug, PartialEq)]
pub struct Reply {
    transaction_id: f64,
    message_stream_id: u32,
    _in_flight: Arc<()>,
}

/// Which AMF a connection's commands are encoded in (`objectEncoding` of connect, §7.2.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectEncoding {
    /// AMF0, which every peer reads.
    #[default]
    Amf0,
    /// AMF3: messages of type 17 and 15 behind AMF0's envelope.
    Amf3,
}

/// What a server should do with what is published (§7.2.2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublishKind {
    /// Relay it, keep nothing.
    #[default]
    Live,
    /// Relay it and record it in a new file.
    Record,
    /// Relay it and add to the recording there is.
    Append,
}

/// Where a play begins (§7.2.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlayStart {
    /// The live stream of that name, else the recording, else wait for the live stream: -2, the default.
    #[default]
    LiveOrRecorded,
    /// Only the live stream; if there is none, wait for it: -1.
    Live,
    /// The recording, from this many milliseconds into it: 0 or more.
    Recorded(Timestamp),
}

/// Figures of one connection since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes taken in, the handshake included.
    pub bytes_received: u64,
    /// Bytes handed out to be sent, the handshake included.
    pub bytes_sent: u64,
    /// How many of `bytes_sent` the peer says it has received; `None` if it never said.
    pub bytes_acknowledged: Option<u64>,
    /// What the peer asks this side to have unacknowledged at most (Set Peer Bandwidth), in bytes; nothing here waits for it.
    pub peer_bandwidth: Option<u32>,
    /// The newest measured round trip.
    pub round_trip: Option<core::time::Duration>,
    /// Messages of a type, or with a content, that this side does not know, and passed over.
    pub ignored_messages: u64,
}
