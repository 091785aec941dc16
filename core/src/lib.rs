//! The no-IO heart of Chalkcast: RTMP 1.0 and Enhanced RTMP, FLV, and playout timing.
//!
//! Nothing in this crate opens a socket, reads a clock, draws randomness or spawns a task. Every state machine has one shape:
//! `handle_input(now, …)` and `handle_timeout(now)` feed it, `poll_output()` and `poll_timeout()` say what it wants.
//! After every `&mut` call, drain `poll_output` until it returns `None`, then wait for input or for the instant of `poll_timeout`.
//!
//! That loop, here with two sessions in one process, which hand each other the bytes that sockets would carry:
//!
//! ```
//! use chalkcast_core::session::{Output, client, server};
//! use chalkcast_core::{ClientSession, Instant, ServerSession};
//!
//! let mut now = Instant::ZERO; // A real owner reads its monotonic clock before each call.
//! let mut client = ClientSession::new(client::Config::new(1), now);
//! let mut server = ServerSession::new(server::Config::new(2), now);
//! client.connect(now, client::Connect::new("live", "rtmp://example.org/live"))?;
//!
//! let mut connected = false;
//! while !connected {
//!     // 1. Drain every output: bytes to the peer, events to the owner, who may answer at once.
//!     let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
//!     while let Some(output) = client.poll_output() {
//!         match output {
//!             Output::Transmit(transmit) => transmit.write_to(&mut to_server),
//!             Output::Event(client::Event::Connected { .. }) => connected = true,
//!             Output::Event(_) => {}
//!         }
//!     }
//!     while let Some(output) = server.poll_output() {
//!         match output {
//!             Output::Transmit(transmit) => transmit.write_to(&mut to_client),
//!             Output::Event(server::Event::Connect(request)) if request.app == "live" => server.accept_connect(now)?,
//!             Output::Event(_) => {}
//!         }
//!     }
//!     // 2. Wait for input, or for the instant of `poll_timeout` if that comes first.
//!     if !to_server.is_empty() || !to_client.is_empty() {
//!         server.handle_input(now, &to_server);
//!         client.handle_input(now, &to_client);
//!     } else if let Some(timeout) = [client.poll_timeout(), server.poll_timeout()].into_iter().flatten().min() {
//!         now = timeout;
//!         client.handle_timeout(now);
//!         server.handle_timeout(now);
//!     }
//! }
//! # Ok::<(), chalkcast_core::session::UsageError>(())
//! ```
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
mod sorted_map;
mod time;
mod wire;

pub use session::client::ClientSession;
pub use session::server::ServerSession;
pub use time::{Instant, Timestamp};
