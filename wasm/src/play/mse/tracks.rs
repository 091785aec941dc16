//! Which tracks a MediaSource is opened with: it takes no more once one has begun, and plays nothing while one of them has nothing.

use std::time::Duration;

use chalkcast_core::flv::script::ScriptData;
use chalkcast_core::flv::{Kind, Tag, TagHeader};
use chalkcast_core::fmp4::Stream;
use chalkcast_core::{Instant, Timestamp};

use super::{index, stream_of};

/// A second track is waited for this long where the metadata promises it…
const PROMISED: Duration = Duration::from_secs(1);
/// … and this long where there are no metadata.
const UNKNOWN: Duration = Duration::from_millis(150);
/// A track of which nothing has come for this long, while the other went on, is done without. Pictures of a still screen may be rare.
const MISSING: [Duration; 2] = [Duration::from_millis(600), Duration::from_secs(3)];
/// A MediaSource is given so long before its tracks are changed, twice as long each time.
const PATIENCE: Duration = Duration::from_secs(1);
const MOST_PATIENCE: Duration = Duration::from_secs(60);

/// What is known of sound and pictures.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    tracks: [Track; 2],
    /// Of sound and of pictures, by the metadata.
    promised: Option<[bool; 2]>,
    /// When the first frame came.
    since: Option<Instant>,
    open: Option<[bool; 2]>,
    opened: Option<Instant>,
    reopened: u32,
}

#[derive(Debug, Default)]
struct Track {
    /// Its initialization segment is there.
    configured: bool,
    /// Nothing of it has come for long.
    missing: bool,
    /// The newest frame: when it came, and its timestamp.
    newest: Option<(Instant, Timestamp)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    Wait,
    /// Open a MediaSource with the tracks that [`Tracks::is_open`] names.
    Open,
    /// The open one has not the tracks that there are: begin again.
    Reopen,
}

impl Tracks {
    /// Another MediaSource is to be opened for the same stream.
    pub(super) fn reset(&mut self) {
        self.open = None;
        for track in &mut self.tracks {
            track.configured = false;
        }
    }

    pub(super) fn metadata(&mut self, data: &ScriptData) {
        let Some(object) = data.values.first().and_then(|value| value.as_object()) else {
            return;
        };
        let has = |codec: &str, flag: &str| {
            object.get(codec).is_some_and(|value| !value.is_nothing())
                && object.get(flag).and_then(|value| value.as_bool()) != Some(false)
        };
        self.promised = Some([
            has("audiocodecid", "hasAudio"),
            has("videocodecid", "hasVideo"),
        ]);
    }

    pub(super) fn configured(&mut self, stream: Stream) {
        self.tracks[index(stream)].configured = true;
    }

    /// A tag has come from the network.
    pub(super) fn arrived(&mut self, now: Instant, tag: &Tag) {
        let Some(stream) = stream_of(tag) else { return };
        if TagHeader::parse(tag).kind() == Kind::CodedFrames {
            let track = &mut self.tracks[index(stream)];
            track.newest = Some((now, tag.timestamp));
            track.missing = false;
            self.since.get_or_insert(now);
        }
    }

    pub(super) fn are_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn is_open(&self, stream: Stream) -> bool {
        self.open.is_some_and(|open| open[index(stream)])
    }

    pub(super) fn verdict(&mut self, now: Instant) -> Verdict {
        self.find_missing(now);
        let there = [0, 1].map(|of| self.tracks[of].configured && !self.tracks[of].missing);
        let Some(open) = self.open else {
            return if self.is_decided(now, there) {
                (self.open, self.opened) = (Some(there), Some(now));
                Verdict::Open
            } else {
                Verdict::Wait
            };
        };
        // A track that is new is one of which frames come.
        let wanted = [0, 1].map(|of| there[of] && (open[of] || self.tracks[of].newest.is_some()));
        let patience = (PATIENCE * (1 << self.reopened.min(10))).min(MOST_PATIENCE);
        let young = self.opened.is_some_and(|opened| now - opened < patience);
        if wanted == open || wanted == [false; 2] || young {
            return Verdict::Wait;
        }
        self.reopened += 1;
        Verdict::Reopen
    }

    fn is_decided(&self, now: Instant, there: [bool; 2]) -> bool {
        match there {
            [true, true] => true,
            [false, false] => false,
            [audio, _] => {
                let other = usize::from(audio);
                let patience = match self.promised {
                    _ if self.tracks[other].missing => Duration::ZERO,
                    Some(promised) if promised[other] => PROMISED,
                    Some(_) => Duration::ZERO,
                    None => UNKNOWN,
                };
                self.since.is_some_and(|since| now - since >= patience)
            }
        }
    }

    fn find_missing(&mut self, now: Instant) {
        for (of, patience) in MISSING.into_iter().enumerate() {
            let Some((_, live)) = self.tracks[1 - of].newest else {
                continue;
            };
            let millis = patience.as_millis() as i32;
            let track = &mut self.tracks[of];
            // Both: after an outage one track's backlog may come before the other's, and a publisher's clock may step.
            track.missing |= match track.newest {
                Some((at, last)) => now - at > patience && live.since(last) > millis,
                None => self.opened.is_some_and(|opened| now - opened > patience),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chalkcast_core::amf0::{Object, Value};

    fn at(millis: u64) -> Instant {
        Instant::from_micros(1_000_000_000 + millis * 1000)
    }

    fn frame(stream: Stream, millis: u64) -> Tag {
        let (tag_type, payload): (_, &'static [u8]) = match stream {
            Stream::Audio => (chalkcast_core::flv::TagType::Audio, &[0xaf, 1, 9]),
            Stream::Video => (chalkcast_core::flv::TagType::Video, &[0x27, 1, 0, 0, 0, 9]),
        };
        let timestamp = Timestamp::from_millis(millis as u32);
        Tag::new(tag_type, timestamp, Bytes::from_static(payload))
    }

    fn metadata(audio: bool, video: bool) -> ScriptData {
        let mut object = Object::new();
        if audio {
            object.insert("audiocodecid", Value::Number(10.0));
        }
        if video {
            object.insert("videocodecid", Value::Number(7.0));
        }
        ScriptData {
            name: "onMetaData".into(),
            values: vec![Value::EcmaArray(object)],
        }
    }

    /// Frames of `streams` every 20 ms, from `from` to `to`; the first verdict that is not to wait, and when.
    fn play(tracks: &mut Tracks, streams: &[Stream], from: u64, to: u64) -> Option<(u64, Verdict)> {
        for millis in (from..to).step_by(20) {
            for &stream in streams {
                tracks.arrived(at(millis), &frame(stream, millis));
            }
            match tracks.verdict(at(millis)) {
                Verdict::Wait => {}
                verdict => return Some((millis, verdict)),
            }
        }
        None
    }

    #[test]
    fn two_headers_open_at_once() {
        let mut tracks = Tracks::default();
        tracks.configured(Stream::Video);
        assert_eq!(tracks.verdict(at(0)), Verdict::Wait);
        tracks.configured(Stream::Audio);
        assert_eq!(tracks.verdict(at(0)), Verdict::Open);
        assert!(tracks.is_open(Stream::Audio) && tracks.is_open(Stream::Video));
        assert_eq!(
            play(&mut tracks, &[Stream::Audio, Stream::Video], 0, 5000),
            None
        );
    }

    #[test]
    fn the_metadata_say_how_long_to_wait_for_the_second() {
        for (said, opened) in [
            (None, 160),
            (Some(metadata(false, true)), 0),
            (Some(metadata(true, true)), 1000),
        ] {
            let mut tracks = Tracks::default();
            if let Some(said) = &said {
                tracks.metadata(said);
            }
            tracks.configured(Stream::Video);
            assert_eq!(
                play(&mut tracks, &[Stream::Video], 0, 3000),
                Some((opened, Verdict::Open)),
                "{said:?}"
            );
            assert!(!tracks.is_open(Stream::Audio));
        }
    }

    #[test]
    fn sound_that_starts_late_is_taken_in() {
        let mut tracks = Tracks::default();
        tracks.configured(Stream::Video);
        assert_eq!(
            play(&mut tracks, &[Stream::Video], 0, 1000),
            Some((160, Verdict::Open))
        );
        assert_eq!(play(&mut tracks, &[Stream::Video], 160, 5000), None);
        // Its header alone changes nothing.
        tracks.configured(Stream::Audio);
        assert_eq!(play(&mut tracks, &[Stream::Video], 5000, 6000), None);
        let both = [Stream::Audio, Stream::Video];
        assert_eq!(
            play(&mut tracks, &both, 6000, 7000),
            Some((6000, Verdict::Reopen))
        );
        tracks.reset();
        tracks.configured(Stream::Audio);
        tracks.configured(Stream::Video);
        assert_eq!(tracks.verdict(at(6000)), Verdict::Open);
        assert_eq!(play(&mut tracks, &both, 6000, 20_000), None);
    }

    #[test]
    fn sound_that_ends_is_done_without_until_it_comes_back() {
        let mut tracks = Tracks::default();
        let both = [Stream::Audio, Stream::Video];
        let configure = |tracks: &mut Tracks| {
            tracks.reset();
            tracks.configured(Stream::Audio);
            tracks.configured(Stream::Video);
        };
        configure(&mut tracks);
        assert_eq!(play(&mut tracks, &both, 0, 1000), Some((0, Verdict::Open)));
        assert_eq!(play(&mut tracks, &both, 0, 3000), None);
        assert_eq!(
            play(&mut tracks, &[Stream::Video], 3000, 9000),
            Some((3600, Verdict::Reopen))
        );
        configure(&mut tracks);
        assert_eq!(tracks.verdict(at(3600)), Verdict::Open);
        assert!(!tracks.is_open(Stream::Audio));
        assert_eq!(play(&mut tracks, &[Stream::Video], 3600, 9000), None);
        assert_eq!(
            play(&mut tracks, &both, 9000, 9999),
            Some((9000, Verdict::Reopen))
        );
    }

    #[test]
    fn an_outage_of_both_is_not_taken_for_the_end_of_one() {
        let mut tracks = Tracks::default();
        tracks.configured(Stream::Audio);
        tracks.configured(Stream::Video);
        play(&mut tracks, &[Stream::Audio, Stream::Video], 0, 20);
        assert_eq!(
            play(&mut tracks, &[Stream::Audio, Stream::Video], 0, 2000),
            None
        );
        // Ten seconds later what was sent meanwhile comes at once, sound a little behind.
        for millis in (2000..12_000).step_by(20) {
            tracks.arrived(at(12_000), &frame(Stream::Video, millis));
            if millis >= 2400 {
                tracks.arrived(at(12_000), &frame(Stream::Audio, millis - 400));
            }
            assert_eq!(tracks.verdict(at(12_000)), Verdict::Wait);
        }
    }
}
