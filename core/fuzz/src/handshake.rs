//! One side of a handshake: the first byte says which and in reads of what size, the rest is what the peer sends.

use chalkcast_core::Instant;
use chalkcast_core::handshake::{Client, Kind, Server};

/// Bytes from either side.
const HANDSHAKE: usize = 1 + 2 * 1536;

/// Nothing but a wrong version ends a handshake, and it takes exactly what belongs to it.
pub fn run(data: &[u8]) {
    let Some((first, peer)) = data.split_first() else {
        return;
    };
    let mut out = Vec::new();
    let now = Instant::from_micros(1);
    let kind = if first & 2 == 0 {
        Kind::Simple
    } else {
        Kind::Digest
    };
    let mut client = Client::new(kind, 1, now, &mut out);
    let mut server = Server::new(1);
    let mut done = None;
    let mut taken = 0;
    for mut read in peer.chunks(usize::from(first >> 2) * 50 + 1) {
        let before = read.len();
        let result = if first & 1 == 0 {
            client.handle_input(now, &mut read, &mut out)
        } else {
            server.handle_input(now, &mut read, &mut out)
        };
        taken += before - read.len();
        match result {
            Ok(None) => assert!(read.is_empty()),
            Ok(agreed) => {
                done = agreed;
                break;
            }
            Err(_) => {
                assert!(taken == 0 && peer.first() != Some(&3));
                return;
            }
        }
    }
    assert_eq!(done.is_some(), peer.len() >= HANDSHAKE);
    assert_eq!(taken, peer.len().min(HANDSHAKE));
}
