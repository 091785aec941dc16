//! The Chalkcast gateway: browsers, OBS and ffmpeg meet here, around an embedded relay or in front of an external one.
//!
//! [`run`] is all of `chalkcast serve` but the command line: hand it listeners, a configuration, and a future that ends it.

pub mod address;
pub mod client;
mod clock;
pub mod config;
mod connection;
mod gateway;
mod http;
pub mod options;
pub mod play;
mod progress;
mod publication;
pub mod publish;
mod publishers;
pub mod relay;
mod serve;
mod tls;
mod transport;
mod upstream;
mod view;

pub use clock::Clock;
pub use config::Config;
pub use serve::{Listeners, describe, interrupted, run};
