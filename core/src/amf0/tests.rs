use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// Each type as the specification lays it out, both ways.
#[test]
fn every_type_has_the_bytes_of_the_specification() {
    let long = "x".repeat(65_536);
    let mut long_bytes = vec![0x0c, 0, 1, 0, 0];
    long_bytes.extend(long.as_bytes());
    let object = Object::new().with("a", true).with("b", Value::Null);
    let members = b"\0\x01a\x01\x01\0\x01b\x05\0\0\x09".as_slice();
    let table: Vec<(Value, Vec<u8>)> = vec![
        (1.0.into(), vec![0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        (true.into(), vec![1, 1]),
        (false.into(), vec![1, 0]),
        ("live".into(), b"\x02\0\x04live".to_vec()),
        ("".into(), b"\x02\0\0".to_vec()),
        ("课".into(), b"\x02\0\x03\xe8\xaf\xbe".to_vec()),
        (long.into(), long_bytes),
        (object.clone().into(), [b"\x03", members].concat()),
        (Value::Null, vec![5]),
        (Value::Undefined, vec![6]),
        (
            Value::EcmaArray(object.clone()),
            [b"\x08\0\0\0\x02", members].concat(),
        ),
        (
            Value::StrictArray(vec![Value::Null, true.into()]),
            vec![0x0a, 0, 0, 0, 2, 5, 1, 1],
        ),
        (
            Value::Date {
                millis: 1.0,
                time_zone: -60,
            },
            vec![0x0b, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xff, 0xc4],
        ),
        (Value::Unsupported, vec![0x0d]),
        (
            Value::Xml("<a/>".to_string()),
            b"\x0f\0\0\0\x04<a/>".to_vec(),
        ),
        (
            Value::TypedObject {
                class_name: "T".to_string(),
                object,
            },
            [b"\x10\0\x01T", members].concat(),
        ),
        (
            Value::AvmPlus(Box::new(amf3::Value::Integer(5))),
            vec![0x11, 4, 5],
        ),
    ];
    for (value, bytes) in table {
        assert_eq!(encode_all([&value]), bytes, "{value:?}");
        assert_eq!(decode_all(&bytes).as_deref(), Ok([value].as_slice()));
    }
}

#[test]
fn a_reference_repeats_a_complete_object_and_never_closes_a_cycle() {
    // An object, then a reference to it; entry 0 is the object.
    let values = decode_all(b"\x03\0\x01a\x05\0\0\x09\x07\0\0").unwrap();
    assert_eq!(values[0], values[1]);
    assert_eq!(
        decode_all(b"\x03\0\x01a\x07\0\0\0\0\x09"),
        Err(Error::Cycle { index: 0 })
    );
    assert_eq!(
        decode_all(b"\x07\0\x05"),
        Err(Error::Reference { index: 5, known: 0 })
    );
    // An array (0) that holds an object (1) and a reference to it, then the array again: three levels by reference.
    let values = decode_all(b"\x0a\0\0\0\x02\x03\0\0\x09\x07\0\x01\x07\0\0").unwrap();
    assert_eq!(
        values[0],
        Value::StrictArray(vec![Object::new().into(), Object::new().into()])
    );
    assert_eq!(values[0], values[1]);
}

#[test]
fn references_that_multiply_meet_the_count() {
    // Array n holds two references to array n - 1: 2^40 values if they were all made.
    let mut bytes = b"\x0a\0\0\0\0".to_vec();
    for index in 0..40_u16 {
        bytes.extend(b"\x0a\0\0\0\x02");
        bytes.extend([7]);
        bytes.extend(index.to_be_bytes());
        bytes.extend([7]);
        bytes.extend(index.to_be_bytes());
    }
    let error = decode_all(&bytes).unwrap_err();
    assert!(
        matches!(error, Error::Count { .. } | Error::Depth { .. }),
        "{error}"
    );
    // One long string behind references is bounded by the total.
    let mut bytes = b"\x03\0\x01a\x0c\0\x01\0\0".to_vec();
    bytes.extend([b'x'; 65_536]);
    bytes.extend(b"\0\0\x09");
    bytes.extend(b"\x07\0\0".repeat(100));
    assert_eq!(
        decode_all(&bytes),
        Err(Error::TotalLength { limit: 1 << 22 })
    );
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        depth: 2,
        count: 3,
        string_length: 2,
        total_length: 3,
    };
    let decode = |bytes: &[u8]| decode_all_with(bytes, &limits);
    assert_eq!(decode(b"\x05\x05\x05").map(|values| values.len()), Ok(3));
    assert_eq!(decode(b"\x05\x05\x05\x05"), Err(Error::Count { limit: 3 }));
    assert_eq!(
        decode(b"\x0a\0\0\0\x01\x0a\0\0\0\x01\x0a\0\0\0\0"),
        Err(Error::Depth { limit: 2 })
    );
    assert_eq!(
        decode(b"\x02\0\x03abc"),
        Err(Error::StringLength {
            length: 3,
            limit: 2
        })
    );
    assert_eq!(
        decode(b"\x02\0\x02ab\x02\0\x02ab"),
        Err(Error::TotalLength { limit: 3 })
    );
    assert_eq!(
        decode(b"\x0a\xff\xff\xff\xff"),
        Err(Error::Truncated { needed: 1, left: 0 })
    );
}

#[test]
fn a_decoder_shows_what_stands_before_a_fault() {
    let mut decoder = Decoder::new(b"\x05\x01\x01\x04", &Limits::default());
    assert_eq!(decoder.next(), Some(Ok(Value::Null)));
    assert_eq!(decoder.next(), Some(Ok(Value::Boolean(true))));
    assert_eq!(decoder.next(), Some(Err(Error::Marker(4))));
    assert_eq!(decoder.next(), None);
    let mut input = b"\x05\x02\0\x05ab".as_slice();
    assert_eq!(
        Value::decode(&mut input, &Limits::default()),
        Ok(Value::Null)
    );
    assert_eq!(
        Value::decode(&mut input, &Limits::default()),
        Err(Error::Truncated { needed: 5, left: 2 })
    );
    assert_eq!(input.len(), 5);
}

#[test]
fn an_ecma_array_may_lack_its_end_and_bytes_their_utf8() {
    let array = Value::EcmaArray(Object::new().with("a", Value::Null));
    assert_eq!(
        decode_all(b"\x08\0\0\0\x01\0\x01a\x05"),
        Ok(vec![array.clone()])
    );
    assert_eq!(
        decode_all(b"\x08\0\0\0\0\0\x01a\x05\0\0\x09"),
        Ok(vec![array])
    );
    assert_eq!(decode_all(b"\x02\0\x02\xffa"), Ok(vec!["\u{fffd}a".into()]));
}

#[test]
fn an_object_keeps_order_and_place() {
    let mut object = Object::new().with("b", 1.0).with("a", 2.0);
    object.insert("b", "again");
    assert_eq!(
        object
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert_eq!(object.get("b").and_then(Value::as_str), Some("again"));
    assert_eq!(object.remove("b"), Some("again".into()));
    assert_eq!((object.len(), object.get("b")), (1, None));
}
