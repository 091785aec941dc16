//! When a received tag is played.
