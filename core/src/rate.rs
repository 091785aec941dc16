//! The publisher's uplink estimate and what it sheds.
