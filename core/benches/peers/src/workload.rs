//! The messages, and the chunk stream that carries them.

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::chunk::Encoder;
use chalkcast_core::message::Raw;

/// The chunk stream of all messages.
pub const CHUNK_STREAM: u32 = 6;

pub struct Workload {
    pub chunk_size: u32,
    pub messages: Vec<Raw>,
    /// Without a Set Chunk Size: the contestants are told.
    pub chunks: Vec<u8>,
}

impl Workload {
    /// About 300 KB of messages, which stay in a second-level cache as what a socket has just delivered does.
    pub fn new(length: usize, chunk_size: u32) -> Self {
        let payload: Bytes = (0..length).map(|index| index as u8).collect();
        let messages: Vec<_> = (0..300_000 / length)
            .map(|index| {
                Raw::new(9, payload.to_vec())
                    .on_stream(1)
                    .at(Timestamp::from_millis(33 * index as u32))
            })
            .collect();
        let mut encoder = Encoder::new();
        encoder.set_chunk_size(chunk_size);
        let mut chunks = Vec::new();
        for message in &messages {
            encoder
                .encode(CHUNK_STREAM, message, &mut chunks)
                .expect("a short message");
        }
        Self {
            chunk_size,
            messages,
            chunks,
        }
    }

    pub fn payload_bytes(&self) -> usize {
        self.messages
            .iter()
            .map(|message| message.payload.len())
            .sum()
    }

    /// Each message's payload as the pieces in which it lies in the chunks and the reads.
    pub fn pieces(&self, read: usize) -> Vec<Vec<std::ops::Range<usize>>> {
        let mut at = 0;
        self.messages
            .iter()
            .enumerate()
            .map(|(index, message)| {
                let mut pieces = Vec::new();
                at += match index {
                    0 => 12,
                    1 => 4,
                    _ => 1,
                };
                let mut left = message.payload.len();
                while left > 0 {
                    let chunk_end = at + left.min(self.chunk_size as usize);
                    while at < chunk_end {
                        let end = chunk_end.min((at / read + 1) * read);
                        pieces.push(at..end);
                        left -= end - at;
                        at = end;
                    }
                    at += usize::from(left > 0);
                }
                pieces
            })
            .collect()
    }

    /// The same pieces by read: each read is the messages it has something of, with whether it has the end of each.
    pub fn pieces_by_read(&self, read: usize) -> Vec<Vec<(Vec<std::ops::Range<usize>>, bool)>> {
        let mut reads = vec![Vec::new(); self.chunks.len().div_ceil(read)];
        for pieces in self.pieces(read) {
            let end = pieces.last().map_or(0, |piece| piece.end);
            for same_read in pieces.chunk_by(|a, b| a.start / read == b.start / read) {
                let ends = same_read.last().is_some_and(|piece| piece.end == end);
                reads[same_read[0].start / read].push((same_read.to_vec(), ends));
            }
        }
        reads
    }
}
