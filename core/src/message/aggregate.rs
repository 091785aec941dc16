use alloc::vec::Vec;

use bytes::Bytes;

use super::control::short;
use super::{Error, Raw, message_type};
use crate::Timestamp;
use crate::wire::{Reader, u24_bytes};

/// Several messages in one, each written as an FLV tag with its back pointer: message type 22 (RTMP 1.0 §7.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    stream_id: u32,
    timestamp: Timestamp,
    payload: Bytes,
}

/// Length in bytes of a sub-message's header.
const HEADER: usize = 11;

impl Aggregate {
    /// The aggregate of `messages`, on the message stream and at the timestamp of the first; the others' stream ids are not kept.
    pub fn new<'a>(messages: impl IntoIterator<Item = &'a Raw>) -> Self {
        let mut payload = Vec::new();
        let mut first = None;
        for message in messages {
            first.get_or_insert((message.stream_id, message.timestamp));
            let [high, rest @ ..] = message.timestamp.as_millis().to_be_bytes();
            let length = message.payload.len() as u32;
            payload.push(message.message_type);
            payload.extend(u24_bytes(length));
            payload.extend(rest);
            payload.push(high);
            payload.extend(u24_bytes(message.stream_id));
            payload.extend_from_slice(&message.payload);
            payload.extend((length + HEADER as u32).to_be_bytes());
        }
        let (stream_id, timestamp) = first.unwrap_or_default();
        Self {
            stream_id,
            timestamp,
            payload: payload.into(),
        }
    }

    /// The messages inside, sharing the payload. They are on the aggregate's message stream, and their timestamps are moved
    /// so that the first is at the aggregate's.
    pub fn messages(&self) -> Messages {
        Messages {
            aggregate: self.clone(),
            at: 0,
            offset: None,
        }
    }

    pub(super) fn from_raw(raw: &Raw) -> Self {
        Self {
            stream_id: raw.stream_id,
            timestamp: raw.timestamp,
            payload: raw.payload.clone(),
        }
    }

    pub(super) fn encode(&self) -> Raw {
        Raw::new(message_type::AGGREGATE, self.payload.clone())
            .on_stream(self.stream_id)
            .at(self.timestamp)
    }
}

/// The messages of an [`Aggregate`] in order; ends after an error. A back pointer that is missing at the end is forgiven.
#[derive(Clone, Debug)]
pub struct Messages {
    aggregate: Aggregate,
    at: usize,
    offset: Option<i32>,
}

impl Iterator for Messages {
    type Item = Result<Raw, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Aggregate {
            stream_id,
            timestamp: start,
            payload,
        } = &self.aggregate;
        let rest = payload.get(self.at..).filter(|rest| !rest.is_empty())?;
        let mut reader = Reader::new(rest);
        let Some((message_type, length, timestamp)) =
            header(&mut reader).filter(|(_, length, _)| *length <= reader.len())
        else {
            let raw = self.aggregate.encode();
            self.at = raw.payload.len();
            return Some(Err(short(&raw)));
        };
        let offset = *self.offset.get_or_insert(start.since(timestamp));
        let from = self.at + HEADER;
        self.at = from + length + 4;
        Some(Ok(Raw {
            message_type,
            stream_id: *stream_id,
            timestamp: timestamp.offset(offset),
            payload: payload.slice(from..from + length),
        }))
    }
}

/// Message type, length and timestamp; the stream id is overridden by the aggregate's.
fn header(reader: &mut Reader<'_>) -> Option<(u8, usize, Timestamp)> {
    let message_type = reader.u8()?;
    let length = reader.u24()? as usize;
    let [a, b, c, high, ..] = reader.array::<7>()?;
    Some((
        message_type,
        length,
        Timestamp::from_millis(u32::from_be_bytes([high, a, b, c])),
    ))
}
