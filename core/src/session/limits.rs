use core::time::Duration;

use crate::{amf0, chunk};

/// What one peer may cost. Going over any of them ends the session, with the numbers in [`PeerError`](super::PeerError).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Of the chunk stream: message length, chunk streams, bytes being reassembled.
    pub chunk: chunk::Limits,
    /// Of a command's or data message's values: depth, count, string length.
    pub amf0: amf0::Limits,
    /// Calls of either side that await their answer. One of the owner's too many is a usage error.
    pub commands_in_flight: usize,
    /// NetStreams of the connection. A createStream too many is answered by `_error` before the end; one of the owner's is a usage
    /// error.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk: chunk::Limits::default(),
            amf0: amf0::Limits::default(),
            commands_in_flight: 64,
            streams: 16,
        }
    }
}

/// How long a session waits for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timers {
    /// From the first byte to the end of the handshake.
    pub handshake: Duration,
    /// From the end of the handshake to connect (server), from connect to its answer (client).
    pub connect: Duration,
    /// Between PingRequests. A server sends none to a client that has sent one within twice this.
    pub ping_interval: Duration,
    /// Without one byte from the peer, though it was pinged. Any byte counts, and from a server only after it has answered a ping: some
    /// never do, and have nothing else to say to a publisher.
    pub silence: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            ping_interval: Duration::from_secs(20),
            silence: Duration::from_secs(60),
        }
    }
}
