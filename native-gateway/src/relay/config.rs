use std::time::Duration;

/// How the relay keeps streams and serves viewers.
#[derive(Clone, Debug)]
pub struct Config {
    /// How much of a stream is kept for viewers with a buffer, at least back to the keyframe before.
    pub keep: Duration,
    /// Most memory that the kept part of one stream may take, in bytes; it goes over `keep`.
    pub stream_bytes: usize,
    /// How long a stream outlives its publisher.
    pub grace: Duration,
    /// Whether a second publisher of a name takes it over, instead of being refused.
    pub takeover: bool,
    /// How long media may wait to be written together; `None`: a tenth of the viewer's buffer, at most 350 ms, and 30 ms
    /// for one who never told its buffer.
    pub coalesce: Option<Duration>,
    /// How far behind its buffer a viewer may fall before it skips to a keyframe.
    pub lag: Duration,
    /// Chunk size of what viewers are sent, in bytes: one for the whole process, so that chunks can be shared.
    pub chunk_size: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(20),
            stream_bytes: 64 << 20,
            grace: Duration::from_secs(10),
            takeover: false,
            coalesce: None,
            lag: Duration::from_secs(1),
            chunk_size: 65_536,
        }
    }
}

/// The budget of a viewer who never sent SetBufferLength.
const UNTOLD: Duration = Duration::from_millis(30);
const LARGEST: Duration = Duration::from_millis(350);

impl Config {
    /// How long media may wait for a viewer with this buffer.
    pub(super) fn budget(&self, buffer_length: Option<Duration>) -> Duration {
        match (self.coalesce, buffer_length) {
            (Some(fixed), _) => fixed,
            (None, Some(length)) => (length / 10).min(LARGEST),
            (None, None) => UNTOLD,
        }
    }
}

/// Up to this budget video is written at once, and takes with it the audio that waits.
pub(super) const VIDEO_AT_ONCE: Duration = Duration::from_millis(40);

/// Timers ring so much late. Media must not wait longer than its budget, so what is due within this is due.
pub const TIMER: Duration = Duration::from_millis(1);
