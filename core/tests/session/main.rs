//! Client and server sessions, against peers written message by message.
#![allow(clippy::unwrap_used)]

mod peer;
mod server;
