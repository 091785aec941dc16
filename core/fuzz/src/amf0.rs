//! AMF0: data messages and commands.

use chalkcast_core::amf0::{self, Limits, Value};
use chalkcast_core::amf3;

use super::SMALL;

/// Whatever decodes within limits encodes to bytes that decode to the same.
pub fn run(data: &[u8]) {
    let _ = amf0::decode_all_with(data, &SMALL);
    let Ok(values) = amf0::decode_all(data) else {
        return;
    };
    // Bytes that are not UTF-8 became three each.
    let wide = Limits {
        string_length: 1 << 24,
        total_length: 1 << 26,
        ..Limits::default()
    };
    let bytes = amf0::encode_all(&values);
    let again = amf0::decode_all_with(&bytes, &wide).expect("what was encoded decodes");
    // Bytes, because a NaN differs from itself.
    assert_eq!(amf0::encode_all(&again), bytes);
    let mut translated = Vec::new();
    amf3::Value::from(Value::StrictArray(values.clone())).encode(&mut translated);
    amf3::decode_all_with(
        &translated,
        &Limits {
            depth: 64,
            count: 1 << 20,
            ..wide
        },
    )
    .expect("AMF0 translates to AMF3");
    for value in values {
        let mut plain = Vec::new();
        value.into_amf0().encode(&mut plain);
        assert!(
            amf0::decode_all_with(
                &plain,
                &Limits {
                    depth: 64,
                    count: 1 << 20,
                    ..wide
                }
            )
            .is_ok()
        );
    }
}
