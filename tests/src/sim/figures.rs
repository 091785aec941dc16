use std::fmt;
use std::time::Duration;

use chalkcast_core::Instant;

use super::Run;

/// A picture that stays for this long longer than it should is a stall.
const STALL: Duration = Duration::from_millis(100);

/// What a viewer lived through, from the second second after its first picture on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The quickest tag, from capture to the viewer, milliseconds.
    pub transit_ms: i64,
    /// By how much all but one tag in a hundred keep to that, milliseconds.
    pub jitter_p99_ms: i64,
    /// From capture to the screen, milliseconds.
    pub delay_p50_ms: i64,
    /// From capture to the screen, milliseconds.
    pub delay_p95_ms: i64,
    /// How often a picture stood still for 100 ms longer than it should.
    pub stalls: u64,
    /// How long pictures stood still in these stalls.
    pub stalled_ms: i64,
    /// Pictures that were captured and not shown.
    pub skipped: u64,
    /// Breaks in the sound.
    pub audio_gaps: u64,
    /// Pictures that came too late for their sound and were shown as stills, at most two a second, since nothing else was there.
    pub stills: u64,
    /// How far a picture was from its sound, either way, for 99 pictures in a hundred, milliseconds. Stills do not count: nothing moves in them
    /// that could be out of step.
    pub skew_p99_ms: i64,
}

impl Run {
    /// The figures of the whole watching.
    pub fn figures(&self) -> Figures {
        let Some(first) = self.player.shown.first() else {
            return Figures::default();
        };
        let from = first.at + Duration::from_secs(2);
        self.part(from, self.end)
    }

    /// The figures of a part, by the simulation's clock.
    pub fn figures_between(&self, from: Duration, to: Duration) -> Figures {
        self.part(Instant::ZERO + from, Instant::ZERO + to)
    }

    fn part(&self, from: Instant, to: Instant) -> Figures {
        let frame_rate = self.frame_rate;
        let within = |at: &Instant| *at >= from && *at < to;
        let interval = Duration::from_micros(1_000_000 / frame_rate);
        let shown: Vec<_> = self
            .player
            .shown
            .iter()
            .filter(|shown| shown.at >= from)
            .collect();
        let mut transits: Vec<i64> = self
            .transits
            .iter()
            .filter(|(at, ..)| within(at))
            .map(|(_, us, _)| *us)
            .collect();
        let mut delays: Vec<i64> = shown
            .iter()
            .map(|shown| (shown.at - shown.captured).as_micros() as i64)
            .collect();
        let mut skews: Vec<i64> = shown
            .iter()
            .filter(|shown| !shown.still)
            .filter_map(|shown| shown.skew_us.map(i64::abs))
            .collect();
        let still: Vec<i64> = shown
            .windows(2)
            .map(|pair| pair[1].at - pair[0].at)
            .filter(|still| *still > interval + STALL)
            .map(|still| (still - interval).as_micros() as i64)
            .collect();
        let captured = match (shown.first(), shown.last()) {
            (Some(first), Some(last)) => {
                ((last.captured - first.captured).as_micros() as u64 + 1000) * frame_rate
                    / 1_000_000
                    + 1
            }
            _ => 0,
        };
        let transit = transits.iter().min().copied().unwrap_or(0);
        Figures {
            transit_ms: transit / 1000,
            jitter_p99_ms: (quantile(&mut transits, 99) - transit) / 1000,
            delay_p50_ms: quantile(&mut delays, 50) / 1000,
            delay_p95_ms: quantile(&mut delays, 95) / 1000,
            stalls: still.len() as u64,
            stalled_ms: still.iter().sum::<i64>() / 1000,
            skipped: captured.saturating_sub(shown.len() as u64),
            audio_gaps: self.player.sound.as_ref().map_or(0, |sound| {
                sound.gaps.iter().filter(|at| within(at)).count() as u64
            }),
            stills: shown.iter().filter(|shown| shown.still).count() as u64,
            skew_p99_ms: quantile(&mut skews, 99) / 1000,
        }
    }

    /// The first instant after `from` from which on pictures were at most `delay` old for a second.
    pub fn back_below(&self, from: Instant, delay: Duration) -> Option<Instant> {
        let mut since = None;
        for shown in self.player.shown.iter().filter(|shown| shown.at >= from) {
            if shown.at - shown.captured > delay {
                since = None;
            } else if shown.at - *since.get_or_insert(shown.at) >= Duration::from_secs(1) {
                return since;
            }
        }
        None
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            " {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
            self.transit_ms,
            self.jitter_p99_ms,
            self.delay_p50_ms,
            self.delay_p95_ms,
            self.stalls,
            self.stalled_ms,
            self.skipped,
            self.audio_gaps,
            self.stills,
            self.skew_p99_ms
        )
    }
}

fn quantile(values: &mut [i64], percent: usize) -> i64 {
    if values.is_empty() {
        return 0;
    }
    let index = (values.len() * percent / 100).min(values.len() - 1);
    *values.select_nth_unstable(index).1
}
