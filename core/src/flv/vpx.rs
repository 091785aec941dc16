//! VP8's and VP9's VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding §2.2).

use alloc::format;
use alloc::string::String;

use super::bits::Bits;
use super::{Error, VideoCodec};

/// The record, as far as players ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecConfig {
    /// 0 to 3.
    pub profile: u8,
    /// Ten times the level; zero if unknown.
    pub level: u8,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// 0 and 1 are 4:2:0, 2 is 4:2:2, 3 is 4:4:4.
    pub chroma_subsampling: u8,
    /// Whether samples use the full range.
    pub full_range: bool,
    /// colourPrimaries, transferCharacteristics and matrixCoefficients (ITU-T H.273).
    pub colour: [u8; 3],
}

impl CodecConfig {
    /// Reads a record, with or without the version and flags of a `vpcC` box before it.
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        // A record that starts so would have a bit depth of zero.
        let body = record.strip_prefix(&[1, 0, 0, 0]).unwrap_or(record);
        let &[profile, level, format, primaries, transfer, matrix, _, _] = body
            .first_chunk()
            .ok_or(Error::Truncated("VPCodecConfigurationRecord"))?;
        Ok(Self {
            profile,
            level,
            bit_depth: format >> 4,
            chroma_subsampling: format >> 1 & 7,
            full_range: format & 1 != 0,
            colour: [primaries, transfer, matrix],
        })
    }

    /// The record without version and flags.
    pub fn encode(&self) -> [u8; 8] {
        let format =
            self.bit_depth << 4 | (self.chroma_subsampling & 7) << 1 | u8::from(self.full_range);
        let [primaries, transfer, matrix] = self.colour;
        [
            self.profile,
            self.level,
            format,
            primaries,
            transfer,
            matrix,
            0,
            0,
        ]
    }

    /// The codec string for WebCodecs and Media Source Extensions, such as `vp09.00.31.08`; VP8 is `vp8` in WebCodecs, and this in files.
    pub fn codec_string(&self, codec: VideoCodec) -> String {
        match codec {
            VideoCodec::Vp8 => "vp8".into(),
            _ => format!(
                "vp09.{:02}.{:02}.{:02}",
                self.profile, self.level, self.bit_depth
            ),
        }
    }
}

/// Width and height of a VP9 keyframe (VP9 Bitstream Specification §6.2); `None` for any other frame.
pub fn vp9_frame_size(frame: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(frame);
    if bits.u(2)? != 2 {
        return None;
    }
    let profile = bits.u(1)? | bits.u(1)? << 1;
    if profile == 3 {
        bits.skip(1)?;
    }
    let (shows_existing, inter) = (bits.flag()?, bits.flag()?);
    bits.skip(2)?; // show_frame, error_resilient_mode
    if shows_existing || inter || bits.u(24)? != 0x49_8342 {
        return None;
    }
    if profile >= 2 {
        bits.skip(1)?; // ten_or_twelve_bit
    }
    const RGB: u32 = 7;
    if bits.u(3)? != RGB {
        bits.skip(1)?; // color_range
        if profile & 1 == 1 {
            bits.skip(3)?; // subsampling_x, subsampling_y, reserved_zero
        }
    } else if profile & 1 == 1 {
        bits.skip(1)?;
    }
    Some((bits.u(16)? + 1, bits.u(16)? + 1))
}

/// Width and height of a VP8 keyframe (RFC 6386 §9.1); `None` for any other frame.
pub fn vp8_frame_size(frame: &[u8]) -> Option<(u32, u32)> {
    let &[tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = frame.first_chunk()? else {
        return None;
    };
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3fff);
    (tag & 1 == 0).then(|| (side([w0, w1]), side([h0, h1])))
}
