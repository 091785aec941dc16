//! How long tags took from the publisher to viewers.

/// Delays in tenths of a millisecond, counted.
#[derive(Clone, Debug)]
pub(crate) struct Delays {
    counts: Vec<u32>,
    total: u64,
}

/// One second; what is longer counts as that.
const SLOTS: usize = 10_000;

impl Default for Delays {
    fn default() -> Self {
        Self {
            counts: vec![0; SLOTS],
            total: 0,
        }
    }
}

impl Delays {
    pub(crate) fn add(&mut self, microseconds: u64) {
        self.counts[(microseconds as usize / 100).min(SLOTS - 1)] += 1;
        self.total += 1;
    }

    /// Adds what others have counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    /// In milliseconds; `share` is 0.5 for the median.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share) as u64;
        let mut seen = 0;
        for (slot, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen > wanted {
                return slot as f64 / 10.0;
            }
        }
        0.0
    }
}
