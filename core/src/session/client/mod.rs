//! The client's side of a connection.

mod commands;
mod config;
mod connection;
mod event;
mod stream;

use alloc::boxed::Box;

pub use config::{Config, Connect, Play};
pub use event::Event;
use stream::Stream;

use super::calls::Calls;
use super::media::{Media, each_media, is_media};
use super::transport::{Received, Transport};
use super::{CloseReason, Output, PeerError, Stats, StreamKey, UsageError};
use crate::Instant;
use crate::message::{Message, Raw, UserControl};
use crate::sorted_map::SortedMap;

/// A NetConnection and its NetStreams, as the client sees them.
#[derive(Debug)]
pub struct ClientSession {
    config: Config,
    transport: Transport<Event>,
    phase: Phase,
    /// By key.
    streams: SortedMap<u32, Stream>,
    next_stream: u32,
    calls: Calls<Purpose>,
}

/// How far the connection is.
#[derive(Debug)]
enum Phase {
    /// The handshake goes on; connect, if it was asked for, waits for its end.
    Handshake(Option<Box<Connect>>),
    /// The handshake is over, connect has not been asked for.
    Ready,
    /// connect awaits its answer.
    Connecting,
    Connected,
}

/// What a call of this side's was for.
#[derive(Debug)]
enum Purpose {
    Connect,
    CreateStream(StreamKey),
    Call,
}

impl ClientSession {
    /// A session whose first output is the start of the handshake (C0, C1).
    pub fn new(config: Config, now: Instant) -> Self {
        let transport = Transport::client(
            config.handshake,
            config.seed,
            &config.limits,
            config.timers,
            now,
        );
        Self {
            transport,
            phase: Phase::Handshake(None),
            streams: SortedMap::new(),
            next_stream: 1,
            calls: Calls::new(config.limits.commands_in_flight),
            config,
        }
    }

    /// Takes in bytes from the server, in pieces of any size.
    pub fn handle_input(&mut self, now: Instant, mut input: &[u8]) {
        self.transport.begin_input(now, input.len());
        while let Some(received) = self.transport.receive(now, &mut input) {
            if let Err(error) = received.and_then(|received| self.received(now, received)) {
                self.end(error.into());
            }
        }
    }

    /// The server's byte stream has ended.
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

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        self.transport.stats()
    }

    fn received(&mut self, now: Instant, received: Received) -> Result<(), PeerError> {
        match received {
            Received::HandshakeDone => self.handshake_done(now),
            Received::RoundTrip(round_trip) => self.transport.event(Event::RoundTrip(round_trip)),
            Received::UserControl(event) => self.user_control(&event),
            Received::Message(raw) => return self.message(now, raw),
        }
        Ok(())
    }

    fn message(&mut self, now: Instant, raw: Raw) -> Result<(), PeerError> {
        if is_media(raw.message_type) {
            return self.media(raw);
        }
        match self.transport.read(&raw)? {
            Some(Message::Command(command)) => return self.command(now, raw.stream_id, command),
            Some(Message::SharedObject(object)) => {
                self.transport.event(Event::SharedObject(object))
            }
            Some(_) => self.transport.ignore(),
            None => {}
        }
        Ok(())
    }

    fn user_control(&mut self, event: &UserControl) {
        let (UserControl::StreamBegin(id)
        | UserControl::StreamEof(id)
        | UserControl::StreamDry(id)
        | UserControl::StreamIsRecorded(id)) = *event
        else {
            return self.transport.ignore();
        };
        let Some(stream) = self.key(id) else {
            // Servers begin message stream 0, the connection itself, which tells nothing.
            if id != 0 {
                self.transport.ignore();
            }
            return;
        };
        self.transport.event(match event {
            UserControl::StreamBegin(_) => Event::StreamBegin { stream },
            UserControl::StreamEof(_) => Event::StreamEof { stream },
            UserControl::StreamDry(_) => Event::StreamDry { stream },
            _ => Event::StreamIsRecorded { stream },
        });
    }

    /// Media belongs to a stream that plays; all other is passed over.
    fn media(&mut self, raw: Raw) -> Result<(), PeerError> {
        let playing = self
            .key(raw.stream_id)
            .filter(|key| self.streams.get(key.0).is_some_and(Stream::is_playing));
        let Some(stream) = playing else {
            self.transport.ignore();
            return Ok(());
        };
        let transport = &mut self.transport;
        each_media(raw, &self.config.limits.amf0, |media| match media {
            Media::Tag(tag) => transport.event(Event::Tag { stream, tag }),
            Media::ClearDataFrame(name) => transport.event(Event::ClearDataFrame { stream, name }),
            Media::Malformed => transport.ignore(),
        })
    }

    /// The stream that has this message stream id.
    fn key(&self, id: u32) -> Option<StreamKey> {
        self.streams
            .iter()
            .find(|(_, stream)| stream.id() == Some(id))
            .map(|(key, _)| StreamKey(key))
    }

    /// Fails when the session is over.
    fn open(&self) -> Result<(), UsageError> {
        if self.transport.is_closed() {
            Err(UsageError::Closed)
        } else {
            Ok(())
        }
    }

    /// Fails when the session is over, or connect has not been accepted.
    fn connected(&self) -> Result<(), UsageError> {
        self.open()?;
        match self.phase {
            Phase::Connected => Ok(()),
            _ => Err(UsageError::NotConnected),
        }
    }

    fn end(&mut self, reason: CloseReason) {
        if !self.transport.is_closed() {
            self.streams.clear();
            self.transport.close(Event::Closed { reason });
        }
    }
}
