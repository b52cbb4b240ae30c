//! The files that options name as destinations: a name that is already taken may be that of somebody's work.

use super::Failure;
use crate::report::whole;
use std::fs::{self, File, OpenOptions};
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
    /// What all of our files of this kind begin with, but for digits, and what they are called.
    fn of(self) -> (&'static [u8], &'static str) {
        match self {
            Kind::Junit => {
                (b"<?xml version=\".\" encoding=\"UTF-\"?>\n<testsuites name=\"herdsim\"", "JUnit XML")
            }
            Kind::Trace => (b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", "a trace"),
            Kind::OpenMetrics => (b"# TYPE herdsim_", "OpenMetrics text"),
            Kind::Svg => (b"<svg width=\"\" height=\"\" role=\"img\" viewBox=\"", "an SVG"),
            Kind::Png => (b"\x89PNG", "a PNG"),
        }
    }
}

/// The longest beginning that is looked at.
const BEGINNING: u64 = 256;

/// Makes sure, before anybody waits for it, that a file may be written and can be: it is not there, is empty,
/// or holds what an earlier command wrote, which is replaced.
///
/// # Errors
/// [`Failure::Usage`] if it holds something else, [`Failure::Io`] if it cannot be looked at or written.
pub fn claim(file: &Path, kind: Kind) -> Result<(), Failure> {
    // A pipe or a device has nothing to lose, and who reads it waits for ever.
    if fs::metadata(file).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Ok(());
    }
    let (begins, what) = kind.of();
    let mut found = Vec::new();
    let read = File::open(file).and_then(|there| there.take(BEGINNING).read_to_end(&mut found));
    let empty = found.is_empty();
    found.retain(|byte| !byte.is_ascii_digit());
    let tried = match read {
        Err(error) if error.kind() == ErrorKind::NotFound => try_new(file),
        Err(error) => Err(error),
        Ok(_) if empty || found.starts_with(begins) => OpenOptions::new().write(true).open(file).map(drop),
        Ok(_) => {
            return Err(Failure::Usage(format!(
                "`{}` is there and is not {what} of herdsim's: choose another name, or remove it",
                file.display()
            )));
        }
    };
    tried.map_err(|error| Failure::io("write", file, error))
}

/// Makes a file, with the directories above, and removes it again.
fn try_new(file: &Path) -> std::io::Result<()> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), fs::create_dir_all)?;
    File::create_new(file)?;
    fs::remove_file(file)
}

/// Writes a file that was claimed, whole or not at all, and the directories above it.
///
/// # Errors
/// [`Failure::Io`] if that fails; what was there before is there still.
pub fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let made = parent.map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| whole::replace(file, bytes)).map_err(|error| Failure::io("write", file, error))
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
        assert!(claim(&file, Kind::Junit).is_ok() && file.exists(), "trying changes nothing");
        let tested = crate::report::tested::Tested { suites: vec![], bears_inconclusive: false };
        write(&file, crate::report::junit::xml(&tested).unwrap().as_bytes()).unwrap();
        assert!(claim(&file, Kind::Junit).is_ok(), "an earlier one");
        assert!(matches!(claim(&file, Kind::Trace), Err(Failure::Usage(_))), "another kind");
        assert!(matches!(claim(dir.path(), Kind::Junit), Err(Failure::Io(_))), "a directory");
        assert!(claim(Path::new("/dev/null"), Kind::Junit).is_ok(), "a device");
    }

    #[test]
    fn work_of_others_that_begins_alike_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for (kind, theirs) in [
            (Kind::Junit, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<project>"),
            (Kind::Junit, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pytest\">"),
            (Kind::Svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\">"),
            (Kind::OpenMetrics, "# TYPE node_load1 gauge"),
            (Kind::Trace, "{\"displayTimeUnit\":\"ns\"}"),
        ] {
            let file = dir.path().join("theirs");
            fs::write(&file, theirs).unwrap();
            assert!(matches!(claim(&file, kind), Err(Failure::Usage(_))), "{theirs}");
        }
        let drawing = crate::report::canvas::Drawing::new(10.0, 10.0, "a picture");
        let file = dir.path().join("ours.svg");
        fs::write(&file, drawing.svg()).unwrap();
        assert!(claim(&file, Kind::Svg).is_ok());
    }

    #[test]
    fn that_a_file_cannot_be_written_is_known_at_once_and_trying_leaves_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let below = dir.path().join("file/out.xml");
        assert!(matches!(claim(&below, Kind::Junit), Err(Failure::Io(_))));
        let new = dir.path().join("new.xml");
        assert!(claim(&new, Kind::Junit).is_ok() && !new.exists());
        if Path::new("/proc").is_dir() {
            assert!(matches!(claim(Path::new("/proc/nope/x.xml"), Kind::Junit), Err(Failure::Io(_))));
        }
    }
}
