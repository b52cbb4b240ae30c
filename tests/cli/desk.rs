//! A desk to work at: an empty directory, the program, and a scenario of a few seconds.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Five simulated seconds: four containers, lifetimes of two seconds, one expectation that holds and one that
/// fails.
pub const TINY: &str = r#"
schema_version = 1
title = "Tiny"
duration = "5s"
seeds = [1]
compare = ["plain", "jitter"]

[postgres.primary]
cores = 2
max_connections = 100

[service.api]
containers = { min = 4, max = 4 }

[service.api.pool.primary]
preset = "pgxpool"
max = 4
max_lifetime = "2s"

[query.lookup]
cpu = { exponential = "0.5ms" }

[request.sign-in]
service = "api"
timeout = "2s"
patience = "3s"
steps = [{ app = "1ms" }, { query = "lookup", on = "primary" }]

[traffic.users]
request = "sign-in"
rate = "200/s"

[variant.plain]
why = "as it stands"

[variant.jitter]
why = "lifetimes spread by chance"
[variant.jitter.set]
"service.*.pool.*.max_lifetime_jitter" = "1s"

[variant.doubtful]
why = "its expectation is absurd"

[expect.few-starts]
variant = "jitter"
metric = "connects_max_1s"
of = "postgres.primary"
max = 100000

[expect.absurdly-many-starts]
variant = "doubtful"
metric = "connects_max_1s"
of = "postgres.primary"
min = 100000
"#;

/// An empty directory and the program in it.
pub struct Desk {
    dir: TempDir,
}

impl Desk {
    /// A desk with `tiny.toml` on it.
    pub fn new() -> Desk {
        let desk = Desk { dir: TempDir::new().unwrap() };
        desk.write("tiny.toml", TINY);
        desk
    }

    /// The path of a file on the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a file on the desk.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The text of a file on the desk.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// All files of two directories on the desk are the same, byte for byte.
    pub fn same(&self, one: &str, other: &str) {
        let (ours, theirs) = (files(&self.path(one)), files(&self.path(other)));
        let names =
            |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs));
        for ((name, bytes), (_, others)) in ours.iter().zip(&theirs) {
            assert!(bytes == others, "{} differs", name.display());
        }
    }

    /// The program with these arguments, in an environment that asks for nothing.
    pub fn herdsim(&self, line: &str) -> Command {
        let mut command = Command::cargo_bin("herdsim").unwrap();
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "RAYON_NUM_THREADS"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program; it must end with this code. Gives stdout and stderr.
    pub fn ends(&self, line: &str, code: i32) -> (String, String) {
        let output = self.herdsim(line).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "herdsim {line}\nstdout:\n{out}\nstderr:\n{err}");
        (out, err)
    }
}

/// All files below a directory, by their path in it.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
