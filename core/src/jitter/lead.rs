use core::time::Duration;

use crate::Instant;

/// What browsers' video elements want to have ahead of them so as to play on: they decode ahead, and count what is decoded.
const LEAST_MS: u32 = 200;
const MOST_MS: u32 = 1000;
/// The lead is tried a step lower after this long without a standstill…
const CALM_US: u64 = 4_000_000;
/// … and after twice as long, up to this, where the step before was one too many.
const MOST_CALM_US: u64 = 128_000_000;

/// How much a player that is not ours wants to have ahead of its position, found out by what it does: it starves with media ahead of it when it is
/// too little. More is given at once, and taken back step by step; how long one step is waited for follows from whether the last could be kept.
#[derive(Debug)]
pub struct Lead {
    lead_ms: u32,
    calm_us: u64,
    /// Since when the lead has been what it is; `None`: since the next time that it plays.
    since: Option<Instant>,
    /// It was more before.
    lowered: bool,
}

impl Default for Lead {
    fn default() -> Self {
        Self {
            lead_ms: LEAST_MS,
            calm_us: CALM_US,
            since: None,
            lowered: false,
        }
    }
}

impl Lead {
    /// It stands still, with media ahead of it.
    pub fn starved(&mut self) {
        self.lead_ms = (self.lead_ms * 5 / 4).min(MOST_MS);
        if self.lowered {
            self.calm_us = (self.calm_us * 2).min(MOST_CALM_US);
        }
        self.restart();
    }

    /// It plays. Say so several times a second.
    pub fn playing(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.as_micros() - since.as_micros() < self.calm_us {
            return;
        }
        if self.lowered {
            // What made it too little is over.
            self.calm_us = (self.calm_us / 2).max(CALM_US);
        }
        self.lead_ms = (self.lead_ms * 4 / 5).max(LEAST_MS);
        self.since = Some(now);
        self.lowered = true;
    }

    /// It plays something else from here on, and has to begin. What it wants is known already.
    pub fn restart(&mut self) {
        self.since = None;
        self.lowered = false;
    }

    /// What it wants to have ahead, 200 ms to 1 s.
    pub fn wanted(&self) -> Duration {
        Duration::from_millis(self.lead_ms.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A player that starves whenever it is given less than it needs, for `seconds` from `from` on. Gives how often it did.
    fn play(lead: &mut Lead, needs: Duration, from: u64, seconds: u64) -> u32 {
        let mut starved = 0;
        for tenth in from * 10..(from + seconds) * 10 {
            let now = Instant::from_micros(tenth * 100_000);
            if lead.wanted() < needs {
                lead.starved();
                starved += 1;
            } else {
                lead.playing(now);
            }
        }
        starved
    }

    #[test]
    fn what_a_slow_start_has_cost_is_given_back() {
        let mut lead = Lead::default();
        assert_eq!(play(&mut lead, Duration::from_millis(900), 0, 1), 7);
        assert!(lead.wanted() >= Duration::from_millis(900));
        assert_eq!(play(&mut lead, Duration::ZERO, 1, 33), 0);
        assert_eq!(lead.wanted(), Duration::from_millis(200));
    }

    #[test]
    fn a_need_that_stays_is_tried_less_and_less_often() {
        let mut lead = Lead::default();
        let needs = Duration::from_millis(300);
        let first = play(&mut lead, needs, 0, 60);
        let later = play(&mut lead, needs, 60, 600);
        assert!(first <= 6 && later <= 7, "{first} {later}");
        assert!(lead.wanted() < Duration::from_millis(500));
        // Once it is over, the lead falls, and a later need is met as quickly as the first.
        play(&mut lead, Duration::ZERO, 660, 600);
        assert_eq!((lead.lead_ms, lead.calm_us), (LEAST_MS, CALM_US));
    }

    #[test]
    fn it_never_leaves_its_bounds() {
        let mut lead = Lead::default();
        play(&mut lead, Duration::from_secs(5), 0, 100);
        assert_eq!(lead.wanted(), Duration::from_secs(1));
        lead.restart();
        assert_eq!(lead.wanted(), Duration::from_secs(1));
    }
}
