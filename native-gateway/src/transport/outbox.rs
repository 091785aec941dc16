//! What waits to be written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

/// Bytes on their way to a peer, in order: small ones gathered, large ones shared with every other viewer.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    sealed: VecDeque<Bytes>,
    open: BytesMut,
    length: usize,
}

/// Up to here, copying is cheaper than another segment in a vectored write.
const COPY_LIMIT: usize = 4 * 1024;
/// Segments handed to the kernel at once.
const SEGMENTS: usize = 32;
/// What is kept allocated between writes: thousands of connections wait most of the time.
const KEPT_CAPACITY: usize = 2 * 1024;

impl Outbox {
    /// Appends a message's header and its shared body.
    pub(crate) fn push(&mut self, head: &[u8], body: &Bytes) {
        self.length += head.len() + body.len();
        if self.open.capacity() == 0 {
            self.open.reserve(KEPT_CAPACITY);
        }
        self.open.extend_from_slice(head);
        if body.len() <= COPY_LIMIT {
            self.open.extend_from_slice(body);
        } else {
            self.seal();
            self.sealed.push_back(body.clone());
        }
    }

    /// Keeps no memory, as nothing is to be written for a while.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Puts `bytes` before everything else. For what has not been written from yet.
    pub(crate) fn push_front(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if self.sealed.is_empty() {
            // Moving a little is cheaper than a vectored write.
            let length = self.open.len();
            self.open.resize(length + bytes.len(), 0);
            self.open.copy_within(..length, bytes.len());
            self.open[..bytes.len()].copy_from_slice(bytes);
        } else {
            self.sealed.push_front(Bytes::copy_from_slice(bytes));
        }
    }

    /// The first `max` bytes at most, in one piece.
    pub(crate) fn take(&mut self, max: usize) -> Bytes {
        self.seal();
        let whole = self.sealed.len() == 1 && self.sealed[0].len() <= max;
        let taken = match self.sealed.pop_front() {
            Some(only) if whole => only,
            None => Bytes::new(),
            Some(first) => {
                self.sealed.push_front(first);
                let mut joined = BytesMut::with_capacity(self.length.min(max));
                while let Some(segment) = self.sealed.front_mut().filter(|_| joined.len() < max) {
                    let part = segment.split_to(segment.len().min(max - joined.len()));
                    joined.extend_from_slice(&part);
                    if segment.is_empty() {
                        self.sealed.pop_front();
                    }
                }
                joined.freeze()
            }
        };
        self.length -= taken.len();
        taken
    }

    /// Writes everything, in as few calls as it takes.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let written = if self.sealed.is_empty() {
                ready!(Pin::new(&mut *socket).poll_write(cx, &self.open))?
            } else {
                let mut slices = [IoSlice::new(&[]); SEGMENTS];
                let mut count = 0;
                let segments = self
                    .sealed
                    .iter()
                    .map(|segment| &segment[..])
                    .chain([&self.open[..]]);
                for (slice, segment) in slices.iter_mut().zip(segments) {
                    *slice = IoSlice::new(segment);
                    count += 1;
                }
                ready!(Pin::new(&mut *socket).poll_write_vectored(cx, &slices[..count]))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        // TLS buffers, and may have been written to by others, or may not have got rid of everything last time; TCP does nothing here.
        Pin::new(socket).poll_flush(cx)
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.sealed.push_back(self.open.split().freeze());
        }
    }

    fn advance(&mut self, mut written: usize) {
        self.length -= written;
        while let Some(segment) = self.sealed.front_mut().filter(|_| written > 0) {
            let part = written.min(segment.len());
            segment.advance(part);
            written -= part;
            if segment.is_empty() {
                self.sealed.pop_front();
            }
        }
        if written == self.open.len() && self.open.capacity() <= KEPT_CAPACITY {
            self.open.clear();
        } else if written == self.open.len() {
            self.open = BytesMut::new();
        } else {
            self.open.advance(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> (Outbox, Vec<u8>) {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for size in [10, COPY_LIMIT, COPY_LIMIT + 1, 0, 3, 100_000, 7] {
            let body: Bytes = (0..size)
                .map(|at| (at % 251) as u8)
                .collect::<Vec<_>>()
                .into();
            outbox.push(b"head", &body);
            expected.extend_from_slice(b"head");
            expected.extend_from_slice(&body);
        }
        (outbox, expected)
    }

    #[test]
    fn pieces_of_any_size_join_to_what_was_pushed() {
        for max in [1, 5, 4096, 16_384, usize::MAX] {
            let (mut outbox, expected) = filled();
            assert_eq!(outbox.len(), expected.len());
            let mut joined = Vec::new();
            while !outbox.is_empty() {
                let piece = outbox.take(max);
                assert!(!piece.is_empty() && piece.len() <= max);
                joined.extend_from_slice(&piece);
            }
            assert!(joined == expected);
        }
    }

    #[test]
    fn what_is_put_before_comes_first() {
        let (mut outbox, expected) = filled();
        outbox.push_front(b"first");
        assert!(outbox.take(usize::MAX) == [b"first", &expected[..]].concat());
        outbox.push(b"head", &Bytes::from_static(b"body"));
        outbox.push_front(b"first");
        assert_eq!(outbox.take(usize::MAX), "firstheadbody");
        assert!(outbox.is_empty());
    }

    #[tokio::test]
    async fn a_socket_that_takes_little_at_a_time_gets_everything_in_order() {
        let (mut outbox, expected) = filled();
        let (mut near, mut far) = tokio::io::duplex(777);
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut far, &mut all)
                .await
                .unwrap();
            all
        });
        std::future::poll_fn(|cx| outbox.poll_write(cx, &mut near))
            .await
            .unwrap();
        drop(near);
        assert!(reader.await.unwrap() == expected);
        assert!(outbox.is_empty() && outbox.open.capacity() <= KEPT_CAPACITY);
    }
}
