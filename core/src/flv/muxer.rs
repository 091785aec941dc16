use alloc::vec::Vec;

use super::{Error, Tag};
use crate::wire::u24_bytes;

/// Writes an FLV file or stream: the header once, then each tag behind its own header (§E.2, §E.3, §E.4.1).
#[derive(Clone, Debug)]
pub struct Muxer {
    has_audio: bool,
    has_video: bool,
    started: bool,
}

impl Muxer {
    /// A muxer whose header says what the file holds. Some players wait for what it announces.
    pub const fn new(has_audio: bool, has_video: bool) -> Self {
        Self {
            has_audio,
            has_video,
            started: false,
        }
    }

    /// Appends the tag, and the file's header before the first one. A payload of 16 MiB or more is refused.
    pub fn encode(&mut self, tag: &Tag, out: &mut Vec<u8>) -> Result<(), Error> {
        let size = tag.payload.len();
        if size >= 1 << 24 {
            return Err(Error::Unencodable("a tag is under 16 MiB"));
        }
        self.start(out);
        let timestamp = tag.timestamp.as_millis();
        out.reserve(size + 15);
        out.push(tag.tag_type as u8);
        out.extend(u24_bytes(size as u32));
        out.extend(u24_bytes(timestamp & 0x00ff_ffff));
        out.extend([(timestamp >> 24) as u8, 0, 0, 0]);
        out.extend(tag.payload.iter());
        out.extend((size as u32 + 11).to_be_bytes());
        Ok(())
    }

    /// Appends the file's header if it has not been written: for a file that may stay without tags.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        if !self.started {
            self.started = true;
            let flags = u8::from(self.has_audio) << 2 | u8::from(self.has_video);
            out.extend([b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
        }
    }
}
