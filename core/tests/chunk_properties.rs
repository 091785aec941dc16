//! The chunk stream over generated message sequences: through our own decoder, and both ways against rml_rtmp's, which
//! nobody here wrote.
//!
//! rml_rtmp is held to what it gets right: its encoder sends nothing for an empty payload, and cuts a Set Chunk Size into
//! type 0 chunks where the chunk size is under 4.

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::chunk::{CONTROL_CHUNK_STREAM, Decoder, Encoder, Limits, SharedMessage};
use chalkcast_core::flv::Tag;
use chalkcast_core::message::{Message, Raw};
use proptest::collection::vec;
use proptest::prelude::*;
use rml_rtmp::chunk_io::{ChunkDeserializer, ChunkSerializer};
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::time::RtmpTimestamp;

/// One thing a sender does.
#[derive(Clone, Debug)]
enum Operation {
    Send { chunk_stream_id: u32, message: Raw },
    SetChunkSize(u32),
}

/// Mostly a few milliseconds forward, as media is; sometimes anywhere.
fn step() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => 0..50_u32,
        2 => Just(23),
        1 => any::<u32>(),
        1 => prop_oneof![Just(0x00FF_FFFE), Just(0x00FF_FFFF), Just(0x0100_0000), Just(u32::MAX)],
    ]
}

fn chunk_stream_id() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 3..8_u32, 1 => prop_oneof![Just(63), Just(64), Just(319), Just(320), Just(65_599)]]
}

fn message_type() -> impl Strategy<Value = u8> {
    prop_oneof![Just(8), Just(9), Just(18), Just(20), Just(22)]
}

/// Sizes that repeat, so that every chunk type occurs.
fn length(least: usize) -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(100), 2 => Just(300), 2 => least..5000_usize]
}

fn operations(least_length: usize, least_chunk_size: u32) -> impl Strategy<Value = Vec<Operation>> {
    let send = (
        chunk_stream_id(),
        message_type(),
        prop_oneof![6 => Just(1), 1 => any::<u32>()],
        step(),
        length(least_length),
    );
    let operation = prop_oneof![
        9 => send.prop_map(Some),
        1 => Just(None),
    ];
    (
        vec((operation, least_chunk_size..6000), 1..40),
        any::<u32>(),
    )
        .prop_map(|(drawn, start)| {
            let mut timestamp = start;
            drawn
                .into_iter()
                .map(|(send, chunk_size)| match send {
                    None => Operation::SetChunkSize(chunk_size),
                    Some((chunk_stream_id, message_type, stream_id, step, length)) => {
                        timestamp = timestamp.wrapping_add(step);
                        let payload: Bytes = (0..length)
                            .map(|index| (index ^ (index >> 8)) as u8)
                            .collect();
                        let message = Raw::new(message_type, payload)
                            .on_stream(stream_id)
                            .at(Timestamp::from_millis(timestamp));
                        Operation::Send {
                            chunk_stream_id,
                            message,
                        }
                    }
                })
                .collect()
        })
}

fn reads() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..20_usize, 1..6000_usize], 1..10)
}

/// `bytes` in pieces of these sizes, over and over.
fn fragments<'a>(mut bytes: &'a [u8], reads: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    reads.iter().cycle().map_while(move |size| {
        let (read, rest) = bytes.split_at((*size).min(bytes.len()));
        bytes = rest;
        (!read.is_empty()).then_some(read)
    })
}

/// The messages, Set Chunk Size among them, and our encoder's bytes for them.
fn encode(operations: &[Operation]) -> (Vec<Raw>, Vec<u8>) {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    let messages = operations.iter().map(|operation| {
        let (chunk_stream_id, message) = match operation {
            Operation::Send {
                chunk_stream_id,
                message,
            } => (*chunk_stream_id, message.clone()),
            Operation::SetChunkSize(size) => {
                (CONTROL_CHUNK_STREAM, Message::SetChunkSize(*size).encode())
            }
        };
        encoder
            .encode(chunk_stream_id, &message, &mut out)
            .expect("a short message");
        if let Operation::SetChunkSize(size) = operation {
            encoder.set_chunk_size(*size);
        }
        message
    });
    let messages = messages.collect();
    (messages, out)
}

/// What our decoder makes of `bytes` that come in these reads.
fn decode(bytes: &[u8], reads: &[usize]) -> Vec<Raw> {
    let mut decoder = Decoder::new(Limits::default());
    let mut messages = Vec::new();
    for mut read in fragments(bytes, reads) {
        while let Some(message) = decoder.decode(&mut read).expect("a good chunk stream") {
            messages.push(message);
        }
    }
    assert_eq!(decoder.unfinished_bytes(), 0);
    messages
}

fn from_rml(message: MessagePayload) -> Raw {
    Raw {
        message_type: message.type_id,
        stream_id: message.message_stream_id,
        timestamp: Timestamp::from_millis(message.timestamp.value),
        payload: message.data,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_encoded_is_decoded(operations in operations(0, 1), reads in reads()) {
        let (messages, bytes) = encode(&operations);
        prop_assert_eq!(decode(&bytes, &reads), messages);
    }

    #[test]
    fn rml_rtmp_decodes_what_we_encode(operations in operations(0, 1), reads in reads()) {
        let (messages, bytes) = encode(&operations);
        let mut theirs = ChunkDeserializer::new();
        let mut decoded = Vec::new();
        for read in fragments(&bytes, &reads) {
            let mut read = read;
            while let Some(message) = theirs.get_next_message(read).expect("rml_rtmp reads it") {
                read = &[];
                let message = from_rml(message);
                if let Ok(Message::SetChunkSize(size)) = Message::decode(&message) {
                    theirs.set_max_chunk_size(size as usize).expect("a good chunk size");
                }
                decoded.push(message);
            }
        }
        prop_assert_eq!(decoded, messages);
    }

    #[test]
    fn we_decode_what_rml_rtmp_encodes(operations in operations(1, 4), reads in reads()) {
        let mut theirs = ChunkSerializer::new();
        let (mut messages, mut bytes) = (Vec::new(), Vec::new());
        for operation in operations {
            let packet = match operation {
                Operation::SetChunkSize(size) => {
                    messages.push(Message::SetChunkSize(size).encode());
                    theirs.set_max_chunk_size(size, RtmpTimestamp::new(0))
                }
                Operation::Send { message, .. } => {
                    messages.push(message.clone());
                    let message = MessagePayload {
                        timestamp: RtmpTimestamp::new(message.timestamp.as_millis()),
                        type_id: message.message_type,
                        message_stream_id: message.stream_id,
                        data: message.payload,
                    };
                    theirs.serialize(&message, false, false)
                }
            };
            bytes.extend(packet.expect("rml_rtmp writes it").bytes);
        }
        prop_assert_eq!(decode(&bytes, &reads), messages);
    }

    #[test]
    fn shared_messages_are_decoded_for_every_viewer(
        operations in operations(0, 1), chunk_size in 1..6000_u32, streams in vec(any::<u32>(), 1..4), reads in reads(),
    ) {
        let mut bytes = Vec::new();
        Encoder::new().encode(CONTROL_CHUNK_STREAM, &Message::SetChunkSize(chunk_size).encode(), &mut bytes).expect("4 bytes");
        let mut messages = Vec::new();
        let tags = operations.into_iter().filter_map(|operation| match operation {
            Operation::Send { message, .. } => message.into_tag(),
            Operation::SetChunkSize(_) => None,
        });
        for tag in tags.collect::<Vec<Tag>>() {
            let shared = SharedMessage::encode(&tag, chunk_size).expect("a short message");
            for stream_id in &streams {
                shared.transmit(*stream_id).write_to(&mut bytes);
                messages.push(Raw::from_tag(&tag, *stream_id));
            }
        }
        prop_assert_eq!(decode(&bytes, &reads)[1..].to_vec(), messages);
    }

    /// Whatever the bytes, decoding ends, and holds no more than the limits say.
    #[test]
    fn no_bytes_break_the_decoder(bytes in vec(any::<u8>(), 0..3000), reads in reads()) {
        let limits = Limits { message_length: 10_000, chunk_streams: 8, reassembly_bytes: 20_000 };
        let mut decoder = Decoder::new(limits);
        'reads: for mut read in fragments(&bytes, &reads) {
            loop {
                match decoder.decode(&mut read) {
                    Ok(Some(message)) => prop_assert!(message.payload.len() <= 10_000),
                    Ok(None) => break,
                    Err(_) => break 'reads,
                }
                prop_assert!(decoder.unfinished_bytes() <= limits.reassembly_bytes);
            }
        }
    }
}
