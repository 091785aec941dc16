//! Publishers that come and go, and what is kept of a stream.

use super::*;

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
    let gap = first_gap(&frames, 40).unwrap();
    assert_eq!(gap, [75_960, 79_000], "as much later as it came later");
    let sounds = student.sounds();
    let gap = first_gap(&sounds, 20).unwrap();
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

    // What comes from a relay gives way to a publisher at this gateway, and does not push it out, whatever the policy.
    for takeover in [false, true] {
        let room = Classroom::new(Config {
            takeover,
            ..Config::default()
        });
        let mut pulled = room.relay.publish(at(0), &key(), Source::Pulled).unwrap();
        let mut local = room.publish().unwrap();
        assert!(pulled.append(at(1), &frame(0, true)).is_err());
        assert!(room.relay.publish(at(1), &key(), Source::Pulled).is_err());
        assert!(local.append(at(1), &frame(0, true)).is_ok());
    }
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
fn figures_are_those_of_the_last_seconds() {
    let (room, _publisher) = Classroom::in_lesson(Config::default(), 10_000);
    let stats = room.relay.find(&key()).unwrap().stats(at(10_000));
    // 25 frames of 10 bytes (8 for the keyframe) and 50 sounds of 7 a second.
    assert!(
        (4_400..5_200).contains(&stats.bits_per_second),
        "{}",
        stats.bits_per_second
    );
    assert!(stats.live && stats.live_for == Duration::from_secs(10));
}
