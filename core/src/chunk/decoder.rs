use alloc::vec::Vec;
use core::mem;

use super::header::{Fields, LONGEST_HEADER, basic, repeats};
use super::reassembly::{ChunkStream, ChunkStreams};
use super::{DEFAULT_CHUNK_SIZE, Error, Limits};
use crate::Timestamp;
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
        let progress = if self.partial_len > 0 {
            self.advance_from_partial(input)
        } else if self.chunk_left > 0 {
            match self.absorb(input) {
                Some(progress) => progress,
                None => self.advance(input),
            }
        } else if input.is_empty() {
            return Ok(None);
        } else {
            if let Some(message) = self.whole(input) {
                return Ok(Some(message));
            }
            if input.is_empty() {
                return Ok(None);
            }
            self.advance(input)
        };
        match progress {
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

    /// Goes on with the current chunk, if that ends the read or the message; what is left of a long message mostly does.
    #[inline(always)]
    fn absorb(&mut self, input: &mut &[u8]) -> Option<Progress> {
        let stream = self.chunk_streams.find_narrow(self.current)?;
        let is_control = matches!(
            stream.message_type,
            message_type::SET_CHUNK_SIZE | message_type::ABORT
        );
        let (bytes, rest) = input.split_at(self.chunk_left.min(input.len()));
        let is_whole = stream.payload.len() + bytes.len() == stream.length as usize;
        let has_room = bytes.len() <= stream.payload.capacity() - stream.payload.len();
        if is_control || !has_room || !(is_whole || rest.is_empty()) {
            return None;
        }
        stream.payload.extend_from_slice(bytes);
        self.chunk_left -= bytes.len();
        *input = rest;
        Some(if is_whole {
            Progress::Whole
        } else {
            Progress::Starved
        })
    }

    /// The next message, if `input` starts with all of it and nothing about it is unusual: copied once, and nothing kept in
    /// between. `None` leaves what is left of it to [`Decoder::advance`].
    #[inline(always)]
    fn whole(&mut self, input: &mut &[u8]) -> Option<Raw> {
        let mut reader = Reader::new(input);
        let first = reader.u8()?;
        let id = u32::from(first & 0x3F);
        let stream = self.chunk_streams.find_narrow(id)?;
        let fields = match first >> 6 {
            3 => Fields {
                timestamp: stream.delta,
                extended: stream.extended,
                shape: None,
                stream_id: None,
            },
            chunk_type => Fields::read(chunk_type, &mut reader)?,
        };
        let (length, message_type) = fields.shape.unwrap_or((stream.length, stream.message_type));
        let is_control = matches!(
            message_type,
            message_type::SET_CHUNK_SIZE | message_type::ABORT
        );
        let is_too_long = length > self.limits.message_length
            || length as usize > self.limits.reassembly_bytes.saturating_sub(self.unfinished);
        if !stream.payload.is_empty() || fields.extended || is_control || is_too_long {
            return None;
        }
        stream.begin(&fields);
        *input = reader.rest();
        let length = length as usize;
        let left = length.min(self.chunk_size as usize);
        let payload = match input.split_at_checked(length) {
            Some((payload, rest)) if left == length => {
                *input = rest;
                payload.to_vec()
            }
            _ => {
                let mut payload = Vec::with_capacity(length.min(input.len().max(PREALLOCATED)));
                let left = fill(
                    &mut payload,
                    left,
                    length,
                    self.chunk_size,
                    Some(0xC0 | first),
                    input,
                );
                if payload.len() < length {
                    self.current = id;
                    self.chunk_left = left;
                    self.unfinished += payload.capacity();
                    stream.payload = payload;
                    return None;
                }
                payload
            }
        };
        Some(Raw {
            message_type,
            stream_id: stream.stream_id,
            timestamp: Timestamp::from_millis(stream.timestamp),
            payload: payload.into(),
        })
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
        if is_whole
            && matches!(
                stream.message_type,
                message_type::SET_CHUNK_SIZE | message_type::ABORT
            )
        {
            self.apply_control()?;
        }
        Ok(is_whole)
    }

    /// The message of the current chunk stream, which is whole.
    #[inline(always)]
    fn take(&mut self) -> Option<Raw> {
        let stream = self.chunk_streams.find(self.current)?;
        self.unfinished -= stream.payload.capacity();
        Some(Raw {
            message_type: stream.message_type,
            stream_id: stream.stream_id,
            timestamp: Timestamp::from_millis(stream.timestamp),
            payload: mem::take(&mut stream.payload).into(),
        })
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
        let (bytes, rest) = input.split_at(left.min(input.len()));
        append(payload, bytes);
        *input = rest;
        left -= bytes.len();
        missing -= bytes.len();
        if left > 0 || missing == 0 {
            return left;
        }
        match rest.split_first() {
            Some((byte, rest)) if Some(*byte) == continuation => {
                *input = rest;
                left = missing.min(chunk_size as usize);
            }
            _ => return 0,
        }
    }
}

/// Appends a chunk, whose size is most often that of the specification: then without a call.
#[inline]
fn append(payload: &mut Vec<u8>, bytes: &[u8]) {
    match <&[u8; DEFAULT_CHUNK_SIZE as usize]>::try_from(bytes) {
        Ok(chunk) => payload.extend_from_slice(chunk),
        Err(_) => payload.extend_from_slice(bytes),
    }
}
