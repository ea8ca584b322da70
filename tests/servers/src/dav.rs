//! Radicale and Xandikos, as `scripts/install-test-servers dav` made them ready.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cache;
use crate::dovecot::directory;
use crate::leash::Ending;
use crate::{Leash, Login, StartError, at, ports};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DavKind {
    /// Accounts with passwords; the home of each is `/<user>/`.
    Radicale,
    /// The first account is the only one, and everybody is let in: it has no passwords over plain HTTP.
    Xandikos,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct DavOptions {
    pub kind: DavKind,
    /// Where everything is kept, for a server that lasts (same port, same data when started again); `None` is a
    /// temporary directory.
    pub dir: Option<PathBuf>,
    /// Names and passwords; quotas and stores are not looked at.
    pub accounts: Vec<Login>,
    /// Of Radicale: the largest object it takes, in bytes, where that is not as it is installed.
    pub largest: Option<u64>,
}

impl DavOptions {
    /// A server with these accounts, each with the password `secret`.
    pub fn with_accounts(kind: DavKind, users: &[&str]) -> Self {
        let accounts = users.iter().map(|user| Login::new(*user, "secret")).collect();
        Self { kind, dir: None, accounts, largest: None }
    }
}

/// The program `vdirsyncer` that was made ready together with these servers.
///
/// # Errors
/// When it was not installed yet.
pub fn vdirsyncer() -> Result<PathBuf, StartError> {
    let home = cache::newest("dav-").ok_or_else(|| StartError::Missing("vdirsyncer".to_owned()))?;
    Ok(home.join("bin/vdirsyncer"))
}

/// A running CalDAV and CardDAV server; dropping it stops it.
#[derive(Debug)]
pub struct DavServer {
    leash: Leash,
    dir: PathBuf,
    port: u16,
    _temporary: Option<TempDir>,
}

impl DavServer {
    /// Starts a server and returns once it answers.
    ///
    /// # Errors
    /// When it was not installed yet, or does not come up.
    pub fn start(options: DavOptions) -> Result<Self, StartError> {
        let name = options.kind.name();
        let home = cache::newest("dav-").ok_or_else(|| StartError::Missing(name.to_owned()))?;
        let (dir, temporary) = directory(options.dir.as_deref())?;
        for _ in 0..4 {
            let [port] = ports::remembered(&dir.join("ports"))?;
            let command = options.command(&home, &dir, port)?;
            let leash = Leash::start(name, &command, &dir.join("log"), options.ending())?;
            match leash.await_http(port) {
                Ok(()) => return Ok(Self { leash, dir, port, _temporary: temporary }),
                Err(StartError::Silent { .. }) => fs::remove_file(dir.join("ports"))?,
                Err(other) => return Err(other),
            }
        }
        let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
        Err(StartError::Silent { server: name, reason: "four attempts".into(), log })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its root, plain HTTP on loopback.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn pid(&self) -> u32 {
        self.leash.pid()
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.leash.kill();
    }
}

impl DavKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Radicale => "Radicale",
            Self::Xandikos => "Xandikos",
        }
    }
}

impl DavOptions {
    /// What lasts is ended in order; what is thrown away, at once.
    fn ending(&self) -> Ending {
        if self.dir.is_some() { Ending::Orderly } else { Ending::Abrupt }
    }

    fn command(&self, home: &Path, dir: &Path, port: u16) -> Result<Command, StartError> {
        match self.kind {
            DavKind::Radicale => self.radicale(home, dir, port),
            DavKind::Xandikos => Ok(self.xandikos(home, dir, port)),
        }
    }

    /// Passwords go in by a file, never by argv.
    fn radicale(&self, home: &Path, dir: &Path, port: u16) -> Result<Command, StartError> {
        let (users, config) = (dir.join("users"), dir.join("config"));
        let lines: Vec<String> =
            self.accounts.iter().map(|login| format!("{}:{}\n", login.user, login.password)).collect();
        fs::write(&users, lines.concat()).map_err(at(&users))?;
        let largest = self.largest.map(|bytes| format!("max_resource_size = {bytes}\n")).unwrap_or_default();
        let text = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n{largest}[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
             htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {}\n[logging]\nlevel = warning\n",
            users.display(),
            dir.join("data").display()
        );
        fs::write(&config, text).map_err(at(&config))?;
        let mut command = Command::new(home.join("bin/python"));
        command.args(["-m", "radicale", "--config"]).arg(config);
        Ok(command)
    }

    fn xandikos(&self, home: &Path, dir: &Path, port: u16) -> Command {
        let user = self.accounts.first().map_or("user", |login| login.user.as_str());
        let mut command = Command::new(home.join("bin/xandikos"));
        command.arg("serve").arg("-d").arg(dir.join("data")).arg("--state-dir").arg(dir.join("state"));
        command.args(["--defaults", "--current-user-principal", &format!("/{user}/")]);
        command.args(["-l", "127.0.0.1", "-p", &port.to_string(), "--no-detect-systemd"]);
        command
    }
}
