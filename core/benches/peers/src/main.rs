//! The tables of this machine's own code.

use std::time::Instant;

use chalkcast_core_peers::{Host, run};

fn main() {
    let start = Instant::now();
    run(&Host {
        now: &|| start.elapsed(),
        line: &|line| println!("{line}"),
    });
}
