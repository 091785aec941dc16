//! What the tests that span parts share: a simulated connection on a fake clock, and a pair of sessions at its ends.

mod capture;
mod link;
mod nginx;
mod pair;
mod random;
pub mod sim;
mod tcp;

pub use capture::Capture;
pub use link::{Link, LinkConfig};
pub use nginx::Nginx;
pub use pair::Pair;
pub use random::Random;
pub use tcp::{Recording, TestClient, TestServer};
