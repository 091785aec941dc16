//! A TCP connection, encrypted or not.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
#[cfg(any(target_os = "linux", target_os = "android"))]
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::tcp::{Tcp, Unsent};
use super::tls::Tls;

/// A TCP connection, encrypted or not, from which a little may have been read already.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: Tcp,
    tls: Option<Tls>,
    /// Bytes that arrived together with the HTTP request before them.
    early: Bytes,
    unsent: Unsent,
}

/// One read takes at most this much; the buffer is the thread's, not the connection's, so an idle connection has none.
const READ_SIZE: usize = 32 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

impl Socket {
    /// A plain connection.
    pub(crate) fn tcp(tcp: impl Into<Tcp>) -> Self {
        Self {
            tcp: tcp.into(),
            tls: None,
            early: Bytes::new(),
            unsent: Unsent::default(),
        }
    }

    /// An encrypted connection.
    pub(crate) fn tls(stream: impl Into<TlsStream<Tcp>>) -> Self {
        let stream = stream.into();
        let tcp = stream.get_ref().0.clone();
        Self {
            tls: Some(Tls::new(stream)),
            ..Self::tcp(tcp)
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
        self.tls.is_some()
    }

    /// Limits what the kernel may hold unsent (where it can be limited), if the limit is another by a quarter or more.
    pub(crate) fn limit_unsent(&self, bytes: u32) {
        self.unsent.limit(&self.tcp, bytes);
    }

    /// The connection, for writing to it from elsewhere.
    pub(super) fn shared(&self) -> (Tcp, Option<Tls>, Unsent) {
        (self.tcp.clone(), self.tls.clone(), self.unsent.clone())
    }

    /// Has what has arrived acknowledged now. While a connection is set up, small messages go back and forth, and a publisher sends many; a peer
    /// that gathers its own (Nagle's algorithm, as in ffmpeg) waits 40 ms for each acknowledgement that is held back here.
    pub(crate) fn acknowledge_at_once(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(self.tcp.stream()).set_tcp_quickack(true);
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.tcp.stream().peer_addr().ok()
    }

    /// Does `act` with what carries bytes.
    fn carrier<T>(self: Pin<&mut Self>, act: impl FnOnce(Pin<&mut dyn Carrier>) -> T) -> T {
        let this = self.get_mut();
        match &this.tls {
            Some(tls) => act(Pin::new(&mut *tls.lock())),
            None => act(Pin::new(&mut this.tcp)),
        }
    }
}

/// What carries bytes.
trait Carrier: AsyncRead + AsyncWrite + Unpin {}

impl Carrier for Tcp {}
impl Carrier for TlsStream<Tcp> {}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.has_remaining() {
            let length = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early.split_to(length));
            if self.early.is_empty() {
                self.early = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        self.carrier(|carrier| carrier.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.carrier(|carrier| carrier.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.carrier(|carrier| carrier.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.carrier(|carrier| carrier.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.carrier(|carrier| carrier.poll_shutdown(cx))
    }
}
