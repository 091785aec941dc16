//! The digests of the Flash handshake: where they are, and under which keys.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::PACKET;
use super::packet::put;

/// Length in bytes of a digest.
const DIGEST: usize = 32;

/// What both keys end in; only C2 and S2 use it.
const KEY_END: [u8; 32] = [
    0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
    0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
];

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    Client,
    Server,
}

impl Signer {
    /// The key of C1 and S1.
    const fn key(self) -> &'static [u8] {
        match self {
            Self::Client => b"Genuine Adobe Flash Player 001",
            Self::Server => b"Genuine Adobe Flash Media Server 001",
        }
    }
}

/// Where in C1 and S1 the digest is. The server answers in the client's scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In the first half, which is where it has always been.
    Zero,
    /// In the second half.
    One,
}

impl Scheme {
    /// Four bytes at a fixed place add up to the digest's place behind them.
    fn position(self, packet: &[u8; PACKET]) -> usize {
        let base = match self {
            Self::Zero => 8,
            Self::One => 772,
        };
        let sum: usize = packet
            .iter()
            .skip(base)
            .take(4)
            .map(|byte| usize::from(*byte))
            .sum();
        base + 4 + sum % 728
    }
}

/// Signs C1 or S1 in place.
pub(super) fn sign(packet: &mut [u8; PACKET], scheme: Scheme, signer: Signer) -> [u8; DIGEST] {
    let position = scheme.position(packet);
    let digest = digest_around(packet, position, signer);
    put(packet, position, digest);
    digest
}

/// The scheme and the digest of a C1 or S1 that `signer` has signed.
pub(super) fn verify(packet: &[u8; PACKET], signer: Signer) -> Option<(Scheme, [u8; DIGEST])> {
    [Scheme::Zero, Scheme::One].into_iter().find_map(|scheme| {
        let position = scheme.position(packet);
        let digest = digest_around(packet, position, signer);
        (packet.get(position..position + DIGEST)? == digest).then_some((scheme, digest))
    })
}

/// Signs a C2 or S2, which answers a C1 or S1 with this digest, in its last 32 bytes.
pub(super) fn sign_answer(packet: &mut [u8; PACKET], answered: &[u8; DIGEST], signer: Signer) {
    let key = hmac(&[signer.key(), &KEY_END].concat(), [&answered[..]]);
    let (signed, _) = packet.split_at(PACKET - DIGEST);
    let signature = hmac(&key, [signed]);
    put(packet, PACKET - DIGEST, signature);
}

fn digest_around(packet: &[u8; PACKET], position: usize, signer: Signer) -> [u8; DIGEST] {
    let (before, rest) = packet.split_at(position);
    hmac(
        signer.key(),
        [before, rest.get(DIGEST..).unwrap_or_default()],
    )
}

fn hmac<const N: usize>(key: &[u8], parts: [&[u8]; N]) -> [u8; DIGEST] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC key may have any length");
    parts.into_iter().for_each(|part| hmac.update(part));
    hmac.finalize().into_bytes().into()
}
