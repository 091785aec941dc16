//! The 1,536-byte packets: collecting a peer's, and making our own.

use alloc::vec::Vec;

use super::PACKET;
use crate::Instant;

/// A peer's packet, as much of it as has come.
#[derive(Debug)]
pub(super) struct Inbound(Vec<u8>);

impl Inbound {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes what is missing from `input`; the packet once it is whole.
    pub(super) fn fill(&mut self, input: &mut &[u8]) -> Option<[u8; PACKET]> {
        let missing = PACKET - self.0.len();
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.0.extend_from_slice(taken);
        *input = rest;
        let packet = self.0.first_chunk().copied()?;
        self.0.clear();
        Some(packet)
    }
}

/// Pseudo-random bytes from a seed (SplitMix64); the handshake needs them only to differ between connections.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A packet of random bytes behind the time and four bytes of version: C1 or S1 (§5.2.3).
    pub(super) fn packet(&mut self, now: Instant, version: [u8; 4]) -> [u8; PACKET] {
        let mut packet = [0; PACKET];
        for bytes in packet.as_chunks_mut().0 {
            *bytes = self.next().to_le_bytes();
        }
        put(&mut packet, 0, millis(now));
        put(&mut packet, 4, version);
        packet
    }
}

/// The peer's packet with the time at which it was read: C2 or S2 (§5.2.4).
pub(super) fn echo(mut packet: [u8; PACKET], now: Instant) -> [u8; PACKET] {
    put(&mut packet, 4, millis(now));
    packet
}

/// The time field: milliseconds, modulo 2^32.
fn millis(now: Instant) -> [u8; 4] {
    ((now.as_micros() / 1000) as u32).to_be_bytes()
}

/// Overwrites the bytes from `at` on.
pub(super) fn put(packet: &mut [u8; PACKET], at: usize, bytes: impl AsRef<[u8]>) {
    let bytes = bytes.as_ref();
    if let Some(field) = packet.get_mut(at..at + bytes.len()) {
        field.copy_from_slice(bytes);
    }
}
