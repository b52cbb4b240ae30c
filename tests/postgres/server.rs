//! A real Postgres in a temporary directory: only a socket, no port, gone with the test.
//!
//! Postgres refuses to run as root, so a test that runs as root starts it as `postgres` or `nobody`.
#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running server.
pub struct Server {
    dir: TempDir,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    postmaster: Option<Child>,
}

impl Server {
    /// Starts one with room for many connections.
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    /// Starts one with further arguments, such as `-c` and a setting.
    pub fn start_with(arguments: &[&str]) -> Server {
        // The path of a socket must be short.
        let dir = TempDir::with_prefix_in("herdsim-pg", "/tmp").unwrap();
        let owner = (fs::metadata(dir.path()).unwrap().uid() == 0).then(somebody);
        if let Some((user, group)) = owner {
            chown(dir.path(), Some(user), Some(group)).unwrap();
        }
        let mut server = Server { dir, programs: programs(), owner, postmaster: None };
        let made = server
            .program("initdb")
            .args(["-D", "data", "-U", "postgres", "-A", "trust", "--no-sync"])
            .output();
        let made = made.unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let socket = server.dir.path().display().to_string();
        let mut postgres = server.program("postgres");
        postgres.args(["-D", "data", "-k", &socket, "-c", "listen_addresses=", "-c", "max_connections=500"]);
        let log = fs::File::create(server.dir.path().join("log")).unwrap();
        postgres.args(["-c", "fsync=off"]).args(arguments).stdout(Stdio::null()).stderr(log);
        server.postmaster = Some(postgres.spawn().unwrap());
        let patience = Instant::now() + Duration::from_secs(30);
        while server.try_connect("test").is_none() {
            assert!(Instant::now() < patience, "Postgres did not start");
            sleep(Duration::from_millis(50));
        }
        server
    }

    /// The directory of its socket, which is what clients call the host.
    pub fn host(&self) -> &Path {
        self.dir.path()
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Opens a connection; it lives as long as the stream.
    pub fn connect(&self, application: &str) -> UnixStream {
        self.try_connect(application).expect("Postgres takes the connection")
    }

    /// What `psql` prints of a query in an environment.
    pub fn psql(&self, user: &str, arguments: &[&str], timezone: &str) -> Vec<u8> {
        let mut psql = self.program("psql");
        psql.env("PGTZ", timezone).arg("-h").arg(self.dir.path()).args(["-U", user, "-d", "postgres"]);
        let output = psql.args(arguments).output().unwrap();
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.dir.path());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// The start of the wire protocol: a length, version 3.0, parameters; then messages of a letter and a
    /// length until `Z`, ready for query.
    fn try_connect(&self, application: &str) -> Option<UnixStream> {
        let mut stream = UnixStream::connect(self.dir.path().join(".s.PGSQL.5432")).ok()?;
        let parameters = format!("user\0postgres\0database\0postgres\0application_name\0{application}\0\0");
        let mut hello = ((parameters.len() + 8) as u32).to_be_bytes().to_vec();
        hello.extend(196_608u32.to_be_bytes());
        hello.extend(parameters.as_bytes());
        stream.write_all(&hello).ok()?;
        loop {
            let mut head = [0; 5];
            stream.read_exact(&mut head).ok()?;
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            let mut body = vec![0; length as usize - 4];
            stream.read_exact(&mut body).ok()?;
            match head[0] {
                b'Z' => return Some(stream),
                b'E' => return None,
                _ => {}
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.program("pg_ctl").args(["stop", "-D", "data", "-m", "immediate"]).output();
        if let Some(mut postmaster) = self.postmaster.take() {
            let _ = postmaster.kill();
            let _ = postmaster.wait();
        }
    }
}

/// Where the server's programs are: they are often not on the path.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = packaged.map(|version| version.path().join("bin"));
    let found =
        std::env::split_paths(&path).chain(packaged).map(|dir| dir.join("initdb")).find(|at| at.is_file());
    let initdb = found.expect("no Postgres: install one, such as with `apt-get install postgresql`");
    // Beside the program itself are the others; beside a link to it they need not be.
    initdb.canonicalize().unwrap().parent().map(Path::to_owned).unwrap()
}

/// User and group of somebody who is not root.
fn somebody() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map(|id| id.parse().ok());
        Some((ids.next()??, ids.next()??))
    };
    find("postgres").or_else(|| find("nobody")).expect("a user who is not root")
}
