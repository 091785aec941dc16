//! Tables that the specifications print and no other test here goes through row by row: one test for each.

mod amf;
mod enhanced;
mod flv;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Tag, TagHeader, TagType};

const DATA: Bytes = Bytes::from_static(b"data");

fn header(tag_type: TagType, payload: &Bytes) -> TagHeader {
    TagHeader::parse(&Tag::new(tag_type, Timestamp::ZERO, payload.clone()))
}
