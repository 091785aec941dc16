//! What a WebSocket server puts before its bytes: it does not mask them, so a frame is a header and the bytes as they are.

use std::ops::Deref;

/// No header is longer, in bytes.
pub(crate) const LONGEST_HEADER: usize = 10;

/// The header of a frame, on the stack.
#[derive(Default)]
pub(crate) struct FrameHeader {
    bytes: [u8; LONGEST_HEADER],
    length: usize,
}

impl Deref for FrameHeader {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The header of a server's frame that is a whole binary message of `length` bytes (RFC 6455 §5.2).
pub(crate) fn frame_header(length: usize) -> FrameHeader {
    let mut header = FrameHeader::default();
    header.bytes[0] = 0x82;
    header.length = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => {
            header.bytes[1] = length;
            2
        }
        (_, Ok(length)) => {
            header.bytes[1] = 126;
            header.bytes[2..4].copy_from_slice(&length.to_be_bytes());
            4
        }
        _ => {
            header.bytes[1] = 127;
            header.bytes[2..].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    header
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    #[test]
    fn frame_headers_are_those_of_the_library() {
        use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
        for length in [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 1 << 20] {
            let header = FrameHeader {
                opcode: OpCode::Data(Data::Binary),
                ..FrameHeader::default()
            };
            let mut expected = Vec::new();
            header.format(length as u64, &mut expected).unwrap();
            assert_eq!(*frame_header(length), *expected, "{length}");
        }
    }
}
