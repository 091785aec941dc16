/// What a peer may make a [`Decoder`](super::Decoder) hold. Going over any of them is an [`Error`](super::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes.
    pub message_length: u32,
    /// Most chunk streams that may ever be used on one connection.
    pub chunk_streams: usize,
    /// Most bytes of memory that messages may hold before they are handed out, over all chunk streams. At most 64 KiB a
    /// message are held before its bytes come, whatever length it declares.
    pub reassembly_bytes: usize,
}

impl Default for Limits {
    /// 4 MiB a message, 64 chunk streams, 8 MiB unfinished: beyond every encoder in use, and cheap enough for a server.
    fn default() -> Self {
        Self {
            message_length: 4 << 20,
            chunk_streams: 64,
            reassembly_bytes: 8 << 20,
        }
    }
}
