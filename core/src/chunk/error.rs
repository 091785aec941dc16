use thiserror::Error;

/// Why a chunk stream cannot go on. There is no way to find the next chunk after one of these: close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A message is longer than the limit (or, when encoding, than 24 bits can say).
    #[error(
        "a message of {length} bytes on chunk stream {chunk_stream_id}, over the limit of {limit}"
    )]
    MessageTooLong {
        /// The chunk stream it is on.
        chunk_stream_id: u32,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// One more chunk stream than the limit allows.
    #[error("chunk stream {chunk_stream_id} would be one more than the limit of {limit}")]
    TooManyChunkStreams {
        /// The chunk stream that is one too many.
        chunk_stream_id: u32,
        /// The most chunk streams allowed.
        limit: usize,
    },
    /// Unfinished messages would hold more memory than the limit allows.
    #[error("unfinished messages would hold {bytes} bytes, over the limit of {limit}")]
    TooMuchUnfinished {
        /// What they would hold, in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A type 2 or type 3 chunk on a chunk stream that has not said how long its messages are (§5.3.1.2).
    #[error("a type {chunk_type} chunk starts chunk stream {chunk_stream_id}")]
    NoEarlierHeader {
        /// The chunk stream it is on.
        chunk_stream_id: u32,
        /// 2 or 3.
        chunk_type: u8,
    },
    /// A Set Chunk Size outside 1 to 2^31 - 1 (§5.4.1).
    #[error("a chunk size of {size}")]
    ChunkSize {
        /// The size asked for, in bytes.
        size: u32,
    },
    /// A Set Chunk Size or an Abort without its four bytes (§5.4.1, §5.4.2).
    #[error("a control message of type {message_type} with {length} bytes instead of 4")]
    ShortControl {
        /// 1 or 2.
        message_type: u8,
        /// How many bytes it has.
        length: usize,
    },
}
