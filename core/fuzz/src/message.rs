//! A message: the first byte is its type, the rest its payload.

use chalkcast_core::amf0::Limits;
use chalkcast_core::message::{Message, Raw};

/// What was decoded is encoded to something that decodes and encodes to itself.
pub fn run(data: &[u8]) {
    let Some((message_type, payload)) = data.split_first() else {
        return;
    };
    let limits = Limits {
        depth: 16,
        count: 1000,
        string_length: 10_000,
        total_length: 50_000,
    };
    let raw = Raw::new(*message_type, payload.to_vec());
    let Ok(message) = Message::decode_with(&raw, &limits) else {
        return;
    };
    if let Message::Aggregate(aggregate) = &message {
        let inside: usize = aggregate
            .messages()
            .flatten()
            .map(|message| message.payload.len())
            .sum();
        assert!(inside <= payload.len());
    }
    let encoded = message.encode();
    // References are written out and U+FFFD takes three bytes, so the same values may be over the limits now.
    let unlimited = Limits {
        depth: 100,
        count: usize::MAX,
        string_length: usize::MAX,
        total_length: usize::MAX,
    };
    let again = Message::decode_with(&encoded, &unlimited).expect("what we wrote");
    assert_eq!(again.encode(), encoded);
}
