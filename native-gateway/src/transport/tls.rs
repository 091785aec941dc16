//! Encryption that others than the connection's task may write through.

use std::io::{self, IoSlice, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_rustls::TlsStream;
use tokio_rustls::rustls::ServerConnection;

use super::tcp::Tcp;

/// An encrypted connection.
#[derive(Clone, Debug)]
pub(super) struct Tls(Arc<Mutex<TlsStream<Tcp>>>);

/// How far bytes have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// So many have been encrypted: they cannot be recalled.
    pub(super) bytes: usize,
    /// Whether they have all been written; what has not is when the connection is flushed.
    pub(super) written: bool,
}

impl Tls {
    pub(super) fn new(stream: TlsStream<Tcp>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, TlsStream<Tcp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Encrypts and writes what can be written at once, at a server's end. Does not ask tokio, as [`Tcp::send`] does not.
    pub(super) fn send(&self, bytes: &[u8]) -> Sealed {
        let mut sealed = Sealed {
            bytes: 0,
            written: false,
        };
        let mut stream = self.lock();
        let TlsStream::Server(stream) = &mut *stream else {
            return sealed;
        };
        let (tcp, session) = stream.get_mut();
        // What is left from before comes first.
        sealed.written = flush(tcp, session);
        while sealed.written && sealed.bytes < bytes.len() {
            // It takes some records at a time.
            match session.writer().write(&bytes[sealed.bytes..]) {
                Ok(taken @ 1..) => sealed.bytes += taken,
                Ok(0) | Err(_) => sealed.written = false,
            }
            sealed.written &= flush(tcp, session);
        }
        sealed
    }
}

/// Writes what has been encrypted. False if some of it is left.
fn flush(tcp: &Tcp, session: &mut ServerConnection) -> bool {
    while session.wants_write() {
        if !matches!(session.write_tls(&mut At(tcp)), Ok(1..)) {
            return false;
        }
    }
    true
}

/// Writes without waiting.
struct At<'a>(&'a Tcp);

impl Write for At<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
