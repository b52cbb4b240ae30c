//! A real PgBouncer before a real Postgres does what the model of a pooler does (`tests/model/pooler.rs`).
//!
//! Transaction mode, one connection to the node, three clients: they have it in turn, and a client that hangs
//! up within its transaction takes it along. Who waits is asked of PgBouncer's own console.

use crate::server::{Client, Server};
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PORT: u16 = 6432;

/// A running PgBouncer before a server, in its directory.
struct Bouncer<'a> {
    server: &'a Server,
    process: Child,
}

impl Bouncer<'_> {
    fn start(server: &Server) -> Bouncer<'_> {
        let dir = server.dir().display();
        let settings = format!(
            "[databases]\npostgres = host={dir} user=postgres\n\
             [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {dir}\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 1\n"
        );
        let file = server.dir().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        if let Some((user, group)) = server.owner() {
            chown(&file, Some(user), Some(group)).unwrap();
        }
        let mut program = server.program(&program());
        let process = program.args(["-q", "pgbouncer.ini"]).stdout(Stdio::null()).stderr(Stdio::null());
        let bouncer = Bouncer { server, process: process.spawn().unwrap() };
        until("PgBouncer starts", || server.client(PORT, "pgbouncer").is_some());
        bouncer
    }

    fn client(&self) -> Client {
        self.server.client(PORT, "postgres").expect("PgBouncer takes the client")
    }

    /// How many clients wait for a connection.
    fn waiting(&self) -> u32 {
        let mut console = self.server.client(PORT, "pgbouncer").expect("PgBouncer has a console");
        let rows = console.ask("show pools");
        let row = rows.iter().find(|row| row["database"] == "postgres").expect("the pool is known");
        row["cl_waiting"].parse().expect("a count")
    }
}

impl Drop for Bouncer<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits for something that must come.
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !there() {
        assert!(Instant::now() < patience, "waited in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// Where PgBouncer is: beside the administrator's programs, and seldom on the path.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
    let found = dirs.map(|dir| dir.join("pgbouncer")).find(|at| at.is_file());
    found.expect("no PgBouncer: install one, such as with `apt-get install pgbouncer`")
}

fn backend(client: &mut Client) -> String {
    client.ask("select pg_backend_pid() as pid")[0]["pid"].clone()
}

#[test]
fn three_clients_have_one_connection_in_turn() {
    let server = Server::start();
    server.psql("postgres", &["-c", "create table turns (n serial, who int)"], "UTC");
    let bouncer = Bouncer::start(&server);
    let [mut first, mut second, mut third] = [(); 3].map(|()| bouncer.client());

    // The first has the connection until its transaction ends; the others wait in line.
    first.ask("begin");
    let of_first = backend(&mut first);
    first.ask("insert into turns (who) values (1)");
    second.say("insert into turns (who) values (2)");
    until("the second waits", || bouncer.waiting() == 1);
    third.say("insert into turns (who) values (3)");
    until("the third waits", || bouncer.waiting() == 2);
    first.ask("commit");
    second.hear();
    third.hear();
    let turns = first.ask("select who from turns order by n");
    assert_eq!(turns.iter().map(|row| row["who"].as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!([&mut second, &mut third].map(backend), [of_first.clone(), of_first.clone()], "one backend");
    assert_eq!(bouncer.waiting(), 0);

    // A client that hangs up within its transaction takes the connection along; the next gets a new one.
    second.ask("begin");
    assert_eq!(backend(&mut second), of_first);
    drop(second);
    assert_ne!(backend(&mut third), of_first);
}
