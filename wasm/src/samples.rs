//! Reading the samples of an `AudioData`.

use js_sys::Float32Array;
use web_sys::{AudioData, AudioDataCopyToOptions, AudioSampleFormat};

/// The samples of each channel.
pub(crate) fn planes(data: &AudioData) -> Option<Vec<Vec<f32>>> {
    (0..data.number_of_channels())
        .map(|plane| {
            let options = AudioDataCopyToOptions::new(plane);
            options.set_format(AudioSampleFormat::F32Planar);
            let samples = Float32Array::new_with_length(data.number_of_frames());
            data.copy_to_with_buffer_source(&samples, &options).ok()?;
            Some(samples.to_vec())
        })
        .collect()
}
