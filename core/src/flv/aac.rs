//! AAC's AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1): the data of an AAC sequence header.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::Error;
use super::bits::Bits;

/// Audio object type 2: AAC-LC.
pub const LOW_COMPLEXITY: u8 = 2;
/// Audio object type 5: spectral band replication (HE-AAC).
const SBR: u8 = 5;
/// Audio object type 29: parametric stereo (HE-AAC v2).
const PS: u8 = 29;

/// What an AAC decoder is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// Audio object type of the core codec, such as [`LOW_COMPLEXITY`].
    pub object_type: u8,
    /// Sampling rate of the core codec in Hz.
    pub sample_rate: u32,
    /// Channels that the core codec carries, 1 to 8 with 7 standing for none; more or zero only from a program config element.
    pub channels: u8,
    /// Whether a frame has 960 samples rather than 1,024.
    pub short_frames: bool,
    /// What is said of HE-AAC; a decoder may find more in the frames.
    pub extension: Option<Extension>,
}

/// Spectral band replication on top of the core codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Sampling rate of the output in Hz.
    pub sample_rate: u32,
    /// Whether parametric stereo makes two channels of one.
    pub parametric_stereo: bool,
    /// Whether the config starts with it, so that older decoders refuse it, rather than ending with it.
    pub hierarchical: bool,
}

impl AudioSpecificConfig {
    /// AAC-LC at `sample_rate` Hz with 1 to 6 or 8 channels, which is what encoders in browsers make.
    pub const fn low_complexity(sample_rate: u32, channels: u8) -> Self {
        Self {
            object_type: LOW_COMPLEXITY,
            sample_rate,
            channels,
            short_frames: false,
            extension: None,
        }
    }

    /// Reads a config.
    pub fn parse(config: &[u8]) -> Result<Self, Error> {
        parse(&mut Bits::new(config))
    }

    /// The bytes of the config. Numbers of channels without a channel configuration are refused.
    pub fn encode(&self) -> Result<Bytes, Error> {
        let channel_config = match self.channels {
            channels @ 1..=6 => channels,
            8 => 7,
            _ => {
                return Err(Error::Unencodable(
                    "AAC has no configuration for this number of channels",
                ));
            }
        };
        let mut out = Writer::default();
        match self.extension {
            Some(extension) if extension.hierarchical => {
                out.object_type(if extension.parametric_stereo { PS } else { SBR });
                out.sample_rate(self.sample_rate);
                out.put(channel_config.into(), 4);
                out.sample_rate(extension.sample_rate);
                out.object_type(self.object_type);
            }
            _ => {
                out.object_type(self.object_type);
                out.sample_rate(self.sample_rate);
                out.put(channel_config.into(), 4);
            }
        }
        // frameLengthFlag, dependsOnCoreCoder, extensionFlag.
        out.put(u32::from(self.short_frames) << 2, 3);
        if let Some(extension) = self.extension.filter(|extension| !extension.hierarchical) {
            out.put(SBR_SYNC, 11);
            out.object_type(SBR);
            out.put(1, 1);
            out.sample_rate(extension.sample_rate);
            if extension.parametric_stereo {
                out.put(PS_SYNC, 11);
                out.put(1, 1);
            }
        }
        Ok(out.bytes.into())
    }

    /// The codec string for WebCodecs and Media Source Extensions, such as `mp4a.40.2` (RFC 6381 §3.3).
    pub fn codec_string(&self) -> String {
        let object_type = match self.extension {
            Some(extension) if extension.hierarchical && extension.parametric_stereo => PS,
            Some(extension) if extension.hierarchical => SBR,
            _ => self.object_type,
        };
        format!("mp4a.40.{object_type}")
    }

    /// Sampling rate in Hz of what the decoder gives.
    pub fn output_sample_rate(&self) -> u32 {
        self.extension
            .map_or(self.sample_rate, |extension| extension.sample_rate)
    }

    /// Channels of what the decoder gives.
    pub fn output_channels(&self) -> u8 {
        if self
            .extension
            .is_some_and(|extension| extension.parametric_stereo)
        {
            2
        } else {
            self.channels
        }
    }

    /// Samples of one frame at [`AudioSpecificConfig::output_sample_rate`].
    pub fn frame_length(&self) -> u32 {
        let core = if self.short_frames { 960 } else { 1024 };
        core * if self.output_sample_rate() == self.sample_rate {
            1
        } else {
            2
        }
    }
}

const SBR_SYNC: u32 = 0x2b7;
const PS_SYNC: u32 = 0x548;
/// samplingFrequencyIndex (Table 1.18).
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

fn parse(bits: &mut Bits<'_>) -> Result<AudioSpecificConfig, Error> {
    let truncated = Error::Truncated("AudioSpecificConfig");
    let mut object_type = object_type(bits).ok_or(truncated)?;
    let rate = sample_rate(bits)?;
    let channel_config = bits.u(4).ok_or(truncated)?;
    let mut extension = None;
    if object_type == SBR || object_type == PS {
        let parametric_stereo = object_type == PS;
        extension = Some(Extension {
            sample_rate: sample_rate(bits)?,
            parametric_stereo,
            hierarchical: true,
        });
        object_type = self::object_type(bits).ok_or(truncated)?;
    }
    let mut config = AudioSpecificConfig {
        object_type,
        sample_rate: rate,
        channels: 0,
        short_frames: false,
        extension,
    };
    config.channels = match channel_config {
        channels @ 0..=6 => channels as u8,
        7 | 12 | 14 => 8,
        11 => 7,
        other => {
            return Err(Error::Field {
                field: "channelConfiguration",
                value: other,
            });
        }
    };
    // GASpecificConfig (§4.4.1), which the object types of FLV have.
    if !matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) {
        return Ok(config);
    }
    config.short_frames = bits.flag().ok_or(truncated)?;
    if bits.flag().ok_or(truncated)? {
        bits.skip(14).ok_or(truncated)?; // coreCoderDelay
    }
    let extended = bits.flag().ok_or(truncated)?;
    if channel_config == 0 {
        config.channels = program_config_channels(bits).ok_or(truncated)?;
    }
    // Object types with further fields here do not occur with the extension that follows.
    if !extended && extension.is_none() {
        config.extension = trailing_extension(bits);
    }
    Ok(config)
}

fn object_type(bits: &mut Bits<'_>) -> Option<u8> {
    match bits.u(5)? as u8 {
        31 => Some(bits.u(6)? as u8 + 32),
        short => Some(short),
    }
}

fn sample_rate(bits: &mut Bits<'_>) -> Result<u32, Error> {
    let truncated = Error::Truncated("AudioSpecificConfig");
    let index = bits.u(4).ok_or(truncated)?;
    let rate = if index == 15 {
        bits.u(24).ok_or(truncated)?
    } else {
        RATES.get(index as usize).copied().unwrap_or_default()
    };
    if rate == 0 {
        Err(Error::Field {
            field: "samplingFrequencyIndex",
            value: index,
        })
    } else {
        Ok(rate)
    }
}

/// Channels of a program_config_element (§4.4.1.1).
fn program_config_channels(bits: &mut Bits<'_>) -> Option<u8> {
    bits.skip(4 + 2 + 4)?; // element_instance_tag, object_type, sampling_frequency_index
    let pairs = bits.u(4)? + bits.u(4)? + bits.u(4)?;
    let (low_frequency, associated, coupled) = (bits.u(2)?, bits.u(3)?, bits.u(4)?);
    for width in [4, 4, 3] {
        // Mono, stereo and matrix mixdown.
        if bits.flag()? {
            bits.skip(width)?;
        }
    }
    let mut channels = low_frequency;
    for _ in 0..pairs {
        channels += 1 + u32::from(bits.flag()?);
        bits.skip(4)?;
    }
    bits.skip((low_frequency * 4 + associated * 4 + coupled * 5) as usize)?;
    let to_byte = bits.left() % 8;
    bits.skip(to_byte)?;
    let comment = bits.u(8)? as usize * 8;
    bits.skip(comment)?;
    u8::try_from(channels).ok()
}

/// The extension that an old decoder does not look at.
fn trailing_extension(bits: &mut Bits<'_>) -> Option<Extension> {
    if bits.u(11)? != SBR_SYNC || object_type(bits)? != SBR || !bits.flag()? {
        return None;
    }
    let sample_rate = sample_rate(bits).ok()?;
    let parametric_stereo = bits.u(11) == Some(PS_SYNC) && bits.flag() == Some(true);
    Some(Extension {
        sample_rate,
        parametric_stereo,
        hierarchical: false,
    })
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Bits of the last byte that are not used yet.
    free: u32,
}

impl Writer {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.free;
            }
        }
    }

    fn object_type(&mut self, object_type: u8) {
        match object_type {
            0..=30 => self.put(object_type.into(), 5),
            _ => self.put(31 << 6 | u32::from(object_type).saturating_sub(32) & 63, 11),
        }
    }

    fn sample_rate(&mut self, rate: u32) {
        match RATES.iter().position(|known| *known == rate) {
            Some(index) => self.put(index as u32, 4),
            None => {
                self.put(15, 4);
                self.put(rate, 24);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs_of_real_encoders_go_both_ways() {
        let lc = |sample_rate, channels| AudioSpecificConfig::low_complexity(sample_rate, channels);
        let extended = |rate, stereo, hierarchical, channels| AudioSpecificConfig {
            extension: Some(Extension {
                sample_rate: rate,
                parametric_stereo: stereo,
                hierarchical,
            }),
            ..lc(rate / 2, channels)
        };
        for (config, bytes, codec, rate, channels, frame) in [
            (
                lc(44_100, 2),
                [0x12, 0x10].as_slice(),
                "mp4a.40.2",
                44_100,
                2,
                1024,
            ),
            (lc(48_000, 1), &[0x11, 0x88], "mp4a.40.2", 48_000, 1, 1024),
            (lc(48_000, 8), &[0x11, 0xb8], "mp4a.40.2", 48_000, 8, 1024),
            (
                lc(12_345, 2),
                &[0x17, 0x80, 0x18, 0x1c, 0x90],
                "mp4a.40.2",
                12_345,
                2,
                1024,
            ),
            (
                extended(44_100, false, true, 2),
                &[0x2b, 0x92, 0x08, 0x00],
                "mp4a.40.5",
                44_100,
                2,
                2048,
            ),
            (
                extended(44_100, true, true, 1),
                &[0xeb, 0x8a, 0x08, 0x00],
                "mp4a.40.29",
                44_100,
                2,
                2048,
            ),
            (
                extended(48_000, false, false, 2),
                &[0x13, 0x10, 0x56, 0xe5, 0x98],
                "mp4a.40.2",
                48_000,
                2,
                2048,
            ),
            (
                extended(44_100, true, false, 1),
                &[0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80],
                "mp4a.40.2",
                44_100,
                2,
                2048,
            ),
        ] {
            assert_eq!(AudioSpecificConfig::parse(bytes), Ok(config));
            assert_eq!(config.encode().unwrap().as_ref(), bytes);
            assert_eq!(
                (config.codec_string().as_str(), config.output_sample_rate()),
                (codec, rate)
            );
            assert_eq!(
                (config.output_channels(), config.frame_length()),
                (channels, frame)
            );
        }
    }

    #[test]
    fn a_program_config_element_gives_the_channels() {
        // Front pair and single, back pair, one low frequency channel: 5.1 as some encoders spell it.
        let mut out = Writer::default();
        for (value, count) in [
            (2, 5),
            (3, 4),
            (0, 4),
            (0, 3),
            (0, 4),
            (1, 2),
            (3, 4),
            (2, 4),
            (0, 4),
            (1, 4),
            (1, 2),
            (0, 3),
            (0, 4),
            (0, 3),
        ] {
            out.put(value, count);
        }
        for (value, count) in [(0, 1), (0, 4), (1, 1), (0, 4), (1, 1), (1, 4), (0, 4)] {
            out.put(value, count);
        }
        out.put(0, out.free);
        out.put(0, 8);
        let config = AudioSpecificConfig::parse(&out.bytes).unwrap();
        assert_eq!((config.channels, config.sample_rate), (6, 48_000));
        assert!(config.encode().is_ok());
        assert!(
            AudioSpecificConfig {
                channels: 7,
                ..config
            }
            .encode()
            .is_err()
        );
    }

    #[test]
    fn a_malformed_config_is_refused() {
        for bytes in [
            [].as_slice(),
            &[0x12],
            &[0x16, 0x90],
            &[0x12, 0x78],
            &[0x12, 0x00, 0x00],
        ] {
            assert!(AudioSpecificConfig::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
