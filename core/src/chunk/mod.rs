//! The RTMP chunk stream (RTMP 1.0 §5.3): messages cut into chunks, and put together again.
//!
//! [`Decoder`] reassembles what a peer sends. [`Encoder`] cuts one connection's messages, with header compression.
//! [`SharedMessage`] cuts a media message once for all its viewers.

mod decoder;
mod encoder;
mod error;
mod header;
mod limits;
mod reassembly;
mod shared;
mod transmit;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::Error;
pub use limits::Limits;
pub use shared::SharedMessage;
pub use transmit::{Head, Transmit};

/// The chunk size of both directions until a Set Chunk Size says otherwise, in bytes (§5.4.1).
pub const DEFAULT_CHUNK_SIZE: u32 = 128;

/// The greatest length of a message, in bytes: its field has 24 bits (§5.3.1.2.1).
pub const MAX_MESSAGE_LENGTH: u32 = 0x00FF_FFFF;

/// The chunk stream of protocol control and user control messages (§5.4, §6.2).
pub const CONTROL_CHUNK_STREAM: u32 = 2;

/// The chunk stream this crate sends commands on.
pub const COMMAND_CHUNK_STREAM: u32 = 3;

/// The chunk stream this crate sends audio on.
pub const AUDIO_CHUNK_STREAM: u32 = 4;

/// The chunk stream this crate sends data messages on.
pub const DATA_CHUNK_STREAM: u32 = 5;

/// The chunk stream this crate sends video on.
pub const VIDEO_CHUNK_STREAM: u32 = 6;
