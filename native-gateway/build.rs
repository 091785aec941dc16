//! Has the pages embedded anew when they change. A debug build reads them from disk and needs nothing.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        for folder in ["../js/dist", "../examples/demo"] {
            // Where a folder is missing, watching it would build the crate again every time.
            if Path::new(folder).exists() {
                println!("cargo::rerun-if-changed={folder}");
            }
        }
    }
}
