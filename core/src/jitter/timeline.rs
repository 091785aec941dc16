use crate::Timestamp;

/// A timestamp that goes back by more than this within a track is another publisher's.
const BACKWARDS_MS: i64 = 200;

/// Turns the publisher's timestamps into the player's: 64 bits of milliseconds that never start again.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// A timestamp of this publisher and what it became.
    anchor: Option<(Timestamp, i64)>,
    /// The newest time of each track from this publisher.
    newest: [Option<i64>; 2],
    /// The newest time from any publisher.
    end: Option<i64>,
    /// The next tag is another publisher's.
    restart: bool,
}

impl Timeline {
    /// The next media tag starts anew.
    pub(super) fn restart(&mut self) {
        self.restart = self.anchor.is_some();
    }

    /// The time of a media tag of `track`. Where a new publisher starts, `live` is the time it starts at, unless that was passed already.
    pub(super) fn map(&mut self, track: usize, timestamp: Timestamp, live: Option<i64>) -> i64 {
        let mut time = match self.anchor {
            Some((anchor, time)) => time + i64::from(timestamp.since(anchor)),
            None => i64::from(timestamp.as_millis()),
        };
        let backwards = self.newest[track].is_some_and(|newest| newest - time > BACKWARDS_MS);
        if self.restart || backwards {
            self.restart = false;
            self.newest = [None; 2];
            let end = self.end.unwrap_or(time);
            time = live.unwrap_or(end).max(end + 1);
        }
        self.anchor = Some((timestamp, time));
        self.newest[track] = Some(self.newest[track].map_or(time, |newest| newest.max(time)));
        self.end = Some(self.end.map_or(time, |end| end.max(time)));
        time
    }

    /// The time of something that is no media and must not move the timeline: script data.
    pub(super) fn locate(&self, timestamp: Timestamp) -> i64 {
        let end = self.end.unwrap_or(0);
        match self.anchor {
            Some((anchor, time)) => {
                let time = time + i64::from(timestamp.since(anchor));
                if (time - end).abs() < 10_000 {
                    time
                } else {
                    end
                }
            }
            None => end,
        }
    }

    /// The 64-bit time of a timestamp that the owner quotes back.
    pub(super) fn recall(&self, timestamp: Timestamp) -> i64 {
        let end = self.end.unwrap_or(0);
        end + i64::from(timestamp.since(wire(end)))
    }
}

/// The player's timestamp of a time.
pub(super) fn wire(time: i64) -> Timestamp {
    Timestamp::from_millis(time as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u32) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn time_goes_on_across_the_wrap() {
        let mut timeline = Timeline::default();
        let before = timeline.map(0, ms(u32::MAX - 9), None);
        assert_eq!(timeline.map(0, ms(10), None) - before, 20);
        assert_eq!(timeline.recall(ms(10)), before + 20);
    }

    #[test]
    fn a_republish_from_zero_goes_on_at_live() {
        let mut timeline = Timeline::default();
        timeline.map(0, ms(60_000), None);
        timeline.map(1, ms(60_010), None);
        assert_eq!(timeline.map(1, ms(0), Some(61_000)), 61_000);
        assert_eq!(timeline.map(0, ms(5), Some(61_010)), 61_005);
        assert_eq!(timeline.map(0, ms(25), Some(61_030)), 61_025);
    }

    #[test]
    fn interleaving_is_no_republish() {
        let mut timeline = Timeline::default();
        timeline.map(0, ms(1_000), None);
        assert_eq!(timeline.map(1, ms(500), Some(2_000)), 500);
        assert_eq!(timeline.map(1, ms(521), Some(2_000)), 521);
    }
}
