//! Client and server sessions, against peers written message by message.
#![allow(clippy::unwrap_used)]

mod client;
mod limits;
mod peer;
mod server;
mod server_peer;
mod wire;
