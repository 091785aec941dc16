//! The RTMP handshake (RTMP 1.0 §5.2), simple, and with digest as Flash and librtmp do it.
//!
//! Either side takes input until it answers with the [`Kind`] that was agreed; what is left of the input then is the start of the
//! chunk stream. Nothing that a peer puts into its random bytes is an error: a digest that does not fit means the simple kind.

mod client;
#[cfg(feature = "digest")]
mod digest;
mod packet;
mod server;
#[cfg(test)]
#[cfg(feature = "digest")]
mod tests;

pub use client::Client;
pub use server::Server;

/// The only version there is without encryption (§5.2.2).
const VERSION: u8 = 3;

/// Length in bytes of C1, C2, S1 and S2 (§5.2.3, §5.2.4).
const PACKET: usize = 1536;

/// Which of the two handshakes it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The one of the specification: each side sends back what the other sent.
    #[default]
    Simple,
    /// The one that Flash Player 9 brought: HMAC-SHA256 digests under Adobe's keys prove nothing, but some servers send H.264
    /// only to clients that know them.
    #[cfg(feature = "digest")]
    Digest,
}

/// Why a handshake cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// C0 or S0 asks for RTMPE.
    #[error(
        "the peer asks for RTMPE (version 6), which is not supported: use rtmp://, or rtmps:// where privacy matters"
    )]
    Encrypted,
    /// C0 or S0 is no version of RTMP; the peer speaks something else.
    #[error("the peer's first byte is {0:#04x} where RTMP has version 3")]
    Version(u8),
}

/// Reads C0 or S0.
const fn check_version(version: u8) -> Result<(), Error> {
    match version {
        VERSION => Ok(()),
        6 => Err(Error::Encrypted),
        other => Err(Error::Version(other)),
    }
}
