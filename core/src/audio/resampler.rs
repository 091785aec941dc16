use alloc::vec;
use alloc::vec::Vec;
use core::f64::consts::PI;

/// Zero crossings of the kernel on either side.
const HALF: usize = 16;
const TAPS: usize = 2 * HALF;
/// Kernels tabulated between two samples; those between are interpolated.
const PHASES: usize = 256;
/// Kaiser window: stop band below -80 dB.
const BETA: f64 = 8.0;

/// Changes the sample rate, by any ratio and by one that changes while it runs, without a break.
///
/// Its delay is 16 samples of the input.
#[derive(Debug)]
pub struct Resampler {
    /// Input samples that are still needed, per channel.
    input: Vec<Vec<f32>>,
    /// Where the next output sample is in `input`.
    at: f64,
    base_step: f64,
    step: f64,
    /// `PHASES + 1` kernels of `TAPS`.
    kernels: Vec<f32>,
}

impl Resampler {
    /// A resampler of `channels` channels from `from` to `to` samples per second (neither zero).
    pub fn new(channels: usize, from: u32, to: u32) -> Self {
        let (from, to) = (f64::from(from.max(1)), f64::from(to.max(1)));
        // Just below the lower of the two Nyquist rates.
        let cutoff = 0.95 * (to / from).min(1.0);
        Self {
            // Silence before the first sample.
            input: vec![vec![0.0; HALF - 1]; channels],
            at: (HALF - 1) as f64,
            base_step: from / to,
            step: from / to,
            kernels: kernels(cutoff),
        }
    }

    /// Consumes input `speed` times as fast as the sample rates say, from the next sample on. Kept to 0.5 to 2.
    pub fn set_speed(&mut self, speed: f64) {
        self.step = self.base_step * speed.clamp(0.5, 2.0);
    }

    /// The speed in force.
    pub fn speed(&self) -> f64 {
        self.step / self.base_step
    }

    /// Takes samples and appends what they make to `output`, a `Vec` per channel.
    pub fn process(&mut self, samples: &[&[f32]], output: &mut [Vec<f32>]) {
        for (held, new) in self.input.iter_mut().zip(samples) {
            held.extend_from_slice(new);
        }
        let length = self.input.first().map_or(0, Vec::len);
        let mut at = self.at;
        while (at as usize) + HALF < length {
            let index = at as usize;
            let phase = (at - index as f64) * PHASES as f64;
            let row = phase as usize;
            let between = (phase - row as f64) as f32;
            let near = &self.kernels[row * TAPS..(row + 1) * TAPS];
            let far = &self.kernels[(row + 1) * TAPS..(row + 2) * TAPS];
            for (held, out) in self.input.iter().zip(output.iter_mut()) {
                let window = &held[index + 1 - HALF..index + 1 + HALF];
                let mut sum = 0.0;
                for ((&sample, &a), &b) in window.iter().zip(near).zip(far) {
                    sum += sample * (a + (b - a) * between);
                }
                out.push(sum);
            }
            at += self.step;
        }
        let done = (at as usize + 1 - HALF).min(length);
        for held in &mut self.input {
            held.drain(..done);
        }
        self.at = at - done as f64;
    }

    /// Input samples taken that no output sample has reached yet.
    pub fn pending(&self) -> f64 {
        self.input.first().map_or(0, Vec::len) as f64 - self.at
    }
}

/// A windowed sinc for each phase; each sums to one, so that a constant stays what it is.
fn kernels(cutoff: f64) -> Vec<f32> {
    let mut table = Vec::with_capacity((PHASES + 1) * TAPS);
    for phase in 0..=PHASES {
        let offset = phase as f64 / PHASES as f64;
        let row: Vec<f64> = (0..TAPS)
            .map(|tap| {
                let x = tap as f64 - (HALF - 1) as f64 - offset;
                let edge = x / HALF as f64;
                let window =
                    bessel_i0(BETA * libm::sqrt((1.0 - edge * edge).max(0.0))) / bessel_i0(BETA);
                sinc(x * cutoff) * window
            })
            .collect();
        let sum: f64 = row.iter().sum();
        table.extend(row.iter().map(|tap| (tap / sum) as f32));
    }
    table
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { sin_pi(x) / (PI * x) }
}

/// sin(πx) by its power series, to 1e-12: a sine for arguments of any size would be 2 KB of every student's download.
fn sin_pi(x: f64) -> f64 {
    let nearest = libm::floor(x + 0.5);
    let y = PI * (x - nearest);
    let series = (1..=8).rev().fold(1.0, |rest, k| {
        1.0 - y * y / f64::from(2 * k * (2 * k + 1)) * rest
    });
    let even = libm::floor(nearest / 2.0) * 2.0 == nearest;
    if even { y * series } else { -y * series }
}

/// The modified Bessel function of order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        let factor = x / (2.0 * f64::from(k));
        term *= factor * factor;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_that_of_libm() {
        for i in -400..=400 {
            let x = f64::from(i) / 40.0;
            assert!((sin_pi(x) - libm::sin(PI * x)).abs() < 1e-11, "{x}");
        }
    }
    use crate::audio::tests::{Tone, sine};

    fn run(from: u32, to: u32, speed: f64, input: &[f32]) -> Vec<f32> {
        let mut resampler = Resampler::new(1, from, to);
        resampler.set_speed(speed);
        let mut output = [Vec::new()];
        for chunk in input.chunks(1024) {
            resampler.process(&[chunk], &mut output);
        }
        let [output] = output;
        output
    }

    #[test]
    fn a_tone_keeps_its_frequency_and_level_from_44100_to_48000() {
        for hz in [100.0, 1000.0, 10_000.0, 16_000.0] {
            let output = run(44_100, 48_000, 1.0, &sine(hz, 44_100, 88_200));
            assert!(
                (output.len() as i64 - 96_000).abs() < 40,
                "{}",
                output.len()
            );
            let tone = Tone::of(&output[1000..95_000], 48_000);
            assert!((tone.hz - hz).abs() < hz * 1e-4, "{hz}: {tone:?}");
            let tone = Tone::fit(&output[1000..95_000], 48_000, hz);
            assert!((tone.amplitude - 0.5).abs() < 0.005, "{hz}: {tone:?}");
            assert!(tone.noise_db < -70.0, "{hz}: {tone:?}");
        }
    }

    #[test]
    fn drift_is_taken_up_exactly() {
        let output = run(48_000, 48_000, 1.0002, &sine(440.0, 48_000, 4_800_000));
        let expected = 4_800_000.0 / 1.0002;
        assert!(
            (output.len() as f64 - expected).abs() < 20.0,
            "{} for {expected}",
            output.len()
        );
        let tone = Tone::of(&output[1000..97_000], 48_000);
        assert!((tone.hz - 440.0 * 1.0002).abs() < 0.005, "{tone:?}");
    }

    #[test]
    fn a_change_of_speed_is_no_click() {
        let input = sine(440.0, 48_000, 96_000);
        let mut resampler = Resampler::new(1, 48_000, 48_000);
        let mut output = [Vec::new()];
        for (i, chunk) in input.chunks(480).enumerate() {
            resampler.set_speed(if i % 2 == 0 { 0.999 } else { 1.001 });
            resampler.process(&[chunk], &mut output);
        }
        let steepest = output[0][100..]
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        let natural = 0.5 * 2.0 * core::f32::consts::PI * 440.0 / 48_000.0;
        assert!(steepest < natural * 1.01, "{steepest} against {natural}");
    }

    #[test]
    fn what_is_above_the_lower_nyquist_rate_is_removed() {
        let output = run(48_000, 16_000, 1.0, &sine(11_000.0, 48_000, 48_000));
        let loudest = output[200..15_800]
            .iter()
            .fold(0.0f32, |a, &b| a.max(b.abs()));
        assert!(loudest < 0.01, "{loudest}");
    }
}
