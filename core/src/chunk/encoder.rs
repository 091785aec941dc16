use alloc::vec::Vec;

use super::header::{
    CHUNK_STREAM_IDS, EXTENDED, LONGEST_HEADER, Push, continuation, push_basic, push_extended,
    push_timestamp,
};
use super::{DEFAULT_CHUNK_SIZE, Error, MAX_MESSAGE_LENGTH};
use crate::Timestamp;
use crate::message::Raw;
use crate::wire::u24_bytes;

/// Cuts one connection's messages into chunks, with the shortest header each allows.
///
/// Where a timestamp field would need an extended timestamp it sends a type 0 header with the absolute timestamp,
/// which peers disagree about least.
#[derive(Debug)]
pub struct Encoder {
    chunk_size: u32,
    previous: Vec<Previous>,
}

/// The header a chunk stream last carried.
#[derive(Debug)]
struct Previous {
    chunk_stream_id: u32,
    stream_id: u32,
    timestamp: Timestamp,
    length: u32,
    message_type: u8,
    /// What a type 3 chunk would add; `None` after type 0, where peers disagree about it.
    delta: Option<u32>,
}

impl Encoder {
    /// An encoder at the chunk size of [`DEFAULT_CHUNK_SIZE`].
    pub const fn new() -> Self {
        Self {
            chunk_size: DEFAULT_CHUNK_SIZE,
            previous: Vec::new(),
        }
    }

    /// Sets the size of the chunks from the next message on, in bytes; call it after encoding the Set Chunk Size that announces it (§5.4.1).
    ///
    /// Zero is taken as 1.
    pub fn set_chunk_size(&mut self, bytes: u32) {
        self.chunk_size = bytes.max(1);
    }

    /// Appends `message` to `out` as chunks of chunk stream `chunk_stream_id` (2 to 65,599; what is outside is moved to the nearer end).
    ///
    /// Fails, with nothing appended, if the message is longer than [`MAX_MESSAGE_LENGTH`].
    pub fn encode(
        &mut self,
        chunk_stream_id: u32,
        message: &Raw,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let chunk_stream_id =
            chunk_stream_id.clamp(*CHUNK_STREAM_IDS.start(), *CHUNK_STREAM_IDS.end());
        let length = message_length(chunk_stream_id, message.payload.len())?;
        out.reserve(LONGEST_HEADER + message.payload.len());
        let field = self.push_head(chunk_stream_id, message, length, out);
        push_payload(
            chunk_stream_id,
            field,
            &message.payload,
            self.chunk_size,
            out,
        );
        Ok(())
    }

    /// Sends the next message of the chunk stream with a whole header; for when something else was sent on it.
    pub fn forget(&mut self, chunk_stream_id: u32) {
        self.previous
            .retain(|previous| previous.chunk_stream_id != chunk_stream_id);
    }

    /// The size of the chunks in bytes.
    pub const fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Appends the first chunk's header, and says what its timestamp field stands for.
    fn push_head(
        &mut self,
        chunk_stream_id: u32,
        message: &Raw,
        length: u32,
        out: &mut Vec<u8>,
    ) -> u32 {
        let Raw {
            message_type,
            stream_id,
            timestamp,
            ..
        } = *message;
        let found = self
            .previous
            .iter_mut()
            .find(|previous| previous.chunk_stream_id == chunk_stream_id);
        let Some(previous) = found else {
            self.previous.push(Previous {
                chunk_stream_id,
                stream_id,
                timestamp,
                length,
                message_type,
                delta: None,
            });
            push_full_head(chunk_stream_id, message, length, out);
            return timestamp.as_millis();
        };
        let same_stream = previous.stream_id == stream_id;
        let same_shape = previous.length == length && previous.message_type == message_type;
        let delta = timestamp.since(previous.timestamp).cast_unsigned();
        let same_delta = previous.delta == Some(delta);
        // A step back is a delta of 2^31 or more: over the escape as well.
        let by_delta = same_stream && delta < EXTENDED;
        *previous = Previous {
            chunk_stream_id,
            stream_id,
            timestamp,
            length,
            message_type,
            delta: by_delta.then_some(delta),
        };
        if !by_delta {
            push_full_head(chunk_stream_id, message, length, out);
            return timestamp.as_millis();
        }
        let chunk_type = if !same_shape {
            1
        } else if same_delta {
            3
        } else {
            2
        };
        push_basic(out, chunk_type, chunk_stream_id);
        if chunk_type < 3 {
            push_timestamp(out, delta);
        }
        if chunk_type < 2 {
            let [a, b, c] = u24_bytes(length);
            Push::push(out, [a, b, c, message_type]);
        }
        delta
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The length as the 24-bit field holds it.
pub(super) fn message_length(chunk_stream_id: u32, length: usize) -> Result<u32, Error> {
    let limit = MAX_MESSAGE_LENGTH;
    u32::try_from(length)
        .ok()
        .filter(|length| *length <= limit)
        .ok_or(Error::MessageTooLong {
            chunk_stream_id,
            length,
            limit: limit as usize,
        })
}

/// Appends a type 0 header (§5.3.1.2.1).
pub(super) fn push_full_head(
    chunk_stream_id: u32,
    message: &Raw,
    length: u32,
    head: &mut impl Push,
) {
    let timestamp = message.timestamp.as_millis();
    let [a, b, c] = u24_bytes(length);
    push_basic(head, 0, chunk_stream_id);
    push_timestamp(head, timestamp);
    head.push([a, b, c, message.message_type]);
    head.push(message.stream_id.to_le_bytes());
    push_extended(head, timestamp);
}

/// Appends the payload in chunks, with type 3 headers between them; `field` is what the last timestamp field stood for.
pub(super) fn push_payload(
    chunk_stream_id: u32,
    field: u32,
    payload: &[u8],
    chunk_size: u32,
    out: &mut Vec<u8>,
) {
    let chunk_size = chunk_size as usize;
    let Some((mut chunk, mut rest)) = payload.split_at_checked(chunk_size) else {
        out.extend_from_slice(payload);
        return;
    };
    let continuation = continuation(chunk_stream_id, field);
    let continuations = payload.len().saturating_sub(1) / chunk_size;
    out.reserve(payload.len() + continuations * continuation.len());
    let short = match *continuation {
        [byte] => Some(byte),
        _ => None,
    };
    loop {
        out.extend_from_slice(chunk);
        if rest.is_empty() {
            return;
        }
        match short {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(&continuation),
        }
        (chunk, rest) = rest.split_at(chunk_size.min(rest.len()));
    }
}
