//! AV1's AV1CodecConfigurationRecord, `av1C` (AV1 Codec ISO Media File Format Binding §2.3).

use alloc::format;
use alloc::string::String;

use super::Error;
use super::bits::Bits;

/// The record, as far as players ask. Its bytes go to the decoder as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecConfig {
    /// seq_profile, 0 to 2.
    pub profile: u8,
    /// seq_level_idx_0, 0 to 31.
    pub level: u8,
    /// Whether the tier is High rather than Main.
    pub high_tier: bool,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// Whether there is no chroma.
    pub monochrome: bool,
    /// Largest width and height in pixels, if a sequence header comes with the record.
    pub size: Option<(u32, u32)>,
}

impl CodecConfig {
    /// Reads a record.
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        let (&[marker, profile_level, flags, _], obus) = record
            .split_first_chunk()
            .ok_or(Error::Truncated("AV1CodecConfigurationRecord"))?;
        if marker != 0x81 {
            return Err(Error::Field {
                field: "AV1CodecConfigurationRecord's marker and version",
                value: marker.into(),
            });
        }
        Ok(Self {
            profile: profile_level >> 5,
            level: profile_level & 0x1f,
            high_tier: flags & 0x80 != 0,
            bit_depth: match (flags & 0x40 != 0, flags & 0x20 != 0) {
                (false, _) => 8,
                (true, false) => 10,
                (true, true) => 12,
            },
            monochrome: flags & 0x10 != 0,
            size: sequence_header(obus).and_then(frame_size),
        })
    }

    /// The codec string for WebCodecs and Media Source Extensions, such as `av01.0.04M.08` (§5).
    pub fn codec_string(&self) -> String {
        let tier = if self.high_tier { 'H' } else { 'M' };
        format!(
            "av01.{}.{:02}{tier}.{:02}",
            self.profile, self.level, self.bit_depth
        )
    }
}

/// The payload of the first sequence header among OBUs with sizes (AV1 Bitstream Specification §5.3).
fn sequence_header(obus: &[u8]) -> Option<&[u8]> {
    let mut rest = obus;
    while let [header, after @ ..] = rest {
        let (has_extension, has_size) = (header & 4 != 0, header & 2 != 0);
        let after = after.get(usize::from(has_extension)..)?;
        let (size, after) = if has_size {
            leb128(after)?
        } else {
            (after.len(), after)
        };
        let (payload, next) = after.split_at_checked(size)?;
        if header >> 3 & 15 == 1 {
            return Some(payload);
        }
        rest = next;
    }
    None
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// max_frame_width and max_frame_height (§5.5.1).
fn frame_size(sequence_header: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(sequence_header);
    bits.skip(3 + 1)?; // seq_profile, still_picture
    if bits.flag()? {
        bits.skip(5)?; // reduced_still_picture_header: seq_level_idx
    } else {
        operating_points(&mut bits)?;
    }
    let (width_bits, height_bits) = (bits.u(4)? + 1, bits.u(4)? + 1);
    Some((bits.u(width_bits)? + 1, bits.u(height_bits)? + 1))
}

fn operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?; // num_units_in_display_tick, time_scale
        if bits.flag()? {
            bits.ue()?; // num_ticks_per_picture_minus_1, written as Exp-Golomb codes are
        }
        if bits.flag()? {
            delay_bits = Some(bits.u(5)? as usize + 1);
            bits.skip(32 + 5 + 5)?; // num_units_in_decoding_tick and two more lengths
        }
    }
    let initial_display_delay = bits.flag()?;
    for _ in 0..=bits.u(5)? {
        bits.skip(12)?; // operating_point_idc
        if bits.u(5)? > 7 {
            bits.skip(1)?; // seq_tier
        }
        if let Some(delay) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay + 1)?;
        }
        if initial_display_delay && bits.flag()? {
            bits.skip(4)?;
        }
    }
    Some(())
}
