//! Names the build: a hash of the sources that decide what a simulation shows.
//!
//! Equal inputs give equal bytes with one build; parts of a sweep by two builds are not put together. What
//! draws and prints (`report`, `cli`) is left out. FNV-1a, which needs no library: chance alone must not make
//! two builds one.

use std::path::{Path, PathBuf};

const DECIDES: [&str; 7] =
    ["Cargo.lock", "src/engine", "src/scenario", "src/model", "src/measure", "src/experiment", "src/lib.rs"];

fn main() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for path in DECIDES.iter().flat_map(|path| files(Path::new(path))) {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // A checkout may end its lines otherwise.
        for byte in text.into_iter().filter(|byte| *byte != b'\r') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=HERDSIM_BUILD={:08x}", (hash ^ (hash >> 32)) as u32);
}

/// The files below a path, in order of their names.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = path.read_dir() else { return vec![path.to_owned()] };
    println!("cargo::rerun-if-changed={}", path.display());
    let mut inside: Vec<PathBuf> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    inside.sort();
    inside.iter().flat_map(|path| files(path)).collect()
}
