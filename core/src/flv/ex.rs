//! What the Enhanced RTMP headers of audio and video share: ModEx prefixes and multitrack bodies.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Error, FourCc};
use crate::wire::{Reader, u24_bytes};

/// The packet type that announces another ModEx, in audio and video.
pub(super) const MOD_EX: u8 = 7;
/// Far over what any sender has a use for; each costs memory.
const MAX_MOD_EX: usize = 16;
/// Track ids are one byte.
const MAX_TRACKS: usize = 256;

/// A modifier that stands before a packet (E-RTMP v2, ModEx).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModEx {
    /// Nanoseconds to add to the message's timestamp for presentation, at most 999,999.
    TimestampOffsetNano(u32),
    /// A type that is reserved today.
    Other {
        /// The type, at most 15.
        kind: u8,
        /// Its data, 1 to 65,536 bytes.
        data: Bytes,
    },
}

/// How a message holds more than the one track 0 (E-RTMP v2, AvMultitrackType).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Multitrack {
    /// One track with an id.
    OneTrack = 0,
    /// Tracks of one codec, each with an id and a size.
    ManyTracks = 1,
    /// Tracks each with a codec, an id and a size.
    ManyTracksManyCodecs = 2,
}

impl Multitrack {
    pub(super) const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            0 => Self::OneTrack,
            1 => Self::ManyTracks,
            2 => Self::ManyTracksManyCodecs,
            _ => return None,
        })
    }
}

/// A track in a multitrack body, or the only one of a plain packet.
pub(super) struct RawTrack<'a> {
    pub(super) track_id: u8,
    pub(super) fourcc: FourCc,
    pub(super) body: &'a [u8],
}

/// Reads the ModEx prefixes behind a packet type of [`MOD_EX`], hands each to `each`, and gives the packet type they lead to.
pub(super) fn skip_mod_ex<'a>(
    packet_type: u8,
    reader: &mut Reader<'a>,
    mut each: impl FnMut(u8, &'a [u8]),
) -> Result<u8, Error> {
    let mut packet_type = packet_type;
    for _ in 0..MAX_MOD_EX {
        if packet_type != MOD_EX {
            return Ok(packet_type);
        }
        let (kind, data, next) = mod_ex(reader).ok_or(Error::Truncated("ModEx"))?;
        each(kind, data);
        packet_type = next;
    }
    if packet_type == MOD_EX {
        Err(Error::TooMany {
            what: "ModEx",
            limit: MAX_MOD_EX,
        })
    } else {
        Ok(packet_type)
    }
}

fn mod_ex<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8], u8)> {
    let mut size = usize::from(reader.u8()?) + 1;
    if size == 256 {
        size = usize::from(reader.u16()?) + 1;
    }
    let data = reader.take(size)?;
    let types = reader.u8()?;
    Some((types >> 4, data, types & 0x0f))
}

/// Nanoseconds by which presentation is later than the timestamp says: the last that is said of it.
pub(super) fn nano_offset(mod_ex: &[ModEx]) -> u32 {
    mod_ex.iter().fold(0, |offset, modifier| match modifier {
        ModEx::TimestampOffsetNano(nanos) => *nanos,
        ModEx::Other { .. } => offset,
    })
}

impl ModEx {
    pub(super) fn from_parts(kind: u8, data: &[u8], payload: &Bytes) -> Self {
        match (kind, data) {
            (0, [a, b, c, ..]) => Self::TimestampOffsetNano(crate::wire::u24([*a, *b, *c])),
            _ => Self::Other {
                kind,
                data: payload.slice_ref(data),
            },
        }
    }

    /// Appends this and the packet type that it leads to.
    pub(super) fn encode(&self, next: u8, out: &mut Vec<u8>) -> Result<(), Error> {
        let nano;
        let (kind, data) = match self {
            Self::TimestampOffsetNano(offset) => {
                nano = u24_bytes(*offset);
                (0, nano.as_slice())
            }
            Self::Other { kind, data } => (*kind, data.as_ref()),
        };
        if kind > 15 || data.is_empty() || data.len() > 65_536 {
            return Err(Error::Unencodable(
                "a ModEx has a type of 4 bits and 1 to 65,536 bytes",
            ));
        }
        match data.len() {
            size @ ..=255 => out.push((size - 1) as u8),
            size => {
                out.push(255);
                out.extend(((size - 1) as u16).to_be_bytes());
            }
        }
        out.extend(data);
        out.push(kind << 4 | next);
        Ok(())
    }
}

/// The first two fields of a multitrack header: its type, and the packet type of its tracks.
pub(super) fn multitrack(reader: &mut Reader<'_>) -> Result<(Multitrack, u8), Error> {
    let byte = reader.u8().ok_or(Error::Truncated("multitrack type"))?;
    let multitrack = Multitrack::from_id(byte >> 4).ok_or(Error::Field {
        field: "AvMultitrackType",
        value: (byte >> 4).into(),
    })?;
    Ok((multitrack, byte & 0x0f))
}

pub(super) fn fourcc(reader: &mut Reader<'_>) -> Result<FourCc, Error> {
    reader.array().map(FourCc).ok_or(Error::Truncated("FourCC"))
}

/// What follows the packet type: the FourCC and body of the one track, or those of each track in turn.
pub(super) fn tracks<'a>(
    multitrack: Option<Multitrack>,
    mut reader: Reader<'a>,
    mut each: impl FnMut(RawTrack<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(multitrack) = multitrack else {
        let fourcc = fourcc(&mut reader)?;
        return each(RawTrack {
            track_id: 0,
            fourcc,
            body: reader.rest(),
        });
    };
    let shared = match multitrack {
        Multitrack::ManyTracksManyCodecs => None,
        _ => Some(fourcc(&mut reader)?),
    };
    for _ in 0..MAX_TRACKS {
        let fourcc = shared.map_or_else(|| fourcc(&mut reader), Ok)?;
        let track_id = reader.u8().ok_or(Error::Truncated("track id"))?;
        if multitrack == Multitrack::OneTrack {
            return each(RawTrack {
                track_id,
                fourcc,
                body: reader.rest(),
            });
        }
        let size = reader.u24().ok_or(Error::Truncated("track size"))? as usize;
        let body = reader.take(size).ok_or(Error::Truncated("track"))?;
        each(RawTrack {
            track_id,
            fourcc,
            body,
        })?;
        if reader.is_empty() {
            return Ok(());
        }
    }
    Err(Error::TooMany {
        what: "tracks",
        limit: MAX_TRACKS,
    })
}

/// Appends the ModEx prefixes, the multitrack header and the tracks. `first` is the header's byte without its packet type.
pub(super) fn encode<'a>(
    first: u8,
    mod_ex: &[ModEx],
    multitrack: Option<(Multitrack, u8)>,
    packet_type: u8,
    tracks: impl ExactSizeIterator<Item = RawTrack<'a>>,
    prefix: impl Fn(usize) -> Option<[u8; 3]>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let count = tracks.len();
    let single = multitrack.is_none_or(|(kind, _)| kind == Multitrack::OneTrack);
    if count == 0 || count > MAX_TRACKS || single && count > 1 {
        return Err(Error::Unencodable(
            "a message holds one track, or 1 to 256 of ManyTracks",
        ));
    }
    let last = multitrack.map_or(packet_type, |(_, marker)| marker);
    out.push(first | if mod_ex.is_empty() { last } else { MOD_EX });
    for (index, modifier) in mod_ex.iter().enumerate() {
        modifier.encode(
            if index + 1 == mod_ex.len() {
                last
            } else {
                MOD_EX
            },
            out,
        )?;
    }
    if let Some((kind, _)) = multitrack {
        out.push((kind as u8) << 4 | packet_type);
    }
    let many_codecs = multitrack.is_some_and(|(kind, _)| kind == Multitrack::ManyTracksManyCodecs);
    let mut shared = None;
    for (index, track) in tracks.enumerate() {
        if many_codecs || shared.is_none() {
            out.extend(track.fourcc.0);
        } else if shared != Some(track.fourcc) {
            return Err(Error::Unencodable("ManyTracks are all of one codec"));
        }
        shared = Some(track.fourcc);
        let prefix = prefix(index);
        if multitrack.is_some() {
            out.push(track.track_id);
        } else if track.track_id != 0 {
            return Err(Error::Unencodable("a track id needs a multitrack header"));
        }
        if !single {
            let size = track.body.len() + prefix.map_or(0, |prefix| prefix.len());
            let size = u32::try_from(size).ok().filter(|size| *size < 1 << 24);
            out.extend(u24_bytes(size.ok_or(Error::Unencodable(
                "a track of ManyTracks is under 16 MiB",
            ))?));
        }
        out.extend(prefix.into_iter().flatten());
        out.extend(track.body);
    }
    Ok(())
}
