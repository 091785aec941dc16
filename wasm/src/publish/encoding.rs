//! When what comes out of an audio encoder was captured.

use std::collections::VecDeque;

/// The capture instants of the frames inside an encoder.
///
/// Encoders count samples on from the first timestamp they were given, whatever they are given later: theirs keeps for ever what was wrong in the
/// first, and knows nothing of holes. So what comes out is looked up by how many samples it is from the first.
#[derive(Debug, Default)]
pub(super) struct Encoding {
    frames: VecDeque<Frame>,
    /// Microseconds given in all.
    given: f64,
    /// The encoder's first timestamp.
    first: Option<i64>,
    /// By how much ours are ahead of the encoder's.
    ahead: i64,
}

#[derive(Debug)]
struct Frame {
    /// Microseconds of samples given before it, and in it.
    start: f64,
    length: f64,
    /// Its capture instant in microseconds.
    begin: i64,
}

/// Timestamps are rounded by less than this, in microseconds.
const ROUNDED: f64 = 1000.0;

impl Encoding {
    /// The encoder gets a frame of `length` microseconds that was captured from `begin` on.
    pub(super) fn given(&mut self, begin: i64, length: f64) {
        self.frames.push_back(Frame {
            start: self.given,
            length,
            begin,
        });
        self.given += length;
    }

    /// When what has come out with the timestamp `theirs` was captured. An encoder that does not count leaves the table; then its own timestamp is right.
    pub(super) fn taken(&mut self, theirs: i64) -> i64 {
        let at = (theirs - *self.first.get_or_insert(theirs)) as f64;
        while self
            .frames
            .get(1)
            .is_some_and(|next| next.start <= at + ROUNDED)
        {
            self.frames.pop_front();
        }
        if let Some(frame) = self.frames.front()
            && (frame.start - ROUNDED..frame.start + frame.length).contains(&at)
        {
            self.ahead = frame.begin + (at - frame.start) as i64 - theirs;
        }
        theirs + self.ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: f64 = 20_000.0;

    #[test]
    fn an_encoder_that_counts_on_does_not_keep_what_was_wrong_at_first() {
        let mut encoding = Encoding::default();
        // The first two are stamped 97 ms late, and two are always inside.
        let begins = [97_000, 117_000, 40_000, 60_000, 580_000, 600_000, 620_000];
        for (i, begin) in begins.into_iter().enumerate() {
            encoding.given(begin, LENGTH);
            if i >= 2 {
                let theirs = 97_000 + (i as i64 - 2) * 20_000;
                assert_eq!(encoding.taken(theirs), begins[i - 2]);
            }
        }
    }

    #[test]
    fn frames_of_another_length_come_out() {
        let mut encoding = Encoding::default();
        encoding.given(5_000, LENGTH);
        encoding.given(35_000, LENGTH);
        assert_eq!(encoding.taken(0), 5_000);
        assert_eq!(encoding.taken(10_000), 15_000);
        assert_eq!(encoding.taken(20_000), 35_000);
        assert_eq!(encoding.taken(30_000), 45_000);
    }

    #[test]
    fn an_encoder_that_keeps_what_it_is_given_is_believed() {
        let mut encoding = Encoding::default();
        for begin in [0, 20_000, 500_000, 520_000, 300_000, 320_000] {
            encoding.given(begin, LENGTH);
            assert_eq!(encoding.taken(begin), begin);
        }
    }
}
