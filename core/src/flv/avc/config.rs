use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Sps, nal_units};
use crate::flv::Error;
use crate::wire::Reader;

/// The AVCDecoderConfigurationRecord, `avcC` (ISO/IEC 14496-15 §5.3.3.1): the data of an AVC sequence header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// AVCProfileIndication.
    pub profile: u8,
    /// The constraint flags.
    pub compatibility: u8,
    /// AVCLevelIndication: ten times the level.
    pub level: u8,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub nal_length_size: u8,
    /// Sequence parameter sets, at most 31.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, at most 255.
    pub pps: Vec<Bytes>,
    /// What High profiles add; a record may lack it all the same.
    pub high: Option<High>,
}

/// The part of a record that only High profiles have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct High {
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits of a luma sample, 8 to 15.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample, 8 to 15.
    pub bit_depth_chroma: u8,
    /// Sequence parameter set extensions.
    pub sps_ext: Vec<Bytes>,
}

impl DecoderConfig {
    /// Reads a record; the parameter sets are slices of it.
    pub fn parse(record: &Bytes) -> Result<Self, Error> {
        let truncated = Error::Truncated("AVCDecoderConfigurationRecord");
        let mut reader = Reader::new(record);
        let [
            version,
            profile,
            compatibility,
            level,
            length_size,
            sps_count,
        ] = reader.array().ok_or(truncated)?;
        if version != 1 {
            return Err(Error::Field {
                field: "configurationVersion",
                value: version.into(),
            });
        }
        let nal_length_size = (length_size & 3) + 1;
        if nal_length_size == 3 {
            return Err(Error::Field {
                field: "lengthSizeMinusOne",
                value: 2,
            });
        }
        let sps = parameter_sets(sps_count & 0x1f, &mut reader, record).ok_or(truncated)?;
        let pps_count = reader.u8().ok_or(truncated)?;
        let pps = parameter_sets(pps_count, &mut reader, record).ok_or(truncated)?;
        let high = if is_high(profile) {
            high(&mut reader, record)
        } else {
            None
        };
        Ok(Self {
            profile,
            compatibility,
            level,
            nal_length_size,
            sps,
            pps,
            high,
        })
    }

    /// The record of an encoder that puts its parameter sets into a byte stream with start codes; `None` if one is missing there.
    pub fn from_annex_b(stream: &[u8]) -> Option<Self> {
        let of_type = |wanted: u8| -> Vec<Bytes> {
            nal_units(stream)
                .filter(|nal| nal[0] & 0x1f == wanted)
                .map(Bytes::copy_from_slice)
                .collect()
        };
        Self::from_parameter_sets(of_type(7), of_type(8))
    }

    /// The record of these parameter sets; `None` if one is missing or the first is too short.
    pub fn from_parameter_sets(sps: Vec<Bytes>, pps: Vec<Bytes>) -> Option<Self> {
        let &[_, profile, compatibility, level] = sps.first()?.first_chunk()?;
        pps.first()?;
        let high = is_high(profile)
            .then(|| Sps::parse(&sps[0]).ok())
            .flatten()
            .map(|sps| High {
                chroma_format: sps.chroma_format,
                bit_depth_luma: sps.bit_depth_luma,
                bit_depth_chroma: sps.bit_depth_chroma,
                sps_ext: Vec::new(),
            });
        Some(Self {
            profile,
            compatibility,
            level,
            nal_length_size: 4,
            sps,
            pps,
            high,
        })
    }

    /// The bytes of the record. Parameter sets over the format's counts and over 65,535 bytes are left out.
    pub fn encode(&self) -> Bytes {
        let sps: Vec<_> = self
            .sps
            .iter()
            .filter(|set| set.len() <= 0xffff)
            .take(31)
            .collect();
        let pps: Vec<_> = self
            .pps
            .iter()
            .filter(|set| set.len() <= 0xffff)
            .take(255)
            .collect();
        let length_size = self.nal_length_size.clamp(1, 4) - 1;
        let mut out = Vec::new();
        out.extend([
            1,
            self.profile,
            self.compatibility,
            self.level,
            0xfc | length_size,
            0xe0 | sps.len() as u8,
        ]);
        put_parameter_sets(&sps, &mut out);
        out.push(pps.len() as u8);
        put_parameter_sets(&pps, &mut out);
        if let Some(high) = &self.high {
            let extensions: Vec<_> = high
                .sps_ext
                .iter()
                .filter(|set| set.len() <= 0xffff)
                .take(255)
                .collect();
            let depth = |bits: u8| 0xf8 | bits.saturating_sub(8) & 7;
            out.extend([
                0xfc | high.chroma_format & 3,
                depth(high.bit_depth_luma),
                depth(high.bit_depth_chroma),
                extensions.len() as u8,
            ]);
            put_parameter_sets(&extensions, &mut out);
        }
        out.into()
    }

    /// The codec string for WebCodecs and Media Source Extensions, such as `avc1.42c01e` (RFC 6381 §3.3).
    pub fn codec_string(&self) -> String {
        format!(
            "avc1.{:02x}{:02x}{:02x}",
            self.profile, self.compatibility, self.level
        )
    }

    /// The first sequence parameter set, read.
    pub fn sps(&self) -> Result<Sps, Error> {
        Sps::parse(
            self.sps
                .first()
                .ok_or(Error::Truncated("list of sequence parameter sets"))?,
        )
    }
}

/// The profiles whose records have the High part (§5.3.3.1.2).
const fn is_high(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 144 | 244)
}

fn parameter_sets(count: u8, reader: &mut Reader<'_>, record: &Bytes) -> Option<Vec<Bytes>> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let length = reader.u16()?;
        sets.push(record.slice_ref(reader.take(length.into())?));
    }
    Some(sets)
}

fn high(reader: &mut Reader<'_>, record: &Bytes) -> Option<High> {
    let [chroma_format, luma, chroma, count] = reader.array()?;
    Some(High {
        chroma_format: chroma_format & 3,
        bit_depth_luma: (luma & 7) + 8,
        bit_depth_chroma: (chroma & 7) + 8,
        sps_ext: parameter_sets(count, reader, record)?,
    })
}

fn put_parameter_sets(sets: &[&Bytes], out: &mut Vec<u8>) {
    for set in sets {
        out.extend((set.len() as u16).to_be_bytes());
        out.extend(set.iter());
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// Constrained Baseline at level 1.3 with an SPS cut short, which the record does not look into.
    const BASELINE: &[u8] = b"\x01\x42\xc0\x0d\xff\xe1\0\x04\x67\x42\xc0\x0d\x01\0\x02\x68\xce";

    #[test]
    fn a_record_goes_both_ways() {
        let record = Bytes::from_static(BASELINE);
        let config = DecoderConfig::parse(&record).unwrap();
        assert_eq!(
            (
                config.codec_string().as_str(),
                config.nal_length_size,
                &config.high
            ),
            ("avc1.42c00d", 4, &None)
        );
        assert_eq!(
            (config.sps[0].as_ref(), config.pps[0].as_ref()),
            (b"\x67\x42\xc0\x0d".as_slice(), b"\x68\xce".as_slice())
        );
        assert_eq!(config.encode(), record);
        let high = DecoderConfig {
            profile: 100,
            high: Some(High {
                chroma_format: 1,
                bit_depth_luma: 8,
                bit_depth_chroma: 10,
                sps_ext: vec![record.clone()],
            }),
            ..config
        };
        assert_eq!(DecoderConfig::parse(&high.encode()), Ok(high));
    }

    #[test]
    fn a_malformed_record_is_refused() {
        for length in 0..BASELINE.len() {
            assert!(
                DecoderConfig::parse(&Bytes::from_static(&BASELINE[..length])).is_err(),
                "{length}"
            );
        }
        assert!(DecoderConfig::parse(&Bytes::from_static(b"\0\x42\xc0\x0d\xff\xe0\0")).is_err());
        let without_sets =
            DecoderConfig::parse(&Bytes::from_static(b"\x01\x42\xc0\x0d\xff\xe0\0")).unwrap();
        assert!(without_sets.sps().is_err());
    }

    #[test]
    fn an_annex_b_stream_gives_its_record() {
        let stream = b"\0\0\0\x01\x67\x42\xc0\x0d\0\0\x01\x68\xce\0\0\x01\x65\x88";
        assert_eq!(
            DecoderConfig::from_annex_b(stream)
                .unwrap()
                .encode()
                .as_ref(),
            BASELINE
        );
        assert_eq!(DecoderConfig::from_annex_b(b"\0\0\x01\x65\x88"), None);
    }
}
