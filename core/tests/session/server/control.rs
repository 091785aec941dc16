//! Protocol control, user control, and what is unknown.

use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::message::{LimitType, Message, Raw, UserControl, message_type};
use chalkcast_core::session::server::Event;
use chalkcast_core::session::{CloseReason, Timeout};

use super::publishing;
use crate::peer::Peer;

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
fn pings_are_answered_and_sent_and_time_out() {
    let mut peer = Peer::connected();
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
fn a_client_that_pings_is_pinged_only_once_it_no_longer_does() {
    let mut peer = Peer::connected();
    for stamp in 0..100 {
        peer.send(&Message::UserControl(UserControl::PingRequest(stamp)).encode());
        assert_eq!(
            peer.wire.messages.pop(),
            Some((0, Message::UserControl(UserControl::PingResponse(stamp))))
        );
        peer.now += Duration::from_secs(20);
        peer.server.handle_timeout(peer.now);
        peer.drain();
        assert!(peer.wire.messages.is_empty());
    }
    assert_eq!(
        peer.server.poll_timeout(),
        Some(peer.now + Duration::from_secs(20))
    );
    peer.now += Duration::from_secs(20);
    peer.server.handle_timeout(peer.now);
    peer.drain();
    assert!(matches!(
        peer.wire.messages[..],
        [(0, Message::UserControl(UserControl::PingRequest(_)))]
    ));
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
