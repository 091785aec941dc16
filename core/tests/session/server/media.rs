//! Tags, script data, aggregates and shared objects.

use bytes::Bytes;
use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{
    Aggregate, Command, Data, Dialect, Message, Raw, SharedObject, message_type,
};
use chalkcast_core::session::server::Event;
use chalkcast_core::session::{Status, UsageError, code};
use chalkcast_core::{Timestamp, amf0};

use super::{playing, publishing, tag, video};
use crate::peer::Peer;

#[test]
fn media_waits_for_the_answer_to_publish_and_belongs_to_a_publisher() {
    let mut peer = Peer::with_streams(2);
    peer.send(&video(0, b"before"));
    assert_eq!(peer.ignored(), 1);
    let stream = publishing(&mut peer, 1, "conf");
    peer.send(&video(1, b"early"));
    assert!(peer.events.is_empty());
    peer.server.accept_publish(peer.now, stream).unwrap();
    peer.drain();
    peer.send(&video(2, b"later"));
    let payloads: Vec<_> = peer
        .events
        .drain(..)
        .map(|event| match event {
            Event::Tag { tag, .. } => tag.payload,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(payloads, ["early", "later"]);
    peer.send(&video(3, b"elsewhere").on_stream(2));
    peer.send(&video(3, b"nowhere").on_stream(9));
    assert_eq!(peer.ignored(), 3);

    let stream = publishing(&mut peer, 2, "taken");
    peer.wire.messages.clear();
    peer.server
        .reject_publish(
            peer.now,
            stream,
            Status::error(code::PUBLISH_BAD_NAME, "taken"),
        )
        .unwrap();
    peer.drain();
    assert_eq!(peer.status(2).code, code::PUBLISH_BAD_NAME);
    peer.send(&video(3, b"refused").on_stream(2));
    assert_eq!(peer.ignored(), 4);
}

#[test]
fn what_is_held_for_an_unanswered_publish_is_bounded() {
    let mut peer = Peer::with_streams(1);
    let stream = publishing(&mut peer, 1, "conf");
    for _ in 0..40 {
        peer.send(&Raw::new(message_type::VIDEO, vec![0; 65_536]).on_stream(1));
    }
    peer.server.accept_publish(peer.now, stream).unwrap();
    peer.drain();
    assert_eq!((peer.events.len(), peer.ignored()), (16, 24), "1 MiB waits");
}

#[test]
fn script_data_comes_out_plain_in_both_dialects() {
    let mut peer = Peer::with_streams(1);
    let stream = publishing(&mut peer, 1, "conf");
    peer.server.accept_publish(peer.now, stream).unwrap();
    peer.drain();
    let size = Value::from(Object::new().with("width", 320.0));
    for dialect in [Dialect::Amf0, Dialect::Amf0InAmf3, Dialect::Amf3] {
        let data = Data {
            dialect,
            ..Data::new("@setDataFrame", vec!["onMetaData".into(), size.clone()])
        };
        peer.send(
            &Message::Data(data)
                .encode()
                .on_stream(1)
                .at(Timestamp::from_millis(9)),
        );
        let Event::Tag { tag, .. } = peer.event() else {
            panic!()
        };
        assert_eq!(
            (tag.tag_type, tag.timestamp.as_millis()),
            (TagType::Script, 9)
        );
        assert_eq!(
            amf0::decode_all(&tag.payload).unwrap(),
            ["onMetaData".into(), size.clone()],
            "{dialect:?}"
        );
        let command = Command {
            dialect,
            ..Command::new("note", 0.0, vec![Value::Null, 5.0.into()])
        };
        peer.send(&Message::Command(command).encode());
        assert!(
            matches!(peer.event(), Event::Call { arguments, .. } if arguments == [5.0.into()]),
            "{dialect:?}"
        );
    }
    let clear = Data::new("@clearDataFrame", vec!["onMetaData".into()]);
    peer.send(&Message::Data(clear).encode().on_stream(1));
    assert_eq!(
        peer.event(),
        Event::ClearDataFrame {
            stream,
            name: "onMetaData".into()
        }
    );
    // rml_rtmp panics at the first of these.
    for payload in [
        &b"\x02\x00\x0d@setDataFrame"[..],
        b"\x02\x00\x0f@clearDataFrame",
        b"\x02\x00",
        b"\x05",
        b"",
    ] {
        peer.send(&Raw::new(message_type::DATA_AMF0, payload).on_stream(1));
    }
    assert_eq!(
        (peer.events.len(), peer.ignored()),
        (1, 4),
        "a lone string header is nobody's business: {:?}",
        peer.events
    );
}

#[test]
fn an_aggregate_is_taken_apart_at_its_own_time() {
    let mut peer = Peer::with_streams(1);
    let stream = publishing(&mut peer, 1, "conf");
    peer.server.accept_publish(peer.now, stream).unwrap();
    peer.drain();
    let inner = [
        video(1000, b"a"),
        Raw::new(message_type::AUDIO, &b"b"[..]).at(Timestamp::from_millis(1020)),
        video(1040, b"c"),
    ];
    let aggregate = Message::Aggregate(Aggregate::new(&inner))
        .encode()
        .on_stream(1)
        .at(Timestamp::from_millis(50));
    peer.send(&aggregate);
    let tags: Vec<_> = peer
        .events
        .drain(..)
        .map(|event| match event {
            Event::Tag { tag, .. } => (tag.timestamp.as_millis(), tag.payload),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tags, [(50, "a".into()), (70, "b".into()), (90, "c".into())]);
    peer.send(&Raw::new(message_type::AGGREGATE, aggregate.payload.slice(..20)).on_stream(1));
    assert_eq!(peer.ignored(), 1);
}

#[test]
fn one_encoding_serves_message_streams_1_2_and_3() {
    let mut peer = Peer::with_streams(3);
    let viewers = [1, 2, 3].map(|id| playing(&mut peer, id, "conf"));
    peer.wire.bytes.clear();
    let long = Tag {
        payload: Bytes::from(vec![0x27; 200_000]),
        ..tag(1)
    };
    let shared = SharedMessage::encode(&long, 65_536).unwrap();
    for (index, viewer) in viewers.into_iter().enumerate() {
        peer.server.send_shared(viewer, &shared).unwrap();
        let Some(chalkcast_core::session::Output::Transmit(transmit)) = peer.server.poll_output()
        else {
            panic!()
        };
        assert_eq!(transmit.head.len(), 12);
        assert_eq!(transmit.head[8], index as u8 + 1);
        assert_eq!(
            transmit.body.as_ptr(),
            shared.transmit(1).body.as_ptr(),
            "shared, not copied"
        );
    }
    for viewer in viewers {
        peer.server.send_shared(viewer, &shared).unwrap();
        peer.server.send_tag(peer.now, viewer, &tag(2)).unwrap();
    }
    peer.drain();
    let expected = [1, 2, 3].into_iter().flat_map(|id| {
        [
            (id, Message::Video(long.payload.clone())),
            (id, Message::Video(tag(2).payload)),
        ]
    });
    assert_eq!(peer.wire.messages, expected.collect::<Vec<_>>());
    let small = SharedMessage::encode(&long, 4096).unwrap();
    let refused = peer.server.send_shared(viewers[0], &small);
    assert_eq!(
        refused,
        Err(UsageError::ChunkSize {
            message: 4096,
            connection: 65_536
        })
    );
}

#[test]
fn shared_objects_are_passed_on() {
    let mut peer = Peer::connected();
    let object = SharedObject {
        name: "hands".into(),
        version: 3,
        ..SharedObject::default()
    };
    peer.send(&Message::SharedObject(object.clone()).encode());
    assert_eq!(peer.event(), Event::SharedObject(object.clone()));
    peer.server.send_shared_object(peer.now, &object).unwrap();
    peer.drain();
    assert_eq!(
        peer.wire.messages.pop(),
        Some((0, Message::SharedObject(object)))
    );
}
