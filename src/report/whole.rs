//! What is written whole or not at all: it is made beside its place, under a hidden name, and then renamed.
//!
//! Whoever makes it holds a lock on it, which ends with the process, however that ends. So what nobody holds
//! was left by one that was killed, and goes when the same name is written again. Left out: on a file system
//! without locks it stays.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

const UNFINISHED: &str = "unfinished";

/// Where something is made that is to have this name.
pub fn unfinished(path: &Path) -> PathBuf {
    beside(path, UNFINISHED)
}

/// A hidden sibling; the process id keeps two programs apart.
pub fn beside(path: &Path, what: &str) -> PathBuf {
    path.with_file_name(format!(".{}.{what}.{}", name(path), std::process::id()))
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The lock on a file or directory that is being made, if it can be had.
pub fn hold(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    file.try_lock().ok().map(|()| file)
}

/// Removes what killed programs left unfinished beside this path.
pub fn clear(path: &Path) {
    let begins = format!(".{}.{UNFINISHED}.", name(path));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name
            .strip_prefix(&begins)
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        if ours && let Some(_held) = hold(&entry.path()) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
}
