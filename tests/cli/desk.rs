//! A desk to work at: an empty directory, the program, and a scenario of a few seconds.

use assert_cmd::Command;
use std::fs;
use std::path::PathBuf;
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
