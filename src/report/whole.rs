//! What is written whole or not at all: it is made beside its place, under a hidden name, and then renamed.
//!
//! Whoever makes it holds a lock on it, which ends with the process, however that ends. So what nobody holds
//! was left by one that was killed, and goes when the same name is written again. Left out: on a file system
//! without locks it stays.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
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

/// Whether a name is that of something unfinished: after `kill -9` it stands in a directory of ours, too.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.contains(&format!(".{UNFINISHED}"))
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

/// [`write()`], for a name that is written now and then: what killed programs left beside it goes.
///
/// # Errors
/// As [`write()`].
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    clear(&path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    write(path, bytes)
}

/// Writes a single file; what stood there before stands until the new one is whole.
///
/// # Errors
/// It cannot be written. Then nothing half-written is left.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let there = fs::metadata(path).ok();
    // A pipe or a device takes what comes.
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return fs::write(path, bytes);
    }
    // A link stays a link to what is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let unfinished = unfinished(path);
    let mut file = match File::create(&unfinished) {
        // Its directory takes no further file, or is only passed through: the file itself may do.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return fs::write(path, bytes),
        made => made?,
    };
    // Without a lock the next of its name cannot tell that we are at it.
    let _ = file.try_lock();
    let modes = || there.map_or(Ok(()), |there| fs::set_permissions(&unfinished, there.permissions()));
    let written = file.write_all(bytes).and_then(|()| modes()).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // Already failing: that the rest cannot be removed either adds nothing.
        let _ = fs::remove_file(&unfinished);
    }
    match written {
        // A file that is mounted by itself, as containers do it, cannot be renamed over.
        Err(error) if error.kind() == ErrorKind::ResourceBusy => fs::write(path, bytes),
        written => written,
    }
}
