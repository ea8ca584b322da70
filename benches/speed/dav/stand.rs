//! A calendar server of its own for each run, near or far.

use crate::watched;
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;
use transhume_servers::{Cyrus, CyrusOptions, DavKind, DavOptions, DavServer, Relay};

/// Who moves, and who only has a calendar: a trial meeting needs two.
pub const USERS: [&str; 2] = ["mover", "friend"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Radicale,
    Xandikos,
    Cyrus,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Radicale => "Radicale",
            Self::Xandikos => "Xandikos",
            Self::Cyrus => "Cyrus",
        }
    }

    /// Where the calendars of the account are.
    pub const fn home(self) -> &'static str {
        match self {
            Self::Radicale => "/mover/",
            Self::Xandikos => "/mover/calendars/",
            Self::Cyrus => "/dav/calendars/user/mover/",
        }
    }

    /// Connections that transhume uses.
    pub const fn lanes(self) -> usize {
        match self {
            Self::Radicale | Self::Xandikos => 6,
            Self::Cyrus => 4,
        }
    }
}

/// A calendar server that commits each item waits for the disk each time, and disks differ: here it waits for none.
const MEMORY: &str = "/dev/shm";

pub fn medium() -> &'static str {
    if Path::new(MEMORY).is_dir() { "memory" } else { "a temporary folder" }
}

/// A fresh server that answers on a port of the caller's choice.
pub struct Stand {
    pub kind: Kind,
    server: Server,
    _relay: Option<Relay>,
    _dir: TempDir,
}

enum Server {
    Dav(DavServer),
    Cyrus(Cyrus),
}

impl Stand {
    pub fn start(kind: Kind, port: u16, each_way: Duration) -> Self {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("thb");
        let dir = builder.tempdir_in(MEMORY).or_else(|_| builder.tempdir()).unwrap();
        let far = !each_way.is_zero();
        if !far {
            let imap = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let ports = if kind == Kind::Cyrus { format!("{imap} {port}") } else { port.to_string() };
            fs::write(dir.path().join("ports"), ports).unwrap();
        }
        let (server, there) = serve(kind, dir.path());
        let relay = far.then(|| Relay::start_at(port, there, each_way).unwrap());
        assert!(far || there == port, "port {port} is taken by another program");
        Self { kind, server, _relay: relay, _dir: dir }
    }

    /// Seconds of processor time that the server has taken so far.
    pub fn cpu_seconds(&self) -> f64 {
        watched::cpu_of_server(match &self.server {
            Server::Dav(server) => server.pid(),
            Server::Cyrus(server) => server.pid(),
        })
    }
}

fn serve(kind: Kind, dir: &Path) -> (Server, u16) {
    let dir = Some(dir.to_owned());
    let dav = |kind| {
        let server =
            DavServer::start(DavOptions { dir: dir.clone(), ..DavOptions::with_accounts(kind, &USERS) }).unwrap();
        let port = server.port();
        (Server::Dav(server), port)
    };
    match kind {
        Kind::Radicale => dav(DavKind::Radicale),
        Kind::Xandikos => dav(DavKind::Xandikos),
        Kind::Cyrus => {
            let options = CyrusOptions { dir, dav: true, ..CyrusOptions::with_accounts(&USERS) };
            let server = Cyrus::start(options).unwrap();
            let url = server.dav_url().unwrap();
            let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
            (Server::Cyrus(server), port)
        }
    }
}
