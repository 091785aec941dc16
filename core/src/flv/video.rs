//! Video tags, legacy (Video File Format 10.1 §E.4.3) and enhanced (E-RTMP v2, Enhanced Video).

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::ex::{self, RawTrack};
use super::{Error, ModEx, Multitrack, VideoCodec};
use crate::amf0;
use crate::wire::{Reader, u24_bytes};

/// The packet type of a multitrack message.
pub(super) const MULTITRACK: u8 = 6;

/// The payload of a video tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Legacy or enhanced, with what only the latter has.
    pub form: Form,
    /// Whether decoding can start here. Ignored with [`PacketType::Metadata`].
    pub frame_type: FrameType,
    /// What the tracks hold.
    pub packet_type: PacketType,
    /// The tracks: one, but for many-track messages, and none in a command.
    pub tracks: Vec<Track>,
}

/// How the header is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// With a CodecID.
    Legacy,
    /// With a FourCC.
    Enhanced {
        /// What stands before the packet.
        mod_ex: Vec<ModEx>,
        /// Present if tracks have ids.
        multitrack: Option<Multitrack>,
    },
}

/// One track's part of a video tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Which track; zero where there is but one.
    pub track_id: u8,
    /// What it is coded in.
    pub codec: VideoCodec,
    /// Presentation less decoding time in milliseconds, 24 bits with sign; zero for codecs without it.
    pub composition_time: i32,
    /// A configuration record, coded frames, or AMF metadata.
    pub data: Bytes,
}

/// The frame types (§E.4.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameType {
    /// A frame at which decoding can start.
    Key,
    /// A frame that needs others.
    Inter,
    /// A frame that none needs, of H.263 only.
    DisposableInter,
    /// A keyframe a server made.
    GeneratedKey,
    /// No frame, but one of the two commands about seeking.
    Command,
    /// 0, 6 or 7.
    Reserved(u8),
}

impl FrameType {
    pub(super) const fn from_id(id: u8) -> Self {
        match id {
            1 => Self::Key,
            2 => Self::Inter,
            3 => Self::DisposableInter,
            4 => Self::GeneratedKey,
            5 => Self::Command,
            other => Self::Reserved(other),
        }
    }

    const fn id(self) -> u8 {
        match self {
            Self::Key => 1,
            Self::Inter => 2,
            Self::DisposableInter => 3,
            Self::GeneratedKey => 4,
            Self::Command => 5,
            Self::Reserved(id) => id & 7,
        }
    }
}

/// What the tracks of a message hold (E-RTMP v2, VideoPacketType). A legacy tag has the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketType {
    /// A configuration record.
    SequenceStart,
    /// Coded frames, with a composition time where the codec has one.
    CodedFrames,
    /// Nothing more of this sequence.
    SequenceEnd,
    /// Coded frames whose composition time is zero and not written.
    CodedFramesX,
    /// AMF0 names and values: [`color_info`] finds the one that is defined.
    Metadata,
    /// A configuration record as an MPEG-2 TS descriptor.
    Mpeg2TsSequenceStart,
    /// The start (0) or end (1) of a client-side seek, with the packet type or CodecID it came with.
    Command {
        /// The command.
        command: u8,
        /// The four bits beside the frame type, which mean nothing here.
        codec: u8,
    },
}

impl PacketType {
    pub(super) const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            0 => Self::SequenceStart,
            1 => Self::CodedFrames,
            2 => Self::SequenceEnd,
            3 => Self::CodedFramesX,
            4 => Self::Metadata,
            5 => Self::Mpeg2TsSequenceStart,
            _ => return None,
        })
    }

    const fn id(self) -> u8 {
        match self {
            Self::SequenceStart => 0,
            Self::CodedFrames => 1,
            Self::SequenceEnd => 2,
            Self::CodedFramesX => 3,
            Self::Metadata => 4,
            Self::Mpeg2TsSequenceStart => 5,
            Self::Command { codec, .. } => codec & 0x0f,
        }
    }

    /// Whether this has a composition time with the codecs that have one. A legacy header always does.
    fn has_composition_time(self, form: &Form) -> bool {
        *form == Form::Legacy || self == Self::CodedFrames
    }
}

impl Video {
    /// A legacy tag of one track, which every RTMP peer reads.
    pub fn legacy(
        frame_type: FrameType,
        codec: VideoCodec,
        packet_type: PacketType,
        composition_time: i32,
        data: Bytes,
    ) -> Self {
        let tracks = vec![Track {
            track_id: 0,
            codec,
            composition_time,
            data,
        }];
        Self {
            form: Form::Legacy,
            frame_type,
            packet_type,
            tracks,
        }
    }

    /// An enhanced tag of one track.
    pub fn enhanced(
        frame_type: FrameType,
        codec: VideoCodec,
        packet_type: PacketType,
        composition_time: i32,
        data: Bytes,
    ) -> Self {
        let form = Form::Enhanced {
            mod_ex: Vec::new(),
            multitrack: None,
        };
        Self {
            form,
            ..Self::legacy(frame_type, codec, packet_type, composition_time, data)
        }
    }

    /// Reads a video tag's payload; the tracks' data are slices of it.
    pub fn parse(payload: &Bytes) -> Result<Self, Error> {
        let mut reader = Reader::new(payload);
        let first = reader.u8().ok_or(Error::Truncated("video header"))?;
        let frame_type = FrameType::from_id(first >> 4 & 7);
        if first & 0x80 == 0 {
            legacy(frame_type, first & 0x0f, reader, payload)
        } else {
            enhanced(frame_type, first & 0x0f, reader, payload)
        }
    }

    /// The payload of a video tag.
    pub fn encode(&self) -> Result<Bytes, Error> {
        let mut out = Vec::with_capacity(
            16 + self
                .tracks
                .iter()
                .map(|track| track.data.len() + 12)
                .sum::<usize>(),
        );
        let first = self.frame_type.id() << 4;
        let command = matches!(self.packet_type, PacketType::Command { .. });
        if self.packet_type != PacketType::Metadata
            && command != (self.frame_type == FrameType::Command)
        {
            return Err(Error::Unencodable(
                "a command has its own frame type and packet type",
            ));
        }
        for track in &self.tracks {
            let written = self.packet_type.has_composition_time(&self.form)
                && track.codec.has_composition_time();
            if !COMPOSITION_TIMES.contains(&track.composition_time)
                || !written && track.composition_time != 0
            {
                return Err(Error::Unencodable(
                    "a composition time has 24 bits, where there is one",
                ));
            }
        }
        match &self.form {
            Form::Legacy => self.encode_legacy(first, &mut out)?,
            Form::Enhanced { mod_ex, multitrack } => {
                self.encode_enhanced(first | 0x80, mod_ex, *multitrack, &mut out)?
            }
        }
        Ok(out.into())
    }

    /// Nanoseconds by which presentation is later than the timestamps say.
    pub fn nano_offset(&self) -> u32 {
        match &self.form {
            Form::Enhanced { mod_ex, .. } => ex::nano_offset(mod_ex),
            _ => 0,
        }
    }

    fn encode_legacy(&self, first: u8, out: &mut Vec<u8>) -> Result<(), Error> {
        if let PacketType::Command { command, codec } = self.packet_type {
            out.extend([first | codec & 0x0f, command]);
            return Ok(());
        }
        let [track] = self.tracks.as_slice() else {
            return Err(Error::Unencodable("a legacy tag holds one track"));
        };
        let id = track
            .codec
            .id()
            .ok_or(Error::Unencodable("the codec has no CodecID"))?;
        out.push(first | id);
        match self.packet_type {
            packet @ (PacketType::SequenceStart
            | PacketType::CodedFrames
            | PacketType::SequenceEnd)
                if track.codec.has_composition_time() =>
            {
                out.push(packet.id());
                out.extend(u24_bytes(track.composition_time as u32));
            }
            PacketType::CodedFrames => {}
            _ => return Err(Error::Unencodable("a legacy tag has no such packet type")),
        }
        out.extend(track.data.iter());
        Ok(())
    }

    fn encode_enhanced(
        &self,
        first: u8,
        mod_ex: &[ModEx],
        multitrack: Option<Multitrack>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if let PacketType::Command { command, codec } = self.packet_type {
            if !mod_ex.is_empty()
                || multitrack.is_some()
                || [PacketType::Metadata.id(), ex::MOD_EX].contains(&(codec & 0x0f))
            {
                return Err(Error::Unencodable("a command stands alone"));
            }
            out.extend([first | codec & 0x0f, command]);
            return Ok(());
        }
        let mut raw = Vec::with_capacity(self.tracks.len());
        for track in &self.tracks {
            let fourcc = track
                .codec
                .fourcc()
                .ok_or(Error::Unencodable("the codec has no FourCC"))?;
            raw.push(RawTrack {
                track_id: track.track_id,
                fourcc,
                body: &track.data,
            });
        }
        let prefix = |index: usize| {
            let track = self.tracks.get(index)?;
            let written = self.packet_type.has_composition_time(&self.form)
                && track.codec.has_composition_time();
            written.then(|| u24_bytes(track.composition_time as u32))
        };
        let multitrack = multitrack.map(|kind| (kind, MULTITRACK));
        ex::encode(
            first,
            mod_ex,
            multitrack,
            self.packet_type.id(),
            raw.into_iter(),
            prefix,
            out,
        )
    }
}

const COMPOSITION_TIMES: core::ops::Range<i32> = -(1 << 23)..1 << 23;

fn legacy(
    frame_type: FrameType,
    id: u8,
    mut reader: Reader<'_>,
    payload: &Bytes,
) -> Result<Video, Error> {
    if frame_type == FrameType::Command {
        let command = reader.u8().ok_or(Error::Truncated("video command"))?;
        let packet_type = PacketType::Command { command, codec: id };
        return Ok(Video {
            form: Form::Legacy,
            frame_type,
            packet_type,
            tracks: Vec::new(),
        });
    }
    let codec = VideoCodec::from_id(id).ok_or(Error::Field {
        field: "CodecID",
        value: id.into(),
    })?;
    let (mut packet_type, mut composition_time) = (PacketType::CodedFrames, 0);
    if codec.has_composition_time() {
        let id = reader.u8().ok_or(Error::Truncated("AVCPacketType"))?;
        packet_type = match id {
            0..=2 => PacketType::from_id(id).unwrap_or(PacketType::SequenceEnd),
            _ => {
                return Err(Error::Field {
                    field: "AVCPacketType",
                    value: id.into(),
                });
            }
        };
        composition_time = read_composition_time(&mut reader)?;
    }
    Ok(Video::legacy(
        frame_type,
        codec,
        packet_type,
        composition_time,
        payload.slice_ref(reader.rest()),
    ))
}

fn enhanced(
    frame_type: FrameType,
    packet_type: u8,
    mut reader: Reader<'_>,
    payload: &Bytes,
) -> Result<Video, Error> {
    let mut mod_ex = Vec::new();
    let mut packet_id = ex::skip_mod_ex(packet_type, &mut reader, |kind, data| {
        mod_ex.push(ModEx::from_parts(kind, data, payload))
    })?;
    if frame_type == FrameType::Command && packet_id != PacketType::Metadata.id() {
        let command = reader.u8().ok_or(Error::Truncated("video command"))?;
        let packet_type = PacketType::Command {
            command,
            codec: packet_id,
        };
        let form = Form::Enhanced {
            mod_ex: Vec::new(),
            multitrack: None,
        };
        return Ok(Video {
            form,
            frame_type,
            packet_type,
            tracks: Vec::new(),
        });
    }
    let mut multitrack = None;
    if packet_id == MULTITRACK {
        let (kind, id) = ex::multitrack(&mut reader)?;
        (multitrack, packet_id) = (Some(kind), id);
    }
    let packet_type = PacketType::from_id(packet_id).ok_or(Error::Field {
        field: "VideoPacketType",
        value: packet_id.into(),
    })?;
    let mut tracks = Vec::with_capacity(1);
    ex::tracks(multitrack, reader, |raw| {
        let codec = VideoCodec::from_fourcc(raw.fourcc);
        let mut body = Reader::new(raw.body);
        let coded = packet_type == PacketType::CodedFrames && codec.has_composition_time();
        let composition_time = if coded {
            read_composition_time(&mut body)?
        } else {
            0
        };
        tracks.push(Track {
            track_id: raw.track_id,
            codec,
            composition_time,
            data: payload.slice_ref(body.rest()),
        });
        Ok(())
    })?;
    Ok(Video {
        form: Form::Enhanced { mod_ex, multitrack },
        frame_type,
        packet_type,
        tracks,
    })
}

pub(super) fn read_composition_time(reader: &mut Reader<'_>) -> Result<i32, Error> {
    let bits = reader.u24().ok_or(Error::Truncated("composition time"))?;
    Ok((bits << 8) as i32 >> 8)
}

/// The names and values in the data of a [`PacketType::Metadata`] track.
pub fn metadata(data: &[u8]) -> Result<amf0::Object, Error> {
    let values = amf0::decode_all(data)?;
    let (pairs, _) = values.as_chunks::<2>();
    let named = pairs
        .iter()
        .filter_map(|[name, value]| name.as_str().map(|name| (name, value.clone())));
    Ok(named.collect())
}

/// The HDR description in the data of a [`PacketType::Metadata`] track, if that is what it holds.
pub fn color_info(data: &[u8]) -> Result<Option<super::script::ColorInfo>, Error> {
    Ok(metadata(data)?
        .get("colorInfo")
        .map(super::script::ColorInfo::from_value))
}
