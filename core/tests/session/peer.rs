use chalkcast_core::amf0::Value;
use chalkcast_core::message::{Command, Message, Raw};
use chalkcast_core::session::{Output, Status, server};
use chalkcast_core::{Instant, ServerSession, handshake};

use crate::wire::Wire;

/// A client written message by message, which can do what no client should, and the server session it does it to.
pub(crate) struct Peer {
    pub(crate) now: Instant,
    pub(crate) server: ServerSession,
    pub(crate) events: Vec<server::Event>,
    pub(crate) wire: Wire,
}

impl Peer {
    /// After the handshake.
    pub(crate) fn new(config: server::Config) -> Self {
        let now = Instant::ZERO;
        let mut server = ServerSession::new(config, now);
        let mut sent = Vec::new();
        let mut shake = handshake::Client::new(handshake::Kind::Simple, 7, now, &mut sent);
        server.handle_input(now, &sent);
        let mut answer = Vec::new();
        while let Some(Output::Transmit(transmit)) = server.poll_output() {
            transmit.write_to(&mut answer);
        }
        let mut rest = &answer[..];
        let mut last = Vec::new();
        assert!(
            shake
                .handle_input(now, &mut rest, &mut last)
                .unwrap()
                .is_some()
        );
        server.handle_input(now, &last);
        let mut peer = Self {
            now,
            server,
            events: Vec::new(),
            wire: Wire::new(),
        };
        peer.drain();
        peer
    }

    /// After connect.
    pub(crate) fn connected() -> Self {
        let mut config = server::Config::new(1);
        config.bandwidth_done = false;
        Self::connected_with(config)
    }

    pub(crate) fn connected_with(config: server::Config) -> Self {
        let mut peer = Self::new(config);
        let object = chalkcast_core::amf0::Object::new()
            .with("app", "live")
            .with("capsEx", 1.0);
        peer.command(0, "connect", 1.0, vec![object.into()]);
        peer.server.accept_connect(peer.now).unwrap();
        peer.drain();
        peer.events.clear();
        peer.wire.messages.clear();
        peer
    }

    /// After `count` times createStream.
    pub(crate) fn with_streams(count: u32) -> Self {
        let mut peer = Self::connected();
        for number in 1..=count {
            peer.command(0, "createStream", 2.0, vec![Value::Null]);
            assert_eq!(
                peer.answer(),
                ("_result".to_owned(), 2.0, Value::from(number))
            );
        }
        peer
    }

    pub(crate) fn send(&mut self, raw: &Raw) {
        let bytes = self.wire.encode(raw);
        self.server.handle_input(self.now, &bytes);
        self.drain();
    }

    /// Sends a command; `values` start with the command object.
    pub(crate) fn command(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction_id: f64,
        values: Vec<Value>,
    ) {
        let raw = Message::Command(Command::new(name, transaction_id, values)).encode();
        self.send(&raw.on_stream(stream_id));
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Transmit(transmit) => self.wire.read(&transmit),
            }
        }
    }

    /// The one event since the last look.
    pub(crate) fn event(&mut self) -> server::Event {
        let mut events = std::mem::take(&mut self.events);
        assert_eq!(
            events.len(),
            1,
            "{events:?}, and messages {:?}",
            self.wire.messages
        );
        events.remove(0)
    }

    /// The one command since the last look: name, transaction id, first argument.
    pub(crate) fn answer(&mut self) -> (String, f64, Value) {
        self.wire.answer()
    }

    /// The code of the one onStatus since the last look, which must be on this message stream.
    pub(crate) fn status(&mut self, on: u32) -> Status {
        assert_eq!(
            self.wire.messages.first().map(|(stream_id, _)| *stream_id),
            Some(on),
            "{:?}",
            self.wire.messages
        );
        let (name, transaction_id, information) = self.answer();
        assert_eq!((&*name, transaction_id), ("onStatus", 0.0));
        Status::from_value(information)
    }

    /// The code of an `_error` to this transaction.
    pub(crate) fn refusal(&mut self, to: f64) -> Status {
        let (name, transaction_id, information) = self.answer();
        assert_eq!((&*name, transaction_id), ("_error", to));
        Status::from_value(information)
    }

    pub(crate) fn ignored(&self) -> u64 {
        self.server.stats().ignored_messages
    }
}
