//! Resampling and pitch-keeping stretch.
