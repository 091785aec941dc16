//! The player on simulated networks, with the shipped relay: what it must reach, and a table that every run repeats to the integer.
//!
//! `UPDATE_SIM_TABLE=1 cargo test -p chalkcast-tests --test sim` writes the table anew.

use std::fmt::Write;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::jitter::Event;
use chalkcast_tests::sim::rows::*;
use chalkcast_tests::sim::{Figures, Run, Scenario, rows};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sim-table.txt");

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(duration: Duration) -> Instant {
    Instant::ZERO + duration
}

/// Each scenario is run once for all tests, the day beside the others.
fn runs() -> &'static [(Scenario, Run)] {
    static RUNS: OnceLock<Vec<(Scenario, Run)>> = OnceLock::new();
    RUNS.get_or_init(|| {
        thread::scope(|scope| {
            let running: Vec<_> = rows::all()
                .into_iter()
                .map(|scenario| {
                    scope.spawn(move || {
                        let run = scenario.run();
                        (scenario, run)
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|running| running.join().expect("the simulation runs"))
                .collect()
        })
    })
}

fn run(name: &str) -> (&'static Run, Figures) {
    let (_, run) = runs()
        .iter()
        .find(|(scenario, _)| scenario.name == name)
        .expect("there is such a scenario");
    (run, run.figures())
}

#[test]
fn the_table_is_repeated_to_the_integer() {
    let mut table = String::from(
        "What a viewer lives through on simulated networks (tests/tests/sim.rs), from two seconds after the first picture on.\n\
         Milliseconds from capture to screen; jitter is how far behind the quickest tag all but one in a hundred arrive.\n\n",
    );
    let head = [
        "transit",
        "jitter",
        "delay p50",
        "delay p95",
        "stalls",
        "stalled ms",
        "skipped",
        "audio gaps",
        "stills",
        "skew p99",
    ];
    let _ = write!(table, "{:<30}", "");
    for head in head {
        let _ = write!(table, " {head:>10}");
    }
    table.push('\n');
    for (scenario, run) in runs() {
        let _ = writeln!(table, "{:<30}{}", scenario.name, run.figures());
    }
    if std::env::var_os("UPDATE_SIM_TABLE").is_some() {
        std::fs::write(TABLE, &table).expect("the table can be written");
    }
    let committed = std::fs::read_to_string(TABLE).unwrap_or_default();
    assert_eq!(committed, table, "now it is:\n{table}");
}

#[test]
fn the_delay_is_the_jitter_and_forty_milliseconds() {
    for (scenario, run) in runs() {
        let figures = run.figures();
        let most = figures.transit_ms + figures.jitter_p99_ms + 40;
        let delay = match scenario.name {
            // What the page asks for, and what a decoder that cannot keep up is given: each has a test of its own.
            BUFFER_TENTH | OUTAGE_15 | SLOW_DECODER => continue,
            // A link that carries less than the lesson is behind by what it took before the relay, or the publisher, sheds.
            UPLINK | DOWNLINK | HALF => figures.delay_p50_ms,
            _ => figures.delay_p95_ms,
        };
        assert!(delay <= most, "{}: {delay} of {most} ms", scenario.name);
    }
    let (_, figures) = run(BUFFER_TENTH);
    assert!(
        (100..=figures.transit_ms + 120).contains(&figures.delay_p50_ms),
        "{figures:?}"
    );
}

#[test]
fn pictures_keep_to_their_sound() {
    for (scenario, run) in runs() {
        let figures = run.figures();
        let skew = figures.skew_p99_ms;
        assert!(skew <= 45, "{}: {skew} ms", scenario.name);
        // Links and decoders that do not carry the stream.
        if ![UPLINK, DOWNLINK, HALF, SLOW_DECODER].contains(&scenario.name) {
            assert_eq!(figures.stills, 0, "{}", scenario.name);
        }
        let stills = run.player.shown.windows(2).filter(|pair| pair[1].still);
        for pair in stills {
            let stood = pair[1].at - pair[0].at;
            assert!(stood >= ms(480), "{}: {stood:?}", scenario.name);
        }
    }
}

#[test]
fn nothing_stalls_that_need_not() {
    for name in [
        STEADY,
        PICTURE,
        BUFFER_TENTH,
        JITTER_20,
        JITTER_80,
        WRAP,
        OUTAGE_15,
        DAY,
        JOIN,
    ] {
        let (run, figures) = run(name);
        assert_eq!((figures.stalls, figures.skipped), (0, 0), "{name}");
        assert!(
            run.player.skips.is_empty(),
            "{name}: {:?}",
            run.player.skips
        );
        assert!(
            run.player
                .events
                .iter()
                .all(|(_, event)| *event == Event::Full),
            "{name}: {:?}",
            run.player.events
        );
    }
    for name in [BUFFER_TENTH, OUTAGE_15, DAY] {
        assert_eq!(run(name).1.audio_gaps, 0, "{name}");
    }
    for name in [STEADY, WRAP] {
        let gaps = run(name).1.audio_gaps;
        assert!(
            gaps <= 1,
            "what is late for the first time may be missed: {name}: {gaps}"
        );
    }
    let (_, figures) = run(WIFI);
    assert!(
        figures.stalls <= 1 && figures.audio_gaps <= 3,
        "stalls are learnt from: {figures:?}"
    );
    let settled = run(WIFI).0.figures_between(secs(30), secs(105));
    assert_eq!(settled.audio_gaps, 0, "fifteen stalls: {settled:?}");
}

#[test]
fn a_busy_computer_is_given_the_time_it_takes_and_no_more() {
    let (run, figures) = run(BUSY);
    assert!(figures.audio_gaps <= 5, "{figures:?}");
    let settled = run.figures_between(secs(30), secs(185));
    // The network's worst and the computer's come together now and then.
    assert!(settled.audio_gaps <= 3, "{settled:?}");
    let (_, steady) = self::run(STEADY);
    let more = figures.delay_p95_ms - steady.delay_p95_ms;
    assert!((0..=25).contains(&more), "{figures:?} {steady:?}");
}

#[test]
fn a_day_of_drift_is_never_heard() {
    let (run, figures) = run(DAY);
    assert_eq!(figures.audio_gaps, 0);
    let drift = run.player.buffer.stats(run.end).drift_ppm;
    assert!((drift - 400.0).abs() < 20.0, "{drift}");
    let (first, last) = (
        run.figures_between(secs(60), secs(3660)),
        run.figures_between(secs(82_800), secs(86_400)),
    );
    assert!(
        (first.delay_p50_ms - last.delay_p50_ms).abs() <= 10,
        "{first:?} {last:?}"
    );
}

#[test]
fn a_buffer_of_fifteen_seconds_does_not_see_an_outage_of_ten() {
    let (run, figures) = run(OUTAGE_15);
    assert_eq!(figures.audio_gaps, 0);
    assert!(
        (15_000..15_100).contains(&figures.delay_p50_ms),
        "{figures:?}"
    );
    let stands = run.player.shown[1].at - run.player.shown[0].at;
    assert!(
        stands > secs(13),
        "the relay has a second: the first picture stands until the buffer has filled, not {stands:?}"
    );
}

#[test]
fn after_an_outage_live_is_back_in_a_second() {
    let (_, steady) = run(STEADY);
    let back = |name: &str, since: Duration, off: u64| {
        let (run, _) = run(name);
        let target = ms(steady.delay_p95_ms as u64 + off);
        run.back_below(at(since), target)
            .unwrap_or_else(|| panic!("{name}: never"))
            - at(since)
    };
    // The page is run again: what was on the way comes in a burst, or another connection begins at a keyframe.
    for name in [ASLEEP, AWAY] {
        let took = back(name, WOKEN_AT, 12);
        assert!(took <= secs(1) + ms(8), "{name}: {took:?}");
    }
    // A keyframe of 20 KB is on the way for 8 ms.
    let took = back(OUTAGE, secs(30), 12);
    assert!(took <= secs(1) + ms(8), "{took:?}");
    // What another publisher's clock is at is only known to a keyframe's time on a link of 10 Mbit/s.
    let took = back(REPUBLISH, secs(22), 30);
    assert!(took <= secs(1) + ms(50), "{took:?}");
}

#[test]
fn a_viewer_is_at_live_within_a_second_of_its_first_picture() {
    let (run, figures) = run(JOIN);
    let first = run.player.shown.first().expect("a picture");
    assert!(first.at - at(ms(19_900)) < ms(60), "{first:?}");
    assert!(first.at - first.captured > secs(9), "the keyframe is old");
    let target = ms(figures.delay_p95_ms as u64 + 20);
    let live = run.back_below(first.at, target).expect("it gets there") - first.at;
    assert!(live <= secs(1), "{live:?}");
}

#[test]
fn a_wrap_of_the_timestamp_is_not_noticed() {
    assert_eq!(run(WRAP).1, run(STEADY).1);
}

#[test]
fn a_publisher_follows_its_uplink_down() {
    let (run, _) = run(UPLINK);
    let settled = run.figures_between(secs(50), secs(65));
    assert!(settled.delay_p95_ms < 600, "{settled:?}");
    assert_eq!(settled.stalls, 0, "{settled:?}");
}

#[test]
fn a_viewer_behind_too_slow_a_link_hears_on_and_sees_what_the_link_carries() {
    for (name, pictures, delay, gaps) in [(HALF, 200, 2_000, 0), (DOWNLINK, 40, 3_200, 1)] {
        let (run, _) = run(name);
        // Five seconds after the link has become too slow.
        let settled = run.figures_between(secs(30), secs(65));
        assert!(settled.audio_gaps <= gaps, "{name}: {settled:?}");
        assert!(settled.delay_p95_ms <= delay, "{name}: {settled:?}");
        let shown = run.player.shown.iter();
        let late = shown.filter(|shown| shown.at >= at(secs(45))).count();
        assert!(late >= pictures, "{name}: {late} pictures in the last 20 s");
        let jumps = run.player.skips.iter();
        let jumps = jumps.filter(|(skip, _)| *skip >= at(secs(30))).count();
        assert_eq!(jumps, 0, "{name}");
    }
}

#[test]
fn a_decoder_that_is_taken_away_costs_the_pictures_up_to_the_next_keyframe() {
    let (run, figures) = run(RESET);
    let (_, steady) = self::run(STEADY);
    assert_eq!(figures.audio_gaps, steady.audio_gaps);
    assert!(run.player.skips.is_empty(), "{:?}", run.player.skips);
    let shown = &run.player.shown;
    let still = shown.windows(2).map(|pair| pair[1].at - pair[0].at).max();
    let still = still.expect("pictures");
    // Keyframes are captured at every even second.
    let keyframe = secs(22) - RESET_AT + ms(steady.delay_p95_ms as u64);
    assert!(still <= keyframe + ms(40), "{still:?} of {keyframe:?}");
    let stats = run.player.buffer.stats(run.end);
    assert!((30..=42).contains(&stats.frames_lost), "{stats:?}");
}

#[test]
fn a_decoder_slower_than_real_time_sheds_to_keyframes_and_the_sound_goes_on() {
    let (run, figures) = run(SLOW_DECODER);
    let stats = run.player.buffer.stats(run.end);
    let shed = stats.frames_shed + stats.frames_skipped;
    // It decodes 22 of 30 pictures a second.
    assert!(shed >= 60 * 8 / 2, "{stats:?}");
    assert_eq!(figures.audio_gaps, 0);
    assert!(run.player.skips.is_empty(), "{:?}", run.player.skips);
    assert!(figures.delay_p95_ms < 700, "{figures:?}");
    assert!(
        run.player.shown.len() > 60 * 10,
        "{}",
        run.player.shown.len()
    );
    let shown = &run.player.shown;
    let still = shown[shown
        .iter()
        .take_while(|shown| shown.at < at(secs(8)))
        .count()..]
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .max();
    assert!(still < Some(ms(600)), "the screen is kept alive: {still:?}");
}
