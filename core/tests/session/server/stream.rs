//! createStream, publish, play and what goes with them.

use std::time::Duration;

use chalkcast_core::Timestamp;
use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::message::{Message, UserControl};
use chalkcast_core::session::server::Event;
use chalkcast_core::session::{
    CloseReason, Level, PeerError, PlayOptions, PlayStart, PublishKind, Status, Transition,
    UsageError, code,
};

use super::{playing, publishing, tag};
use crate::peer::Peer;

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
