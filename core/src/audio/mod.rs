//! Sound on its way from the decoder to the sound card: at another sample rate, a little faster or slower, without breaks.
//!
//! [`Playout`] is what a player uses; it joins a [`Stretch`] (speed with the pitch kept) and a [`Resampler`] (sample rate and drift). Samples are planar
//! `f32`, a slice per channel, all of one length. Nothing here has a clock: what comes in comes out.

mod playout;
mod resampler;
mod stretch;

pub use playout::{Block, Playout};
pub use resampler::Resampler;
pub use stretch::Stretch;

#[cfg(test)]
pub(crate) mod tests {
    use alloc::vec::Vec;
    use core::f64::consts::TAU;

    /// A tone of amplitude 0.5.
    pub(crate) fn sine(hz: f64, sample_rate: u32, length: usize) -> Vec<f32> {
        (0..length)
            .map(|i| (0.5 * libm::sin(TAU * hz * i as f64 / f64::from(sample_rate))) as f32)
            .collect()
    }

    /// What a recording of one tone measures as.
    #[derive(Debug)]
    pub(crate) struct Tone {
        pub(crate) hz: f64,
        pub(crate) amplitude: f64,
        /// What is left without the tone, relative to it.
        pub(crate) noise_db: f64,
    }

    impl Tone {
        /// Measures the frequency by the rising zero crossings, the rest by a fit.
        pub(crate) fn of(samples: &[f32], sample_rate: u32) -> Self {
            let crossings: Vec<f64> = samples
                .windows(2)
                .enumerate()
                .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
                .map(|(i, pair)| i as f64 + f64::from(-pair[0] / (pair[1] - pair[0])))
                .collect();
            let span = crossings[crossings.len() - 1] - crossings[0];
            let hz = (crossings.len() - 1) as f64 / span * f64::from(sample_rate);
            Self::fit(samples, sample_rate, hz)
        }

        /// Level and residue by a least-squares fit of a known frequency.
        pub(crate) fn fit(samples: &[f32], sample_rate: u32, hz: f64) -> Self {
            // Least squares: samples = a sin + b cos.
            let (mut ss, mut sc, mut cc, mut xs, mut xc) = (0.0, 0.0, 0.0, 0.0, 0.0);
            let wave = |i: usize| {
                let angle = TAU * hz * i as f64 / f64::from(sample_rate);
                (libm::sin(angle), libm::cos(angle))
            };
            for (i, &sample) in samples.iter().enumerate() {
                let ((sin, cos), x) = (wave(i), f64::from(sample));
                ss += sin * sin;
                sc += sin * cos;
                cc += cos * cos;
                xs += x * sin;
                xc += x * cos;
            }
            let determinant = ss * cc - sc * sc;
            let (a, b) = (
                (xs * cc - xc * sc) / determinant,
                (xc * ss - xs * sc) / determinant,
            );
            let residue: f64 = samples
                .iter()
                .enumerate()
                .map(|(i, &sample)| {
                    let (sin, cos) = wave(i);
                    let left = f64::from(sample) - a * sin - b * cos;
                    left * left
                })
                .sum();
            let power = (a * a + b * b) / 2.0;
            let noise = (residue / samples.len() as f64).max(1e-12);
            Self {
                hz,
                amplitude: (a * a + b * b).sqrt(),
                noise_db: 10.0 * libm::log10(noise / power),
            }
        }
    }
}
