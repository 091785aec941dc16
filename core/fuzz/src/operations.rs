//! An input read as a sequence of operations on a session: what the peer sends, what the owner does, how time goes by.

use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::chunk::{Decoder, Encoder, Limits};
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{Command, Dialect, Message, Raw, UserControl};
use chalkcast_core::session::PlayOptions;
use chalkcast_core::{Timestamp, handshake};

/// The bytes of an input, one operation's parameter after the other; zero when they run out.
#[derive(Debug)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether there is more to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    /// Up to 255 bytes.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        self.0.split_off(..length).unwrap_or_default()
    }

    /// One of the names that mean something to either side, or one that means nothing.
    pub fn name(&mut self) -> &'static str {
        const NAMES: &[&str] = &[
            "connect",
            "createStream",
            "deleteStream",
            "closeStream",
            "releaseStream",
            "publish",
            "play",
            "play2",
            "pause",
            "seek",
            "receiveAudio",
            "receiveVideo",
            "FCPublish",
            "FCUnpublish",
            "FCSubscribe",
            "getStreamLength",
            "_checkbw",
            "checkBandwidth",
            "_result",
            "_error",
            "onStatus",
            "onBWDone",
            "_onbwcheck",
            "close",
            "live",
            "conf",
            "",
            "NetConnection.Connect.Success",
            "NetStream.Publish.Start",
            "NetStream.Play.Start",
            "NetStream.Publish.BadName",
        ];
        NAMES[usize::from(self.byte()) % NAMES.len()]
    }

    /// A small value of any kind.
    pub fn value(&mut self) -> Value {
        match self.byte() % 8 {
            0 => Value::Null,
            1 => self.name().into(),
            2 => f64::from(self.byte()).into(),
            3 => (self.byte().is_multiple_of(2)).into(),
            4 => Object::new()
                .with("code", self.name())
                .with("level", self.name())
                .with("app", "live")
                .into(),
            5 => [f64::NAN, -1.0, -2000.0, 1e300, 0.5][usize::from(self.byte()) % 5].into(),
            6 => Object::new()
                .with("streamName", self.name())
                .with(
                    "transition",
                    ["switch", "stop", "append"][usize::from(self.byte()) % 3],
                )
                .with("start", f64::from(self.byte()) - 3.0)
                .with("capsEx", 1.0)
                .into(),
            _ => Value::Undefined,
        }
    }

    /// Options of play2.
    pub fn play_options(&mut self) -> PlayOptions {
        PlayOptions::from_value(self.value())
    }

    /// Up to seven values.
    pub fn values(&mut self) -> Vec<Value> {
        (0..self.byte() % 8).map(|_| self.value()).collect()
    }

    /// A small tag.
    pub fn tag(&mut self) -> Tag {
        let tag_type =
            [TagType::Audio, TagType::Video, TagType::Script][usize::from(self.byte() % 3)];
        let timestamp = Timestamp::from_millis(u32::from(self.byte()) << 17);
        Tag {
            tag_type,
            timestamp,
            payload: self.bytes().to_vec().into(),
        }
    }

    /// A message as a peer might send it.
    pub fn message(&mut self) -> Raw {
        let stream_id = u32::from(self.byte() % 4);
        let message = match self.byte() % 6 {
            0 | 1 => {
                let dialect = [Dialect::Amf0, Dialect::Amf0InAmf3, Dialect::Amf3]
                    [usize::from(self.byte() % 3)];
                let (name, id) = (self.name(), f64::from(self.byte() % 8));
                Message::Command(Command {
                    dialect,
                    ..Command::new(name, id, self.values())
                })
            }
            2 => Message::UserControl(match self.byte() % 6 {
                0 => UserControl::StreamBegin(stream_id),
                1 => UserControl::StreamEof(stream_id),
                2 => UserControl::PingRequest(7),
                3 => UserControl::PingResponse(u32::from(self.byte()) * 1000),
                4 => UserControl::SetBufferLength {
                    stream_id,
                    length: 100,
                },
                _ => UserControl::StreamIsRecorded(stream_id),
            }),
            3 => Message::WindowAckSize(u32::from(self.byte())),
            4 => Message::Acknowledgement(u32::from(self.byte()) << 20),
            _ => return Raw::from_tag(&self.tag(), stream_id),
        };
        let raw = message.encode().on_stream(stream_id);
        match self.byte() {
            // A message cut short, or of another type.
            0 => Raw {
                payload: raw.payload.slice(..raw.payload.len() / 2),
                ..raw
            },
            1 => Raw {
                message_type: self.byte(),
                ..raw
            },
            _ => raw,
        }
    }
}

/// The other end of the byte stream: it writes whole messages, and reads all it is sent.
#[derive(Debug)]
pub struct Peer {
    encoder: Encoder,
    decoder: Decoder,
    handshake: Vec<u8>,
}

impl Peer {
    /// A peer of a client if `server`, else of a server.
    pub fn new() -> Self {
        Self {
            encoder: Encoder::new(),
            decoder: Decoder::new(Limits::default()),
            handshake: Vec::new(),
        }
    }

    /// The client's half of a handshake, in one piece: a server needs no more than its length.
    pub fn client_handshake() -> Vec<u8> {
        let mut sent = Vec::new();
        handshake::Client::new(
            handshake::Kind::Simple,
            1,
            chalkcast_core::Instant::ZERO,
            &mut sent,
        );
        sent.resize(1 + 2 * 1536, 0);
        sent
    }

    /// The server's half.
    pub fn server_handshake() -> Vec<u8> {
        let mut sent = vec![0; 1 + 2 * 1536];
        sent[0] = 3;
        sent
    }

    /// The bytes of the input's next message, in two pieces.
    pub fn message(&mut self, input: &mut Input<'_>) -> [Vec<u8>; 2] {
        let mut bytes = Vec::new();
        self.encoder
            .encode(3, &input.message(), &mut bytes)
            .expect("a short message");
        let rest = bytes.split_off(usize::from(input.byte()).min(bytes.len()));
        [bytes, rest]
    }

    /// Reads what the session sent: the handshake's bytes first, of which there are as many on either side, then messages that must be whole.
    pub fn read(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        let missing = (1 + 2 * 1536 - self.handshake.len()).min(rest.len());
        self.handshake
            .extend_from_slice(rest.split_off(..missing).unwrap_or_default());
        while let Some(raw) = self
            .decoder
            .decode(&mut rest)
            .expect("what a session sends can be read")
        {
            Message::decode(&raw).expect("and understood, but for what its owner wrote");
        }
    }
}

impl Default for Peer {
    fn default() -> Self {
        Self::new()
    }
}
