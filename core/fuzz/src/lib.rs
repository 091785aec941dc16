//! What each fuzz target does with an input. `core/tests/corpus.rs` runs the same functions over every file in `corpus/`
//! and `artifacts/`, so that what was found once is in `cargo test` for good.
//!
//! A new target: a module here with `run`, a line in [`TARGETS`], a file in `fuzz_targets/` and its `[[bin]]`.

pub mod amf0;
pub mod amf3;
pub mod chunk;
pub mod client_session;
pub mod flv;
pub mod handshake;
pub mod message;
pub mod operations;
pub mod server_session;

/// Limits that an input of a few hundred bytes can go over.
pub const SMALL: chalkcast_core::amf0::Limits = chalkcast_core::amf0::Limits {
    depth: 4,
    count: 50,
    string_length: 100,
    total_length: 300,
};

/// What a target does with one input: return, or panic.
pub type Target = fn(&[u8]);

/// All targets by the name of their directory in `corpus/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("amf0", amf0::run),
    ("amf3", amf3::run),
    ("chunk", chunk::run),
    ("client_session", client_session::run),
    ("flv", flv::run),
    ("handshake", handshake::run),
    ("message", message::run),
    ("server_session", server_session::run),
];
