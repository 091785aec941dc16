//! Each limit by itself: one more than it allows ends the session, and the reason has the numbers.

use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::message::{Command, Data, Dialect, Message, Raw, SharedObject, message_type};
use chalkcast_core::session::server::{Config, Event};
use chalkcast_core::session::{CloseReason, Limits, PeerError, UsageError, client};
use chalkcast_core::{amf0, chunk};

use crate::peer::Peer;
use crate::server_peer::{self, ServerPeer};

/// A server session with these limits, and one stream.
fn limited(limit: impl Fn(&mut Limits)) -> Peer {
    let mut config = Config::new(1);
    config.bandwidth_done = false;
    limit(&mut config.limits);
    let mut peer = Peer::connected_with(config);
    peer.command(0, "createStream", 2.0, vec![Value::Null]);
    peer.wire.messages.clear();
    peer
}

/// Why the session has ended, which is the last of its events.
fn fault(peer: &mut Peer) -> PeerError {
    match peer.events.pop() {
        Some(Event::Closed {
            reason: CloseReason::Peer(error),
        }) => error,
        other => panic!("{other:?}"),
    }
}

fn says(error: &PeerError, numbers: &[u32]) {
    let text = error.to_string();
    for number in numbers {
        assert!(
            text.contains(&number.to_string()),
            "{text} without {number}"
        );
    }
}

#[test]
fn message_length() {
    let mut peer = limited(|limits| limits.chunk.message_length = 1000);
    peer.send(&Raw::new(99, vec![0; 1000]));
    assert!(peer.events.is_empty());
    peer.send(&Raw::new(99, vec![0; 1001]));
    let error = fault(&mut peer);
    assert!(matches!(
        error,
        PeerError::Chunk(chunk::Error::MessageTooLong { .. })
    ));
    says(&error, &[1000, 1001]);
}

#[test]
fn chunk_streams() {
    // All that a peer sends here is on chunk stream 3, but for what follows.
    let mut peer = limited(|limits| limits.chunk.chunk_streams = 4);
    for id in 4..=7_u32 {
        peer.server
            .handle_input(peer.now, &[id as u8, 0, 0, 0, 0, 0, 1, 99, 0, 0, 0, 0, 7]);
        peer.drain();
        assert_eq!(peer.events.is_empty(), id < 7, "chunk stream {id}");
    }
    let error = fault(&mut peer);
    assert!(matches!(
        error,
        PeerError::Chunk(chunk::Error::TooManyChunkStreams { .. })
    ));
    says(&error, &[4, 7]);
}

#[test]
fn bytes_being_reassembled() {
    let mut peer = limited(|limits| limits.chunk.reassembly_bytes = 150_000);
    let begun = |id: u8| [&[id, 0, 0, 0, 1, 0, 0, 99, 0, 0, 0, 0], &[0; 128][..]].concat();
    peer.server.handle_input(peer.now, &begun(10));
    peer.server.handle_input(peer.now, &begun(11));
    peer.drain();
    assert!(peer.events.is_empty());
    peer.server.handle_input(peer.now, &begun(12));
    peer.drain();
    let error = fault(&mut peer);
    assert!(matches!(
        error,
        PeerError::Chunk(chunk::Error::TooMuchUnfinished { .. })
    ));
    says(&error, &[150_000, 3 * 65_536]);
}

/// Values just over each limit of `AMF`, and what the reason says.
fn too_much() -> Vec<(Value, amf0::Error)> {
    let nested = (0..4).fold(Value::Null, |inner, _| vec![inner].into());
    let many: Vec<_> = (0..20)
        .map(|number| Value::from(f64::from(number)))
        .collect();
    let strings: Vec<_> = (0..5).map(|_| Value::from("x".repeat(60))).collect();
    vec![
        (nested, amf0::Error::Depth { limit: 3 }),
        (many.into(), amf0::Error::Count { limit: 20 }),
        (
            "x".repeat(101).into(),
            amf0::Error::StringLength {
                length: 101,
                limit: 100,
            },
        ),
        (strings.into(), amf0::Error::TotalLength { limit: 200 }),
    ]
}

fn amf_limits(limits: &mut Limits) {
    limits.amf0 = amf0::Limits {
        depth: 3,
        count: 20,
        string_length: 100,
        total_length: 200,
    };
}

#[test]
fn amf_depth_count_and_lengths() {
    for dialect in [Dialect::Amf0, Dialect::Amf0InAmf3, Dialect::Amf3] {
        for (value, expected) in too_much() {
            let command = Message::Command(Command {
                dialect,
                ..Command::new("note", 0.0, vec![Value::Null, value.clone()])
            });
            let mut peer = limited(amf_limits);
            peer.command(0, "note", 0.0, vec![Value::Null, "x".repeat(100).into()]);
            assert!(matches!(peer.event(), Event::Call { .. }));
            peer.send(&command.encode());
            let error = fault(&mut peer);
            let PeerError::Message(chalkcast_core::message::Error::Value { error: why, .. }) =
                &error
            else {
                panic!("{error}")
            };
            assert_eq!(*why, expected, "{dialect:?}");
            // And at a client.
            let mut config = server_peer::config();
            amf_limits(&mut config.limits);
            let mut server = ServerPeer::new(config);
            server.send(&command.encode());
            assert_eq!(server.closed(), CloseReason::Peer(error));
        }
    }
}

#[test]
fn amf_in_data_and_shared_objects() {
    for (value, expected) in too_much() {
        let data = Message::Data(Data {
            dialect: Dialect::Amf0InAmf3,
            ..Data::new("onMetaData", vec![value.clone()])
        });
        let object = Message::SharedObject(SharedObject {
            name: "hands".into(),
            events: vec![chalkcast_core::message::SharedObjectEvent::RequestChange(
                "hand".into(),
                value,
            )],
            ..SharedObject::default()
        });
        for message in [data, object] {
            let mut peer = limited(amf_limits);
            peer.command(1, "publish", 0.0, vec![Value::Null, "conf".into()]);
            peer.send(&message.encode().on_stream(1));
            let error = fault(&mut peer);
            let PeerError::Message(chalkcast_core::message::Error::Value { error, .. }) = error
            else {
                panic!("{error}")
            };
            assert_eq!(error, expected, "{message:?}");
        }
    }
    // Of what is passed on unread only the name of a @clearDataFrame is looked at.
    let mut peer = limited(amf_limits);
    peer.command(1, "publish", 0.0, vec![Value::Null, "conf".into()]);
    let long = Data::new("@clearDataFrame", vec!["x".repeat(101).into()]);
    peer.send(&Message::Data(long).encode().on_stream(1));
    says(&fault(&mut peer), &[101, 100]);
}

#[test]
fn malformed_values_are_no_fault_of_size() {
    let mut peer = limited(amf_limits);
    for payload in [&b"\x03\x00"[..], b"\x02\x00\x01x\x04", b"\x07\x00\x09"] {
        peer.send(&Raw::new(message_type::COMMAND_AMF0, payload));
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 3));
}

#[test]
fn commands_in_flight() {
    let mut peer = limited(|limits| limits.commands_in_flight = 3);
    for number in 1..=3 {
        peer.command(0, "ask", number.into(), vec![]);
    }
    // Who does not wait for an answer is not in flight; nor is what was answered.
    peer.command(0, "tell", 0.0, vec![]);
    let Event::Call {
        reply: Some(reply), ..
    } = peer.events.remove(0)
    else {
        panic!()
    };
    peer.server.reply(peer.now, reply, Ok(Value::Null)).unwrap();
    peer.command(0, "ask", 4.0, vec![]);
    assert_eq!(peer.events.len(), 4, "{:?}", peer.events);
    peer.command(0, "getStreamLength", 5.0, vec![Value::Null, "conf".into()]);
    let error = fault(&mut peer);
    assert_eq!(error, PeerError::TooManyCalls { limit: 3 });
    says(&error, &[3]);

    let mut config: client::Config = server_peer::config();
    config.limits.commands_in_flight = 3;
    let mut server = ServerPeer::new(config);
    server.command(0, "_result", 1.0, vec![]);
    for number in 1..=4 {
        server.command(0, "ask", number.into(), vec![]);
    }
    let reason = CloseReason::Peer(PeerError::TooManyCalls { limit: 3 });
    assert_eq!(server.closed(), reason);
    assert_eq!(server.events.len(), 1 + 3);

    // The owner's own are its own fault.
    let mut peer = limited(|limits| limits.commands_in_flight = 3);
    for _ in 0..3 {
        peer.server.call(peer.now, None, "f", vec![]).unwrap();
    }
    let error = peer.server.call(peer.now, None, "f", vec![]);
    assert_eq!(error, Err(UsageError::TooManyCalls { limit: 3 }));
}

#[test]
fn streams() {
    let mut peer = limited(|limits| limits.streams = 2);
    peer.command(0, "createStream", 3.0, vec![Value::Null]);
    peer.wire.messages.clear();
    peer.command(0, "createStream", 4.0, vec![Value::Null]);
    says(&fault(&mut peer), &[2]);
    assert!(peer.refusal(4.0).description.contains('2'));

    let mut config = server_peer::config();
    config.limits.streams = 2;
    let mut server = ServerPeer::new(config);
    for _ in 0..2 {
        server.client.create_stream(server.now).unwrap();
    }
    let error = server.client.create_stream(server.now);
    assert_eq!(error, Err(UsageError::TooManyStreams { limit: 2 }));
}

#[test]
fn a_connect_object_is_within_the_limits_too() {
    let mut config = Config::new(1);
    amf_limits(&mut config.limits);
    let mut peer = Peer::new(config);
    let object = Object::new().with("tcUrl", "x".repeat(101));
    peer.command(0, "connect", 1.0, vec![object.into()]);
    says(&fault(&mut peer), &[101, 100]);
}
