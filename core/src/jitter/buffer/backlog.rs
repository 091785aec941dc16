//! Catching up with live: at join and after an outage.

use core::time::Duration;

use super::super::Output;
use super::super::timeline::wire;
use super::{AUDIO, JitterBuffer, Phase, SKIP_US, VIDEO, YOUNG_TAIL_US};
use crate::Instant;

/// Catching up is over when a step of this length…
pub(super) const SETTLE: Duration = Duration::from_millis(100);
/// … has brought the newest tag nearer to live by less than this.
const SETTLE_US: i64 = 50_000;
/// The newest tag of a backlog is live if it is this near. Nearer than the target: the end of a backlog says nothing about jitter.
const LIVE_US: i64 = 5_000;

impl JitterBuffer {
    pub(super) fn catch_up(&mut self, now: Instant, transit: i64, from: Option<i64>) {
        self.unstarve(now);
        self.phase = Phase::CatchingUp {
            since: now,
            best_us: transit,
            mark: now,
            mark_us: transit,
            from,
        };
    }

    /// Moves the position with the backlog, and ends catching up where the backlog has ended.
    pub(super) fn follow_backlog(&mut self, now: Instant) {
        let base = self.base_us();
        let target = self.target_us(now);
        let Phase::CatchingUp {
            best_us,
            mark,
            mark_us,
            from,
            ..
        } = &mut self.phase
        else {
            return;
        };
        let best = *best_us;
        let known = base.is_some_and(|base| best <= base + LIVE_US && best >= base - SETTLE_US);
        let settled = if now - *mark >= SETTLE {
            let stagnant = *mark_us - best < SETTLE_US;
            (*mark, *mark_us) = (now, best);
            stagnant
        } else {
            false
        };
        let from = *from;
        if !known && !settled {
            let position = now.as_micros() as i64 - best - target;
            if from.is_none_or(|_| position > self.clock.position(now)) {
                self.clock.set(now, position);
            }
            return;
        }
        // The old window says nothing about a connection whose base has moved by more than the buffer would ever hold.
        if base.is_none_or(|base| best < base - SETTLE_US || best > base + self.max_us()) {
            self.forget_transit();
            let track = if self.end[VIDEO] > self.end[AUDIO] {
                VIDEO
            } else {
                AUDIO
            };
            self.arrival[track].record(now, best);
        }
        self.phase = Phase::Playing;
        // Where the backlog has ended short of live, the connection is slower than it was: that is where playing goes on, not ahead of what comes.
        let newest = now.as_micros() as i64 - best - self.after_us()[AUDIO] - YOUNG_TAIL_US;
        let to = self.live_us(now).unwrap_or(newest) - self.target_us(now);
        let to = if known { to } else { to.min(newest) };
        self.jump(now, from, to);
    }

    /// Goes on at `to`.
    pub(super) fn jump(&mut self, now: Instant, from: Option<i64>, to: i64) {
        self.clock.set(now, to);
        self.shown_from = to;
        self.filling_until = self.first_waiting();
        self.steering.reset();
        self.sound = None;
        if let Some(from) = from {
            self.meter.skips += 1;
            self.outputs.push_back(Output::Skipped {
                from: wire(from.div_euclid(1000)),
                to: wire(to.div_euclid(1000)),
            });
        }
    }

    pub(super) fn retarget(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Playing)
            && let Some(live) = self.live_us(now)
        {
            let position = self.clock.position(now);
            let to = live - self.target_us(now);
            if (to - position).abs() > SKIP_US {
                self.unstarve(now);
                self.full = false;
                self.jump(now, Some(position), to);
            }
        }
        self.advance(now);
    }
}
