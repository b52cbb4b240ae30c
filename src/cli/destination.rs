//! The files that options name as destinations: a name that is already taken may be that of somebody's work.

use super::Failure;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JUnit XML.
    Junit,
    /// A trace for Perfetto.
    Trace,
    /// OpenMetrics text.
    OpenMetrics,
    /// A vector picture.
    Svg,
    /// A pixel picture.
    Png,
}

impl Kind {
    /// What all of its files begin with, and what they are called.
    fn of(self) -> (&'static [u8], &'static str) {
        match self {
            Kind::Junit => (b"<?xml", "JUnit XML"),
            Kind::Trace => (b"{\"displayTimeUnit\"", "a trace"),
            Kind::OpenMetrics => (b"# TYPE", "OpenMetrics text"),
            Kind::Svg => (b"<svg", "an SVG"),
            Kind::Png => (b"\x89PNG", "a PNG"),
        }
    }
}

/// Makes sure, before anybody waits for it, that a file may be written: it is not there, is empty, or holds
/// the same kind of thing, which is replaced.
///
/// # Errors
/// [`Failure::Usage`] if it holds something else, [`Failure::Io`] if it cannot be looked at.
pub fn claim(file: &Path, kind: Kind) -> Result<(), Failure> {
    // A pipe or a device has nothing to lose, and who reads it waits for ever.
    if fs::metadata(file).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Ok(());
    }
    let (begins, what) = kind.of();
    let mut found = Vec::new();
    let read = fs::File::open(file).and_then(|there| there.take(begins.len() as u64).read_to_end(&mut found));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io("write", file, error)),
        Ok(_) if found.is_empty() || found == begins => Ok(()),
        Ok(_) => Err(Failure::Usage(format!(
            "`{}` is there and is not {what}: choose another name, or remove it",
            file.display()
        ))),
    }
}

/// Writes a file that was claimed, and the directories above it.
///
/// # Errors
/// [`Failure::Io`] if that fails.
pub fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let made = parent.map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(file, bytes)).map_err(|error| Failure::io("write", file, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_empty_or_of_its_kind_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a/out.xml");
        assert!(claim(&file, Kind::Junit).is_ok(), "new");
        write(&file, b"").unwrap();
        assert!(claim(&file, Kind::Junit).is_ok(), "empty");
        write(&file, b"<?xml version=\"1.0\"?>").unwrap();
        assert!(claim(&file, Kind::Junit).is_ok(), "an earlier one");
        assert!(matches!(claim(&file, Kind::Trace), Err(Failure::Usage(_))), "another kind");
        assert!(matches!(claim(dir.path(), Kind::Junit), Err(Failure::Io(_))), "a directory");
        assert!(claim(Path::new("/dev/null"), Kind::Junit).is_ok(), "a device");
    }
}
