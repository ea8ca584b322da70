//! A project directory, and the real program run in it.

use serde_json::Value;
use std::{fs, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};
use transhume_simulators::Running;

/// No run may take longer.
const LONGEST: Duration = Duration::from_secs(240);

pub struct Project {
    dir: TempDir,
}

/// How one run of the program ended.
pub struct Ended {
    pub code: i32,
    /// The events on stdout.
    pub events: Vec<Value>,
    pub stderr: String,
}

impl Ended {
    pub fn summary(&self) -> &Value {
        self.events.last().unwrap()
    }

    pub fn of_type(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["type"] == name)
    }
}

impl Project {
    /// Moves the mail of these people to these logins at an IMAP server on loopback; `more` is appended to the
    /// configuration.
    pub fn new(simulator: &Running, people: &[String], logins: &[String], port: u16, more: &str) -> Self {
        let target = format!(
            "[target.mail]\nconnector = \"imap\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"plain\"\n\
             authentication = \"password\"\npasswords = \"passwords.csv\"\nbatch = 7\ntimeout = 30\n\n{more}"
        );
        Self::with(simulator, people, logins, &target)
    }

    /// Moves their calendars, contacts and tasks to a DAV server.
    pub fn groupware(simulator: &Running, people: &[String], logins: &[String], url: &str) -> Self {
        let target = format!(
            "connector = \"dav\"\nurl = \"{url}\"\nauthentication = \"password\"\npasswords = \"passwords.csv\"\n"
        );
        let targets = ["calendar", "contacts", "tasks"].map(|workload| format!("[target.{workload}]\n{target}\n"));
        Self::with(simulator, people, logins, &targets.concat())
    }

    fn with(simulator: &Running, people: &[String], logins: &[String], targets: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = simulator.base_url();
        let configuration = format!(
            "[source]\nconnector = \"graph\"\ntenant = \"contoso\"\nclient_id = \"app\"\n\
             client_secret = {{ file = \"secret\" }}\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\n{targets}"
        );
        let pairs = people.iter().zip(logins);
        let accounts: String = pairs.map(|(person, login)| format!("{person},{login},1\n")).collect();
        let passwords: String = logins.iter().map(|login| format!("{login},secret\n")).collect();
        let this = Self { dir };
        let made =
            std::process::Command::new(program()).arg("init").arg("--project").arg(this.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(this.path().join("transhume.toml"), configuration).unwrap();
        fs::write(this.path().join("secret"), "secret\n").unwrap();
        fs::write(this.path().join("accounts.csv"), format!("source,target,wave\n{accounts}")).unwrap();
        fs::write(this.path().join("passwords.csv"), format!("login,password\n{passwords}")).unwrap();
        this
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).arg("--project").arg(self.path()).arg("--json").kill_on_drop(true);
        command.stdin(Stdio::null());
        command
    }

    /// Starts a run that is left to itself.
    pub fn start(&self) -> Child {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path().join("stderr.log")).unwrap();
        self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    pub async fn call(&self, arguments: &[&str]) -> Ended {
        let output = timeout(LONGEST, self.command(arguments).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{arguments:?} hangs")).unwrap();
        let events = String::from_utf8(output.stdout).unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            events: events.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs until nothing is owed.
    pub async fn run_until_done(&self, at_most: usize) -> Ended {
        let mut last = self.call(&["run"]).await;
        for _ in 1..at_most {
            if last.code == 0 {
                break;
            }
            assert!(matches!(last.code, 1 | 3), "exit {}: {}", last.code, last.stderr);
            last = self.call(&["run"]).await;
        }
        last
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_transhume")
}
