use alloc::vec::Vec;

use crate::flv::Error;

/// The NAL units of a byte stream with start codes (ITU-T H.264 Annex B), without the zeros around them.
pub fn nal_units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream
        .get(after_start_code(stream).unwrap_or(stream.len())..)
        .unwrap_or_default();
    core::iter::from_fn(move || {
        while !rest.is_empty() {
            let next = after_start_code(rest);
            let nal = next.map_or(rest, |end| &rest[..end - 3]);
            rest = next.map_or(&[], |end| &rest[end..]);
            // A zero byte may stand before a start code and behind a NAL unit; no NAL unit ends in one.
            let length = nal
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |last| last + 1);
            if length > 0 {
                return Some(&nal[..length]);
            }
        }
        None
    })
}

fn after_start_code(stream: &[u8]) -> Option<usize> {
    stream
        .windows(3)
        .position(|window| window == [0, 0, 1])
        .map(|start| start + 3)
}

/// A byte stream with start codes, as some encoders give it, with four-byte lengths instead, as FLV has it.
pub fn annex_b_to_length_prefixed(stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(stream.len() + 4);
    for nal in nal_units(stream) {
        out.extend((nal.len() as u32).to_be_bytes());
        out.extend(nal);
    }
    out
}

/// NAL units behind lengths of `length_size` bytes with start codes instead.
pub fn length_prefixed_to_annex_b(frames: &[u8], length_size: u8) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(frames.len() + 4);
    let mut rest = frames;
    while !rest.is_empty() {
        let truncated = Error::Truncated("NAL unit");
        let (length, after) = rest.split_at_checked(length_size.into()).ok_or(truncated)?;
        let length = length
            .iter()
            .fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
        let (nal, after) = after.split_at_checked(length).ok_or(truncated)?;
        out.extend([0, 0, 0, 1]);
        out.extend(nal);
        rest = after;
        if length_size == 0 {
            return Err(Error::Field {
                field: "NAL unit length size",
                value: 0,
            });
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_and_lengths_translate() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0x65, 0, 3, 0,
        ];
        let units: Vec<_> = nal_units(&stream).collect();
        assert_eq!(units, [[0x67, 1].as_slice(), &[0x68, 2], &[0x65, 0, 3]]);
        let lengths = annex_b_to_length_prefixed(&stream);
        assert_eq!(
            lengths,
            [
                0, 0, 0, 2, 0x67, 1, 0, 0, 0, 2, 0x68, 2, 0, 0, 0, 3, 0x65, 0, 3
            ]
        );
        let back = length_prefixed_to_annex_b(&lengths, 4).unwrap();
        assert_eq!(nal_units(&back).collect::<Vec<_>>(), units);
        assert_eq!(
            length_prefixed_to_annex_b(&[1, 7], 1),
            Ok(alloc::vec![0, 0, 0, 1, 7])
        );
        assert_eq!(
            length_prefixed_to_annex_b(&[0, 0, 0, 9, 1], 4),
            Err(Error::Truncated("NAL unit"))
        );
        assert_eq!(
            nal_units(&[1, 2, 3]).count()
                + nal_units(&[]).count()
                + nal_units(&[0, 0, 1, 0, 0, 1]).count(),
            0
        );
    }
}
