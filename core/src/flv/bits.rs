//! Bounded reading of bit fields, for parameter sets and configuration records.

use alloc::vec::Vec;

/// Bits from the most significant of the first byte on; each read answers `None` at the end.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Position in bits.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// At most 32 bits.
    pub(super) fn u(&mut self, count: u32) -> Option<u32> {
        if count as usize > self.left() {
            return None;
        }
        let mut value = 0_u64;
        let mut left = count as usize;
        while left > 0 {
            let byte = *self.bytes.get(self.at / 8)?;
            let offset = self.at % 8;
            let taken = left.min(8 - offset);
            let bits = byte >> (8 - offset - taken) & (0xff_u16 >> (8 - taken)) as u8;
            value = value << taken | u64::from(bits);
            self.at += taken;
            left -= taken;
        }
        u32::try_from(value).ok()
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        self.u(1).map(|bit| bit != 0)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        if count > self.left() {
            return None;
        }
        self.at += count;
        Some(())
    }

    /// Unsigned Exp-Golomb, ue(v) of ITU-T H.264 §9.1.
    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.u(zeros)?)
    }

    /// Signed Exp-Golomb, se(v) of ITU-T H.264 §9.1.1.
    pub(super) fn se(&mut self) -> Option<i32> {
        let code = i64::from(self.ue()?);
        i32::try_from(if code % 2 == 0 {
            -(code / 2)
        } else {
            code / 2 + 1
        })
        .ok()
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }
}

/// A NAL unit without its emulation prevention bytes (ITU-T H.264 §7.4.1.1).
pub(super) fn without_emulation(nal: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_exp_golomb_codes_are_read_to_the_end() {
        // 1, 010, 011, 00100, then 3 bits.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0101]);
        assert_eq!(
            [bits.ue(), bits.ue(), bits.ue(), bits.ue()],
            [Some(0), Some(1), Some(2), Some(3)]
        );
        assert_eq!(
            (bits.left(), bits.u(4), bits.u(3), bits.flag()),
            (4, Some(5), None, None)
        );
        let mut signed = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!(
            [
                signed.se(),
                signed.se(),
                signed.se(),
                signed.se(),
                signed.se()
            ],
            [Some(0), Some(1), Some(-1), Some(2), Some(-2)]
        );
        assert_eq!(Bits::new(&[0; 8]).ue(), None);
        assert_eq!(Bits::new(&[0xff; 4]).u(32), Some(u32::MAX));
        assert_eq!(
            Bits::new(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]).ue(),
            Some(u32::MAX - 1)
        );
    }

    #[test]
    fn emulation_prevention_bytes_go() {
        assert_eq!(
            without_emulation(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3]),
            [0, 0, 1, 0, 0, 0, 0]
        );
        assert_eq!(without_emulation(&[0, 3, 0, 0, 0, 3]), [0, 3, 0, 0, 0]);
    }
}
