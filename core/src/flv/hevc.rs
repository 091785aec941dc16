//! H.265's HEVCDecoderConfigurationRecord, `hvcC` (ISO/IEC 14496-15 §8.3.3.1).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::Error;
use super::bits::{Bits, without_emulation};
use crate::wire::Reader;

/// The record, as far as players ask. Its bytes go to the decoder as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// general_profile_space, 0 to 3.
    pub profile_space: u8,
    /// Whether the tier is High rather than Main.
    pub high_tier: bool,
    /// general_profile_idc.
    pub profile: u8,
    /// general_profile_compatibility_flags, the first flag in the highest bit.
    pub compatibility: u32,
    /// The six bytes of constraint flags.
    pub constraints: [u8; 6],
    /// general_level_idc: thirty times the level.
    pub level: u8,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub nal_length_size: u8,
    /// Parameter sets with their NAL unit types.
    pub parameter_sets: Vec<(u8, Bytes)>,
}

/// NAL unit type of a sequence parameter set.
const SPS: u8 = 33;
/// Far over the sixteen of a kind that there can be.
const MAX_PARAMETER_SETS: usize = 128;

impl DecoderConfig {
    /// Reads a record; the parameter sets are slices of it.
    pub fn parse(record: &Bytes) -> Result<Self, Error> {
        let truncated = || Error::Truncated("HEVCDecoderConfigurationRecord");
        let mut reader = Reader::new(record);
        // Some writers leave the version at zero.
        let [_version, profile] = reader.array().ok_or_else(truncated)?;
        let compatibility = reader.u32().ok_or_else(truncated)?;
        let constraints = reader.array().ok_or_else(truncated)?;
        let level = reader.u8().ok_or_else(truncated)?;
        let rest: [u8; 10] = reader.array().ok_or_else(truncated)?;
        let nal_length_size = (rest[8] & 3) + 1;
        if nal_length_size == 3 {
            return Err(Error::Field {
                field: "lengthSizeMinusOne",
                value: 2,
            });
        }
        let mut parameter_sets = Vec::new();
        for _ in 0..rest[9] {
            let nal_type = reader.u8().ok_or_else(truncated)? & 0x3f;
            for _ in 0..reader.u16().ok_or_else(truncated)? {
                let length = reader.u16().ok_or_else(truncated)?;
                let nal = reader.take(length.into()).ok_or_else(truncated)?;
                if parameter_sets.len() == MAX_PARAMETER_SETS {
                    return Err(Error::TooMany {
                        what: "parameter sets",
                        limit: MAX_PARAMETER_SETS,
                    });
                }
                parameter_sets.push((nal_type, record.slice_ref(nal)));
            }
        }
        Ok(Self {
            profile_space: profile >> 6,
            high_tier: profile & 0x20 != 0,
            profile: profile & 0x1f,
            compatibility,
            constraints,
            level,
            nal_length_size,
            parameter_sets,
        })
    }

    /// The codec string for WebCodecs and Media Source Extensions, such as `hvc1.1.6.L93.90` (ISO/IEC 14496-15 §E.3).
    pub fn codec_string(&self) -> String {
        let space = ["", "A", "B", "C"][usize::from(self.profile_space & 3)];
        let tier = if self.high_tier { 'H' } else { 'L' };
        let mut codec = format!(
            "hvc1.{space}{}.{:x}.{tier}{}",
            self.profile,
            self.compatibility.reverse_bits(),
            self.level
        );
        let used = self
            .constraints
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        for byte in &self.constraints[..used] {
            codec.push_str(&format!(".{byte:x}"));
        }
        codec
    }

    /// Width and height in pixels, cropped, from the first sequence parameter set (ITU-T H.265 §7.3.2.2).
    pub fn size(&self) -> Option<(u32, u32)> {
        let (_, nal) = self
            .parameter_sets
            .iter()
            .find(|(nal_type, _)| *nal_type == SPS)?;
        let unescaped = without_emulation(nal);
        let mut bits = Bits::new(&unescaped);
        bits.skip(16 + 4)?; // NAL unit header, sps_video_parameter_set_id
        let sub_layers = bits.u(3)?;
        bits.skip(1 + 96)?; // sps_temporal_id_nesting_flag, general profile, tier and level
        skip_sub_layers(&mut bits, sub_layers)?;
        bits.ue()?; // sps_seq_parameter_set_id
        let chroma_format = bits.ue()?;
        let separate_planes = chroma_format == 3 && bits.flag()?;
        let (mut width, mut height) = (bits.ue()?, bits.ue()?);
        if bits.flag()? {
            let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
            let unit_y = if chroma_format == 1 && !separate_planes {
                2
            } else {
                1
            };
            let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
            width = width.checked_sub(left.checked_add(right)?.checked_mul(unit_x)?)?;
            height = height.checked_sub(top.checked_add(bottom)?.checked_mul(unit_y)?)?;
        }
        Some((width, height))
    }
}

/// The rest of profile_tier_level (§7.3.3).
fn skip_sub_layers(bits: &mut Bits<'_>, count: u32) -> Option<()> {
    let mut length = 0;
    for _ in 0..count {
        length += if bits.flag()? { 88 } else { 0 };
        length += if bits.flag()? { 8 } else { 0 };
    }
    if count > 0 {
        bits.skip(2 * (8 - count) as usize)?;
    }
    bits.skip(length)
}
