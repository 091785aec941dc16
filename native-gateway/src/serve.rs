//! Listens, and serves until it is told to end.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

use crate::config::{Config, Tls};
use crate::connection;
use crate::gateway::{Command, Gateway};
use crate::http::Http;
use crate::tls;
use crate::transport::{Socket, Transport, tune};

/// The sockets that a gateway listens on.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For pages and WebSocket.
    pub http: Option<TcpListener>,
    /// For RTMP.
    pub rtmp: Option<TcpListener>,
}

/// Connections that the kernel completes before they are accepted: a whole class opens its pages at once.
const BACKLOG: i32 = 1024;
/// How long connections may take to end when the gateway does.
const FAREWELL: Duration = Duration::from_secs(2);

impl Listeners {
    /// Listens where `config` says. Fails with what to do about it.
    pub fn bind(config: &Config) -> Result<Self> {
        if config.http.is_none() && config.rtmp.is_none() {
            return Err(anyhow!(
                "nothing to listen on: --http and --rtmp are both off"
            ));
        }
        let http = config
            .http
            .map(|address| listen("http", address))
            .transpose()?;
        let rtmp = config
            .rtmp
            .map(|address| listen("rtmp", address))
            .transpose()?;
        Ok(Self { http, rtmp })
    }
}

/// Serves until `shutdown` ends; then says goodbye to every connection.
pub async fn run(
    listeners: Listeners,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let acceptor = tls::acceptor(&config.tls)?;
    let gateway = Gateway::new(config);
    let http = Http::new(Arc::clone(&gateway), acceptor);
    let rtmp = Arc::clone(&gateway);
    tokio::select! {
        () = shutdown => {}
        () = accept(listeners.http, |stream| { tokio::spawn(http.clone().serve(stream)); }) => {}
        () = accept(listeners.rtmp, |stream| { tokio::spawn(serve_rtmp(Arc::clone(&rtmp), stream)); }) => {}
    }
    gateway.connections.tell_all(&Command::Shutdown);
    let patience = tokio::time::Instant::now() + FAREWELL;
    while gateway.connections.count() > 0 && tokio::time::Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// What there is to open, one line each, for people.
pub fn describe(listeners: &Listeners, config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(address) = local_address(listeners.http.as_ref()) {
        let (web, socket) = if config.tls == Tls::Off {
            ("http", "ws")
        } else {
            ("https", "wss")
        };
        for host in hosts(address) {
            let base = format!("{host}:{}{}", address.port(), config.base_path);
            lines.push(format!("pages      {web}://{base}/"));
            lines.push(format!("teach      {web}://{base}/teacher"));
            lines.push(format!("attend     {web}://{base}/student?stream=NAME"));
            lines.push(format!("WebSocket  {socket}://{base}/APP"));
        }
    }
    if let Some(address) = local_address(listeners.rtmp.as_ref()) {
        for host in hosts(address) {
            lines.push(format!(
                "RTMP       rtmp://{host}:{}/APP  (OBS, ffmpeg)",
                address.port()
            ));
        }
    }
    if !config.apps.is_empty() {
        lines.push(format!("apps       {}", config.apps.join(", ")));
    }
    if !config.routes.is_empty() {
        lines.push(format!("relay      {}", config.routes.describe()));
    }
    for relay in config.routes.with_user() {
        lines.push(format!(
            "The user and password in the address of {relay} are not sent: RTMP relays take tokens after a question mark."
        ));
    }
    if config.tls == Tls::SelfSigned {
        lines.push(
            "The certificate is self-made: each browser asks once whether to go on.".to_owned(),
        );
    }
    lines
}

fn local_address(listener: Option<&TcpListener>) -> Option<SocketAddr> {
    listener.and_then(|listener| listener.local_addr().ok())
}

/// The names under which an address can be reached.
fn hosts(address: SocketAddr) -> Vec<String> {
    let written = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    if !address.ip().is_unspecified() {
        let is_localhost = address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
        return vec![if is_localhost {
            "localhost".to_owned()
        } else {
            written(address.ip())
        }];
    }
    let reachable = |ip: &IpAddr| address.is_ipv6() || ip.is_ipv4();
    let mut hosts = vec!["localhost".to_owned()];
    hosts.extend(
        tls::own_addresses()
            .into_iter()
            .filter(reachable)
            .map(written),
    );
    hosts
}

async fn serve_rtmp(gateway: Arc<Gateway>, stream: TcpStream) {
    tune(&stream);
    connection::serve(gateway, Transport::Plain(Socket::tcp(stream)), None).await;
}

/// Accepts for ever.
async fn accept(listener: Option<TcpListener>, serve: impl Fn(TcpStream)) {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => serve(stream),
            Err(error) => {
                // Out of file descriptors, mostly: others end, and then it works again.
                warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn listen(name: &str, address: SocketAddr) -> Result<TcpListener> {
    bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse if name == "rtmp" => {
            anyhow!("address in use: {address}, another RTMP server? use --rtmp to choose another port")
        }
        io::ErrorKind::AddrInUse => anyhow!("address in use: {address}, another web server? use --http to choose another port"),
        io::ErrorKind::PermissionDenied => {
            anyhow!("not allowed to listen on {address}: ports below 1024 need root; use --{name} to choose another")
        }
        io::ErrorKind::AddrNotAvailable => anyhow!("this machine does not have the address {address}; use --{name} to choose one"),
        _ => anyhow!("cannot listen on {address} (--{name}): {error}"),
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        None,
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Resolves at Ctrl-C, and when the system asks the program to end. A second Ctrl-C ends it at once.
pub async fn interrupted() {
    let first = wait_for_signal().await;
    if first.is_err() {
        // Without signals there is nothing to wait for; the system ends the program its own way.
        std::future::pending::<()>().await;
    }
    tokio::spawn(async {
        if wait_for_signal().await.is_ok() {
            std::process::exit(130);
        }
    });
}

async fn wait_for_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed,
    }
}
