use alloc::vec;
use alloc::vec::Vec;

use super::{Resampler, Stretch};
use crate::Timestamp;
use crate::jitter::Rate;

/// Timestamps and sample counts that differ by less than this are the rounding of the one and the drift of the other.
const TOLERANCE_MS: f64 = 30.0;
/// A longer gap is not filled: playout starts again behind it.
const FILL_MS: f64 = 200.0;
/// The length of the fades at a break.
const FADE_MS: f64 = 5.0;

/// Samples for the sound card.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Media milliseconds (the player's timeline, modulo 2^32) that sound with the first sample.
    pub timestamp: f64,
    /// This does not follow the block before it: hold it back until `timestamp` is due.
    pub fresh: bool,
    /// Planar samples at the sound card's rate.
    pub channels: Vec<Vec<f32>>,
}

/// From decoded audio to the sound card's samples: stretched, resampled, its gaps bridged, and each block labelled with its media time.
#[derive(Debug)]
pub struct Playout {
    channels: usize,
    from: u32,
    to: u32,
    stretch: Stretch,
    resampler: Resampler,
    /// The media time of the next input and output samples, milliseconds.
    input_ms: f64,
    output_ms: f64,
    /// Nothing was put in, or put out, since the start or the last skip.
    fresh: bool,
    starting: bool,
    /// The end of the input, newest last, for bridging a gap.
    tail: Vec<Vec<f32>>,
    ready: Vec<Block>,
}

impl Playout {
    /// For decoded audio of `channels` channels and `from` samples per second, to a sound card of `to`.
    pub fn new(channels: usize, from: u32, to: u32) -> Self {
        Self {
            channels,
            from,
            to,
            stretch: Stretch::new(channels, from),
            resampler: Resampler::new(channels, from, to),
            input_ms: 0.0,
            output_ms: 0.0,
            fresh: true,
            starting: true,
            tail: vec![Vec::new(); channels],
            ready: Vec::new(),
        }
    }

    /// Follows an [`Output::Rate`](crate::jitter::Output::Rate).
    pub fn set_rate(&mut self, rate: Rate) {
        self.stretch.set_rate(rate.stretch);
        self.resampler.set_speed(rate.resample);
    }

    /// Follows an [`Output::Skipped`](crate::jitter::Output::Skipped): what is pushed next does not follow what was pushed before.
    pub fn skip(&mut self, rate: Rate) {
        *self = Self::new(self.channels, self.from, self.to);
        self.set_rate(rate);
    }

    /// Takes decoded samples that start at `timestamp`. Channels beyond those there are come out silent; excess ones are ignored.
    pub fn push(&mut self, timestamp: Timestamp, samples: &[&[f32]]) {
        let length = samples
            .iter()
            .map(|channel| channel.len())
            .min()
            .unwrap_or(0);
        if length == 0 {
            return;
        }
        let start_ms = f64::from(timestamp.as_millis());
        let per_ms = f64::from(self.from) / 1000.0;
        let mut samples: Vec<Vec<f32>> = (0..self.channels)
            .map(|i| {
                samples
                    .get(i)
                    .map_or_else(|| vec![0.0; length], |channel| channel[..length].to_vec())
            })
            .collect();
        let gap_ms = if self.fresh {
            0.0
        } else {
            difference(start_ms, self.input_ms)
        };
        let fade = (FADE_MS * per_ms) as usize;
        if self.fresh || gap_ms.abs() > FILL_MS {
            if !self.fresh {
                let rate = Rate {
                    stretch: self.stretch.rate(),
                    resample: self.resampler.speed(),
                };
                self.bridge(fade);
                let ready = core::mem::take(&mut self.ready);
                self.skip(rate);
                self.ready = ready;
            }
            self.input_ms = start_ms;
            self.output_ms = start_ms;
            fade_in(&mut samples, fade);
            self.feed(&samples);
        } else if gap_ms > TOLERANCE_MS {
            self.bridge((gap_ms * per_ms) as usize);
            fade_in(&mut samples, fade);
            self.feed(&samples);
        } else if gap_ms < -TOLERANCE_MS {
            let overlap = ((-gap_ms * per_ms) as usize).min(length);
            samples
                .iter_mut()
                .for_each(|channel| drop(channel.drain(..overlap)));
            self.feed(&samples);
        } else {
            self.input_ms += gap_ms * 0.02;
            self.feed(&samples);
        }
    }

    /// The next samples for the sound card, `None` when there are none yet.
    pub fn pull(&mut self) -> Option<Block> {
        if self.ready.is_empty() {
            None
        } else {
            Some(self.ready.remove(0))
        }
    }

    fn feed(&mut self, samples: &[Vec<f32>]) {
        let length = samples.first().map_or(0, Vec::len);
        self.fresh = false;
        let keep = (FADE_MS * f64::from(self.from) / 1000.0) as usize;
        for (tail, channel) in self.tail.iter_mut().zip(samples) {
            tail.extend_from_slice(channel);
            let excess = tail.len().saturating_sub(keep);
            tail.drain(..excess);
        }
        self.input_ms += length as f64 * 1000.0 / f64::from(self.from);
        let slices: Vec<&[f32]> = samples.iter().map(Vec::as_slice).collect();
        let mut stretched = vec![Vec::new(); self.channels];
        self.stretch.process(&slices, &mut stretched);
        let slices: Vec<&[f32]> = stretched.iter().map(Vec::as_slice).collect();
        let mut channels = vec![Vec::new(); self.channels];
        self.resampler.process(&slices, &mut channels);
        let timestamp = wrap(self.output_ms);
        let pending = self.stretch.pending() as f64 + self.resampler.pending();
        if channels.first().is_some_and(|channel| !channel.is_empty()) {
            self.ready.push(Block {
                timestamp,
                fresh: self.starting,
                channels,
            });
            self.starting = false;
            self.output_ms = self.input_ms - pending * 1000.0 / f64::from(self.from);
        }
    }

    /// Fades the sound out over its own mirror image, then keeps silent: `length` samples in all.
    fn bridge(&mut self, length: usize) {
        let samples: Vec<Vec<f32>> = self
            .tail
            .iter()
            .map(|tail| {
                let scale = 1.0 / tail.len().max(1) as f32;
                let faded = tail
                    .iter()
                    .rev()
                    .enumerate()
                    .map(|(i, sample)| sample * (1.0 - (i as f32 + 1.0) * scale));
                faded.chain(core::iter::repeat(0.0)).take(length).collect()
            })
            .collect();
        self.feed(&samples);
    }
}

fn fade_in(samples: &mut [Vec<f32>], fade: usize) {
    for channel in samples {
        let fade = fade.min(channel.len());
        for (i, sample) in channel.iter_mut().take(fade).enumerate() {
            *sample *= (i as f32 + 0.5) / fade as f32;
        }
    }
}

const WRAP_MS: f64 = 4_294_967_296.0;

/// Milliseconds from `b` to `a`, modulo 2^32.
fn difference(a: f64, b: f64) -> f64 {
    let difference = wrap(a - b);
    if difference >= WRAP_MS / 2.0 {
        difference - WRAP_MS
    } else {
        difference
    }
}

fn wrap(ms: f64) -> f64 {
    ms - libm::floor(ms / WRAP_MS) * WRAP_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tests::{Tone, sine};

    const FRAME: usize = 1024;

    fn push(playout: &mut Playout, start: u32, samples: &[f32]) {
        for (i, frame) in samples.chunks(FRAME).enumerate() {
            let millis = start.wrapping_add((i * FRAME * 1000 / 44_100) as u32);
            playout.push(Timestamp::from_millis(millis), &[frame]);
        }
    }

    fn blocks(playout: &mut Playout) -> Vec<Block> {
        core::iter::from_fn(|| playout.pull()).collect()
    }

    #[test]
    fn blocks_are_labelled_with_the_time_they_sound() {
        // Across the wrap of the timestamp, faster than recorded, to another sample rate.
        let mut playout = Playout::new(1, 44_100, 48_000);
        let rate = Rate {
            stretch: 1.05,
            resample: 1.0002,
        };
        playout.set_rate(rate);
        let start = u32::MAX - 4_999;
        push(&mut playout, start, &sine(440.0, 44_100, 441_000));
        let blocks = blocks(&mut playout);
        assert!(blocks[0].fresh && blocks[1..].iter().all(|block| !block.fresh));
        let mut sounded = 0;
        for block in &blocks {
            let media = sounded as f64 / 48.0 * rate.total();
            let off = difference(block.timestamp, f64::from(start)) - media;
            assert!(off.abs() < 20.0, "{off} ms off at {media} ms");
            sounded += block.channels[0].len();
        }
        let all: Vec<f32> = blocks
            .iter()
            .flat_map(|block| block.channels[0].iter().copied())
            .collect();
        let tone = Tone::of(&all[4800..all.len() - 4800], 48_000);
        assert!((tone.hz - 440.0).abs() < 1.0, "{tone:?}");
    }

    #[test]
    fn a_short_gap_is_bridged_and_keeps_the_time() {
        let mut playout = Playout::new(1, 44_100, 44_100);
        push(&mut playout, 0, &sine(440.0, 44_100, 44_100));
        push(&mut playout, 1_100, &sine(440.0, 44_100, 44_100));
        let blocks = blocks(&mut playout);
        assert_eq!(blocks.iter().filter(|block| block.fresh).count(), 1);
        let all: Vec<f32> = blocks
            .iter()
            .flat_map(|block| block.channels[0].iter().copied())
            .collect();
        assert!((all.len() as i64 - 92_610).abs() < 200, "{}", all.len());
        let steepest = all
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(
            steepest < 0.5 * 2.0 * core::f32::consts::PI * 440.0 / 44_100.0 * 1.1,
            "{steepest}"
        );
    }

    #[test]
    fn a_long_gap_starts_afresh() {
        let mut playout = Playout::new(1, 44_100, 44_100);
        push(&mut playout, 0, &sine(440.0, 44_100, 4_410));
        push(&mut playout, 5_000, &sine(440.0, 44_100, 4_410));
        let fresh: Vec<f64> = blocks(&mut playout)
            .iter()
            .filter(|block| block.fresh)
            .map(|block| block.timestamp)
            .collect();
        assert_eq!(fresh, [0.0, 5_000.0]);
    }

    #[test]
    fn channels_that_are_missing_are_silent() {
        let mut playout = Playout::new(2, 48_000, 48_000);
        playout.push(Timestamp::ZERO, &[&sine(440.0, 48_000, 4_800)]);
        let block = playout.pull().expect("samples");
        assert!(block.channels[1].iter().all(|&sample| sample == 0.0));
        assert_eq!(block.channels[0].len(), block.channels[1].len());
    }
}
