//! H.264 as FLV carries it: the AVCDecoderConfigurationRecord, parameter sets, and NAL units behind their lengths.

mod annex_b;
mod config;
mod sps;

pub use annex_b::{annex_b_to_length_prefixed, length_prefixed_to_annex_b, nal_units};
pub use config::{DecoderConfig, High};
pub use sps::{Sps, Vui};
