use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::*;
use crate::flv::TagType;

/// Feeds a buffer on a fake clock and keeps what it says.
struct Bench {
    buffer: JitterBuffer,
    now: Instant,
    decoded: Vec<(Instant, Decode)>,
    events: Vec<(Instant, Event)>,
    skips: usize,
    /// Whether a sound card plays what is handed out, exactly when it is due.
    sound: bool,
}

impl Bench {
    fn new(config: Config) -> Self {
        let buffer = JitterBuffer::new(config, Instant::ZERO);
        Self {
            buffer,
            now: Instant::ZERO,
            decoded: Vec::new(),
            events: Vec::new(),
            skips: 0,
            sound: false,
        }
    }

    fn until(&mut self, millis: u64) {
        let end = Instant::from_micros(millis * 1000);
        loop {
            self.drain();
            match self.buffer.poll_timeout() {
                Some(at) if at <= end => {
                    self.now = at.max(self.now);
                    self.buffer.handle_timeout(self.now);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.buffer.poll_output() {
            match output {
                Output::Decode(decode) => self.decoded.push((self.now, decode)),
                Output::Event(event) => self.events.push((self.now, event)),
                Output::Skipped { .. } => self.skips += 1,
                Output::Rate(_) => {}
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.buffer.handle_input(self.now, input);
        self.drain();
    }

    /// A video tag of `timestamp` arriving now, a keyframe every `gop` of 30 a second.
    fn video(&mut self, timestamp: u32, keyframe: bool) {
        let payload = Bytes::from_static(if keyframe {
            &[0x17, 1, 0, 0, 0, 9]
        } else {
            &[0x27, 1, 0, 0, 0, 9]
        });
        self.input(Input::Tag(Tag {
            tag_type: TagType::Video,
            timestamp: Timestamp::from_millis(timestamp),
            payload,
        }));
    }

    fn audio(&mut self, timestamp: u32) {
        let payload = Bytes::from_static(&[0xaf, 1, 9]);
        self.input(Input::Tag(Tag {
            tag_type: TagType::Audio,
            timestamp: Timestamp::from_millis(timestamp),
            payload,
        }));
        if self.sound
            && let Some(position) = self.buffer.position(self.now)
        {
            self.input(Input::Rendered {
                timestamp: position,
            });
        }
    }

    fn delay_ms(&self) -> u128 {
        self.buffer
            .live_delay(self.now)
            .expect("playing")
            .as_millis()
    }
}

fn is_keyframe(i: u32, gop: u32) -> bool {
    i.is_multiple_of(gop)
}

#[test]
fn a_steady_stream_is_played_at_the_margin() {
    let mut bench = Bench::new(Config::default());
    for i in 0..300 {
        bench.until(1000 + u64::from(i) * 33);
        bench.video(i * 33, is_keyframe(i, 60));
    }
    assert_eq!(bench.decoded.len(), 300);
    assert!(bench.delay_ms() <= 15, "{}", bench.delay_ms());
    assert_eq!(
        bench
            .events
            .iter()
            .map(|&(_, event)| event)
            .collect::<Vec<_>>(),
        [Event::Full]
    );
}

/// Three pictures in a hundred come 30 ms late.
fn target_of_late_pictures(refresh: Duration) -> u128 {
    let mut bench = Bench::new(Config::default());
    bench.buffer.set_display_latency(bench.now, refresh);
    for i in 0..600 {
        let late = if i % 33 == 7 { 30 } else { 0 };
        bench.until(1000 + u64::from(i) * 33 + late);
        bench.video(i * 33, is_keyframe(i, 60));
    }
    let target = bench.buffer.stats(bench.now).target;
    (target - refresh).as_millis()
}

#[test]
fn a_picture_that_is_late_by_a_refresh_is_not_waited_for() {
    let refresh = Duration::from_micros(16_667);
    assert!((14..=16).contains(&target_of_late_pictures(refresh)));
    assert!((30..=32).contains(&target_of_late_pictures(Duration::ZERO)));
}

#[test]
fn a_backlog_at_join_is_decoded_unshown_and_playing_starts_at_live() {
    let mut bench = Bench::new(Config::default());
    bench.until(20_000);
    for i in 0..290 {
        bench.video(10_000 + i * 33, i == 0);
    }
    for i in 290..330 {
        bench.until(20_000 + u64::from(i - 290) * 33);
        bench.video(10_000 + i * 33, false);
    }
    let shown = bench
        .decoded
        .iter()
        .filter(|(_, decode)| matches!(decode.show, Show::At(_)))
        .count();
    assert_eq!(bench.decoded.len(), 330);
    assert!(shown < 60, "{shown} shown");
    assert!(bench.delay_ms() <= 50, "{}", bench.delay_ms());
}

#[test]
fn a_relay_that_holds_less_than_buffer_time_makes_the_first_picture_stand_still() {
    let mut bench = Bench::new(Config {
        buffer_time: Duration::from_secs(15),
        ..Config::default()
    });
    for i in 0..900 {
        bench.until(1000 + u64::from(i) * 33);
        bench.video(i * 33, is_keyframe(i, 60));
    }
    assert_eq!(
        bench.decoded[0].0,
        Instant::from_micros(1_000_000),
        "the first picture is shown at once"
    );
    let second = bench.decoded[1].0.as_micros() / 1000;
    assert!(
        (15_900..16_040).contains(&second),
        "the second waits for the buffer: {second}"
    );
    assert_eq!(bench.delay_ms(), 15_000);
}

#[test]
fn a_short_stall_is_played_later_and_a_long_one_is_skipped() {
    for (stall, skips) in [(300, 0), (10_000, 1)] {
        let mut bench = Bench::new(Config::default());
        bench.sound = true;
        for i in 0..1200u32 {
            let sent = 1000 + u64::from(i) * 20;
            // The network holds everything back from 5 s on.
            let arrival = if (5000..5000 + stall).contains(&sent) {
                5000 + stall
            } else {
                sent
            };
            bench.until(arrival.max(bench.now.as_micros() / 1000));
            bench.video(i * 20, is_keyframe(i, 100));
            bench.audio(i * 20);
        }
        let stats = bench.buffer.stats(bench.now);
        assert_eq!(
            (bench.skips, stats.stalls),
            (skips, 1),
            "{stall} ms: {stats:?}"
        );
        let limit = if stall == 300 { 330 } else { 60 };
        assert!(
            bench.delay_ms() < limit,
            "{stall} ms: {} ms behind",
            bench.delay_ms()
        );
    }
}

/// Twenty seconds of sound from `from` on, in milliseconds, which takes `way` of the last tag's number to the sound card. Gives the delay aimed for.
fn target_of_sound(bench: &mut Bench, from: u32, way: impl Fn(u32) -> u64) -> u128 {
    let mut coming = VecDeque::new();
    for i in from / 20..from / 20 + 1000 {
        let sent = 1000 + u64::from(i) * 20;
        bench.until(sent);
        bench.audio(i * 20);
        for (_, decode) in bench.decoded.drain(..) {
            let at = sent + way(decode.tag.timestamp.as_millis() / 20);
            coming.push_back((Instant::from_micros(at * 1000), decode.tag.timestamp));
        }
        // It is told of a little later.
        while let Some(&(at, timestamp)) = coming.front()
            && at + ms(10) < bench.now
        {
            coming.pop_front();
            bench.input(Input::Delivered { timestamp, at });
        }
    }
    bench.buffer.stats(bench.now).target.as_millis()
}

#[test]
fn sound_is_given_the_time_that_the_computer_takes() {
    let mut bench = Bench::new(Config::default());
    let calm = target_of_sound(&mut bench, 0, |_| 2);
    let least = Config::default().sound_margin.as_millis() + 1;
    assert_eq!(calm, least, "what is within the margin changes nothing");
    let busy = target_of_sound(&mut bench, 20_000, |i| if i % 20 == 7 { 25 } else { 2 });
    assert!((26..=29).contains(&busy), "{busy}");
    let worse = target_of_sound(&mut bench, 40_000, |i| if i % 20 == 7 { 300 } else { 2 });
    assert_eq!(worse, 61, "what the network takes, and no more than 60 ms");
    target_of_sound(&mut bench, 60_000, |_| 2);
    let again = target_of_sound(&mut bench, 80_000, |_| 2);
    assert_eq!(again, least, "what is over is forgotten");
}

#[test]
fn sound_that_waits_here_is_not_taken_for_late() {
    let mut bench = Bench::new(Config {
        buffer_time: ms(300),
        ..Config::default()
    });
    target_of_sound(&mut bench, 0, |_| 2);
    bench.buffer.set_buffer_time(bench.now, Duration::ZERO);
    let target = bench.buffer.stats(bench.now).target.as_millis();
    assert!(target < 30, "{target}");
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn pictures_that_a_decoder_swallows_do_not_fill_it() {
    let each_tenth = |i: usize| i % 10 == 9;
    let a_second_of_them = |i: usize| (300..330).contains(&i);
    for (swallows, lost) in [
        (&each_tenth as &dyn Fn(usize) -> bool, 80..=90),
        (&a_second_of_them, 12..=30),
    ] {
        let mut bench = Bench::new(Config::default());
        let mut answered = 0;
        for i in 0..900 {
            bench.until(1000 + u64::from(i) * 33);
            bench.video(i * 33, is_keyframe(i, 30));
            while let Some((_, decode)) = bench.decoded.get(answered) {
                let timestamp = decode.tag.timestamp;
                if !swallows(answered) {
                    bench.input(Input::Decoded { timestamp });
                }
                answered += 1;
            }
        }
        let stats = bench.buffer.stats(bench.now);
        assert!(
            lost.contains(&stats.frames_lost) && stats.decoder_queue <= 1,
            "{stats:?}"
        );
        let last = bench.decoded.last().expect("pictures").1.tag.timestamp;
        assert!(last.as_millis() > 899 * 33 - 100, "{last:?}");
    }
}
