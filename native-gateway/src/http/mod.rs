//! The HTTP port: pages, the package, the API, and the upgrade to RTMP over WebSocket.

mod api;
mod gzip;
mod pages;
mod upgrade;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use crate::gateway::Gateway;
use crate::transport::{Socket, Tcp, tune};

/// A request's head, or a TLS handshake, takes no longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 22;

/// Serves the connections of the HTTP port.
#[derive(Clone)]
pub(crate) struct Http {
    gateway: Arc<Gateway>,
    router: Router,
    tls: Option<TlsAcceptor>,
}

impl Http {
    pub(crate) fn new(gateway: Arc<Gateway>, tls: Option<TlsAcceptor>) -> Self {
        let router = api::router(Arc::clone(&gateway)).fallback(pages::serve);
        Self {
            gateway,
            router,
            tls,
        }
    }

    /// Serves one connection until it ends, or has become a WebSocket.
    pub(crate) async fn serve(self, stream: TcpStream) {
        let peer = stream.peer_addr();
        tune(&stream);
        if let Err(error) = self.serve_inner(stream).await {
            // Browsers open connections that they never use, and scanners send anything: no news for an administrator.
            debug!(?peer, %error, "an HTTP connection ended");
        }
    }

    async fn serve_inner(self, stream: TcpStream) -> io::Result<()> {
        let Some(tls) = self.tls.clone() else {
            return self.serve_http(Socket::tcp(stream)).await;
        };
        let mut first = [0; 1];
        tokio::time::timeout(PATIENCE, stream.peek(&mut first)).await??;
        if first[0] != TLS_HANDSHAKE {
            return redirect_to_https(stream).await;
        }
        let encrypted = tokio::time::timeout(PATIENCE, tls.accept(Tcp::from(stream))).await??;
        self.serve_http(Socket::tls(encrypted)).await
    }

    async fn serve_http(self, socket: Socket) -> io::Result<()> {
        let service = service_fn(move |request| self.clone().respond(request));
        builder()
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades()
            .await
            .map_err(io::Error::other)
    }

    async fn respond(self, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        strip_base_path(&mut request, &self.gateway.config.base_path);
        if upgrade::is_requested(&request) {
            return Ok(upgrade::respond(self.gateway, request));
        }
        TowerToHyperService::new(self.router).call(request).await
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(16 * 1024);
    builder
}

/// A path that does not start with the base path stays as it is, so that the gateway can also be reached past its proxy.
fn strip_base_path(request: &mut Request<Incoming>, base: &str) {
    let Some(rest) = request
        .uri()
        .path()
        .strip_prefix(base)
        .filter(|_| !base.is_empty())
    else {
        return;
    };
    if !rest.is_empty() && !rest.starts_with('/') {
        return;
    }
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let path = format!("/{}{query}", rest.trim_start_matches('/'));
    if let Ok(path) = path.parse::<PathAndQuery>() {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(path);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

/// Somebody typed http:// where https:// is served.
async fn redirect_to_https(stream: TcpStream) -> io::Result<()> {
    let service = service_fn(|request: Request<Incoming>| async move {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("localhost");
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        Response::builder()
            .status(StatusCode::PERMANENT_REDIRECT)
            .header(header::LOCATION, format!("https://{host}{path}"))
            .header(header::CONNECTION, "close")
            .body(Body::empty())
    });
    builder()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}
