use alloc::string::{String, ToString};

use crate::session::{Enhanced, Limits, Timers};

/// How a server session behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Any number; a different one for each connection. The handshake's "random" bytes are made from it.
    pub seed: u64,
    /// What the client may cost.
    pub limits: Limits,
    /// How long the client is waited for.
    pub timers: Timers,
    /// Chunk size announced before any media, in bytes: what a [`SharedMessage`](crate::chunk::SharedMessage) must be encoded for.
    pub chunk_size: u32,
    /// Window Acknowledgement Size announced to the client, in bytes.
    pub window: u32,
    /// Set Peer Bandwidth announced to the client, in bytes; its kind is dynamic.
    pub peer_bandwidth: u32,
    /// `fmsVer` of connect's answer, which clients look at: "FMS/3,5,7,7009".
    pub fms_version: String,
    /// What this server can do beyond RTMP 1.0, told to a client that says what it can.
    pub enhanced: Enhanced,
    /// Whether `onBWDone` is called after connect, as Flash Media Server does.
    pub bandwidth_done: bool,
}

impl Config {
    /// The defaults: chunks of 64 KiB, windows of 2,500,000 bytes, every codec passed on.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            limits: Limits::default(),
            timers: Timers::default(),
            chunk_size: 65_536,
            window: 2_500_000,
            peer_bandwidth: 2_500_000,
            fms_version: "FMS/3,5,7,7009".to_string(),
            enhanced: Enhanced::relay(),
            bandwidth_done: true,
        }
    }
}
