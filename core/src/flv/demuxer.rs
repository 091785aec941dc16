use alloc::vec::Vec;

use bytes::{Buf, BytesMut};

use super::{Tag, TagType};
use crate::Timestamp;
use crate::wire::{Reader, u24};

/// Bytes before a tag's data and after it.
const HEADER: usize = 11;
const TRAILER: usize = 4;
/// How many tag headers a search follows up at once.
const MAX_CANDIDATES: usize = 32;

/// Reads an FLV file or stream (§E.2 to §E.4.1) as its bytes come, and finds back into it after damage.
///
/// Push bytes, then pull tags until there is none. A tag counts as sound if the size behind it repeats the size before it, or if what
/// follows looks like a tag. Otherwise the demuxer searches for the next tag that agrees with the size behind it.
#[derive(Debug)]
pub struct Demuxer {
    max_payload: usize,
    buffer: BytesMut,
    state: State,
    ended: bool,
    skipped: Skipped,
}

/// What a demuxer passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Bytes that belong to no tag.
    pub bytes: u64,
    /// Stretches of such bytes.
    pub gaps: u64,
    /// Tags that are encrypted or of an unknown type.
    pub tags: u64,
    /// Tags that were handed out although the size behind them is wrong, which some writers do.
    pub wrong_sizes: u64,
}

#[derive(Debug)]
enum State {
    Start,
    /// At a tag or at another file's header.
    Tag,
    /// Somewhere after damage.
    Search(Search),
}

/// A search looks at every byte once, however they come.
#[derive(Debug, Default)]
struct Search {
    /// How far the buffer has been looked at.
    at: usize,
    candidates: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    start: usize,
    /// Where the tag's trailer ends.
    end: usize,
}

struct Header {
    kind: u8,
    size: usize,
    timestamp: Timestamp,
    stream_id: u32,
}

enum Step {
    Tag(Tag),
    /// Something was passed over.
    Again,
    NeedsMore,
}

impl Default for Demuxer {
    fn default() -> Self {
        Self::new()
    }
}

impl Demuxer {
    /// A demuxer that takes tags of up to 4 MiB.
    pub fn new() -> Self {
        Self::with_max_payload(4 << 20)
    }

    /// A demuxer that takes a longer tag than `max_payload` bytes for damage. It never holds much more than that many bytes.
    pub fn with_max_payload(max_payload: usize) -> Self {
        Self {
            max_payload,
            buffer: BytesMut::new(),
            state: State::Start,
            ended: false,
            skipped: Skipped::default(),
        }
    }

    /// Adds bytes. Pull all tags before the next push, or they are held.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that there will be no more bytes, so that the last tag need not be followed by anything.
    pub fn finish(&mut self) {
        self.ended = true;
    }

    /// The next tag, if it is there in full.
    pub fn next_tag(&mut self) -> Option<Tag> {
        loop {
            let step = match &mut self.state {
                State::Start => self.start(),
                State::Tag => self.tag(),
                State::Search(search) => {
                    let search = core::mem::take(search);
                    self.search(search)
                }
            };
            match step {
                Step::Tag(tag) => return Some(tag),
                Step::Again => {}
                Step::NeedsMore if self.ended && !self.buffer.is_empty() => {
                    self.discard(self.buffer.len());
                    return None;
                }
                Step::NeedsMore => return None,
            }
        }
    }

    /// What has been passed over so far.
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The file's header: signature, version, flags, and where the data begin. A stream may lack it.
    fn start(&mut self) -> Step {
        let seen = self.buffer.len().min(3);
        if self.buffer[..seen] != b"FLV"[..seen] {
            return self.lose();
        }
        let Some(header) = self.buffer.first_chunk::<9>() else {
            return Step::NeedsMore;
        };
        let offset = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
        // A header longer than any known is damage.
        let offset = if (9..=1024).contains(&offset) {
            offset as usize
        } else {
            9
        };
        if self.buffer.len() < offset + TRAILER {
            return Step::NeedsMore;
        }
        self.buffer.advance(offset + TRAILER);
        self.state = State::Tag;
        Step::Again
    }

    fn tag(&mut self) -> Step {
        if self.buffer.starts_with(b"FLV\x01") {
            return self.start();
        }
        let Some(header) = Header::parse(&self.buffer) else {
            return Step::NeedsMore;
        };
        let sound_type = header.kind & 0xc0 == 0;
        if !sound_type || header.size > self.max_payload {
            return self.lose();
        }
        let end = HEADER + header.size;
        let Some(trailer) = self.buffer.get(end..end + TRAILER) else {
            if self.ended && self.buffer.len() >= end && header.tag_type().is_some() {
                return self.take(&header, self.buffer.len());
            }
            return Step::NeedsMore;
        };
        if !header.repeated_by(trailer) {
            let next = self.buffer.get(end + TRAILER..).unwrap_or_default();
            match Header::parse(next) {
                Some(next) if next.is_likely(self.max_payload) => {}
                None if !self.ended => return Step::NeedsMore,
                None if next.is_empty() && header.is_likely(self.max_payload) => {}
                _ => return self.lose(),
            }
            if !header.is_likely(self.max_payload) {
                return self.lose();
            }
            self.skipped.wrong_sizes += 1;
        }
        self.take(&header, end + TRAILER)
    }

    /// Takes the tag at the front, which ends at `end`.
    fn take(&mut self, header: &Header, end: usize) -> Step {
        let Some(tag_type) = header.tag_type() else {
            self.skipped.tags += 1;
            self.buffer.advance(end);
            return Step::Again;
        };
        let mut whole = self.buffer.split_to(end);
        whole.advance(HEADER);
        whole.truncate(header.size);
        Step::Tag(Tag::new(tag_type, header.timestamp, whole.freeze()))
    }

    /// What stands at the front is no tag.
    fn lose(&mut self) -> Step {
        self.skipped.gaps += 1;
        self.state = State::Search(Search::default());
        Step::Again
    }

    fn search(&mut self, mut search: Search) -> Step {
        while let Some(header) = Header::parse(self.buffer.get(search.at..).unwrap_or_default()) {
            if header.is_likely(self.max_payload) {
                search.candidates.push(Candidate {
                    start: search.at,
                    end: search.at + HEADER + header.size + TRAILER,
                });
                if search.candidates.len() > MAX_CANDIDATES {
                    // The farthest is the least likely, and the longest to wait for.
                    let farthest = (0..search.candidates.len())
                        .max_by_key(|index| search.candidates[*index].end);
                    farthest.map(|index| search.candidates.remove(index));
                }
            }
            search.at += 1;
        }
        let buffer = &self.buffer;
        let is_tag = |candidate: &Candidate| {
            let trailer = buffer.get(candidate.end - TRAILER..candidate.end);
            trailer.is_some_and(|trailer| {
                u32::from_be_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]) as usize
                    == candidate.end - candidate.start - TRAILER
            })
        };
        if let Some(found) = search.candidates.iter().find(|candidate| is_tag(candidate)) {
            self.discard(found.start);
            self.state = State::Tag;
            return Step::Again;
        }
        search
            .candidates
            .retain(|candidate| candidate.end > buffer.len());
        let keep = search
            .candidates
            .iter()
            .map(|candidate| candidate.start)
            .min()
            .unwrap_or(search.at);
        self.discard(keep);
        search.at -= keep;
        for candidate in &mut search.candidates {
            candidate.start -= keep;
            candidate.end -= keep;
        }
        self.state = State::Search(search);
        Step::NeedsMore
    }

    fn discard(&mut self, count: usize) {
        self.skipped.bytes += count as u64;
        self.buffer.advance(count);
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        let size = reader.u24()? as usize;
        let [low @ .., high]: [u8; 4] = reader.array()?;
        let timestamp = Timestamp::from_millis(u32::from(high) << 24 | u24(low));
        Some(Self {
            kind,
            size,
            timestamp,
            stream_id: reader.u24()?,
        })
    }

    /// The type, of a tag that is neither encrypted (bit 5) nor unknown.
    fn tag_type(&self) -> Option<TagType> {
        TagType::from_id(self.kind)
    }

    /// Whether this may be a tag's header, where nothing else says so.
    fn is_likely(&self, max_payload: usize) -> bool {
        self.tag_type().is_some() && self.stream_id == 0 && self.size <= max_payload
    }

    fn repeated_by(&self, trailer: &[u8]) -> bool {
        trailer == ((HEADER + self.size) as u32).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use bytes::Bytes;

    use super::super::Muxer;
    use super::*;

    fn lesson() -> Vec<Tag> {
        (0..40_u32)
            .map(|index| {
                let tag_type =
                    [TagType::Script, TagType::Audio, TagType::Video][index as usize % 3];
                let payload = vec![index as u8; 20 + index as usize * 7];
                Tag::new(
                    tag_type,
                    Timestamp::from_millis(0x00ff_fff0 + index),
                    payload.into(),
                )
            })
            .collect()
    }

    fn muxed(tags: &[Tag]) -> Vec<u8> {
        let mut muxer = Muxer::new(true, true);
        let mut out = Vec::new();
        tags.iter()
            .for_each(|tag| muxer.encode(tag, &mut out).unwrap());
        out
    }

    fn demuxed(bytes: &[u8], chunk: usize) -> (Vec<Tag>, Skipped) {
        let mut demuxer = Demuxer::new();
        let mut tags = Vec::new();
        for chunk in bytes.chunks(chunk) {
            demuxer.push(chunk);
            tags.extend(core::iter::from_fn(|| demuxer.next_tag()));
        }
        demuxer.finish();
        tags.extend(core::iter::from_fn(|| demuxer.next_tag()));
        (tags, demuxer.skipped())
    }

    #[test]
    fn what_is_muxed_is_demuxed_in_pieces_of_any_size() {
        let tags = lesson();
        let bytes = muxed(&tags);
        for chunk in [1, 2, 13, 1000, bytes.len()] {
            assert_eq!(
                demuxed(&bytes, chunk),
                (tags.clone(), Skipped::default()),
                "{chunk}"
            );
        }
        // A stream without a file header, and a file with another behind it.
        let (found, skipped) = demuxed(&bytes[13..], 7);
        assert_eq!((found.len(), skipped.bytes), (tags.len(), 0));
        assert_eq!(
            demuxed(&[bytes.as_slice(), &bytes].concat(), 64).0.len(),
            2 * tags.len()
        );
    }

    #[test]
    fn damage_costs_what_it_hits_and_is_counted() {
        let tags = lesson();
        let bytes = muxed(&tags);
        let start_of = |index: usize| muxed(&tags[..index]).len();
        for chunk in [1, 50, bytes.len()] {
            // Noise between two tags.
            let mut noisy = bytes.clone();
            noisy.splice(
                start_of(5)..start_of(5),
                [8, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 9, 9],
            );
            let (found, skipped) = demuxed(&noisy, chunk);
            assert_eq!((found, skipped.bytes, skipped.gaps), (tags.clone(), 14, 1));
            // A tag's size is destroyed: the tag is lost.
            let mut torn = bytes.clone();
            torn[start_of(5) + 1] ^= 0x40;
            let (found, skipped) = demuxed(&torn, chunk);
            assert_eq!(found, [&tags[..5], &tags[6..]].concat());
            assert_eq!(
                (skipped.bytes as usize, skipped.gaps),
                (start_of(6) - start_of(5), 1)
            );
            // Bytes are missing.
            let mut short = bytes.clone();
            short.drain(start_of(5) + 15..start_of(5) + 20);
            let (found, _) = demuxed(&short, chunk);
            assert_eq!(found, [&tags[..5], &tags[6..]].concat());
        }
    }

    #[test]
    fn wrong_sizes_behind_tags_and_foreign_tags_are_borne() {
        let tags = lesson();
        let mut bytes = muxed(&tags[..1]);
        for tag in &tags[1..] {
            let one = muxed(core::slice::from_ref(tag));
            let end = one.len() - 4;
            bytes.extend(&one[13..end]);
            bytes.extend([0; 4]);
        }
        let (found, skipped) = demuxed(&bytes, 100);
        assert_eq!(
            (found.len(), skipped.wrong_sizes, skipped.bytes),
            (tags.len(), tags.len() as u64 - 1, 0)
        );
        let mut foreign = muxed(&tags);
        foreign[13] = 0x20 | 9;
        let (found, skipped) = demuxed(&foreign, 100);
        assert_eq!((found.as_slice(), skipped.tags), (&tags[1..], 1));
    }

    #[test]
    fn a_file_cut_short_gives_what_is_whole() {
        let tags = lesson();
        let bytes = muxed(&tags);
        assert_eq!(demuxed(&bytes[..bytes.len() - 4], 999).0.len(), tags.len());
        let (found, skipped) = demuxed(&bytes[..bytes.len() - 5], 999);
        assert_eq!(found.len(), tags.len() - 1);
        assert!(skipped.bytes > 0);
    }

    #[test]
    fn a_search_holds_no_more_than_the_longest_tag() {
        let mut demuxer = Demuxer::with_max_payload(1000);
        let misleading = [8, 0, 3, 0xe8, 0, 0, 0, 0, 0, 0, 0].repeat(10);
        demuxer.push(&[0xff; 20]);
        for _ in 0..1000 {
            demuxer.push(&misleading);
            assert_eq!(demuxer.next_tag(), None);
            assert!(
                demuxer.buffer.len() <= 1000 + HEADER + TRAILER + misleading.len(),
                "{}",
                demuxer.buffer.len()
            );
        }
        let tag = Tag::new(
            TagType::Audio,
            Timestamp::ZERO,
            Bytes::from_static(b"found"),
        );
        demuxer.push(&muxed(core::slice::from_ref(&tag)));
        assert_eq!(demuxer.next_tag(), Some(tag));
        assert!(
            Muxer::new(true, true)
                .encode(
                    &Tag::new(TagType::Audio, Timestamp::ZERO, vec![0; 1 << 24].into()),
                    &mut Vec::new()
                )
                .is_err()
        );
    }
}
