use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use core::{iter, mem};

use bytes::Bytes;

use super::acknowledge::Acknowledge;
use super::{
    CloseReason, Limits, ObjectEncoding, Output, PeerError, Reply, Stats, Timeout, Timers,
    UsageError,
};
use crate::Instant;
use crate::amf0::{self, Value};
use crate::chunk::{self, SharedMessage, Transmit};
use crate::flv::Tag;
use crate::handshake;
use crate::message::{Command, Dialect, Message, Raw, UserControl, message_type};

/// Outputs for which room is kept: a burst's would be most of what a waiting connection holds.
const KEPT_OUTPUTS: usize = 8;

/// What both sides have in common: handshake, chunk stream, acknowledgement, pings, deadlines, and the queue of outputs.
#[derive(Debug)]
pub(super) struct Transport<E> {
    /// `None` once it is over.
    handshake: Option<Handshake>,
    decoder: chunk::Decoder,
    encoder: chunk::Encoder,
    acknowledge: Acknowledge,
    timers: Timers,
    amf0_limits: amf0::Limits,
    /// The window last announced to the peer.
    announced_window: u32,
    object_encoding: ObjectEncoding,
    outputs: VecDeque<Output<E>>,
    /// Encoded, and to be sent after what is in `outputs`.
    pending: Vec<u8>,
    started: Instant,
    last_received: Instant,
    deadline: Option<Deadline>,
    next_ping: Option<Instant>,
    ping_sent: Option<(u32, Instant)>,
    round_trip: Option<Duration>,
    /// The peer is a server: it may have nothing to say to a publisher, and some (node-media-server) answer no ping either.
    may_be_silent: bool,
    ignored: u64,
    closed: bool,
}

/// The handshake of the side this is.
#[derive(Debug)]
pub(super) enum Handshake {
    Client(handshake::Client),
    Server(handshake::Server),
}

#[derive(Clone, Copy, Debug)]
struct Deadline {
    at: Instant,
    what: Timeout,
    after: Duration,
}

/// What the transport leaves to its session.
#[derive(Debug)]
pub(super) enum Received {
    /// The handshake is over: what waited for it can be sent.
    HandshakeDone,
    /// The answer to a ping.
    RoundTrip(Duration),
    /// A user control event other than the pings.
    UserControl(UserControl),
    /// Any message but protocol control and user control.
    Message(Raw),
}

impl<E> Transport<E> {
    /// The client's side, which starts the handshake.
    pub(super) fn client(
        kind: handshake::Kind,
        seed: u64,
        limits: &Limits,
        timers: Timers,
        now: Instant,
    ) -> Self {
        let mut first = Vec::new();
        let handshake = handshake::Client::new(kind, seed, now, &mut first);
        let mut transport = Self::new(Handshake::Client(handshake), limits, timers, now);
        transport.acknowledge.count_sent(first.len());
        transport.pending = first;
        transport.may_be_silent = true;
        transport
    }

    /// The server's side, which waits for it.
    pub(super) fn server(seed: u64, limits: &Limits, timers: Timers, now: Instant) -> Self {
        Self::new(
            Handshake::Server(handshake::Server::new(seed)),
            limits,
            timers,
            now,
        )
    }

    fn new(handshake: Handshake, limits: &Limits, timers: Timers, now: Instant) -> Self {
        let mut transport = Self {
            handshake: Some(handshake),
            decoder: chunk::Decoder::new(limits.chunk),
            encoder: chunk::Encoder::new(),
            acknowledge: Acknowledge::default(),
            timers,
            amf0_limits: limits.amf0,
            announced_window: 0,
            object_encoding: ObjectEncoding::Amf0,
            outputs: VecDeque::new(),
            pending: Vec::new(),
            started: now,
            last_received: now,
            deadline: None,
            next_ping: None,
            ping_sent: None,
            round_trip: None,
            may_be_silent: false,
            ignored: 0,
            closed: false,
        };
        transport.expect(now, Timeout::Handshake);
        transport
    }

    // --- from the peer ---

    /// To be called before a piece of input is taken apart by [`receive`](Self::receive).
    pub(super) fn begin_input(&mut self, now: Instant, bytes: usize) {
        if !self.closed {
            self.last_received = now;
            self.acknowledge.count_received(bytes);
        }
    }

    /// The next thing in the input that is the session's business; `None` when all of it was taken in, or the session has ended.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        input: &mut &[u8],
    ) -> Option<Result<Received, PeerError>> {
        if self.closed {
            return None;
        }
        let received = self.next_received(now, input).transpose();
        if received.is_none()
            && let Some(total) = self.acknowledge.due()
        {
            self.send(&Message::Acknowledgement(total).encode());
        }
        received
    }

    fn next_received(
        &mut self,
        now: Instant,
        input: &mut &[u8],
    ) -> Result<Option<Received>, PeerError> {
        if let Some(handshake) = &mut self.handshake {
            let before = self.pending.len();
            let done = match handshake {
                Handshake::Client(client) => client.handle_input(now, input, &mut self.pending)?,
                Handshake::Server(server) => server.handle_input(now, input, &mut self.pending)?,
            };
            self.acknowledge.count_sent(self.pending.len() - before);
            if done.is_none() {
                return Ok(None);
            }
            self.handshake = None;
            self.deadline = None;
            return Ok(Some(Received::HandshakeDone));
        }
        while let Some(raw) = self.decoder.decode(input)? {
            if let Some(received) = self.control(now, raw) {
                return Ok(Some(received));
            }
        }
        Ok(None)
    }

    /// Handles protocol control and pings; hands on the rest.
    fn control(&mut self, now: Instant, raw: Raw) -> Option<Received> {
        match raw.message_type {
            message_type::SET_CHUNK_SIZE | message_type::ABORT => None,
            message_type::ACKNOWLEDGEMENT
            | message_type::WINDOW_ACK_SIZE
            | message_type::SET_PEER_BANDWIDTH
            | message_type::USER_CONTROL => {
                match Message::decode(&raw) {
                    Ok(Message::Acknowledgement(said)) => self.acknowledge.acknowledged(said),
                    Ok(Message::WindowAckSize(window)) => self.acknowledge.set_window(window),
                    Ok(Message::SetPeerBandwidth { window, limit_type }) => {
                        if let Some(window) = self.acknowledge.set_bandwidth(
                            window,
                            limit_type,
                            self.announced_window,
                        ) {
                            self.announce_window(window);
                        }
                    }
                    Ok(Message::UserControl(event)) => return self.user_control(now, event),
                    _ => self.ignore(),
                }
                None
            }
            _ => Some(Received::Message(raw)),
        }
    }

    fn user_control(&mut self, now: Instant, event: UserControl) -> Option<Received> {
        match event {
            UserControl::PingRequest(stamp) => {
                if !self.may_be_silent {
                    // A client that pings keeps both directions busy: it is pinged only once it no longer does.
                    self.next_ping = self.next_ping.map(|_| now + self.timers.ping_interval * 2);
                }
                self.send_user_control(UserControl::PingResponse(stamp));
            }
            UserControl::PingResponse(stamp) => match self.ping_sent {
                Some((sent, at)) if sent == stamp => {
                    let round_trip = now - at;
                    self.ping_sent = None;
                    self.round_trip = Some(round_trip);
                    return Some(Received::RoundTrip(round_trip));
                }
                _ => self.ignore(),
            },
            event => return Some(Received::UserControl(event)),
        }
        None
    }

    /// Reads a message by its type; one that cannot be read is counted and passed over, unless it is over a limit.
    pub(super) fn read(&mut self, raw: &Raw) -> Result<Option<Message>, PeerError> {
        match Message::decode_with(raw, &self.amf0_limits) {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.is_limit() => Err(error.into()),
            Err(_) => {
                self.ignore();
                Ok(None)
            }
        }
    }

    /// Counts a message that was passed over.
    pub(super) fn ignore(&mut self) {
        self.ignored += 1;
    }

    /// Sends and expects commands in AMF3's envelope from here on.
    pub(super) fn set_object_encoding(&mut self, encoding: ObjectEncoding) {
        self.object_encoding = encoding;
    }

    // --- to the peer ---

    /// Encodes a message on the chunk stream of its kind. Nothing is said after the session has ended.
    pub(super) fn send(&mut self, raw: &Raw) {
        if self.closed {
            return;
        }
        let chunk_stream_id = match raw.message_type {
            message_type::SET_CHUNK_SIZE..=message_type::SET_PEER_BANDWIDTH => {
                chunk::CONTROL_CHUNK_STREAM
            }
            _ => chunk::COMMAND_CHUNK_STREAM,
        };
        let before = self.pending.len();
        // Only what is over 16 MiB cannot be encoded: a command the owner filled with that much is not sent.
        if self
            .encoder
            .encode(chunk_stream_id, raw, &mut self.pending)
            .is_err()
        {
            self.ignore();
        }
        self.acknowledge.count_sent(self.pending.len() - before);
    }

    /// Sends media: a message encoded for this connection's chunk size.
    pub(super) fn send_shared(&mut self, message: &SharedMessage, message_stream_id: u32) {
        if self.closed {
            return;
        }
        self.flush();
        let transmit = message.transmit(message_stream_id);
        self.acknowledge.count_sent(transmit.len());
        self.outputs.push_back(Output::Transmit(transmit));
    }

    /// Counts bytes that the owner has sent.
    pub(super) fn count_sent(&mut self, bytes: usize) {
        self.acknowledge.count_sent(bytes);
    }

    /// Sends media that is for this connection only.
    pub(super) fn send_tag(&mut self, message_stream_id: u32, tag: &Tag) -> Result<(), UsageError> {
        let limit = chunk::MAX_MESSAGE_LENGTH;
        let message = SharedMessage::encode(tag, self.chunk_size());
        let message = message.map_err(|_| UsageError::TooLong {
            length: tag.payload.len(),
            limit,
        })?;
        self.send_shared(&message, message_stream_id);
        Ok(())
    }

    /// Sends a command (§7.1.1) on a message stream.
    pub(super) fn send_command(
        &mut self,
        message_stream_id: u32,
        name: &str,
        transaction_id: f64,
        values: Vec<Value>,
    ) {
        let dialect = match self.object_encoding {
            ObjectEncoding::Amf0 => Dialect::Amf0,
            ObjectEncoding::Amf3 => Dialect::Amf0InAmf3,
        };
        let command = Command {
            name: name.into(),
            transaction_id,
            values,
            dialect,
        };
        let raw = Message::Command(command)
            .encode()
            .on_stream(message_stream_id);
        self.send(&raw);
    }

    /// Calls a method, or answers a call, with a command object of null.
    pub(super) fn send_call(
        &mut self,
        message_stream_id: u32,
        name: &str,
        transaction_id: f64,
        arguments: Vec<Value>,
    ) {
        let values = iter::once(Value::Null).chain(arguments).collect();
        self.send_command(message_stream_id, name, transaction_id, values);
    }

    /// Answers a call of the peer's.
    pub(super) fn reply(&mut self, reply: &Reply, result: Result<Value, Value>) {
        let (name, value) = match result {
            Ok(value) => ("_result", value),
            Err(value) => ("_error", value),
        };
        let Reply {
            transaction_id,
            message_stream_id,
            ..
        } = *reply;
        self.send_call(message_stream_id, name, transaction_id, vec![value]);
    }

    pub(super) fn send_user_control(&mut self, event: UserControl) {
        self.send(&Message::UserControl(event).encode());
    }

    pub(super) fn announce_chunk_size(&mut self, bytes: u32) {
        self.send(&Message::SetChunkSize(bytes).encode());
        self.encoder.set_chunk_size(bytes);
    }

    pub(super) fn announce_window(&mut self, bytes: u32) {
        self.announced_window = bytes;
        self.send(&Message::WindowAckSize(bytes).encode());
    }

    pub(super) fn chunk_size(&self) -> u32 {
        self.encoder.chunk_size()
    }

    // --- to the owner ---

    pub(super) fn event(&mut self, event: E) {
        if self.closed {
            return;
        }
        self.outputs.push_back(Output::Event(event));
    }

    /// Ends everything with `event`, which says why. What was sent before it still goes out before it.
    pub(super) fn close(&mut self, event: E) {
        self.flush();
        self.event(event);
        self.closed = true;
        self.deadline = None;
        self.next_ping = None;
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn poll_output(&mut self) -> Option<Output<E>> {
        if self.outputs.is_empty() {
            self.flush();
        }
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() && self.outputs.capacity() > KEPT_OUTPUTS {
            self.outputs = VecDeque::new();
        }
        output
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let body = Bytes::from(mem::take(&mut self.pending));
            self.outputs.push_back(Output::Transmit(Transmit {
                body,
                ..Transmit::default()
            }));
        }
    }

    // --- time ---

    /// Sets the one deadline there is.
    pub(super) fn expect(&mut self, now: Instant, what: Timeout) {
        let after = match what {
            Timeout::Handshake => self.timers.handshake,
            Timeout::Connect => self.timers.connect,
            Timeout::Silence => self.timers.silence,
        };
        self.deadline = Some(Deadline {
            at: now + after,
            what,
            after,
        });
    }

    /// Takes the deadline away, and pings from here on: the connection is made.
    pub(super) fn connected(&mut self, now: Instant) {
        self.deadline = None;
        self.last_received = now;
        // A server is asked at once whether it answers pings: its silence means something from then on.
        self.next_ping = Some(if self.may_be_silent {
            now
        } else {
            now + self.timers.ping_interval
        });
    }

    /// Pings now, and not when it would be time, if there are pings already.
    pub(super) fn ping(&mut self, now: Instant) {
        self.next_ping = self.next_ping.map(|_| now);
    }

    /// Takes the deadline away: the next move is the owner's.
    pub(super) fn expect_nothing(&mut self) {
        self.deadline = None;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [
            self.deadline.map(|deadline| deadline.at),
            self.next_ping,
            self.silence_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Pings when it is time; answers why the session must end, if it must.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<CloseReason> {
        if let Some(Deadline { at, what, after }) = self.deadline
            && at <= now
        {
            return Some(CloseReason::Timeout { what, after });
        }
        let next_ping = self.next_ping?;
        if self.silence_at().is_some_and(|at| at <= now) {
            return Some(CloseReason::Timeout {
                what: Timeout::Silence,
                after: self.timers.silence,
            });
        }
        if next_ping <= now {
            let stamp = (now - self.started).as_millis() as u32;
            self.ping_sent = Some((stamp, now));
            self.next_ping = Some(now + self.timers.ping_interval);
            self.send_user_control(UserControl::PingRequest(stamp));
        }
        None
    }

    /// When silence ends the session, if it does: a server must have answered a ping before.
    fn silence_at(&self) -> Option<Instant> {
        let counts = !self.may_be_silent || self.round_trip.is_some();
        self.next_ping
            .filter(|_| counts)
            .map(|_| self.last_received + self.timers.silence)
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            bytes_received: self.acknowledge.received(),
            bytes_sent: self.acknowledge.sent(),
            bytes_acknowledged: self.acknowledge.acknowledged_bytes(),
            peer_bandwidth: self.acknowledge.peer_bandwidth(),
            round_trip: self.round_trip,
            ignored_messages: self.ignored,
        }
    }
}
