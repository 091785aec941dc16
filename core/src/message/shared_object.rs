use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Dialect, Error, Raw, message_type};
use crate::amf0::{self, Decoder, Limits, Value};

/// Events of one shared object: message type 19, or 16 in AMF3 (RTMP 1.0 §7.1.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedObject {
    /// Which shared object.
    pub name: String,
    /// The version the sender has seen.
    pub version: u32,
    /// Whether the server keeps it when nobody uses it.
    pub persistent: bool,
    /// What happened, in order.
    pub events: Vec<SharedObjectEvent>,
    /// How it is written: message type 19 for [`Dialect::Amf0`], else 16, whose AMF3 values stand behind the avmplus-object marker.
    pub dialect: Dialect,
}

/// An event of a shared object (§7.1.3).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SharedObjectEvent {
    /// The client uses it from here on.
    Use,
    /// The client has let go of it.
    Release,
    /// The client asks to set a property.
    RequestChange(String, Value),
    /// Properties have been set by another client.
    Change(Vec<(String, Value)>),
    /// The client's own change of this property was granted.
    Success(String),
    /// A call on all clients: the handler's name and its arguments.
    SendMessage(Vec<Value>),
    /// A request was refused.
    Status {
        /// For instance `SharedObject.NoWriteAccess`.
        code: String,
        /// `status` or `error`.
        level: String,
    },
    /// All properties are gone.
    Clear,
    /// A property is gone.
    Remove(String),
    /// The client asks to remove a property.
    RequestRemove(String),
    /// The client may use it.
    UseSuccess,
    /// An event type that RTMP 1.0 does not define.
    Unknown {
        /// The event type.
        event_type: u8,
        /// The event data.
        data: Bytes,
    },
}

/// The flags word of a persistent shared object.
const PERSISTENT: u32 = 2;

impl SharedObject {
    pub(super) fn decode(raw: &Raw, limits: &Limits) -> Result<Self, Error> {
        let message_type = raw.message_type;
        Self::read(raw, limits).map_err(|error| Error::Value {
            message_type,
            error,
        })
    }

    fn read(raw: &Raw, limits: &Limits) -> Result<Self, amf0::Error> {
        let mut input = Decoder::new(&raw.payload, limits);
        let dialect = if raw.message_type == message_type::SHARED_OBJECT_AMF3 {
            input.reader.u8()?;
            Dialect::Amf0InAmf3
        } else {
            Dialect::Amf0
        };
        let name = short_string(&mut input)?;
        let version = input.reader.u32()?;
        let persistent = input.reader.u32()? & PERSISTENT != 0;
        input.reader.u32()?;
        let mut events = Vec::new();
        while !input.rest().is_empty() {
            input.reader.count(1)?;
            let event_type = input.reader.u8()?;
            let length = input.reader.u32()? as usize;
            let left = input.rest().len();
            if length > left {
                return Err(amf0::Error::Truncated {
                    needed: length,
                    left,
                });
            }
            let end = input.reader.at + length;
            events.push(event(event_type, &mut input, end, &raw.payload)?);
            if input.reader.at > end {
                return Err(amf0::Error::Truncated {
                    needed: input.reader.at - end,
                    left: 0,
                });
            }
            input.reader.at = end;
        }
        Ok(Self {
            name,
            version,
            persistent,
            events,
            dialect,
        })
    }

    pub(super) fn encode(&self) -> Raw {
        let mut out = Vec::new();
        let message_type = match self.dialect {
            Dialect::Amf0 => message_type::SHARED_OBJECT_AMF0,
            Dialect::Amf0InAmf3 | Dialect::Amf3 => {
                out.push(0);
                message_type::SHARED_OBJECT_AMF3
            }
        };
        push_string(&self.name, &mut out);
        out.extend(self.version.to_be_bytes());
        out.extend(if self.persistent { PERSISTENT } else { 0 }.to_be_bytes());
        out.extend([0; 4]);
        for event in &self.events {
            out.push(event.event_type());
            let start = out.len();
            out.extend([0; 4]);
            event.encode(&mut out);
            let length = (out.len() - start - 4) as u32;
            if let Some(field) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
                *field = length.to_be_bytes();
            }
        }
        Raw::new(message_type, out)
    }
}

impl SharedObjectEvent {
    const fn event_type(&self) -> u8 {
        match self {
            Self::Use => 1,
            Self::Release => 2,
            Self::RequestChange(..) => 3,
            Self::Change(_) => 4,
            Self::Success(_) => 5,
            Self::SendMessage(_) => 6,
            Self::Status { .. } => 7,
            Self::Clear => 8,
            Self::Remove(_) => 9,
            Self::RequestRemove(_) => 10,
            Self::UseSuccess => 11,
            Self::Unknown { event_type, .. } => *event_type,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Use | Self::Release | Self::Clear | Self::UseSuccess => {}
            Self::RequestChange(name, value) => {
                push_string(name, out);
                value.encode(out);
            }
            Self::Change(properties) => {
                for (name, value) in properties {
                    push_string(name, out);
                    value.encode(out);
                }
            }
            Self::SendMessage(values) => values.iter().for_each(|value| value.encode(out)),
            Self::Status { code, level } => {
                push_string(code, out);
                push_string(level, out);
            }
            Self::Success(name) | Self::Remove(name) | Self::RequestRemove(name) => {
                push_string(name, out)
            }
            Self::Unknown { data, .. } => out.extend_from_slice(data),
        }
    }
}

/// Reads the data of an event that ends at `end` of the payload.
fn event(
    event_type: u8,
    input: &mut Decoder<'_>,
    end: usize,
    payload: &Bytes,
) -> Result<SharedObjectEvent, amf0::Error> {
    Ok(match event_type {
        1 => SharedObjectEvent::Use,
        2 => SharedObjectEvent::Release,
        3 => SharedObjectEvent::RequestChange(short_string(input)?, value(input)?),
        4 => {
            let mut properties = Vec::new();
            while input.reader.at < end {
                properties.push((short_string(input)?, value(input)?));
            }
            SharedObjectEvent::Change(properties)
        }
        5 => SharedObjectEvent::Success(short_string(input)?),
        6 => {
            let mut values = Vec::new();
            while input.reader.at < end {
                values.push(value(input)?);
            }
            SharedObjectEvent::SendMessage(values)
        }
        7 => SharedObjectEvent::Status {
            code: short_string(input)?,
            level: short_string(input)?,
        },
        8 => SharedObjectEvent::Clear,
        9 => SharedObjectEvent::Remove(short_string(input)?),
        10 => SharedObjectEvent::RequestRemove(short_string(input)?),
        11 => SharedObjectEvent::UseSuccess,
        _ => SharedObjectEvent::Unknown {
            event_type,
            data: payload.slice(input.reader.at..end),
        },
    })
}

fn value(input: &mut Decoder<'_>) -> Result<Value, amf0::Error> {
    input
        .next()
        .unwrap_or(Err(amf0::Error::Truncated { needed: 1, left: 0 }))
}

fn short_string(input: &mut Decoder<'_>) -> Result<String, amf0::Error> {
    let length = input.reader.u16()?;
    input.reader.text(usize::from(length))
}

/// Text behind its length in 16 bits, cut to fit.
fn push_string(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend((end as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes().get(..end).unwrap_or_default());
}
