//! AMF3 values (amf3-file-format-spec): what Flash sent once both sides had agreed on object encoding 3.
//!
//! Decoding is bounded and resolves references as [`crate::amf0`] does. Encoding writes no references and so needs no state.

mod convert;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

pub use crate::amf0::{Error, Limits};
pub(crate) use decode::{Tables, decode_value};
pub use decode::{decode_all, decode_all_with};
pub use encode::encode_all;

/// An AMF3 value (§3).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Undefined (§3.2).
    Undefined,
    /// Null (§3.3).
    Null,
    /// A boolean (§3.4, §3.5).
    Boolean(bool),
    /// A 29-bit signed integer (§3.6). What does not fit in 29 bits is encoded as a double, as §3.6 asks.
    Integer(i32),
    /// A double (§3.7).
    Double(f64),
    /// A string (§3.8). Bytes that are not UTF-8 become U+FFFD.
    String(String),
    /// The text of a legacy XML document (§3.9).
    XmlDocument(String),
    /// A date in milliseconds since 1970-01-01 UTC (§3.10).
    Date(f64),
    /// An array (§3.11).
    Array {
        /// Elements with names, none of which is empty.
        associative: Vec<(String, Value)>,
        /// Elements 0, 1, 2 and so on.
        dense: Vec<Value>,
    },
    /// An object (§3.12).
    Object(Object),
    /// An object of Flex that serialises itself as the one value it wraps (§3.12): ArrayCollection, ArrayList or ObjectProxy.
    Externalizable {
        /// The alias under which the class is registered.
        class_name: String,
        /// What it wraps.
        value: Box<Value>,
    },
    /// The text of an E4X document (§3.13).
    Xml(String),
    /// Bytes (§3.14).
    ByteArray(Vec<u8>),
    /// A vector of signed integers (§3.15).
    VectorInt {
        /// Whether its length may not change.
        fixed: bool,
        /// The elements.
        values: Vec<i32>,
    },
    /// A vector of unsigned integers (§3.15).
    VectorUint {
        /// Whether its length may not change.
        fixed: bool,
        /// The elements.
        values: Vec<u32>,
    },
    /// A vector of doubles (§3.15).
    VectorDouble {
        /// Whether its length may not change.
        fixed: bool,
        /// The elements.
        values: Vec<f64>,
    },
    /// A vector of objects (§3.15).
    VectorObject {
        /// Whether its length may not change.
        fixed: bool,
        /// The elements' class, or `*` or empty for any.
        type_name: String,
        /// The elements.
        values: Vec<Value>,
    },
    /// A dictionary (§3.16).
    Dictionary {
        /// Whether its keys are held weakly.
        weak: bool,
        /// Keys and values in order.
        entries: Vec<(Value, Value)>,
    },
}

/// An AMF3 object: its class, the properties its class declares, and those it was given at run time (§3.12).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// The alias under which the class is registered; empty for an anonymous object.
    pub class_name: String,
    /// The declared properties.
    pub sealed: Vec<(String, Value)>,
    /// The others, none of whose names is empty; `None` if the class is not dynamic.
    pub dynamic: Option<Vec<(String, Value)>>,
}

impl Object {
    /// The property of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let properties = self
            .dynamic
            .iter()
            .flatten()
            .rev()
            .chain(self.sealed.iter().rev());
        properties
            .into_iter()
            .find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl Value {
    /// The text of a string or an XML document.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Xml(text) | Self::XmlDocument(text) => Some(text),
            _ => None,
        }
    }

    /// The number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(integer) => Some((*integer).into()),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    /// The object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}
