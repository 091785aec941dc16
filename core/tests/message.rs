//! The messages of RTMP 1.0 §5.4, §6 and §7, byte by byte and over generated ones.

use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::amf0::{self, Object, Value};
use chalkcast_core::amf3;
use chalkcast_core::message::{
    Aggregate, Command, Data, Dialect, Error, LimitType, Message, Raw, SharedObject,
    SharedObjectEvent, UserControl,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Both ways: `message` is written as `bytes`, and read from them.
#[track_caller]
fn is(message_type: u8, bytes: impl AsRef<[u8]>, message: Message) {
    let raw = Raw::new(message_type, Bytes::copy_from_slice(bytes.as_ref()));
    assert_eq!(message.encode(), raw);
    assert_eq!(Message::decode(&raw), Ok(message));
}

#[test]
fn set_chunk_size_5_4_1() {
    is(1, [0, 0, 0x10, 0], Message::SetChunkSize(4096));
}

#[test]
fn abort_message_5_4_2() {
    is(2, [0, 0, 0, 6], Message::Abort { chunk_stream_id: 6 });
}

#[test]
fn acknowledgement_5_4_3() {
    is(
        3,
        [0xFF, 0xFF, 0xFF, 0xFE],
        Message::Acknowledgement(0xFFFF_FFFE),
    );
}

#[test]
fn window_acknowledgement_size_5_4_4() {
    is(5, [0, 0x26, 0x25, 0xA0], Message::WindowAckSize(2_500_000));
}

#[test]
fn set_peer_bandwidth_5_4_5() {
    for (byte, limit_type) in [
        (0, LimitType::Hard),
        (1, LimitType::Soft),
        (2, LimitType::Dynamic),
    ] {
        is(
            6,
            [0, 0x26, 0x25, 0xA0, byte],
            Message::SetPeerBandwidth {
                window: 2_500_000,
                limit_type,
            },
        );
    }
    assert_eq!(
        Message::decode(&Raw::new(6, &[0, 0, 0, 1, 3][..])),
        Err(Error::LimitType(3))
    );
}

#[test]
fn user_control_events_7_1_7() {
    let set_buffer_length = UserControl::set_buffer_length(1, Duration::from_secs(15));
    for (bytes, event) in [
        (&[0, 0, 0, 0, 0, 1][..], UserControl::StreamBegin(1)),
        (&[0, 1, 0, 0, 0, 1], UserControl::StreamEof(1)),
        (&[0, 2, 0, 0, 0, 1], UserControl::StreamDry(1)),
        (&[0, 3, 0, 0, 0, 1, 0, 0, 0x3A, 0x98], set_buffer_length),
        (&[0, 4, 0, 0, 0, 1], UserControl::StreamIsRecorded(1)),
        (&[0, 6, 1, 2, 3, 4], UserControl::PingRequest(0x0102_0304)),
        (&[0, 7, 1, 2, 3, 4], UserControl::PingResponse(0x0102_0304)),
        (
            &[0, 31, 0, 0, 0, 1],
            UserControl::Unknown {
                event_type: 31,
                data: Bytes::from_static(&[0, 0, 0, 1]),
            },
        ),
        (
            &[0, 26],
            UserControl::Unknown {
                event_type: 26,
                data: Bytes::new(),
            },
        ),
    ] {
        is(4, bytes, Message::UserControl(event));
    }
}

#[test]
fn a_control_message_may_be_longer_but_not_shorter() {
    assert_eq!(
        Message::decode(&Raw::new(5, &[0, 0, 0, 1, 99][..])),
        Ok(Message::WindowAckSize(1))
    );
    for (message_type, bytes) in [(1, 3), (2, 0), (3, 3), (4, 1), (5, 3), (6, 4)] {
        let raw = Raw::new(message_type, vec![0; bytes]);
        assert_eq!(
            Message::decode(&raw),
            Err(Error::Short {
                message_type,
                length: bytes
            })
        );
    }
    // SetBufferLength without the length, and Stream Begin without the stream.
    for bytes in [&[0, 3, 0, 0, 0, 1, 0, 0][..], &[0, 0, 0, 0]] {
        let short = Error::Short {
            message_type: 4,
            length: bytes.len(),
        };
        assert_eq!(Message::decode(&Raw::new(4, bytes)), Err(short));
    }
}

const CONNECT_1: &[u8] = b"\x02\0\x07connect\0\x3F\xF0\0\0\0\0\0\0";

fn connect(dialect: Dialect, values: Vec<Value>) -> Message {
    Message::Command(Command {
        name: "connect".into(),
        transaction_id: 1.0,
        values,
        dialect,
    })
}

#[test]
fn a_command_is_its_name_its_transaction_id_and_values_7_1_1() {
    let app = Value::Object(Object::new().with("app", "live"));
    let object = b"\x03\0\x03app\x02\0\x04live\0\0\x09";
    is(
        20,
        [CONNECT_1, object, b"\x05"].concat(),
        connect(Dialect::Amf0, vec![app.clone(), Value::Null]),
    );
    is(
        17,
        [b"\0", CONNECT_1, object].concat(),
        connect(Dialect::Amf0InAmf3, vec![app]),
    );
    let integer = Value::AvmPlus(Box::new(amf3::Value::Integer(5)));
    is(
        17,
        [b"\0", CONNECT_1, b"\x11\x04\x05"].concat(),
        connect(Dialect::Amf0InAmf3, vec![integer]),
    );
}

#[test]
fn a_command_in_true_amf3_reads_like_any_other() {
    let bytes = b"\x06\x0Fconnect\x04\x01\x06\x09live\x01\x04\x2A\x09\x03\x01\x04\x07";
    let array = amf3::Value::Array {
        associative: vec![],
        dense: vec![amf3::Value::Integer(7)],
    };
    let values = vec![
        "live".into(),
        Value::Null,
        42.0.into(),
        Value::AvmPlus(Box::new(array)),
    ];
    is(17, bytes, connect(Dialect::Amf3, values));
}

#[test]
fn an_amf3_command_without_its_zero_byte_is_understood() {
    assert_eq!(
        Message::decode(&Raw::new(17, CONNECT_1)),
        Ok(connect(Dialect::Amf0InAmf3, vec![]))
    );
}

#[test]
fn a_command_lacks_what_its_peer_left_out() {
    let decode = |bytes: &'static [u8]| Message::decode(&Raw::new(20, bytes));
    let command = |values| Ok(Message::Command(Command::new("a", 0.0, values)));
    assert_eq!(decode(b"\x02\0\x01a"), command(vec![]));
    assert_eq!(decode(b"\x02\0\x01a\x05\x05"), command(vec![Value::Null]));
    assert_eq!(decode(b""), Err(Error::Nameless { message_type: 20 }));
    assert_eq!(decode(b"\x05"), Err(Error::Nameless { message_type: 20 }));
    let truncated = amf0::Error::Truncated { needed: 8, left: 2 };
    assert_eq!(
        decode(b"\x02\0\x01a\0\x3F\xF0"),
        Err(Error::Value {
            message_type: 20,
            error: truncated
        })
    );
}

#[test]
fn a_data_message_is_a_name_and_values_7_1_2() {
    let data = |dialect| {
        Message::Data(Data {
            name: "onMetaData".into(),
            values: vec![true.into(), "x".into()],
            dialect,
        })
    };
    let amf0 = b"\x02\0\x0AonMetaData\x01\x01\x02\0\x01x";
    is(18, amf0, data(Dialect::Amf0));
    is(15, [b"\0", &amf0[..]].concat(), data(Dialect::Amf0InAmf3));
    is(15, b"\x06\x15onMetaData\x03\x06\x03x", data(Dialect::Amf3));
    assert_eq!(
        Message::decode(&Raw::new(18, &[1, 1][..])),
        Err(Error::Nameless { message_type: 18 })
    );
}

#[test]
fn media_is_shared_and_the_unknown_kept() {
    let payload = Bytes::from_static(b"\x17\x01");
    is(8, &payload, Message::Audio(payload.clone()));
    is(9, &payload, Message::Video(payload.clone()));
    is(
        77,
        &payload,
        Message::Unknown(Raw::new(77, payload.clone())),
    );
    let Ok(Message::Video(decoded)) = Message::decode(&Raw::new(9, payload.clone())) else {
        panic!("video")
    };
    assert_eq!(decoded.as_ptr(), payload.as_ptr());
}

fn at(message_type: u8, timestamp: u32, payload: &'static [u8]) -> Raw {
    Raw::new(message_type, payload)
        .on_stream(1)
        .at(Timestamp::from_millis(timestamp))
}

/// Each message as an FLV tag, and its length with the header behind it.
#[test]
fn an_aggregate_message_holds_messages_7_1_6() {
    let messages = [at(8, 0x0100_0001, b"ab"), at(9, 0x0100_0011, b"c")];
    let aggregate = Aggregate::new(&messages);
    let bytes = [
        &[8, 0, 0, 2, 0, 0, 1, 1, 0, 0, 1, b'a', b'b', 0, 0, 0, 13][..],
        &[9, 0, 0, 1, 0, 0, 0x11, 1, 0, 0, 1, b'c', 0, 0, 0, 12],
    ]
    .concat();
    let raw = Message::Aggregate(aggregate.clone()).encode();
    assert_eq!(
        raw,
        Raw {
            payload: bytes.into(),
            ..at(22, 0x0100_0001, b"")
        }
    );
    assert_eq!(
        Message::decode(&raw),
        Ok(Message::Aggregate(aggregate.clone()))
    );
    assert_eq!(
        aggregate
            .messages()
            .collect::<Result<Vec<_>, _>>()
            .as_deref(),
        Ok(&messages[..])
    );
}

#[test]
fn an_aggregates_own_timestamp_and_stream_override_those_inside() {
    let raw = Message::Aggregate(Aggregate::new(&[
        at(8, 500, b"a"),
        at(9, 490, b"b"),
        at(8, 540, b"c"),
    ]))
    .encode();
    let inside = |raw: Raw| {
        let Ok(Message::Aggregate(aggregate)) = Message::decode(&raw) else {
            panic!("an aggregate")
        };
        aggregate
            .messages()
            .map(|message| message.map(|raw| (raw.stream_id, raw.timestamp.as_millis())))
            .collect::<Vec<_>>()
    };
    let moved = raw.clone().on_stream(7).at(Timestamp::from_millis(5));
    assert_eq!(
        inside(moved),
        [Ok((7, 5)), Ok((7, u32::MAX - 4)), Ok((7, 45))]
    );

    // A last back pointer that is missing is forgiven, a payload that is cut is not.
    let cut = |by: usize| Raw {
        payload: raw.payload.slice(..raw.payload.len() - by),
        ..raw.clone()
    };
    assert!(inside(cut(4)).iter().all(Result::is_ok));
    let short = Error::Short {
        message_type: 22,
        length: raw.payload.len() - 5,
    };
    assert_eq!(inside(cut(5)), [Ok((1, 500)), Ok((1, 490)), Err(short)]);
}

fn shared_object(dialect: Dialect, events: Vec<SharedObjectEvent>) -> Message {
    Message::SharedObject(SharedObject {
        name: "board".into(),
        version: 3,
        persistent: true,
        events,
        dialect,
    })
}

#[test]
fn a_shared_object_message_is_a_name_and_events_7_1_3() {
    let header = b"\0\x05board\0\0\0\x03\0\0\0\x02\0\0\0\0";
    for (bytes, event) in [
        (&b"\x01\0\0\0\0"[..], SharedObjectEvent::Use),
        (b"\x02\0\0\0\0", SharedObjectEvent::Release),
        (
            b"\x03\0\0\0\x05\0\x01x\x01\x01",
            SharedObjectEvent::RequestChange("x".into(), true.into()),
        ),
        (
            b"\x04\0\0\0\x09\0\x01x\x01\x01\0\x01y\x05",
            SharedObjectEvent::Change(vec![("x".into(), true.into()), ("y".into(), Value::Null)]),
        ),
        (
            b"\x05\0\0\0\x03\0\x01x",
            SharedObjectEvent::Success("x".into()),
        ),
        (
            b"\x06\0\0\0\x06\x02\0\x01f\x01\0",
            SharedObjectEvent::SendMessage(vec!["f".into(), false.into()]),
        ),
        (
            b"\x07\0\0\0\x0A\0\x01c\0\x05error",
            SharedObjectEvent::Status {
                code: "c".into(),
                level: "error".into(),
            },
        ),
        (b"\x08\0\0\0\0", SharedObjectEvent::Clear),
        (
            b"\x09\0\0\0\x03\0\x01x",
            SharedObjectEvent::Remove("x".into()),
        ),
        (
            b"\x0A\0\0\0\x03\0\x01x",
            SharedObjectEvent::RequestRemove("x".into()),
        ),
        (b"\x0B\0\0\0\0", SharedObjectEvent::UseSuccess),
        (
            b"\x0C\0\0\0\x02hi",
            SharedObjectEvent::Unknown {
                event_type: 12,
                data: Bytes::from_static(b"hi"),
            },
        ),
    ] {
        is(
            19,
            [header, bytes].concat(),
            shared_object(Dialect::Amf0, vec![event.clone()]),
        );
        is(
            16,
            [b"\0", &header[..], bytes, bytes].concat(),
            shared_object(Dialect::Amf0InAmf3, vec![event.clone(), event]),
        );
    }
}

#[test]
fn a_shared_object_event_stays_within_its_length() {
    let header = b"\0\x01b\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    for event in [
        &b"\x05\0\0\0\x04\0\x01x"[..],
        b"\x05\0\0\0\x02\0\x01x",
        b"\x03\0\0\0\x03\0\x01x",
        b"\x06\0\0",
    ] {
        let raw = Raw::new(19, [&header[..], event].concat());
        let decoded = Message::decode(&raw);
        assert!(
            matches!(
                decoded,
                Err(Error::Value {
                    message_type: 19,
                    ..
                })
            ),
            "{event:?}: {decoded:?}"
        );
    }
    assert!(Message::decode(&Raw::new(19, header)).is_ok());
}

/// References that each copy a long string: the budget is the message's, not the event's.
#[test]
fn many_small_events_do_not_add_up_to_more_than_the_limits() {
    let limits = amf0::Limits {
        count: 100,
        ..amf0::Limits::default()
    };
    let events = vec![SharedObjectEvent::Clear; 101];
    let raw = shared_object(Dialect::Amf0, events).encode();
    let error = amf0::Error::Count { limit: 100 };
    assert_eq!(
        Message::decode_with(&raw, &limits),
        Err(Error::Value {
            message_type: 19,
            error
        })
    );
}

fn value() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        any::<i32>().prop_map(|number| Value::Number(number.into())),
        any::<bool>().prop_map(Value::Boolean),
        "[a-zé界]{0,12}".prop_map(Value::String),
        Just(Value::Null),
        Just(Value::Undefined),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(("[a-z]{1,5}", inner.clone()), 0..4)
                .prop_map(|properties| Value::Object(properties.into_iter().collect())),
            vec(inner, 0..4).prop_map(Value::StrictArray),
        ]
    })
}

fn event() -> impl Strategy<Value = SharedObjectEvent> {
    let name = "[a-z]{0,8}";
    prop_oneof![
        Just(SharedObjectEvent::Use),
        Just(SharedObjectEvent::Clear),
        (name, value()).prop_map(|(name, value)| SharedObjectEvent::RequestChange(name, value)),
        vec((name, value()), 0..4).prop_map(SharedObjectEvent::Change),
        vec(value(), 0..4).prop_map(SharedObjectEvent::SendMessage),
        (name, name).prop_map(|(code, level)| SharedObjectEvent::Status { code, level }),
        (12..=255_u8, vec(any::<u8>(), 0..9)).prop_map(|(event_type, data)| {
            SharedObjectEvent::Unknown {
                event_type,
                data: data.into(),
            }
        }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let amf0 = prop_oneof![Just(Dialect::Amf0), Just(Dialect::Amf0InAmf3)];
    let named = ("[a-zA-Z_]{1,12}", vec(value(), 0..5), amf0.clone());
    prop_oneof![
        any::<u32>().prop_map(Message::SetChunkSize),
        any::<u32>().prop_map(Message::Acknowledgement),
        (any::<u32>(), any::<u32>()).prop_map(|(stream_id, length)| {
            Message::UserControl(UserControl::SetBufferLength { stream_id, length })
        }),
        (named.clone(), any::<u16>()).prop_map(|((name, values, dialect), id)| {
            Message::Command(Command {
                name,
                transaction_id: id.into(),
                values,
                dialect,
            })
        }),
        named.prop_map(|(name, values, dialect)| Message::Data(Data {
            name,
            values,
            dialect
        })),
        (
            "[a-z]{0,9}",
            any::<u32>(),
            any::<bool>(),
            vec(event(), 0..5),
            amf0
        )
            .prop_map(|(name, version, persistent, events, dialect)| {
                Message::SharedObject(SharedObject {
                    name,
                    version,
                    persistent,
                    events,
                    dialect,
                })
            }),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(message in message()) {
        prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    /// In true AMF3 an object is another type, but once written it does not change any more.
    #[test]
    fn true_amf3_settles_at_once(values in vec(value(), 0..5)) {
        let first = Command { name: "f".into(), transaction_id: 2.0, values, dialect: Dialect::Amf3 };
        let raw = Message::Command(first).encode();
        let decoded = Message::decode(&raw).expect("what we wrote");
        prop_assert_eq!(decoded.encode(), raw);
    }

    #[test]
    fn aggregates_split_into_what_they_were_made_of(
        drawn in vec((prop_oneof![Just(8_u8), Just(9), Just(18)], any::<u32>(), vec(any::<u8>(), 0..50)), 1..10),
    ) {
        let messages: Vec<_> = drawn
            .into_iter()
            .map(|(message_type, timestamp, payload)| {
                Raw::new(message_type, payload).on_stream(1).at(Timestamp::from_millis(timestamp))
            })
            .collect();
        let split: Vec<_> = Aggregate::new(&messages).messages().map(|message| message.expect("what we wrote")).collect();
        prop_assert_eq!(split, messages);
    }

    #[test]
    fn no_payload_breaks_a_decoder(message_type in 1..23_u8, payload in vec(any::<u8>(), 0..200)) {
        if let Ok(Message::Aggregate(aggregate)) = Message::decode(&Raw::new(message_type, payload)) {
            prop_assert!(aggregate.messages().count() <= 200 / 11 + 1);
        }
    }
}
