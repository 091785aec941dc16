//! How a session ends.

use chalkcast_core::session::server::{Config, Event};
use chalkcast_core::session::{CloseReason, PeerError, Status, UsageError, code};
use chalkcast_core::{Instant, ServerSession};

use super::{playing, publishing, tag};
use crate::peer::Peer;

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
