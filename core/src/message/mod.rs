//! RTMP messages (RTMP 1.0 §5.4, §6, §7): the raw message the chunk stream carries, and the typed ones inside.

mod aggregate;
mod command;
mod control;
mod error;
mod raw;
mod shared_object;
mod values;

pub use aggregate::{Aggregate, Messages};
pub use command::{Command, Data};
pub use control::{LimitType, UserControl};
pub use error::Error;
pub use raw::{Raw, message_type};
pub use shared_object::{SharedObject, SharedObjectEvent};
pub use values::Dialect;

use bytes::Bytes;

use crate::amf0;

/// A message by its type. Message stream id and timestamp stay with the [`Raw`] one, except where they matter inside.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// The sender's chunks are of this many bytes from here on (§5.4.1).
    SetChunkSize(u32),
    /// The rest of the unfinished message on this chunk stream will not come (§5.4.2).
    Abort {
        /// The chunk stream.
        chunk_stream_id: u32,
    },
    /// So many bytes received since the start, modulo 2^32 (§5.4.3).
    Acknowledgement(u32),
    /// Acknowledge whenever so many bytes have come (§5.4.4).
    WindowAckSize(u32),
    /// Have no more than so many bytes unacknowledged (§5.4.5).
    SetPeerBandwidth {
        /// The window in bytes.
        window: u32,
        /// How to take it.
        limit_type: LimitType,
    },
    /// An event of a stream or of the connection (§6.2).
    UserControl(UserControl),
    /// Audio data, an FLV audio tag's (§7.1.4).
    Audio(Bytes),
    /// Video data, an FLV video tag's (§7.1.5).
    Video(Bytes),
    /// A call or its answer (§7.1.1).
    Command(Command),
    /// A named list of values (§7.1.2).
    Data(Data),
    /// Events of a shared object (§7.1.3).
    SharedObject(SharedObject),
    /// Several messages in one (§7.1.6).
    Aggregate(Aggregate),
    /// A type that RTMP 1.0 does not define.
    Unknown(Raw),
}

impl Message {
    /// Reads a message, with the default limits on its values.
    pub fn decode(raw: &Raw) -> Result<Self, Error> {
        Self::decode_with(raw, &amf0::Limits::default())
    }

    /// Reads a message, with these limits on its values. Fields after those that the specification names are ignored.
    pub fn decode_with(raw: &Raw, limits: &amf0::Limits) -> Result<Self, Error> {
        Ok(match raw.message_type {
            message_type::SET_CHUNK_SIZE => Self::SetChunkSize(control::number(raw)?),
            message_type::ABORT => Self::Abort {
                chunk_stream_id: control::number(raw)?,
            },
            message_type::ACKNOWLEDGEMENT => Self::Acknowledgement(control::number(raw)?),
            message_type::WINDOW_ACK_SIZE => Self::WindowAckSize(control::number(raw)?),
            message_type::SET_PEER_BANDWIDTH => control::peer_bandwidth(raw)?,
            message_type::USER_CONTROL => Self::UserControl(UserControl::decode(raw)?),
            message_type::AUDIO => Self::Audio(raw.payload.clone()),
            message_type::VIDEO => Self::Video(raw.payload.clone()),
            message_type::COMMAND_AMF0 | message_type::COMMAND_AMF3 => {
                Self::Command(Command::decode(raw, limits)?)
            }
            message_type::DATA_AMF0 | message_type::DATA_AMF3 => {
                Self::Data(Data::decode(raw, limits)?)
            }
            message_type::SHARED_OBJECT_AMF0 | message_type::SHARED_OBJECT_AMF3 => {
                Self::SharedObject(SharedObject::decode(raw, limits)?)
            }
            message_type::AGGREGATE => Self::Aggregate(Aggregate::from_raw(raw)),
            _ => Self::Unknown(raw.clone()),
        })
    }

    /// This message on message stream 0 at timestamp 0; see [`Raw::on_stream`] and [`Raw::at`].
    ///
    /// An aggregate and an unknown message keep their own.
    pub fn encode(&self) -> Raw {
        let number = |message_type, value: u32| {
            Raw::new(message_type, Bytes::copy_from_slice(&value.to_be_bytes()))
        };
        match self {
            Self::SetChunkSize(size) => number(message_type::SET_CHUNK_SIZE, *size),
            Self::Abort { chunk_stream_id } => number(message_type::ABORT, *chunk_stream_id),
            Self::Acknowledgement(sequence_number) => {
                number(message_type::ACKNOWLEDGEMENT, *sequence_number)
            }
            Self::WindowAckSize(window) => number(message_type::WINDOW_ACK_SIZE, *window),
            Self::SetPeerBandwidth { window, limit_type } => {
                let [a, b, c, d] = window.to_be_bytes();
                Raw::new(
                    message_type::SET_PEER_BANDWIDTH,
                    alloc::vec![a, b, c, d, *limit_type as u8],
                )
            }
            Self::UserControl(event) => event.encode(),
            Self::Audio(payload) => Raw::new(message_type::AUDIO, payload.clone()),
            Self::Video(payload) => Raw::new(message_type::VIDEO, payload.clone()),
            Self::Command(command) => command.encode(),
            Self::Data(data) => data.encode(),
            Self::SharedObject(object) => object.encode(),
            Self::Aggregate(aggregate) => aggregate.encode(),
            Self::Unknown(raw) => raw.clone(),
        }
    }
}
