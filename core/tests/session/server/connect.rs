//! The handshake, connect, and asking to connect again.

use std::time::Duration;

use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::message::Message;
use chalkcast_core::session::server::{Config, Event};
use chalkcast_core::session::{CloseReason, Level, PeerError, Status, Timeout, UsageError, code};
use chalkcast_core::{Instant, ServerSession};

use super::video;
use crate::peer::Peer;

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
