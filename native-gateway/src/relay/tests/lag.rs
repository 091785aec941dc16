//! Viewers whose connection is too slow, or stuck.

use super::*;

/// A lesson until `end`, with a viewer that has taken nothing since 2,100 ms.
fn stuck_since_2_100(end: u64) -> (Classroom, Publisher, usize) {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 2_000);
    let slow = room.attend();
    room.teach(&mut publisher, 2_100, 1_000, 0, 0);
    room.students[slow].stuck = true;
    room.teach(&mut publisher, end, 1_000, 0, 0);
    (room, publisher, slow)
}

#[test]
fn a_viewer_that_lags_goes_on_with_the_newest_keyframe_and_keeps_its_sound() {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 2_000);
    let slow = room.attend();
    let quick = room.attend();
    room.students[slow].stuck = true;
    room.teach(&mut publisher, 4_500, 1_000, 0, 0);
    room.students[slow].stuck = false;
    room.students[slow].flag.take();
    room.students[slow].pull(4_500);
    room.teach(&mut publisher, 6_000, 1_000, 0, 0);

    let frames = room.students[slow].frames();
    let gap = first_gap(&frames, 40).unwrap();
    assert_eq!(gap, [1_960, 4_000], "straight to the newest keyframe");
    let sounds = room.students[slow].sounds();
    assert!(is_whole(&sounds, 20), "no sound is missing");
    let (skips, tags) = room.students[slow].viewer.skipped();
    assert_eq!((skips, tags), (1, 50));
    assert_eq!(room.students[quick].viewer.skipped(), (0, 0));
    let stats = room.relay.find(&key()).unwrap().stats(at(6_000));
    assert_eq!((stats.viewers, stats.skips, stats.skipped_tags), (2, 1, 50));
}

#[test]
fn the_sound_of_a_viewer_that_lags_goes_ahead_of_its_pictures() {
    let (mut room, mut publisher, slow) = stuck_since_2_100(2_900);
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
    assert!(is_whole(&sounds, 20));
    let frames = room.students[slow].frames();
    assert!(is_whole(&frames, 40));
}

#[test]
fn sound_that_is_far_behind_is_skipped_too() {
    let (mut room, _publisher, slow) = stuck_since_2_100(12_500);
    room.students[slow].stuck = false;
    room.students[slow].pull(12_500);
    let sounds = room.students[slow].sounds();
    let gap = first_gap(&sounds, 20).unwrap();
    assert!(
        gap[0] < 2_100 && (11_400..12_000).contains(&gap[1]),
        "{gap:?}"
    );
}

#[test]
fn a_long_buffer_rides_out_a_long_stall() {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 16_000);
    let patient = room.attend_with(|viewer| viewer.set_buffer_length(Duration::from_secs(15)));
    room.students[patient].stuck = true;
    room.teach(&mut publisher, 26_000, 1_000, 0, 0);
    room.students[patient].stuck = false;
    room.students[patient].pull(26_000);
    assert_eq!(room.students[patient].viewer.skipped(), (0, 0));
    assert!(is_whole(&room.students[patient].frames(), 40));
}

#[test]
fn a_viewer_that_never_reads_delays_nobody_and_holds_nothing() {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
    let stuck = room.attend();
    room.students[stuck].stuck = true;
    for _ in 0..20 {
        room.attend();
    }
    room.teach(&mut publisher, 61_000, 1_000, 0, 0);
    for student in room.students.iter().filter(|student| !student.stuck) {
        let frames = student.frames();
        assert!(is_whole(&frames, 40));
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

/// Pictures that wait as long as sound does are behind, but not late: nothing goes ahead of them.
#[test]
fn a_budget_is_no_lag() {
    let lesson = |ms: u64| {
        let config = Config {
            coalesce: Some(Duration::from_millis(ms)),
            ..Config::default()
        };
        let (mut room, mut publisher) = Classroom::in_lesson(config, 2_000);
        room.entrusts = false;
        room.attend();
        for until in (2_100..6_000).step_by(100) {
            room.teach(&mut publisher, until, 1_000, 0, 0);
            // Whatever else wakes it.
            room.students[0].pull(until);
            assert!(!room.students[0].viewer.lags(), "at {until}");
        }
        room.pass(6_400);
        room
    };
    let (at_once, together) = (lesson(0), lesson(350));
    assert_eq!(at_once.students[0].tags(), together.students[0].tags());
    assert!(together.students[0].writes.len() < 15);
}

/// It takes more than one pull to catch up with live, and until then it is as far behind as it was started.
#[test]
fn one_that_catches_up_after_its_start_does_not_lag() {
    let (room, _publisher) = Classroom::in_lesson(Config::default(), 2_950);
    let mut viewer = room.relay.play(at(2_950), &key());
    let waker = Waker::from(Arc::new(Flag::default()));
    let mut pulls = 0;
    loop {
        let next = viewer.pull(at(2_950), &waker, 1, |_| {});
        assert!(!viewer.lags(), "after {pulls} pulls");
        pulls += 1;
        if next == Next::Wait {
            break;
        }
    }
    assert!(pulls > 50, "{pulls}");
}

/// One that has caught up half the way and is stuck there lags, however far behind it was started.
#[test]
fn one_that_stops_catching_up_lags() {
    let mut room = Classroom::new(Config::default());
    let mut publisher = room.publish().unwrap();
    room.teach(&mut publisher, 9_000, 10_000, 0, 0);
    let mut viewer = room.relay.play(at(9_000), &key());
    let waker = Waker::from(Arc::new(Flag::default()));
    let mut got = 0;
    while got < 8_000 {
        let next = viewer.pull(at(9_000), &waker, 1, |item| {
            if let Item::Tag(tag, _) = item {
                got = tag.timestamp.as_millis();
            }
        });
        assert!(next == Next::More && !viewer.lags());
    }
    viewer.pull(at(9_400), &waker, 1, |_| {});
    assert!(!viewer.lags());
    viewer.pull(at(9_800), &waker, 1, |_| {});
    assert!(viewer.lags());
}
