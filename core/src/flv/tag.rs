use bytes::Bytes;

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
