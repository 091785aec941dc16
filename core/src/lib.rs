//! The no-IO heart of Chalkcast: RTMP 1.0 and Enhanced RTMP, FLV, and playout timing.
//!
//! Nothing in this crate opens a socket, reads a clock, draws randomness or spawns a task. Every state machine has one shape:
//! `handle_input(now, …)` and `handle_timeout(now)` feed it, `poll_output()` and `poll_timeout()` say what it wants.
//! After every `&mut` call, drain `poll_output` until it returns `None`, then wait for input or for the instant of `poll_timeout`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod amf0;
pub mod amf3;
pub mod audio;
pub mod chunk;
pub mod flv;
pub mod fmp4;
pub mod handshake;
pub mod jitter;
pub mod message;
pub mod rate;
pub mod session;
mod time;
mod wire;

pub use session::client::ClientSession;
pub use session::server::ServerSession;
pub use time::{Instant, Timestamp};
