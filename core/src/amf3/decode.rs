use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Error, Limits, Object, Value};
use crate::amf0::decode::{Complex, Reader};

/// Type markers (§3.1).
pub(super) mod marker {
    pub(crate) const UNDEFINED: u8 = 0x00;
    pub(crate) const NULL: u8 = 0x01;
    pub(crate) const FALSE: u8 = 0x02;
    pub(crate) const TRUE: u8 = 0x03;
    pub(crate) const INTEGER: u8 = 0x04;
    pub(crate) const DOUBLE: u8 = 0x05;
    pub(crate) const STRING: u8 = 0x06;
    pub(crate) const XML_DOCUMENT: u8 = 0x07;
    pub(crate) const DATE: u8 = 0x08;
    pub(crate) const ARRAY: u8 = 0x09;
    pub(crate) const OBJECT: u8 = 0x0a;
    pub(crate) const XML: u8 = 0x0b;
    pub(crate) const BYTE_ARRAY: u8 = 0x0c;
    pub(crate) const VECTOR_INT: u8 = 0x0d;
    pub(crate) const VECTOR_UINT: u8 = 0x0e;
    pub(crate) const VECTOR_DOUBLE: u8 = 0x0f;
    pub(crate) const VECTOR_OBJECT: u8 = 0x10;
    pub(crate) const DICTIONARY: u8 = 0x11;
}

/// Classes of Flex that write themselves as one AMF3 value.
const WRAPPERS: [&str; 4] = [
    "flex.messaging.io.ArrayCollection",
    "flex.messaging.io.ArrayList",
    "flex.messaging.io.ObjectProxy",
    "flex.messaging.io.ManagedObjectProxy",
];

/// All values in `input`, within the default limits.
pub fn decode_all(input: &[u8]) -> Result<Vec<Value>, Error> {
    decode_all_with(input, &Limits::default())
}

/// All values in `input`, within `limits`.
pub fn decode_all_with(input: &[u8], limits: &Limits) -> Result<Vec<Value>, Error> {
    let mut reader = Reader::new(input, limits);
    let mut tables = Tables::default();
    let mut values = Vec::new();
    while !reader.rest().is_empty() {
        values.push(decode_value(&mut reader, &mut tables)?);
    }
    Ok(values)
}

impl Value {
    /// Takes one value from the front of `input`, which is advanced past it, and left as it is on an error.
    pub fn decode(input: &mut &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(input, limits);
        let value = decode_value(&mut reader, &mut Tables::default())?;
        *input = reader.rest();
        Ok(value)
    }
}

/// The reference tables of one message (§2.2). An AMF0 message shares them among all its AMF3 values.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Where the strings lie in the input.
    strings: Vec<Range<usize>>,
    complex: Vec<Complex>,
    traits: Vec<Traits>,
}

/// What a class declares (§3.12).
#[derive(Debug)]
struct Traits {
    class_name: String,
    externalizable: bool,
    dynamic: bool,
    names: Vec<String>,
}

pub(crate) fn decode_value(reader: &mut Reader<'_>, tables: &mut Tables) -> Result<Value, Error> {
    reader.count(1)?;
    let start = reader.at;
    Ok(match reader.u8()? {
        marker::UNDEFINED => Value::Undefined,
        marker::NULL => Value::Null,
        marker::FALSE => Value::Boolean(false),
        marker::TRUE => Value::Boolean(true),
        marker::INTEGER => Value::Integer((u29(reader)? << 3) as i32 >> 3),
        marker::DOUBLE => Value::Double(reader.f64()?),
        marker::STRING => Value::String(string(reader, tables)?),
        kind @ marker::XML_DOCUMENT..=marker::DICTIONARY => {
            let header = u29(reader)?;
            if header & 1 == 0 {
                let from = reader.revisit(header as usize >> 1, &tables.complex)?;
                let value = decode_value(reader, tables)?;
                reader.resume(from);
                return Ok(value);
            }
            let entry = reader.enter(start, &mut tables.complex)?;
            let value = complex_value(reader, tables, kind, header >> 1)?;
            reader.leave(entry, &mut tables.complex);
            value
        }
        unknown => return Err(Error::Marker(unknown)),
    })
}

/// What follows a header of `kind` whose lowest bit, now shifted out, was set. The header is a length for all but dates and objects.
fn complex_value(
    reader: &mut Reader<'_>,
    tables: &mut Tables,
    kind: u8,
    header: u32,
) -> Result<Value, Error> {
    let length = header as usize;
    Ok(match kind {
        marker::XML_DOCUMENT => Value::XmlDocument(reader.text(length)?),
        marker::XML => Value::Xml(reader.text(length)?),
        marker::BYTE_ARRAY => Value::ByteArray(reader.bytes(length)?.to_vec()),
        marker::DATE => Value::Date(reader.f64()?),
        marker::ARRAY => Value::Array {
            associative: named(reader, tables)?,
            dense: values(reader, tables, length)?,
        },
        marker::OBJECT => object(reader, tables, header)?,
        marker::VECTOR_INT => Value::VectorInt {
            fixed: flag(reader)?,
            values: vector(reader, length, i32::from_be_bytes)?,
        },
        marker::VECTOR_UINT => Value::VectorUint {
            fixed: flag(reader)?,
            values: vector(reader, length, u32::from_be_bytes)?,
        },
        marker::VECTOR_DOUBLE => Value::VectorDouble {
            fixed: flag(reader)?,
            values: vector(reader, length, f64::from_be_bytes)?,
        },
        marker::VECTOR_OBJECT => Value::VectorObject {
            fixed: flag(reader)?,
            type_name: string(reader, tables)?,
            values: values(reader, tables, length)?,
        },
        _ => {
            let weak = flag(reader)?;
            let mut entries = Vec::new();
            for _ in 0..length {
                entries.push((decode_value(reader, tables)?, decode_value(reader, tables)?));
            }
            Value::Dictionary { weak, entries }
        }
    })
}

fn object(reader: &mut Reader<'_>, tables: &mut Tables, header: u32) -> Result<Value, Error> {
    let index = if header & 1 == 0 {
        header as usize >> 1
    } else {
        read_traits(reader, tables, header)?
    };
    let known = tables.traits.len();
    let traits = tables
        .traits
        .get(index)
        .ok_or(Error::Reference { index, known })?;
    let (externalizable, dynamic) = (traits.externalizable, traits.dynamic);
    reader.charge(traits.class_name.len())?;
    let class_name = traits.class_name.clone();
    reader.count(traits.names.len())?;
    reader.charge(traits.names.iter().map(String::len).sum())?;
    let names = traits.names.clone();
    if reader.revisiting && header & 1 != 0 {
        // Reading in passing what the table has already.
        tables.traits.truncate(index);
    }
    if externalizable {
        if !WRAPPERS.contains(&class_name.as_str()) {
            return Err(Error::Externalizable);
        }
        return Ok(Value::Externalizable {
            class_name,
            value: Box::new(decode_value(reader, tables)?),
        });
    }
    let mut sealed = Vec::with_capacity(names.len());
    for name in names {
        sealed.push((name, decode_value(reader, tables)?));
    }
    let dynamic = if dynamic {
        Some(named(reader, tables)?)
    } else {
        None
    };
    Ok(Value::Object(Object {
        class_name,
        sealed,
        dynamic,
    }))
}

/// Reads traits sent in full and gives their index.
fn read_traits(reader: &mut Reader<'_>, tables: &mut Tables, header: u32) -> Result<usize, Error> {
    let externalizable = header & 0b10 != 0;
    let class_name = string(reader, tables)?;
    let mut names = Vec::new();
    if !externalizable {
        for _ in 0..header >> 3 {
            reader.count(1)?;
            names.push(string(reader, tables)?);
        }
    }
    tables.traits.push(Traits {
        class_name,
        externalizable,
        dynamic: header & 0b100 != 0,
        names,
    });
    Ok(tables.traits.len() - 1)
}

/// Named values up to the empty name.
fn named(reader: &mut Reader<'_>, tables: &mut Tables) -> Result<Vec<(String, Value)>, Error> {
    let mut properties = Vec::new();
    loop {
        let name = string(reader, tables)?;
        if name.is_empty() {
            return Ok(properties);
        }
        properties.push((name, decode_value(reader, tables)?));
    }
}

fn values(
    reader: &mut Reader<'_>,
    tables: &mut Tables,
    length: usize,
) -> Result<Vec<Value>, Error> {
    let mut values = Vec::new();
    for _ in 0..length {
        values.push(decode_value(reader, tables)?);
    }
    Ok(values)
}

fn vector<T, const N: usize>(
    reader: &mut Reader<'_>,
    length: usize,
    from_bytes: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, Error> {
    reader.count(length)?;
    let (elements, _) = reader.take(length.saturating_mul(N))?.as_chunks::<N>();
    Ok(elements
        .iter()
        .map(|element| from_bytes(*element))
        .collect())
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, Error> {
    reader.u8().map(|byte| byte != 0)
}

/// A string without its marker (§1.3.2). The empty string is never in the table.
fn string(reader: &mut Reader<'_>, tables: &mut Tables) -> Result<String, Error> {
    let header = u29(reader)? as usize;
    if header & 1 != 0 {
        let start = reader.at;
        let text = reader.text(header >> 1)?;
        if header != 1 && !reader.revisiting {
            tables.strings.push(start..reader.at);
        }
        return Ok(text);
    }
    let (index, known) = (header >> 1, tables.strings.len());
    let range = tables
        .strings
        .get(index)
        .ok_or(Error::Reference { index, known })?;
    reader.text_at(range.clone())
}

/// A variable-length unsigned 29-bit integer (§1.3.1).
fn u29(reader: &mut Reader<'_>) -> Result<u32, Error> {
    let mut value = 0;
    for _ in 0..3 {
        let byte = u32::from(reader.u8()?);
        value = value << 7 | byte & 0x7f;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Ok(value << 8 | u32::from(reader.u8()?))
}
