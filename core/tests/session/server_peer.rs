use chalkcast_core::amf0::Value;
use chalkcast_core::message::{Command, Message, Raw};
use chalkcast_core::session::{CloseReason, Output, Status, StreamKey, client};
use chalkcast_core::{ClientSession, Instant};

use crate::wire::Wire;

/// A server written message by message, which can do what no server should, and the client session it does it to.
pub(crate) struct ServerPeer {
    pub(crate) now: Instant,
    pub(crate) client: ClientSession,
    pub(crate) events: Vec<client::Event>,
    pub(crate) wire: Wire,
    /// All that was sent to the client, from S0 on.
    pub(crate) transcript: Vec<u8>,
    shaken: bool,
}

impl ServerPeer {
    /// After the handshake; connect was sent.
    pub(crate) fn new(config: client::Config) -> Self {
        let now = Instant::ZERO;
        let mut peer = Self {
            now,
            client: ClientSession::new(config, now),
            events: Vec::new(),
            wire: Wire::new(),
            transcript: Vec::new(),
            shaken: false,
        };
        peer.client
            .connect(now, client::Connect::new("live", "rtmp://host/live"))
            .unwrap();
        let mut hello = vec![0; 1 + 2 * 1536];
        hello[0] = 3;
        peer.bytes(&hello);
        peer.wire.messages.clear();
        peer
    }

    /// After connect.
    pub(crate) fn connected() -> Self {
        let mut peer = Self::new(config());
        peer.command(0, "_result", 1.0, vec![Value::Null, Value::Null]);
        assert!(matches!(peer.event(), client::Event::Connected { .. }));
        peer.wire.messages.clear();
        peer
    }

    /// After connect and `count` times createStream, whose message stream ids count from 1.
    pub(crate) fn with_streams(count: u32) -> (Self, Vec<StreamKey>) {
        let mut peer = Self::connected();
        let keys = (1..=count)
            .map(|id| {
                let (key, transaction_id) = peer.create_stream();
                peer.command(0, "_result", transaction_id, vec![Value::Null, id.into()]);
                key
            })
            .collect();
        assert!(peer.events.is_empty(), "{:?}", peer.events);
        (peer, keys)
    }

    /// Has the client ask for a stream: its key, and the transaction that would answer.
    pub(crate) fn create_stream(&mut self) -> (StreamKey, f64) {
        let key = self.client.create_stream(self.now).unwrap();
        self.drain();
        let (name, transaction_id, _) = self.wire.answer();
        assert_eq!(name, "createStream");
        (key, transaction_id)
    }

    pub(crate) fn send(&mut self, raw: &Raw) {
        let bytes = self.wire.encode(raw);
        self.bytes(&bytes);
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

    /// Sends an onStatus.
    pub(crate) fn status(&mut self, stream_id: u32, status: &Status) {
        let information = status.to_object().into();
        self.command(stream_id, "onStatus", 0.0, vec![Value::Null, information]);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.transcript.extend_from_slice(bytes);
        self.client.handle_input(self.now, bytes);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(event) => self.events.push(event),
                // C0, C1 and C2 come in pieces of their own.
                Output::Transmit(transmit) if !self.shaken => {
                    self.shaken = self.wire.skip(&transmit, 1 + 2 * 1536);
                }
                Output::Transmit(transmit) => self.wire.read(&transmit),
            }
        }
    }

    /// The one event since the last look.
    pub(crate) fn event(&mut self) -> client::Event {
        let mut events = std::mem::take(&mut self.events);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The status that is the one event since the last look.
    pub(crate) fn told(&mut self) -> (Option<StreamKey>, Status) {
        match self.event() {
            client::Event::Status { stream, status } => (stream, status),
            other => panic!("{other:?}"),
        }
    }

    /// Why the session has ended, which must be its last event.
    pub(crate) fn closed(&mut self) -> CloseReason {
        match self.events.pop() {
            Some(client::Event::Closed { reason }) => reason,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn ignored(&self) -> u64 {
        self.client.stats().ignored_messages
    }
}

/// Without the commands of the Flash Media Live Encoder, whose answers nobody awaits.
pub(crate) fn config() -> client::Config {
    let mut config = client::Config::new(1);
    config.fc_commands = false;
    config
}
