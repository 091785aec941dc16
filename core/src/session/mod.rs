//! Client and server sessions: one RTMP connection each, from the first handshake byte to the close.

pub mod client;
pub mod server;
