use core::mem;

use super::header::{Fields, basic, repeats};
use super::reassembly::{ChunkStream, ChunkStreams};
use super::{DEFAULT_CHUNK_SIZE, Error, Limits};
use crate::Timestamp;
use crate::message::{Raw, message_type};
use crate::wire::Reader;

/// A message that is not all there yet gets at most this much memory before its bytes come, whatever length it declares.
const PREALLOCATED: usize = 64 << 10;

/// The longest chunk header (§5.3.1).
const LONGEST_HEADER: usize = 18;

/// Puts a peer's chunks together again (RTMP 1.0 §5.3), from reads of any size.
///
/// What peers do beyond the letter is understood: a type 1 header that starts a chunk stream (librtmp), extended
/// timestamps that type 3 chunks repeat or leave out, a new header in mid-message (the unfinished one is dropped).
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    chunk_size: u32,
    /// The chunk stream of the chunk being read, and how many bytes of that chunk are still to come.
    current: u32,
    chunk_left: usize,
    chunk_streams: ChunkStreams,
    /// Bytes of capacity that unfinished messages hold.
    unfinished: usize,
    /// A header of which not all bytes have come.
    partial: [u8; LONGEST_HEADER],
    partial_len: usize,
}

/// What one step over the input came to.
enum Step {
    /// A message is whole.
    Message(Raw),
    /// Something was read, and there may be more.
    Progress,
    /// Nothing can be read before more input comes; what is left of it is the start of a header.
    Starved,
}

impl Decoder {
    /// A decoder at the start of the chunk stream, right after the handshake, at the chunk size of [`DEFAULT_CHUNK_SIZE`].
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            chunk_size: DEFAULT_CHUNK_SIZE,
            current: 0,
            chunk_left: 0,
            chunk_streams: ChunkStreams::new(),
            unfinished: 0,
            partial: [0; LONGEST_HEADER],
            partial_len: 0,
        }
    }

    /// Reads to the end of the next message, advancing `input`; `None` means that all of it was read.
    ///
    /// Set Chunk Size and Abort are applied here, and returned like any other message. An error is final.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Raw>, Error> {
        // What was kept may be whole headers by now, if it was not an extended timestamp after all.
        if self.partial_len > 0
            && let Some(message) = self.resume(None)?
        {
            return Ok(Some(message));
        }
        while self.partial_len > 0 {
            let Some((byte, rest)) = input.split_first() else {
                return Ok(None);
            };
            *input = rest;
            if let Some(message) = self.resume(Some(*byte))? {
                return Ok(Some(message));
            }
        }
        self.steps(input)
    }

    /// The chunk size the peer has announced, in bytes.
    pub const fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// How much memory unfinished messages hold, in bytes.
    pub const fn unfinished_bytes(&self) -> usize {
        self.unfinished
    }

    /// Reads on with the header that was cut off, and one byte more.
    fn resume(&mut self, byte: Option<u8>) -> Result<Option<Raw>, Error> {
        let mut bytes = self.partial;
        let mut len = mem::take(&mut self.partial_len);
        if let (Some(byte), Some(next)) = (byte, bytes.get_mut(len)) {
            *next = byte;
            len += 1;
        }
        let mut input = bytes.get(..len).unwrap_or_default();
        // What was taken for the start of an extended timestamp can turn out to be payload, and even the next header.
        let message = self.steps(&mut input)?;
        if message.is_some() {
            self.keep(input);
        }
        Ok(message)
    }

    fn keep(&mut self, header: &[u8]) {
        if let Some(room) = self.partial.get_mut(..header.len()) {
            room.copy_from_slice(header);
            self.partial_len = header.len();
        }
    }

    #[inline]
    fn steps(&mut self, input: &mut &[u8]) -> Result<Option<Raw>, Error> {
        loop {
            match self.step(input)? {
                Step::Message(message) => return Ok(Some(message)),
                Step::Progress if input.is_empty() => return Ok(None),
                Step::Progress => {}
                Step::Starved => {
                    self.keep(mem::take(input));
                    return Ok(None);
                }
            }
        }
    }

    #[inline]
    fn step(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let left = match self.chunk_left {
            0 => match self.header(input)? {
                Some(left) => left,
                None => return Ok(Step::Starved),
            },
            left => left,
        };
        self.fill(left, input)
    }

    /// Reads a chunk header and says how long the chunk is. `None`: it is not all there, and nothing was read.
    #[inline]
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<usize>, Error> {
        let Some((chunk_type, id, length)) = basic(input) else {
            return Ok(None);
        };
        let mut reader = Reader::new(input.get(length..).unwrap_or_default());
        let stream = if chunk_type == 3 {
            let Some(stream) = self.chunk_streams.find(id) else {
                return Err(Error::NoEarlierHeader {
                    chunk_stream_id: id,
                    chunk_type,
                });
            };
            if stream.extended {
                match repeats(reader.rest(), stream.delta) {
                    Some(true) => drop(reader.u32()),
                    Some(false) => {}
                    None => return Ok(None),
                }
            }
            if stream.payload.is_empty() {
                stream.timestamp = stream.timestamp.wrapping_add(stream.delta);
            }
            stream
        } else {
            let Some(fields) = Fields::read(chunk_type, &mut reader) else {
                return Ok(None);
            };
            self.start(id, chunk_type, fields)?
        };
        let left = stream.length as usize - stream.payload.len();
        self.current = id;
        *input = reader.rest();
        Ok(Some(left.min(self.chunk_size as usize)))
    }

    /// Starts a message by a header of type 0, 1 or 2.
    #[inline]
    fn start(
        &mut self,
        id: u32,
        chunk_type: u8,
        fields: Fields,
    ) -> Result<&mut ChunkStream, Error> {
        if let Some((length, _)) = fields.shape {
            if length > self.limits.message_length {
                return Err(Error::MessageTooLong {
                    chunk_stream_id: id,
                    length: length as usize,
                    limit: self.limits.message_length as usize,
                });
            }
            self.chunk_streams.open(id, self.limits.chunk_streams)?;
        }
        let Some(stream) = self.chunk_streams.find(id) else {
            return Err(Error::NoEarlierHeader {
                chunk_stream_id: id,
                chunk_type,
            });
        };
        self.unfinished -= mem::take(&mut stream.payload).capacity();
        if let Some((length, message_type)) = fields.shape {
            stream.length = length;
            stream.message_type = message_type;
        }
        stream.timestamp = match fields.stream_id {
            Some(stream_id) => {
                stream.stream_id = stream_id;
                fields.timestamp
            }
            None => stream.timestamp.wrapping_add(fields.timestamp),
        };
        stream.delta = fields.timestamp;
        stream.extended = fields.extended;
        Ok(stream)
    }

    /// Reads the payload of the current chunk, of which `left` bytes are to come, and of the chunks right behind it that
    /// continue the same message.
    #[inline]
    fn fill(&mut self, mut left: usize, input: &mut &[u8]) -> Result<Step, Error> {
        let id = self.current;
        let Some(stream) = self.chunk_streams.find(id) else {
            return Err(Error::NoEarlierHeader {
                chunk_stream_id: id,
                chunk_type: 3,
            });
        };
        let length = stream.length as usize;
        let continuation = match id {
            ..64 if !stream.extended => Some(0xC0 | id as u8),
            _ => None,
        };
        let mut payload = mem::take(&mut stream.payload);
        self.unfinished -= payload.capacity();
        loop {
            let (bytes, rest) = input.split_at(left.min(input.len()));
            let filled = payload.len() + bytes.len();
            if filled > payload.capacity() {
                let capacity = length.min(filled.max(PREALLOCATED).max(2 * payload.capacity()));
                // While it moves to the larger buffer it holds both.
                let unfinished = self.unfinished + payload.capacity() + capacity;
                if unfinished > self.limits.reassembly_bytes {
                    return Err(Error::TooMuchUnfinished {
                        bytes: unfinished,
                        limit: self.limits.reassembly_bytes,
                    });
                }
                payload.reserve_exact(capacity - payload.len());
            }
            payload.extend_from_slice(bytes);
            *input = rest;
            left -= bytes.len();
            if filled == length {
                break;
            }
            match rest.split_first() {
                Some((byte, rest)) if left == 0 && Some(*byte) == continuation => {
                    *input = rest;
                    left = (length - filled).min(self.chunk_size as usize);
                }
                _ => {
                    self.chunk_left = left;
                    self.unfinished += payload.capacity();
                    stream.payload = payload;
                    return Ok(Step::Progress);
                }
            }
        }
        self.chunk_left = 0;
        let message = Raw {
            message_type: stream.message_type,
            stream_id: stream.stream_id,
            timestamp: Timestamp::from_millis(stream.timestamp),
            payload: payload.into(),
        };
        if matches!(
            message.message_type,
            message_type::SET_CHUNK_SIZE | message_type::ABORT
        ) {
            self.control(&message)?;
        }
        Ok(Step::Message(message))
    }

    /// Applies a Set Chunk Size or an Abort (§5.4.1, §5.4.2).
    #[cold]
    fn control(&mut self, message: &Raw) -> Result<(), Error> {
        let Raw {
            message_type,
            payload,
            ..
        } = message;
        let value = Reader::new(payload).u32().ok_or(Error::ShortControl {
            message_type: *message_type,
            length: payload.len(),
        })?;
        if *message_type == message_type::SET_CHUNK_SIZE {
            if value == 0 || value > i32::MAX.cast_unsigned() {
                return Err(Error::ChunkSize { size: value });
            }
            self.chunk_size = value;
        } else if let Some(stream) = self.chunk_streams.find(value) {
            self.unfinished -= mem::take(&mut stream.payload).capacity();
        }
        Ok(())
    }
}
