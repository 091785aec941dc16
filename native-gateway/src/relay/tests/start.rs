//! What a viewer gets first.

use super::*;

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
    assert!(is_whole(&frames, 40));
    assert!(is_whole(&room.students[late].sounds(), 20));
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
            is_whole(&frames, 40),
            "buffer {buffer}: a start so far back is no lag"
        );
        assert_eq!(room.students[late].viewer.skipped(), (0, 0));
    }
}

#[test]
/// Enhanced RTMP tells of colours and loudspeakers apart from the sequence headers, mostly once.
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
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
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
fn one_who_wants_only_sound_costs_only_sound() {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_510);
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
    assert!(is_whole(&frames, 40));
    assert!(is_whole(&again.sounds(), 20));
}
