//! Chunk headers (RTMP 1.0 §5.3.1).

use alloc::vec::Vec;

use super::Head;
use crate::wire::{Reader, u24_bytes};

/// The value of a timestamp field that says an extended timestamp follows (§5.3.1.3).
pub(super) const EXTENDED: u32 = 0x00FF_FFFF;

/// Where a header is written: in place, or right to where it is sent from.
pub(super) trait Push {
    /// Appends `bytes`.
    fn push<const N: usize>(&mut self, bytes: [u8; N]);
}

impl Push for Vec<u8> {
    #[inline]
    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        self.extend_from_slice(&bytes);
    }
}

/// The longest chunk header (§5.3.1): three bytes of basic header, eleven of message header, four of extended timestamp.
pub(super) const LONGEST_HEADER: usize = 18;

/// The smallest and the greatest chunk stream id that a basic header can say, less the reserved 0 and 1 (§5.3.1.1).
pub(super) const CHUNK_STREAM_IDS: core::ops::RangeInclusive<u32> = 2..=65_599;

/// Chunk type (`fmt`), chunk stream id and length in bytes of the basic header that `bytes` starts with, if it is whole.
#[inline]
pub(super) fn basic(bytes: &[u8]) -> Option<(u8, u32, usize)> {
    let first = *bytes.first()?;
    Some(match first & 0x3F {
        0 => (first >> 6, u32::from(*bytes.get(1)?) + 64, 2),
        1 => (
            first >> 6,
            u32::from(u16::from_le_bytes(*bytes.get(1..)?.first_chunk()?)) + 64,
            3,
        ),
        id => (first >> 6, u32::from(id), 1),
    })
}

/// The message header of a type 0, 1 or 2 chunk (§5.3.1.2).
pub(super) struct Fields {
    /// Absolute in type 0, a delta in types 1 and 2.
    pub(super) timestamp: u32,
    /// Whether it came as an extended timestamp.
    pub(super) extended: bool,
    /// Message length and type, in types 0 and 1.
    pub(super) shape: Option<(u32, u8)>,
    /// In type 0.
    pub(super) stream_id: Option<u32>,
}

impl Fields {
    /// Reads what follows the basic header; `None` if it is not all there.
    #[inline(always)]
    pub(super) fn read(chunk_type: u8, reader: &mut Reader<'_>) -> Option<Self> {
        let mut fields = Self {
            timestamp: reader.u24()?,
            extended: false,
            shape: None,
            stream_id: None,
        };
        if chunk_type < 2 {
            fields.shape = Some((reader.u24()?, reader.u8()?));
        }
        if chunk_type == 0 {
            fields.stream_id = Some(u32::from_le_bytes(reader.array()?));
        }
        if fields.timestamp == EXTENDED {
            fields.extended = true;
            fields.timestamp = reader.u32()?;
        }
        Some(fields)
    }
}

/// Whether `bytes`, which follow a type 3 basic header, repeat the extended timestamp `value`; `None` if more are needed to tell.
///
/// §5.3.1.3 wants it repeated, and some peers leave it out: the bytes decide.
pub(super) fn repeats(bytes: &[u8], value: u32) -> Option<bool> {
    let expected = value.to_be_bytes();
    let seen = bytes.get(..4).unwrap_or(bytes);
    if !expected.starts_with(seen) {
        return Some(false);
    }
    (seen.len() == 4).then_some(true)
}

/// Appends a basic header in the shortest form that holds `chunk_stream_id`.
#[inline]
pub(super) fn push_basic(head: &mut impl Push, chunk_type: u8, chunk_stream_id: u32) {
    let chunk_type = chunk_type << 6;
    match chunk_stream_id {
        0..=63 => head.push([chunk_type | chunk_stream_id as u8]),
        64..=319 => head.push([chunk_type, (chunk_stream_id - 64) as u8]),
        _ => {
            let [low, high, ..] = (chunk_stream_id - 64).to_le_bytes();
            head.push([chunk_type | 1, low, high]);
        }
    }
}

/// Appends a timestamp field: the 24 bits, or the escape where the value needs an extended timestamp.
#[inline]
pub(super) fn push_timestamp(head: &mut impl Push, value: u32) {
    head.push(u24_bytes(value.min(EXTENDED)));
}

/// Appends the extended timestamp if `value` needs one.
#[inline]
pub(super) fn push_extended(head: &mut impl Push, value: u32) {
    if value >= EXTENDED {
        head.push(value.to_be_bytes());
    }
}

/// The header of the chunks that continue a message, whose last timestamp field stood for `value` (§5.3.1.2.4, §5.3.1.3).
pub(super) fn continuation(chunk_stream_id: u32, value: u32) -> Head {
    let mut head = Head::default();
    push_basic(&mut head, 3, chunk_stream_id);
    push_extended(&mut head, value);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The three forms of §5.3.1.1 at both ends of their ranges; 64 to 319 have two forms, of which the shorter is ours.
    #[test]
    fn basic_headers_have_one_two_or_three_bytes() {
        for (id, bytes) in [
            (2, &[0xC2_u8] as &[u8]),
            (63, &[0xFF]),
            (64, &[0xC0, 0]),
            (319, &[0xC0, 255]),
            (320, &[0xC1, 0, 1]),
            (65_599, &[0xC1, 255, 255]),
        ] {
            let mut head = Head::default();
            push_basic(&mut head, 3, id);
            assert_eq!(&*head, bytes, "chunk stream {id}");
            assert_eq!(basic(bytes), Some((3, id, bytes.len())));
            for cut in 0..bytes.len() {
                assert_eq!(basic(&bytes[..cut]), None);
            }
        }
        assert_eq!(basic(&[0x41, 0, 0]), Some((1, 64, 3)));
    }
}
