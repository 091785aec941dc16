//! What has arrived of late: what another renderer begins with.

use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::flv::{Kind, Tag, TagHeader, TagType};

/// Beyond this the next keyframe is waited for.
const MAX_BYTES: usize = 32 << 20;
const MAX_TAGS: usize = 32_768;
/// A stream without pictures keeps this much more than is asked for.
const SOUND: Duration = Duration::from_millis(500);

/// The newest tags as they arrived, from a keyframe on, with the sequence headers in force there. What is in them is shared, not copied.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Of sound and of pictures, as they are at the front of `tags`.
    headers: [Option<Tag>; 2],
    tags: VecDeque<Tag>,
    bytes: usize,
    pictures: usize,
}

impl Recent {
    /// Takes a tag, and lets go what is older than a keyframe that lies `keep` back.
    pub(super) fn push(&mut self, tag: &Tag, keep: Duration) {
        self.bytes += tag.payload.len();
        self.pictures += usize::from(tag.tag_type == TagType::Video);
        self.tags.push_back(tag.clone());
        if self.bytes > MAX_BYTES || self.tags.len() > MAX_TAGS {
            self.drop_first(self.tags.len());
        } else if begins(tag, self.pictures == 0) {
            let keep = keep
                + if self.pictures == 0 {
                    SOUND
                } else {
                    Duration::ZERO
                };
            let old = self.tags.iter().rposition(|old| {
                u128::try_from(tag.timestamp.since(old.timestamp))
                    .is_ok_and(|age| age >= keep.as_millis())
                    && begins(old, self.pictures == 0)
            });
            self.drop_first(old.unwrap_or(0));
        }
    }

    /// Lets the frames go and keeps the sequence headers.
    pub(super) fn drop_frames(&mut self) {
        self.drop_first(self.tags.len());
    }

    /// Everything of this publisher is over.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Sequence headers, then the rest in the order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.headers.iter().flatten().chain(&self.tags)
    }

    fn drop_first(&mut self, count: usize) {
        for tag in self.tags.drain(..count) {
            self.bytes -= tag.payload.len();
            self.pictures -= usize::from(tag.tag_type == TagType::Video);
            if TagHeader::parse(&tag).is_sequence_header() {
                let of = usize::from(tag.tag_type == TagType::Video);
                self.headers[of] = Some(tag);
            }
        }
    }
}

/// Whether a decoder can begin with this tag.
fn begins(tag: &Tag, sound_alone: bool) -> bool {
    let header = TagHeader::parse(tag);
    match tag.tag_type {
        TagType::Video => header.is_keyframe() && header.kind() == Kind::CodedFrames,
        TagType::Audio => sound_alone && header.kind() == Kind::CodedFrames,
        TagType::Script => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chalkcast_core::Timestamp;

    fn tag(tag_type: TagType, millis: u32, payload: &'static [u8]) -> Tag {
        Tag::new(
            tag_type,
            Timestamp::from_millis(millis),
            Bytes::from_static(payload),
        )
    }

    fn key(millis: u32) -> Tag {
        tag(TagType::Video, millis, &[0x17, 1, 0, 0, 0, 9])
    }

    fn inter(millis: u32) -> Tag {
        tag(TagType::Video, millis, &[0x27, 1, 0, 0, 0, 9])
    }

    fn sound(millis: u32) -> Tag {
        tag(TagType::Audio, millis, &[0xaf, 1, 9])
    }

    fn kept(recent: &Recent) -> Vec<(TagType, u32)> {
        recent
            .iter()
            .map(|tag| (tag.tag_type, tag.timestamp.as_millis()))
            .collect()
    }

    #[test]
    fn it_begins_with_the_headers_and_a_keyframe_that_is_old_enough() {
        let mut recent = Recent::default();
        let video = tag(TagType::Video, 0, &[0x17, 0, 0, 0, 0, 1]);
        let audio = tag(TagType::Audio, 0, &[0xaf, 0, 0x12, 0x10]);
        for tag in [
            video,
            audio,
            key(0),
            sound(10),
            key(1000),
            inter(1040),
            sound(1050),
            key(2000),
            sound(2010),
        ] {
            recent.push(&tag, Duration::ZERO);
        }
        assert_eq!(
            kept(&recent),
            [
                (TagType::Audio, 0),
                (TagType::Video, 0),
                (TagType::Video, 2000),
                (TagType::Audio, 2010)
            ]
        );
        recent.push(&key(3000), Duration::from_millis(500));
        assert_eq!(kept(&recent)[2], (TagType::Video, 2000));
        recent.push(&key(3400), Duration::from_millis(500));
        assert_eq!(kept(&recent)[2], (TagType::Video, 2000));
        recent.push(&key(3500), Duration::from_millis(500));
        assert_eq!(kept(&recent)[2], (TagType::Video, 3000));
        recent.drop_frames();
        assert_eq!(kept(&recent), [(TagType::Audio, 0), (TagType::Video, 0)]);
    }

    #[test]
    fn sound_alone_is_kept_for_a_while() {
        let mut recent = Recent::default();
        for i in 0..500 {
            recent.push(&sound(i * 20), Duration::ZERO);
        }
        let kept = kept(&recent);
        assert_eq!((kept[0].1, kept.len()), (499 * 20 - 500, 26));
    }

    #[test]
    fn a_stream_without_keyframes_is_bounded() {
        let mut recent = Recent::default();
        recent.push(&key(0), Duration::ZERO);
        for i in 0..100_000 {
            recent.push(&inter(i), Duration::ZERO);
        }
        assert!(recent.tags.len() <= MAX_TAGS);
    }
}
