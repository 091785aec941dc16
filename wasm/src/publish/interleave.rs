//! Audio and video tags in one order of timestamps.

use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::flv::Tag;
use chalkcast_core::{Instant, Timestamp};

/// How long a picture waits for the sound that belongs before it: an audio frame and its priming, and sound that
/// comes in bursts (100 ms in Firefox).
const PICTURE_WAITS: Duration = Duration::from_millis(300);
/// How long sound waits for a picture that is still inside the encoder: the slowest encoder measured takes 90 ms.
const SOUND_WAITS: Duration = Duration::from_millis(400);

/// Tags of both kinds, let out in the order of their timestamps: a tag goes once nothing earlier can come, or once it
/// has waited long enough. What comes later still keeps its timestamp: each track is in order by itself, and sound stays
/// with its pictures.
#[derive(Debug, Default)]
pub(super) struct Interleave {
    audio: Track,
    video: Track,
}

#[derive(Debug, Default)]
struct Track {
    waiting: VecDeque<(Instant, Tag)>,
    /// Nothing earlier than this comes any more; `None` if this track holds nothing up.
    frontier: Option<Timestamp>,
}

impl Interleave {
    pub(super) fn push_audio(&mut self, now: Instant, tag: Tag) {
        self.audio.waiting.push_back((now, tag));
    }

    pub(super) fn push_video(&mut self, now: Instant, tag: Tag) {
        self.video.waiting.push_back((now, tag));
    }

    /// The timestamp of the next audio tag at the earliest, `None` while none is to come.
    pub(super) fn set_audio_frontier(&mut self, frontier: Option<Timestamp>) {
        self.audio.frontier = frontier;
    }

    /// The timestamp of the oldest picture inside the encoder, `None` if it is empty.
    pub(super) fn set_video_frontier(&mut self, frontier: Option<Timestamp>) {
        self.video.frontier = frontier;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next tag that may go.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Tag> {
        let video_first = match (self.video.head(), self.audio.head()) {
            (Some(video), Some(audio)) => !video.is_after(audio),
            (video, _) => video.is_some(),
        };
        let (track, other, patience) = if video_first {
            (&mut self.video, &self.audio, PICTURE_WAITS)
        } else {
            (&mut self.audio, &self.video, SOUND_WAITS)
        };
        let (since, tag) = track.waiting.front()?;
        let first = other
            .head()
            .or(other.frontier)
            .is_none_or(|earliest| !tag.timestamp.is_after(earliest));
        if !first && now - *since < patience {
            return None;
        }
        track.waiting.pop_front().map(|(_, tag)| tag)
    }

    /// When [`Interleave::pop`] gives a tag even if nothing more comes.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let video = self
            .video
            .waiting
            .front()
            .map(|(since, _)| *since + PICTURE_WAITS);
        let audio = self
            .audio
            .waiting
            .front()
            .map(|(since, _)| *since + SOUND_WAITS);
        [video, audio].into_iter().flatten().min()
    }
}

impl Track {
    fn head(&self) -> Option<Timestamp> {
        self.waiting.front().map(|(_, tag)| tag.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chalkcast_core::flv::TagType;

    use super::*;

    fn tag(tag_type: TagType, millis: u32) -> Tag {
        Tag {
            tag_type,
            timestamp: Timestamp::from_millis(millis),
            payload: Bytes::new(),
        }
    }

    fn audio(millis: u32) -> Tag {
        tag(TagType::Audio, millis)
    }

    fn video(millis: u32) -> Tag {
        tag(TagType::Video, millis)
    }

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn stamps(interleave: &mut Interleave, now: Instant) -> Vec<(TagType, u32)> {
        std::iter::from_fn(|| interleave.pop(now))
            .map(|tag| (tag.tag_type, tag.timestamp.as_millis()))
            .collect()
    }

    #[test]
    fn a_picture_waits_for_the_sound_before_it() {
        let mut interleave = Interleave::default();
        interleave.set_audio_frontier(Some(Timestamp::from_millis(21)));
        interleave.push_video(at(40), video(33));
        assert_eq!(stamps(&mut interleave, at(40)), []);
        interleave.push_audio(at(64), audio(21));
        interleave.set_audio_frontier(Some(Timestamp::from_millis(43)));
        assert_eq!(
            stamps(&mut interleave, at(64)),
            [(TagType::Audio, 21), (TagType::Video, 33)]
        );
    }

    #[test]
    fn sound_waits_for_the_picture_inside_the_encoder() {
        let mut interleave = Interleave::default();
        interleave.set_video_frontier(Some(Timestamp::from_millis(33)));
        interleave.push_audio(at(70), audio(21));
        interleave.push_audio(at(90), audio(43));
        assert_eq!(stamps(&mut interleave, at(90)), [(TagType::Audio, 21)]);
        interleave.push_video(at(95), video(33));
        interleave.set_video_frontier(None);
        assert_eq!(
            stamps(&mut interleave, at(95)),
            [(TagType::Video, 33), (TagType::Audio, 43)]
        );
    }

    #[test]
    fn a_track_that_falls_silent_does_not_stop_the_other() {
        let mut interleave = Interleave::default();
        interleave.set_audio_frontier(Some(Timestamp::from_millis(0)));
        interleave.push_video(at(33), video(33));
        let patience = interleave.poll_timeout().expect("a picture waits");
        assert_eq!(stamps(&mut interleave, at(34)), []);
        assert_eq!(stamps(&mut interleave, patience), [(TagType::Video, 33)]);
    }
}
