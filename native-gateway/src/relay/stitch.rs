//! One timeline for viewers, whoever publishes.

use chalkcast_core::{Instant, Timestamp};

/// Moves a publisher's timestamps so that they go on where its predecessor's ended, by as much later as it came later.
#[derive(Debug, Default)]
pub(super) struct Stitch {
    /// Added to every timestamp; `None` until the new publisher's first frame shows what it counts from.
    offset: Option<i32>,
    /// The newest timestamp that viewers have, and when it came.
    last: Option<(Timestamp, Instant)>,
}

/// Frames may come this much out of order; further back, the publisher's clock has been set back.
const DISORDER_MS: i32 = 3_000;

impl Stitch {
    /// Another publisher comes. One offset will hold for all its tags, so that its audio and video stay together.
    pub(super) fn begin(&mut self) {
        self.offset = None;
    }

    /// The timestamp for viewers. `is_frame` is false for sequence headers and script data, which often carry 0.
    pub(super) fn map(&mut self, now: Instant, timestamp: Timestamp, is_frame: bool) -> Timestamp {
        let Some((last, at)) = self.last else {
            if is_frame {
                self.offset = Some(0);
                self.last = Some((timestamp, now));
            }
            return timestamp;
        };
        let elapsed = i32::try_from((now - at).as_millis())
            .unwrap_or(i32::MAX)
            .max(1);
        let expected = last.offset(elapsed);
        let mapped = self.offset.map(|offset| timestamp.offset(offset));
        let behind = mapped.is_none_or(|mapped| mapped.since(last) < -DISORDER_MS);
        match mapped {
            Some(mapped) if !behind => {
                if is_frame && mapped.is_after(last) {
                    self.last = Some((mapped, now));
                }
                mapped
            }
            _ if is_frame => {
                self.offset = Some(expected.since(timestamp));
                self.last = Some((expected, now));
                expected
            }
            _ if self.offset.is_some() => last,
            _ => expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    fn ts(ms: u32) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_first_publisher_keeps_its_timestamps() {
        let mut stitch = Stitch::default();
        assert_eq!(stitch.map(at(0), ts(0), false), ts(0));
        assert_eq!(stitch.map(at(0), ts(5000), true), ts(5000));
        assert_eq!(stitch.map(at(30), ts(5033), true), ts(5033));
        assert_eq!(stitch.map(at(30), ts(5010), true), ts(5010));
    }

    #[test]
    fn one_who_returns_goes_on_by_as_much_as_it_was_away_with_audio_and_video_together() {
        let mut stitch = Stitch::default();
        stitch.map(at(0), ts(90_000), true);
        stitch.map(at(33), ts(90_033), true);
        stitch.begin();
        assert_eq!(
            stitch.map(at(4_033), ts(0), false),
            ts(94_033),
            "metadata comes first, stamped 0"
        );
        assert_eq!(stitch.map(at(4_033), ts(700), true), ts(94_033), "video");
        assert_eq!(
            stitch.map(at(4_033), ts(690), true),
            ts(94_023),
            "audio, 10 ms before it"
        );
        assert_eq!(stitch.map(at(4_066), ts(733), true), ts(94_066));
    }

    #[test]
    fn a_return_across_the_wrap_is_no_different() {
        let mut stitch = Stitch::default();
        stitch.map(at(0), ts(u32::MAX - 10), true);
        stitch.begin();
        assert_eq!(stitch.map(at(1_000), ts(0), true), ts(989));
    }

    #[test]
    fn a_clock_set_back_is_stitched_too() {
        let mut stitch = Stitch::default();
        stitch.map(at(0), ts(60_000), true);
        assert_eq!(stitch.map(at(20), ts(0), true), ts(60_020));
        assert_eq!(stitch.map(at(50), ts(30), true), ts(60_050));
        assert_eq!(
            stitch.map(at(50), ts(0), false),
            ts(60_020),
            "script data as it comes"
        );
    }

    #[test]
    fn script_data_stamped_zero_in_mid_stream_is_stamped_now() {
        let mut stitch = Stitch::default();
        stitch.map(at(0), ts(60_000), true);
        assert_eq!(stitch.map(at(5), ts(0), false), ts(60_000));
        assert_eq!(stitch.map(at(33), ts(60_033), true), ts(60_033));
    }
}
