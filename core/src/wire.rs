//! Bounded reading and writing of big-endian fields.
