//! FLV tags and files (Video File Format 10.1, Annex E) and the Enhanced RTMP headers (E-RTMP v2).
//!
//! [`TagHeader`] answers what a relay asks, from a tag's first bytes. [`video`] and [`audio`] are the whole of a tag, typed.

pub mod aac;
pub mod audio;
pub mod av1;
pub mod avc;
mod bits;
mod codec;
mod config;
mod demuxer;
mod ex;
mod fourcc;
mod header;
pub mod hevc;
pub mod mp3;
mod muxer;
pub mod opus;
pub mod script;
mod tag;
#[cfg(test)]
mod tests;
pub mod video;
pub mod vpx;

pub use codec::{AudioCodec, Codec, VideoCodec};
pub use config::{AudioConfig, VideoConfig};
pub use demuxer::{Demuxer, Skipped};
pub use ex::{ModEx, Multitrack};
pub use fourcc::FourCc;
pub use header::{Kind, TagHeader};
pub use muxer::Muxer;
pub use tag::{Tag, TagType};

/// Why a payload is not what its tag type says, or why a value cannot be written as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The payload ends inside a field.
    #[error("the payload ends inside its {0}")]
    Truncated(&'static str),
    /// A field has a value that is reserved or makes no sense.
    #[error("{field} has the value {value}")]
    Field {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u32,
    },
    /// A list is longer than anything sensible.
    #[error("there are more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most allowed.
        limit: usize,
    },
    /// The value has no form on the wire: a codec without a legacy number, or several tracks in a message of one.
    #[error("{0}")]
    Unencodable(&'static str),
    /// Script data that is not AMF0.
    #[error(transparent)]
    Amf(#[from] crate::amf0::Error),
}
