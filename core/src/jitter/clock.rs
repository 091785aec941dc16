use core::time::Duration;

use alloc::collections::VecDeque;

use super::Rate;
use crate::Instant;

/// The stretch never leaves 1 ± this.
const STRETCH_MAX: f64 = 0.05;
/// Resampling never leaves 1 ± this: twice what two bad crystals differ by, and 1.7 cents of pitch.
const RESAMPLE_MAX: f64 = 1e-3;
/// Stretching begins where the delay is too short by more than this, at once…
const SHORT_US: i64 = 12_000;
/// … or too long by more than this for [`PATIENCE`]…
const LONG_US: i64 = 7_000;
/// … and ends where it is off by less.
const LEAVE_US: i64 = 2_000;
/// Too long a delay is only believed after it was there for this long.
const PATIENCE: Duration = Duration::from_secs(1);
/// Proportional gain of resampling, per microsecond of error: its limit at 10 ms.
const GAIN: f64 = 0.1e-6;
/// Integral gain per microsecond and second: slow, since most errors are not drift and proportional gain alone leaves only 4 ms of the worst.
const GAIN_INTEGRAL: f64 = 0.0005e-6;

/// The playout position: media time as a function of the owner's clock, at a rate, or standing still.
#[derive(Debug)]
pub(super) struct Clock {
    at: Instant,
    /// Media microseconds at `at`.
    media: f64,
    rate: f64,
    running: bool,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::ZERO,
            media: 0.0,
            rate: 1.0,
            running: false,
        }
    }

    pub(super) fn set(&mut self, now: Instant, media_us: i64) {
        self.at = now;
        self.media = media_us as f64;
        self.running = true;
    }

    pub(super) fn stop(&mut self, now: Instant, media_us: i64) {
        self.set(now, media_us);
        self.running = false;
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.at = now;
        self.running = true;
    }

    pub(super) fn set_rate(&mut self, now: Instant, rate: f64) {
        self.media = self.position_f64(now);
        self.at = now;
        self.rate = rate;
    }

    /// Moves the position by `by_us` without a jump being meant by it.
    pub(super) fn nudge(&mut self, now: Instant, by_us: f64) {
        self.media = self.position_f64(now) + by_us;
        self.at = now;
    }

    /// Media microseconds that are due at `now`.
    pub(super) fn position(&self, now: Instant) -> i64 {
        self.position_f64(now) as i64
    }

    /// When the position is `media_us`; an instant in the past if it has gone by. Standing still counts as running from `now`.
    pub(super) fn when(&self, now: Instant, media_us: i64) -> Instant {
        let ahead = (media_us as f64 - self.position_f64(now)) / self.rate;
        if ahead >= 0.0 {
            now + Duration::from_micros(ceil(ahead))
        } else {
            now.saturating_sub(Duration::from_micros(-ahead as u64))
        }
    }

    fn position_f64(&self, now: Instant) -> f64 {
        if !self.running {
            return self.media;
        }
        let elapsed = now.as_micros() as f64 - self.at.as_micros() as f64;
        self.media + elapsed * self.rate
    }
}

/// The least whole number not below `x`, which is not negative.
fn ceil(x: f64) -> u64 {
    let floor = x as u64;
    if (floor as f64) < x { floor + 1 } else { floor }
}

/// Keeps the delay at its target: the only thing that decides the rate.
#[derive(Debug)]
pub(super) struct Steering {
    rate: Rate,
    /// What the clocks differ by, learnt.
    drift: f64,
    /// Delay above target, smoothed, microseconds.
    smooth: Option<f64>,
    /// The least delay above target of each quarter of a second.
    minima: VecDeque<(Instant, i64)>,
    last: Option<Instant>,
    /// What making the last of it last has put on the delay, microseconds.
    owed: f64,
    /// The delay is too long, and being shortened.
    chasing: bool,
}

impl Steering {
    pub(super) fn new() -> Self {
        Self {
            rate: Rate::NORMAL,
            drift: 0.0,
            smooth: None,
            minima: VecDeque::new(),
            last: None,
            owed: 0.0,
            chasing: false,
        }
    }

    /// The position or the target was set anew: what was seen of the delay counts no longer. The learnt drift does.
    pub(super) fn reset(&mut self) {
        self.smooth = None;
        self.minima.clear();
        self.last = None;
        self.owed = 0.0;
        self.chasing = false;
        self.rate.stretch = 1.0;
    }

    /// Takes the delay's distance from its target (positive: too long) and returns the rate from now on. `held_up`: nothing comes, and until something
    /// does what is left is made to last; what that puts on the delay is taken off again at once.
    pub(super) fn steer(&mut self, now: Instant, error_us: i64, held_up: bool) -> Rate {
        match self.minima.back_mut() {
            Some((at, least)) if now - *at < PATIENCE / 8 => *least = error_us.min(*least),
            _ => self.minima.push_back((now, error_us)),
        }
        while self
            .minima
            .front()
            .is_some_and(|&(at, _)| now - at > PATIENCE + PATIENCE / 8)
        {
            self.minima.pop_front();
        }
        let elapsed = self
            .last
            .map_or(0.0, |last| (now - last).as_micros() as f64 / 1e6)
            .min(1.0);
        self.last = Some(now);

        let stretching = self.rate.stretch != 1.0;
        if held_up || self.owed > 0.0 {
            let put_on = (1.0 - self.rate.stretch) * elapsed * 1e6;
            self.owed = (self.owed + put_on).min(error_us as f64).max(0.0);
        }
        let too_long = self.sustained_us(now).unwrap_or(i64::MIN);
        self.chasing = too_long > LONG_US || (self.chasing && error_us > LEAVE_US);
        self.rate.stretch = if held_up {
            1.0 - STRETCH_MAX
        } else if error_us < -SHORT_US || (self.rate.stretch < 1.0 && error_us < -LEAVE_US) {
            stretch_for(error_us)
        } else if self.chasing {
            stretch_for(error_us.max(LEAVE_US))
        } else if self.owed > LEAVE_US as f64 {
            stretch_for(self.owed as i64)
        } else {
            1.0
        };
        if self.rate.stretch != 1.0 {
            self.smooth = None;
        } else {
            if stretching {
                self.minima.clear();
            }
            let smooth = self.smooth.unwrap_or(error_us as f64);
            let smooth = smooth + (error_us as f64 - smooth) * (elapsed / 2.0).min(1.0);
            self.smooth = Some(smooth);
            self.drift =
                (self.drift + smooth * GAIN_INTEGRAL * elapsed).clamp(-RESAMPLE_MAX, RESAMPLE_MAX);
            self.rate.resample =
                1.0 + (self.drift + smooth * GAIN).clamp(-RESAMPLE_MAX, RESAMPLE_MAX);
        }
        self.rate
    }

    /// By how much the delay has been too long during all of [`PATIENCE`], in microseconds; `None` before that much was seen.
    pub(super) fn sustained_us(&self, now: Instant) -> Option<i64> {
        let &(first, _) = self.minima.front()?;
        if now - first < PATIENCE {
            return None;
        }
        self.minima.iter().map(|&(_, least)| least).min()
    }

    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    /// What the clocks differ by as far as it is learnt: the part of the rate that stays.
    pub(super) fn drift(&self) -> f64 {
        self.drift
    }
}

/// Proportional, at its limit from 20 ms on; in steps of 0.5 %, so that the owner is not told a new rate at every tag.
fn stretch_for(error_us: i64) -> f64 {
    let steps = (error_us / 2_000).clamp(-10, 10);
    let steps = if steps == 0 { error_us.signum() } else { steps };
    1.0 + STRETCH_MAX * steps as f64 / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_the_inverse_of_when() {
        let mut clock = Clock::new();
        let now = Instant::from_micros(5_000_000);
        clock.set(now, 1_000_000);
        clock.set_rate(now, 1.05);
        let due = clock.when(now, 2_050_000);
        assert_eq!(due, Instant::from_micros(6_000_000));
        assert_eq!(clock.position(due), 2_050_000);
    }

    #[test]
    fn a_moment_of_delay_is_not_chased_and_a_lasting_one_is() {
        let mut steering = Steering::new();
        let mut now = Instant::ZERO;
        for i in 0..400 {
            now += Duration::from_millis(10);
            let rate = steering.steer(now, if i % 100 < 80 { 100_000 } else { 0 }, false);
            assert_eq!(rate.stretch, 1.0);
        }
        for _ in 0..250 {
            now += Duration::from_millis(10);
            steering.steer(now, 100_000, false);
        }
        assert_eq!(steering.rate().stretch, 1.05);
    }

    #[test]
    fn what_a_standstill_of_the_network_puts_on_the_delay_is_taken_off_at_once() {
        let mut steering = Steering::new();
        let mut now = Instant::ZERO;
        let mut error = 0.0;
        let mut most = 0.0f64;
        for i in 0..150 {
            now += Duration::from_millis(10);
            let rate = steering.steer(now, error as i64, (20..50).contains(&i));
            error += 10_000.0 * (1.0 - rate.total());
            most = most.max(error);
        }
        assert!((14_000.0..16_000.0).contains(&most), "{most}");
        assert!(error < 3_000.0, "{error}");
    }

    #[test]
    fn drift_is_learnt() {
        let mut steering = Steering::new();
        let mut now = Instant::ZERO;
        // The publisher's clock is 200 ppm fast: delay grows by that less what resampling takes.
        let mut error = 0.0;
        let mut worst = 0.0f64;
        for _ in 0..60_000 {
            now += Duration::from_millis(20);
            let rate = steering.steer(now, error as i64, false);
            assert_eq!(rate.stretch, 1.0);
            error += 20_000.0 * (1.0002 - rate.total());
            worst = worst.max(error);
        }
        assert!(
            (steering.rate().resample - 1.0002).abs() < 1e-6,
            "{:?}",
            steering.rate()
        );
        assert!(worst < 3_000.0, "{worst}");
    }
}
