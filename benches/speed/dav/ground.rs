//! What every race starts from: a project that has pulled, and files of the same events.

use super::{
    plain,
    stand::{Kind, Stand, USERS},
};
use crate::{
    project::{self, Target},
    tenants,
    watched::{self, Watched, transhume},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use transhume_simulators::Running;

pub struct Ground {
    dir: TempDir,
    owner: String,
    port: u16,
    /// Calendar by calendar, each event as it is sent.
    calendars: Vec<Vec<Vec<u8>>>,
    /// The check before a push asks the source, too.
    _source: (Running, Runtime),
}

impl Ground {
    /// Pulls the events once for the server that will stand at the port, and writes them out once as files.
    pub fn new(events: u32) -> Self {
        let dir = tempfile::Builder::new().prefix("thb").tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dump = tenants::agenda(events);
        let owners = tenants::owners(&dump);
        let runtime = Runtime::new().unwrap();
        let simulator = tenants::serve(&runtime, dump, 4, Duration::ZERO);
        for (name, target, verb) in [("project", Target::Dav(port), "pull"), ("files", Target::Files, "run")] {
            let project = dir.path().join(name);
            project::write(&project, &simulator.base_url(), &target, 4);
            let lines = owners.iter().cloned().zip(USERS.map(str::to_owned));
            project::accounts(&project, &lines.collect::<Vec<_>>());
            let logins: String = USERS.iter().map(|user| format!("{user},secret\n")).collect();
            fs::write(project.join("passwords.csv"), format!("login,password\n{logins}")).unwrap();
            transhume(&project, &[verb]);
        }
        let owner = owners[0].clone();
        let mut ground = Self { dir, owner, port, calendars: Vec::new(), _source: (simulator, runtime) };
        ground.calendars = read(&ground.files());
        assert_eq!(ground.total() as u32, events, "every event stands in a file of its own");
        ground
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn total(&self) -> f64 {
        self.calendars.iter().map(Vec::len).sum::<usize>() as f64
    }

    fn files(&self) -> PathBuf {
        self.dir.path().join("files/files").join(USERS[0]).join("calendars")
    }

    /// A push, and the seconds of processor time that the server took for it.
    pub fn transhume(&self, stand: &Stand) -> (Watched, f64) {
        let project = TempDir::new_in(self.dir.path()).unwrap();
        project::copy(&self.dir.path().join("project"), project.path());
        if stand.kind == Kind::Cyrus {
            transhume(project.path(), &["check", "--canary"]);
        }
        let before = stand.cpu_seconds();
        let pushed = transhume(project.path(), &["push", "--account", &self.owner]);
        (pushed, stand.cpu_seconds() - before)
    }

    /// It looks for calendars and makes those that are missing in one run, and fills them in another.
    pub fn vdirsyncer(&self, stand: &Stand) -> Watched {
        let dir = TempDir::new_in(self.dir.path()).unwrap();
        let (config, port) = (dir.path().join("config"), self.port);
        let root = if stand.kind == Kind::Cyrus { "/dav/" } else { "/" };
        let text = format!(
            "[general]\nstatus_path = \"{}\"\n\n[pair push]\na = \"near\"\nb = \"far\"\ncollections = [\"from a\"]\n\
             implicit = \"create\"\n\n[storage near]\ntype = \"filesystem\"\npath = \"{}\"\nfileext = \".ics\"\n\n\
             [storage far]\ntype = \"caldav\"\nurl = \"http://127.0.0.1:{port}{root}\"\nusername = \"{}\"\n\
             password = \"secret\"\n",
            dir.path().join("status").display(),
            self.files().display(),
            USERS[0]
        );
        fs::write(&config, text).unwrap();
        let [found, filled] = ["discover", "sync"].map(|verb| {
            let mut command = Command::new(transhume_servers::vdirsyncer().unwrap());
            command.args(["--verbosity", "WARNING", "--config"]).arg(&config).arg(verb);
            watched::watch(command)
        });
        let (seconds, cpu_seconds) = (found.seconds + filled.seconds, found.cpu_seconds + filled.cpu_seconds);
        Watched { seconds, cpu_seconds, ..filled }
    }

    /// Seconds of a client that makes the calendars and sends each event, with as many connections as transhume.
    pub fn plain(&self, stand: &Stand) -> f64 {
        plain::put_all(self.port, stand.kind.home(), &self.calendars, stand.kind.lanes())
    }
}

fn read(calendars: &Path) -> Vec<Vec<Vec<u8>>> {
    let folders = fs::read_dir(calendars).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let one = |folder: PathBuf| -> Vec<Vec<u8>> {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let events = files.filter(|path| path.extension().is_some_and(|end| end == "ics"));
        events.map(|path| fs::read(path).unwrap()).collect()
    };
    folders.map(one).filter(|events| !events.is_empty()).collect()
}
