use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::{Object, Value, decode::marker};

/// What fits in 29 bits with sign (§3.6).
pub(super) const INTEGERS: RangeInclusive<i32> = -(1 << 28)..=(1 << 28) - 1;

/// Values one after the other.
pub fn encode_all<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        value.encode(&mut out);
    }
    out
}

impl Value {
    /// Appends this value with its marker. References are never written: every string and object stands in full.
    ///
    /// The format's own limits hold: a string or list stops at 2^28 - 1 bytes or elements, and properties with empty names are left out
    /// where an empty name would end the list.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Undefined => out.push(marker::UNDEFINED),
            Self::Null => out.push(marker::NULL),
            Self::Boolean(false) => out.push(marker::FALSE),
            Self::Boolean(true) => out.push(marker::TRUE),
            Self::Integer(integer) if INTEGERS.contains(integer) => {
                out.push(marker::INTEGER);
                u29(*integer as u32 & 0x1fff_ffff, out);
            }
            Self::Integer(integer) => Self::Double((*integer).into()).encode(out),
            Self::Double(number) => {
                out.push(marker::DOUBLE);
                out.extend(number.to_be_bytes());
            }
            Self::String(text) => {
                out.push(marker::STRING);
                bytes(text.as_bytes(), out);
            }
            Self::XmlDocument(text) => {
                out.push(marker::XML_DOCUMENT);
                bytes(text.as_bytes(), out);
            }
            Self::Date(millis) => {
                out.extend([marker::DATE, 1]);
                out.extend(millis.to_be_bytes());
            }
            Self::Array { associative, dense } => {
                out.push(marker::ARRAY);
                let count = inline(dense.len(), out);
                named(associative, out);
                dense.iter().take(count).for_each(|value| value.encode(out));
            }
            Self::Object(object) => object.encode(out),
            Self::Externalizable { class_name, value } => {
                out.extend([marker::OBJECT, 0b111]);
                bytes(class_name.as_bytes(), out);
                value.encode(out);
            }
            Self::Xml(text) => {
                out.push(marker::XML);
                bytes(text.as_bytes(), out);
            }
            Self::ByteArray(array) => {
                out.push(marker::BYTE_ARRAY);
                bytes(array, out);
            }
            Self::VectorInt { fixed, values } => vector(
                marker::VECTOR_INT,
                *fixed,
                values,
                |value| value.to_be_bytes(),
                out,
            ),
            Self::VectorUint { fixed, values } => vector(
                marker::VECTOR_UINT,
                *fixed,
                values,
                |value| value.to_be_bytes(),
                out,
            ),
            Self::VectorDouble { fixed, values } => vector(
                marker::VECTOR_DOUBLE,
                *fixed,
                values,
                |value| value.to_be_bytes(),
                out,
            ),
            Self::VectorObject {
                fixed,
                type_name,
                values,
            } => {
                out.push(marker::VECTOR_OBJECT);
                let count = inline(values.len(), out);
                out.push(u8::from(*fixed));
                bytes(type_name.as_bytes(), out);
                values
                    .iter()
                    .take(count)
                    .for_each(|value| value.encode(out));
            }
            Self::Dictionary { weak, entries } => {
                out.push(marker::DICTIONARY);
                let count = inline(entries.len(), out);
                out.push(u8::from(*weak));
                for (key, value) in entries.iter().take(count) {
                    key.encode(out);
                    value.encode(out);
                }
            }
        }
    }
}

impl Object {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(marker::OBJECT);
        let sealed = self.sealed.len().min((1 << 25) - 1);
        u29(
            (sealed as u32) << 4 | u32::from(self.dynamic.is_some()) << 3 | 0b011,
            out,
        );
        bytes(self.class_name.as_bytes(), out);
        for (name, _) in self.sealed.iter().take(sealed) {
            bytes(name.as_bytes(), out);
        }
        for (_, value) in self.sealed.iter().take(sealed) {
            value.encode(out);
        }
        if let Some(properties) = &self.dynamic {
            named(properties, out);
        }
    }
}

fn named(properties: &[(String, Value)], out: &mut Vec<u8>) {
    for (name, value) in properties.iter().filter(|(name, _)| !name.is_empty()) {
        bytes(name.as_bytes(), out);
        value.encode(out);
    }
    bytes(&[], out);
}

fn vector<T: Copy, const N: usize>(
    marker: u8,
    fixed: bool,
    values: &[T],
    to_bytes: impl Fn(T) -> [u8; N],
    out: &mut Vec<u8>,
) {
    out.push(marker);
    let count = inline(values.len(), out);
    out.push(u8::from(fixed));
    out.extend(values.iter().take(count).flat_map(|value| to_bytes(*value)));
}

fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let length = inline(bytes.len(), out);
    out.extend(&bytes[..length]);
}

/// A length whose low bit says that no reference but the thing itself follows; how much of it may follow.
fn inline(length: usize, out: &mut Vec<u8>) -> usize {
    let length = length.min((1 << 28) - 1);
    u29((length as u32) << 1 | 1, out);
    length
}

/// A variable-length unsigned 29-bit integer (§1.3.1).
fn u29(value: u32, out: &mut Vec<u8>) {
    let group = |shift: u32| 0x80 | (value >> shift) as u8;
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x4000 => out.extend([group(7), value as u8 & 0x7f]),
        0x4000..0x20_0000 => out.extend([group(14), group(7), value as u8 & 0x7f]),
        _ => out.extend([group(22), group(15), group(8), value as u8]),
    }
}
