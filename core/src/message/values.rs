//! The values inside commands, data messages and shared object messages, in either dialect.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Error;
use crate::amf0::{self, Limits, Value};
use crate::amf3;

/// How the values of a message are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// AMF0: message types 18, 19 and 20.
    #[default]
    Amf0,
    /// AMF0 behind a zero byte: what most peers put into message types 15, 16 and 17. AMF3 values stand behind the
    /// avmplus-object marker.
    Amf0InAmf3,
    /// AMF3 throughout, in message types 15 and 17.
    Amf3,
}

/// The values of an AMF0 message, or of an AMF3 message where the first byte tells which of the two dialects it is.
pub(super) fn decode(
    message_type: u8,
    is_amf3: bool,
    payload: &[u8],
    limits: &Limits,
) -> Result<(Dialect, Vec<Value>), Error> {
    let (dialect, values) = match payload {
        _ if !is_amf3 => (Dialect::Amf0, amf0::decode_all_with(payload, limits)),
        [0, values @ ..] => (Dialect::Amf0InAmf3, amf0::decode_all_with(values, limits)),
        // The marker of an AMF0 string, which as AMF3 is `false`: a peer that left the zero out. No name is a boolean.
        [2, ..] => (Dialect::Amf0InAmf3, amf0::decode_all_with(payload, limits)),
        _ => (
            Dialect::Amf3,
            amf3::decode_all_with(payload, limits)
                .map(|values| values.into_iter().map(wrap).collect()),
        ),
    };
    Ok((
        dialect,
        values.map_err(|error| Error::Value {
            message_type,
            error,
        })?,
    ))
}

/// Simple values become plain AMF0 ones, so that reading a command is the same in both dialects.
fn wrap(value: amf3::Value) -> Value {
    match value {
        amf3::Value::Undefined
        | amf3::Value::Null
        | amf3::Value::Boolean(_)
        | amf3::Value::Integer(_)
        | amf3::Value::Double(_)
        | amf3::Value::String(_) => value.into(),
        other => Value::AvmPlus(Box::new(other)),
    }
}

/// The inverse of [`decode`].
pub(super) fn encode<'a>(dialect: Dialect, values: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    let mut out = Vec::new();
    match dialect {
        Dialect::Amf0 => {}
        Dialect::Amf0InAmf3 => out.push(0),
        Dialect::Amf3 => {
            for value in values {
                amf3::Value::from(value.clone()).encode(&mut out);
            }
            return out;
        }
    }
    for value in values {
        value.encode(&mut out);
    }
    out
}
