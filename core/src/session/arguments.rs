use core::time::Duration;

use super::{PlayStart, PublishKind};
use crate::Timestamp;
use crate::amf0::Value;

/// The values of a command after its transaction id: the command object, then the arguments. What a peer left out reads as nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a>(pub(super) &'a [Value]);

impl<'a> Arguments<'a> {
    /// The argument at `index`, the command object not counted.
    pub(super) fn value(self, index: usize) -> Option<&'a Value> {
        self.0.get(index + 1).filter(|value| !value.is_nothing())
    }

    pub(super) fn string(self, index: usize) -> Option<&'a str> {
        self.value(index)?.as_str()
    }

    /// A name that is not empty.
    pub(super) fn name(self, index: usize) -> Option<&'a str> {
        self.string(index).filter(|name| !name.is_empty())
    }

    pub(super) fn number(self, index: usize) -> Option<f64> {
        self.value(index)?
            .as_number()
            .filter(|number| number.is_finite())
    }

    /// A boolean; some peers send numbers.
    pub(super) fn flag(self, index: usize) -> Option<bool> {
        let value = self.value(index)?;
        value
            .as_bool()
            .or_else(|| value.as_number().map(|number| number != 0.0))
    }

    /// Media milliseconds.
    pub(super) fn timestamp(self, index: usize) -> Option<Timestamp> {
        self.number(index)
            .filter(|millis| *millis >= 0.0)
            .map(|millis| Timestamp::from_millis(millis as u32))
    }

    /// The kind of a publish (§7.2.2.6): live where it is left out or unknown.
    pub(super) fn publish_kind(self, index: usize) -> PublishKind {
        match self.string(index) {
            Some("record") => PublishKind::Record,
            Some("append" | "appendWithGap") => PublishKind::Append,
            _ => PublishKind::Live,
        }
    }

    /// The start of a play (§7.2.2.1), which is -2, -1, or milliseconds; Flash's own -2 and -1 come as -2000 and -1000.
    pub(super) fn play_start(self, index: usize) -> PlayStart {
        match self.number(index) {
            Some(start) if start >= 0.0 => {
                PlayStart::Recorded(Timestamp::from_millis(start as u32))
            }
            Some(-1.0 | -1000.0) => PlayStart::Live,
            _ => PlayStart::LiveOrRecorded,
        }
    }

    /// The duration of a play in milliseconds; none where it is negative or left out.
    pub(super) fn duration(self, index: usize) -> Option<Duration> {
        let millis = self.number(index).filter(|millis| *millis >= 0.0)?;
        Some(Duration::from_millis(millis as u64))
    }
}

/// The other way: the number that play sends as its start.
pub(super) fn play_start_number(start: PlayStart) -> f64 {
    match start {
        PlayStart::LiveOrRecorded => -2000.0,
        PlayStart::Live => -1000.0,
        PlayStart::Recorded(at) => at.as_millis().into(),
    }
}
