//! Opens a byte stream to another server.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};

use super::{Socket, Tcp, Transport, WebSocket, tune, websocket};
use crate::address::Endpoint;
use crate::tls;

/// Nobody waits longer for a server that does not answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the byte stream to `endpoint`, on which RTMP's handshake comes next.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Transport> {
    match tokio::time::timeout(TIMEOUT, open(endpoint)).await {
        Ok(opened) => opened,
        Err(_) => Err(anyhow!(
            "{} does not answer (waited {} s)",
            endpoint.authority(),
            TIMEOUT.as_secs()
        )),
    }
}

async fn open(endpoint: &Endpoint) -> Result<Transport> {
    let stream = TcpStream::connect((endpoint.host_name(), endpoint.port))
        .await
        .with_context(|| {
            format!(
                "cannot connect to {} (is a server running there?)",
                endpoint.authority()
            )
        })?;
    tune(&stream);
    let socket = if endpoint.scheme.is_secure() {
        let name = tls::server_name(endpoint.host_name())?;
        let encrypted = tls::connector()?
            .connect(name, Tcp::from(stream))
            .await
            .with_context(|| format!("no encrypted connection to {}", endpoint.authority()))?;
        Socket::tls(encrypted)
    } else {
        Socket::tcp(stream)
    };
    if !endpoint.scheme.is_websocket() {
        return Ok(Transport::Plain(socket));
    }
    let mut request = url::Url::parse(&endpoint.tc_url())?
        .as_str()
        .into_client_request()
        .context("not a WebSocket address")?;
    request.headers_mut().insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(websocket::SUBPROTOCOL),
    );
    let socket = WebSocket::request(socket, request)
        .await
        .with_context(|| format!("{endpoint} does not speak WebSocket there"))?;
    Ok(Transport::WebSocket(Box::new(socket)))
}
