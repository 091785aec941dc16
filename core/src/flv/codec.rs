use super::FourCc;

/// What a tag's media is coded in, however its header says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Of a video tag.
    Video(VideoCodec),
    /// Of an audio tag.
    Audio(AudioCodec),
}

impl Codec {
    /// The name of a codec of Flash's that browsers have no decoder for (FLV 10.1 §E.4.2.1, §E.4.3.1); `None` for those of today.
    pub const fn flash_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Video(VideoCodec::SorensonH263) => "Sorenson H.263",
            Self::Video(VideoCodec::ScreenVideo | VideoCodec::ScreenVideo2) => "Screen video",
            Self::Video(VideoCodec::Vp6 | VideoCodec::Vp6Alpha) => "On2 VP6",
            Self::Audio(AudioCodec::Pcm | AudioCodec::PcmLittleEndian) => "PCM",
            Self::Audio(AudioCodec::Adpcm) => "ADPCM",
            Self::Audio(
                AudioCodec::Nellymoser16Khz | AudioCodec::Nellymoser8Khz | AudioCodec::Nellymoser,
            ) => "Nellymoser",
            Self::Audio(AudioCodec::G711ALaw | AudioCodec::G711MuLaw) => "G.711",
            Self::Audio(AudioCodec::Speex) => "Speex",
            Self::Audio(AudioCodec::DeviceSpecific) => "device-specific sound",
            _ => return None,
        })
    }
}

/// A video codec, by CodecID (§E.4.3.1) or by FourCC (E-RTMP v2, Enhanced Video).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// Sorenson H.263, CodecID 2.
    SorensonH263,
    /// Screen video, CodecID 3.
    ScreenVideo,
    /// On2 VP6, CodecID 4.
    Vp6,
    /// On2 VP6 with alpha channel, CodecID 5.
    Vp6Alpha,
    /// Screen video version 2, CodecID 6.
    ScreenVideo2,
    /// H.264, CodecID 7 or `avc1`.
    Avc,
    /// H.265, `hvc1`, or CodecID 12 as several networks have it outside any specification.
    Hevc,
    /// H.266, `vvc1`.
    Vvc,
    /// VP8, `vp08`.
    Vp8,
    /// VP9, `vp09`.
    Vp9,
    /// AV1, `av01`.
    Av1,
    /// A FourCC that this crate has no name for.
    Other(FourCc),
}

impl VideoCodec {
    /// The codec of a legacy header.
    pub const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            2 => Self::SorensonH263,
            3 => Self::ScreenVideo,
            4 => Self::Vp6,
            5 => Self::Vp6Alpha,
            6 => Self::ScreenVideo2,
            7 => Self::Avc,
            12 => Self::Hevc,
            _ => return None,
        })
    }

    /// The CodecID of a legacy header, if there is one.
    pub const fn id(self) -> Option<u8> {
        Some(match self {
            Self::SorensonH263 => 2,
            Self::ScreenVideo => 3,
            Self::Vp6 => 4,
            Self::Vp6Alpha => 5,
            Self::ScreenVideo2 => 6,
            Self::Avc => 7,
            Self::Hevc => 12,
            _ => return None,
        })
    }

    /// The codec of an Enhanced RTMP header.
    pub const fn from_fourcc(fourcc: FourCc) -> Self {
        match fourcc {
            FourCc::AVC => Self::Avc,
            FourCc::HEVC => Self::Hevc,
            FourCc::VVC => Self::Vvc,
            FourCc::VP8 => Self::Vp8,
            FourCc::VP9 => Self::Vp9,
            FourCc::AV1 => Self::Av1,
            other => Self::Other(other),
        }
    }

    /// The FourCC of an Enhanced RTMP header, if there is one.
    pub const fn fourcc(self) -> Option<FourCc> {
        Some(match self {
            Self::Avc => FourCc::AVC,
            Self::Hevc => FourCc::HEVC,
            Self::Vvc => FourCc::VVC,
            Self::Vp8 => FourCc::VP8,
            Self::Vp9 => FourCc::VP9,
            Self::Av1 => FourCc::AV1,
            Self::Other(fourcc) => fourcc,
            _ => return None,
        })
    }

    /// Whether coded frames carry a composition time, and a legacy header a packet type: the codecs with NAL units.
    pub const fn has_composition_time(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc | Self::Vvc)
    }
}

/// An audio codec, by SoundFormat (§E.4.2.1) or by FourCC (E-RTMP v2, Enhanced Audio).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// Linear PCM in the platform's byte order, SoundFormat 0.
    Pcm,
    /// ADPCM, SoundFormat 1.
    Adpcm,
    /// MP3, SoundFormat 2 or `.mp3`.
    Mp3,
    /// Linear PCM, little-endian, SoundFormat 3.
    PcmLittleEndian,
    /// Nellymoser at 16 kHz, mono, SoundFormat 4.
    Nellymoser16Khz,
    /// Nellymoser at 8 kHz, mono, SoundFormat 5.
    Nellymoser8Khz,
    /// Nellymoser, SoundFormat 6.
    Nellymoser,
    /// G.711 A-law, SoundFormat 7.
    G711ALaw,
    /// G.711 mu-law, SoundFormat 8.
    G711MuLaw,
    /// AAC, SoundFormat 10 or `mp4a`.
    Aac,
    /// Speex, SoundFormat 11.
    Speex,
    /// MP3 at 8 kHz, SoundFormat 14.
    Mp38Khz,
    /// Device-specific sound, SoundFormat 15.
    DeviceSpecific,
    /// Opus, `Opus`.
    Opus,
    /// FLAC, `fLaC`.
    Flac,
    /// AC-3, `ac-3`.
    Ac3,
    /// E-AC-3, `ec-3`.
    Eac3,
    /// A FourCC that this crate has no name for.
    Other(FourCc),
}

impl AudioCodec {
    /// The codec of a legacy header.
    pub const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            0 => Self::Pcm,
            1 => Self::Adpcm,
            2 => Self::Mp3,
            3 => Self::PcmLittleEndian,
            4 => Self::Nellymoser16Khz,
            5 => Self::Nellymoser8Khz,
            6 => Self::Nellymoser,
            7 => Self::G711ALaw,
            8 => Self::G711MuLaw,
            10 => Self::Aac,
            11 => Self::Speex,
            14 => Self::Mp38Khz,
            15 => Self::DeviceSpecific,
            _ => return None,
        })
    }

    /// The SoundFormat of a legacy header, if there is one.
    pub const fn id(self) -> Option<u8> {
        Some(match self {
            Self::Pcm => 0,
            Self::Adpcm => 1,
            Self::Mp3 => 2,
            Self::PcmLittleEndian => 3,
            Self::Nellymoser16Khz => 4,
            Self::Nellymoser8Khz => 5,
            Self::Nellymoser => 6,
            Self::G711ALaw => 7,
            Self::G711MuLaw => 8,
            Self::Aac => 10,
            Self::Speex => 11,
            Self::Mp38Khz => 14,
            Self::DeviceSpecific => 15,
            _ => return None,
        })
    }

    /// The codec of an Enhanced RTMP header.
    pub const fn from_fourcc(fourcc: FourCc) -> Self {
        match fourcc {
            FourCc::AAC => Self::Aac,
            FourCc::OPUS => Self::Opus,
            FourCc::FLAC => Self::Flac,
            FourCc::AC3 => Self::Ac3,
            FourCc::EAC3 => Self::Eac3,
            FourCc::MP3 => Self::Mp3,
            other => Self::Other(other),
        }
    }

    /// The FourCC of an Enhanced RTMP header, if there is one.
    pub const fn fourcc(self) -> Option<FourCc> {
        Some(match self {
            Self::Aac => FourCc::AAC,
            Self::Opus => FourCc::OPUS,
            Self::Flac => FourCc::FLAC,
            Self::Ac3 => FourCc::AC3,
            Self::Eac3 => FourCc::EAC3,
            Self::Mp3 => FourCc::MP3,
            Self::Other(fourcc) => fourcc,
            _ => return None,
        })
    }
}
