use crate::amf0;

/// Why a message's payload is not what its type says. The messages after it are not concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The payload ends too early.
    #[error("a message of type {message_type} with only {length} bytes")]
    Short {
        /// The message type.
        message_type: u8,
        /// The length of its payload in bytes.
        length: usize,
    },
    /// A Set Peer Bandwidth whose limit type is not 0, 1 or 2 (§5.4.5).
    #[error("a peer bandwidth of limit type {0}")]
    LimitType(u8),
    /// A command or a data message that does not start with its name.
    #[error("a message of type {message_type} without a name")]
    Nameless {
        /// The message type.
        message_type: u8,
    },
    /// Its values cannot be read.
    #[error("a value of a message of type {message_type}: {error}")]
    Value {
        /// The message type.
        message_type: u8,
        /// What is wrong with the value.
        error: amf0::Error,
    },
}

impl Error {
    /// Whether values are over one of their [`Limits`](amf0::Limits).
    pub const fn is_limit(&self) -> bool {
        matches!(self, Self::Value { error, .. } if error.is_limit())
    }
}
