use alloc::vec::Vec;

use super::{Object, Value, decode::marker};

/// Values one after the other, as a command or a data message carries them.
pub fn encode_all<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        value.encode(&mut out);
    }
    out
}

impl Value {
    /// Appends this value. References are never written: every object stands in full.
    ///
    /// The format's own limits hold: a property or class name is cut at 65,535 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                out.push(marker::NUMBER);
                out.extend(number.to_be_bytes());
            }
            Self::Boolean(boolean) => out.extend([marker::BOOLEAN, u8::from(*boolean)]),
            Self::String(text) => match u16::try_from(text.len()) {
                Ok(_) => {
                    out.push(marker::STRING);
                    name(text, out);
                }
                Err(_) => {
                    out.push(marker::LONG_STRING);
                    long_text(text, out);
                }
            },
            Self::Object(object) => {
                out.push(marker::OBJECT);
                properties(object, out);
            }
            Self::Null => out.push(marker::NULL),
            Self::Undefined => out.push(marker::UNDEFINED),
            Self::EcmaArray(object) => {
                out.push(marker::ECMA_ARRAY);
                out.extend((object.len() as u32).to_be_bytes());
                properties(object, out);
            }
            Self::StrictArray(values) => {
                out.push(marker::STRICT_ARRAY);
                out.extend((values.len() as u32).to_be_bytes());
                for value in values {
                    value.encode(out);
                }
            }
            Self::Date { millis, time_zone } => {
                out.push(marker::DATE);
                out.extend(millis.to_be_bytes());
                out.extend(time_zone.to_be_bytes());
            }
            Self::Unsupported => out.push(marker::UNSUPPORTED),
            Self::Xml(text) => {
                out.push(marker::XML);
                long_text(text, out);
            }
            Self::TypedObject { class_name, object } => {
                out.push(marker::TYPED_OBJECT);
                name(class_name, out);
                properties(object, out);
            }
            Self::AvmPlus(value) => {
                out.push(marker::AVM_PLUS);
                value.encode(out);
            }
        }
    }
}

fn properties(object: &Object, out: &mut Vec<u8>) {
    for (key, value) in object {
        name(key, out);
        value.encode(out);
    }
    out.extend([0, 0, marker::OBJECT_END]);
}

/// UTF-8 behind a 16-bit length (§1.3.1).
fn name(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend((end as u16).to_be_bytes());
    out.extend(&text.as_bytes()[..end]);
}

/// UTF-8 behind a 32-bit length.
fn long_text(text: &str, out: &mut Vec<u8>) {
    out.extend((text.len() as u32).to_be_bytes());
    out.extend(text.as_bytes());
}
