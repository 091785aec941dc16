use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::audio::{self, Audio};
use super::video::{self, Video};
use super::{Error, Multitrack};
use crate::Timestamp;

/// The one value that travels from the publisher's encoder to the viewer's decoder: an FLV tag, which is also an
/// RTMP message of the same type (Video File Format 10.1 §E.4.1).
///
/// Cloning it clones a reference count, not the media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What the payload is.
    pub tag_type: TagType,
    /// Decoding time in media milliseconds.
    pub timestamp: Timestamp,
    /// The tag's data, from its first header byte (the frame type and codec id, the sound format, or the AMF0 name).
    pub payload: Bytes,
}

impl Tag {
    /// A tag.
    pub const fn new(tag_type: TagType, timestamp: Timestamp, payload: Bytes) -> Self {
        Self {
            tag_type,
            timestamp,
            payload,
        }
    }

    /// One tag of [`Multitrack::OneTrack`] for each track of a tag that holds many; any other tag as it is.
    ///
    /// Fails if the tag's header says that there are many tracks and the tracks are malformed.
    pub fn split_tracks(&self) -> Result<Vec<Self>, Error> {
        if !super::TagHeader::parse(self).is_many_tracks() {
            return Ok(vec![self.clone()]);
        }
        let payloads: Vec<Result<Bytes, Error>> = match self.tag_type {
            TagType::Video => split_video(Video::parse(&self.payload)?),
            TagType::Audio => split_audio(Audio::parse(&self.payload)?),
            TagType::Script => vec![Ok(self.payload.clone())],
        };
        payloads
            .into_iter()
            .map(|payload| {
                Ok(Self {
                    payload: payload?,
                    ..self.clone()
                })
            })
            .collect()
    }
}

fn split_video(video: Video) -> Vec<Result<Bytes, Error>> {
    let video::Form::Enhanced { mod_ex, .. } = &video.form else {
        return vec![video.encode()];
    };
    let form = video::Form::Enhanced {
        mod_ex: mod_ex.clone(),
        multitrack: Some(Multitrack::OneTrack),
    };
    let one = |track: &video::Track| {
        Video {
            form: form.clone(),
            tracks: vec![track.clone()],
            ..video
        }
        .encode()
    };
    video.tracks.iter().map(one).collect()
}

fn split_audio(audio: Audio) -> Vec<Result<Bytes, Error>> {
    let audio::Form::Enhanced { mod_ex, .. } = &audio.form else {
        return vec![audio.encode()];
    };
    let form = audio::Form::Enhanced {
        mod_ex: mod_ex.clone(),
        multitrack: Some(Multitrack::OneTrack),
    };
    let one = |track: &audio::Track| {
        Audio {
            form: form.clone(),
            tracks: vec![track.clone()],
            ..audio
        }
        .encode()
    };
    audio.tracks.iter().map(one).collect()
}

/// The tag types of FLV, numbered as the RTMP message types are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TagType {
    /// Audio data, RTMP message type 8.
    Audio = 8,
    /// Video data, RTMP message type 9.
    Video = 9,
    /// Script data in AMF0, RTMP message type 18.
    Script = 18,
}

impl TagType {
    /// The type of this number, if it is one of the three.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}
