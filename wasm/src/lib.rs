//! chalkcast-wasm
