use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::amf0::{Object, Value};
use crate::handshake;
use crate::session::{Enhanced, Limits, ObjectEncoding, PlayStart, Timers};

/// How a client session behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Any number; a different one for each connection. The handshake's "random" bytes are made from it.
    pub seed: u64,
    /// What the server may cost.
    pub limits: Limits,
    /// How long the server is waited for.
    pub timers: Timers,
    /// Which handshake is spoken.
    pub handshake: handshake::Kind,
    /// Chunk size announced before connect, in bytes.
    pub chunk_size: u32,
    /// Window Acknowledgement Size announced to the server after connect, in bytes.
    pub window: u32,
    /// Whether publish and play are preceded by releaseStream and FCPublish, and by FCSubscribe, which some delivery networks want.
    pub fc_commands: bool,
}

impl Config {
    /// The defaults: simple handshake, chunks of 64 KiB, window of 2,500,000 bytes.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            limits: Limits::default(),
            timers: Timers::default(),
            handshake: handshake::Kind::default(),
            chunk_size: 65_536,
            window: 2_500_000,
            fc_commands: true,
        }
    }
}

/// The command object of connect (§7.2.1.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Connect {
    /// The application, with its instance: "live" or "conf/room1".
    pub app: String,
    /// The whole URL, less the stream name.
    pub tc_url: String,
    /// The page the client is in.
    pub page_url: Option<String>,
    /// The program the client is.
    pub swf_url: Option<String>,
    /// The client's version; servers look at its first letters.
    pub flash_ver: String,
    /// AMF0 unless the caller wants AMF3 commands.
    pub object_encoding: ObjectEncoding,
    /// Further arguments, for the server's application.
    pub arguments: Vec<Value>,
    /// Further properties of the command object; one of a name above replaces it.
    pub extra: Object,
    /// What this client can do beyond RTMP 1.0; `None` says nothing of it.
    pub enhanced: Option<Enhanced>,
}

impl Connect {
    /// A plain connect to `app` at `tc_url`.
    pub fn new(app: impl Into<String>, tc_url: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            tc_url: tc_url.into(),
            page_url: None,
            swf_url: None,
            flash_ver: "FMLE/3.0 (compatible; Chalkcast)".to_string(),
            object_encoding: ObjectEncoding::Amf0,
            arguments: Vec::new(),
            extra: Object::new(),
            enhanced: None,
        }
    }
}

/// The arguments of play (§7.2.2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// The stream's name.
    pub name: String,
    /// Where to begin.
    pub start: PlayStart,
    /// How much to play; `None` plays until the stream ends.
    pub duration: Option<Duration>,
    /// Whether what was playing on this stream stops.
    pub reset: bool,
}

impl Play {
    /// Plays `name`, live or recorded, from its start to its end, in place of what was playing.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: PlayStart::default(),
            duration: None,
            reset: true,
        }
    }
}
