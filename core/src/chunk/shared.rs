use alloc::vec::Vec;
use bytes::Bytes;

use super::encoder::{message_length, push_full_head, push_payload};
use super::{AUDIO_CHUNK_STREAM, DATA_CHUNK_STREAM, Error, Head, Transmit, VIDEO_CHUNK_STREAM};
use crate::flv::{Tag, TagType};
use crate::message::Raw;

/// A media message cut into chunks once, for any number of viewers.
///
/// Its first header is always type 0 with the absolute timestamp, so the bytes are the same whatever a viewer was sent
/// before; only the message stream id differs. It uses the media chunk streams of this module: on a connection that gets
/// shared messages, an [`Encoder`](super::Encoder) must use others, or [`forget`](super::Encoder::forget).
#[derive(Clone, Debug)]
pub struct SharedMessage {
    head: Head,
    body: Bytes,
    chunk_size: u32,
}

/// Where the message stream id is in a head with a basic header of one byte.
const STREAM_ID_AT: u8 = 8;

impl SharedMessage {
    /// Cuts `tag` into chunks of `chunk_size` bytes (zero is taken as 1). A payload of one chunk is shared, not copied.
    ///
    /// Fails if the payload is longer than [`MAX_MESSAGE_LENGTH`](super::MAX_MESSAGE_LENGTH).
    pub fn encode(tag: &Tag, chunk_size: u32) -> Result<Self, Error> {
        let chunk_stream_id = match tag.tag_type {
            TagType::Audio => AUDIO_CHUNK_STREAM,
            TagType::Video => VIDEO_CHUNK_STREAM,
            TagType::Script => DATA_CHUNK_STREAM,
        };
        let chunk_size = chunk_size.max(1);
        let length = message_length(chunk_stream_id, tag.payload.len())?;
        let mut head = Head::default();
        push_full_head(chunk_stream_id, &Raw::from_tag(tag, 0), length, &mut head);
        let body = if length <= chunk_size {
            tag.payload.clone()
        } else {
            let mut body = Vec::new();
            let timestamp = tag.timestamp.as_millis();
            push_payload(
                chunk_stream_id,
                timestamp,
                &tag.payload,
                chunk_size,
                &mut body,
            );
            body.into()
        };
        Ok(Self {
            head,
            body,
            chunk_size,
        })
    }

    /// The bytes for a viewer that plays on message stream `message_stream_id`; the body is shared.
    #[inline]
    pub fn transmit(&self, message_stream_id: u32) -> Transmit {
        let mut head = self.head;
        head.patch(STREAM_ID_AT, message_stream_id.to_le_bytes());
        Transmit {
            head,
            body: self.body.clone(),
        }
    }

    /// The size in bytes of the chunks it was cut into.
    pub const fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Length in bytes of what each viewer is sent.
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Whether there is nothing to send: never, there is always a header.
    pub const fn is_empty(&self) -> bool {
        false
    }
}
