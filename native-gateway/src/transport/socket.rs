//! A TCP connection, encrypted or not.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// A TCP connection, encrypted or not, from which a little may have been read already.
#[derive(Debug)]
pub(crate) struct Socket {
    kind: Kind,
    /// Bytes that arrived together with the HTTP request before them.
    early: Bytes,
    unsent: Unsent,
}

#[derive(Debug)]
enum Kind {
    Tcp(Arc<TcpStream>),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One read takes at most this much; the buffer is the thread's, not the connection's, so an idle connection has none.
const READ_SIZE: usize = 32 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// What the kernel may hold unsent, until something else is said: what it holds cannot be recalled when a slow viewer skips ahead.
const UNSENT_LIMIT: u32 = 16 * 1024;

/// Sets up a connection for live media.
pub(crate) fn tune(stream: &TcpStream) {
    // A socket that refuses these works all the same.
    let _ = stream.set_nodelay(true);
    set_unsent_limit(stream, UNSENT_LIMIT);
}

fn set_unsent_limit(stream: &TcpStream, bytes: u32) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(bytes);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (stream, bytes);
}

/// What the kernel may hold unsent, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Unsent(Arc<AtomicU32>);

impl Default for Unsent {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(UNSENT_LIMIT)))
    }
}

impl Unsent {
    /// Limits it, if the limit is another by a quarter or more.
    pub(super) fn limit(&self, stream: &TcpStream, bytes: u32) {
        let limit = self.0.load(Ordering::Relaxed);
        if limit.abs_diff(bytes) > limit / 4 {
            self.0.store(bytes, Ordering::Relaxed);
            set_unsent_limit(stream, bytes);
        }
    }
}

impl Socket {
    /// A plain connection of which `early` has been read.
    pub(crate) fn tcp(stream: TcpStream, early: Bytes) -> Self {
        Self {
            kind: Kind::Tcp(Arc::new(stream)),
            early,
            unsent: Unsent::default(),
        }
    }

    /// An encrypted connection of which `early` has been read.
    pub(crate) fn tls(stream: impl Into<TlsStream<TcpStream>>, early: Bytes) -> Self {
        Self {
            kind: Kind::Tls(Box::new(stream.into())),
            early,
            unsent: Unsent::default(),
        }
    }

    /// The same connection, of which `early` has been read.
    pub(crate) fn with_early(self, early: Bytes) -> Self {
        Self { early, ..self }
    }

    /// Hands what has arrived to `sink`; `Ok(0)` is the end.
    pub(crate) fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        mut sink: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(self).poll_read(cx, &mut buffer))?;
            if !buffer.filled().is_empty() {
                sink(buffer.filled());
            }
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// Sends the end of the stream.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_shutdown(cx)
    }

    /// Whether TLS is in between.
    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.kind, Kind::Tls(_))
    }

    /// Limits what the kernel may hold unsent (where it can be limited), if the limit is another by a quarter or more.
    pub(crate) fn limit_unsent(&self, bytes: u32) {
        self.unsent.limit(self.stream(), bytes);
    }

    /// The connection, for writing to it from elsewhere; `None` if it is encrypted.
    pub(super) fn shared(&self) -> Option<(Arc<TcpStream>, Unsent)> {
        match &self.kind {
            Kind::Tcp(stream) => Some((Arc::clone(stream), self.unsent.clone())),
            Kind::Tls(_) => None,
        }
    }

    /// Has what has arrived acknowledged now. While a connection is set up, small messages go back and forth, and a publisher sends many; a peer
    /// that gathers its own (Nagle's algorithm, as in ffmpeg) waits 40 ms for each acknowledgement that is held back here.
    pub(crate) fn acknowledge_at_once(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(self.stream()).set_tcp_quickack(true);
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.stream().peer_addr().ok()
    }

    fn stream(&self) -> &TcpStream {
        match &self.kind {
            Kind::Tcp(stream) => stream,
            Kind::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.early.has_remaining() {
            let length = this.early.len().min(buffer.remaining());
            buffer.put_slice(&this.early.split_to(length));
            if this.early.is_empty() {
                this.early = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        match &mut this.kind {
            Kind::Tcp(stream) => loop {
                ready!(stream.poll_read_ready(cx))?;
                match read_all(stream, buffer.initialize_unfilled()) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => {
                        buffer.advance(read?);
                        return Poll::Ready(Ok(()));
                    }
                }
            },
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

/// Reads what has arrived, once: less than fits is everything (epoll(7), question 9), and tokio need not find that out by a second
/// read.
fn read_all(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = None;
    let outcome = stream.try_io(Interest::READABLE, || {
        let mut socket: &socket2::Socket = &SockRef::from(stream);
        let length = io::Read::read(&mut socket, buffer)?;
        read = Some(length);
        let is_all = cfg!(target_os = "linux") && (1..buffer.len()).contains(&length);
        if is_all {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(length)
    });
    read.map_or(outcome, Ok)
}

/// Calls `write` when the connection can be written to.
fn poll_try_write(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    write: impl Fn() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match write() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return Poll::Ready(written),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => poll_try_write(stream, cx, || stream.try_write(bytes)),
            Kind::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => poll_try_write(stream, cx, || stream.try_write_vectored(slices)),
            Kind::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(_) => Poll::Ready(Ok(())),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => {
                let ended = SockRef::from(&**stream).shutdown(std::net::Shutdown::Write);
                Poll::Ready(ended)
            }
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
