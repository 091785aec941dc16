//! AAC-LC for browsers that decode it but do not encode it, as its own WebAssembly file so that only publishers there load it.
//!
//! The encoder looks at no frame but the one it encodes: 1,024 samples in, one access unit out, and 1,024 samples of priming.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

/// Samples a channel in one access unit.
pub const FRAME_SIZE: usize = 1024;

/// An AAC-LC encoder that takes one frame at a time.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub struct AacEncoder {
    encoder: syom::Encoder,
    channels: usize,
    input: Vec<f32>,
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
impl AacEncoder {
    /// One or two `channels`, `bitrate` in bits per second for all of them.
    ///
    /// # Errors
    /// A sample rate that AAC has no index for, another number of channels, or a bitrate above AAC's limit.
    #[cfg_attr(target_arch = "wasm32", wasm_bindgen(constructor))]
    pub fn new(sample_rate: u32, channels: usize, bitrate: u32) -> Result<AacEncoder, String> {
        let options = syom::EncodeOptions::raw().with_bitrate_bps(bitrate);
        let encoder =
            syom::Encoder::new(sample_rate, channels, &options).map_err(|e| e.to_string())?;
        Ok(Self {
            encoder,
            channels,
            input: vec![0.0; FRAME_SIZE * channels],
        })
    }

    /// The AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
    pub fn description(&self) -> Vec<u8> {
        self.encoder.asc().to_vec()
    }

    /// One access unit from 1,024 samples of each channel, one channel after the other. What is beyond full scale is clipped.
    ///
    /// # Errors
    /// Another number of samples; the encoder itself failed and cannot be used again.
    pub fn encode(&mut self, planar: &[f32]) -> Result<Vec<u8>, String> {
        if planar.len() != self.input.len() {
            return Err(format!(
                "{} samples for {} channels of {FRAME_SIZE}",
                planar.len(),
                self.channels
            ));
        }
        for (to, from) in self.input.iter_mut().zip(planar) {
            *to = if from.is_finite() {
                from.clamp(-1.0, 1.0)
            } else {
                0.0
            };
        }
        let planes: Vec<&[f32]> = self.input.chunks_exact(FRAME_SIZE).collect();
        let mut unit = Vec::new();
        self.encoder
            .feed(&planes, |frame| {
                unit.extend_from_slice(frame.au);
                Ok(())
            })
            .map_err(|e| e.to_string())?;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_in_is_an_access_unit_out_and_the_tone_survives() {
        let mut encoder = AacEncoder::new(48_000, 1, 64_000).unwrap();
        assert_eq!(encoder.description(), [0x11, 0x88]);
        let tone: Vec<f32> = (0..48 * FRAME_SIZE)
            .map(|i| 0.5 * (i as f32 * 0.1309).sin())
            .collect();
        let mut adts = Vec::new();
        for frame in tone.chunks_exact(FRAME_SIZE) {
            let unit = encoder.encode(frame).unwrap();
            assert!(!unit.is_empty() && unit.len() < 768);
            adts.extend(syom::wrap_adts_au(&unit, 48_000, 1).unwrap());
        }
        let decoded = syom::decode_with(&adts, &syom::DecodeOptions::unbounded()).unwrap();
        // 1,024 samples of priming come first.
        let (mut noise, mut signal) = (0.0, 0.0);
        for (a, b) in tone
            .iter()
            .zip(&decoded.channels[0][FRAME_SIZE..])
            .skip(4 * FRAME_SIZE)
        {
            noise += f64::from(a - b).powi(2);
            signal += f64::from(*a).powi(2);
        }
        assert!(signal > 100.0 * noise, "signal {signal}, noise {noise}");
    }

    #[test]
    fn what_is_not_a_sample_is_silence_and_a_wrong_length_is_refused() {
        let mut encoder = AacEncoder::new(44_100, 2, 96_000).unwrap();
        assert!(encoder.encode(&[f32::NAN; 2 * FRAME_SIZE]).is_ok());
        assert!(encoder.encode(&[7.0; 2 * FRAME_SIZE]).is_ok());
        assert!(encoder.encode(&[0.0; FRAME_SIZE]).is_err());
        assert!(AacEncoder::new(44_000, 2, 96_000).is_err());
    }
}
