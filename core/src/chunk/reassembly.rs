//! The chunk streams of a decoder.

use alloc::vec::Vec;

use super::Error;
use super::header::Fields;
use crate::Timestamp;
use crate::message::{Raw, message_type};
use crate::wire::Reader;

/// What a chunk stream remembers between chunks: the header fields that later headers leave out, and the message so far.
#[derive(Debug, Default)]
pub(super) struct ChunkStream {
    /// Whether a type 0 or type 1 header has come.
    known: bool,
    pub(super) message_type: u8,
    pub(super) stream_id: u32,
    pub(super) length: u32,
    /// Of the newest message.
    pub(super) timestamp: u32,
    /// What the last timestamp field stood for, which is what a type 3 chunk that starts a message adds (§5.3.1.2.4).
    pub(super) delta: u32,
    /// Whether `delta` came as an extended timestamp, which type 3 chunks may repeat.
    pub(super) extended: bool,
    /// The unfinished message; empty between messages. Its capacity counts against the limit.
    pub(super) payload: Vec<u8>,
}

impl ChunkStream {
    /// Takes in the header that begins a message.
    #[inline(always)]
    pub(super) fn begin(&mut self, fields: &Fields) {
        if let Some((length, message_type)) = fields.shape {
            self.length = length;
            self.message_type = message_type;
        }
        self.timestamp = match fields.stream_id {
            Some(stream_id) => {
                self.stream_id = stream_id;
                fields.timestamp
            }
            None => self.timestamp.wrapping_add(fields.timestamp),
        };
        self.delta = fields.timestamp;
        self.extended = fields.extended;
    }

    /// What stands in the header that begins a message, if that has at most `room` bytes and nothing about it is unusual.
    #[inline(always)]
    pub(super) fn usual_header(
        &self,
        first: u8,
        reader: &mut Reader<'_>,
        room: u32,
    ) -> Option<Fields> {
        let fields = match first >> 6 {
            3 => Fields {
                timestamp: self.delta,
                extended: self.extended,
                shape: None,
                stream_id: None,
            },
            chunk_type => Fields::read(chunk_type, reader)?,
        };
        let (length, message_type) = fields.shape.unwrap_or((self.length, self.message_type));
        let is_usual = length <= room
            && !fields.extended
            && !is_control(message_type)
            && self.payload.is_empty();
        is_usual.then_some(fields)
    }

    /// The newest message.
    #[inline(always)]
    pub(super) fn message(&self, payload: Vec<u8>) -> Raw {
        Raw {
            message_type: self.message_type,
            stream_id: self.stream_id,
            timestamp: Timestamp::from_millis(self.timestamp),
            payload: payload.into(),
        }
    }
}

/// Whether a message of this type changes how chunks are read.
pub(super) const fn is_control(message_type: u8) -> bool {
    matches!(
        message_type,
        message_type::SET_CHUNK_SIZE | message_type::ABORT
    )
}

/// Chunk stream ids below this are looked up in a table, the others in a tree.
const NARROW: u32 = 64;

/// All chunk streams a peer has used.
#[derive(Debug)]
pub(super) struct ChunkStreams {
    /// By id, up to the greatest in use below [`NARROW`].
    narrow: Vec<ChunkStream>,
    wide: Tree,
    count: usize,
}

impl ChunkStreams {
    pub(super) const fn new() -> Self {
        Self {
            narrow: Vec::new(),
            wide: Tree::new(),
            count: 0,
        }
    }

    /// The chunk stream with this id, if a header has opened it.
    #[inline]
    pub(super) fn find(&mut self, id: u32) -> Option<&mut ChunkStream> {
        if id < NARROW {
            self.narrow.get_mut(id as usize)
        } else {
            self.wide.get_mut(id)
        }
        .filter(|stream| stream.known)
    }

    /// The chunk stream with this id, if it is open and is in the table.
    #[inline]
    pub(super) fn find_narrow(&mut self, id: u32) -> Option<&mut ChunkStream> {
        self.narrow
            .get_mut(id as usize)
            .filter(|stream| stream.known)
    }

    /// Opens the chunk stream with this id unless it is open.
    pub(super) fn open(&mut self, id: u32, limit: usize) -> Result<(), Error> {
        if self.find(id).is_some() {
            return Ok(());
        }
        if self.count >= limit {
            return Err(Error::TooManyChunkStreams {
                chunk_stream_id: id,
                limit,
            });
        }
        let stream = if id < NARROW {
            let index = id as usize;
            if self.narrow.len() <= index {
                self.narrow.resize_with(index + 1, ChunkStream::default);
            }
            self.narrow.get_mut(index)
        } else {
            self.wide.insert(id)
        };
        if let Some(stream) = stream {
            stream.known = true;
            self.count += 1;
        }
        Ok(())
    }
}

/// Chunk streams by the bits of their ids, from the lowest: those below a node go to its left or its right by the bit of its level. In
/// whatever order a peer opens them, none is deeper than an id has bits, and none is ever moved.
#[derive(Debug)]
struct Tree(Vec<Node>);

#[derive(Debug)]
struct Node {
    id: u32,
    /// Where the nodes to the left and to the right are; 0, which is the root, for none.
    below: [u32; 2],
    stream: ChunkStream,
}

impl Tree {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn get_mut(&mut self, id: u32) -> Option<&mut ChunkStream> {
        let (at, _) = self.nearest(id)?;
        let node = self.0.get_mut(at)?;
        (node.id == id).then_some(&mut node.stream)
    }

    /// A new chunk stream, whose id must be new.
    fn insert(&mut self, id: u32) -> Option<&mut ChunkStream> {
        let new = self.0.len() as u32;
        if let Some((at, side)) = self.nearest(id)
            && let Some(node) = self.0.get_mut(at)
        {
            node.below[side] = new;
        }
        self.0.push(Node {
            id,
            below: [0; 2],
            stream: ChunkStream::default(),
        });
        self.0.last_mut().map(|node| &mut node.stream)
    }

    /// The node with this id; if there is none, the one that it belongs below, and on which side.
    fn nearest(&self, id: u32) -> Option<(usize, usize)> {
        let (mut at, mut bits) = (0, id);
        loop {
            let node = self.0.get(at)?;
            let side = (bits & 1) as usize;
            let next = node.below[side];
            if node.id == id || next == 0 {
                return Some((at, side));
            }
            at = next as usize;
            bits >>= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many nodes are looked at to find this id.
    fn steps(tree: &Tree, id: u32) -> usize {
        let (mut at, mut steps) = (0, 1);
        while tree.0[at].id != id {
            at = tree.0[at].below[(id >> (steps - 1) & 1) as usize] as usize;
            steps += 1;
        }
        steps
    }

    #[test]
    fn every_chunk_stream_is_found_in_a_few_steps_in_whatever_order_it_was_opened() {
        let rising: Vec<u32> = (NARROW..=65_599).collect();
        let falling = rising.iter().rev().copied().collect();
        // A step that has no divisor in common with how many there are goes to each once.
        let scattered = (0..65_536_u32).map(|index| NARROW + index * 40_503 % 65_536);
        for order in [rising, falling, scattered.collect()] {
            let mut tree = Tree::new();
            for id in &order {
                assert!(tree.get_mut(*id).is_none());
                tree.insert(*id).unwrap().length = *id;
            }
            for id in order {
                assert_eq!(tree.get_mut(id).map(|stream| stream.length), Some(id));
                assert!(steps(&tree, id) <= 18, "{id}");
            }
            assert!(tree.get_mut(65_600).is_none());
        }
    }
}
