//! The chunk stream, byte by byte: the tables of RTMP 1.0 §5.3 and what peers make of them.
//!
//! Every stream of bytes is decoded in one piece and in pieces of 1, 2, 3, 7 and 64 bytes, with the same outcome.

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::chunk::{Decoder, Encoder, Error, Limits, SharedMessage};
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::Raw;

fn raw(message_type: u8, stream_id: u32, timestamp: u32, payload: impl Into<Bytes>) -> Raw {
    Raw::new(message_type, payload)
        .on_stream(stream_id)
        .at(Timestamp::from_millis(timestamp))
}

/// `length` bytes that differ from their neighbours.
fn payload(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 256) as u8)
        .collect()
}

fn decode_in_steps(bytes: &[u8], step: usize, limits: Limits) -> (Vec<Raw>, Option<Error>) {
    let mut decoder = Decoder::new(limits);
    let mut messages = Vec::new();
    for mut read in bytes.chunks(step) {
        loop {
            match decoder.decode(&mut read) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        assert!(read.is_empty());
    }
    (messages, None)
}

fn decode_within(bytes: &[u8], limits: Limits) -> (Vec<Raw>, Option<Error>) {
    let whole = decode_in_steps(bytes, bytes.len().max(1), limits);
    for step in [1, 2, 3, 7, 64] {
        assert_eq!(
            decode_in_steps(bytes, step, limits),
            whole,
            "in steps of {step}"
        );
    }
    whole
}

fn decode(bytes: &[u8]) -> Vec<Raw> {
    let (messages, error) = decode_within(bytes, Limits::default());
    assert_eq!(error, None);
    messages
}

fn error(bytes: &[u8]) -> Error {
    decode_within(bytes, Limits::default()).1.expect("an error")
}

fn encode(messages: &[(u32, Raw)]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    for (chunk_stream_id, message) in messages {
        encoder
            .encode(*chunk_stream_id, message, &mut out)
            .expect("a short message");
    }
    out
}

/// A type 0 header on a chunk stream below 64, with no extended timestamp.
fn type_0(id: u8, timestamp: u32, length: usize, message_type: u8, stream_id: u32) -> Vec<u8> {
    let mut header = vec![id];
    header.extend(&timestamp.to_be_bytes()[1..]);
    header.extend(&(length as u32).to_be_bytes()[1..]);
    header.push(message_type);
    header.extend(stream_id.to_le_bytes());
    header
}

/// Example 1 of §5.3.2.1: four audio messages, of which the third and the fourth have nothing but the basic header.
#[test]
fn example_1_of_the_specification() {
    let payload = payload(32);
    let messages: Vec<_> = [1000, 1020, 1040, 1060]
        .map(|timestamp| (3, raw(8, 12345, timestamp, payload.clone())))
        .into();
    let bytes = [
        &[
            0x03, 0x00, 0x03, 0xE8, 0x00, 0x00, 0x20, 0x08, 0x39, 0x30, 0x00, 0x00,
        ],
        &payload[..],
        &[0x83, 0x00, 0x00, 0x14],
        &payload,
        &[0xC3],
        &payload,
        &[0xC3],
        &payload,
    ]
    .concat();
    assert_eq!(bytes.len(), 44 + 36 + 33 + 33);
    assert_eq!(encode(&messages), bytes);
    assert_eq!(
        decode(&bytes),
        messages
            .into_iter()
            .map(|(_, message)| message)
            .collect::<Vec<_>>()
    );
}

/// Example 2 of §5.3.2.2: a video message of 307 bytes in chunks of 128, 128 and 51.
#[test]
fn example_2_of_the_specification() {
    let payload = payload(307);
    let message = raw(9, 12346, 1000, payload.clone());
    let bytes = [
        &[
            0x04, 0x00, 0x03, 0xE8, 0x00, 0x01, 0x33, 0x09, 0x3A, 0x30, 0x00, 0x00,
        ],
        &payload[..128],
        &[0xC4],
        &payload[128..256],
        &[0xC4],
        &payload[256..],
    ]
    .concat();
    assert_eq!(bytes.len(), 140 + 129 + 52);
    assert_eq!(encode(&[(4, message.clone())]), bytes);
    assert_eq!(decode(&bytes), [message]);
}

/// §5.3.1.1: the three forms, at both ends of what each can say, and one in a longer form than it needs.
#[test]
fn chunk_stream_ids_have_one_two_or_three_bytes() {
    for id in [2, 3, 63, 64, 65, 319, 320, 65_598, 65_599] {
        let message = raw(8, 1, 5, payload(300));
        let bytes = encode(&[(id, message.clone()), (id, message.clone())]);
        assert_eq!(
            decode(&bytes),
            [message.clone(), message],
            "chunk stream {id}"
        );
    }
    let two_bytes = [
        &[0x00, 0x00],
        &type_0(0, 7, 1, 8, 1)[1..],
        b"a",
        &[0x81, 0x00, 0x00, 0, 0, 5],
        b"b",
    ]
    .concat();
    assert_eq!(decode(&two_bytes), [raw(8, 1, 7, "a"), raw(8, 1, 12, "b")]);
}

/// §5.3.1.2: what each type leaves out is what the one before it on the same chunk stream said.
#[test]
fn each_chunk_type_inherits_what_it_leaves_out() {
    let bytes = [
        &type_0(5, 100, 1, 8, 1)[..],
        b"a",
        &[0x45, 0, 0, 10, 0, 0, 2, 9],
        b"bb",
        &[0x85, 0, 0, 20],
        b"cc",
        &[0xC5],
        b"dd",
        &type_0(5, 50, 1, 8, 2),
        b"e",
    ]
    .concat();
    assert_eq!(
        decode(&bytes),
        [
            raw(8, 1, 100, "a"),
            raw(9, 1, 110, "bb"),
            raw(9, 1, 130, "cc"),
            raw(9, 1, 150, "dd"),
            raw(8, 2, 50, "e")
        ]
    );
}

/// §5.3.1.2.4: after a type 0 header, the delta of a type 3 that starts a message is that header's timestamp. ffmpeg, librtmp
/// and SRS read it so.
#[test]
fn a_message_that_is_only_a_type_3_repeats_the_delta_or_the_timestamp() {
    let bytes = [
        &type_0(5, 23, 1, 8, 1)[..],
        b"a",
        &[0xC5],
        b"b",
        &[0xC5],
        b"c",
    ]
    .concat();
    assert_eq!(
        decode(&bytes),
        [raw(8, 1, 23, "a"), raw(8, 1, 46, "b"), raw(8, 1, 69, "c")]
    );
}

/// librtmp sends its control messages so, and OBS is built on it.
#[test]
fn a_type_1_header_may_start_a_chunk_stream() {
    let bytes = [0x42, 0, 0, 0, 0, 0, 4, 3, 0, 0x26, 0x25, 0xA0];
    assert_eq!(decode(&bytes), [raw(3, 0, 0, vec![0, 0x26, 0x25, 0xA0])]);
}

#[test]
fn types_2_and_3_may_not_start_a_chunk_stream() {
    assert_eq!(
        error(&[0x85, 0, 0, 1]),
        Error::NoEarlierHeader {
            chunk_stream_id: 5,
            chunk_type: 2
        }
    );
    assert_eq!(
        error(&[0xC1, 0, 1]),
        Error::NoEarlierHeader {
            chunk_stream_id: 320,
            chunk_type: 3
        }
    );
}

/// §5.3.1.3, with the repetition on type 3 chunks that it asks for, and without it as some peers have it.
#[test]
fn extended_timestamps_are_read_repeated_or_not() {
    for timestamp in [0x00FF_FFFF_u32, 0x0100_0000, 0xFFFF_FFFF] {
        let payload = payload(300);
        let mut header = type_0(6, 0x00FF_FFFF, 300, 9, 1);
        header.extend(timestamp.to_be_bytes());
        let repeated = &[&[0xC6], &timestamp.to_be_bytes()[..]].concat()[..];
        for continuation in [repeated, &[0xC6]] {
            let bytes = [
                &header,
                &payload[..128],
                continuation,
                &payload[128..256],
                continuation,
                &payload[256..],
            ]
            .concat();
            assert_eq!(decode(&bytes), [raw(9, 1, timestamp, payload.clone())]);
        }
        let ours = encode(&[(6, raw(9, 1, timestamp, payload.clone()))]);
        assert_eq!(
            ours,
            [
                &header,
                &payload[..128],
                repeated,
                &payload[128..256],
                repeated,
                &payload[256..]
            ]
            .concat()
        );
    }
}

/// A type 3 chunk with fewer payload bytes than an extended timestamp has, and the next header right behind it.
#[test]
fn an_extended_timestamp_that_is_not_repeated_may_be_told_from_less_than_four_bytes() {
    let mut header = type_0(6, 0x00FF_FFFF, 129, 9, 1);
    header.extend([1, 2, 3, 4]);
    for last in [0, 1] {
        let payload = [&payload(128)[..], &[last]].concat();
        let bytes = [
            &header,
            &payload[..128],
            &[0xC6],
            &payload[128..],
            &[0x02],
            &type_0(2, 0, 4, 5, 0)[1..],
            &[0; 4],
        ];
        assert_eq!(
            decode(&bytes.concat()),
            [raw(9, 1, 0x0102_0304, payload), raw(5, 0, 0, vec![0; 4])]
        );
    }
}

#[test]
fn deltas_cross_the_escape_and_the_wrap() {
    let times = [0x00FF_FFF0, 0x0100_0010, 0xFFFF_FFF0, 0x10, 0x30, 0x50];
    let messages = times.map(|time| raw(9, 1, time, payload(200)));
    let bytes = encode(&messages.clone().map(|message| (6, message)));
    assert_eq!(decode(&bytes), messages);

    // A peer that sends deltas where we would not: one of 2^24 and more, and one that goes backwards.
    let forward = 0xFEFF_FFE0_u32;
    let backward = 0_u32.wrapping_sub(0x20);
    let bytes = [
        &type_0(6, 0x10, 1, 9, 1)[..],
        b"a",
        &[0x86, 0xFF, 0xFF, 0xFF],
        &forward.to_be_bytes(),
        b"b",
        &[0x86, 0xFF, 0xFF, 0xFF],
        &backward.to_be_bytes(),
        b"c",
        &[0xC6],
        &backward.to_be_bytes(),
        b"d",
    ]
    .concat();
    let at = |time, text: &'static str| raw(9, 1, time, text);
    assert_eq!(
        decode(&bytes),
        [
            at(0x10, "a"),
            at(0xFEFF_FFF0, "b"),
            at(0xFEFF_FFD0, "c"),
            at(0xFEFF_FFB0, "d")
        ]
    );
}

#[test]
fn the_encoder_says_the_whole_timestamp_where_a_delta_would_not_fit() {
    for (from, to) in [
        (1000, 990),
        (0, 0x00FF_FFFF),
        (10, 0x8000_0010),
        (0x1234_5678, 0x1234_5000),
    ] {
        let messages = [from, to].map(|time| raw(8, 1, time, "x"));
        let bytes = encode(&messages.clone().map(|message| (4, message)));
        let first = encode(&[(4, messages[0].clone())]).len();
        assert_eq!(bytes[first], 4, "a type 0 header");
        assert_eq!(decode(&bytes), messages);
    }
}

#[test]
fn messages_without_payload_are_messages() {
    let messages = [0, 0, 5].map(|time| raw(9, 1, time, ""));
    let bytes = encode(&messages.clone().map(|message| (6, message)));
    assert_eq!(bytes.len(), 12 + 4 + 4);
    assert_eq!(decode(&bytes), messages);
    let bytes = [&type_0(6, 0, 0, 9, 1)[..], &[0xC6, 0xC6]].concat();
    assert_eq!(decode(&bytes), [0; 3].map(|time| raw(9, 1, time, "")));
}

/// §5.4.1: the new size holds for the next chunk, also of a message that has begun.
#[test]
fn set_chunk_size_applies_in_mid_message_of_another_chunk_stream() {
    let payload = payload(1000);
    let bytes = [
        &type_0(6, 9, 1000, 9, 1),
        &payload[..128],
        &type_0(2, 0, 4, 1, 0),
        &[0, 0, 1, 0x90],
        &[0xC6],
        &payload[128..528],
        &[0xC6],
        &payload[528..928],
        &type_0(2, 0, 4, 1, 0),
        &[0, 0, 0, 1],
        &payload[928..]
            .iter()
            .flat_map(|byte| [0xC6, *byte])
            .collect::<Vec<_>>(),
    ]
    .concat();
    assert_eq!(
        decode(&bytes),
        [
            raw(1, 0, 0, vec![0, 0, 1, 0x90]),
            raw(1, 0, 0, vec![0, 0, 0, 1]),
            raw(9, 1, 9, payload)
        ]
    );
}

#[test]
fn a_chunk_size_is_at_least_1_and_less_than_2_to_the_31() {
    let set = |size: u32| [&type_0(2, 0, 4, 1, 0), &size.to_be_bytes()[..]].concat();
    for size in [1, 0x00FF_FFFF, 0x7FFF_FFFF] {
        assert_eq!(decode(&set(size)).len(), 1);
    }
    for size in [0, 0x8000_0000, 0xFFFF_FFFF] {
        assert_eq!(error(&set(size)), Error::ChunkSize { size });
    }
    let short = [&type_0(2, 0, 3, 1, 0), &[0, 0, 1][..]].concat();
    assert_eq!(
        error(&short),
        Error::ShortControl {
            message_type: 1,
            length: 3
        }
    );
}

/// §5.4.2.
#[test]
fn abort_drops_the_unfinished_message_and_no_other() {
    let payload = payload(200);
    let abort = [0, 0, 0, 6];
    let bytes = [
        &type_0(4, 7, 200, 8, 1),
        &payload[..128],
        &type_0(6, 9, 200, 9, 1),
        &payload[..128],
        &type_0(2, 0, 4, 2, 0),
        &abort,
        &[0xC4],
        &payload[128..],
        &[0x86, 0, 0, 1],
        &payload[..128],
        &[0xC6],
        &payload[128..],
        // Nothing unfinished, and a chunk stream never used.
        &[0x82, 0, 0, 0],
        &abort,
        &[0x82, 0, 0, 0],
        &[0, 1, 0, 0],
    ]
    .concat();
    let aborts = |id: &[u8]| raw(2, 0, 0, id.to_vec());
    assert_eq!(
        decode(&bytes),
        [
            aborts(&abort),
            raw(8, 1, 7, payload.clone()),
            raw(9, 1, 10, payload),
            aborts(&abort),
            aborts(&[0, 1, 0, 0])
        ]
    );
}

#[test]
fn a_new_header_in_mid_message_starts_a_new_message() {
    let payload = payload(200);
    let bytes = [
        &type_0(6, 9, 200, 9, 1),
        &payload[..128],
        &type_0(6, 19, 2, 8, 1),
        &b"ab"[..],
    ]
    .concat();
    assert_eq!(decode(&bytes), [raw(8, 1, 19, "ab")]);
}

#[test]
fn chunks_of_several_chunk_streams_interleave() {
    let (audio, video) = (payload(300), payload(400));
    let bytes = [
        &type_0(6, 9, 400, 9, 1),
        &video[..128],
        &type_0(4, 8, 300, 8, 2),
        &audio[..128],
        &[0xC6],
        &video[128..256],
        &[0xC4],
        &audio[128..256],
        &[0xC4],
        &audio[256..],
        &[0xC6],
        &video[256..384],
        &[0xC6],
        &video[384..],
    ]
    .concat();
    assert_eq!(decode(&bytes), [raw(8, 2, 8, audio), raw(9, 1, 9, video)]);
}

#[test]
fn going_over_a_limit_says_which_with_the_numbers() {
    let limits = Limits {
        message_length: 1000,
        chunk_streams: 3,
        reassembly_bytes: 1500,
    };
    let (_, too_long) = decode_within(&type_0(6, 0, 1001, 9, 1), limits);
    assert_eq!(
        too_long,
        Some(Error::MessageTooLong {
            chunk_stream_id: 6,
            length: 1001,
            limit: 1000
        })
    );

    let four: Vec<u8> = (3..7).flat_map(|id| type_0(id, 0, 0, 9, 1)).collect();
    let (messages, too_many) = decode_within(&four, limits);
    assert_eq!(messages.len(), 3);
    assert_eq!(
        too_many,
        Some(Error::TooManyChunkStreams {
            chunk_stream_id: 6,
            limit: 3
        })
    );

    let begun: Vec<u8> = (3..5)
        .flat_map(|id| [type_0(id, 0, 1000, 9, 1), payload(128)].concat())
        .collect();
    let (_, too_much) = decode_within(&begun, limits);
    assert_eq!(
        too_much,
        Some(Error::TooMuchUnfinished {
            bytes: 2000,
            limit: 1500
        })
    );

    // Declaring is free, and finished messages do not count.
    let declared: Vec<u8> = (0..20)
        .flat_map(|_| [type_0(3, 0, 100, 9, 1), payload(100)].concat())
        .collect();
    assert_eq!(decode_within(&declared, limits).0.len(), 20);
}

#[test]
fn a_message_longer_than_24_bits_is_not_encoded() {
    let tag = Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: vec![0; 1 << 24].into(),
    };
    let error = Error::MessageTooLong {
        chunk_stream_id: 6,
        length: 1 << 24,
        limit: 0x00FF_FFFF,
    };
    let mut out = Vec::new();
    assert_eq!(
        Encoder::new().encode(6, &Raw::from_tag(&tag, 1), &mut out),
        Err(error)
    );
    assert!(out.is_empty());
    assert_eq!(SharedMessage::encode(&tag, 128).err(), Some(error));
}

/// What is encoded once is right for viewers on three message streams of one connection, whatever was sent there before.
#[test]
fn a_shared_message_is_the_same_for_every_viewer_but_for_its_message_stream_id() {
    for timestamp in [0, 5000, 0x00FF_FFFE, 0x00FF_FFFF, 0xFFFF_FFFF] {
        for (tag_type, length) in [
            (TagType::Audio, 1),
            (TagType::Video, 1000),
            (TagType::Script, 128),
            (TagType::Video, 0),
        ] {
            let tag = Tag {
                tag_type,
                timestamp: Timestamp::from_millis(timestamp),
                payload: payload(length).into(),
            };
            let shared = SharedMessage::encode(&tag, 128).unwrap();
            let mut bytes = Vec::new();
            for stream_id in [1, 2, 3, 1] {
                let transmit = shared.transmit(stream_id);
                assert!(transmit.head.len() <= 16);
                assert_eq!(
                    transmit.body.as_ptr(),
                    shared.transmit(9).body.as_ptr(),
                    "the body is shared"
                );
                assert_eq!(transmit.len(), shared.len());
                transmit.write_to(&mut bytes);
            }
            assert_eq!(
                decode(&bytes),
                [1, 2, 3, 1].map(|stream_id| Raw::from_tag(&tag, stream_id))
            );
        }
    }
}

#[test]
fn a_shared_message_of_one_chunk_does_not_copy_its_payload() {
    let tag = Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: payload(4096).into(),
    };
    assert_eq!(
        SharedMessage::encode(&tag, 4096)
            .unwrap()
            .transmit(1)
            .body
            .as_ptr(),
        tag.payload.as_ptr()
    );
}

#[test]
fn forgetting_a_chunk_stream_starts_it_over() {
    let message = raw(8, 1, 40, "x");
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    for _ in 0..2 {
        encoder.encode(4, &message, &mut out).unwrap();
        encoder.forget(4);
    }
    assert_eq!(out.len(), 2 * 13);
}
