use alloc::collections::VecDeque;

use super::media::Kind;
use crate::Instant;
use crate::flv::Tag;

/// A tag that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) tag: Tag,
    pub(super) kind: Kind,
    /// Decoding time on the player's timeline, milliseconds.
    pub(super) time: i64,
    /// Since when.
    pub(super) since: Instant,
}

impl Waiting {
    pub(super) fn is_keyframe(&self) -> bool {
        matches!(self.kind, Kind::Video { keyframe: true, .. })
    }

    /// Presentation time in microseconds.
    pub(super) fn presentation_us(&self) -> i64 {
        let composition = match self.kind {
            Kind::Video { composition_ms, .. } => i64::from(composition_ms),
            _ => 0,
        };
        (self.time + composition) * 1000
    }
}

/// The tags of one track in decoding order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    tags: VecDeque<Waiting>,
    bytes: usize,
}

impl Queue {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.tag.payload.len();
        self.tags.push_back(waiting);
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.tags.pop_front()?;
        self.bytes -= waiting.tag.payload.len();
        Some(waiting)
    }

    pub(super) fn front(&self) -> Option<&Waiting> {
        self.tags.front()
    }

    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many tags are before the newest keyframe that is due at `position_us`; `None` if there is no such keyframe.
    pub(super) fn before_newest_keyframe(&self, position_us: i64) -> Option<usize> {
        let due = self
            .tags
            .partition_point(|waiting| waiting.time * 1000 <= position_us);
        self.tags.iter().take(due).rposition(Waiting::is_keyframe)
    }
}
