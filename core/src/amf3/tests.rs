use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::amf0;

#[test]
fn every_type_has_the_bytes_of_the_specification() {
    let object = |class_name: &str, sealed, dynamic| {
        Value::Object(Object {
            class_name: class_name.into(),
            sealed,
            dynamic,
        })
    };
    let pair = |name: &str, value| (name.to_string(), value);
    let table: Vec<(Value, &[u8])> = vec![
        (Value::Undefined, b"\0"),
        (Value::Null, b"\x01"),
        (false.into(), b"\x02"),
        (true.into(), b"\x03"),
        // The bounds of each length of U29 (§1.3.1).
        (Value::Integer(0), b"\x04\0"),
        (Value::Integer(0x7f), b"\x04\x7f"),
        (Value::Integer(0x80), b"\x04\x81\0"),
        (Value::Integer(0x3fff), b"\x04\xff\x7f"),
        (Value::Integer(0x4000), b"\x04\x81\x80\0"),
        (Value::Integer(0x1f_ffff), b"\x04\xff\xff\x7f"),
        (Value::Integer(0x20_0000), b"\x04\x80\xc0\x80\0"),
        (Value::Integer((1 << 28) - 1), b"\x04\xbf\xff\xff\xff"),
        (Value::Integer(-1), b"\x04\xff\xff\xff\xff"),
        (Value::Integer(-(1 << 28)), b"\x04\xc0\x80\x80\0"),
        (Value::Double(1.0), b"\x05\x3f\xf0\0\0\0\0\0\0"),
        ("".into(), b"\x06\x01"),
        ("live".into(), b"\x06\x09live"),
        (Value::XmlDocument("<a/>".into()), b"\x07\x09<a/>"),
        (Value::Date(1.0), b"\x08\x01\x3f\xf0\0\0\0\0\0\0"),
        (
            Value::Array {
                associative: vec![pair("k", Value::Null)],
                dense: vec![true.into()],
            },
            b"\x09\x03\x03k\x01\x01\x03",
        ),
        (
            object("", vec![], Some(vec![pair("k", Value::Null)])),
            b"\x0a\x0b\x01\x03k\x01\x01",
        ),
        (
            object("T", vec![pair("k", Value::Null)], None),
            b"\x0a\x13\x03T\x03k\x01",
        ),
        (
            Value::Externalizable {
                class_name: "flex.messaging.io.ArrayCollection".into(),
                value: Box::new(Value::Null),
            },
            b"\x0a\x07\x43flex.messaging.io.ArrayCollection\x01",
        ),
        (Value::Xml("<a/>".into()), b"\x0b\x09<a/>"),
        (Value::ByteArray(vec![1, 2]), b"\x0c\x05\x01\x02"),
        (
            Value::VectorInt {
                fixed: true,
                values: vec![-1],
            },
            b"\x0d\x03\x01\xff\xff\xff\xff",
        ),
        (
            Value::VectorUint {
                fixed: false,
                values: vec![1, 2],
            },
            b"\x0e\x05\0\0\0\0\x01\0\0\0\x02",
        ),
        (
            Value::VectorDouble {
                fixed: false,
                values: vec![1.0],
            },
            b"\x0f\x03\0\x3f\xf0\0\0\0\0\0\0",
        ),
        (
            Value::VectorObject {
                fixed: false,
                type_name: "T".into(),
                values: vec![Value::Null],
            },
            b"\x10\x03\0\x03T\x01",
        ),
        (
            Value::Dictionary {
                weak: true,
                entries: vec![(true.into(), Value::Null)],
            },
            b"\x11\x03\x01\x03\x01",
        ),
    ];
    for (value, bytes) in table {
        assert_eq!(encode_all([&value]), bytes, "{value:?}");
        assert_eq!(decode_all(bytes).as_deref(), Ok([value].as_slice()));
    }
    assert_eq!(
        encode_all([&Value::Integer(1 << 28)]),
        b"\x05\x41\xb0\0\0\0\0\0\0"
    );
}

#[test]
fn references_reach_strings_objects_and_traits() {
    // "ab" twice, by string reference 0; the empty string is not in the table.
    assert_eq!(
        decode_all(b"\x06\x01\x06\x05ab\x06\0"),
        Ok(vec!["".into(), "ab".into(), "ab".into()])
    );
    // An object of class T with sealed k; another by traits reference; the first again by object reference.
    let values = decode_all(b"\x0a\x13\x03T\x03k\x06\x02\x0a\x01\x03\x0a\0").unwrap();
    let object = |value: Value| {
        Value::Object(Object {
            class_name: "T".into(),
            sealed: vec![("k".into(), value)],
            dynamic: None,
        })
    };
    assert_eq!(
        values,
        [object("k".into()), object(true.into()), object("k".into())]
    );
    // A second visit must not enter strings and traits again: string 2 is still the one after the object.
    assert_eq!(
        decode_all(b"\x0a\x13\x03T\x03k\x01\x0a\0\x06\x03z\x06\x04")
            .map(|values| values[3].clone()),
        Ok("z".into())
    );
}

#[test]
fn cycles_unknown_references_and_classes_are_refused() {
    assert_eq!(
        decode_all(b"\x09\x03\x01\x09\0"),
        Err(Error::Cycle { index: 0 })
    );
    assert_eq!(
        decode_all(b"\x09\x02"),
        Err(Error::Reference { index: 1, known: 0 })
    );
    assert_eq!(
        decode_all(b"\x06\x02"),
        Err(Error::Reference { index: 1, known: 0 })
    );
    assert_eq!(
        decode_all(b"\x0a\x01"),
        Err(Error::Reference { index: 0, known: 0 })
    );
    assert_eq!(decode_all(b"\x0a\x07\x03T\x01"), Err(Error::Externalizable));
    assert_eq!(decode_all(b"\x12"), Err(Error::Marker(0x12)));
    assert_eq!(
        decode_all(b"\x0d\xbf\xff\xff\xff\0"),
        Err(Error::Count { limit: 65_536 })
    );
}

#[test]
fn both_dialects_translate() {
    let value = amf0::Value::Object(
        amf0::Object::new()
            .with("n", 5.0)
            .with("f", 0.5)
            .with("s", "x")
            .with("a", vec![amf0::Value::Null, true.into()]),
    );
    assert_eq!(amf0::Value::from(Value::from(value.clone())), value);
    let mixed = amf0::Value::StrictArray(vec![amf0::Value::AvmPlus(Box::new(Value::Integer(7)))]);
    assert_eq!(
        mixed.into_amf0(),
        amf0::Value::StrictArray(vec![7.0.into()])
    );
    assert_eq!(Value::from(-0.0), Value::Double(-0.0));
}

/// AMF3 values of one AMF0 message share their tables, as Flash's own servers read them.
#[test]
fn tables_span_the_switches_of_one_message() {
    let values = amf0::decode_all(b"\x11\x06\x05ab\x11\x06\0").unwrap();
    assert_eq!(values[1].as_str(), Some("ab"));
}
