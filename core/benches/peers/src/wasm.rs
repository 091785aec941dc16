//! The same under Node: `wasm.mjs` lends the clock and prints.

use std::time::Duration;

use crate::{Host, decode, run};

mod host {
    unsafe extern "C" {
        /// Milliseconds since some fixed point.
        pub safe fn now() -> f64;
        /// Prints UTF-8 text.
        pub safe fn line(text: *const u8, length: usize);
    }
}

const HOST: Host<'_> = Host {
    now: &|| Duration::from_secs_f64(host::now() / 1000.0),
    line: &|line| host::line(line.as_ptr(), line.len()),
};

/// Prints the tables.
#[unsafe(no_mangle)]
pub extern "C" fn bench() {
    run(&HOST);
}

/// Prints the table of the decoders.
#[unsafe(no_mangle)]
pub extern "C" fn bench_decode() {
    decode(&HOST);
}

getrandom::register_custom_getrandom!(no_randomness);

/// Nothing that is measured asks for any.
fn no_randomness(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}
