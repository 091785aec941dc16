//! Has the pages embedded anew when they change. A debug build reads them from disk.

use std::fs;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let release = std::env::var("PROFILE").as_deref() == Ok("release");
    for folder in ["../js/dist", "../examples/demo"] {
        // A folder that is missing when this is compiled would not be read later either.
        fs::create_dir_all(folder)?;
        if release {
            println!("cargo::rerun-if-changed={folder}");
        }
    }
    Ok(())
}
