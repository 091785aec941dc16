use bytes::Bytes;

use crate::Timestamp;
use crate::flv::{Tag, TagType};

/// The message types of RTMP 1.0 §5.4 and §7.1.
pub mod message_type {
    /// Set Chunk Size, §5.4.1.
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Abort Message, §5.4.2.
    pub const ABORT: u8 = 2;
    /// Acknowledgement, §5.4.3.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// User Control Message, §6.2.
    pub const USER_CONTROL: u8 = 4;
    /// Window Acknowledgement Size, §5.4.4.
    pub const WINDOW_ACK_SIZE: u8 = 5;
    /// Set Peer Bandwidth, §5.4.5.
    pub const SET_PEER_BANDWIDTH: u8 = 6;
    /// Audio Message, §7.1.4.
    pub const AUDIO: u8 = 8;
    /// Video Message, §7.1.5.
    pub const VIDEO: u8 = 9;
    /// Data Message in AMF3, §7.1.2.
    pub const DATA_AMF3: u8 = 15;
    /// Shared Object Message in AMF3, §7.1.3.
    pub const SHARED_OBJECT_AMF3: u8 = 16;
    /// Command Message in AMF3, §7.1.1.
    pub const COMMAND_AMF3: u8 = 17;
    /// Data Message in AMF0, §7.1.2.
    pub const DATA_AMF0: u8 = 18;
    /// Shared Object Message in AMF0, §7.1.3.
    pub const SHARED_OBJECT_AMF0: u8 = 19;
    /// Command Message in AMF0, §7.1.1.
    pub const COMMAND_AMF0: u8 = 20;
    /// Aggregate Message, §7.1.6.
    pub const AGGREGATE: u8 = 22;
}

/// One whole message as the chunk stream carries it (RTMP 1.0 §4, §5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// What the payload is; see [`message_type`].
    pub message_type: u8,
    /// The message stream: 0 is the connection itself, others come from createStream.
    pub stream_id: u32,
    /// When the message applies.
    pub timestamp: Timestamp,
    /// The message without any header.
    pub payload: Bytes,
}

impl Raw {
    /// A message of the connection itself, message stream 0 at timestamp 0.
    pub fn new(message_type: u8, payload: impl Into<Bytes>) -> Self {
        Self {
            message_type,
            stream_id: 0,
            timestamp: Timestamp::ZERO,
            payload: payload.into(),
        }
    }

    /// The tag as a message on `stream_id`; the payload is shared.
    pub fn from_tag(tag: &Tag, stream_id: u32) -> Self {
        Self {
            message_type: tag.tag_type as u8,
            stream_id,
            timestamp: tag.timestamp,
            payload: tag.payload.clone(),
        }
    }

    /// The same message on another message stream.
    pub fn on_stream(self, stream_id: u32) -> Self {
        Self { stream_id, ..self }
    }

    /// The same message at another time.
    pub fn at(self, timestamp: Timestamp) -> Self {
        Self { timestamp, ..self }
    }

    /// The tag this is, if it is audio, video or AMF0 data.
    pub fn into_tag(self) -> Option<Tag> {
        let tag_type = match self.message_type {
            message_type::AUDIO => TagType::Audio,
            message_type::VIDEO => TagType::Video,
            message_type::DATA_AMF0 => TagType::Script,
            _ => return None,
        };
        Some(Tag {
            tag_type,
            timestamp: self.timestamp,
            payload: self.payload,
        })
    }
}
