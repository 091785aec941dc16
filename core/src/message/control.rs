//! Protocol control messages (RTMP 1.0 §5.4) and user control messages (§6.2).

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::{Error, Message, Raw, message_type};
use crate::wire::Reader;

/// How to take a Set Peer Bandwidth (§5.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LimitType {
    /// The window is the limit.
    Hard = 0,
    /// The smaller of this window and the one in effect is the limit.
    Soft = 1,
    /// Hard if the last one was hard; to be ignored otherwise.
    Dynamic = 2,
}

/// A user control message (§6.2, §7.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserControl {
    /// The stream can be used.
    StreamBegin(u32),
    /// The stream's data has ended.
    StreamEof(u32),
    /// There has been no data on the stream for a while.
    StreamDry(u32),
    /// The client's buffer for the stream.
    SetBufferLength {
        /// The message stream.
        stream_id: u32,
        /// Milliseconds of media.
        length: u32,
    },
    /// The stream is a recorded one.
    StreamIsRecorded(u32),
    /// Answer with the same number: the sender's time in milliseconds.
    PingRequest(u32),
    /// The number of the request.
    PingResponse(u32),
    /// An event type that RTMP 1.0 does not define.
    Unknown {
        /// The event type.
        event_type: u16,
        /// The event data.
        data: Bytes,
    },
}

impl UserControl {
    /// A SetBufferLength; what does not fit 32 bits of milliseconds is cut.
    pub fn set_buffer_length(stream_id: u32, length: Duration) -> Self {
        Self::SetBufferLength {
            stream_id,
            length: u32::try_from(length.as_millis()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn decode(raw: &Raw) -> Result<Self, Error> {
        let short = || short(raw);
        let mut reader = Reader::new(&raw.payload);
        let event_type = reader.u16().ok_or_else(short)?;
        let mut number = || reader.u32().ok_or_else(short);
        Ok(match event_type {
            0 => Self::StreamBegin(number()?),
            1 => Self::StreamEof(number()?),
            2 => Self::StreamDry(number()?),
            3 => Self::SetBufferLength {
                stream_id: number()?,
                length: number()?,
            },
            4 => Self::StreamIsRecorded(number()?),
            6 => Self::PingRequest(number()?),
            7 => Self::PingResponse(number()?),
            _ => Self::Unknown {
                event_type,
                data: raw.payload.slice(2..),
            },
        })
    }

    pub(super) fn encode(&self) -> Raw {
        let mut payload = Vec::with_capacity(10);
        let (event_type, number) = match *self {
            Self::StreamBegin(stream_id) => (0, stream_id),
            Self::StreamEof(stream_id) => (1, stream_id),
            Self::StreamDry(stream_id) => (2, stream_id),
            Self::SetBufferLength { stream_id, .. } => (3, stream_id),
            Self::StreamIsRecorded(stream_id) => (4, stream_id),
            Self::PingRequest(time) => (6, time),
            Self::PingResponse(time) => (7, time),
            Self::Unknown {
                event_type,
                ref data,
            } => {
                payload.extend(event_type.to_be_bytes());
                payload.extend_from_slice(data);
                return Raw::new(message_type::USER_CONTROL, payload);
            }
        };
        payload.extend(u16::to_be_bytes(event_type));
        payload.extend(number.to_be_bytes());
        if let Self::SetBufferLength { length, .. } = *self {
            payload.extend(length.to_be_bytes());
        }
        Raw::new(message_type::USER_CONTROL, payload)
    }
}

/// The four bytes of most protocol control messages.
pub(super) fn number(raw: &Raw) -> Result<u32, Error> {
    Reader::new(&raw.payload).u32().ok_or_else(|| short(raw))
}

pub(super) fn peer_bandwidth(raw: &Raw) -> Result<Message, Error> {
    let mut reader = Reader::new(&raw.payload);
    let (Some(window), Some(limit_type)) = (reader.u32(), reader.u8()) else {
        return Err(short(raw));
    };
    let limit_type = match limit_type {
        0 => LimitType::Hard,
        1 => LimitType::Soft,
        2 => LimitType::Dynamic,
        other => return Err(Error::LimitType(other)),
    };
    Ok(Message::SetPeerBandwidth { window, limit_type })
}

pub(super) fn short(raw: &Raw) -> Error {
    Error::Short {
        message_type: raw.message_type,
        length: raw.payload.len(),
    }
}
