//! RTMP in the binary messages of a WebSocket. Their boundaries mean nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use super::frame::frame_header;
use super::{Outbox, Socket};

/// The name of the subprotocol, echoed when it is offered and not required.
pub(crate) const SUBPROTOCOL: &str = "rtmp";

/// Larger messages from a peer are an error: nothing in RTMP needs them, and each is held in memory while it arrives.
const LARGEST_MESSAGE: usize = 4 << 20;
/// What is written is cut to this, so that no connection keeps a buffer as large as a keyframe.
const MESSAGE_SIZE: usize = 16 * 1024;

/// Larger ones of ours are cut.
const OWN_LARGEST_MESSAGE: usize = 1 << 20;

/// One end of a WebSocket.
pub(crate) struct WebSocket {
    stream: WebSocketStream<Socket>,
    /// What a server writes is not masked: a frame is its header and the bytes as they are. So a server's binary messages go
    /// straight to the socket, and no connection has a second buffer for them.
    is_server: bool,
    /// A frame that is being written; until it is over, the library may not write, nor read, as it answers what it reads.
    frame: Outbox,
    /// Whether the library may have something to write: answers to what it has read.
    answers: bool,
}

impl WebSocket {
    /// The server's end, after the HTTP upgrade.
    pub(crate) async fn accepted(socket: Socket) -> Self {
        Self {
            stream: WebSocketStream::from_raw_socket(socket, Role::Server, Some(config())).await,
            is_server: true,
            frame: Outbox::default(),
            answers: false,
        }
    }

    /// The client's end: asks for the upgrade of `request`.
    pub(crate) async fn request(
        socket: Socket,
        request: tokio_tungstenite::tungstenite::handshake::client::Request,
    ) -> Result<Self, Error> {
        let (stream, _) =
            tokio_tungstenite::client_async_with_config(request, socket, Some(config())).await?;
        Ok(Self {
            stream,
            is_server: false,
            frame: Outbox::default(),
            answers: false,
        })
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.stream.get_ref()
    }

    /// Hands what has arrived to `sink`; `Ok(0)` is the end. A text message is an error.
    pub(crate) fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        mut sink: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        // Who waits for this is woken when the frame has been written.
        ready!(self.poll_frame(cx))?;
        loop {
            let next = ready!(Pin::new(&mut self.stream).poll_next(cx));
            self.answers = true;
            match next {
                Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => {
                    sink(&bytes);
                    return Poll::Ready(Ok(bytes.len()));
                }
                Some(Ok(Message::Text(_))) => {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "a text message, where RTMP travels in binary ones",
                    )));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(0)),
                Some(Ok(_)) => {}
                // Browsers that go away leave the closing handshake out.
                Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                    return Poll::Ready(Ok(0));
                }
                Some(Err(error)) => return Poll::Ready(ended(error)),
            }
        }
    }

    /// Writes what `outbox` holds. Ready once everything has been handed to the kernel.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        outbox: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        if self.is_server {
            return self.poll_write_frames(cx, outbox);
        }
        let mut stream = Pin::new(&mut self.stream);
        while !outbox.is_empty() {
            ready!(stream.as_mut().poll_ready(cx)).or_else(|error| ended(error).map(drop))?;
            let message = Message::Binary(outbox.take(MESSAGE_SIZE));
            stream
                .as_mut()
                .start_send(message)
                .or_else(|error| ended(error).map(drop))?;
        }
        stream
            .poll_flush(cx)
            .map(|flushed| flushed.or_else(|error| ended(error).map(drop)))
    }

    fn poll_write_frames(
        &mut self,
        cx: &mut Context<'_>,
        outbox: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_frame(cx))?;
            if self.answers {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))
                    .or_else(|error| ended(error).map(drop))?;
                self.answers = false;
            }
            if outbox.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if outbox.len() > OWN_LARGEST_MESSAGE {
                self.frame.push(&[], &outbox.take(OWN_LARGEST_MESSAGE));
            } else {
                std::mem::swap(&mut self.frame, outbox);
            }
            let header = frame_header(self.frame.len());
            self.frame.push_front(&header);
        }
    }

    /// Whether nothing waits to be written, at a server's end.
    pub(super) fn is_idle(&self) -> bool {
        self.is_server && self.frame.is_empty() && !self.answers
    }

    /// `rest` of a frame is to be written before anything else.
    pub(super) fn resume(&mut self, rest: &Bytes) {
        self.frame.push(&[], rest);
    }

    /// Writes what is left of the frame that is being written.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.frame.poll_write(cx, self.stream.get_mut())
    }

    /// Sends a close frame.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_frame(cx))?;
        Pin::new(&mut self.stream)
            .poll_close(cx)
            .map(|closed| closed.or_else(|error| ended(error).map(drop)))
    }
}

fn config() -> WebSocketConfig {
    // The library's defaults would take 128 KiB for each connection's reading alone. Nothing large goes through its writing at a
    // server's end.
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(MESSAGE_SIZE)
        .max_write_buffer_size(4 * MESSAGE_SIZE)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE))
}

fn ended(error: Error) -> io::Result<usize> {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => {
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Error::Io(error) => Err(error),
        other => Err(io::Error::new(io::ErrorKind::InvalidData, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_costs_no_large_buffers_and_holds_none_up_for_ever() {
        let config = config();
        assert!((4 * 1024..=8 * 1024).contains(&config.read_buffer_size));
        assert!(config.write_buffer_size <= 64 * 1024);
        assert!(config.max_write_buffer_size <= 256 * 1024);
        assert!(config.max_message_size.is_some() && config.max_frame_size.is_some());
    }
}
