//! The browser engine: one dedicated Worker that owns a connection's WebSocket, its session, its encoders and its decoders.
//!
//! `js/src/worker.ts` loads it, makes an [`Engine`] and hands it the page's messages; everything is decided here or in the core.
//! The messages are typed in `js/src/protocol.ts`. It is built as two files, by the features `player` (connection and playing) and
//! `publisher` (camera and microphone to tags), because a student downloads only the first.

// What both files share, neither needs all of.
#![cfg_attr(not(all(feature = "player", feature = "publisher")), allow(dead_code))]

#[cfg(feature = "player")]
mod amf;
mod clock;
#[cfg(feature = "player")]
mod connection;
#[cfg(feature = "player")]
mod engine;
mod handle;
mod page;
#[cfg(feature = "player")]
mod play;
#[cfg(feature = "publisher")]
mod publish;
#[cfg(feature = "publisher")]
mod publishers;
mod samples;
#[cfg(feature = "player")]
mod socket;
#[cfg(feature = "player")]
mod stream;
mod timer;

#[cfg(feature = "player")]
pub use engine::Engine;
#[cfg(feature = "publisher")]
pub use publishers::Publishers;
