use alloc::string::String;
use alloc::vec::Vec;

use super::{Object, Value};
use crate::amf3;

impl Value {
    /// This value without AMF3 in it: whatever stands behind an avmplus-object marker becomes its nearest AMF0 value.
    #[must_use]
    pub fn into_amf0(self) -> Self {
        match self {
            Self::AvmPlus(value) => Self::from(*value),
            Self::Object(object) => Self::Object(object_into_amf0(object)),
            Self::EcmaArray(object) => Self::EcmaArray(object_into_amf0(object)),
            Self::StrictArray(values) => {
                Self::StrictArray(values.into_iter().map(Self::into_amf0).collect())
            }
            Self::TypedObject { class_name, object } => Self::TypedObject {
                class_name,
                object: object_into_amf0(object),
            },
            other => other,
        }
    }
}

fn object_into_amf0(object: Object) -> Object {
    object
        .into_iter()
        .map(|(name, value)| (name, value.into_amf0()))
        .collect()
}

impl From<amf3::Value> for Value {
    /// The nearest AMF0 value. Byte arrays and vectors become arrays of numbers; a dictionary an array of key and value pairs.
    fn from(value: amf3::Value) -> Self {
        match value {
            amf3::Value::Undefined => Self::Undefined,
            amf3::Value::Null => Self::Null,
            amf3::Value::Boolean(boolean) => Self::Boolean(boolean),
            amf3::Value::Integer(integer) => Self::Number(integer.into()),
            amf3::Value::Double(number) => Self::Number(number),
            amf3::Value::String(text) => Self::String(text),
            amf3::Value::XmlDocument(text) | amf3::Value::Xml(text) => Self::Xml(text),
            amf3::Value::Date(millis) => Self::Date {
                millis,
                time_zone: 0,
            },
            amf3::Value::Array { associative, dense } if associative.is_empty() => {
                Self::StrictArray(dense.into_iter().map(Self::from).collect())
            }
            amf3::Value::Array { associative, dense } => {
                let ordinal = dense
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| (alloc::format!("{index}"), Self::from(value)));
                Self::EcmaArray(
                    ordinal
                        .chain(
                            associative
                                .into_iter()
                                .map(|(name, value)| (name, Self::from(value))),
                        )
                        .collect(),
                )
            }
            amf3::Value::Object(amf3::Object {
                class_name,
                sealed,
                dynamic,
            }) => {
                let object = sealed
                    .into_iter()
                    .chain(dynamic.unwrap_or_default())
                    .map(|(name, value)| (name, Self::from(value)))
                    .collect();
                if class_name.is_empty() {
                    Self::Object(object)
                } else {
                    Self::TypedObject { class_name, object }
                }
            }
            amf3::Value::Externalizable { value, .. } => Self::from(*value),
            amf3::Value::ByteArray(bytes) => numbers(bytes.into_iter().map(f64::from)),
            amf3::Value::VectorInt { values, .. } => numbers(values.into_iter().map(f64::from)),
            amf3::Value::VectorUint { values, .. } => numbers(values.into_iter().map(f64::from)),
            amf3::Value::VectorDouble { values, .. } => numbers(values.into_iter()),
            amf3::Value::VectorObject { values, .. } => {
                Self::StrictArray(values.into_iter().map(Self::from).collect())
            }
            amf3::Value::Dictionary { entries, .. } => {
                let pair = |(key, value)| {
                    Self::StrictArray(alloc::vec![Self::from(key), Self::from(value)])
                };
                Self::StrictArray(entries.into_iter().map(pair).collect())
            }
        }
    }
}

fn numbers(values: impl Iterator<Item = f64>) -> Value {
    Value::StrictArray(values.map(Value::Number).collect())
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
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

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::StrictArray(values)
    }
}
