//! Which decoded picture is on the screen: lip sync where pictures move, and a still now and then where they cannot keep to their sound.

use core::time::Duration;

use super::super::Choice;
use super::JitterBuffer;
use crate::{Instant, Timestamp};

/// A picture that is behind its sound by more than this is out of step: EBU R 37 allows 40 ms.
const LATE_US: i64 = 40_000;
/// Pictures out of step are shown no sooner after another than this: as stills. Moving, they would disturb more than they show.
const STILL: Duration = Duration::from_millis(500);

impl JitterBuffer {
    /// When to draw the picture of this presentation time, by the clock as it is at `now`; past if it is due already.
    pub fn show_at(&self, now: Instant, timestamp: Timestamp) -> Instant {
        let time_us = self.timeline.recall(timestamp) * 1000;
        let due = self.draw_at(now, time_us);
        // The picture that stands still while the buffer fills.
        if self.pictured == Some(time_us) {
            now
        } else if self.is_late(now, time_us) {
            self.still_at().max(due)
        } else {
            due
        }
    }

    /// Which of the decoded pictures, given in the order of their presentation times, is to be drawn: the newest whose instant `is_due`. One that is
    /// out of step with its sound waits until the screen has stood still for half a second, or a newer one takes its place.
    pub fn choose(
        &mut self,
        now: Instant,
        decoded: impl Iterator<Item = Timestamp>,
        is_due: &dyn Fn(Instant) -> bool,
    ) -> Choice {
        let mut choice = Choice::default();
        let mut newest = None;
        for timestamp in decoded {
            let time_us = self.timeline.recall(timestamp) * 1000;
            if self.pictured != Some(time_us) && !is_due(self.draw_at(now, time_us)) {
                break;
            }
            choice.gone += 1;
            newest = Some(time_us);
        }
        let Some(newest) = newest else {
            return choice;
        };
        choice.still = self.pictured != Some(newest) && self.is_late(now, newest);
        choice.draw = !choice.still || is_due(self.still_at());
        if !choice.draw {
            choice.gone -= 1;
        }
        if choice.still {
            self.meter.frames_unshown += (choice.gone - usize::from(choice.draw)) as u64;
        }
        choice
    }

    pub(super) fn handle_shown(&mut self, now: Instant, timestamp: Timestamp) {
        let picture = self.timeline.recall(timestamp) * 1000;
        let skew = self.skew_us(now, picture);
        self.meter.shown(now, skew);
        self.shown = now;
    }

    /// When to draw what is presented at `time_us`.
    pub(super) fn draw_at(&self, now: Instant, time_us: i64) -> Instant {
        self.clock
            .when(now, time_us - self.lead_us)
            .saturating_sub(self.display_latency)
    }

    /// Whether a picture drawn now would be out of step.
    pub(super) fn is_late(&self, now: Instant, time_us: i64) -> bool {
        self.skew_us(now, time_us)
            .is_some_and(|skew| skew > LATE_US)
    }

    /// How much later than its sound a picture is that is drawn now; `None` where no sound is heard.
    fn skew_us(&self, now: Instant, time_us: i64) -> Option<i64> {
        self.sound_leads(now)
            .then(|| self.clock.position(now + self.display_latency) - time_us)
    }

    /// When the screen has stood still for long enough.
    fn still_at(&self) -> Instant {
        self.shown + STILL
    }
}
