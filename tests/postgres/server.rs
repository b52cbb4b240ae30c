//! A real Postgres in a temporary directory: only a socket, no port, gone with the test.
//!
//! Postgres refuses to run as root, so a test that runs as root starts it as `postgres` or `nobody`.
#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
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
            .program(&server.programs.join("initdb"))
            .args(["-D", "data", "-U", "postgres", "-A", "trust", "--no-sync"])
            .output();
        let made = made.unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let socket = server.dir.path().display().to_string();
        let mut postgres = server.program(&server.programs.join("postgres"));
        postgres.args(["-D", "data", "-k", &socket, "-c", "listen_addresses=", "-c", "max_connections=500"]);
        let log = fs::File::create(server.dir.path().join("log")).unwrap();
        postgres.args(["-c", "fsync=off"]).args(arguments).stdout(Stdio::null()).stderr(log);
        server.postmaster = Some(postgres.spawn().unwrap());
        let patience = Instant::now() + Duration::from_secs(30);
        while server.try_connect(5432, "postgres", "test").is_none() {
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
        self.try_connect(5432, "postgres", application).expect("Postgres takes the connection")
    }

    /// A client of whatever listens on a port's socket in its directory.
    pub fn client(&self, port: u16, database: &str) -> Option<Client> {
        self.try_connect(port, database, "test").map(Client)
    }

    /// What `psql` prints of a query in an environment.
    pub fn psql(&self, user: &str, arguments: &[&str], timezone: &str) -> Vec<u8> {
        let mut psql = self.program(&self.programs.join("psql"));
        psql.env("PGTZ", timezone).arg("-h").arg(self.dir.path()).args(["-U", user, "-d", "postgres"]);
        let output = psql.args(arguments).output().unwrap();
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Where everything is that belongs to it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// User and group that its programs run as, if not those of the test.
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// A program, to be run in its directory and as its owner.
    pub fn program(&self, program: &impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// The start of the wire protocol: a length, version 3.0, parameters; then messages of a letter and a
    /// length until `Z`, ready for query.
    fn try_connect(&self, port: u16, database: &str, application: &str) -> Option<UnixStream> {
        let mut stream = UnixStream::connect(self.dir.path().join(format!(".s.PGSQL.{port}"))).ok()?;
        let parameters = format!("user\0postgres\0database\0{database}\0application_name\0{application}\0\0");
        let mut hello = ((parameters.len() + 8) as u32).to_be_bytes().to_vec();
        hello.extend(196_608u32.to_be_bytes());
        hello.extend(parameters.as_bytes());
        stream.write_all(&hello).ok()?;
        loop {
            match message(&mut stream)? {
                (b'Z', _) => return Some(stream),
                (b'E', _) => return None,
                _ => {}
            }
        }
    }
}

/// The next message: its letter and its body.
fn message(stream: &mut UnixStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).ok()?;
    Some((head[0], body))
}

/// Texts by the names of their columns.
pub type Row = BTreeMap<String, String>;

/// A client that speaks the protocol's simple queries.
pub struct Client(UnixStream);

impl Client {
    /// Asks, and waits for the answer.
    pub fn ask(&mut self, query: &str) -> Vec<Row> {
        self.say(query);
        self.hear()
    }

    /// Asks.
    pub fn say(&mut self, query: &str) {
        let mut text = vec![b'Q'];
        text.extend((query.len() as u32 + 5).to_be_bytes());
        text.extend(query.as_bytes());
        text.push(0);
        self.0.write_all(&text).unwrap();
    }

    /// Waits for the answer.
    ///
    /// # Panics
    /// If there is none, or it is an error.
    pub fn hear(&mut self) -> Vec<Row> {
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        loop {
            let (letter, body) = message(&mut self.0).expect("an answer");
            match letter {
                b'T' => columns = names(&body),
                b'D' => rows.push(columns.iter().cloned().zip(values(&body)).collect()),
                b'Z' => return rows,
                b'E' => panic!("{}", String::from_utf8_lossy(&body)),
                _ => {}
            }
        }
    }
}

/// The names in a row description: each has a text that ends with zero, and eighteen bytes more.
fn names(mut body: &[u8]) -> Vec<String> {
    body = &body[2..];
    let mut names = Vec::new();
    while let Some(end) = body.iter().position(|byte| *byte == 0) {
        names.push(String::from_utf8_lossy(&body[..end]).into_owned());
        body = &body[end + 19..];
    }
    names
}

/// The texts in a data row: each has its length before it, −1 for null.
fn values(mut body: &[u8]) -> Vec<String> {
    body = &body[2..];
    let mut values = Vec::new();
    while let [a, b, c, d, rest @ ..] = body {
        let length = i32::from_be_bytes([*a, *b, *c, *d]).max(0) as usize;
        values.push(String::from_utf8_lossy(&rest[..length]).into_owned());
        body = &rest[length..];
    }
    values
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self
            .program(&self.programs.join("pg_ctl"))
            .args(["stop", "-D", "data", "-m", "immediate"])
            .output();
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
