use alloc::vec;
use alloc::vec::Vec;

/// The length of a cross-fade.
const FADE_MS: usize = 8;
/// What a splice takes out or puts in: between these, so that there is a whole number of any voice's periods (62 Hz and up) to be found.
const LEAST_MS: usize = 8;
const MOST_MS: usize = 16;

/// Plays sound a little faster or slower with its pitch kept, by taking out or putting in whole periods of it.
///
/// Where the rate is 1, samples pass untouched and at once. A faster rate holds back at most 24 ms, a slower one at most 8 ms.
#[derive(Debug)]
pub struct Stretch {
    /// Per channel: `MOST_MS` of what has been put out, then what has not.
    input: Vec<Vec<f32>>,
    /// Where in `input` the next output sample is.
    at: usize,
    /// Samples that are to be taken out (positive) or put in.
    debt: f64,
    rate: f64,
    fade: usize,
    least: usize,
    most: usize,
}

impl Stretch {
    /// A stretch of `channels` channels at `sample_rate` samples per second, at rate 1.
    pub fn new(channels: usize, sample_rate: u32) -> Self {
        let per_ms = |ms: usize| (ms * sample_rate as usize / 1000).max(1);
        let most = per_ms(MOST_MS);
        Self {
            input: vec![vec![0.0; most]; channels],
            at: most,
            debt: 0.0,
            rate: 1.0,
            fade: per_ms(FADE_MS),
            least: per_ms(LEAST_MS),
            most,
        }
    }

    /// Input seconds per output second from now on, kept to 0.5 to 2; made for 0.95 to 1.05.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate.clamp(0.5, 2.0);
        if self.rate == 1.0 {
            self.debt = 0.0;
        }
    }

    /// The rate in force.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes samples and appends what they make to `output`, a `Vec` per channel.
    pub fn process(&mut self, samples: &[&[f32]], output: &mut [Vec<f32>]) {
        for (held, new) in self.input.iter_mut().zip(samples) {
            held.extend_from_slice(new);
        }
        let length = self.input.first().map_or(0, Vec::len);
        loop {
            let available = length - self.at;
            if self.debt >= self.least as f64 {
                if available < self.most + self.fade {
                    break;
                }
                let lag = self.best_lag(|at, lag| at + lag);
                self.splice(self.at + lag, output);
                self.debt -= lag as f64;
            } else if -self.debt >= self.least as f64 {
                if available < self.fade {
                    break;
                }
                let lag = self.best_lag(|at, lag| at - lag);
                self.splice(self.at - lag, output);
                self.debt += lag as f64;
            } else {
                // Up to where the next splice falls due.
                let gain = self.rate - 1.0;
                let run = if gain == 0.0 {
                    available
                } else {
                    let wanted = (self.least as f64 - self.debt * gain.signum()) / gain.abs();
                    available.min(wanted as usize + 1)
                };
                if run == 0 {
                    break;
                }
                for (held, out) in self.input.iter().zip(output.iter_mut()) {
                    out.extend_from_slice(&held[self.at..self.at + run]);
                }
                self.at += run;
                self.debt += run as f64 * gain;
            }
        }
        let done = self.at - self.most;
        for held in &mut self.input {
            held.drain(..done);
        }
        self.at = self.most;
    }

    /// Input samples taken that have not been put out or taken out.
    pub fn pending(&self) -> usize {
        self.input.first().map_or(0, Vec::len) - self.at
    }

    /// Cross-fades from here to `to` and goes on from there.
    fn splice(&mut self, to: usize, output: &mut [Vec<f32>]) {
        let scale = 1.0 / self.fade as f32;
        for (held, out) in self.input.iter().zip(output.iter_mut()) {
            let from = &held[self.at..self.at + self.fade];
            let to = &held[to..to + self.fade];
            out.extend(
                from.iter()
                    .zip(to)
                    .enumerate()
                    .map(|(i, (a, b))| a + (b - a) * (i as f32 + 0.5) * scale),
            );
        }
        self.debt += self.fade as f64 * (self.rate - 1.0);
        self.at = to + self.fade;
    }

    /// How far away sound is most like what comes next: the greatest normalised correlation.
    fn best_lag(&self, place: impl Fn(usize, usize) -> usize) -> usize {
        let mut best = (f32::MIN, self.least);
        for lag in self.least..=self.most {
            let to = place(self.at, lag);
            let (mut dot, mut energy) = (0.0f32, 1e-9f32);
            for held in &self.input {
                for (a, b) in held[self.at..self.at + self.fade]
                    .iter()
                    .zip(&held[to..to + self.fade])
                {
                    dot += a * b;
                    energy += b * b;
                }
            }
            let score = dot / libm::sqrtf(energy);
            if score > best.0 {
                best = (score, lag);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tests::{Tone, sine};

    fn run(rate: f64, input: &[f32], chunk: usize) -> Vec<f32> {
        let mut stretch = Stretch::new(1, 48_000);
        stretch.set_rate(rate);
        let mut output = [Vec::new()];
        for chunk in input.chunks(chunk) {
            stretch.process(&[chunk], &mut output);
        }
        let [output] = output;
        output
    }

    #[test]
    fn rate_one_is_the_identity_at_once() {
        let input = sine(440.0, 48_000, 10_000);
        assert_eq!(run(1.0, &input, 1024), input);
    }

    #[test]
    fn the_length_follows_the_rate_and_the_pitch_does_not() {
        for rate in [0.95, 0.98, 0.995, 1.005, 1.02, 1.05] {
            for hz in [110.0, 220.0, 440.0, 1234.5] {
                let input = sine(hz, 48_000, 480_000);
                let output = run(rate, &input, 1024);
                let expected = 480_000.0 / rate;
                assert!(
                    (output.len() as f64 - expected).abs() < 48.0 * 40.0,
                    "{rate}: {} for {expected}",
                    output.len()
                );
                let tone = Tone::of(&output[4800..output.len() - 4800], 48_000);
                assert!((tone.hz - hz).abs() < hz * 2e-3, "{rate}, {hz}: {tone:?}");
                let steepest = output
                    .windows(2)
                    .map(|w| (w[1] - w[0]).abs())
                    .fold(0.0, f32::max);
                let natural = 0.5 * 2.0 * core::f32::consts::PI * hz as f32 / 48_000.0;
                assert!(
                    steepest < natural * 1.1,
                    "{rate}, {hz}: {steepest} against {natural}"
                );
            }
        }
    }

    #[test]
    fn a_voice_like_sound_has_no_clicks_and_keeps_its_level() {
        // A 130 Hz buzz of eight partials, its loudness rising and falling four times a second.
        let input: Vec<f32> = (0..480_000)
            .map(|i| {
                let t = f64::from(i) / 48_000.0;
                let partials: f64 = (1..=8)
                    .map(|k| {
                        libm::sin(core::f64::consts::TAU * 130.0 * f64::from(k) * t) / f64::from(k)
                    })
                    .sum();
                (0.2 * partials * (0.6 + 0.4 * libm::sin(core::f64::consts::TAU * 4.0 * t))) as f32
            })
            .collect();
        let steepest = |samples: &[f32]| {
            samples
                .windows(2)
                .map(|w| (w[1] - w[0]).abs())
                .fold(0.0, f32::max)
        };
        let level = |samples: &[f32]| {
            (samples.iter().map(|s| f64::from(s * s)).sum::<f64>() / samples.len() as f64).sqrt()
        };
        for rate in [0.95, 1.05] {
            let output = run(rate, &input, 960);
            assert!(steepest(&output) < steepest(&input) * 1.05, "{rate}");
            assert!(
                (level(&output) / level(&input) - 1.0).abs() < 0.02,
                "{rate}"
            );
        }
    }

    #[test]
    fn the_way_input_is_cut_does_not_matter() {
        let input = sine(300.0, 48_000, 96_000);
        let (a, b) = (run(1.03, &input, 128), run(1.03, &input, 2048));
        let same = a.len().min(b.len());
        assert_eq!(a[..same], b[..same]);
        assert!(a.len().abs_diff(b.len()) <= 24 * 48);
    }
}
