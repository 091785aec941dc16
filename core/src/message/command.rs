use alloc::string::String;
use alloc::vec::Vec;

use super::{Dialect, Error, Raw, message_type, values};
use crate::amf0::{Limits, Value};

/// A call of the peer, or the answer to one: message type 20, or 17 in AMF3 (RTMP 1.0 §7.1.1, §7.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command {
    /// What is called; `_result` or `_error` in an answer.
    pub name: String,
    /// Pairs a call with its answer; 0 where none is wanted. 0 too where the peer sent no number.
    pub transaction_id: f64,
    /// The command object (null where there is none) and what follows it. Empty where the peer sent nothing more.
    pub values: Vec<Value>,
    /// How it is written.
    pub dialect: Dialect,
}

impl Command {
    /// A command in AMF0.
    pub fn new(name: impl Into<String>, transaction_id: f64, values: Vec<Value>) -> Self {
        Self {
            name: name.into(),
            transaction_id,
            values,
            dialect: Dialect::Amf0,
        }
    }

    pub(super) fn decode(raw: &Raw, limits: &Limits) -> Result<Self, Error> {
        let message_type = raw.message_type;
        let is_amf3 = message_type == message_type::COMMAND_AMF3;
        let (dialect, values) = values::decode(message_type, is_amf3, &raw.payload, limits)?;
        let mut values = values.into_iter();
        let name = name(values.next()).ok_or(Error::Nameless { message_type })?;
        let transaction_id = values
            .next()
            .and_then(|value| value.as_number())
            .unwrap_or_default();
        Ok(Self {
            name,
            transaction_id,
            values: values.collect(),
            dialect,
        })
    }

    pub(super) fn encode(&self) -> Raw {
        let message_type = match self.dialect {
            Dialect::Amf0 => message_type::COMMAND_AMF0,
            Dialect::Amf0InAmf3 | Dialect::Amf3 => message_type::COMMAND_AMF3,
        };
        let first = [
            Value::from(self.name.as_str()),
            Value::from(self.transaction_id),
        ];
        Raw::new(
            message_type,
            values::encode(self.dialect, first.iter().chain(&self.values)),
        )
    }
}

/// A named list of values that nobody answers, `onMetaData` for one: message type 18, or 15 in AMF3 (RTMP 1.0 §7.1.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// The handler it is for.
    pub name: String,
    /// Its arguments.
    pub values: Vec<Value>,
    /// How it is written.
    pub dialect: Dialect,
}

impl Data {
    /// A data message in AMF0.
    pub fn new(name: impl Into<String>, values: Vec<Value>) -> Self {
        Self {
            name: name.into(),
            values,
            dialect: Dialect::Amf0,
        }
    }

    pub(super) fn decode(raw: &Raw, limits: &Limits) -> Result<Self, Error> {
        let message_type = raw.message_type;
        let is_amf3 = message_type == message_type::DATA_AMF3;
        let (dialect, values) = values::decode(message_type, is_amf3, &raw.payload, limits)?;
        let mut values = values.into_iter();
        let name = name(values.next()).ok_or(Error::Nameless { message_type })?;
        Ok(Self {
            name,
            values: values.collect(),
            dialect,
        })
    }

    pub(super) fn encode(&self) -> Raw {
        let message_type = match self.dialect {
            Dialect::Amf0 => message_type::DATA_AMF0,
            Dialect::Amf0InAmf3 | Dialect::Amf3 => message_type::DATA_AMF3,
        };
        let name = Value::from(self.name.as_str());
        Raw::new(
            message_type,
            values::encode(self.dialect, [&name].into_iter().chain(&self.values)),
        )
    }
}

fn name(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(name) => Some(name),
        other => other.as_str().map(String::from),
    }
}
