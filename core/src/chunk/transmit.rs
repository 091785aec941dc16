use core::fmt;
use core::ops::Deref;

use alloc::vec::Vec;
use bytes::Bytes;

use super::header::{LONGEST_HEADER, Push};

/// Bytes for the peer: first the head, then the body, with nothing between them.
///
/// The body may be shared with other connections; the head is this connection's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transmit {
    /// The bytes that come first; may be empty.
    pub head: Head,
    /// The bytes that follow; may be empty.
    pub body: Bytes,
}

impl Transmit {
    /// Length in bytes of both parts.
    pub const fn len(&self) -> usize {
        self.head.len as usize + self.body.len()
    }

    /// Whether there is nothing to send.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends all bytes to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.body);
    }

    /// Both parts in order, for a vectored write.
    pub fn slices(&self) -> [&[u8]; 2] {
        [&self.head, &self.body]
    }
}

impl From<Bytes> for Transmit {
    fn from(body: Bytes) -> Self {
        Self {
            head: Head::default(),
            body,
        }
    }
}

impl From<Vec<u8>> for Transmit {
    fn from(body: Vec<u8>) -> Self {
        Bytes::from(body).into()
    }
}

/// At most 18 bytes, the longest chunk header (§5.3.1), held in place.
#[derive(Clone, Copy, Default)]
pub struct Head {
    bytes: [u8; LONGEST_HEADER],
    len: u8,
}

impl Head {
    /// Overwrites four bytes from `at` on.
    pub(super) fn patch(&mut self, at: u8, bytes: [u8; 4]) {
        if let Some(field) = self
            .bytes
            .get_mut(usize::from(at)..)
            .and_then(<[u8]>::first_chunk_mut)
        {
            *field = bytes;
        }
    }
}

impl Push for Head {
    /// Appends what fits of `bytes`; the callers' headers always do.
    #[inline]
    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        let room = self.bytes.get_mut(usize::from(self.len)..);
        if let Some(room) = room.and_then(<[u8]>::first_chunk_mut) {
            *room = bytes;
            self.len += N as u8;
        }
    }
}

impl Deref for Head {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.len))
            .unwrap_or(&self.bytes)
    }
}

impl AsRef<[u8]> for Head {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Head {}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
