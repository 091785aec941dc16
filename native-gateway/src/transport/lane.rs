//! A connection to which the relay writes by itself.

use std::sync::Arc;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::recall;
use super::socket::Unsent;
use crate::relay::{Lane, Run, Written};

/// A connection that is not encrypted, with nothing that waits to be written.
#[derive(Debug)]
pub(super) struct SocketLane {
    stream: Arc<TcpStream>,
    unsent: Unsent,
    /// What was said last: to look it up elsewhere would take as long as much of a write.
    unsent_limit: u32,
    /// Whether each run is a frame of a WebSocket.
    framed: bool,
    rest: Bytes,
}

impl SocketLane {
    pub(super) fn new(stream: Arc<TcpStream>, unsent: Unsent, framed: bool) -> Self {
        Self {
            stream,
            unsent,
            unsent_limit: 0,
            framed,
            rest: Bytes::new(),
        }
    }
}

impl Lane for SocketLane {
    fn write(&mut self, run: &Run) -> Written {
        let limit = recall::unsent_limit(run.bits_per_second);
        if limit != self.unsent_limit {
            self.unsent_limit = limit;
            self.unsent.limit(&self.stream, limit);
        }
        let bytes = run.bytes(self.framed);
        // The kernel is asked without tokio, whose record of who can be written to is the owner's affair. What is wrong with a
        // connection shows when its owner writes the rest.
        match SockRef::from(&*self.stream).send(bytes) {
            Ok(written) if written == bytes.len() => Written::All,
            Ok(0) | Err(_) => Written::Nothing,
            Ok(written) => {
                self.rest = run.rest(self.framed, written);
                Written::Part
            }
        }
    }

    fn into_rest(self: Box<Self>) -> Bytes {
        self.rest
    }
}
