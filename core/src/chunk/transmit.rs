use core::fmt;
use core::ops::Deref;

use alloc::vec::Vec;
use bytes::Bytes;

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
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Head {
    const MAX: usize = 18;

    /// Appends what fits of `bytes`; the callers' headers always do.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let len = usize::from(self.len);
        if let Some(room) = self.bytes.get_mut(len..len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len() as u8;
        }
    }

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
