//! AMF3.

use chalkcast_core::amf0;
use chalkcast_core::amf3::{self, Limits};

use super::SMALL;

/// Whatever decodes within limits encodes to bytes that decode to the same, and translates to AMF0.
pub fn run(data: &[u8]) {
    let _ = amf3::decode_all_with(data, &SMALL);
    let Ok(values) = amf3::decode_all(data) else {
        return;
    };
    let wide = Limits {
        string_length: 1 << 24,
        total_length: 1 << 26,
        depth: 128,
        count: 1 << 20,
    };
    let bytes = amf3::encode_all(&values);
    let again = amf3::decode_all_with(&bytes, &wide).expect("what was encoded decodes");
    assert_eq!(amf3::encode_all(&again), bytes);
    for value in values {
        let mut plain = Vec::new();
        amf0::Value::from(value).encode(&mut plain);
        amf0::decode_all_with(&plain, &wide).expect("AMF3 translates to AMF0");
    }
}
