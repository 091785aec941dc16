use crate::flv::{self, Tag, TagHeader, TagType};

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
        let header = TagHeader::parse(tag);
        match (tag.tag_type, header.kind()) {
            (TagType::Audio, flv::Kind::CodedFrames) => Self::Audio,
            (TagType::Audio, _) => Self::AudioHeader,
            (TagType::Video, flv::Kind::CodedFrames) => Self::Video {
                keyframe: header.is_keyframe(),
                composition_ms: header.composition_time(),
            },
            (TagType::Video, flv::Kind::SequenceHeader) => Self::VideoHeader,
            _ => Self::Data,
        }
    }
}
