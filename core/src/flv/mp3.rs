//! The header of an MPEG audio frame, layer III (ISO/IEC 11172-3 §2.4.1.3), which is all the configuration that MP3 has.

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Sampling rate in Hz.
    pub sample_rate: u32,
    /// One or two.
    pub channels: u8,
    /// Samples in the frame.
    pub samples: u32,
}

impl FrameHeader {
    /// Reads the first four bytes of a frame; `None` if they are not the header of one.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let &[sync, version, rate, mode] = frame.first_chunk()?;
        let layer_three = version >> 1 & 3 == 1;
        if sync != 0xff || version & 0xe0 != 0xe0 || !layer_three {
            return None;
        }
        let base = *[44_100, 48_000, 32_000].get(usize::from(rate >> 2 & 3))?;
        // MPEG 2.5, reserved, MPEG 2, MPEG 1.
        let (divisor, samples) = match version >> 3 & 3 {
            0 => (4, 576),
            2 => (2, 576),
            3 => (1, 1152),
            _ => return None,
        };
        Some(Self {
            sample_rate: base / divisor,
            channels: if mode >> 6 == 3 { 1 } else { 2 },
            samples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_header_says_rate_channels_and_length() {
        let of = |sample_rate, channels, samples| {
            Some(FrameHeader {
                sample_rate,
                channels,
                samples,
            })
        };
        assert_eq!(
            FrameHeader::parse(&[0xff, 0xfb, 0x90, 0x64]),
            of(44_100, 2, 1152)
        );
        assert_eq!(
            FrameHeader::parse(&[0xff, 0xf3, 0x44, 0xc0]),
            of(24_000, 1, 576)
        );
        assert_eq!(
            FrameHeader::parse(&[0xff, 0xe3, 0x48, 0xc0]),
            of(8_000, 1, 576)
        );
        assert_eq!(FrameHeader::parse(&[0xff, 0xfb, 0x9c, 0x64]), None);
        assert_eq!(FrameHeader::parse(b"ID3\x04"), None);
    }
}
