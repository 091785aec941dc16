//! A TCP connection that others may write to, besides the task that owns it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection.
#[derive(Clone, Debug)]
pub(crate) struct Tcp(Arc<TcpStream>);

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
    pub(super) fn limit(&self, tcp: &Tcp, bytes: u32) {
        let limit = self.0.load(Ordering::Relaxed);
        if limit.abs_diff(bytes) > limit / 4 {
            self.0.store(bytes, Ordering::Relaxed);
            set_unsent_limit(&tcp.0, bytes);
        }
    }
}

impl From<TcpStream> for Tcp {
    fn from(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }
}

impl Tcp {
    /// Writes what can be written at once. The kernel is asked without tokio, whose record of who can be written to is the owner's
    /// affair.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        SockRef::from(&*self.0).send(bytes)
    }

    /// As [`send`](Self::send), from several places.
    pub(super) fn send_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        SockRef::from(&*self.0).send_vectored(slices)
    }

    /// The stream.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.0
    }

    /// Reads what has arrived, once: less than fits is everything (epoll(7), question 9), and tokio need not find that out by a second
    /// read.
    fn read_all(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = None;
        let outcome = self.0.try_io(Interest::READABLE, || {
            let mut socket: &socket2::Socket = &SockRef::from(&*self.0);
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
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match write(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.read_all(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    buffer.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_try_write(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_try_write(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.0).shutdown(std::net::Shutdown::Write))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_gathered_by_the_kernel_and_little_is_kept_unsent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap());
        let stream = stream.await.unwrap();
        tune(&stream);
        assert!(stream.nodelay().unwrap());
        let (tcp, limit) = (Tcp::from(stream), Unsent::default());
        let unsent = || SockRef::from(tcp.stream()).tcp_notsent_lowat().unwrap();
        assert_eq!(unsent(), UNSENT_LIMIT);
        limit.limit(&tcp, 100_000);
        assert_eq!(unsent(), 100_000);
        limit.limit(&tcp, 110_000);
        assert_eq!(unsent(), 100_000, "not worth a system call");
        limit.limit(&tcp, 5_000);
        assert_eq!(unsent(), 5_000);
    }
}
