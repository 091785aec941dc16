use chalkcast_core::amf0::Value;
use chalkcast_core::chunk::{Decoder, Encoder, Limits, Transmit};
use chalkcast_core::message::{Message, Raw};

/// The chunk streams at the far end of a session, after the handshake.
pub(crate) struct Wire {
    /// What the session sent, with the message stream it was on.
    pub(crate) messages: Vec<(u32, Message)>,
    /// The same as bytes.
    pub(crate) bytes: Vec<u8>,
    encoder: Encoder,
    decoder: Decoder,
    skipped: usize,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self {
            messages: Vec::new(),
            bytes: Vec::new(),
            encoder: Encoder::new(),
            decoder: Decoder::new(Limits::default()),
            skipped: 0,
        }
    }

    /// Passes over the first `length` bytes, the handshake's; answers whether that was all of them.
    pub(crate) fn skip(&mut self, transmit: &Transmit, length: usize) -> bool {
        let missing = length - self.skipped;
        let body = &transmit.body;
        self.skipped += missing.min(body.len());
        let rest = body.slice(missing.min(body.len())..);
        self.read(&rest.into());
        self.skipped == length
    }

    pub(crate) fn encode(&mut self, raw: &Raw) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encoder.encode(3, raw, &mut bytes).unwrap();
        bytes
    }

    pub(crate) fn read(&mut self, transmit: &Transmit) {
        let mut bytes = Vec::new();
        transmit.write_to(&mut bytes);
        self.bytes.extend_from_slice(&bytes);
        let mut rest = &bytes[..];
        while let Some(raw) = self.decoder.decode(&mut rest).unwrap() {
            self.messages
                .push((raw.stream_id, Message::decode(&raw).unwrap()));
        }
    }

    /// The one command since the last look: name, transaction id, first argument.
    pub(crate) fn answer(&mut self) -> (String, f64, Value) {
        let messages = std::mem::take(&mut self.messages);
        let [(_, Message::Command(command))] = &messages[..] else {
            panic!("{messages:?}")
        };
        (
            command.name.clone(),
            command.transaction_id,
            command.values.get(1).cloned().unwrap_or(Value::Null),
        )
    }
}
