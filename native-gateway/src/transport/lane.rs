//! A connection to which the relay writes by itself.

use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpStream;

use super::socket::Unsent;
use super::{recall, websocket};
use crate::relay::{Lane, Run, Written};

/// A connection that is not encrypted, with nothing that waits to be written.
#[derive(Debug)]
pub(super) struct SocketLane {
    stream: Arc<TcpStream>,
    unsent: Unsent,
    /// Whether each run is a frame of a WebSocket.
    framed: bool,
    rest: Vec<Bytes>,
}

impl SocketLane {
    pub(super) fn new(stream: Arc<TcpStream>, unsent: Unsent, framed: bool) -> Self {
        Self {
            stream,
            unsent,
            framed,
            rest: Vec::new(),
        }
    }

    /// How much of `header` and `bytes` the kernel has taken. What is wrong with a connection shows when its owner writes the rest.
    fn try_write(&self, header: &[u8], bytes: &[u8]) -> usize {
        let write = || -> io::Result<usize> {
            if header.is_empty() {
                self.stream.try_write(bytes)
            } else {
                self.stream
                    .try_write_vectored(&[IoSlice::new(header), IoSlice::new(bytes)])
            }
        };
        write().unwrap_or(0)
    }
}

impl Lane for SocketLane {
    fn write(&mut self, run: &Run) -> Written {
        let limit = recall::unsent_limit(run.bits_per_second);
        self.unsent.limit(&self.stream, limit);
        let header = if self.framed {
            websocket::frame_header(run.bytes.len())
        } else {
            websocket::FrameHeader::default()
        };
        let written = self.try_write(&header, &run.bytes);
        if written == header.len() + run.bytes.len() {
            return Written::All;
        } else if written == 0 {
            return Written::Nothing;
        }
        let of_header = written.min(header.len());
        self.rest = vec![
            Bytes::copy_from_slice(&header[of_header..]),
            run.bytes.slice(written - of_header..),
        ];
        Written::Part
    }

    fn into_rest(self: Box<Self>) -> Vec<Bytes> {
        self.rest
    }
}
