//! What a client session makes of servers that mean well, and of those that do not.

use std::time::Duration;

use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{Message, Raw, UserControl, message_type};
use chalkcast_core::session::client::{Config, Connect, Event, Play};
use chalkcast_core::session::{
    CloseReason, Level, Output, PeerError, PlayOptions, PublishKind, Status, Timeout, Transition,
    UsageError, code,
};
use chalkcast_core::{ClientSession, Instant, Timestamp, handshake};

use crate::server_peer::{ServerPeer, config};
use crate::wire::Wire;

fn tag() -> Tag {
    Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: vec![0x27, 1, 0, 0, 0].into(),
    }
}

#[test]
fn a_server_of_another_version_is_named() {
    for (first, error) in [
        (0, handshake::Error::Version(0)),
        (2, handshake::Error::Version(2)),
        (6, handshake::Error::Encrypted),
        (b'H', handshake::Error::Version(b'H')),
        (255, handshake::Error::Version(255)),
    ] {
        let mut client = ClientSession::new(Config::new(1), Instant::ZERO);
        client.handle_input(Instant::ZERO, &[first; 4000]);
        let last = std::iter::from_fn(|| client.poll_output()).last();
        let reason = CloseReason::Peer(PeerError::Handshake(error));
        assert_eq!(last, Some(Output::Event(Event::Closed { reason })));
        assert_eq!(client.poll_timeout(), None);
    }
}

#[test]
fn connect_may_be_accepted_in_any_words() {
    for values in [
        vec![],
        vec![Value::Null],
        vec![7.0.into(), true.into()],
        vec!["welcome".into(), Value::Undefined],
        vec![Value::Null, Object::new().with("code", 5.0).into()],
        vec![Value::Null, vec![Value::Null].into()],
    ] {
        let mut peer = ServerPeer::new(config());
        peer.command(0, "_result", 1.0, values.clone());
        let Event::Connected { status, .. } = peer.event() else {
            panic!("{values:?}")
        };
        assert_eq!(status.code, code::CONNECT_SUCCESS, "{values:?}");
        let (_, transaction_id) = {
            peer.wire.messages.clear();
            peer.create_stream()
        };
        assert_eq!(transaction_id, 2.0);
    }
}

#[test]
fn connect_may_be_refused_in_any_words() {
    let refused = Status::error(code::CONNECT_INVALID_APP, "no such app");
    let object = Value::from(refused.to_object());
    for (name, values, code, description) in [
        ("_error", vec![], code::CONNECT_REJECTED, ""),
        ("_error", vec![Value::Null], code::CONNECT_REJECTED, ""),
        (
            "_error",
            vec!["go away".into()],
            code::CONNECT_REJECTED,
            "go away",
        ),
        (
            "_error",
            vec![Value::Null, object.clone()],
            code::CONNECT_INVALID_APP,
            "no such app",
        ),
        (
            "_error",
            vec![object.clone()],
            code::CONNECT_INVALID_APP,
            "no such app",
        ),
        // A refusal that calls itself a result.
        (
            "_result",
            vec![Value::Null, object],
            code::CONNECT_INVALID_APP,
            "no such app",
        ),
    ] {
        let mut peer = ServerPeer::new(config());
        peer.command(0, name, 1.0, values.clone());
        let CloseReason::Rejected(status) = peer.closed() else {
            panic!("{values:?}")
        };
        assert_eq!(
            (&*status.code, &*status.description, status.level),
            (code, description, Level::Error),
            "{values:?}"
        );
        assert_eq!(peer.told(), (None, status));
    }
}

#[test]
fn an_answer_counts_once() {
    let mut peer = ServerPeer::connected();
    for name in ["_result", "_error", "_result"] {
        peer.command(0, name, 1.0, vec![Value::Null, Value::Null]);
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 3));
    let (_, transaction_id) = peer.create_stream();
    peer.command(0, "_result", transaction_id, vec![Value::Null, 1.0.into()]);
    peer.command(0, "_result", transaction_id, vec![Value::Null, 2.0.into()]);
    peer.command(0, "_error", transaction_id, vec![]);
    assert_eq!((peer.events.len(), peer.ignored()), (0, 5));
    let call = peer.client.call(peer.now, "f", vec![]).unwrap();
    peer.drain();
    let (_, transaction_id, _) = peer.wire.answer();
    peer.command(
        0,
        "_error",
        transaction_id,
        vec![Value::Null, "no".into(), "really".into()],
    );
    let result = Err("no".into());
    assert_eq!(peer.event(), Event::CallResult { id: call, result });
    peer.command(0, "_result", transaction_id, vec![Value::Null, 1.0.into()]);
    assert_eq!((peer.events.len(), peer.ignored()), (0, 6));
}

#[test]
fn answers_to_what_was_never_asked_are_ignored() {
    let mut peer = ServerPeer::new(config());
    let nothing = [0.0, 2.0, 99.0, -1.0, 0.5, 1e300, f64::NAN, f64::INFINITY];
    for id in nothing {
        peer.command(0, "_result", id, vec![Value::Null, 1.0.into()]);
        peer.command(5, "_error", id, vec![]);
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 16));
    peer.command(0, "_result", 1.0, vec![]);
    assert!(matches!(peer.event(), Event::Connected { .. }));
    for id in nothing {
        peer.command(0, "_result", id, vec![]);
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 24));
}

#[test]
fn the_answers_to_the_encoders_commands_are_expected_and_not_awaited() {
    let mut peer = ServerPeer::new(Config::new(1));
    peer.command(0, "_result", 1.0, vec![]);
    let stream = peer.client.create_stream(peer.now).unwrap();
    peer.drain();
    peer.command(0, "_result", 2.0, vec![Value::Null, 1.0.into()]);
    peer.client
        .publish(peer.now, stream, "conf", PublishKind::Live)
        .unwrap();
    peer.drain();
    // releaseStream is refused, FCPublish accepted, and both once more.
    for _ in 0..2 {
        peer.command(0, "_error", 3.0, vec![]);
        peer.command(0, "_result", 4.0, vec![]);
    }
    assert_eq!(peer.ignored(), 2);
}

#[test]
fn nonsense_for_an_answer_to_create_stream_refuses_that_stream_only() {
    let (mut peer, keys) = ServerPeer::with_streams(1);
    let nonsense = [
        vec![],
        vec![Value::Null],
        vec![Value::Null, Value::Null],
        vec![Value::Null, "1".into()],
        vec![Value::Null, true.into()],
        vec![Value::Null, Object::new().with("id", 1.0).into()],
        vec![Value::Null, 0.0.into()],
        vec![Value::Null, (-1.0).into()],
        vec![Value::Null, 1.5.into()],
        vec![Value::Null, f64::NAN.into()],
        vec![Value::Null, 1e300.into()],
        vec![Value::Null, 4_294_967_296.0.into()],
        // The one there is.
        vec![Value::Null, 1.0.into()],
    ];
    for values in nonsense {
        let (key, transaction_id) = peer.create_stream();
        peer.client
            .publish(peer.now, key, "conf", PublishKind::Live)
            .unwrap();
        peer.command(0, "_result", transaction_id, values.clone());
        let (stream, status) = peer.told();
        assert_eq!((stream, status.level), (Some(key), Level::Error));
        assert_eq!(status.code, code::STREAM_FAILED, "{values:?}");
        assert!(!status.description.is_empty());
        let gone = peer.client.close_stream(peer.now, key);
        assert_eq!(gone, Err(UsageError::UnknownStream(key)));
    }
    let (key, transaction_id) = peer.create_stream();
    let why = Status::error("Server.Full", "no more");
    let refusal = vec![Value::Null, why.to_object().into()];
    peer.command(0, "_error", transaction_id, refusal);
    assert_eq!(peer.told(), (Some(key), why));
    assert!(peer.wire.messages.is_empty(), "nothing was asked of those");

    peer.client
        .publish(peer.now, keys[0], "conf", PublishKind::Live)
        .unwrap();
    peer.status(1, &Status::ok(code::PUBLISH_START, ""));
    assert!(
        peer.events
            .contains(&Event::PublishReady { stream: keys[0] })
    );
    let (_, transaction_id) = {
        peer.wire.messages.clear();
        peer.create_stream()
    };
    peer.command(0, "_result", transaction_id, vec![Value::Null, 2.0.into()]);
    assert_eq!(peer.ignored(), 0);
}

#[test]
fn a_status_without_sense_or_stream_is_ignored() {
    let (mut peer, keys) = ServerPeer::with_streams(2);
    for values in [
        vec![],
        vec![Value::Null],
        vec![Value::Null, Value::Null],
        vec![Value::Null, 7.0.into()],
        vec![Value::Null, Object::new().into()],
        vec![Value::Null, Object::new().with("code", 1.0).into()],
    ] {
        peer.command(1, "onStatus", 0.0, values);
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 6));
    let start = Status::ok(code::PUBLISH_START, "");
    for unknown in [3, 99, u32::MAX] {
        peer.status(unknown, &start);
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 9));
    // On message stream 0 it could be either stream's.
    peer.status(0, &start);
    assert_eq!(peer.told(), (None, start.clone()));
    // A status of the connection's may come anywhere.
    let shutdown = Status::ok(code::CONNECT_APP_SHUTDOWN, "good night");
    peer.status(99, &shutdown);
    assert_eq!(peer.told(), (None, shutdown));
    // One of a stream that was given up.
    peer.client.delete_stream(peer.now, keys[0]).unwrap();
    peer.status(1, &Status::ok(code::UNPUBLISH_SUCCESS, ""));
    assert_eq!((peer.events.len(), peer.ignored()), (0, 10));
    // Now there is one left that a status on message stream 0 can mean.
    peer.status(0, &start);
    assert_eq!(peer.told(), (Some(keys[1]), start));
}

#[test]
fn only_a_publisher_becomes_ready_and_once() {
    let (mut peer, keys) = ServerPeer::with_streams(3);
    let start = Status::ok(code::PUBLISH_START, "");
    peer.client
        .play(peer.now, keys[1], Play::new("conf"))
        .unwrap();
    for (id, key) in [(1, keys[0]), (2, keys[1])] {
        peer.status(id, &start);
        assert_eq!(peer.told(), (Some(key), start.clone()), "and no more");
        assert!(peer.client.send_tag(peer.now, key, &tag()).is_err());
    }
    let publisher = keys[2];
    let publish = |peer: &mut ServerPeer| {
        peer.client
            .publish(peer.now, publisher, "conf", PublishKind::Live)
    };
    publish(&mut peer).unwrap();
    for _ in 0..3 {
        peer.status(3, &start);
    }
    let ready = Event::PublishReady { stream: publisher };
    assert_eq!(
        peer.events.iter().filter(|event| **event == ready).count(),
        1
    );
    peer.client.send_tag(peer.now, publisher, &tag()).unwrap();

    // The end of that one comes after the next one was asked for.
    peer.client.close_stream(peer.now, publisher).unwrap();
    publish(&mut peer).unwrap();
    peer.status(3, &Status::ok(code::UNPUBLISH_SUCCESS, ""));
    peer.events.clear();
    peer.status(3, &start);
    assert!(peer.events.contains(&ready), "{:?}", peer.events);
    peer.client.send_tag(peer.now, publisher, &tag()).unwrap();
    for end in [code::UNPUBLISH_SUCCESS, code::PUBLISH_BAD_NAME] {
        peer.status(3, &Status::error(end, ""));
        assert!(peer.client.send_tag(peer.now, publisher, &tag()).is_err());
        publish(&mut peer).unwrap();
        peer.status(3, &start);
    }
}

#[test]
fn media_that_nobody_plays_is_ignored() {
    let (mut peer, keys) = ServerPeer::with_streams(2);
    let publisher = keys[1];
    peer.client
        .publish(peer.now, publisher, "conf", PublishKind::Live)
        .unwrap();
    for id in [0, 1, 2, 77] {
        peer.send(&Raw::from_tag(&tag(), id));
    }
    for kind in [message_type::DATA_AMF0, message_type::DATA_AMF3] {
        peer.send(&Raw::new(kind, &b"\x02\x00\x01x"[..]).on_stream(1));
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 6));
    for id in [1, 2] {
        peer.send(&Message::UserControl(UserControl::StreamEof(id)).encode());
    }
    assert_eq!(peer.events.len(), 2);
    for event in [
        UserControl::StreamBegin(9),
        UserControl::StreamEof(9),
        UserControl::SetBufferLength {
            stream_id: 1,
            length: 5,
        },
        UserControl::PingResponse(3),
    ] {
        peer.send(&Message::UserControl(event).encode());
    }
    assert_eq!((peer.events.len(), peer.ignored()), (2, 10));
}

#[test]
fn what_cannot_be_read_is_ignored() {
    let mut peer = ServerPeer::connected();
    for kind in [0, 7, 10, 14, 21, 23, 99, 255] {
        peer.send(&Raw::new(kind, &b"whatever"[..]));
    }
    for payload in [&b"\x05"[..], b"\x03\x00\x00", b"", b"\x02\xff\xff", b"\x01"] {
        for kind in [
            message_type::COMMAND_AMF0,
            message_type::COMMAND_AMF3,
            message_type::SHARED_OBJECT_AMF0,
            message_type::USER_CONTROL,
            message_type::WINDOW_ACK_SIZE,
            message_type::ACKNOWLEDGEMENT,
            message_type::SET_PEER_BANDWIDTH,
        ] {
            peer.send(&Raw::new(kind, payload));
        }
    }
    assert_eq!((peer.events.len(), peer.ignored()), (0, 8 + 5 * 7));
    peer.create_stream();
}

#[test]
fn a_server_may_call_before_it_answers_and_say_goodbye() {
    let mut peer = ServerPeer::new(config());
    peer.command(0, "onBWDone", 0.0, vec![Value::Null]);
    peer.command(3, "hello", 7.0, vec![]);
    let reply = match peer.events.pop() {
        Some(Event::Call {
            stream: None,
            name,
            reply: Some(reply),
            ..
        }) if name == "hello" => reply,
        other => panic!("{other:?}"),
    };
    let early = peer.client.reply(peer.now, reply, Ok(Value::Null));
    assert_eq!(early, Err(UsageError::NotConnected));
    peer.events.clear();
    peer.command(0, "_result", 1.0, vec![]);
    peer.command(0, "close", 0.0, vec![Value::Null]);
    assert_eq!(peer.closed(), CloseReason::Eof);
    peer.command(0, "_result", 2.0, vec![]);
    assert_eq!(peer.events.len(), 1, "Connected, and nothing after Closed");
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    let (mut peer, keys) = ServerPeer::with_streams(2);
    let mut told = Vec::new();
    peer.client
        .play(peer.now, keys[0], Play::new("conf"))
        .unwrap();
    peer.status(1, &Status::ok(code::PLAY_START, ""));
    peer.send(&Message::SetChunkSize(7).encode());
    // What the encoder behind `send` does not know: the rest is as a server cuts it.
    let mut encoder = chalkcast_core::chunk::Encoder::new();
    encoder.set_chunk_size(7);
    let mut bytes = Vec::new();
    for id in [1, 2, 1] {
        encoder
            .encode(6, &Raw::from_tag(&tag(), id), &mut bytes)
            .unwrap();
    }
    for payload in [&b"\x02\x00\x04what"[..], b"\x02\x00\x08onStatus", b"\xff"] {
        encoder
            .encode(
                5,
                &Raw::new(message_type::COMMAND_AMF0, payload),
                &mut bytes,
            )
            .unwrap();
    }
    bytes.extend([0xFF; 40]);
    peer.bytes(&bytes);
    told.append(&mut peer.events);
    let Some(Event::Closed { .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(told.len(), 5, "{told:?}");

    // The same once more, byte for byte: the client asks when it did before.
    let mut single = ServerPeer::new(config());
    let mut created = 0;
    for byte in &peer.transcript[1 + 2 * 1536..] {
        single.bytes(&[*byte]);
        let connected = single
            .events
            .iter()
            .any(|event| matches!(event, Event::Connected { .. }));
        if connected && created == 0 {
            single.events.clear();
        }
        while connected && created < 2 {
            let key = single.client.create_stream(single.now).unwrap();
            single.drain();
            if created == 0 {
                single
                    .client
                    .play(single.now, key, Play::new("conf"))
                    .unwrap();
            }
            created += 1;
        }
    }
    assert_eq!(single.events, told);
    assert_eq!(single.ignored(), peer.ignored());
}

#[test]
fn play2_is_typed_like_the_others() {
    let (mut peer, keys) = ServerPeer::with_streams(1);
    let options = PlayOptions {
        old_stream_name: Some("worse".into()),
        transition: Transition::Switch,
        ..PlayOptions::new("better")
    };
    peer.client.play2(peer.now, keys[0], &options).unwrap();
    peer.drain();
    let (name, transaction_id, argument) = peer.wire.answer();
    assert_eq!((&*name, transaction_id), ("play2", 0.0));
    assert_eq!(PlayOptions::from_value(argument), options);
    peer.send(&Raw::from_tag(&tag(), 1));
    assert!(matches!(peer.event(), Event::Tag { .. }));
    let stop = PlayOptions {
        transition: Transition::Stop,
        ..options
    };
    peer.client.play2(peer.now, keys[0], &stop).unwrap();
    peer.send(&Raw::from_tag(&tag(), 1));
    assert_eq!((peer.events.len(), peer.ignored()), (0, 1));
    peer.client.delete_stream(peer.now, keys[0]).unwrap();
    let gone = peer.client.play2(peer.now, keys[0], &stop);
    assert_eq!(gone, Err(UsageError::UnknownStream(keys[0])));
}

#[test]
fn connect_is_sent_whole() {
    let now = Instant::ZERO;
    let mut client = ClientSession::new(config(), now);
    let mut connect = Connect::new("conf/room1", "rtmp://host/conf/room1");
    connect.page_url = Some("https://school/lesson".into());
    connect.arguments = vec!["token".into()];
    connect.extra = Object::new().with("app", "other").with("mine", 1.0);
    client.connect(now, connect).unwrap();
    let mut hello = vec![0; 1 + 2 * 1536];
    hello[0] = 3;
    client.handle_input(now, &hello);
    let mut sent = Vec::new();
    while let Some(Output::Transmit(transmit)) = client.poll_output() {
        transmit.write_to(&mut sent);
    }
    let mut wire = Wire::new();
    wire.read(&sent.split_off(1 + 2 * 1536).into());
    let mut messages: Vec<_> = wire
        .messages
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    let Some(Message::Command(command)) = messages.pop() else {
        panic!()
    };
    let object = command.values[0].as_object().unwrap();
    assert_eq!(object.get("app"), Some(&"other".into()), "extra replaces");
    assert_eq!(object.get("pageUrl"), Some(&"https://school/lesson".into()));
    assert_eq!(object.get("swfUrl"), None);
    assert_eq!(object.get("mine"), Some(&1.0.into()));
    assert_eq!(command.values[1], "token".into());
}

#[test]
fn a_server_that_fell_silent_is_left_and_one_that_never_answers_pings_is_not() {
    for answers in [true, false] {
        let mut peer = ServerPeer::connected();
        let mut pings = 0;
        while peer.events.is_empty() && pings < 100 {
            peer.now = peer.client.poll_timeout().expect("a ping is to be sent");
            peer.client.handle_timeout(peer.now);
            peer.drain();
            let sent = peer.wire.messages.drain(..).next_back();
            if let Some((0, Message::UserControl(UserControl::PingRequest(stamp)))) = sent {
                pings += 1;
                if answers && pings == 1 {
                    peer.send(&Message::UserControl(UserControl::PingResponse(stamp)).encode());
                    assert!(matches!(peer.event(), Event::RoundTrip(_)));
                }
            }
        }
        let last = peer.events.pop();
        if answers {
            let reason = CloseReason::Timeout {
                what: Timeout::Silence,
                after: Duration::from_secs(60),
            };
            assert_eq!(last, Some(Event::Closed { reason }));
        } else {
            assert_eq!(last, None);
        }
    }
}
