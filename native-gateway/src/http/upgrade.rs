//! From an HTTP request to RTMP over WebSocket (RFC 6455 §4.2).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::debug;

use crate::address::percent_decode;
use crate::connection;
use crate::gateway::Gateway;
use crate::transport::{Socket, Transport, WebSocket};

const SUBPROTOCOL: &str = "rtmp";

/// Whether the request asks for a WebSocket.
pub(super) fn is_requested(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET && has_token(request.headers(), &header::UPGRADE, "websocket")
}

/// Accepts, and serves RTMP on what the connection becomes. The path is the app.
pub(super) fn respond(gateway: Arc<Gateway>, mut request: Request<Incoming>) -> Response<Body> {
    let headers = request.headers();
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "the Sec-WebSocket-Key header is missing",
        );
    };
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        let mut response = refuse(
            StatusCode::UPGRADE_REQUIRED,
            "this server speaks WebSocket version 13",
        );
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        return response;
    }
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(
            header::SEC_WEBSOCKET_ACCEPT,
            derive_accept_key(key.as_bytes()),
        );
    if has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    }
    let app = percent_decode(request.uri().path().trim_matches('/'));
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(serve(gateway, upgrade, app));
    match response.body(Body::empty()) {
        Ok(response) => response,
        Err(_) => refuse(StatusCode::BAD_REQUEST, "that request cannot be upgraded"),
    }
}

async fn serve(gateway: Arc<Gateway>, upgrade: OnUpgrade, app: String) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return debug!(%error, "a WebSocket ended before it began"),
    };
    let Some(socket) = socket_of(upgraded) else {
        return;
    };
    let transport = Transport::WebSocket(Box::new(WebSocket::accepted(socket).await));
    connection::serve(gateway, transport, Some(app)).await;
}

/// The socket underneath, so that media is not carried through the layers of HTTP.
fn socket_of(upgraded: Upgraded) -> Option<Socket> {
    let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
    // An empty one holds on to the buffer of the HTTP connection, which is larger than all else that a viewer takes.
    let early = Some(parts.read_buf).filter(|early| !early.is_empty());
    Some(parts.io.into_inner().with_early(early.unwrap_or_default()))
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

fn refuse(status: StatusCode, why: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{why}\n")));
    *response.status_mut() = status;
    response
}
