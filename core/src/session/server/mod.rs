//! The server's side of a connection.

mod bandwidth;
mod commands;
mod config;
mod connection;
mod event;
mod stream;

use alloc::collections::{BTreeMap, VecDeque};
use core::mem;

use bandwidth::Step;
pub use config::Config;
pub use event::{ConnectRequest, Event};
use stream::{Activity, Stream};

use super::calls::Calls;
use super::media::{Media, each_media, is_media};
use super::transport::{Received, Transport};
use super::{CloseReason, Output, PeerError, Stats, StreamKey, Timeout, UsageError};
use crate::Instant;
use crate::message::{Message, Raw, UserControl};

/// A NetConnection and its NetStreams, as the server sees them.
#[derive(Debug)]
pub struct ServerSession {
    config: Config,
    transport: Transport<Event>,
    phase: Phase,
    streams: BTreeMap<u32, Stream>,
    next_stream: u32,
    calls: Calls<Purpose>,
    /// Whether the client said that it understands ReconnectRequest.
    can_reconnect: bool,
}

/// How far the connection is.
#[derive(Debug)]
enum Phase {
    /// No connect yet.
    Waiting,
    /// connect awaits the owner's answer, and what a hasty client sent after it awaits that.
    Requested {
        transaction_id: f64,
        object_encoding: super::ObjectEncoding,
        early: Early,
    },
    Connected,
}

/// Messages that came before connect was answered.
#[derive(Debug, Default)]
struct Early {
    messages: VecDeque<Raw>,
    bytes: usize,
}

/// What a call of this side's was for.
#[derive(Debug)]
enum Purpose {
    Call,
    Bandwidth(Step),
}

impl ServerSession {
    /// A session that waits for the client's handshake.
    pub fn new(config: Config, now: Instant) -> Self {
        let transport = Transport::server(config.seed, &config.limits, config.timers, now);
        Self {
            transport,
            phase: Phase::Waiting,
            streams: BTreeMap::new(),
            next_stream: 1,
            calls: Calls::new(config.limits.commands_in_flight),
            can_reconnect: false,
            config,
        }
    }

    /// Takes in bytes from the client, in pieces of any size.
    pub fn handle_input(&mut self, now: Instant, mut input: &[u8]) {
        self.transport.begin_input(now, input.len());
        while let Some(received) = self.transport.receive(now, &mut input) {
            if let Err(error) = received.and_then(|received| self.received(now, received)) {
                self.end(error.into());
            }
        }
    }

    /// The client's byte stream has ended.
    pub fn handle_eof(&mut self, _now: Instant) {
        self.end(CloseReason::Eof);
    }

    /// To be called at the instant of [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(reason) = self.transport.handle_timeout(now) {
            self.end(reason);
        }
    }

    /// What the session wants done next. To be drained after every call that takes `&mut self`.
    pub fn poll_output(&mut self) -> Option<Output<Event>> {
        self.transport.poll_output()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless input comes first.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.transport.poll_timeout()
    }

    /// Announces another window (§5.4.4): from now on the client acknowledges what has come whenever so many bytes have.
    pub fn announce_window(&mut self, bytes: u32) {
        self.transport.announce_window(bytes);
    }

    /// Asks for a sign of life now (PingRequest, §7.1.7), once the connection is made: a client that is there answers.
    pub fn ping(&mut self, now: Instant) {
        self.transport.ping(now);
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        self.transport.stats()
    }

    fn received(&mut self, now: Instant, received: Received) -> Result<(), PeerError> {
        match received {
            Received::HandshakeDone => self.transport.expect(now, Timeout::Connect),
            Received::RoundTrip(round_trip) => self.transport.event(Event::RoundTrip(round_trip)),
            Received::UserControl(event) => self.user_control(event),
            Received::Message(raw) => return self.message(now, raw),
        }
        Ok(())
    }

    fn message(&mut self, now: Instant, raw: Raw) -> Result<(), PeerError> {
        if let Phase::Requested { early, .. } = &mut self.phase {
            if !early.push(raw, self.config.limits.commands_in_flight)? {
                self.transport.ignore();
            }
            return Ok(());
        }
        if is_media(raw.message_type) {
            return self.media(raw);
        }
        match self.transport.read(&raw)? {
            Some(Message::Command(command)) => return self.command(now, raw.stream_id, &command),
            Some(Message::SharedObject(object)) if matches!(self.phase, Phase::Connected) => {
                self.transport.event(Event::SharedObject(object));
            }
            Some(_) => self.transport.ignore(),
            None => {}
        }
        Ok(())
    }

    fn user_control(&mut self, event: UserControl) {
        match event {
            UserControl::SetBufferLength { stream_id, length }
                if self.streams.contains_key(&stream_id) =>
            {
                let length = core::time::Duration::from_millis(length.into());
                self.transport.event(Event::SetBufferLength {
                    stream: StreamKey(stream_id),
                    length,
                });
            }
            _ => self.transport.ignore(),
        }
    }

    /// Media belongs to a stream that publishes; all other is passed over.
    fn media(&mut self, raw: Raw) -> Result<(), PeerError> {
        let stream = StreamKey(raw.stream_id);
        let Some(Stream { activity }) = self.streams.get_mut(&stream.0) else {
            self.transport.ignore();
            return Ok(());
        };
        let transport = &mut self.transport;
        each_media(raw, &self.config.limits.amf0, |media| {
            match (media, &mut *activity) {
                (Media::Tag(tag), Activity::Publishing { .. }) => {
                    transport.event(Event::Tag { stream, tag })
                }
                (Media::Tag(tag), Activity::PublishRequested { held, .. }) => {
                    if !held.push(tag) {
                        transport.ignore();
                    }
                }
                (Media::ClearDataFrame(name), Activity::Publishing { .. }) => {
                    transport.event(Event::ClearDataFrame { stream, name });
                }
                _ => transport.ignore(),
            }
        })
    }

    /// Fails when the session is over, or the client is not let in.
    fn open(&self) -> Result<(), UsageError> {
        if self.transport.is_closed() {
            return Err(UsageError::Closed);
        }
        match self.phase {
            Phase::Connected => Ok(()),
            _ => Err(UsageError::NotConnected),
        }
    }

    /// Ends every stream and the session.
    fn end(&mut self, reason: CloseReason) {
        if self.transport.is_closed() {
            return;
        }
        for id in self.streams.keys().copied().collect::<alloc::vec::Vec<_>>() {
            self.stop(id);
        }
        self.streams.clear();
        self.transport.close(Event::Closed { reason });
    }
}

impl Early {
    /// Keeps a message, or answers that there is no room. Fails at a command too many.
    fn push(&mut self, raw: Raw, limit: usize) -> Result<bool, PeerError> {
        const BYTES: usize = 64 << 10;
        let bytes = self.bytes + raw.payload.len();
        let is_full = self.messages.len() >= limit;
        if is_full && !is_media(raw.message_type) {
            return Err(PeerError::TooManyCalls { limit });
        }
        let fits = !is_full && bytes <= BYTES;
        if fits {
            self.bytes = bytes;
            self.messages.push_back(raw);
        }
        Ok(fits)
    }

    fn take(&mut self) -> VecDeque<Raw> {
        mem::take(&mut self.messages)
    }
}
