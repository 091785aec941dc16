use alloc::vec::Vec;
use std::vec;

use super::digest::{Scheme, Signer, sign, verify};
use super::packet::Random;
use super::*;
use crate::Instant;

const NOW: Instant = Instant::from_micros(7_000_000);

/// Both sides to the end, `step` bytes at a time in each direction.
fn shake(kind: Kind, step: usize) -> (Kind, Kind, Vec<u8>, Vec<u8>) {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let mut client = Client::new(kind, 1, NOW, &mut up);
    let mut server = Server::new(2);
    let (mut up_at, mut down_at) = (0, 0);
    let (mut at_client, mut at_server) = (None, None);
    while at_client.is_none() || at_server.is_none() {
        let end = up.len().min(up_at + step);
        let mut input = &up[up_at..end];
        at_server = server.handle_input(NOW, &mut input, &mut down).unwrap();
        assert_eq!(input, b"");
        up_at = end;
        let end = down.len().min(down_at + step);
        let mut input = &down[down_at..end];
        at_client = client.handle_input(NOW, &mut input, &mut up).unwrap();
        assert_eq!(input, b"");
        down_at = end;
    }
    (at_client.unwrap(), at_server.unwrap(), up, down)
}

/// §5.2.2 to §5.2.4: version, time and zero; and each side gets back what it sent, with the time of reading.
#[test]
fn the_simple_handshake_is_the_one_in_the_specification() {
    let (client, server, up, down) = shake(Kind::Simple, usize::MAX / 2);
    assert_eq!((client, server), (Kind::Simple, Kind::Simple));
    assert_eq!((up.len(), down.len()), (1 + 2 * PACKET, 1 + 2 * PACKET));
    let (c1, c2) = up[1..].split_at(PACKET);
    let (s1, s2) = down[1..].split_at(PACKET);
    assert_eq!((up[0], down[0]), (3, 3));
    for packet in [c1, s1] {
        assert_eq!(packet[..8], [0, 0, 0x1B, 0x58, 0, 0, 0, 0]);
    }
    for (answer, answered) in [(c2, s1), (s2, c1)] {
        assert_eq!(answer[..4], answered[..4]);
        assert_eq!(answer[4..8], [0, 0, 0x1B, 0x58]);
        assert_eq!(answer[8..], answered[8..]);
    }
    assert_ne!(c1[8..], s1[8..]);
}

#[test]
fn a_byte_at_a_time_is_enough() {
    for kind in [Kind::Simple, Kind::Digest] {
        let (client, server, ..) = shake(kind, 1);
        assert_eq!((client, server), (kind, kind));
    }
}

#[test]
fn the_server_answers_in_the_scheme_the_client_used() {
    for scheme in [Scheme::Zero, Scheme::One] {
        for seed in 0..20 {
            let mut c1 = Random::new(seed).packet(NOW, [9, 0, 124, 2]);
            sign(&mut c1, scheme, Signer::Client);
            let mut down = Vec::new();
            let c0_c1 = [&[VERSION], &c1[..]].concat();
            let done = Server::new(seed).handle_input(NOW, &mut &c0_c1[..], &mut down);
            assert_eq!(done, Ok(None));
            let s1 = down[1..].first_chunk().unwrap();
            assert_eq!(
                verify(s1, Signer::Server).map(|(scheme, _)| scheme),
                Some(scheme)
            );
        }
    }
}

#[test]
fn a_bad_digest_gets_the_simple_handshake() {
    let mut up = Vec::new();
    Client::new(Kind::Digest, 5, NOW, &mut up);
    up[1000] ^= 1;
    let mut down = Vec::new();
    let mut server = Server::new(6);
    assert_eq!(server.handle_input(NOW, &mut &up[..], &mut down), Ok(None));
    assert_eq!(down[5..9], [0; 4]);
    assert_eq!(down[1 + PACKET + 8..], up[9..]);
    assert_eq!(
        server.handle_input(NOW, &mut &[0; PACKET][..], &mut down),
        Ok(Some(Kind::Simple))
    );
}

#[test]
fn a_client_with_digests_takes_a_server_without() {
    let mut up = Vec::new();
    let mut client = Client::new(Kind::Digest, 5, NOW, &mut up);
    let s1 = Random::new(9).packet(NOW, [0; 4]);
    let s2: [u8; PACKET] = *up[1..].first_chunk().unwrap();
    up.clear();
    let input = [&[VERSION][..], &s1, &s2, b"chunks"].concat();
    let mut input = &input[..];
    assert_eq!(
        client.handle_input(NOW, &mut input, &mut up),
        Ok(Some(Kind::Simple))
    );
    assert_eq!(input, b"chunks");
    assert_eq!(up[8..], s1[8..]);
}

#[test]
fn what_is_not_version_3_is_refused_at_the_first_byte() {
    for (byte, error) in [
        (6, Error::Encrypted),
        (b'G', Error::Version(b'G')),
        (0x16, Error::Version(0x16)),
        (0, Error::Version(0)),
    ] {
        let mut out = vec![];
        assert_eq!(
            Server::new(0).handle_input(NOW, &mut &[byte][..], &mut out),
            Err(error)
        );
        assert!(out.is_empty());
        let mut client = Client::new(Kind::Simple, 0, NOW, &mut out);
        assert_eq!(
            client.handle_input(NOW, &mut &[byte][..], &mut vec![]),
            Err(error)
        );
    }
}
