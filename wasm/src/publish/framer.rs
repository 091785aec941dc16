//! Samples as the microphone gives them become frames as the encoder takes them, each with its capture instant.

use chalkcast_core::Instant;

use crate::clock::signed;

/// Collects planar samples into frames of a fixed length.
///
/// The instant of each frame follows the mapped capture instants, but smoothly: their jitter is not the microphone's.
#[derive(Debug)]
pub(super) struct Framer {
    sample_rate: f64,
    frame_size: usize,
    /// One plane after the other would move at every push; one vector a channel does not.
    planes: Vec<Vec<f32>>,
    /// Capture instant of the first sample collected, in microseconds.
    begin: Option<f64>,
}

/// A hole shorter than this, in seconds, is filled with silence; after a longer one time starts again.
const FILL: f64 = 1.0;
/// What is further off than this, in microseconds, is a hole or an overlap and not jitter.
const TOLERANCE: f64 = 60_000.0;
/// How much of a difference is taken over at each push.
const GAIN: f64 = 0.02;

impl Framer {
    pub(super) fn new(sample_rate: f64, frame_size: usize, channels: usize) -> Self {
        Self {
            sample_rate,
            frame_size,
            planes: vec![Vec::new(); channels],
            begin: None,
        }
    }

    /// Takes samples that were captured from `instant` on. A channel that is missing repeats the first; what is too much is left out, and so is what
    /// lies before the end of what came already: time does not go back.
    pub(super) fn push(&mut self, instant: Instant, channels: &[Vec<f32>]) {
        let Some(first) = channels.first() else {
            return;
        };
        let came = signed(instant) as f64;
        let mut overlap = 0;
        match self.end() {
            None => self.begin = Some(came),
            Some(end) if (came - end).abs() <= TOLERANCE => {
                self.begin = self.begin.map(|begin| begin + (came - end) * GAIN)
            }
            Some(end) if came > end && came - end < FILL * 1e6 => {
                let missing = ((came - end) * self.sample_rate / 1e6) as usize;
                for plane in &mut self.planes {
                    plane.resize(plane.len() + missing, 0.0);
                }
            }
            Some(end) if came > end => {
                self.planes.iter_mut().for_each(Vec::clear);
                self.begin = Some(came);
            }
            Some(end) => overlap = ((end - came) * self.sample_rate / 1e6) as usize,
        }
        for (at, plane) in self.planes.iter_mut().enumerate() {
            let samples = channels.get(at).unwrap_or(first);
            plane.extend_from_slice(samples.get(overlap..).unwrap_or_default());
        }
    }

    /// A full frame, one channel after the other, with its capture instant in microseconds.
    pub(super) fn pop(&mut self) -> Option<(i64, Vec<f32>)> {
        let begin = self.begin?;
        if self.planes.first()?.len() < self.frame_size {
            return None;
        }
        let frame = self
            .planes
            .iter_mut()
            .flat_map(|plane| plane.drain(..self.frame_size))
            .collect();
        self.begin = Some(begin + self.frame_size as f64 * 1e6 / self.sample_rate);
        Some((begin as i64, frame))
    }

    /// Capture instant of the next frame, in microseconds.
    pub(super) fn next(&self) -> Option<i64> {
        self.begin.map(|begin| begin as i64)
    }

    fn end(&self) -> Option<f64> {
        let collected = self.planes.first().map_or(0, Vec::len);
        self.begin
            .map(|begin| begin + collected as f64 * 1e6 / self.sample_rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: f64) -> Instant {
        Instant::from_micros(micros as u64)
    }

    #[test]
    fn frames_follow_each_other_though_the_instants_jitter() {
        let mut framer = Framer::new(48_000.0, 1024, 1);
        let mut begins = Vec::new();
        for i in 0..500 {
            let jitter = f64::from((i * 37) % 7) * 100.0;
            framer.push(
                at(1e6 + f64::from(i) * 10_000.0 + jitter),
                &[vec![0.5; 480]],
            );
            while let Some((begin, frame)) = framer.pop() {
                assert_eq!(frame.len(), 1024);
                begins.push(begin);
            }
        }
        assert_eq!(begins.len(), 500 * 480 / 1024);
        for pair in begins.windows(2) {
            assert!((pair[1] - pair[0] - 21_333).abs() < 50, "{pair:?}");
        }
    }

    #[test]
    fn a_short_hole_is_silence_and_a_long_one_a_new_beginning() {
        let mut framer = Framer::new(48_000.0, 1024, 2);
        framer.push(at(0.0), &[vec![0.5; 512], vec![-0.5; 512]]);
        framer.push(at(100_000.0), &[vec![0.5; 4800], vec![-0.5; 4800]]);
        let (begin, frame) = framer.pop().expect("a frame");
        assert_eq!(
            (begin, frame[511], frame[512], frame[1024], frame[1536]),
            (0, 0.5, 0.0, -0.5, 0.0)
        );
        framer.push(at(9e6), &[vec![0.5; 1024], vec![0.5; 1024]]);
        assert_eq!(framer.pop().map(|(begin, _)| begin), Some(9_000_000));
    }

    #[test]
    fn what_overlaps_is_left_out_so_that_time_does_not_go_back() {
        // A clock that was taken for 300 ms late, as after a sleep, and is known better from the sixth buffer on.
        let mut framer = Framer::new(48_000.0, 960, 1);
        let mut begins = Vec::new();
        for i in 0..500 {
            let late = if i < 5 { 300_000.0 } else { 0.0 };
            framer.push(at(1e6 + f64::from(i) * 20_000.0 + late), &[vec![0.5; 960]]);
            begins.extend(std::iter::from_fn(|| framer.pop()).map(|(begin, _)| begin));
        }
        for pair in begins.windows(2) {
            assert!(pair[1] - pair[0] > 18_000, "{pair:?}");
        }
        let last = begins.last().expect("frames");
        assert!((last - 10_980_000).abs() < 1_000, "{last}");
    }

    #[test]
    fn one_channel_is_both_and_two_are_the_first() {
        let mut stereo = Framer::new(48_000.0, 4, 2);
        stereo.push(at(0.0), &[vec![1.0, 2.0, 3.0, 4.0]]);
        assert_eq!(
            stereo.pop(),
            Some((0, vec![1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]))
        );
        let mut mono = Framer::new(48_000.0, 2, 1);
        mono.push(at(0.0), &[vec![1.0, 2.0], vec![3.0, 4.0]]);
        assert_eq!(mono.pop(), Some((0, vec![1.0, 2.0])));
    }
}
