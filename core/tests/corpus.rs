//! Every input that fuzzing has kept or found, through the same function as in the fuzz target.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub)]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(kind)
        .join(target);
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable directory").path())
        .collect()
}

#[test]
fn every_input_of_the_corpora_and_every_crash_is_survived() {
    for (name, run) in targets::TARGETS {
        let corpus = inputs("corpus", name);
        assert!(!corpus.is_empty(), "no corpus for {name}");
        for path in corpus.into_iter().chain(inputs("artifacts", name)) {
            println!("{}", path.display());
            run(&fs::read(&path).expect("a readable input"));
        }
    }
}
