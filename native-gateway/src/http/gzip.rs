//! Files as they are sent to browsers that take gzip, which is all of them.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What was compressed before, by entity tag: each file is compressed at its first request.
static COMPRESSED: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);

/// Whether the browser takes gzip.
pub(super) fn is_accepted(request: &HeaderMap) -> bool {
    let offers = request.get_all(header::ACCEPT_ENCODING);
    offers
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
            name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight, Some(Ok(0.0)))
        })
}

/// `data`, whose entity tag is `tag`, compressed. `None` when that makes it no smaller.
pub(super) fn compress(tag: &str, data: &[u8]) -> Option<Bytes> {
    let known = || COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compressed) = known().get(tag) {
        return Some(compressed.clone());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).ok()?;
    let compressed = Bytes::from(encoder.finish().ok()?);
    if compressed.len() >= data.len() {
        return None;
    }
    known().insert(tag.to_owned(), compressed.clone());
    Some(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let accepts = |value: &'static str| {
            let value = axum::http::HeaderValue::from_static(value);
            is_accepted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]))
        };
        assert!(accepts("gzip, deflate, br, zstd"));
        assert!(accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("br, gzip;q=0"));
        assert!(!accepts("identity"));
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
