use super::video::FrameType;
use super::{AudioCodec, Codec, Error, Multitrack, Tag, TagType, VideoCodec, audio, ex, video};
use crate::wire::Reader;

/// What the first bytes of a tag say: all that a relay needs to know of it.
///
/// Reading it allocates nothing and never fails. A tag that is malformed or of an unknown codec answers every question with no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagHeader {
    kind: Kind,
    keyframe: bool,
    enhanced: bool,
    codec: Option<Codec>,
    multitrack: Option<Multitrack>,
    track_id: u8,
    composition_time: i32,
}

/// What a tag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A decoder's configuration: late joiners need the newest one of each track.
    SequenceHeader,
    /// Coded audio or video.
    CodedFrames,
    /// Nothing more of this sequence; for audio also the empty message of silence.
    EndOfSequence,
    /// Enhanced RTMP's video metadata (HDR): valid until the next one.
    VideoMetadata,
    /// Enhanced RTMP's channel layout: valid until the next one.
    MultichannelConfig,
    /// A command about seeking, in a video tag.
    Command,
    /// Script data named `onMetaData`: valid until the next one.
    Metadata,
    /// Other script data.
    Data,
    /// What this crate cannot read, or does not know.
    Unknown,
}

impl TagHeader {
    /// Reads the header of a tag.
    pub fn parse(tag: &Tag) -> Self {
        let unknown = Self::of(Kind::Unknown);
        match tag.tag_type {
            TagType::Audio => audio_header(&tag.payload).unwrap_or(unknown),
            TagType::Video => video_header(&tag.payload).unwrap_or(unknown),
            TagType::Script => {
                let metadata = tag.payload.starts_with(b"\x02\0\x0aonMetaData");
                Self::of(if metadata { Kind::Metadata } else { Kind::Data })
            }
        }
    }

    /// What the tag holds.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it holds a decoder's configuration.
    pub fn is_sequence_header(&self) -> bool {
        self.kind == Kind::SequenceHeader
    }

    /// Whether it holds a video frame at which decoding can start. A sequence header is none.
    pub const fn is_keyframe(&self) -> bool {
        self.keyframe
    }

    /// Whether its sequence ends.
    pub fn is_end_of_sequence(&self) -> bool {
        self.kind == Kind::EndOfSequence
    }

    /// Whether it is script data named `onMetaData`.
    pub fn is_metadata(&self) -> bool {
        self.kind == Kind::Metadata
    }

    /// Which track it belongs to: zero without multitrack, that of the first track if there are several.
    pub const fn track_id(&self) -> u8 {
        self.track_id
    }

    /// Whether the tag may hold several tracks: [`Tag::split_tracks`] takes them apart.
    pub fn is_many_tracks(&self) -> bool {
        self.multitrack
            .is_some_and(|multitrack| multitrack != Multitrack::OneTrack)
    }

    /// The codec, of the first track if there are several.
    pub const fn codec(&self) -> Option<Codec> {
        self.codec
    }

    /// Whether the header is of Enhanced RTMP, which older peers cannot read.
    pub const fn is_enhanced(&self) -> bool {
        self.enhanced
    }

    /// Presentation less decoding time in milliseconds, of the first track if there are several.
    pub const fn composition_time(&self) -> i32 {
        self.composition_time
    }

    const fn of(kind: Kind) -> Self {
        Self {
            kind,
            keyframe: false,
            enhanced: false,
            codec: None,
            multitrack: None,
            track_id: 0,
            composition_time: 0,
        }
    }
}

fn audio_header(payload: &[u8]) -> Result<TagHeader, Error> {
    let mut reader = Reader::new(payload);
    let Some(first) = reader.u8() else {
        return Ok(TagHeader::of(Kind::EndOfSequence));
    };
    if first >> 4 != audio::EX_HEADER {
        let Some(codec) = AudioCodec::from_id(first >> 4) else {
            return Ok(TagHeader::of(Kind::Unknown));
        };
        let kind = match (codec, reader.u8()) {
            (AudioCodec::Aac, Some(0)) => Kind::SequenceHeader,
            (AudioCodec::Aac, Some(1)) => Kind::CodedFrames,
            (AudioCodec::Aac, _) => Kind::Unknown,
            _ => Kind::CodedFrames,
        };
        return Ok(TagHeader {
            codec: Some(Codec::Audio(codec)),
            ..TagHeader::of(kind)
        });
    }
    let (header, packet_type) = ex_header(first & 0x0f, audio::MULTITRACK, &mut reader)?;
    let kind = match audio::PacketType::from_id(packet_type) {
        Some(audio::PacketType::SequenceStart) => Kind::SequenceHeader,
        Some(audio::PacketType::CodedFrames) => Kind::CodedFrames,
        Some(audio::PacketType::SequenceEnd) => Kind::EndOfSequence,
        Some(audio::PacketType::MultichannelConfig) => Kind::MultichannelConfig,
        None => Kind::Unknown,
    };
    let (header, fourcc) = ex_track(header, &mut reader)?;
    Ok(TagHeader {
        kind,
        codec: Some(Codec::Audio(AudioCodec::from_fourcc(fourcc))),
        ..header
    })
}

fn video_header(payload: &[u8]) -> Result<TagHeader, Error> {
    let mut reader = Reader::new(payload);
    let first = reader.u8().ok_or(Error::Truncated("video header"))?;
    let frame_type = FrameType::from_id(first >> 4 & 7);
    let key = matches!(frame_type, FrameType::Key | FrameType::GeneratedKey);
    if first & 0x80 == 0 {
        if frame_type == FrameType::Command {
            return Ok(TagHeader::of(Kind::Command));
        }
        let Some(codec) = VideoCodec::from_id(first & 0x0f) else {
            return Ok(TagHeader::of(Kind::Unknown));
        };
        let mut header = TagHeader {
            codec: Some(Codec::Video(codec)),
            ..TagHeader::of(Kind::CodedFrames)
        };
        if codec.has_composition_time() {
            header.kind = match reader.u8() {
                Some(0) => Kind::SequenceHeader,
                Some(1) => Kind::CodedFrames,
                Some(2) => Kind::EndOfSequence,
                _ => Kind::Unknown,
            };
            header.composition_time = video::read_composition_time(&mut reader).unwrap_or_default();
        }
        return Ok(TagHeader {
            keyframe: key && header.kind == Kind::CodedFrames,
            ..header
        });
    }
    let (header, packet_type) = ex_header(first & 0x0f, video::MULTITRACK, &mut reader)?;
    let packet_type = video::PacketType::from_id(packet_type);
    if frame_type == FrameType::Command && packet_type != Some(video::PacketType::Metadata) {
        return Ok(TagHeader {
            kind: Kind::Command,
            ..header
        });
    }
    let kind = match packet_type {
        Some(video::PacketType::SequenceStart | video::PacketType::Mpeg2TsSequenceStart) => {
            Kind::SequenceHeader
        }
        Some(video::PacketType::CodedFrames | video::PacketType::CodedFramesX) => Kind::CodedFrames,
        Some(video::PacketType::SequenceEnd) => Kind::EndOfSequence,
        Some(video::PacketType::Metadata) => Kind::VideoMetadata,
        Some(video::PacketType::Command { .. }) | None => Kind::Unknown,
    };
    let (mut header, fourcc) = ex_track(header, &mut reader)?;
    let codec = VideoCodec::from_fourcc(fourcc);
    if packet_type == Some(video::PacketType::CodedFrames) && codec.has_composition_time() {
        header.composition_time = video::read_composition_time(&mut reader)?;
    }
    Ok(TagHeader {
        kind,
        keyframe: key && kind == Kind::CodedFrames,
        codec: Some(Codec::Video(codec)),
        ..header
    })
}

/// The parts in common as far as the packet type of the tracks, and that.
fn ex_header(
    packet_type: u8,
    multitrack_type: u8,
    reader: &mut Reader<'_>,
) -> Result<(TagHeader, u8), Error> {
    let mut header = TagHeader {
        enhanced: true,
        ..TagHeader::of(Kind::Unknown)
    };
    let mut packet_type = ex::skip_mod_ex(packet_type, reader, |_, _| {})?;
    if packet_type == multitrack_type {
        let (multitrack, inner) = ex::multitrack(reader)?;
        header.multitrack = Some(multitrack);
        packet_type = inner;
    }
    Ok((header, packet_type))
}

/// The FourCC, id and size of the first track; the reader is left before its body.
fn ex_track(
    mut header: TagHeader,
    reader: &mut Reader<'_>,
) -> Result<(TagHeader, super::FourCc), Error> {
    let fourcc = ex::fourcc(reader)?;
    if let Some(multitrack) = header.multitrack {
        header.track_id = reader.u8().ok_or(Error::Truncated("track id"))?;
        if multitrack != Multitrack::OneTrack {
            reader.u24().ok_or(Error::Truncated("track size"))?;
        }
    }
    Ok((header, fourcc))
}
