//! When a received tag is played.
//!
//! The [`JitterBuffer`] is given tags as they arrive and says, tag by tag, when each goes to its decoder and when its picture is due. It measures
//! how unevenly tags arrive, keeps the least delay that hides it, owns the one clock that pictures and sound follow, steers that clock by small
//! rate changes, and skips where rates would take too long.
//!
//! ```
//! use chalkcast_core::jitter::{Config, Input, JitterBuffer, Output};
//! # use chalkcast_core::Instant;
//! # fn next_input() -> Option<(Instant, Input)> { None }
//! let mut buffer = JitterBuffer::new(Config::default(), Instant::ZERO);
//! // The owner waits for input or for the instant of `poll_timeout`, whichever is first.
//! while let Some((now, input)) = next_input() {
//!     buffer.handle_input(now, input);
//!     while let Some(output) = buffer.poll_output() {
//!         match output {
//!             Output::Decode(_) => { /* to the decoder of its tag type */ }
//!             Output::Rate(_) => { /* to `audio::Stretch` and `audio::Resampler` */ }
//!             Output::Skipped { .. } => { /* drop sound not yet heard, pictures not yet shown */ }
//!             Output::Event(_) => { /* to the page */ }
//!         }
//!     }
//! }
//! ```
//!
//! # The player's timeline
//!
//! A tag that is handed out carries the *player's* timestamp, not the publisher's: it goes on across a republish that starts again at zero, across the
//! wrap and across a step of the publisher's clock. The owner quotes it back in [`Input::Rendered`], [`Input::Delivered`], [`Input::Decoded`] and [`Input::Shown`].

mod arrival;
mod buffer;
mod clock;
mod delivery;
mod lead;
mod media;
mod queue;
mod stats;
#[cfg(test)]
mod tests;
mod timeline;

pub use buffer::JitterBuffer;
pub use lead::Lead;
pub use stats::Stats;

use core::time::Duration;

use crate::flv::Tag;
use crate::{Instant, Timestamp};

/// How a [`JitterBuffer`] behaves. `Config::default()` is the lowest delay the connection allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The least delay behind live; ActionScript's `bufferTime`. Zero: as little as the measured jitter needs.
    pub buffer_time: Duration,
    /// The most delay the buffer may choose by itself; ActionScript's `bufferTimeMax`. `None`: two and a half seconds, or
    /// `buffer_time` where that is more.
    pub buffer_time_max: Option<Duration>,
    /// How long before its `show` instant a tag is handed out for decoding, at most. A decoded picture is big: keep this to a few frames.
    pub decode_lead: Duration,
    /// What sound needs between a tag's arrival and the sound card, at least: decoding, two messages, a render quantum. An owner that reports
    /// [`Input::Delivered`] gets up to 60 ms where its machine needs it. The sound card's own latency ([`JitterBuffer::set_output_latency`]) and the
    /// measured decode time of pictures come on top by themselves.
    pub sound_margin: Duration,
    /// The most bytes of media to hold; beyond it the buffer skips ahead.
    pub max_bytes: usize,
    /// The most tags to hold.
    pub max_tags: usize,
}

impl Config {
    /// A [`decode_lead`](Self::decode_lead) for an owner who keeps what is not due yet: everything is handed out as it comes.
    pub const AT_ONCE: Duration = Duration::from_secs(3600);
}

impl Default for Config {
    fn default() -> Self {
        Self {
            buffer_time: Duration::ZERO,
            buffer_time_max: None,
            decode_lead: Duration::from_millis(60),
            sound_margin: Duration::from_millis(6),
            max_bytes: 64 << 20,
            max_tags: 16_384,
        }
    }
}

/// What a [`JitterBuffer`] is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A tag has arrived, with the publisher's timestamp: audio, video or script, sequence headers among them.
    Tag(Tag),
    /// The sound that leaves the speaker now is that of `timestamp` (on the player's timeline). Say it several times a second, and only
    /// while real sound is playing: as long as it advances, sound leads and pictures follow it.
    Rendered {
        /// What is heard at `now`, output latency counted.
        timestamp: Timestamp,
    },
    /// The decoded sound of a tag is with the sound card, played or queued. An owner that says this of each gets as much more delay as its machine
    /// needs now and then for the way there; one that never does gets [`Config::sound_margin`].
    Delivered {
        /// The tag's.
        timestamp: Timestamp,
        /// Since when: from then on it could have been played.
        at: Instant,
    },
    /// The video decoder has put out a picture, shown or not. An owner that says this gets a bounded decoder queue, a decode time in the stats, and
    /// shedding when the decoder is too slow; one that never does gets tags as they fall due.
    Decoded {
        /// Presentation time: the tag's timestamp plus its composition time.
        timestamp: Timestamp,
    },
    /// A picture is on the screen now. Only for the stats (frame rate, A/V skew).
    Shown {
        /// Presentation time of the picture.
        timestamp: Timestamp,
    },
    /// The decoders were reset (codec reclaimed, error): hand out sequence headers again and start at a keyframe.
    DecoderReset,
    /// A publisher has begun or begun again (Stream Begin, `NetStream.Play.PublishNotify`): its timestamps may start anywhere.
    Begin,
    /// The publisher has gone (Stream EOF, `NetStream.Play.UnpublishNotify`): play out what is there.
    End,
}

/// What a [`JitterBuffer`] asks of its owner, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Give this to the decoder.
    Decode(Decode),
    /// From the next samples on, play sound at this rate.
    Rate(Rate),
    /// The clock has jumped: drop sound that is not yet heard and pictures that are not yet shown. Tags handed out after this are of the new position.
    Skipped {
        /// The playout position before, on the player's timeline.
        from: Timestamp,
        /// The position playout goes on at.
        to: Timestamp,
    },
    /// A status for the page.
    Event(Event),
}

/// A tag on its way to the decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decode {
    /// The tag, its timestamp on the player's timeline.
    pub tag: Tag,
    /// What to do with what the decoder makes of it.
    pub show: Show,
}

/// When a decoded picture or sound is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// At this instant, which may be past: then at once. It is a forecast: [`JitterBuffer::show_at`] follows the clock until the picture is up.
    At(Instant),
    /// Not at all: decoded because later pictures refer to it, or a sequence header.
    Never,
}

/// What [`JitterBuffer::choose`] says of the decoded pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// So many of them, from the first on, are needed no more once this is done.
    pub gone: usize,
    /// The last of those is to be drawn.
    pub draw: bool,
    /// It, or else the next, is out of step with its sound: drawn, it is a still that stands in for pictures that come too late.
    pub still: bool,
}

/// How fast sound is to be played. Media seconds per output second is `stretch * resample`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// 0.95 to 1.05, with the pitch kept: `audio::Stretch`.
    pub stretch: f64,
    /// Within 1e-3 of 1, by resampling (a pitch change nobody hears): what the publisher's clock and the sound card's differ by.
    pub resample: f64,
}

impl Rate {
    /// As recorded.
    pub const NORMAL: Self = Self {
        stretch: 1.0,
        resample: 1.0,
    };

    /// Media seconds per second.
    pub fn total(self) -> f64 {
        self.stretch * self.resample
    }
}

/// What ActionScript tells as `NetStream.Buffer.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Playing: the buffer holds what it aims for (`NetStream.Buffer.Full`).
    Full,
    /// Nothing is left to play (`NetStream.Buffer.Empty`).
    Empty,
    /// The publisher has gone and what is left is being played out (`NetStream.Buffer.Flush`).
    Flush,
}
