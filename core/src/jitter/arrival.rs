use alloc::collections::VecDeque;
use core::time::Duration;

use crate::Instant;
use crate::sorted_map::SortedMap;

/// How far back arrivals count, at most. In the beginning it is half of what was seen: encoders, decoders and pages that start are slow once, and
/// what they do then says nothing about the connection.
const WINDOW: Duration = Duration::from_secs(20);

/// How long it takes to know a connection.
const YOUNG: Duration = Duration::from_millis(2500);

/// The greatest is also kept of each of so many seconds.
const SECONDS: usize = 20;
const SECOND: Duration = Duration::from_secs(1);

/// Ring bound: 20 s of a stream of 400 tags a second.
const MAX_SAMPLES: usize = 8192;

/// The transit times (arrival less media time) of the recent tags of one track, in buckets of a millisecond.
///
/// Transit has an unknown constant in it, the two clocks' origins, so only differences mean anything.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    since: Option<Instant>,
    samples: VecDeque<(Instant, i64)>,
    counts: SortedMap<i64, u32>,
    /// The greatest bucket of each of the last [`SECONDS`], after what starts slowly.
    seconds: VecDeque<(Instant, i64)>,
}

impl Arrival {
    pub(super) fn record(&mut self, now: Instant, transit_us: i64) {
        let bucket = transit_us.div_euclid(1000);
        let since = *self.since.get_or_insert(now);
        let window = ((now - since) / 2).clamp(YOUNG, WINDOW);
        self.samples.push_back((now, bucket));
        *self.counts.or_insert(bucket, 0) += 1;
        if now - since >= YOUNG {
            match self.seconds.back_mut() {
                Some((at, most)) if now - *at < SECOND => *most = bucket.max(*most),
                _ => self.seconds.push_back((now, bucket)),
            }
        }
        if self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
        while let Some(&(at, bucket)) = self.samples.front() {
            if now - at <= window && self.samples.len() <= MAX_SAMPLES {
                break;
            }
            self.samples.pop_front();
            if let Some(count) = self.counts.get_mut(bucket) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(bucket);
                }
            }
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether too little was seen to know how late a tag can be: less than a common keyframe interval.
    pub(super) fn is_young(&self) -> bool {
        match (self.since, self.samples.back()) {
            (Some(since), Some(&(last, _))) => last - since < YOUNG,
            _ => true,
        }
    }

    /// The least transit of the window in microseconds.
    pub(super) fn min(&self) -> Option<i64> {
        self.counts.keys().next().map(|bucket| bucket * 1000)
    }

    /// The greatest transit of the window in microseconds.
    pub(super) fn max(&self) -> Option<i64> {
        self.counts
            .keys()
            .next_back()
            .map(|bucket| (bucket + 1) * 1000)
    }

    /// The greatest transit in microseconds if the greatest of another second was much the same: less by no more than `alike_us`.
    pub(super) fn repeated(&self, alike_us: i64) -> Option<i64> {
        let (mut most, mut before) = (i64::MIN, i64::MIN);
        for &(_, bucket) in &self.seconds {
            before = before.max(most.min(bucket));
            most = most.max(bucket);
        }
        let alike = before > i64::MIN && most - before <= alike_us / 1000;
        alike.then_some((most + 1) * 1000)
    }

    /// The transit in microseconds that all but one tag in `one_in` keep to.
    pub(super) fn upper_quantile(&self, one_in: usize) -> Option<i64> {
        let mut above = self.samples.len() / one_in;
        for (bucket, &count) in self.counts.iter().rev() {
            let count = count as usize;
            if count > above {
                return Some((bucket + 1) * 1000);
            }
            above -= count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_forgets() {
        let mut arrival = Arrival::default();
        let at = |second: u64| Instant::from_micros(second * 1_000_000);
        for second in 0..60 {
            arrival.record(at(second), 7_500);
        }
        arrival.record(at(60), -5_000);
        for second in 61..=80 {
            arrival.record(at(second), 7_500);
        }
        assert_eq!(arrival.min(), Some(-5_000));
        arrival.record(Instant::from_micros(80_000_001), 7_500);
        assert_eq!(arrival.min(), Some(7_000));
    }

    #[test]
    fn a_slow_start_is_forgotten_soon() {
        let mut arrival = Arrival::default();
        let at = |tenth: u64| Instant::from_micros(tenth * 100_000);
        for tenth in 0..10 {
            arrival.record(at(tenth), 300_000);
        }
        for tenth in 10..=40 {
            arrival.record(at(tenth), 7_500);
        }
        assert_eq!(arrival.max(), Some(8_000));
    }

    #[test]
    fn what_comes_late_twice_is_known() {
        let mut arrival = Arrival::default();
        for i in 0..1000u64 {
            let late = match i {
                10 | 20 => 400_000,
                500 => 290_000,
                900 => 300_000,
                _ => 10_000,
            };
            if i == 900 {
                assert_eq!(arrival.repeated(30_000), None);
            }
            arrival.record(Instant::from_micros(i * 10_000), late);
        }
        assert_eq!(arrival.repeated(30_000), Some(301_000));
        assert_eq!(arrival.repeated(9_000), None);
    }

    #[test]
    fn one_late_tag_in_a_hundred_is_above_the_quantile() {
        let mut arrival = Arrival::default();
        for i in 0..200u64 {
            arrival.record(
                Instant::from_micros(i * 10_000),
                if i % 100 == 50 { 90_000 } else { 10_000 },
            );
        }
        assert_eq!(arrival.upper_quantile(100), Some(11_000));
        assert_eq!(arrival.upper_quantile(200), Some(91_000));
        assert_eq!(arrival.max(), Some(91_000));
    }
}
