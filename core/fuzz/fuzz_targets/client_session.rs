#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chalkcast_core_fuzz::client_session::run(data));
