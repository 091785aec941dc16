//! When things are written, and viewers in step.

use super::*;

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
        let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
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
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
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
    assert!(is_whole(&first.frames(), 40));
    assert_eq!(narrow.viewer.skipped(), (0, 0));
}

#[test]
fn one_that_leaves_is_not_written_to_and_leaves_nothing_behind() {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
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

#[test]
fn another_thread_is_woken_only_for_as_many_as_are_worth_it() {
    for (students, threads) in [(1, 1), (512, 1), (513, 2), (1_000, 2)] {
        let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
        for _ in 0..students {
            room.attend();
        }
        room.settle();
        let stream = room.relay.find(&key()).unwrap();
        let flags: [Arc<Flag>; 2] = Default::default();
        for flag in [&room.writer, &flags[0], &flags[1]] {
            while stream.write(at(room.now), &Waker::from(Arc::clone(flag))) {}
            flag.take();
        }
        publisher.append(at(room.now), &frame(1_000, true)).unwrap();
        // The one that is woken goes on; what is left is not worth another.
        if threads == 1 {
            assert!(stream.write(at(room.now), &Waker::from(Arc::clone(&flags[1]))));
        }
        let woken = flags.iter().filter(|flag| flag.take()).count();
        assert_eq!(woken, threads, "{students} students");
    }
}

#[test]
fn who_has_been_written_to_waits_again_while_others_are_written_to() {
    let (mut room, mut publisher) = Classroom::in_lesson(Config::default(), 1_000);
    for _ in 0..960 {
        room.attend_with(|viewer| viewer.set_buffer_length(Duration::from_millis(3_500)));
        // They do not come at the same time.
        let until = room.now + 1;
        room.teach(&mut publisher, until, 1_000, 0, 0);
    }
    // It takes 30 ms to write to all, and a tag comes each 20.
    room.haste = 1;
    let since = room.now + 400;
    room.teach(&mut publisher, since + 3_500, 1_000, 0, 0);
    for student in &room.students {
        assert!(is_whole(&student.frames(), 40) && is_whole(&student.sounds(), 20));
        let writes = student.writes.iter().filter(|at| **at >= since).count();
        assert!(writes <= 11, "{writes} writes in 3.5 s");
    }
}
