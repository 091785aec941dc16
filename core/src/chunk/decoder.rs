use alloc::vec::Vec;
use core::mem;

use super::header::{Fields, LONGEST_HEADER, basic, repeats};
use super::reassembly::{ChunkStream, ChunkStreams, is_control};
use super::{DEFAULT_CHUNK_SIZE, Error, Limits};
use crate::message::{Raw, message_type};
use crate::wire::Reader;

/// A message that is not all there yet gets at most this much memory before its bytes come, whatever length it declares.
const PREALLOCATED: usize = 64 << 10;

/// Longer than any header: there is an error, and nothing more to read.
const FAILED: usize = usize::MAX;

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
    /// A header of which not all bytes have come. Its length is [`FAILED`] after an error.
    partial: [u8; LONGEST_HEADER],
    partial_len: usize,
    /// Why there is nothing more to decode.
    error: Option<Error>,
}

/// How far reading has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The message of the current chunk stream is whole.
    Whole,
    /// All input is read.
    Starved,
    /// There is an error.
    Failed,
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
            error: None,
        }
    }

    /// Reads to the end of the next message, advancing `input`; `None` means that all of it was read.
    ///
    /// Set Chunk Size and Abort are applied here, and returned like any other message. An error is final.
    // Inlined, so that the message is made where the caller wants it: moving it costs as much as reading its header.
    #[inline(always)]
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Raw>, Error> {
        if self.partial_len == 0 {
            if input.is_empty() {
                return Ok(None);
            }
            if let Some(message) = self.quick(input) {
                return Ok(Some(message));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
        match self.read_on(input) {
            Progress::Whole => Ok(self.take()),
            Progress::Starved => Ok(None),
            Progress::Failed => self.error.map_or(Ok(None), Err),
        }
    }

    /// The chunk size the peer has announced, in bytes.
    pub const fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// How much memory unfinished messages hold, in bytes.
    pub const fn unfinished_bytes(&self) -> usize {
        self.unfinished
    }

    /// The next message, if `input` has what is missing of it and nothing about it is unusual. `None` leaves what is left of
    /// the input to [`Decoder::read_on`].
    #[inline(always)]
    fn quick(&mut self, input: &mut &[u8]) -> Option<Raw> {
        let (stream, length, left, mut payload);
        if self.chunk_left > 0 {
            stream = self.chunk_streams.find_narrow(self.current)?;
            length = stream.length as usize;
            let missing = length - stream.payload.len();
            let room = stream.payload.capacity() - stream.payload.len();
            let has_room = missing.min(input.len()) <= room;
            if stream.extended || !has_room || is_control(stream.message_type) {
                return None;
            }
            let (bytes, rest) = input.split_at(self.chunk_left.min(input.len()));
            append(&mut stream.payload, bytes);
            self.chunk_left -= bytes.len();
            *input = rest;
            if rest.is_empty() && stream.payload.len() < length {
                return None;
            }
            payload = mem::take(&mut stream.payload);
            self.unfinished -= payload.capacity();
            left = 0;
        } else {
            let room = self.room();
            let mut reader = Reader::new(input);
            let first = reader.u8()?;
            let id = u32::from(first & 0x3F);
            stream = self.chunk_streams.find_narrow(id)?;
            let fields = stream.usual_header(first, &mut reader, room)?;
            stream.begin(&fields);
            *input = reader.rest();
            length = stream.length as usize;
            left = length.min(self.chunk_size as usize);
            if left == length {
                if let Some((bytes, rest)) = input.split_at_checked(length) {
                    *input = rest;
                    return Some(stream.message(bytes.to_vec()));
                }
            } else if length <= 2 * left
                && let Some((bytes, rest)) = input.split_at_checked(length + 1)
                && let (head, [byte, tail @ ..]) = bytes.split_at(left)
                && *byte == 0xC0 | first
            {
                *input = rest;
                let mut payload = Vec::with_capacity(length);
                append(&mut payload, head);
                payload.extend_from_slice(tail);
                return Some(stream.message(payload));
            }
            payload = Vec::with_capacity(length.min(input.len().max(PREALLOCATED)));
            self.current = id;
        }
        if payload.len() < length {
            let continuation = Some(0xC0 | self.current as u8);
            let left = fill(
                &mut payload,
                left,
                length,
                self.chunk_size,
                continuation,
                input,
            );
            if payload.len() < length {
                self.chunk_left = left;
                self.unfinished += payload.capacity();
                stream.payload = payload;
                return None;
            }
        }
        Some(stream.message(payload))
    }

    /// Reads to the end of the next message or of the input, whatever comes.
    #[inline(never)]
    fn read_on(&mut self, input: &mut &[u8]) -> Progress {
        if self.partial_len > 0 {
            self.advance_from_partial(input)
        } else {
            self.advance(input)
        }
    }

    /// The longest message that there is room for.
    #[inline(always)]
    fn room(&self) -> u32 {
        let left = self.limits.reassembly_bytes.saturating_sub(self.unfinished);
        self.limits
            .message_length
            .min(u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// Reads chunk by chunk until a message is whole or the input is all read.
    #[inline(never)]
    fn advance(&mut self, input: &mut &[u8]) -> Progress {
        match self.read_chunks(input) {
            Ok(true) => Progress::Whole,
            Ok(false) => Progress::Starved,
            Err(error) => self.fail(error),
        }
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Progress {
        self.error = Some(error);
        self.chunk_left = 0;
        self.partial_len = FAILED;
        Progress::Failed
    }

    /// Like [`Decoder::advance`], starting with the header that was cut off.
    #[cold]
    fn advance_from_partial(&mut self, input: &mut &[u8]) -> Progress {
        if self.partial_len == FAILED {
            return Progress::Failed;
        }
        // What was kept may be whole headers by now, if it was not an extended timestamp after all.
        let mut progress = self.resume(None);
        while progress == Progress::Starved && self.partial_len > 0 {
            let Some((byte, rest)) = input.split_first() else {
                return Progress::Starved;
            };
            *input = rest;
            progress = self.resume(Some(*byte));
        }
        match progress {
            Progress::Starved => self.advance(input),
            other => other,
        }
    }

    /// Reads on with the header that was cut off, and one byte more.
    fn resume(&mut self, byte: Option<u8>) -> Progress {
        let mut bytes = self.partial;
        let mut len = mem::take(&mut self.partial_len);
        if let (Some(byte), Some(next)) = (byte, bytes.get_mut(len)) {
            *next = byte;
            len += 1;
        }
        let mut input = bytes.get(..len).unwrap_or_default();
        let progress = self.advance(&mut input);
        // What was taken for the start of an extended timestamp can turn out to be payload, and even the next header.
        if progress == Progress::Whole {
            self.keep(input);
        }
        progress
    }

    fn keep(&mut self, header: &[u8]) {
        if let Some(room) = self.partial.get_mut(..header.len()) {
            room.copy_from_slice(header);
            self.partial_len = header.len();
        }
    }

    #[inline(always)]
    fn read_chunks(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        loop {
            let left = match self.chunk_left {
                0 => match self.header(input)? {
                    Some(left) => left,
                    None => {
                        if !input.is_empty() {
                            self.keep(mem::take(input));
                        }
                        return Ok(false);
                    }
                },
                left => left,
            };
            if self.read_payload(left, input)? {
                return Ok(true);
            }
            if input.is_empty() {
                return Ok(false);
            }
        }
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
                    Some(true) => reader = Reader::new(reader.rest().get(4..).unwrap_or_default()),
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
        stream.begin(&fields);
        Ok(stream)
    }

    /// Reads the payload of the current chunk, of which `left` bytes are to come, and of the chunks right behind it that
    /// continue the same message. Answers whether that is whole.
    #[inline]
    fn read_payload(&mut self, left: usize, input: &mut &[u8]) -> Result<bool, Error> {
        let id = self.current;
        let Some(stream) = self.chunk_streams.find(id) else {
            return Ok(false);
        };
        let length = stream.length as usize;
        let continuation = match id {
            ..64 if !stream.extended => Some(0xC0 | id as u8),
            _ => None,
        };
        let old = stream.payload.capacity();
        let needed = length.min(stream.payload.len() + input.len());
        if needed > old {
            let new = length.min(needed.max(PREALLOCATED).max(2 * old));
            // While it moves to the larger buffer it holds both.
            if self.unfinished + new > self.limits.reassembly_bytes {
                return Err(Error::TooMuchUnfinished {
                    bytes: self.unfinished + new,
                    limit: self.limits.reassembly_bytes,
                });
            }
            if old == 0 {
                stream.payload = Vec::with_capacity(new);
            } else {
                stream.payload.reserve_exact(new - stream.payload.len());
            }
            self.unfinished += stream.payload.capacity() - old;
        }
        self.chunk_left = fill(
            &mut stream.payload,
            left,
            length,
            self.chunk_size,
            continuation,
            input,
        );
        let is_whole = stream.payload.len() == length;
        if is_whole && is_control(stream.message_type) {
            self.apply_control()?;
        }
        Ok(is_whole)
    }

    /// The message of the current chunk stream, which is whole.
    #[inline(always)]
    fn take(&mut self) -> Option<Raw> {
        let stream = self.chunk_streams.find(self.current)?;
        self.unfinished -= stream.payload.capacity();
        let payload = mem::take(&mut stream.payload);
        Some(stream.message(payload))
    }

    /// Applies the current Set Chunk Size or Abort (§5.4.1, §5.4.2).
    #[cold]
    fn apply_control(&mut self) -> Result<(), Error> {
        let Some(stream) = self.chunk_streams.find(self.current) else {
            return Ok(());
        };
        let message_type = stream.message_type;
        let value = Reader::new(&stream.payload)
            .u32()
            .ok_or(Error::ShortControl {
                message_type,
                length: stream.payload.len(),
            })?;
        if message_type == message_type::SET_CHUNK_SIZE {
            if value == 0 || value > i32::MAX.cast_unsigned() {
                return Err(Error::ChunkSize { size: value });
            }
            self.chunk_size = value;
        } else if value != self.current
            && let Some(stream) = self.chunk_streams.find(value)
        {
            self.unfinished -= mem::take(&mut stream.payload).capacity();
        }
        Ok(())
    }
}

/// Moves payload from `input`: what is `left` of the current chunk, and the chunks behind it as long as there is nothing but
/// `continuation` between them. Answers what is left of the last chunk, zero after a whole one.
///
/// `payload` must have the capacity for it.
#[inline(always)]
fn fill(
    payload: &mut Vec<u8>,
    mut left: usize,
    length: usize,
    chunk_size: u32,
    continuation: Option<u8>,
    input: &mut &[u8],
) -> usize {
    let mut missing = length - payload.len();
    loop {
        let Some((bytes, rest)) = input.split_at_checked(left) else {
            let bytes = mem::take(input);
            append(payload, bytes);
            return left - bytes.len();
        };
        append(payload, bytes);
        *input = rest;
        missing -= left;
        match rest.split_first() {
            Some((byte, rest)) if missing > 0 && Some(*byte) == continuation => {
                *input = rest;
                left = missing.min(chunk_size as usize);
            }
            _ => return 0,
        }
    }
}

/// Appends a chunk, whose size is most often that of the specification: then without a call.
#[inline(always)]
fn append(payload: &mut Vec<u8>, bytes: &[u8]) {
    match <&[u8; DEFAULT_CHUNK_SIZE as usize]>::try_from(bytes) {
        Ok(chunk) => payload.extend_from_slice(chunk),
        Err(_) => payload.extend_from_slice(bytes),
    }
}
