use crate::flv::{Tag, TagType};

/// What the jitter buffer needs to know of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Configures a decoder; has no media time of its own.
    AudioHeader,
    VideoHeader,
    Audio,
    /// A coded picture.
    Video {
        keyframe: bool,
        composition_ms: i32,
    },
    /// Script data, or video metadata and commands.
    Data,
}

impl Kind {
    pub(super) fn of(tag: &Tag) -> Self {
        let payload = &tag.payload[..];
        match tag.tag_type {
            TagType::Audio => audio(payload),
            TagType::Video => video(payload),
            TagType::Script => Self::Data,
        }
    }
}

fn audio(payload: &[u8]) -> Kind {
    match payload {
        // AAC sequence header (E.4.2.1), ExAudio sequence start (Enhanced RTMP v2).
        [first, 0, ..] if first >> 4 == 10 => Kind::AudioHeader,
        [0x90, ..] => Kind::AudioHeader,
        // ExAudio: sequence end and multichannel configuration carry no sound.
        [0x92 | 0x94, ..] => Kind::AudioHeader,
        [] => Kind::Data,
        _ => Kind::Audio,
    }
}

fn video(payload: &[u8]) -> Kind {
    let Some(&first) = payload.first() else {
        return Kind::Data;
    };
    let frame_type = first >> 4 & 7;
    if frame_type == 5 {
        return Kind::Data;
    }
    let keyframe = frame_type == 1 || frame_type == 4;
    if first & 0x80 != 0 {
        // ExVideoTagHeader: packet type, FourCC, and a composition time where the packet is CodedFrames of AVC, HEVC or VVC.
        return match first & 0x0f {
            0 => Kind::VideoHeader,
            1 => {
                let timed = matches!(payload.get(1..5), Some(b"avc1" | b"hvc1" | b"vvc1"));
                Kind::Video {
                    keyframe,
                    composition_ms: if timed { si24(payload.get(5..8)) } else { 0 },
                }
            }
            3 => Kind::Video {
                keyframe,
                composition_ms: 0,
            },
            2 | 4 => Kind::Data,
            _ => Kind::Video {
                keyframe,
                composition_ms: 0,
            },
        };
    }
    if first & 0x0f == 7 {
        return match payload.get(1) {
            Some(0) => Kind::VideoHeader,
            Some(1) => Kind::Video {
                keyframe,
                composition_ms: si24(payload.get(2..5)),
            },
            _ => Kind::Data,
        };
    }
    Kind::Video {
        keyframe,
        composition_ms: 0,
    }
}

fn si24(bytes: Option<&[u8]>) -> i32 {
    match bytes {
        Some(&[a, b, c]) => i32::from_be_bytes([a, b, c, 0]) >> 8,
        _ => 0,
    }
}
