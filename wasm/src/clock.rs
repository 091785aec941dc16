//! The one clock of the engine, and how other clocks are mapped to it.

use std::time::Duration;

use chalkcast_core::Instant;
use wasm_bindgen::JsCast;
use web_sys::{Performance, WorkerGlobalScope};

/// The Worker's `performance`, read as the page's instants are: `timeOrigin + now()`.
pub(crate) struct Clock {
    performance: Option<Performance>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            performance: js_sys::global()
                .unchecked_into::<WorkerGlobalScope>()
                .performance(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        let millis = match &self.performance {
            Some(performance) => performance.time_origin() + performance.now(),
            None => js_sys::Date::now(),
        };
        Instant::from_micros((millis * 1000.0) as u64)
    }
}

/// Maps a clock that ticks elsewhere (a camera's, a microphone's, a sound card's) to ours by the least delay seen between an event there and
/// our hearing of it. The least delay of the last two to four seconds counts, so that the mapping follows a clock that runs fast or slow; one that
/// was seen once or twice only does not (the first two buffers of a microphone in Chromium are stamped up to 300 ms late).
#[derive(Debug, Default)]
pub(crate) struct ForeignClock {
    /// Least offset, in microseconds, of this window and of the one before.
    window: Least,
    before: Option<i64>,
    window_began: Instant,
    heard: u32,
    offset: Option<i64>,
}

const WINDOW: Duration = Duration::from_secs(2);
/// Observations until which the least offset is taken at once; later it is approached, so that no timestamp jumps.
const SETTLING: u32 = 50;
/// The mapping is moved at one observation by this much, which is beyond what two quartz clocks drift apart between two
/// of them, or by this part of what it is off: a clock may also stand still for a while.
const STEP: i64 = 50;
const PART: i64 = 50;
/// An offset this far from the mapping is another clock.
const JUMP: i64 = 1_000_000;

impl ForeignClock {
    /// At `now` we heard of something that happened at `micros` there. Gives when it happened here.
    pub(crate) fn observe(&mut self, now: Instant, micros: i64) -> Instant {
        let seen = signed(now) - micros;
        if self
            .offset
            .is_some_and(|offset| (seen - offset).abs() > JUMP)
        {
            *self = Self::default();
        }
        if self.offset.is_none() || now - self.window_began > WINDOW {
            self.before = self.window.confirmed().or(self.before);
            self.window = Least::default();
            self.window_began = now;
        }
        self.window.observe(seen);
        let confirmed = self.window.confirmed().into_iter().chain(self.before);
        let least = confirmed.min().unwrap_or(self.window.provisional());
        self.heard = self.heard.saturating_add(1);
        self.offset = Some(match self.offset {
            Some(offset) if self.heard > SETTLING => {
                let step = STEP.max((least - offset).abs() / PART);
                offset + (least - offset).clamp(-step, step)
            }
            _ => least,
        });
        self.map(micros)
    }

    /// Whether enough has been observed to measure by.
    pub(crate) fn is_settled(&self) -> bool {
        self.heard > SETTLING
    }

    /// When what happened at `micros` there happened here, by what has been observed.
    pub(crate) fn map(&self, micros: i64) -> Instant {
        Instant::from_micros((micros + self.offset.unwrap_or(0)).max(0) as u64)
    }

    /// What that clock shows at `instant`, in microseconds. `None` before anything was observed.
    pub(crate) fn unmap(&self, instant: Instant) -> Option<i64> {
        self.offset.map(|offset| signed(instant) - offset)
    }
}

/// The three least offsets, least first.
#[derive(Debug, Default)]
struct Least([Option<i64>; 3]);

impl Least {
    fn observe(&mut self, mut offset: i64) {
        for least in &mut self.0 {
            match least {
                Some(least) if *least <= offset => {}
                Some(least) => std::mem::swap(least, &mut offset),
                None => {
                    *least = Some(offset);
                    return;
                }
            }
        }
    }

    /// The least that two others confirm.
    fn confirmed(&self) -> Option<i64> {
        self.0[2]
    }

    /// What to go by while there are fewer than three: the greatest.
    fn provisional(&self) -> i64 {
        self.0.into_iter().flatten().last().unwrap_or_default()
    }
}

/// Microseconds as a number that can be subtracted.
pub(crate) fn signed(instant: Instant) -> i64 {
    instant.as_micros() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Instant {
        Instant::from_micros(micros as u64)
    }

    #[test]
    fn the_least_delay_is_the_mapping_whatever_the_epochs() {
        let mut clock = ForeignClock::default();
        let epoch = 7_213_000_000;
        let delays = [9_000, 2_000, 30_000, 2_000, 2_000];
        for (i, delay) in delays.into_iter().enumerate() {
            let there = i as i64 * 33_333;
            clock.observe(at(epoch + there + delay), there);
        }
        assert_eq!(clock.map(1_000_000), at(epoch + 1_000_000 + 2_000));
        assert_eq!(clock.unmap(at(epoch + 502_000)), Some(500_000));
    }

    #[test]
    fn a_clock_that_drifts_is_followed_without_a_jump() {
        let mut clock = ForeignClock::default();
        let mut last = 0;
        for i in 0..60_000_i64 {
            let here = 1_000_000 + i * 10_000;
            // 200 ppm slow: the offset grows by 2 us an observation, 120 ms in ten minutes.
            let there = i * 9_998;
            let mapped = signed(clock.observe(at(here + (i * 7_919) % 5_000), there));
            assert!(i == 0 || mapped > last, "time went back at {i}");
            assert!(
                i < 100 || (mapped - here).abs() < 10_000,
                "{} us off at {i}",
                mapped - here
            );
            last = mapped;
        }
    }

    #[test]
    fn a_clock_that_stood_still_is_caught_up_with() {
        let mut clock = ForeignClock::default();
        for i in 0..2_000_i64 {
            let lost = if i < 500 { 0 } else { 400_000 };
            clock.observe(at(5_000_000 + i * 10_000 + lost), i * 10_000);
        }
        assert_eq!(clock.map(20_000_000), at(25_400_000));
    }

    #[test]
    fn first_stamps_that_are_far_too_late_are_not_believed() {
        let mut clock = ForeignClock::default();
        clock.observe(at(10_000_000), 270_000);
        clock.observe(at(10_010_000), 280_000);
        clock.observe(at(10_020_000), 20_000);
        assert_eq!(clock.observe(at(10_030_000), 30_000), at(10_030_000));
    }

    #[test]
    fn a_stamp_that_is_far_too_late_once_is_never_believed() {
        let mut clock = ForeignClock::default();
        for i in 0..2_000_i64 {
            // One in each window of two seconds, the first of some among them.
            let stamp = i * 10_000 + if i % 201 == 0 { 300_000 } else { 0 };
            let mapped = signed(clock.observe(at(5_000_000 + i * 10_000), stamp));
            assert!(
                i == 0 || mapped - 5_000_000 - stamp == 0,
                "{} us off at {i}",
                mapped - 5_000_000 - stamp
            );
        }
    }

    #[test]
    fn another_clock_begins_anew() {
        let mut clock = ForeignClock::default();
        clock.observe(at(10_000_000), 10_000);
        assert_eq!(clock.observe(at(10_100_000), 50_000_000), at(10_100_000));
    }
}
