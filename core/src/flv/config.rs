use alloc::string::{String, ToString};

use bytes::Bytes;

use super::{AudioCodec, Error, VideoCodec, aac, av1, avc, hevc, mp3, opus, vpx};

/// What a sequence header tells a video decoder, whatever the codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoConfig {
    /// The codec.
    pub codec: VideoCodec,
    /// Its string for WebCodecs and Media Source Extensions.
    pub codec_string: String,
    /// Width and height in pixels, if the header says so.
    pub size: Option<(u32, u32)>,
    /// Frames that a decoder may hold back to put them in order, if the header says so: zero for a live encoder without B-frames.
    pub reorder_frames: Option<u32>,
    /// The record for the decoder (WebCodecs' `description`); empty for VP8 and VP9, which need none.
    pub description: Bytes,
}

impl VideoConfig {
    /// Reads the data of a sequence header.
    pub fn parse(codec: VideoCodec, data: &Bytes) -> Result<Self, Error> {
        let (mut size, mut reorder_frames, mut description) = (None, None, data.clone());
        let codec_string = match codec {
            VideoCodec::Avc => {
                let config = avc::DecoderConfig::parse(data)?;
                if let Ok(sps) = config.sps() {
                    size = Some((sps.width, sps.height));
                    reorder_frames = Some(sps.reorder_frames());
                }
                config.codec_string()
            }
            VideoCodec::Hevc => {
                let config = hevc::DecoderConfig::parse(data)?;
                size = config.size();
                config.codec_string()
            }
            VideoCodec::Av1 => {
                let config = av1::CodecConfig::parse(data)?;
                (size, reorder_frames) = (config.size, Some(0));
                config.codec_string()
            }
            VideoCodec::Vp8 | VideoCodec::Vp9 => {
                (reorder_frames, description) = (Some(0), Bytes::new());
                vpx::CodecConfig::parse(data)?.codec_string(codec)
            }
            _ => {
                return Err(Error::Field {
                    field: "codec without a known configuration record",
                    value: 0,
                });
            }
        };
        Ok(Self {
            codec,
            codec_string,
            size,
            reorder_frames,
            description,
        })
    }
}

/// What a sequence header, or a first frame, tells an audio decoder, whatever the codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    /// The codec.
    pub codec: AudioCodec,
    /// Its string for WebCodecs and Media Source Extensions.
    pub codec_string: String,
    /// Sampling rate of the output in Hz.
    pub sample_rate: u32,
    /// Channels of the output.
    pub channels: u8,
    /// Samples in a frame, where they are always as many.
    pub frame_length: Option<u32>,
    /// The record for the decoder (WebCodecs' `description`); empty for MP3, which needs none.
    pub description: Bytes,
}

impl AudioConfig {
    /// Reads the data of a sequence header.
    pub fn parse(codec: AudioCodec, data: &Bytes) -> Result<Self, Error> {
        let (codec_string, sample_rate, channels, frame_length) = match codec {
            AudioCodec::Aac => {
                let config = aac::AudioSpecificConfig::parse(data)?;
                (
                    config.codec_string(),
                    config.output_sample_rate(),
                    config.output_channels(),
                    Some(config.frame_length()),
                )
            }
            AudioCodec::Opus => {
                let head = opus::OpusHead::parse(data)?;
                ("opus".to_string(), 48_000, head.channels, None)
            }
            AudioCodec::Flac => {
                let (sample_rate, channels) =
                    flac_stream_info(data).ok_or(Error::Truncated("FLAC STREAMINFO"))?;
                ("flac".to_string(), sample_rate, channels, None)
            }
            _ => {
                return Err(Error::Field {
                    field: "codec without a known configuration record",
                    value: 0,
                });
            }
        };
        Ok(Self {
            codec,
            codec_string,
            sample_rate,
            channels,
            frame_length,
            description: data.clone(),
        })
    }

    /// Reads the first coded frame of a codec without sequence header: MP3. `None` for other codecs and for what is no frame.
    pub fn from_frame(codec: AudioCodec, frame: &[u8]) -> Option<Self> {
        if !matches!(codec, AudioCodec::Mp3 | AudioCodec::Mp38Khz) {
            return None;
        }
        let header = mp3::FrameHeader::parse(frame)?;
        Some(Self {
            codec,
            codec_string: "mp3".to_string(),
            sample_rate: header.sample_rate,
            channels: header.channels,
            frame_length: Some(header.samples),
            description: Bytes::new(),
        })
    }
}

/// Sampling rate and channels of `fLaC` with its first metadata block (RFC 9639 §8.2).
fn flac_stream_info(data: &[u8]) -> Option<(u32, u8)> {
    let block = data.strip_prefix(b"fLaC")?;
    let &[a, b, c] = block.get(4 + 10..)?.first_chunk()?;
    let sample_rate = u32::from(a) << 12 | u32::from(b) << 4 | u32::from(c >> 4);
    (sample_rate > 0).then_some((sample_rate, (c >> 1 & 7) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Records that ffmpeg 5.1 wrote for 322x242 pictures with libx265 (less its SEI), libaom and libvpx.
    const HVCC: &[u8] = &[
        0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3c, 0xf0, 0x00,
        0xfc, 0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0xa0, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01,
        0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
        0x00, 0x03, 0x00, 0x3c, 0x95, 0x98, 0x09, 0xa1, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01,
        0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c,
        0xa0, 0x0a, 0x48, 0x0f, 0x9c, 0x92, 0x65, 0x95, 0x9a, 0x49, 0x32, 0xbc, 0x05, 0xa0, 0x20,
        0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x01, 0x41, 0xa2, 0x00, 0x01, 0x00, 0x07,
        0x44, 0x01, 0xc1, 0x72, 0xb4, 0x62, 0x40,
    ];
    const AV1C: &[u8] = &[
        0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0b, 0x00, 0x00, 0x00, 0x04, 0x3d, 0x07, 0xc4, 0xff, 0xf9,
        0x80, 0x40,
    ];
    const VPCC: &[u8] = &[
        0x01, 0x00, 0x00, 0x00, 0x00, 0x14, 0x82, 0x02, 0x02, 0x02, 0x00, 0x00,
    ];

    #[test]
    fn records_of_real_encoders_give_string_and_size() {
        for (codec, record, codec_string, size) in [
            (VideoCodec::Hevc, HVCC, "hvc1.1.6.L60.90", Some((322, 242))),
            (VideoCodec::Av1, AV1C, "av01.0.00M.08", Some((322, 242))),
            (VideoCodec::Vp9, VPCC, "vp09.00.20.08", None),
            (VideoCodec::Vp9, &VPCC[4..], "vp09.00.20.08", None),
        ] {
            let config = VideoConfig::parse(codec, &Bytes::from_static(record)).unwrap();
            assert_eq!(
                (config.codec_string.as_str(), config.size),
                (codec_string, size)
            );
        }
        let vp9 = vpx::CodecConfig::parse(VPCC).unwrap();
        assert_eq!(vpx::CodecConfig::parse(&vp9.encode()), Ok(vp9));
    }

    #[test]
    fn a_record_cut_short_is_an_error_or_lacks_the_size() {
        for length in 0..HVCC.len() {
            assert!(
                VideoConfig::parse(VideoCodec::Hevc, &Bytes::from_static(&HVCC[..length])).is_err(),
                "{length}"
            );
        }
        for length in 0..AV1C.len() {
            let config = VideoConfig::parse(VideoCodec::Av1, &Bytes::from_static(&AV1C[..length]));
            assert!(
                config.is_ok_and(|config| config.size.is_none()) || length < 4,
                "{length}"
            );
        }
        assert!(VideoConfig::parse(VideoCodec::Vp6, &Bytes::new()).is_err());
    }

    #[test]
    fn sizes_of_keyframes_are_read() {
        assert_eq!(
            vpx::vp8_frame_size(&[0x10, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]),
            Some((320, 240))
        );
        assert_eq!(
            vpx::vp8_frame_size(&[0x11, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]),
            None
        );
        // Profile 0: marker, keyframe, shown; sync code; color space 1, range; then the size.
        assert_eq!(
            vpx::vp9_frame_size(&[0x82, 0x49, 0x83, 0x42, 0x20, 0x14, 0x10, 0x0f, 0x10]),
            Some((322, 242))
        );
        assert_eq!(vpx::vp9_frame_size(&[0x86, 0x49, 0x83, 0x42]), None);
    }

    #[test]
    fn audio_configs_are_read_whatever_the_codec() {
        let of = |codec, data: &'static [u8]| {
            AudioConfig::parse(codec, &Bytes::from_static(data))
                .map(|config| (config.codec_string, config.sample_rate, config.channels))
        };
        assert_eq!(
            of(AudioCodec::Aac, &[0x12, 0x10]),
            Ok(("mp4a.40.2".into(), 44_100, 2))
        );
        assert_eq!(of(AudioCodec::Opus, b""), Ok(("opus".into(), 48_000, 2)));
        let flac = b"fLaC\x80\0\0\x22\x12\0\x12\0\0\0\0\0\0\0\x0a\xc4\x42\xf0";
        assert_eq!(of(AudioCodec::Flac, flac), Ok(("flac".into(), 44_100, 2)));
        assert!(of(AudioCodec::Flac, &flac[..18]).is_err() && of(AudioCodec::Speex, b"").is_err());
        let mp3 = AudioConfig::from_frame(AudioCodec::Mp3, &[0xff, 0xfb, 0x90, 0x64]).unwrap();
        assert_eq!(
            (mp3.codec_string.as_str(), mp3.frame_length),
            ("mp3", Some(1152))
        );
    }
}
