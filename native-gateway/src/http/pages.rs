//! The demo's pages and the npm package, from within the binary (in debug builds, from the source tree).

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};

use super::gzip;
use crate::address::percent_decode;

#[derive(Embed)]
#[folder = "../examples/demo"]
struct Demo;

#[derive(Embed)]
#[folder = "../js/dist"]
struct Package;

const PACKAGE: &str = "chalkcast/";

const NOT_BUILT: &str = "The pages are not built into this program: it was compiled before they were. Run `make build` in the source \
    tree and start it again. RTMP and WebSocket work without them.\n\n\
    本程序编译时页面尚未生成。请在源码目录运行 `make build` 后重新启动。RTMP 与 WebSocket 不受影响。\n";
const NOT_FOUND: &str = "There is nothing at this address. The pages are /, /teacher and /student?stream=NAME.\n\n\
    此地址没有内容。可用页面：/、/teacher 和 /student?stream=名称。\n";

/// Answers a request for a file.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    match method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return plain(StatusCode::NO_CONTENT, ""),
        _ => return plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n"),
    }
    let path = percent_decode(uri.path().trim_start_matches('/'));
    let (found, built) = match path.strip_prefix(PACKAGE) {
        Some(path) => (
            Package::get(path).map(|file| (path.to_owned(), file)),
            Package::iter().next().is_some(),
        ),
        None => (page(&path), Demo::iter().next().is_some()),
    };
    match found {
        Some((path, file)) => respond(&path, file, &headers, method == Method::HEAD),
        None if !built => plain(StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT),
        None => plain(StatusCode::NOT_FOUND, NOT_FOUND),
    }
}

/// `/teacher` is `teacher.html` or `teacher/index.html`.
fn page(path: &str) -> Option<(String, EmbeddedFile)> {
    let path = path.trim_end_matches('/');
    let index = if path.is_empty() {
        "index.html".to_owned()
    } else {
        format!("{path}/index.html")
    };
    [path.to_owned(), format!("{path}.html"), index]
        .into_iter()
        .find_map(|candidate| Demo::get(&candidate).map(|file| (candidate, file)))
}

fn respond(path: &str, file: EmbeddedFile, request: &HeaderMap, head_only: bool) -> Response<Body> {
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..12] {
        tag.push_str(&format!("{byte:02x}"));
    }
    let content_type = content_type(path);
    let compressible = is_compressible(&content_type);
    let compressed = (compressible && gzip::is_accepted(request))
        .then(|| gzip::compress(&tag, &file.data))
        .flatten();
    tag.push_str(if compressed.is_some() {
        "-gzip\""
    } else {
        "\""
    });
    let known = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let is_compressed = compressed.is_some();
    let data = compressed.unwrap_or_else(|| match file.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    });
    let length = data.len();
    let body = if known || head_only {
        Body::empty()
    } else {
        Body::from(data)
    };
    let mut response = Response::new(body);
    *response.status_mut() = if known {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let headers = response.headers_mut();
    share(headers);
    headers.insert(header::CONTENT_TYPE, content_type);
    if compressible {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // The names do not change with the content, so a browser asks each time and mostly hears "not modified".
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if head_only {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

fn content_type(path: &str) -> HeaderValue {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let text =
        guessed.type_() == mime_guess::mime::TEXT || guessed.subtype() == mime_guess::mime::JSON;
    let value = if text {
        format!("{guessed}; charset=utf-8")
    } else {
        guessed.to_string()
    };
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Text, programs and drawings; what else there is, is compressed as it is.
fn is_compressible(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    text.starts_with("text/")
        || ["json", "wasm", "svg"]
            .iter()
            .any(|kind| text.contains(kind))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    share(response.headers_mut());
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The package is meant to be loaded from pages of other origins, also of those that ask for cross-origin isolation.
fn share(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("cross-origin"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
}
