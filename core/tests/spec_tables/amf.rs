//! AMF0 (December 2007) and AMF3 (January 2013).

use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::{amf0, amf3};

/// AMF0 §2.3: zero is false, whatever is not zero is true.
#[test]
fn amf0_2_3_booleans() {
    for byte in 0..=u8::MAX {
        assert_eq!(
            amf0::decode_all(&[1, byte]),
            Ok(vec![Value::Boolean(byte != 0)])
        );
    }
}

/// AMF0 §2.9: what may be referred to is anonymous objects, typed objects, arrays and ECMA arrays, in one table from 0.
#[test]
fn amf0_2_9_complex_types_enter_the_reference_table() {
    let complex: [&[u8]; 4] = [
        b"\x03\0\x01o\x05\0\0\x09",
        b"\x10\0\x01T\0\0\x09",
        b"\x0A\0\0\0\x01\x06",
        b"\x08\0\0\0\x01\0\x01e\x05\0\0\x09",
    ];
    // Strings, dates and XML documents stand between them and take no entry.
    let simple = b"\x02\0\x01s\x0B\0\0\0\0\0\0\0\0\0\0\x0F\0\0\0\x01x";
    let values = [
        &complex.join(&simple[..]),
        &b"\x07\0\0\x07\0\x01\x07\0\x02\x07\0\x03"[..],
    ]
    .concat();
    let values = amf0::decode_all(&values).unwrap();
    let (sent, referred) = values.split_at(values.len() - 4);
    let sent: Vec<_> = sent.iter().step_by(4).cloned().collect();
    assert_eq!(sent, referred);
    assert_eq!(sent[0], Object::new().with("o", Value::Null).into());
}

/// AMF0 §2.1: every type marker. 0x04 (movie clip) and 0x0E (record set) are reserved, and so is everything from 0x12.
#[test]
fn amf0_2_1_type_markers() {
    for marker in 0..=u8::MAX {
        let mut bytes = vec![marker];
        bytes.resize(64, 0);
        let first = amf0::Decoder::new(&bytes, &amf0::Limits::default()).next();
        let unknown = matches!(marker, 4 | 9 | 0x0E | 0x12..);
        assert_eq!(
            first == Some(Err(amf0::Error::Marker(marker))),
            unknown,
            "{marker:#x}: {first:?}"
        );
    }
}

/// AMF3 §3.1: every type marker; everything from 0x12 is unknown.
#[test]
fn amf3_3_1_type_markers() {
    for marker in 0..=u8::MAX {
        // A zero-length value of each kind where there is one.
        let mut bytes = vec![marker, 1];
        bytes.resize(64, 1);
        let mut input = &bytes[..];
        let value = amf3::Value::decode(&mut input, &amf0::Limits::default());
        assert_eq!(
            matches!(value, Err(amf0::Error::Marker(_))),
            marker >= 0x12,
            "{marker:#x}: {value:?}"
        );
    }
}

/// AMF3 §1.3.1: the U29 table, at both ends of each of its four rows.
#[test]
fn amf3_1_3_1_u29() {
    for (value, bytes) in [
        (0x0000_0000, &[0x00][..]),
        (0x0000_007F, &[0x7F]),
        (0x0000_0080, &[0x81, 0x00]),
        (0x0000_3FFF, &[0xFF, 0x7F]),
        (0x0000_4000, &[0x81, 0x80, 0x00]),
        (0x001F_FFFF, &[0xFF, 0xFF, 0x7F]),
        (0x0020_0000, &[0x80, 0xC0, 0x80, 0x00]),
        (0x1FFF_FFFF, &[0xFF, 0xFF, 0xFF, 0xFF]),
    ] {
        let bytes = [&[4], bytes].concat();
        // Integers are signed, in 29 bits.
        let integer = amf3::Value::Integer((value << 3) >> 3);
        assert_eq!(amf3::encode_all([&integer]), bytes);
        assert_eq!(amf3::decode_all(&bytes), Ok(vec![integer]));
    }
}

/// AMF3 §1.3.2: UTF-8 of one to four bytes a character, behind a length in bytes whose lowest bit is set.
#[test]
fn amf3_1_3_2_strings_and_utf_8() {
    for (text, bytes) in [
        ("", &b"\x01"[..]),
        ("\u{7F}", b"\x03\x7F"),
        ("\u{80}\u{7FF}", b"\x09\xC2\x80\xDF\xBF"),
        ("\u{800}\u{FFFF}", b"\x0D\xE0\xA0\x80\xEF\xBF\xBF"),
        (
            "\u{10000}\u{10FFFF}",
            b"\x11\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
        ),
    ] {
        let bytes = [&[6], bytes].concat();
        let value = amf3::Value::String(text.to_owned());
        assert_eq!(amf3::encode_all([&value]), bytes);
        assert_eq!(amf3::decode_all(&bytes), Ok(vec![value]));
    }
}

/// AMF3 §2.2, §3.15 and §3.16: the eleven types with a table of references between them, each referred to by its own marker, from 0.
#[test]
fn amf3_2_2_complex_types_enter_the_reference_table() {
    let complex: [&[u8]; 11] = [
        b"\x07\x03x",
        b"\x08\x01\0\0\0\0\0\0\0\0",
        b"\x09\x03\x01\x01",
        b"\x0A\x0B\x01\x01",
        b"\x0B\x03x",
        b"\x0C\x03\x05",
        b"\x0D\x03\0\0\0\0\x07",
        b"\x0E\x03\x01\0\0\0\x07",
        b"\x0F\x03\0\0\0\0\0\0\0\0\0",
        b"\x10\x03\0\x01\x01",
        b"\x11\x03\0\x02\x03",
    ];
    // Integers, doubles and strings stand between them and take no entry.
    let simple = b"\x04\x05\x05\0\0\0\0\0\0\0\0\x06\x03s";
    let references = complex.iter().zip(0_u8..);
    let references: Vec<u8> = references
        .flat_map(|(bytes, index)| [bytes[0], index << 1])
        .collect();
    let values = [complex.join(&simple[..]), references].concat();
    let values = amf3::decode_all(&values).unwrap();
    let (sent, referred) = values.split_at(values.len() - complex.len());
    let sent: Vec<_> = sent.iter().step_by(4).cloned().collect();
    assert_eq!(sent, referred);
}

/// AMF3 §3.6 and §3.7: integers from -2^28 to 2^28 - 1, sign extended; what is outside goes as a double.
#[test]
fn amf3_3_6_integers_and_3_7_doubles() {
    for (integer, bytes) in [
        (-(1 << 28), &b"\x04\xC0\x80\x80\0"[..]),
        ((1 << 28) - 1, b"\x04\xBF\xFF\xFF\xFF"),
        (-(1 << 28) - 1, b"\x05\xC1\xB0\0\0\x01\0\0\0"),
        (1 << 28, b"\x05\x41\xB0\0\0\0\0\0\0"),
    ] {
        assert_eq!(amf3::encode_all([&amf3::Value::Integer(integer)]), bytes);
        let values = amf3::decode_all(bytes).unwrap();
        assert_eq!(values[0].as_number(), Some(f64::from(integer)));
    }
}

/// AMF3 §3.12: the bits of the object header. U29O-ref, U29O-traits-ref, U29O-traits (dynamic or not, with its count) and U29O-traits-ext.
#[test]
fn amf3_3_12_object_headers() {
    let object = |sealed: &[&str], dynamic: bool| {
        let null = |name: &&str| ((*name).to_owned(), amf3::Value::Null);
        amf3::Value::Object(amf3::Object {
            class_name: "T".into(),
            sealed: sealed.iter().map(null).collect(),
            dynamic: dynamic.then(Vec::new),
        })
    };
    let list = "flex.messaging.io.ArrayList";
    let ext = [b"\x0A\x07\x37", list.as_bytes(), b"\x01"].concat();
    for (bytes, value) in [
        (&b"\x0A\x03\x03T"[..], object(&[], false)),
        (b"\x0A\x0B\x03T\x01", object(&[], true)),
        (
            b"\x0A\x23\x03T\x03a\x03b\x01\x01",
            object(&["a", "b"], false),
        ),
        (
            b"\x0A\x2B\x03T\x03a\x03b\x01\x01\x01",
            object(&["a", "b"], true),
        ),
        (
            &ext,
            amf3::Value::Externalizable {
                class_name: list.into(),
                value: amf3::Value::Null.into(),
            },
        ),
    ] {
        assert_eq!(amf3::encode_all([&value]), bytes);
        assert_eq!(amf3::decode_all(bytes), Ok(vec![value]));
    }
    // Traits 0 once more with other values, then object 0 itself.
    let values = amf3::decode_all(b"\x0A\x13\x03T\x03a\x02\x0A\x01\x03\x0A\0").unwrap();
    assert_eq!(values[0], values[2]);
    let a = |value: &amf3::Value| {
        value
            .as_object()
            .and_then(|object| object.get("a"))
            .cloned()
    };
    assert_eq!(a(&values[0]), Some(amf3::Value::Boolean(false)));
    assert_eq!(a(&values[1]), Some(amf3::Value::Boolean(true)));
}
