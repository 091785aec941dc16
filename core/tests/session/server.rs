//! What a server session answers to clients that mean well, and to those that do not.

use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::amf0::{self, Object, Value};
use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{
    Aggregate, Command, Data, Dialect, LimitType, Message, Raw, SharedObject, UserControl,
    message_type,
};
use chalkcast_core::session::server::{Config, Event};
use chalkcast_core::session::{
    CloseReason, Level, PeerError, PlayOptions, PlayStart, PublishKind, Status, StreamKey, Timeout,
    Transition, UsageError, code,
};
use chalkcast_core::{Instant, ServerSession, Timestamp};

use crate::peer::Peer;

/// The key of message stream 1, which only an event can give.
fn publishing(peer: &mut Peer, id: u32, name: &str) -> StreamKey {
    peer.command(
        id,
        "publish",
        0.0,
        vec![Value::Null, name.into(), "live".into()],
    );
    let Event::Publish { stream, .. } = peer.event() else {
        panic!("no publish")
    };
    stream
}

fn playing(peer: &mut Peer, id: u32, name: &str) -> StreamKey {
    peer.command(id, "play", 0.0, vec![Value::Null, name.into()]);
    let Event::Play { stream, .. } = peer.event() else {
        panic!("no play")
    };
    peer.server.accept_play(peer.now, stream).unwrap();
    peer.drain();
    peer.wire.messages.clear();
    stream
}

fn video(millis: u32, payload: &'static [u8]) -> Raw {
    Raw::new(message_type::VIDEO, payload)
        .on_stream(1)
        .at(Timestamp::from_millis(millis))
}

#[test]
fn nothing_but_connect_comes_first() {
    let mut peer = Peer::new(Config::new(1));
    for name in ["createStream", "publish", "play", "whatever"] {
        peer.command(0, name, 5.0, vec![Value::Null]);
        assert_eq!(peer.refusal(5.0).code, code::CALL_FAILED);
    }
    peer.command(0, "createStream", 0.0, vec![]);
    assert!(peer.wire.messages.is_empty(), "nobody waits for an answer");
    assert!(peer.events.is_empty());
    assert_eq!(
        peer.server.accept_connect(peer.now),
        Err(UsageError::NotConnected)
    );
}

#[test]
fn connect_needs_nothing_and_comes_once() {
    for values in [vec![], vec![Value::Null], vec!["app".into(), 7.0.into()]] {
        let mut peer = Peer::new(Config::new(1));
        peer.command(0, "connect", 1.0, values);
        let Event::Connect(request) = peer.event() else {
            panic!()
        };
        assert_eq!(request.app, "");
        peer.server.accept_connect(peer.now).unwrap();
        peer.drain();
        peer.wire.messages.clear();
        peer.command(0, "connect", 9.0, vec![]);
        assert_eq!(peer.refusal(9.0).level, Level::Error);
        assert_eq!(
            peer.server.accept_connect(peer.now),
            Err(UsageError::AlreadyConnected)
        );
    }
}

#[test]
fn connect_says_what_the_client_is_and_can() {
    let mut peer = Peer::new(Config::new(1));
    let map = Object::new().with("*", 4.0).with("vp09", 3.0);
    let object = Object::new()
        .with("app", "/conf/room1/")
        .with("tcUrl", "rtmp://host/conf/room1")
        .with("flashVer", "LNX 9,0,124,2")
        .with("objectEncoding", 3.0)
        .with("fourCcList", vec![Value::from("av01"), 7.0.into()])
        .with("videoFourCcInfoMap", map)
        .with("capsEx", 5.0);
    peer.command(
        0,
        "connect",
        1.0,
        vec![object.clone().into(), "token".into(), 42.0.into()],
    );
    let Event::Connect(request) = peer.event() else {
        panic!()
    };
    assert_eq!(
        (&*request.app, &*request.tc_url),
        ("conf/room1", "rtmp://host/conf/room1")
    );
    assert_eq!(request.arguments, ["token".into(), Value::from(42.0)]);
    assert_eq!(request.enhanced.four_cc_list, ["av01"]);
    assert_eq!(
        request.enhanced.video_four_cc_info_map,
        [("*".into(), 4), ("vp09".into(), 3)]
    );
    assert_eq!(request.enhanced.caps_ex, 5);
    assert_eq!(request.object, object);
    peer.server.accept_connect(peer.now).unwrap();
    peer.drain();
    let kinds: Vec<_> = peer
        .wire
        .messages
        .iter()
        .map(|(_, message)| message.encode().message_type)
        .collect();
    // Window, bandwidth, chunk size; the answer in AMF0, then onBWDone in AMF3's envelope.
    assert_eq!(kinds, [5, 6, 1, 20, 17]);
    let Message::Command(result) = &peer.wire.messages[3].1 else {
        panic!()
    };
    let properties = result.values[0].as_object().unwrap();
    assert_eq!(properties.get("fmsVer"), Some(&"FMS/3,5,7,7009".into()));
    assert_eq!(properties.get("capsEx"), Some(&15.0.into()));
    assert_eq!(
        result.values[1].as_object().unwrap().get("objectEncoding"),
        Some(&3.0.into())
    );
}

#[test]
fn what_a_hasty_client_sends_after_connect_waits() {
    let mut peer = Peer::new(Config::new(1));
    peer.command(0, "connect", 1.0, vec![]);
    peer.event();
    peer.command(0, "createStream", 2.0, vec![Value::Null]);
    peer.command(1, "publish", 0.0, vec![Value::Null, "conf".into()]);
    assert!(peer.wire.messages.is_empty() && peer.events.is_empty());
    peer.server.accept_connect(peer.now).unwrap();
    peer.drain();
    assert!(matches!(&peer.event(), Event::Publish { name, .. } if name == "conf"));

    // But not without bound.
    let mut peer = Peer::new(Config::new(1));
    peer.command(0, "connect", 1.0, vec![]);
    for _ in 0..100 {
        peer.send(&video(0, b"for nobody"));
    }
    assert_eq!(peer.ignored(), 36, "64 wait");
    peer.event();
    peer.command(0, "createStream", 2.0, vec![Value::Null]);
    let Event::Closed { reason } = peer.event() else {
        panic!()
    };
    assert_eq!(
        reason,
        CloseReason::Peer(PeerError::TooManyCalls { limit: 64 })
    );
}

#[test]
fn a_refused_client_is_told_and_dropped() {
    let mut peer = Peer::new(Config::new(1));
    peer.command(0, "connect", 1.0, vec![]);
    peer.event();
    let status = Status::error(code::CONNECT_REJECTED, "apps: live");
    peer.server
        .reject_connect(peer.now, status.clone())
        .unwrap();
    peer.drain();
    assert_eq!(
        peer.event(),
        Event::Closed {
            reason: CloseReason::Rejected(status.clone())
        }
    );
    let Message::Command(error) = &peer.wire.messages[0].1 else {
        panic!()
    };
    assert_eq!((&*error.name, error.transaction_id), ("_error", 1.0));
    assert_eq!(Status::from_value(error.values[1].clone()), status);
    peer.server.handle_input(peer.now, &[0xFF; 100]);
    assert_eq!(peer.server.poll_output(), None, "nothing follows");
    assert_eq!(
        peer.server.accept_connect(peer.now),
        Err(UsageError::Closed)
    );
}

#[test]
fn a_stream_too_many_is_refused_and_ends_the_session() {
    let mut peer = Peer::with_streams(16);
    // Those there are can be given up for others, whose ids are new.
    peer.command(0, "deleteStream", 0.0, vec![Value::Null, 3.0.into()]);
    peer.command(0, "createStream", 4.0, vec![Value::Null]);
    assert_eq!(peer.answer(), ("_result".into(), 4.0, 17.0.into()));
    peer.command(0, "createStream", 5.0, vec![Value::Null]);
    let refusal = peer.refusal(5.0);
    assert!(refusal.description.contains("16"), "{refusal:?}");
    let reason = CloseReason::Peer(PeerError::TooManyStreams { limit: 16 });
    assert_eq!(peer.event(), Event::Closed { reason });
}

#[test]
fn publish_and_play_need_a_name_and_a_stream() {
    let mut peer = Peer::with_streams(1);
    for values in [
        vec![],
        vec![Value::Null],
        vec![Value::Null, 7.0.into()],
        vec![Value::Null, "".into()],
    ] {
        peer.command(1, "publish", 0.0, values.clone());
        assert_eq!(peer.status(1).code, code::PUBLISH_BAD_NAME);
        peer.command(1, "play", 0.0, values.clone());
        assert_eq!(peer.status(1).code, code::PLAY_FAILED);
        peer.command(1, "play2", 0.0, values);
        assert_eq!(peer.status(1).code, code::PLAY_FAILED);
    }
    for name in ["publish", "play"] {
        for id in [0, 2, u32::MAX] {
            peer.command(id, name, 0.0, vec![Value::Null, "conf".into()]);
            assert_eq!(peer.status(id).code, code::STREAM_FAILED);
        }
    }
    assert!(peer.events.is_empty());
    // After all that, the client can still do what it came for.
    let stream = publishing(&mut peer, 1, "conf");
    peer.server.accept_publish(peer.now, stream).unwrap();
}

#[test]
fn pause_and_seek_need_something_that_plays() {
    let mut peer = Peer::with_streams(1);
    for name in ["pause", "pauseRaw", "seek"] {
        peer.command(1, name, 0.0, vec![Value::Null, true.into(), 5.0.into()]);
        assert_eq!(peer.status(1).code, code::STREAM_FAILED);
    }
    let stream = playing(&mut peer, 1, "conf");
    peer.command(
        1,
        "pause",
        0.0,
        vec![Value::Null, true.into(), 1500.0.into()],
    );
    assert_eq!(
        peer.event(),
        Event::Pause {
            stream,
            paused: true,
            position: Timestamp::from_millis(1500)
        }
    );
    peer.command(1, "pause", 0.0, vec![Value::Null]);
    assert_eq!(peer.status(1).level, Level::Error);
    peer.command(1, "seek", 0.0, vec![Value::Null, 250.0.into()]);
    assert_eq!(
        peer.event(),
        Event::Seek {
            stream,
            position: Timestamp::from_millis(250)
        }
    );
    for wrong in [
        Value::from(-5.0),
        f64::NAN.into(),
        "far".into(),
        Value::Null,
    ] {
        peer.command(1, "seek", 0.0, vec![Value::Null, wrong]);
        assert_eq!(peer.status(1).code, code::SEEK_FAILED);
    }
    peer.command(1, "receiveAudio", 0.0, vec![Value::Null, false.into()]);
    assert_eq!(peer.event(), Event::ReceiveAudio { stream, on: false });
    peer.command(1, "receiveVideo", 0.0, vec![Value::Null, 1.0.into()]);
    assert_eq!(peer.event(), Event::ReceiveVideo { stream, on: true });
    peer.send(
        &Message::UserControl(UserControl::set_buffer_length(1, Duration::from_secs(3))).encode(),
    );
    assert_eq!(
        peer.event(),
        Event::SetBufferLength {
            stream,
            length: Duration::from_secs(3)
        }
    );
    peer.command(1, "play", 0.0, vec![Value::Null, false.into()]);
    assert_eq!(
        peer.event(),
        Event::StreamClosed { stream },
        "Flash's play(false)"
    );
}

#[test]
fn how_and_from_where_is_carried_to_the_owner() {
    let mut peer = Peer::with_streams(1);
    for (word, expected) in [
        (Value::from("live"), PublishKind::Live),
        ("record".into(), PublishKind::Record),
        ("append".into(), PublishKind::Append),
        ("else".into(), PublishKind::Live),
        (Value::Null, PublishKind::Live),
    ] {
        peer.command(
            1,
            "publish",
            0.0,
            vec![Value::Null, "conf?key=1".into(), word],
        );
        let Some(Event::Publish { name, kind, .. }) = peer.events.pop() else {
            panic!()
        };
        assert_eq!((&*name, kind), ("conf?key=1", expected));
    }
    peer.events.clear();
    let at = |millis| PlayStart::Recorded(Timestamp::from_millis(millis));
    for (number, expected) in [
        (Value::from(-2.0), PlayStart::LiveOrRecorded),
        ((-2000.0).into(), PlayStart::LiveOrRecorded),
        ((-1.0).into(), PlayStart::Live),
        ((-1000.0).into(), PlayStart::Live),
        (0.0.into(), at(0)),
        (1500.0.into(), at(1500)),
        (Value::Null, PlayStart::LiveOrRecorded),
        (f64::NAN.into(), PlayStart::LiveOrRecorded),
    ] {
        peer.command(
            1,
            "play",
            0.0,
            vec![
                Value::Null,
                "conf".into(),
                number,
                2000.0.into(),
                false.into(),
            ],
        );
        let Some(Event::Play {
            start,
            duration,
            reset,
            ..
        }) = peer.events.pop()
        else {
            panic!()
        };
        assert_eq!(
            (start, duration, reset),
            (expected, Some(Duration::from_secs(2)), false)
        );
    }
    peer.events.clear();
    let options = PlayOptions {
        old_stream_name: Some("conf".into()),
        len: Some(Duration::from_secs(5)),
        transition: Transition::Switch,
        ..PlayOptions::new("better")
    };
    peer.command(
        1,
        "play2",
        0.0,
        vec![Value::Null, options.to_object().into()],
    );
    let Some(Event::Play2 {
        stream,
        options: asked,
    }) = peer.events.pop()
    else {
        panic!()
    };
    assert_eq!(asked, options);
    peer.server.accept_play(peer.now, stream).unwrap();
    peer.drain();
    let told: Vec<_> = peer
        .wire
        .messages
        .iter()
        .filter_map(|(_, message)| match message {
            Message::Command(command) => Some(command.values.last()?.clone()),
            Message::Data(data) => Some(data.values.last()?.clone()),
            _ => None,
        })
        .map(|information| Status::from_value(information).code)
        .filter(|code| code.starts_with("NetStream.Play"))
        .collect();
    assert_eq!(
        told,
        [code::PLAY_TRANSITION, code::PLAY_TRANSITION_COMPLETE]
    );
}

#[test]
fn the_answers_to_play_come_in_order() {
    let mut peer = Peer::with_streams(1);
    peer.command(1, "play", 0.0, vec![Value::Null, "conf".into()]);
    let Event::Play {
        stream,
        reset: true,
        ..
    } = peer.event()
    else {
        panic!()
    };
    assert!(
        peer.server.send_tag(peer.now, stream, &tag(1)).is_err(),
        "not accepted yet"
    );
    peer.server.accept_play(peer.now, stream).unwrap();
    peer.drain();
    let told: Vec<_> = peer
        .wire
        .messages
        .iter()
        .map(|(on, message)| match message {
            Message::UserControl(UserControl::StreamBegin(id)) => format!("begin {id}"),
            Message::Command(command) => format!(
                "{on} {}",
                Status::from_value(command.values[1].clone()).code
            ),
            Message::Data(data) => format!("{on} {} {}", data.name, data.values.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "begin 1",
        "1 NetStream.Play.Reset",
        "1 NetStream.Play.Start",
        "1 |RtmpSampleAccess 2",
        "1 onStatus 1",
    ];
    assert_eq!(told, expected);
    assert_eq!(
        peer.server.accept_play(peer.now, stream),
        Err(UsageError::WrongState {
            stream,
            expected: "asking to play"
        })
    );
    peer.wire.messages.clear();
    peer.server.stream_eof(stream).unwrap();
    peer.server.stream_dry(stream).unwrap();
    peer.server.stream_is_recorded(stream).unwrap();
    peer.server.stream_begin(stream).unwrap();
    peer.drain();
    let told: Vec<_> = peer
        .wire
        .messages
        .iter()
        .map(|(_, message)| message.clone())
        .collect();
    let expected = [
        UserControl::StreamEof(1),
        UserControl::StreamDry(1),
        UserControl::StreamIsRecorded(1),
        UserControl::StreamBegin(1),
    ];
    assert_eq!(told, expected.map(Message::UserControl));
}

fn tag(number: u8) -> Tag {
    Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::from_millis(u32::from(number)),
        payload: Bytes::from(vec![number; 300]),
    }
}

#[test]
fn the_encoders_commands_are_answered_and_confirmed() {
    let mut peer = Peer::with_streams(1);
    for (name, confirmation, expected) in [
        ("FCPublish", "onFCPublish", code::PUBLISH_START),
        ("FCUnpublish", "onFCUnpublish", code::UNPUBLISH_SUCCESS),
        ("FCSubscribe", "onFCSubscribe", code::PLAY_START),
        ("FCUnsubscribe", "onFCUnsubscribe", code::PLAY_STOP),
    ] {
        peer.command(0, name, 3.0, vec![Value::Null, "conf".into()]);
        let confirmed = peer.wire.messages.pop().unwrap().1;
        assert_eq!(peer.answer(), ("_result".into(), 3.0, Value::Undefined));
        let Message::Command(confirmed) = confirmed else {
            panic!()
        };
        assert_eq!(confirmed.name, confirmation);
        assert_eq!(
            Status::from_value(confirmed.values[1].clone()),
            Status::ok(expected, "conf")
        );
        peer.command(0, name, 3.0, vec![Value::Null]);
        assert_eq!(peer.refusal(3.0).code, code::CALL_FAILED);
    }
    peer.command(0, "releaseStream", 4.0, vec![Value::Null, "conf".into()]);
    assert_eq!(peer.answer(), ("_result".into(), 4.0, Value::Undefined));

    let stream = publishing(&mut peer, 1, "conf");
    peer.server.accept_publish(peer.now, stream).unwrap();
    peer.command(0, "FCUnpublish", 0.0, vec![Value::Null, "other".into()]);
    assert!(peer.events.is_empty());
    peer.wire.messages.clear();
    peer.command(0, "FCUnpublish", 0.0, vec![Value::Null, "conf".into()]);
    assert_eq!(peer.event(), Event::StreamClosed { stream });
    peer.wire.messages.remove(0);
    assert_eq!(peer.status(1).code, code::UNPUBLISH_SUCCESS);
    peer.command(0, "deleteStream", 0.0, vec![Value::Null, 1.0.into()]);
    assert!(peer.events.is_empty(), "it was closed before");
}

#[test]
fn the_owner_knows_how_long_a_recording_is() {
    let mut peer = Peer::connected();
    let query = vec![Value::Null, "lesson?key=1".into()];
    peer.command(0, "getStreamLength", 5.0, query.clone());
    let Event::StreamLength { name, reply } = peer.event() else {
        panic!()
    };
    assert_eq!(name, "lesson?key=1");
    peer.server.reply(peer.now, reply, Ok(62.5.into())).unwrap();
    peer.drain();
    assert_eq!(peer.answer(), ("_result".into(), 5.0, 62.5.into()));
    for wrong in [vec![], vec![Value::Null, 7.0.into()]] {
        peer.command(0, "getStreamLength", 6.0, wrong);
        assert_eq!(peer.refusal(6.0).code, code::CALL_FAILED);
    }
    peer.command(0, "getStreamLength", 0.0, query);
    assert_eq!((peer.events.len(), peer.ignored()), (0, 1), "nobody waits");
}

#[test]
fn who_stops_is_told_what_has_stopped() {
    let mut peer = Peer::with_streams(2);
    let stream = publishing(&mut peer, 1, "conf");
    peer.command(1, "closeStream", 0.0, vec![Value::Null]);
    assert_eq!(peer.event(), Event::StreamClosed { stream });
    assert!(peer.wire.messages.is_empty(), "it had not started");
    publishing(&mut peer, 1, "conf");
    peer.server.accept_publish(peer.now, stream).unwrap();
    peer.drain();
    peer.wire.messages.clear();
    peer.command(1, "closeStream", 0.0, vec![Value::Null]);
    assert_eq!(peer.event(), Event::StreamClosed { stream });
    assert_eq!(peer.status(1).code, code::UNPUBLISH_SUCCESS);
    peer.command(1, "closeStream", 0.0, vec![Value::Null]);

    let stop = Object::new().with("transition", "stop");
    for (name, argument) in [("play", Value::from(false)), ("play2", stop.into())] {
        let stream = playing(&mut peer, 2, "conf");
        peer.command(2, name, 0.0, vec![Value::Null, argument]);
        assert_eq!(peer.event(), Event::StreamClosed { stream });
        assert_eq!(peer.status(2).code, code::PLAY_STOP);
    }
    let stream = playing(&mut peer, 2, "conf");
    peer.command(0, "deleteStream", 0.0, vec![Value::Null, 2.0.into()]);
    assert_eq!(peer.event(), Event::StreamClosed { stream });
    assert!(peer.wire.messages.is_empty(), "on which stream?");
}

#[test]
fn bandwidth_is_measured_as_flash_media_server_did() {
    for (asked, check, done) in [
        ("_checkbw", "_onbwcheck", "_onbwdone"),
        ("checkBandwidth", "onBWCheck", "onBWDone"),
    ] {
        let mut peer = Peer::connected();
        peer.command(0, asked, 2.0, vec![Value::Null]);
        let (_, Message::Command(first)) = peer.wire.messages.remove(1) else {
            panic!()
        };
        assert_eq!(peer.answer().0, "_result");
        assert_eq!((&*first.name, first.values.len()), (check, 1));
        peer.now += Duration::from_millis(40);
        peer.command(
            0,
            "_result",
            first.transaction_id,
            vec![Value::Null, 1.0.into()],
        );
        let (name, transaction_id, payload) = peer.answer();
        assert_eq!(
            (&*name, payload.as_str().map(str::len)),
            (check, Some(16_384))
        );
        peer.now += Duration::from_millis(104);
        peer.command(0, "_result", transaction_id, vec![Value::Null, 2.0.into()]);
        let (name, _, kbit_down) = peer.answer();
        assert_eq!((&*name, kbit_down), (done, Value::from(2048.0)));
    }
}

#[test]
fn calls_go_both_ways() {
    let mut peer = Peer::with_streams(1);
    peer.command(0, "raiseHand", 6.0, vec![Value::Null, "left".into()]);
    let Event::Call {
        stream: None,
        name,
        arguments,
        reply: Some(reply),
    } = peer.event()
    else {
        panic!()
    };
    assert_eq!(
        (&*name, &arguments[..]),
        ("raiseHand", &["left".into()][..])
    );
    peer.server.reply(peer.now, reply, Ok(3.0.into())).unwrap();
    peer.drain();
    assert_eq!(peer.answer(), ("_result".into(), 6.0, 3.0.into()));
    peer.command(1, "note", 0.0, vec![]);
    assert!(matches!(
        peer.event(),
        Event::Call {
            stream: Some(_),
            reply: None,
            ..
        }
    ));

    let id = peer
        .server
        .call(peer.now, None, "onBWCheck", vec![])
        .unwrap();
    peer.drain();
    let (_, transaction_id, _) = peer.answer();
    peer.command(0, "_error", transaction_id, vec![Value::Null, "no".into()]);
    assert_eq!(
        peer.event(),
        Event::CallResult {
            id,
            result: Err("no".into())
        }
    );
    peer.command(0, "_result", transaction_id, vec![]);
    peer.command(0, "_result", 0.5, vec![]);
    peer.command(0, "_result", f64::NAN, vec![]);
    assert_eq!(peer.ignored(), 3, "answers to nothing");
    for _ in 0..64 {
        peer.server.call(peer.now, None, "f", vec![]).unwrap();
    }
    assert_eq!(
        peer.server.call(peer.now, None, "f", vec![]),
        Err(UsageError::TooManyCalls { limit: 64 })
    );
}

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
fn the_unknown_is_ignored_and_counted() {
    let mut peer = Peer::with_streams(1);
    for message_type in [0, 7, 10, 14, 21, 23, 99, 255] {
        peer.send(&Raw::new(message_type, &b"whatever"[..]));
    }
    for payload in [&b"\x00\x1f\x00\x00\x00\x01"[..], b"\x00\x63", b"\x00", b""] {
        peer.send(&Raw::new(message_type::USER_CONTROL, payload));
    }
    for payload in [&b"\x05"[..], b"\x03\x00\x00", b"", b"\x02\xff\xffx"] {
        peer.send(&Raw::new(message_type::COMMAND_AMF0, payload));
        peer.send(&Raw::new(message_type::COMMAND_AMF3, payload));
    }
    assert_eq!(peer.ignored(), 8 + 4 + 8);
    assert!(peer.events.is_empty() && peer.wire.messages.is_empty());
    publishing(&mut peer, 1, "conf");
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
fn pings_are_answered_and_sent_and_time_out() {
    let mut peer = Peer::connected();
    peer.send(&Message::UserControl(UserControl::PingRequest(77)).encode());
    assert_eq!(
        peer.wire.messages.pop(),
        Some((0, Message::UserControl(UserControl::PingResponse(77))))
    );
    peer.now = peer.server.poll_timeout().unwrap();
    assert_eq!(peer.now, Instant::from_micros(20_000_000));
    peer.server.handle_timeout(peer.now);
    peer.drain();
    let Some((0, Message::UserControl(UserControl::PingRequest(stamp)))) = peer.wire.messages.pop()
    else {
        panic!()
    };
    peer.now += Duration::from_micros(12_345);
    peer.send(&Message::UserControl(UserControl::PingResponse(stamp ^ 1)).encode());
    assert_eq!(peer.ignored(), 1, "an answer to another question");
    peer.send(&Message::UserControl(UserControl::PingResponse(stamp)).encode());
    assert_eq!(
        peer.event(),
        Event::RoundTrip(Duration::from_micros(12_345))
    );
    let heard = peer.now;
    while peer.events.is_empty() {
        peer.now = peer.server.poll_timeout().unwrap();
        peer.server.handle_timeout(peer.now);
        peer.drain();
    }
    let after = Duration::from_secs(60);
    assert_eq!(peer.now - heard, after);
    assert_eq!(
        peer.event(),
        Event::Closed {
            reason: CloseReason::Timeout {
                what: Timeout::Silence,
                after
            }
        }
    );
    assert_eq!(peer.server.poll_timeout(), None);
}

#[test]
fn the_handshake_and_connect_have_their_time() {
    let mut server = ServerSession::new(Config::new(1), Instant::ZERO);
    server.handle_input(Instant::ZERO, &[3; 100]);
    let at = server.poll_timeout().unwrap();
    server.handle_timeout(at);
    let closed = std::iter::from_fn(|| server.poll_output()).last();
    let reason = CloseReason::Timeout {
        what: Timeout::Handshake,
        after: Duration::from_secs(10),
    };
    assert_eq!(
        closed,
        Some(chalkcast_core::session::Output::Event(Event::Closed {
            reason
        }))
    );

    let mut peer = Peer::new(Config::new(1));
    peer.now = peer.server.poll_timeout().unwrap();
    peer.server.handle_timeout(peer.now);
    peer.drain();
    let reason = CloseReason::Timeout {
        what: Timeout::Connect,
        after: Duration::from_secs(15),
    };
    assert_eq!(peer.event(), Event::Closed { reason });

    let mut peer = Peer::new(Config::new(1));
    peer.command(0, "connect", 1.0, vec![]);
    assert_eq!(
        peer.server.poll_timeout(),
        None,
        "now the owner has all the time it needs"
    );
}

#[test]
fn received_bytes_are_acknowledged_at_the_peers_window() {
    let mut peer = Peer::connected();
    peer.send(&Message::WindowAckSize(1000).encode());
    let acknowledged = |peer: &mut Peer| -> Vec<u32> {
        let acknowledgement = |(_, message)| match message {
            Message::Acknowledgement(total) => total,
            other => panic!("{other:?}"),
        };
        peer.wire.messages.drain(..).map(acknowledgement).collect()
    };
    assert_eq!(
        acknowledged(&mut peer),
        [peer.server.stats().bytes_received as u32],
        "the handshake counts"
    );
    peer.send(&Raw::new(99, vec![0; 900]));
    assert_eq!(acknowledged(&mut peer), []);
    peer.send(&Raw::new(99, vec![0; 900]));
    assert_eq!(
        acknowledged(&mut peer),
        [peer.server.stats().bytes_received as u32]
    );
    let bandwidth = |limit_type| {
        Message::SetPeerBandwidth {
            window: 5000,
            limit_type,
        }
        .encode()
    };
    peer.send(&bandwidth(LimitType::Dynamic));
    assert!(
        peer.wire.messages.is_empty(),
        "dynamic with nothing before it"
    );
    peer.send(&bandwidth(LimitType::Hard));
    assert_eq!(
        peer.wire.messages.pop(),
        Some((0, Message::WindowAckSize(5000)))
    );
    peer.send(&bandwidth(LimitType::Soft));
    assert!(peer.wire.messages.is_empty(), "nothing new");
    assert_eq!(peer.server.stats().peer_bandwidth, Some(5000));
    let sent = peer.server.stats().bytes_sent as u32;
    peer.send(&Message::Acknowledgement(sent - 10).encode());
    assert_eq!(
        peer.server.stats().bytes_acknowledged,
        Some(u64::from(sent - 10))
    );
    peer.send(&Message::Acknowledgement(u32::MAX).encode());
    assert_eq!(
        peer.server.stats().bytes_acknowledged,
        Some(peer.server.stats().bytes_sent),
        "any is progress, none is too much"
    );
}

#[test]
fn a_client_that_can_is_asked_to_connect_again() {
    let mut peer = Peer::connected();
    peer.server
        .request_reconnect(peer.now, Some("rtmp://other/live"), "maintenance")
        .unwrap();
    peer.drain();
    let expected = Status::ok(code::CONNECT_RECONNECT_REQUEST, "maintenance")
        .with("tcUrl", "rtmp://other/live");
    assert_eq!(peer.status(0), expected);

    let mut peer = Peer::new(Config::new(1));
    peer.command(0, "connect", 1.0, vec![]);
    peer.server.accept_connect(peer.now).unwrap();
    let cannot = peer.server.request_reconnect(peer.now, None, "maintenance");
    assert_eq!(cannot, Err(UsageError::Unsupported("ReconnectRequest")));
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

#[test]
fn garbage_ends_the_session_once_and_says_whose_fault_it_was() {
    let mut server = ServerSession::new(Config::new(1), Instant::ZERO);
    server.handle_input(Instant::ZERO, b"GET / HTTP/1.1\r\n\r\n");
    let mut outputs: Vec<_> = std::iter::from_fn(|| server.poll_output()).collect();
    let Some(chalkcast_core::session::Output::Event(Event::Closed { reason })) = outputs.pop()
    else {
        panic!()
    };
    assert!(matches!(reason, CloseReason::Peer(PeerError::Handshake(_))));
    assert!(reason.to_string().contains("0x47"), "{reason}");
    assert!(outputs.is_empty());

    let mut peer = Peer::with_streams(1);
    let stream = publishing(&mut peer, 1, "conf");
    peer.server.handle_input(peer.now, &[0xFF; 64]);
    peer.drain();
    assert_eq!(peer.events.remove(0), Event::StreamClosed { stream });
    let Event::Closed {
        reason: CloseReason::Peer(PeerError::Chunk(error)),
    } = peer.event()
    else {
        panic!()
    };
    assert!(error.to_string().contains("63"), "{error}");
}

#[test]
fn the_owner_ends_a_session_with_a_last_word() {
    let mut peer = Peer::with_streams(1);
    let stream = playing(&mut peer, 1, "conf");
    peer.server.close(
        peer.now,
        Some(Status::error(code::CONNECT_APP_SHUTDOWN, "good night")),
    );
    peer.drain();
    assert_eq!(peer.status(0).code, code::CONNECT_APP_SHUTDOWN);
    assert_eq!(
        peer.events,
        [
            Event::StreamClosed { stream },
            Event::Closed {
                reason: CloseReason::Local
            }
        ]
    );
    peer.server.close(peer.now, None);
    peer.server.handle_eof(peer.now);
    assert_eq!(peer.server.poll_output(), None);
    assert_eq!(
        peer.server.send_tag(peer.now, stream, &tag(1)),
        Err(UsageError::Closed)
    );
}
