//! The commands of encoders, calls and the bandwidth check.

use std::time::Duration;

use chalkcast_core::amf0::Value;
use chalkcast_core::message::Message;
use chalkcast_core::session::server::Event;
use chalkcast_core::session::{Status, UsageError, code};

use super::publishing;
use crate::peer::Peer;

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
