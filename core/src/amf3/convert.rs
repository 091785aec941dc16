use alloc::string::String;
use alloc::vec::Vec;

use super::{Object, Value};
use crate::amf0;

impl From<amf0::Value> for Value {
    /// The nearest AMF3 value: an integral number becomes an integer where that loses nothing.
    fn from(value: amf0::Value) -> Self {
        match value {
            amf0::Value::Number(number) => number.into(),
            amf0::Value::Boolean(boolean) => Self::Boolean(boolean),
            amf0::Value::String(text) => Self::String(text),
            amf0::Value::Object(object) => Self::Object(Object {
                dynamic: Some(properties(object)),
                ..Object::default()
            }),
            amf0::Value::Null => Self::Null,
            amf0::Value::Undefined | amf0::Value::Unsupported => Self::Undefined,
            amf0::Value::EcmaArray(object) => Self::Array {
                associative: properties(object),
                dense: Vec::new(),
            },
            amf0::Value::StrictArray(values) => Self::Array {
                associative: Vec::new(),
                dense: values.into_iter().map(Self::from).collect(),
            },
            amf0::Value::Date { millis, .. } => Self::Date(millis),
            amf0::Value::Xml(text) => Self::Xml(text),
            amf0::Value::TypedObject { class_name, object } => Self::Object(Object {
                class_name,
                sealed: properties(object),
                dynamic: None,
            }),
            amf0::Value::AvmPlus(value) => *value,
        }
    }
}

/// AMF3 ends a list of properties with an empty name, so a property cannot have one.
fn properties(object: amf0::Object) -> Vec<(String, Value)> {
    object
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name, value.into()))
        .collect()
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        let integer = number as i32;
        let same = f64::from(integer).to_bits() == number.to_bits();
        if same && super::encode::INTEGERS.contains(&integer) {
            Self::Integer(integer)
        } else {
            Self::Double(number)
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}
