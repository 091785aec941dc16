//! Opus' ID header (RFC 7845 §5.1): the data of an Opus sequence start.

use alloc::vec::Vec;

use bytes::Bytes;

use super::Error;
use crate::wire::Reader;

/// The ID header, `OpusHead`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusHead {
    /// Channels of the output.
    pub channels: u8,
    /// Samples at 48 kHz to drop at the start.
    pub pre_skip: u16,
    /// Sampling rate of the original in Hz; decoding is at 48 kHz whatever this says. Zero if unknown.
    pub input_sample_rate: u32,
    /// Gain to apply in 1/256 dB.
    pub output_gain: i16,
    /// Channel mapping family; 0 is mono or stereo in one stream.
    pub mapping_family: u8,
    /// For families but 0: number of streams, how many of them are coupled, and for each channel its decoded channel.
    pub mapping: Option<Mapping>,
}

/// Which decoded channel goes to which output channel (§5.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Streams in each packet.
    pub streams: u8,
    /// How many of them are stereo.
    pub coupled: u8,
    /// For each output channel the index of a decoded one, 255 for silence.
    pub channels: Vec<u8>,
}

impl OpusHead {
    /// Mono or stereo.
    pub const fn new(channels: u8, pre_skip: u16, input_sample_rate: u32) -> Self {
        Self {
            channels,
            pre_skip,
            input_sample_rate,
            output_gain: 0,
            mapping_family: 0,
            mapping: None,
        }
    }

    /// Reads the data of a sequence start. None at all means stereo (E-RTMP v2, Enhanced Audio).
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        if data.is_empty() {
            return Ok(Self::new(2, 0, 48_000));
        }
        let truncated = || Error::Truncated("Opus ID header");
        let body = data.strip_prefix(b"OpusHead").ok_or_else(truncated)?;
        let mut reader = Reader::new(body);
        let [version, channels] = reader.array().ok_or_else(truncated)?;
        if version > 15 || channels == 0 {
            return Err(Error::Field {
                field: "Opus ID header's version or channel count",
                value: u32::from(version) << 8 | u32::from(channels),
            });
        }
        let pre_skip = u16::from_le_bytes(reader.array().ok_or_else(truncated)?);
        let input_sample_rate = u32::from_le_bytes(reader.array().ok_or_else(truncated)?);
        let output_gain = i16::from_le_bytes(reader.array().ok_or_else(truncated)?);
        let mapping_family = reader.u8().ok_or_else(truncated)?;
        let mapping = if mapping_family == 0 {
            None
        } else {
            Some(mapping(&mut reader, channels).ok_or_else(truncated)?)
        };
        Ok(Self {
            channels,
            pre_skip,
            input_sample_rate,
            output_gain,
            mapping_family,
            mapping,
        })
    }

    /// The data of a sequence start, little-endian as in Ogg.
    pub fn encode(&self) -> Bytes {
        let mut out = b"OpusHead\x01".to_vec();
        out.push(self.channels);
        out.extend(self.pre_skip.to_le_bytes());
        out.extend(self.input_sample_rate.to_le_bytes());
        out.extend(self.output_gain.to_le_bytes());
        self.put_mapping(&mut out);
        out.into()
    }

    /// The body of the `dOps` box, big-endian as in ISO media files (Encapsulation of Opus in ISO Base Media File Format §4.3.2).
    pub fn to_dops(&self) -> Vec<u8> {
        let mut out = alloc::vec![0, self.channels];
        out.extend(self.pre_skip.to_be_bytes());
        out.extend(self.input_sample_rate.to_be_bytes());
        out.extend(self.output_gain.to_be_bytes());
        self.put_mapping(&mut out);
        out
    }

    fn put_mapping(&self, out: &mut Vec<u8>) {
        out.push(self.mapping_family);
        if let Some(mapping) = self.mapping.as_ref().filter(|_| self.mapping_family != 0) {
            out.extend([mapping.streams, mapping.coupled]);
            out.extend(&mapping.channels);
        }
    }
}

fn mapping(reader: &mut Reader<'_>, channels: u8) -> Option<Mapping> {
    let [streams, coupled] = reader.array()?;
    Some(Mapping {
        streams,
        coupled,
        channels: reader.take(channels.into())?.to_vec(),
    })
}

/// Samples at 48 kHz in an Opus packet, by its first bytes (RFC 6716 §3.1); `None` if it is malformed.
pub fn packet_duration(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame = match config {
        0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        12..16 => [480, 960][usize::from(config & 1)],
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 63),
    };
    // A packet has at most 120 ms.
    Some(frame * count).filter(|samples| (1..=5760).contains(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_header_goes_both_ways() {
        let head = OpusHead::new(2, 312, 48_000);
        let bytes = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
        assert_eq!(head.encode().as_ref(), bytes);
        assert_eq!(OpusHead::parse(bytes), Ok(head.clone()));
        assert_eq!(head.to_dops(), b"\0\x02\x01\x38\0\0\xbb\x80\0\0\0");
        let surround = OpusHead {
            channels: 3,
            mapping_family: 1,
            mapping: Some(Mapping {
                streams: 2,
                coupled: 1,
                channels: alloc::vec![0, 2, 1],
            }),
            ..head
        };
        assert_eq!(OpusHead::parse(&surround.encode()), Ok(surround));
        assert_eq!(OpusHead::parse(b"").map(|head| head.channels), Ok(2));
        for length in 1..bytes.len() {
            assert!(OpusHead::parse(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_packet_says_how_long_it_is() {
        assert_eq!(packet_duration(&[0xfc]), Some(960));
        assert_eq!(packet_duration(&[0x78]), Some(960));
        assert_eq!(packet_duration(&[0x01]), Some(960));
        assert_eq!(packet_duration(&[0x1b, 2]), Some(5760));
        assert_eq!(packet_duration(&[0x1b, 3]), None);
        assert_eq!(packet_duration(&[0x1b]), None);
        assert_eq!(packet_duration(&[]), None);
    }
}
