use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Object, Value};
use crate::amf3;

/// Type markers (§2.1).
pub(super) mod marker {
    pub(crate) const NUMBER: u8 = 0x00;
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const STRING: u8 = 0x02;
    pub(crate) const OBJECT: u8 = 0x03;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const UNDEFINED: u8 = 0x06;
    pub(crate) const REFERENCE: u8 = 0x07;
    pub(crate) const ECMA_ARRAY: u8 = 0x08;
    pub(crate) const OBJECT_END: u8 = 0x09;
    pub(crate) const STRICT_ARRAY: u8 = 0x0a;
    pub(crate) const DATE: u8 = 0x0b;
    pub(crate) const LONG_STRING: u8 = 0x0c;
    pub(crate) const UNSUPPORTED: u8 = 0x0d;
    pub(crate) const XML: u8 = 0x0f;
    pub(crate) const TYPED_OBJECT: u8 = 0x10;
    pub(crate) const AVM_PLUS: u8 = 0x11;
}

/// What one message's values may cost, counted over all of them and over every copy a reference makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Objects and arrays within each other.
    pub depth: usize,
    /// Values, with every element and property.
    pub count: usize,
    /// Bytes of one string.
    pub string_length: usize,
    /// Bytes of all strings, names and byte arrays together.
    pub total_length: usize,
}

impl Default for Limits {
    /// 32 deep, 65,536 values, 1 MiB a string, 4 MiB in all.
    fn default() -> Self {
        Self {
            depth: 32,
            count: 1 << 16,
            string_length: 1 << 20,
            total_length: 1 << 22,
        }
    }
}

/// Why bytes are not a value. AMF3 has the same reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input ends inside a value.
    #[error("the value needs {needed} more bytes where {left} are left")]
    Truncated {
        /// Bytes asked for.
        needed: usize,
        /// Bytes there.
        left: usize,
    },
    /// No value starts with this byte, or one that is reserved (MovieClip, RecordSet).
    #[error("no value has the type marker {0:#04x}")]
    Marker(u8),
    /// Over [`Limits::depth`].
    #[error("values are nested deeper than {limit}")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// Over [`Limits::count`].
    #[error("there are more than {limit} values")]
    Count {
        /// The limit.
        limit: usize,
    },
    /// Over [`Limits::string_length`].
    #[error("a string has {length} bytes where {limit} are allowed")]
    StringLength {
        /// Bytes of the string.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Over [`Limits::total_length`].
    #[error("strings have more than {limit} bytes in all")]
    TotalLength {
        /// The limit.
        limit: usize,
    },
    /// A reference to what has not been sent.
    #[error("reference {index} where {known} are known")]
    Reference {
        /// The index sent.
        index: usize,
        /// Entries of the table.
        known: usize,
    },
    /// An object that contains itself.
    #[error("reference {index} closes a cycle")]
    Cycle {
        /// The index sent.
        index: usize,
    },
    /// An AMF3 object that only its own class can read (amf3 §3.12).
    #[error("an externalizable object of an unknown class")]
    Externalizable,
}

impl Error {
    /// Whether the values are well formed and over one of the [`Limits`].
    pub const fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::Depth { .. }
                | Self::Count { .. }
                | Self::StringLength { .. }
                | Self::TotalLength { .. }
        )
    }
}

/// All values in `input`, within the default limits.
pub fn decode_all(input: &[u8]) -> Result<Vec<Value>, Error> {
    decode_all_with(input, &Limits::default())
}

/// All values in `input`, within `limits`.
pub fn decode_all_with(input: &[u8], limits: &Limits) -> Result<Vec<Value>, Error> {
    Decoder::new(input, limits).collect()
}

impl Value {
    /// Takes one value from the front of `input`, which is advanced past it, and left as it is on an error.
    ///
    /// References reach back to the start of this value. For a message of several, use [`Decoder`] or [`decode_all`].
    pub fn decode(input: &mut &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut decoder = Decoder::new(input, limits);
        let value = decoder.value()?;
        *input = decoder.rest();
        Ok(value)
    }
}

/// The values of one message in order: an iterator which ends at the end of the input or after an error.
///
/// It keeps one reference table for the whole message, and shows what stands before a fault.
#[derive(Debug)]
pub struct Decoder<'a> {
    pub(crate) reader: Reader<'a>,
    /// Objects and arrays in the order of their markers (§2.9).
    complex: Vec<Complex>,
    amf3: amf3::Tables,
}

/// Where an object or array starts, so that a reference can read it again; not referable before it is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complex {
    pub(crate) start: usize,
    pub(crate) complete: bool,
}

impl<'a> Decoder<'a> {
    /// A decoder of the values in `input`.
    pub fn new(input: &'a [u8], limits: &Limits) -> Self {
        Self {
            reader: Reader::new(input, limits),
            complex: Vec::new(),
            amf3: amf3::Tables::default(),
        }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    fn value(&mut self) -> Result<Value, Error> {
        self.reader.count(1)?;
        let start = self.reader.at;
        Ok(match self.reader.u8()? {
            marker::NUMBER => Value::Number(self.reader.f64()?),
            marker::BOOLEAN => Value::Boolean(self.reader.u8()? != 0),
            marker::STRING => Value::String(self.name()?),
            marker::LONG_STRING => Value::String(self.long_text()?),
            marker::NULL => Value::Null,
            marker::UNDEFINED => Value::Undefined,
            marker::DATE => Value::Date {
                millis: self.reader.f64()?,
                time_zone: self.reader.u16()? as i16,
            },
            marker::UNSUPPORTED => Value::Unsupported,
            marker::XML => Value::Xml(self.long_text()?),
            marker::REFERENCE => {
                let index = usize::from(self.reader.u16()?);
                self.reference(index)?
            }
            marker::AVM_PLUS => Value::AvmPlus(Box::new(amf3::decode_value(
                &mut self.reader,
                &mut self.amf3,
            )?)),
            kind @ (marker::OBJECT
            | marker::ECMA_ARRAY
            | marker::STRICT_ARRAY
            | marker::TYPED_OBJECT) => {
                let entry = self.reader.enter(start, &mut self.complex)?;
                let value = self.complex_value(kind)?;
                self.reader.leave(entry, &mut self.complex);
                value
            }
            unknown => return Err(Error::Marker(unknown)),
        })
    }

    fn complex_value(&mut self, kind: u8) -> Result<Value, Error> {
        Ok(match kind {
            marker::OBJECT => Value::Object(self.properties(usize::MAX)?),
            marker::ECMA_ARRAY => {
                let count = self.reader.u32()? as usize;
                Value::EcmaArray(self.properties(count)?)
            }
            marker::STRICT_ARRAY => {
                let count = self.reader.u32()?;
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.value()?);
                }
                Value::StrictArray(values)
            }
            _ => Value::TypedObject {
                class_name: self.name()?,
                object: self.properties(usize::MAX)?,
            },
        })
    }

    /// Properties up to the object-end marker. Some writers leave it out after an ECMA array at the end of a message.
    fn properties(&mut self, announced: usize) -> Result<Object, Error> {
        let mut object = Object::new();
        loop {
            if object.len() >= announced && self.rest().is_empty() {
                return Ok(object);
            }
            let name = self.name()?;
            if name.is_empty() && self.rest().first() == Some(&marker::OBJECT_END) {
                self.reader.u8()?;
                return Ok(object);
            }
            object.0.push((name, self.value()?));
        }
    }

    /// Reads the object of the table once more. Within it, references point to what was complete before it: no recursion without end.
    fn reference(&mut self, index: usize) -> Result<Value, Error> {
        let from = self.reader.revisit(index, &self.complex)?;
        let value = self.value()?;
        self.reader.resume(from);
        Ok(value)
    }

    fn name(&mut self) -> Result<String, Error> {
        let length = usize::from(self.reader.u16()?);
        self.reader.text(length)
    }

    fn long_text(&mut self) -> Result<String, Error> {
        let length = self.reader.u32()? as usize;
        self.reader.text(length)
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<Value, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest().is_empty() {
            return None;
        }
        let result = self.value();
        if result.is_err() {
            self.reader.end();
        }
        Some(result)
    }
}

/// A bounded cursor that both dialects read through.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    input: &'a [u8],
    pub(crate) at: usize,
    limits: Limits,
    depth: usize,
    counted: usize,
    total: usize,
    /// Reading again what a reference points to, which must not enter the tables twice.
    pub(crate) revisiting: bool,
}

/// Where to go on after a reference.
pub(crate) struct Resume {
    at: usize,
    revisiting: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8], limits: &Limits) -> Self {
        Self {
            input,
            at: 0,
            limits: *limits,
            depth: 0,
            counted: 0,
            total: 0,
            revisiting: false,
        }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn end(&mut self) {
        self.at = self.input.len();
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let rest = self.rest();
        let taken = rest.get(..length).ok_or(Error::Truncated {
            needed: length,
            left: rest.len(),
        })?;
        self.at += length;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64, Error> {
        self.array().map(f64::from_be_bytes)
    }

    /// Bytes that go into the value, against both length limits.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        if length > self.limits.string_length {
            return Err(Error::StringLength {
                length,
                limit: self.limits.string_length,
            });
        }
        self.charge(length)?;
        self.take(length)
    }

    /// Bytes that a value copies, wherever they come from.
    pub(crate) fn charge(&mut self, length: usize) -> Result<(), Error> {
        self.total = self.total.saturating_add(length);
        if self.total > self.limits.total_length {
            return Err(Error::TotalLength {
                limit: self.limits.total_length,
            });
        }
        Ok(())
    }

    /// Text that stands elsewhere in the input.
    pub(crate) fn text_at(&mut self, range: Range<usize>) -> Result<String, Error> {
        self.charge(range.len())?;
        let bytes = self.input.get(range).unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(crate) fn text(&mut self, length: usize) -> Result<String, Error> {
        self.bytes(length)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    pub(crate) fn count(&mut self, values: usize) -> Result<(), Error> {
        self.counted = self.counted.saturating_add(values);
        if self.counted > self.limits.count {
            return Err(Error::Count {
                limit: self.limits.count,
            });
        }
        Ok(())
    }

    /// One level down into an object that starts at `start`; its table entry, unless it is there already.
    pub(crate) fn enter(
        &mut self,
        start: usize,
        table: &mut Vec<Complex>,
    ) -> Result<Option<usize>, Error> {
        self.descend()?;
        if self.revisiting {
            return Ok(None);
        }
        table.push(Complex {
            start,
            complete: false,
        });
        Ok(Some(table.len() - 1))
    }

    pub(crate) fn leave(&mut self, entry: Option<usize>, table: &mut [Complex]) {
        self.ascend();
        if let Some(complex) = entry.and_then(|index| table.get_mut(index)) {
            complex.complete = true;
        }
    }

    /// Goes back to entry `index` of a table; [`Reader::resume`] comes back.
    pub(crate) fn revisit(&mut self, index: usize, table: &[Complex]) -> Result<Resume, Error> {
        let complex = table.get(index).ok_or(Error::Reference {
            index,
            known: table.len(),
        })?;
        if !complex.complete {
            return Err(Error::Cycle { index });
        }
        self.descend()?;
        let resume = Resume {
            at: self.at,
            revisiting: self.revisiting,
        };
        self.at = complex.start;
        self.revisiting = true;
        Ok(resume)
    }

    pub(crate) fn resume(&mut self, from: Resume) {
        self.ascend();
        self.at = from.at;
        self.revisiting = from.revisiting;
    }

    fn descend(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(Error::Depth {
                limit: self.limits.depth,
            });
        }
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth -= 1;
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
}
