//! AMF0 values (amf0-file-format-spec): what commands, data messages and script tags carry.
//!
//! Decoding is bounded by [`Limits`]. References are resolved by copying, within those limits, so that a [`Value`] is always
//! a tree; one that refers to an object still being read (a cycle) is refused.

mod convert;
pub(crate) mod decode;
mod encode;
mod object;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

pub use decode::{Decoder, Error, Limits, decode_all, decode_all_with};
pub use encode::encode_all;
pub use object::Object;

use crate::amf3;

/// An AMF0 value (§2).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double (§2.2), AMF0's only number.
    Number(f64),
    /// A boolean (§2.3).
    Boolean(bool),
    /// A string (§2.4), encoded as a long string (§2.14) when it is over 65,535 bytes. Bytes that are not UTF-8 become U+FFFD.
    String(String),
    /// An anonymous object (§2.5).
    Object(Object),
    /// Null (§2.7).
    Null,
    /// Undefined (§2.8).
    Undefined,
    /// An associative array (§2.10), which Flash's `onMetaData` uses.
    EcmaArray(Object),
    /// An array with ordinal indices (§2.12).
    StrictArray(Vec<Value>),
    /// A date (§2.13).
    Date {
        /// Milliseconds since 1970-01-01 UTC.
        millis: f64,
        /// Reserved: zero, and to be ignored.
        time_zone: i16,
    },
    /// What the peer could not serialise (§2.15).
    Unsupported,
    /// The text of an XML document (§2.17).
    Xml(String),
    /// An object of a registered class (§2.18).
    TypedObject {
        /// The alias under which the class is registered.
        class_name: String,
        /// Its properties.
        object: Object,
    },
    /// A value in AMF3 behind the avmplus-object marker (§3.1).
    AvmPlus(Box<amf3::Value>),
}

impl Value {
    /// The text of a string or an XML document, in either dialect.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Xml(text) => Some(text),
            Self::AvmPlus(value) => value.as_str(),
            _ => None,
        }
    }

    /// The number, in either dialect; a boolean or a string is not one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::AvmPlus(value) => value.as_number(),
            _ => None,
        }
    }

    /// The boolean, in either dialect.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::AvmPlus(value) => value.as_bool(),
            _ => None,
        }
    }

    /// The properties of an object, a typed object or an ECMA array. Call [`Value::into_amf0`] first where AMF3 may occur.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) | Self::EcmaArray(object) | Self::TypedObject { object, .. } => {
                Some(object)
            }
            _ => None,
        }
    }

    /// The elements of a strict array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::StrictArray(values) => Some(values),
            _ => None,
        }
    }

    /// Whether this is null or undefined, which commands use alike for "nothing".
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Null | Self::Undefined => true,
            Self::AvmPlus(value) => matches!(**value, amf3::Value::Null | amf3::Value::Undefined),
            _ => false,
        }
    }
}
