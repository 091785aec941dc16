//! FLV tags and files (Video File Format 10.1, Annex E) and the Enhanced RTMP headers.

mod tag;

pub use tag::{Tag, TagType};
