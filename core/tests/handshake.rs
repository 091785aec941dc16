//! The handshake against rml_rtmp's, both ways, in reads of several sizes. rml_rtmp sends digests and takes either kind.

use chalkcast_core::Instant;
use chalkcast_core::handshake::{Client, Kind, Server};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};

const NOW: Instant = Instant::from_micros(5_000_000);

/// What rml_rtmp answers, and what it left for the chunk stream once it is done.
fn feed(theirs: &mut Handshake, bytes: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    match theirs.process_bytes(bytes).expect("rml_rtmp takes it") {
        HandshakeProcessResult::InProgress { response_bytes } => (response_bytes, None),
        HandshakeProcessResult::Completed {
            response_bytes,
            remaining_bytes,
        } => (response_bytes, Some(remaining_bytes)),
    }
}

#[test]
fn our_client_and_rml_rtmps_server_agree() {
    for kind in [Kind::Simple, Kind::Digest] {
        for seed in 0..50 {
            let mut up = Vec::new();
            let mut ours = Client::new(kind, seed, NOW, &mut up);
            let mut theirs = Handshake::new(PeerType::Server);
            let (down, done) = feed(&mut theirs, &up);
            assert_eq!(done, None);
            up.clear();
            let mut agreed = None;
            for mut read in down.chunks(1000) {
                agreed = ours.handle_input(NOW, &mut read, &mut up).unwrap();
                assert!(read.is_empty());
            }
            // Its S1 always has a digest.
            assert_eq!(agreed, Some(kind));
            up.extend(b"chunks");
            assert_eq!(feed(&mut theirs, &up).1.as_deref(), Some(&b"chunks"[..]));
        }
    }
}

#[test]
fn rml_rtmps_client_and_our_server_agree() {
    for seed in 0..50 {
        let mut theirs = Handshake::new(PeerType::Client);
        let mut ours = Server::new(seed);
        let up = theirs.generate_outbound_p0_and_p1().unwrap();
        let mut down = Vec::new();
        assert_eq!(ours.handle_input(NOW, &mut &up[..], &mut down), Ok(None));
        down.extend(b"chunks");
        let (mut up, done) = feed(&mut theirs, &down);
        assert_eq!(done.as_deref(), Some(&b"chunks"[..]));
        up.extend(b"more");
        let mut up = &up[..];
        assert_eq!(
            ours.handle_input(NOW, &mut up, &mut down),
            Ok(Some(Kind::Digest))
        );
        assert_eq!(up, b"more");
    }
}
