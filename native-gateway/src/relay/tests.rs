//! The relay on plain structs and a fake clock: publishers and viewers take turns millisecond by millisecond.

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
    rest: Vec<Bytes>,
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
            run.bytes.len().min(wire.room)
        };
        if taken == 0 {
            return Written::Nothing;
        }
        wire.room -= taken;
        wire.writes += 1;
        wire.bytes.extend_from_slice(&run.bytes[..taken]);
        if taken == run.bytes.len() {
            return Written::All;
        }
        self.rest = vec![run.bytes.slice(taken..)];
        Written::Part
    }

    fn into_rest(self: Box<Self>) -> Vec<Bytes> {
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
            back.rest
                .iter()
                .for_each(|rest| wire.bytes.extend_from_slice(rest));
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
                rest: Vec::new(),
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
        }
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
            while stream.write(at(self.now), &waker) {
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

#[test]
fn a_late_viewer_gets_metadata_sequence_headers_and_the_newest_keyframe_at_once() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 14_510, 10_000, 0, 0);
    let late = room.attend();
    let tags = room.students[late].tags();
    let first: Vec<_> = tags
        .iter()
        .take(4)
        .map(|tag| (&tag.payload[..], tag.timestamp.as_millis()))
        .collect();
    let expected = [
        metadata(),
        video_header(),
        audio_header(),
        frame(10_000, true),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|tag| (&tag.payload[..], 10_000))
        .collect();
    assert_eq!(first, expected);
    let frames = room.students[late].frames();
    assert_eq!(frames.first(), Some(&10_000));
    assert_eq!(
        frames.last(),
        Some(&14_480),
        "up to live, in the same write"
    );
    assert!(frames.windows(2).all(|pair| pair[1] == pair[0] + 40));
    assert!(
        room.students[late]
            .sounds()
            .windows(2)
            .all(|pair| pair[1] == pair[0] + 20)
    );
}

#[test]
fn a_viewer_starts_at_the_keyframe_nearest_to_live_less_its_buffer() {
    for (buffer, start) in [
        (0, 40_000),
        (100, 40_000),
        (3_000, 38_000),
        (5_000, 36_000),
        (15_000, 26_000),
    ] {
        let mut room = Classroom::new(Config::default());
        let mut publisher = room.publish().unwrap();
        room.teach(&mut publisher, 40_900, 2_000, 0, 0);
        let late =
            room.attend_with(|viewer| viewer.set_buffer_length(Duration::from_millis(buffer)));
        assert_eq!(
            room.students[late].frames().first(),
            Some(&start),
            "buffer {buffer}"
        );
        let last = room.now;
        room.teach(&mut publisher, last + 3_000, 2_000, 0, 0);
        let frames = room.students[late].frames();
        assert!(
            frames.windows(2).all(|pair| pair[1] == pair[0] + 40),
            "buffer {buffer}: a start so far back is no lag"
        );
        assert_eq!(room.students[late].viewer.skipped(), (0, 0));
    }
}

#[test]
fn twenty_seconds_are_kept_and_not_more_than_the_memory_allows() {
    let config = Config {
        stream_bytes: 20_000,
        ..Config::default()
    };
    let mut room = Classroom::new(config);
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 60_000, 2_000, 0, 0);
    let stream = room.relay.find(&key()).unwrap();
    let state = stream.lock();
    assert!(state.log().bytes() <= 20_000);
    drop(state);
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 60_000, 2_000, 0, 0);
    let stream = room.relay.find(&key()).unwrap();
    let state = stream.lock();
    let kept = state.log().end() - state.log().first();
    // 75 tags a second, and up to one group of pictures more.
    assert!((20 * 75..=22 * 75 + 3).contains(&kept), "{kept}");
}

#[test]
fn a_viewer_that_lags_goes_on_with_the_newest_keyframe_and_keeps_its_sound() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 2_000, 1_000, 0, 0);
    let slow = room.attend();
    let quick = room.attend();
    room.students[slow].stuck = true;
    room.teach(&mut publisher, 4_500, 1_000, 0, 0);
    room.students[slow].stuck = false;
    room.students[slow].flag.take();
    room.students[slow].pull(4_500);
    room.teach(&mut publisher, 6_000, 1_000, 0, 0);

    let frames = room.students[slow].frames();
    let gap = frames
        .windows(2)
        .find(|pair| pair[1] != pair[0] + 40)
        .unwrap();
    assert_eq!(gap, [1_960, 4_000], "straight to the newest keyframe");
    let sounds = room.students[slow].sounds();
    assert!(
        sounds.windows(2).all(|pair| pair[1] == pair[0] + 20),
        "no sound is missing"
    );
    let (skips, tags) = room.students[slow].viewer.skipped();
    assert_eq!((skips, tags), (1, 50));
    assert_eq!(room.students[quick].viewer.skipped(), (0, 0));
    let stats = room.relay.find(&key()).unwrap().stats(at(6_000));
    assert_eq!((stats.viewers, stats.skips, stats.skipped_tags), (2, 1, 50));
}

#[test]
fn the_sound_of_a_viewer_that_lags_goes_ahead_of_its_pictures() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 2_000, 1_000, 0, 0);
    let slow = room.attend();
    room.teach(&mut publisher, 2_100, 1_000, 0, 0);
    room.students[slow].stuck = true;
    room.teach(&mut publisher, 2_900, 1_000, 0, 0);
    let seen = room.students[slow].tags().len();
    room.students[slow].stuck = false;
    room.students[slow].pull(2_900);
    let tags = room.students[slow].tags();
    let (sound, picture): (Vec<&Tag>, Vec<&Tag>) = tags[seen..]
        .iter()
        .partition(|tag| tag.tag_type == TagType::Audio);
    assert_eq!((sound.len(), picture.len()), (40, 20), "all of it, once");
    assert!(
        tags[seen..seen + 40]
            .iter()
            .all(|tag| tag.tag_type == TagType::Audio)
    );
    room.teach(&mut publisher, 4_000, 1_000, 0, 0);
    let sounds = room.students[slow].sounds();
    assert!(sounds.windows(2).all(|pair| pair[1] == pair[0] + 20));
    let frames = room.students[slow].frames();
    assert!(frames.windows(2).all(|pair| pair[1] == pair[0] + 40));
}

#[test]
fn sound_that_is_far_behind_is_skipped_too() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 2_000, 1_000, 0, 0);
    let slow = room.attend();
    room.teach(&mut publisher, 2_100, 1_000, 0, 0);
    room.students[slow].stuck = true;
    room.teach(&mut publisher, 12_500, 1_000, 0, 0);
    room.students[slow].stuck = false;
    room.students[slow].pull(12_500);
    let sounds = room.students[slow].sounds();
    let gap = sounds
        .windows(2)
        .find(|pair| pair[1] != pair[0] + 20)
        .unwrap();
    assert!(
        gap[0] < 2_100 && (11_400..12_000).contains(&gap[1]),
        "{gap:?}"
    );
}

#[test]
fn a_long_buffer_rides_out_a_long_stall() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 16_000, 1_000, 0, 0);
    let patient = room.attend_with(|viewer| viewer.set_buffer_length(Duration::from_secs(15)));
    room.students[patient].stuck = true;
    room.teach(&mut publisher, 26_000, 1_000, 0, 0);
    room.students[patient].stuck = false;
    room.students[patient].pull(26_000);
    assert_eq!(room.students[patient].viewer.skipped(), (0, 0));
    assert!(
        room.students[patient]
            .frames()
            .windows(2)
            .all(|pair| pair[1] == pair[0] + 40)
    );
}

#[test]
fn a_viewer_that_never_reads_delays_nobody_and_holds_nothing() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 1_000, 1_000, 0, 0);
    let stuck = room.attend();
    room.students[stuck].stuck = true;
    for _ in 0..20 {
        room.attend();
    }
    room.teach(&mut publisher, 61_000, 1_000, 0, 0);
    for student in room.students.iter().filter(|student| !student.stuck) {
        let frames = student.frames();
        assert!(frames.windows(2).all(|pair| pair[1] == pair[0] + 40));
        assert_eq!(frames.last(), Some(&60_960));
        for got in &student.got {
            if let Got::Tag { at, tag } = got
                && u64::from(tag.timestamp.as_millis()) > 1_000
            {
                let waited = at - u64::from(tag.timestamp.as_millis());
                assert!(waited <= 30, "{waited} ms");
            }
        }
    }
    let stream = room.relay.find(&key()).unwrap();
    let state = stream.lock();
    assert!(state.log().end() - state.log().first() <= 22 * 75);
    drop(state);
    // When it reads again, it starts near live: what it missed is not there any more.
    room.students[stuck].stuck = false;
    room.students[stuck].pull(61_000);
    assert!(room.students[stuck].frames().contains(&60_000));
    assert_eq!(
        room.students[stuck]
            .frames()
            .iter()
            .filter(|ms| (1_000..59_000).contains(*ms))
            .count(),
        0
    );
    assert!(room.students[stuck].viewer.skipped().0 > 0);
}

#[test]
fn nothing_waits_longer_than_its_budget_and_what_may_wait_is_written_together() {
    // (SetBufferLength in ms, the budget, the most writes a second)
    let cases = [
        (Some(0), 0, 50),
        (Some(100), 10, 50),
        (None, 30, 25),
        (Some(400), 40, 25),
        (Some(3_500), 350, 3),
    ];
    for (buffer, budget, most) in cases {
        let mut room = Classroom::new(Config::default());
        let mut publisher = room.publish().unwrap();
        room.teach(&mut publisher, 1_000, 1_000, 0, 0);
        let viewer = room.attend_with(|viewer| {
            if let Some(ms) = buffer {
                viewer.set_buffer_length(Duration::from_millis(ms));
            }
        });
        room.teach(&mut publisher, 11_000, 1_000, 0, 0);
        room.pass(11_400);
        let student = &room.students[viewer];
        let mut tags = 0;
        for got in &student.got {
            let Got::Tag { at, tag } = got else { continue };
            let sent = u64::from(tag.timestamp.as_millis());
            if sent < 1_000 {
                continue;
            }
            tags += 1;
            let limit = if tag.tag_type == TagType::Video && budget <= 40 {
                0
            } else {
                budget
            };
            assert!(
                at - sent <= limit,
                "budget {budget}: a {:?} waited {} ms",
                tag.tag_type,
                at - sent
            );
        }
        assert_eq!(tags, 750, "budget {budget}: everything comes");
        let writes = student.writes.len() as u64 - 1;
        assert!(
            writes <= most * 10 + 2,
            "budget {budget}: {writes} writes in 10 s"
        );
    }
}

#[test]
fn one_who_wants_only_sound_costs_only_sound() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 1_510, 1_000, 0, 0);
    let listener = room.attend_with(|viewer| viewer.receive_video(false));
    room.teach(&mut publisher, 3_000, 1_000, 0, 0);
    let student = &room.students[listener];
    assert!(
        student
            .tags()
            .iter()
            .all(|tag| tag.tag_type != TagType::Video)
    );
    assert_eq!(student.sounds().first(), Some(&1_520));
    assert!(
        student.writes.len() <= 51,
        "{} writes in 1.5 s",
        student.writes.len()
    );

    // Video that is wanted again begins with the newest keyframe there is, at once; no sound comes twice.
    room.teach(&mut publisher, 3_510, 1_000, 0, 0);
    let before = room.students[listener].tags().len();
    room.students[listener].viewer.receive_video(true);
    room.students[listener].pull(3_510);
    let again = &room.students[listener];
    assert_eq!(again.tags()[before + 1].payload, video_header().payload);
    assert_eq!(again.frames().first(), Some(&3_000));
    assert_eq!(again.frames().last(), Some(&3_480));
    room.teach(&mut publisher, 4_500, 1_000, 0, 0);
    let again = &room.students[listener];
    let frames = again.frames();
    assert!(frames.windows(2).all(|pair| pair[1] == pair[0] + 40));
    assert!(
        again
            .sounds()
            .windows(2)
            .all(|pair| pair[1] == pair[0] + 20)
    );
}

/// Enhanced RTMP tells of colours and loudspeakers apart from the sequence headers, mostly once.
#[test]
fn a_late_viewer_gets_what_enhanced_streams_tell_beside_their_sequence_headers() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    let headers: [(TagType, &[u8]); 4] = [
        (TagType::Video, b"\x90hvc1hvcC"),
        (TagType::Video, b"\x94hvc1\x02\x00\x09colorInfo"),
        (TagType::Audio, b"\x90mp4a\x12\x10"),
        (TagType::Audio, b"\x94mp4a\x01\x02\x00\x00\x00\x03"),
    ];
    for (tag_type, payload) in headers {
        publisher.append(at(0), &tag(tag_type, 0, payload)).unwrap();
    }
    for ms in (0..5_000).step_by(40) {
        let payload: &[u8] = if ms % 1000 == 0 {
            b"\x91hvc1\x00\x00\x00key"
        } else {
            b"\xa1hvc1\x00\x00\x00inter"
        };
        publisher
            .append(at(ms), &tag(TagType::Video, ms, payload))
            .unwrap();
    }
    room.now = 5_000;
    let late = room.attend();
    let tags = room.students[late].tags();
    let first: Vec<_> = tags
        .iter()
        .take(5)
        .map(|tag| (tag.tag_type, &tag.payload[..]))
        .collect();
    assert_eq!(first[..4], headers);
    assert_eq!(first[4], (TagType::Video, &b"\x91hvc1\x00\x00\x00key"[..]));
}

#[test]
fn a_pause_ends_near_live() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 1_000, 1_000, 0, 0);
    let viewer = room.attend();
    room.students[viewer].viewer.pause(true);
    room.students[viewer].pull(1_000);
    let before = room.students[viewer].got.len();
    room.teach(&mut publisher, 9_500, 1_000, 0, 0);
    assert_eq!(room.students[viewer].got.len(), before);
    room.students[viewer].viewer.pause(false);
    room.students[viewer].pull(9_500);
    assert_eq!(
        room.students[viewer]
            .frames()
            .iter()
            .find(|ms| **ms > 1_000),
        Some(&9_000)
    );
}

#[test]
fn viewers_outlast_a_publisher_and_see_one_timeline() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 5_000, 1_000, 0, 70_000);
    let viewer = room.attend();
    room.teach(&mut publisher, 6_000, 1_000, 0, 70_000);
    publisher.finish(at(room.now));
    room.pass(9_000);
    assert_eq!(room.students[viewer].got.last(), Some(&Got::End));

    // Back within the grace time, counting from 0 again.
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 10_000, 1_000, 9_000, 0);
    let student = &room.students[viewer];
    assert_eq!(
        student.got.iter().filter(|got| **got == Got::Begin).count(),
        1
    );
    let frames = student.frames();
    let gap = frames
        .windows(2)
        .find(|pair| pair[1] != pair[0] + 40)
        .unwrap();
    assert_eq!(gap, [75_960, 79_000], "as much later as it came later");
    let sounds = student.sounds();
    let gap = sounds
        .windows(2)
        .find(|pair| pair[1] != pair[0] + 20)
        .unwrap();
    assert_eq!(gap, [75_980, 79_000], "audio and video together");
    let begun = student
        .got
        .iter()
        .position(|got| *got == Got::Begin)
        .unwrap();
    let Got::Tag { tag, .. } = &student.got[begun + 4] else {
        panic!("a tag")
    };
    assert_eq!(
        &tag.payload[..2],
        b"\x17\x01",
        "metadata, sequence headers, then a keyframe"
    );

    // Long after the grace time the viewer still waits, and its timeline goes on.
    publisher.finish(at(room.now));
    room.pass(60_000);
    assert_eq!(
        room.relay.find(&key()).unwrap().lock().log().bytes(),
        0,
        "what nobody reads is freed"
    );
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 60_100, 1_000, 60_000, 500);
    let frames = room.students[viewer].frames();
    assert_eq!(
        frames.last(),
        Some(&130_080),
        "at 60,080 ms: the first lesson's clock was 70,000 ahead"
    );
}

#[test]
fn a_second_publisher_is_refused_or_takes_over() {
    let room = Classroom::new(Config::default());
    let mut first = room.publish().unwrap();
    assert_eq!(room.publish().unwrap_err(), Taken);
    assert!(room.relay.publish(at(0), &key(), Source::Pulled).is_err());
    first.append(at(0), &frame(0, true)).unwrap();
    drop(first);
    room.publish().unwrap();

    let mut room = Classroom::new(Config {
        takeover: true,
        ..Config::default()
    });
    let mut first = room.publish().unwrap();
    room.teach(&mut first, 1_000, 1_000, 0, 0);
    let viewer = room.attend();
    let mut second = room.publish().unwrap();
    assert!(first.append(at(1_000), &frame(1_000, false)).is_err());
    drop(first);
    room.teach(&mut second, 2_000, 1_000, 1_000, 0);
    let student = &room.students[viewer];
    assert!(student.got.contains(&Got::End) && student.got.contains(&Got::Begin));
    assert!(student.frames().windows(2).all(|pair| pair[1] > pair[0]));
    assert_eq!(
        student.got.last().map(|got| *got != Got::End),
        Some(true),
        "the first one's end is not the second's"
    );

    // What comes from a relay gives way to a publisher at this gateway, whatever the policy.
    let room = Classroom::new(Config::default());
    let mut pulled = room.relay.publish(at(0), &key(), Source::Pulled).unwrap();
    let _local = room.publish().unwrap();
    assert!(pulled.append(at(1), &frame(0, true)).is_err());
}

#[test]
fn one_who_waits_is_told_that_there_is_nothing_and_then_sees_it_begin() {
    let mut room = Classroom::new(Config::default());
    let viewer = room.attend_with(|viewer| viewer.expect_by(at(2_000)));
    room.pass(1_999);
    assert_eq!(room.students[viewer].got, []);
    room.pass(2_500);
    assert_eq!(room.students[viewer].got, [Got::NotFound]);
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 3_000, 1_000, 2_500, 0);
    assert_eq!(room.students[viewer].got[1], Got::Begin);
    assert_eq!(room.students[viewer].frames().first(), Some(&0));

    // Somebody who is in time leaves nothing to be told.
    let mut room = Classroom::new(Config::default());
    let viewer = room.attend_with(|viewer| viewer.expect_by(at(2_000)));
    room.pass(1_000);
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 4_000, 1_000, 1_000, 0);
    assert!(!room.students[viewer].got.contains(&Got::NotFound));
}

#[test]
fn streams_that_nobody_needs_are_forgotten() {
    let mut room = Classroom::new(Config::default());
    room.attend();
    room.pass(30_000);
    assert!(room.relay.find(&key()).is_some(), "somebody waits for it");
    room.students.clear();
    room.pass(41_000);
    assert!(room.relay.find(&key()).is_none());
    let publisher = room.publish().unwrap();
    room.pass(60_000);
    assert!(
        room.relay.find(&key()).is_some(),
        "somebody publishes it, if nothing"
    );
    publisher.finish(at(room.now));
    room.pass(69_000);
    assert!(room.relay.find(&key()).is_some(), "it may return");
    room.pass(71_000);
    assert!(room.relay.find(&key()).is_none());
}

#[test]
fn figures_are_those_of_the_last_seconds() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 10_000, 1_000, 0, 0);
    let stats = room.relay.find(&key()).unwrap().stats(at(10_000));
    // 25 frames of 10 bytes (8 for the keyframe) and 50 sounds of 7 a second.
    assert!(
        (4_400..5_200).contains(&stats.bits_per_second),
        "{}",
        stats.bits_per_second
    );
    assert!(stats.live && stats.live_for == Duration::from_secs(10));
}

#[test]
fn viewers_in_step_get_what_each_would_pull_and_when() {
    let lesson = |entrusts: bool| {
        let mut room = Classroom::new(Config::default());
        room.entrusts = entrusts;
        let mut publisher = room.publish().unwrap();
        room.teach(&mut publisher, 1_000, 1_000, 0, 0);
        for buffer in [0, 100, 300, 400, 1_000, 3_500, 3_500, 300, 300] {
            room.attend_with(|viewer| viewer.set_buffer_length(Duration::from_millis(buffer)));
            let until = room.now + 130;
            room.teach(&mut publisher, until, 1_000, 0, 0);
        }
        room.attend_with(|viewer| viewer.receive_video(false));
        room.attend_with(|viewer| viewer.receive_audio(false));
        // More than are written to in one go.
        for _ in 0..40 {
            room.attend();
        }
        room.teach(&mut publisher, 4_000, 1_000, 0, 0);
        publisher.finish(at(room.now));
        room.pass(4_500);
        let mut publisher = room.publish().unwrap();
        room.teach(&mut publisher, 6_000, 1_000, 4_500, 0);
        drop(publisher);
        room.pass(6_500);
        room
    };
    let (alone, together) = (lesson(false), lesson(true));
    let mut sent = 0;
    for (alone, together) in alone.students.iter().zip(&together.students) {
        assert_eq!(alone.tags(), together.tags());
        let news = |student: &Student| -> Vec<Got> {
            let is_news = |got: &&Got| !matches!(got, Got::Tag { .. });
            student.got.iter().filter(is_news).cloned().collect()
        };
        assert_eq!(news(alone), news(together));
        // Who falls in with others is written to once too often, and never later than alone.
        let extra = together.writes.len().abs_diff(alone.writes.len());
        assert!(extra <= 8, "{extra}");
        for (one, other) in alone.got.iter().zip(&together.got) {
            if let (Got::Tag { at, tag }, Got::Tag { at: other, .. }) = (one, other) {
                let sent = (tag.timestamp.as_millis() as u64).max(1_000);
                let budget = alone.viewer.budget().as_millis() as u64;
                assert!(*other <= (*at).max(sent + budget), "{at} {other}");
            }
        }
        sent += alone.writes.len();
    }
    assert!(sent > 3_000, "{sent} writes");
}

#[test]
fn one_that_takes_a_part_goes_on_by_itself_and_in_step_again() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 1_000, 1_000, 0, 0);
    for _ in 0..3 {
        room.attend();
    }
    let narrow = Arc::clone(room.students[1].wire.as_ref().unwrap());
    for room_left in [0, 1, 11, 12, 30, 47] {
        narrow.lock().unwrap().room = room_left;
        let until = room.now + 200;
        room.teach(&mut publisher, until, 1_000, 0, 0);
        narrow.lock().unwrap().room = usize::MAX;
        let until = room.now + 300;
        room.teach(&mut publisher, until, 1_000, 0, 0);
    }
    let [first, narrow, _] = &room.students[..] else {
        unreachable!()
    };
    assert_eq!(first.tags(), narrow.tags());
    assert!(
        first
            .frames()
            .windows(2)
            .all(|pair| pair[1] == pair[0] + 40)
    );
    assert_eq!(narrow.viewer.skipped(), (0, 0));
}

#[test]
fn one_that_leaves_is_not_written_to_and_leaves_nothing_behind() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 1_000, 1_000, 0, 0);
    room.attend();
    // Nothing is sent meanwhile: who has gone must not be kept until something is.
    let mut wires = Vec::new();
    for _ in 0..1_000 {
        let gone = room.attend();
        wires.push(Arc::clone(room.students[gone].wire.as_ref().unwrap()));
        room.students.pop();
    }
    assert!(wires.iter().all(|wire| Arc::strong_count(wire) == 1));
    room.teach(&mut publisher, 2_000, 1_000, 0, 0);
    assert!(wires.iter().all(|wire| wire.lock().unwrap().writes == 0));
    assert_eq!(room.relay.find(&key()).unwrap().stats(at(2_000)).viewers, 1);
    assert_eq!(room.students[0].frames().last(), Some(&1_960));
}
