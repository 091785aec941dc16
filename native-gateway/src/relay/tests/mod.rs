//! The relay on plain structs and a fake clock: publishers and viewers take turns millisecond by millisecond.

mod cohort;
mod lag;
mod publisher;
mod start;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::chunk;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{Message, message_type};
use chalkcast_core::{Instant, Timestamp};

use super::{
    Config, Item, Key, Lane, Next, Publisher, Relay, Run, Source, Stream, Taken, Viewer, Written,
};

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// What a viewer was sent: when, and what.
#[derive(Clone, Debug, PartialEq)]
enum Got {
    Tag { at: u64, tag: Tag },
    Begin,
    End,
    NotFound,
}

/// What the relay has written to a viewer by itself.
struct Wire {
    decoder: chunk::Decoder,
    bytes: Vec<u8>,
    writes: usize,
    /// So many bytes more are taken.
    room: usize,
    stuck: bool,
}

impl Wire {
    fn new() -> Self {
        let mut set_up = Vec::new();
        chunk::Encoder::new()
            .encode(2, &Message::SetChunkSize(65_536).encode(), &mut set_up)
            .unwrap();
        let mut decoder = chunk::Decoder::new(chunk::Limits::default());
        decoder.decode(&mut &set_up[..]).unwrap();
        Self {
            decoder,
            bytes: Vec::new(),
            writes: 0,
            room: usize::MAX,
            stuck: false,
        }
    }

    fn take(&mut self) -> Vec<Tag> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut input = &bytes[..];
        let mut tags = Vec::new();
        while let Some(raw) = self.decoder.decode(&mut input).unwrap() {
            assert_eq!(raw.stream_id, 1);
            let tag_type = match raw.message_type {
                message_type::AUDIO => TagType::Audio,
                message_type::VIDEO => TagType::Video,
                _ => TagType::Script,
            };
            tags.push(Tag {
                tag_type,
                timestamp: raw.timestamp,
                payload: raw.payload,
            });
        }
        tags
    }
}

struct TestLane {
    wire: Arc<Mutex<Wire>>,
    rest: Bytes,
}

impl std::fmt::Debug for TestLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestLane")
    }
}

impl Lane for TestLane {
    fn write(&mut self, run: &Run) -> Written {
        assert!(
            self.rest.is_empty(),
            "one that is not in step is written to"
        );
        let mut wire = self.wire.lock().unwrap();
        let taken = if wire.stuck {
            0
        } else {
            run.len().min(wire.room)
        };
        if taken == 0 {
            return Written::Nothing;
        }
        wire.room -= taken;
        wire.writes += 1;
        wire.bytes.extend_from_slice(&run.bytes(false)[..taken]);
        if taken == run.len() {
            return Written::All;
        }
        self.rest = run.rest(false, taken);
        Written::Part
    }

    fn into_rest(self: Box<Self>) -> Bytes {
        self.rest
    }
}

/// A viewer that pulls when it is woken, unless it is stuck.
struct Student {
    viewer: Viewer,
    /// Where the relay writes by itself; `None` for one that always pulls.
    wire: Option<Arc<Mutex<Wire>>>,
    flag: Arc<Flag>,
    got: Vec<Got>,
    stuck: bool,
    /// Times at which something was written.
    writes: Vec<u64>,
}

impl Student {
    fn pull(&mut self, now: u64) {
        let waker = Waker::from(Arc::clone(&self.flag));
        if let Some(back) = self.viewer.take_back() {
            let mut wire = self.wire.as_ref().unwrap().lock().unwrap();
            wire.bytes.extend_from_slice(&back.rest);
        }
        self.collect(now);
        loop {
            let before = self.got.len();
            let got = &mut self.got;
            let next = self.viewer.pull(at(now), &waker, 64 * 1024, |item| {
                got.push(match item {
                    Item::Tag(tag, message) => {
                        assert!(message.len() > tag.payload.len());
                        Got::Tag {
                            at: now,
                            tag: tag.clone(),
                        }
                    }
                    Item::Begin => Got::Begin,
                    Item::End => Got::End,
                    Item::NotFound => Got::NotFound,
                });
            });
            if self.got.len() > before {
                self.writes.push(now);
            }
            if next == Next::Wait {
                break;
            }
        }
        if let Some(wire) = &self.wire {
            let lane = TestLane {
                wire: Arc::clone(wire),
                rest: Bytes::new(),
            };
            self.viewer.entrust(at(now), 1, &waker, Box::new(lane));
        }
    }

    /// What the relay has written.
    fn collect(&mut self, now: u64) {
        let Some(wire) = &self.wire else { return };
        let mut wire = wire.lock().unwrap();
        let tags = wire.take();
        self.got
            .extend(tags.into_iter().map(|tag| Got::Tag { at: now, tag }));
        self.writes
            .extend(std::iter::repeat_n(now, std::mem::take(&mut wire.writes)));
    }

    fn tags(&self) -> Vec<&Tag> {
        self.got
            .iter()
            .filter_map(|got| {
                if let Got::Tag { tag, .. } = got {
                    Some(tag)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Timestamps of video frames, less the sequence headers.
    fn frames(&self) -> Vec<u32> {
        let is_frame = |tag: &&&Tag| tag.tag_type == TagType::Video && tag.payload[1] == 1;
        self.tags()
            .iter()
            .filter(is_frame)
            .map(|tag| tag.timestamp.as_millis())
            .collect()
    }

    fn sounds(&self) -> Vec<u32> {
        let is_sound = |tag: &&&Tag| tag.tag_type == TagType::Audio && tag.payload[1] == 1;
        self.tags()
            .iter()
            .filter(is_sound)
            .map(|tag| tag.timestamp.as_millis())
            .collect()
    }
}

/// A relay, its clock, and the one who calls its streams when their time has come.
struct Classroom {
    relay: Relay,
    streams: Arc<Mutex<Vec<Arc<Stream>>>>,
    driver: Arc<Flag>,
    writer: Arc<Flag>,
    now: u64,
    students: Vec<Student>,
    /// Whether students let the relay write.
    entrusts: bool,
    /// How often the relay gets to write in a millisecond, and how often it still may in this one.
    haste: usize,
    left: usize,
}

fn at(ms: u64) -> Instant {
    Instant::from_micros(3_600_000_000 + ms * 1000)
}

fn key() -> Key {
    Key::new("live", "conf?token=x")
}

fn tag(tag_type: TagType, ms: u64, payload: &[u8]) -> Tag {
    Tag {
        tag_type,
        timestamp: Timestamp::from_millis(ms as u32),
        payload: payload.to_vec().into(),
    }
}

fn metadata() -> Tag {
    tag(TagType::Script, 0, b"\x02\x00\x0aonMetaData\x05")
}

fn video_header() -> Tag {
    tag(TagType::Video, 0, b"\x17\x00\x00\x00\x00\x01avcC")
}

fn audio_header() -> Tag {
    tag(TagType::Audio, 0, b"\xaf\x00\x12\x10")
}

fn frame(ms: u64, keyframe: bool) -> Tag {
    tag(
        TagType::Video,
        ms,
        if keyframe {
            b"\x17\x01\x00\x00\x00key"
        } else {
            b"\x27\x01\x00\x00\x00inter"
        },
    )
}

fn sound(ms: u64) -> Tag {
    tag(TagType::Audio, ms, b"\xaf\x01sound")
}

impl Classroom {
    fn new(config: Config) -> Self {
        let streams: Arc<Mutex<Vec<Arc<Stream>>>> = Arc::default();
        let created = Arc::clone(&streams);
        let relay = Relay::new(config, move |stream| {
            created.lock().unwrap().push(Arc::clone(stream))
        });
        Self {
            relay,
            streams,
            driver: Arc::default(),
            writer: Arc::default(),
            now: 0,
            students: Vec::new(),
            entrusts: true,
            haste: usize::MAX,
            left: usize::MAX,
        }
    }

    /// A lesson that goes on for `ms` already, a keyframe each second.
    fn in_lesson(config: Config, ms: u64) -> (Self, Publisher) {
        let mut room = Self::new(config);
        let mut publisher = room.publish().unwrap();
        room.teach(&mut publisher, ms, 1_000, 0, 0);
        (room, publisher)
    }

    fn publish(&self) -> Result<Publisher, Taken> {
        self.relay.publish(at(self.now), &key(), Source::Local)
    }

    fn attend(&mut self) -> usize {
        self.attend_with(|_| {})
    }

    fn attend_with(&mut self, set_up: impl FnOnce(&mut Viewer)) -> usize {
        let mut viewer = self.relay.play(at(self.now), &key());
        set_up(&mut viewer);
        let mut student = Student {
            viewer,
            wire: self.entrusts.then(|| Arc::new(Mutex::new(Wire::new()))),
            flag: Arc::default(),
            got: Vec::new(),
            stuck: false,
            writes: Vec::new(),
        };
        student.pull(self.now);
        self.students.push(student);
        self.students.len() - 1
    }

    /// What happens in one instant, once the publisher has sent what it sends.
    fn settle(&mut self) {
        self.left = self.haste;
        let waker = Waker::from(Arc::clone(&self.driver));
        let streams = self.streams.lock().unwrap().clone();
        for stream in &streams {
            while stream
                .poll_timeout(&waker)
                .is_some_and(|due| due <= at(self.now))
            {
                stream.handle_timeout(at(self.now));
                if self.relay.forget_idle(at(self.now), stream) {
                    self.streams
                        .lock()
                        .unwrap()
                        .retain(|other| !Arc::ptr_eq(other, stream));
                    break;
                }
                if !self.serve() {
                    break;
                }
            }
        }
        while self.serve() {}
    }

    /// The relay writes, and those pull that are woken. False if there was nothing to do.
    fn serve(&mut self) -> bool {
        let mut any = false;
        let waker = Waker::from(Arc::clone(&self.writer));
        for student in &self.students {
            if let Some(wire) = &student.wire {
                wire.lock().unwrap().stuck = student.stuck;
            }
        }
        for stream in self.streams.lock().unwrap().iter() {
            while self.left > 0 && stream.write(at(self.now), &waker) {
                self.left -= 1;
                any = true;
            }
        }
        for student in &mut self.students {
            student.collect(self.now);
        }
        for student in self.students.iter_mut().filter(|student| !student.stuck) {
            if student.flag.take() {
                student.pull(self.now);
                any = true;
            }
        }
        any
    }

    /// A lesson until `end`: 25 pictures and 50 sounds a second, a keyframe each `gop` ms, timestamps from `base` at `from`.
    fn teach(&mut self, publisher: &mut Publisher, end: u64, gop: u64, from: u64, base: u64) {
        while self.now < end {
            let ms = self.now - from;
            if ms == 0 {
                for tag in [metadata(), video_header(), audio_header()] {
                    publisher.append(at(self.now), &tag).unwrap();
                }
            }
            if ms.is_multiple_of(40) {
                publisher
                    .append(at(self.now), &frame(base + ms, ms.is_multiple_of(gop)))
                    .unwrap();
            }
            if ms.is_multiple_of(20) {
                publisher.append(at(self.now), &sound(base + ms)).unwrap();
            }
            self.settle();
            self.now += 1;
        }
    }

    fn pass(&mut self, until: u64) {
        while self.now < until {
            self.settle();
            self.now += 1;
        }
        self.settle();
    }
}

/// Whether frames follow each other without a gap: each 40 ms a picture, each 20 ms a sound.
fn is_whole(times: &[u32], each: u32) -> bool {
    times.windows(2).all(|pair| pair[1] == pair[0] + each)
}

/// Where the first gap is.
fn first_gap(times: &[u32], each: u32) -> Option<[u32; 2]> {
    let gap = times.windows(2).find(|pair| pair[1] != pair[0] + each)?;
    Some([gap[0], gap[1]])
}
