//! The browser engine: one dedicated Worker that owns a connection's WebSocket, its session, its encoders and its decoders.
//!
//! `js/src/worker.ts` loads this file, makes an [`Engine`] and hands it the page's messages; everything is decided here or in the core.
//! The messages are typed in `js/src/protocol.ts`.

mod amf;
mod clock;
mod connection;
mod engine;
mod handle;
mod page;
mod play;
mod publish;
mod socket;
mod stream;

pub use engine::Engine;
