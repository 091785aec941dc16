//! TCP, TLS and WebSocket become one byte stream.

mod connect;
pub(crate) mod frame;
mod lane;
mod outbox;
pub(crate) mod recall;
mod socket;
mod tcp;
mod tls;
mod websocket;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

pub(crate) use connect::connect;
pub(crate) use outbox::Outbox;
pub(crate) use socket::Socket;
pub(crate) use tcp::{Tcp, tune};
pub(crate) use websocket::WebSocket;

use bytes::Bytes;
use lane::SocketLane;

use crate::relay::Lane;

/// What carries an RTMP byte stream.
pub(crate) enum Transport {
    /// RTMP as it is, on TCP or TLS.
    Plain(Socket),
    /// RTMP in the binary messages of a WebSocket.
    WebSocket(Box<WebSocket>),
}

impl Transport {
    /// Hands what has arrived to `sink`, at most some ten KiB at a time; `Ok(0)` is the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        sink: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_read_into(cx, sink),
            Self::WebSocket(socket) => socket.poll_read_into(cx, sink),
        }
    }

    /// Writes what `outbox` holds. Ready once everything has been handed to the kernel.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        outbox: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => outbox.poll_write(cx, socket),
            Self::WebSocket(socket) => socket.poll_write(cx, outbox),
        }
    }

    /// The way for others to write, while this is not written to. `None` if something waits to be written.
    pub(crate) fn lane(&self) -> Option<Box<dyn Lane>> {
        let framed = match self {
            Self::Plain(_) => false,
            Self::WebSocket(socket) if socket.is_idle() => true,
            Self::WebSocket(_) => return None,
        };
        let (tcp, tls, unsent) = self.socket().shared();
        Some(Box::new(SocketLane::new(tcp, tls, unsent, framed)))
    }

    /// Goes on with what others have left, which comes before anything in `outbox`: that is empty.
    pub(crate) fn resume(&mut self, rest: &Bytes, outbox: &mut Outbox) {
        match self {
            Self::Plain(_) => outbox.push(&[], rest),
            Self::WebSocket(socket) => socket.resume(rest),
        }
    }

    /// Ends the stream in the way of the transport.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.poll_close(cx),
            Self::WebSocket(socket) => socket.poll_close(cx),
        }
    }

    /// The socket underneath.
    pub(crate) fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::WebSocket(socket) => socket.socket(),
        }
    }

    /// How it travels, for log lines.
    pub(crate) fn kind(&self) -> &'static str {
        match (self, self.socket().is_encrypted()) {
            (Self::Plain(_), false) => "rtmp",
            (Self::Plain(_), true) => "rtmps",
            (Self::WebSocket(_), false) => "ws",
            (Self::WebSocket(_), true) => "wss",
        }
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.socket().peer()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transport({} {:?})", self.kind(), self.peer())
    }
}
