//! Audio tags, legacy (Video File Format 10.1 §E.4.2) and enhanced (E-RTMP v2, Enhanced Audio).

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::ex::{self, RawTrack};
use super::{AudioCodec, Error, ModEx, Multitrack};
use crate::wire::Reader;

/// The SoundFormat that says a FourCC follows.
pub(super) const EX_HEADER: u8 = 9;
/// The packet type of a multitrack message.
pub(super) const MULTITRACK: u8 = 5;

/// The payload of an audio tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// How the header is written.
    pub form: Form,
    /// What the tracks hold.
    pub packet_type: PacketType,
    /// The tracks: one, but for many-track messages, and none in a message of silence.
    pub tracks: Vec<Track>,
}

/// How the header is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Not at all: an empty message, by which Flash says that sound pauses. It goes with [`PacketType::SequenceEnd`].
    Silence,
    /// With a SoundFormat.
    Legacy(SoundFlags),
    /// With a FourCC.
    Enhanced {
        /// What stands before the packet.
        mod_ex: Vec<ModEx>,
        /// Present if tracks have ids.
        multitrack: Option<Multitrack>,
    },
}

/// SoundRate, SoundSize and SoundType of a legacy header. AAC always says 44.1 kHz, 16 bit, stereo, and means nothing by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SoundFlags(u8);

impl SoundFlags {
    /// What AAC says, and MP3 at 44.1 kHz in stereo.
    pub const AAC: Self = Self(0x0f);

    /// The flags of a rate in Hz, rounded to one of 5,500, 11,000, 22,050 and 44,100.
    pub const fn new(sample_rate: u32, sixteen_bit: bool, stereo: bool) -> Self {
        let rate = match sample_rate {
            0..8_000 => 0,
            8_000..16_000 => 1,
            16_000..32_000 => 2,
            _ => 3,
        };
        Self(rate << 2 | (sixteen_bit as u8) << 1 | stereo as u8)
    }

    /// The rate in Hz.
    pub const fn sample_rate(self) -> u32 {
        [5_512, 11_025, 22_050, 44_100][(self.0 >> 2 & 3) as usize]
    }

    /// Whether samples have 16 bits rather than 8.
    pub const fn is_sixteen_bit(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether there are two channels rather than one.
    pub const fn is_stereo(self) -> bool {
        self.0 & 1 != 0
    }
}

/// One track's part of an audio tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Which track; zero where there is but one.
    pub track_id: u8,
    /// What it is coded in.
    pub codec: AudioCodec,
    /// A configuration record, coded frames, or a [`ChannelLayout`].
    pub data: Bytes,
}

/// What the tracks of a message hold (E-RTMP v2, AudioPacketType). A legacy tag has the first two, and the first with AAC only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// A configuration record.
    SequenceStart = 0,
    /// Coded frames.
    CodedFrames = 1,
    /// Nothing more of this sequence: what is buffered plays out, then silence.
    SequenceEnd = 2,
    /// A [`ChannelLayout`].
    MultichannelConfig = 4,
}

impl PacketType {
    pub(super) const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            0 => Self::SequenceStart,
            1 => Self::CodedFrames,
            2 => Self::SequenceEnd,
            4 => Self::MultichannelConfig,
            _ => return None,
        })
    }
}

impl Audio {
    /// A legacy tag of one track, which every RTMP peer reads.
    pub fn legacy(
        flags: SoundFlags,
        codec: AudioCodec,
        packet_type: PacketType,
        data: Bytes,
    ) -> Self {
        Self {
            form: Form::Legacy(flags),
            packet_type,
            tracks: vec![Track {
                track_id: 0,
                codec,
                data,
            }],
        }
    }

    /// An enhanced tag of one track.
    pub fn enhanced(codec: AudioCodec, packet_type: PacketType, data: Bytes) -> Self {
        let form = Form::Enhanced {
            mod_ex: Vec::new(),
            multitrack: None,
        };
        Self {
            form,
            packet_type,
            tracks: vec![Track {
                track_id: 0,
                codec,
                data,
            }],
        }
    }

    /// Reads an audio tag's payload; the tracks' data are slices of it.
    pub fn parse(payload: &Bytes) -> Result<Self, Error> {
        let mut reader = Reader::new(payload);
        match reader.u8() {
            None => Ok(Self {
                form: Form::Silence,
                packet_type: PacketType::SequenceEnd,
                tracks: Vec::new(),
            }),
            Some(first) if first >> 4 == EX_HEADER => enhanced(first & 0x0f, reader, payload),
            Some(first) => legacy(first, reader, payload),
        }
    }

    /// The payload of an audio tag.
    pub fn encode(&self) -> Result<Bytes, Error> {
        let mut out = Vec::with_capacity(
            16 + self
                .tracks
                .iter()
                .map(|track| track.data.len() + 8)
                .sum::<usize>(),
        );
        match &self.form {
            Form::Silence
                if self.packet_type == PacketType::SequenceEnd && self.tracks.is_empty() => {}
            Form::Silence => {
                return Err(Error::Unencodable("silence has neither packet nor tracks"));
            }
            Form::Legacy(flags) => self.encode_legacy(*flags, &mut out)?,
            Form::Enhanced { mod_ex, multitrack } => {
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
                let multitrack = multitrack.map(|kind| (kind, MULTITRACK));
                ex::encode(
                    EX_HEADER << 4,
                    mod_ex,
                    multitrack,
                    self.packet_type as u8,
                    raw.into_iter(),
                    |_| None,
                    &mut out,
                )?;
            }
        }
        Ok(out.into())
    }

    /// Nanoseconds by which presentation is later than the timestamp says.
    pub fn nano_offset(&self) -> u32 {
        match &self.form {
            Form::Enhanced { mod_ex, .. } => ex::nano_offset(mod_ex),
            _ => 0,
        }
    }

    fn encode_legacy(&self, flags: SoundFlags, out: &mut Vec<u8>) -> Result<(), Error> {
        let [track] = self.tracks.as_slice() else {
            return Err(Error::Unencodable("a legacy tag holds one track"));
        };
        let id = track
            .codec
            .id()
            .ok_or(Error::Unencodable("the codec has no SoundFormat"))?;
        out.push(id << 4 | flags.0);
        match self.packet_type {
            packet @ (PacketType::SequenceStart | PacketType::CodedFrames)
                if track.codec == AudioCodec::Aac =>
            {
                out.push(packet as u8)
            }
            PacketType::CodedFrames => {}
            _ => return Err(Error::Unencodable("a legacy tag has no such packet type")),
        }
        out.extend(track.data.iter());
        Ok(())
    }
}

fn legacy(first: u8, mut reader: Reader<'_>, payload: &Bytes) -> Result<Audio, Error> {
    let id = first >> 4;
    let codec = AudioCodec::from_id(id).ok_or(Error::Field {
        field: "SoundFormat",
        value: id.into(),
    })?;
    let mut packet_type = PacketType::CodedFrames;
    if codec == AudioCodec::Aac {
        packet_type = match reader.u8().ok_or(Error::Truncated("AACPacketType"))? {
            0 => PacketType::SequenceStart,
            1 => PacketType::CodedFrames,
            other => {
                return Err(Error::Field {
                    field: "AACPacketType",
                    value: other.into(),
                });
            }
        };
    }
    Ok(Audio::legacy(
        SoundFlags(first & 0x0f),
        codec,
        packet_type,
        payload.slice_ref(reader.rest()),
    ))
}

fn enhanced(packet_type: u8, mut reader: Reader<'_>, payload: &Bytes) -> Result<Audio, Error> {
    let mut mod_ex = Vec::new();
    let mut packet_id = ex::skip_mod_ex(packet_type, &mut reader, |kind, data| {
        mod_ex.push(ModEx::from_parts(kind, data, payload))
    })?;
    let mut multitrack = None;
    if packet_id == MULTITRACK {
        let (kind, id) = ex::multitrack(&mut reader)?;
        (multitrack, packet_id) = (Some(kind), id);
    }
    let packet_type = PacketType::from_id(packet_id).ok_or(Error::Field {
        field: "AudioPacketType",
        value: packet_id.into(),
    })?;
    let mut tracks = Vec::with_capacity(1);
    ex::tracks(multitrack, reader, |raw| {
        let codec = AudioCodec::from_fourcc(raw.fourcc);
        tracks.push(Track {
            track_id: raw.track_id,
            codec,
            data: payload.slice_ref(raw.body),
        });
        Ok(())
    })?;
    Ok(Audio {
        form: Form::Enhanced { mod_ex, multitrack },
        packet_type,
        tracks,
    })
}

/// Which channel goes to which speaker: the data of [`PacketType::MultichannelConfig`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelLayout {
    /// The number of channels.
    pub channels: u8,
    /// Their order.
    pub order: ChannelOrder,
}

/// The order of channels (E-RTMP v2, AudioChannelOrder).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Unknown.
    Unspecified,
    /// That of the speakers' numbers; bit n is set if speaker n is there (AudioChannelMask).
    Native(u32),
    /// For each channel its speaker's number (AudioChannel), 0xfe for unused, 0xff for unknown.
    Custom(Vec<u8>),
}

impl ChannelLayout {
    /// Reads the data of a track.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let truncated = || Error::Truncated("channel layout");
        let mut reader = Reader::new(data);
        let order = reader.u8().ok_or_else(truncated)?;
        let channels = reader.u8().ok_or_else(truncated)?;
        let order = match order {
            0 => ChannelOrder::Unspecified,
            1 => ChannelOrder::Native(reader.u32().ok_or_else(truncated)?),
            2 => ChannelOrder::Custom(reader.take(channels.into()).ok_or_else(truncated)?.to_vec()),
            other => {
                return Err(Error::Field {
                    field: "AudioChannelOrder",
                    value: other.into(),
                });
            }
        };
        Ok(Self { channels, order })
    }

    /// The data of a track. A custom order has one speaker a channel, whatever [`ChannelLayout::channels`] says.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        match &self.order {
            ChannelOrder::Unspecified => out.extend([0, self.channels]),
            ChannelOrder::Native(mask) => {
                out.extend([1, self.channels]);
                out.extend(mask.to_be_bytes());
            }
            ChannelOrder::Custom(speakers) => {
                let count = u8::try_from(speakers.len()).unwrap_or(u8::MAX);
                out.extend([2, count]);
                out.extend(speakers.iter().take(count.into()));
            }
        }
        out.into()
    }
}
