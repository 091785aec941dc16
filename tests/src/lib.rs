//! What the tests that span parts share: a simulated connection on a fake clock, and a pair of sessions at its ends.

mod link;
mod pair;
mod random;

pub use link::{Link, LinkConfig};
pub use pair::Pair;
pub use random::Random;
