use crate::flv::Error;
use crate::flv::bits::{Bits, without_emulation};

/// A sequence parameter set (ITU-T H.264 §7.3.2.1.1), as far as players ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// profile_idc.
    pub profile: u8,
    /// constraint_set0_flag to constraint_set5_flag, from the highest bit on.
    pub constraints: u8,
    /// level_idc: ten times the level.
    pub level: u8,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits of a luma sample.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample.
    pub bit_depth_chroma: u8,
    /// pic_order_cnt_type; 2 says that output order is decoding order.
    pub pic_order_cnt_type: u8,
    /// max_num_ref_frames.
    pub max_num_ref_frames: u32,
    /// Width in pixels, cropped.
    pub width: u32,
    /// Height in pixels, cropped.
    pub height: u32,
    /// Whether all pictures are whole frames.
    pub frame_mbs_only: bool,
    /// Frames of this size that the decoded picture buffer of the level holds (§A.3.1), at most 16.
    pub max_dpb_frames: u32,
    /// What the usability information says, nothing of which is required.
    pub vui: Vui,
}

/// Video usability information (§E.1.1), as far as players ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vui {
    /// Width and height of a pixel.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// Whether samples use the full range.
    pub full_range: Option<bool>,
    /// colour_primaries, transfer_characteristics and matrix_coefficients (ITU-T H.273).
    pub colour: Option<(u8, u8, u8)>,
    /// num_units_in_tick and time_scale: two ticks are one frame.
    pub timing: Option<(u32, u32)>,
    /// max_num_reorder_frames: how many frames may be decoded before one that is shown earlier.
    pub max_num_reorder_frames: Option<u32>,
    /// max_dec_frame_buffering.
    pub max_dec_frame_buffering: Option<u32>,
}

impl Sps {
    /// Reads a NAL unit of type 7, header byte included. A fault in the usability information leaves the rest of that out.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let unescaped = without_emulation(nal);
        let mut bits = Bits::new(&unescaped);
        let nal_type = bits.u(8).map(|header| header & 0x1f);
        if nal_type != Some(7) {
            return Err(Error::Field {
                field: "nal_unit_type",
                value: nal_type.unwrap_or_default(),
            });
        }
        parse(&mut bits).ok_or(Error::Truncated("sequence parameter set"))
    }

    /// How many frames a decoder may hold back to put them in order; zero if frames are sent in the order in which they are shown.
    ///
    /// What the usability information does not say follows from profile and level (§E.2.1).
    pub fn reorder_frames(&self) -> u32 {
        let intra_only =
            matches!(self.profile, 44 | 86 | 100 | 110 | 122 | 244) && self.constraints & 0x10 != 0;
        if self.profile == 66 || self.pic_order_cnt_type == 2 || intra_only {
            return 0;
        }
        self.vui
            .max_num_reorder_frames
            .unwrap_or(self.max_dpb_frames)
    }

    /// Frames a second, if the stream says so.
    pub fn frame_rate(&self) -> Option<f64> {
        let (num_units_in_tick, time_scale) = self.vui.timing?;
        (num_units_in_tick > 0 && time_scale > 0)
            .then(|| f64::from(time_scale) / (2.0 * f64::from(num_units_in_tick)))
    }
}

fn parse(bits: &mut Bits<'_>) -> Option<Sps> {
    let (profile, constraints, level) = (bits.u(8)? as u8, bits.u(8)? as u8, bits.u(8)? as u8);
    bits.ue()?; // seq_parameter_set_id
    let (mut chroma_format, mut separate_planes, mut bit_depth_luma, mut bit_depth_chroma) =
        (1, false, 8, 8);
    if matches!(
        profile,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    ) {
        chroma_format = bits.ue().filter(|format| *format <= 3)? as u8;
        if chroma_format == 3 {
            separate_planes = bits.flag()?;
        }
        bit_depth_luma = bits.ue().filter(|more| *more <= 6)? as u8 + 8;
        bit_depth_chroma = bits.ue().filter(|more| *more <= 6)? as u8 + 8;
        bits.flag()?; // qpprime_y_zero_transform_bypass_flag
        if bits.flag()? {
            scaling_lists(bits, if chroma_format == 3 { 12 } else { 8 })?;
        }
    }
    bits.ue()?; // log2_max_frame_num_minus4
    let pic_order_cnt_type = bits.ue().filter(|kind| *kind <= 2)? as u8;
    if pic_order_cnt_type == 0 {
        bits.ue()?; // log2_max_pic_order_cnt_lsb_minus4
    } else if pic_order_cnt_type == 1 {
        bits.flag()?; // delta_pic_order_always_zero_flag
        bits.se()?; // offset_for_non_ref_pic
        bits.se()?; // offset_for_top_to_bottom_field
        for _ in 0..bits.ue().filter(|count| *count <= 255)? {
            bits.se()?; // offset_for_ref_frame
        }
    }
    let max_num_ref_frames = bits.ue()?;
    bits.flag()?; // gaps_in_frame_num_value_allowed_flag
    let width_in_mbs = bits.ue()?.checked_add(1)?;
    let height_in_map_units = bits.ue()?.checked_add(1)?;
    let frame_mbs_only = bits.flag()?;
    let fields = if frame_mbs_only { 1 } else { 2 };
    if !frame_mbs_only {
        bits.flag()?; // mb_adaptive_frame_field_flag
    }
    bits.flag()?; // direct_8x8_inference_flag
    let height_in_mbs = height_in_map_units.checked_mul(fields)?;
    let (mut width, mut height) = (
        width_in_mbs.checked_mul(16)?,
        height_in_mbs.checked_mul(16)?,
    );
    if bits.flag()? {
        let planar = chroma_format == 0 || separate_planes;
        let unit_x = if planar || chroma_format == 3 { 1 } else { 2 };
        let unit_y = fields * if !planar && chroma_format == 1 { 2 } else { 1 };
        let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
        width = width.checked_sub(left.checked_add(right)?.checked_mul(unit_x)?)?;
        height = height.checked_sub(top.checked_add(bottom)?.checked_mul(unit_y)?)?;
    }
    let frame_mbs = width_in_mbs.checked_mul(height_in_mbs)?;
    let max_dpb_frames = (max_dpb_mbs(level, constraints) / frame_mbs).min(16);
    let mut vui = Vui::default();
    if bits.flag().unwrap_or_default() {
        let _ = read_vui(bits, &mut vui);
    }
    Some(Sps {
        profile,
        constraints,
        level,
        chroma_format,
        bit_depth_luma,
        bit_depth_chroma,
        pic_order_cnt_type,
        max_num_ref_frames,
        width,
        height,
        frame_mbs_only,
        max_dpb_frames,
        vui,
    })
}

fn scaling_lists(bits: &mut Bits<'_>, count: usize) -> Option<()> {
    for list in 0..count {
        if !bits.flag()? {
            continue;
        }
        let (mut last, mut next) = (8, 8);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.se()?.rem_euclid(256)) % 256;
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

/// Fills in what it reads, so that a fault keeps what precedes it.
fn read_vui(bits: &mut Bits<'_>, vui: &mut Vui) -> Option<()> {
    if bits.flag()? {
        vui.sample_aspect_ratio = match bits.u(8)? {
            255 => Some((bits.u(16)? as u16, bits.u(16)? as u16)),
            index => ASPECT_RATIOS.get(index as usize).copied(),
        };
    }
    if bits.flag()? {
        bits.flag()?; // overscan_appropriate_flag
    }
    if bits.flag()? {
        bits.u(3)?; // video_format
        vui.full_range = Some(bits.flag()?);
        if bits.flag()? {
            vui.colour = Some((bits.u(8)? as u8, bits.u(8)? as u8, bits.u(8)? as u8));
        }
    }
    if bits.flag()? {
        bits.ue()?; // chroma_sample_loc_type_top_field
        bits.ue()?; // chroma_sample_loc_type_bottom_field
    }
    if bits.flag()? {
        vui.timing = Some((bits.u(32)?, bits.u(32)?));
        bits.flag()?; // fixed_frame_rate_flag
    }
    let nal_hrd = bits.flag()?;
    if nal_hrd {
        skip_hrd(bits)?;
    }
    let vcl_hrd = bits.flag()?;
    if vcl_hrd {
        skip_hrd(bits)?;
    }
    if nal_hrd || vcl_hrd {
        bits.flag()?; // low_delay_hrd_flag
    }
    bits.flag()?; // pic_struct_present_flag
    if bits.flag()? {
        bits.flag()?; // motion_vectors_over_pic_boundaries_flag
        for _ in 0..4 {
            bits.ue()?; // max_bytes_per_pic_denom to log2_max_mv_length_vertical
        }
        vui.max_num_reorder_frames = Some(bits.ue()?);
        vui.max_dec_frame_buffering = Some(bits.ue()?);
    }
    Some(())
}

fn skip_hrd(bits: &mut Bits<'_>) -> Option<()> {
    let count = bits.ue().filter(|count| *count <= 31)? + 1;
    bits.skip(8)?;
    for _ in 0..count {
        bits.ue()?;
        bits.ue()?;
        bits.flag()?;
    }
    bits.skip(20)
}

/// Table E-1.
const ASPECT_RATIOS: [(u16, u16); 17] = [
    (0, 0),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// MaxDpbMbs of Table A-1; of the highest level if the level is unknown.
const fn max_dpb_mbs(level: u8, constraints: u8) -> u32 {
    match level {
        // Level 1b shares its number with 1.1.
        11 if constraints & 0x10 != 0 => 396,
        9 | 10 => 396,
        11 => 900,
        12 | 13 | 20 => 2_376,
        21 => 4_752,
        22 | 30 => 8_100,
        31 => 18_000,
        32 => 20_480,
        40 | 41 => 32_768,
        42 => 34_816,
        50 => 110_400,
        51 | 52 => 184_320,
        _ => 696_320,
    }
}
