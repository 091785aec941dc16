use alloc::string::{String, ToString};
use core::time::Duration;

use super::PlayStart;
use crate::Timestamp;
use crate::amf0::{Object, Value};

/// The options of play2: the public properties of NetStreamPlayOptions (§7.2.2.2). Its times are in seconds on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayOptions {
    /// The stream to play, or to change to.
    pub stream_name: String,
    /// The stream to change from, where several play; `None` is the one that plays.
    pub old_stream_name: Option<String>,
    /// Where to begin.
    pub start: PlayStart,
    /// How much to play; `None` plays until the stream ends.
    pub len: Option<Duration>,
    /// When to change from one stream to the other, in the time of the stream; `None` is as soon as it can be done.
    pub offset: Option<Duration>,
    /// What becomes of what plays.
    pub transition: Transition,
}

/// How play2 goes from one stream to another: NetStreamPlayTransitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transition {
    /// Adds the stream to a playlist.
    Append,
    /// Adds the stream to a playlist, which does not begin yet.
    AppendAndWait,
    /// Ends what plays, and plays this stream.
    #[default]
    Reset,
    /// Goes on where another connection ended.
    Resume,
    /// Ends what plays.
    Stop,
    /// Replaces a stream by another one in a playlist.
    Swap,
    /// Goes on with the same content from another stream, of another bitrate say.
    Switch,
}

impl Transition {
    const ALL: [Self; 7] = [
        Self::Append,
        Self::AppendAndWait,
        Self::Reset,
        Self::Resume,
        Self::Stop,
        Self::Swap,
        Self::Switch,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::AppendAndWait => "appendAndWait",
            Self::Reset => "reset",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Swap => "swap",
            Self::Switch => "switch",
        }
    }

    /// Whether one stream takes the place of another, of which the client is told when it is done.
    pub(super) const fn replaces(self) -> bool {
        matches!(self, Self::Swap | Self::Switch)
    }
}

impl PlayOptions {
    /// Plays `stream_name` in place of what plays, from its start to its end.
    pub fn new(stream_name: impl Into<String>) -> Self {
        Self {
            stream_name: stream_name.into(),
            old_stream_name: None,
            start: PlayStart::default(),
            len: None,
            offset: None,
            transition: Transition::default(),
        }
    }

    /// The object that play2 carries.
    pub fn to_object(&self) -> Object {
        let seconds = |time: Option<Duration>| time.map_or(-1.0, |time| time.as_secs_f64());
        let start = match self.start {
            PlayStart::LiveOrRecorded => -2.0,
            PlayStart::Live => -1.0,
            PlayStart::Recorded(at) => f64::from(at.as_millis()) / 1000.0,
        };
        let old = self.old_stream_name.as_deref().map(Value::from);
        Object::new()
            .with("len", seconds(self.len))
            .with("offset", seconds(self.offset))
            .with("oldStreamName", old.unwrap_or(Value::Null))
            .with("start", start)
            .with("streamName", self.stream_name.as_str())
            .with("transition", self.transition.as_str())
    }

    /// Reads such an object, in either AMF. What is left out, or of the wrong type, has its default.
    pub fn from_value(value: Value) -> Self {
        let value = value.into_amf0();
        let property = |name| value.as_object().and_then(|object| object.get(name));
        let text = |name| {
            let text = property(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(String::from)
        };
        let number = |name| property(name).and_then(Value::as_number);
        let seconds = |name| Duration::try_from_secs_f64(number(name)?).ok();
        let word = text("transition");
        let known = Transition::ALL
            .into_iter()
            .find(|transition| Some(transition.as_str()) == word.as_deref());
        Self {
            stream_name: text("streamName").unwrap_or_default().to_string(),
            old_stream_name: text("oldStreamName"),
            start: match number("start") {
                Some(-1.0) => PlayStart::Live,
                Some(start) if start >= 0.0 => {
                    PlayStart::Recorded(Timestamp::from_millis((start * 1000.0) as u32))
                }
                _ => PlayStart::LiveOrRecorded,
            },
            len: seconds("len"),
            offset: seconds("offset"),
            transition: known.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_the_wire() {
        let plain = PlayOptions::new("conf");
        assert_eq!(PlayOptions::from_value(plain.to_object().into()), plain);
        for transition in Transition::ALL {
            let options = PlayOptions {
                old_stream_name: Some("worse".into()),
                start: PlayStart::Recorded(Timestamp::from_millis(1500)),
                len: Some(Duration::from_millis(2500)),
                offset: Some(Duration::from_secs(3)),
                transition,
                ..PlayOptions::new("better")
            };
            let object = options.to_object();
            assert_eq!(object.get("start"), Some(&1.5.into()));
            assert_eq!(object.get("len"), Some(&2.5.into()));
            let amf3 = Value::AvmPlus(alloc::boxed::Box::new(Value::from(object).into()));
            assert_eq!(PlayOptions::from_value(amf3), options);
        }
    }

    #[test]
    fn what_makes_no_sense_has_its_default() {
        let nonsense = Object::new()
            .with("streamName", 7.0)
            .with("start", f64::NAN)
            .with("len", f64::INFINITY)
            .with("transition", "sideways");
        for value in [nonsense.into(), Value::Null, 5.0.into()] {
            assert_eq!(PlayOptions::from_value(value), PlayOptions::new(""));
        }
    }
}
