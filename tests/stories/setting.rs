//! The stage of a story: a simulated tenant, a target, a project directory, and the binary that acts in it.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use transhume_servers::{Dovecot, DovecotOptions, Login, Proxy, Script};
use transhume_simulators::dump::Dump;
use transhume_simulators::seed::{Recipe, tenant};
use transhume_simulators::{Options, Running, Simulator};

/// The client secret of the application, and the password of Dovecot's master user.
pub const SECRET: &str = "secret";
pub const MASTER_PASSWORD: &str = "shepherd";

/// What the binary said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub struct Story {
    pub simulator: Running,
    pub dovecot: Option<Dovecot>,
    pub addresses: Vec<String>,
    /// The secret and the password handed over in the environment.
    pub secret: String,
    pub password: String,
    pub dir: TempDir,
    pub runtime: Runtime,
}

/// So many accounts with so many ordinary messages each.
pub fn ordinary(accounts: u32, messages: u32) -> Recipe {
    Recipe { accounts, messages, hostile: false, ..Recipe::default() }
}

/// A server with a login for each of `accounts` and the master user.
pub fn server(accounts: usize) -> DovecotOptions {
    let logins = (1..=accounts).map(|number| Login::new(login(number), "own")).collect();
    DovecotOptions {
        accounts: logins,
        master: Some(Login::new("migrator", MASTER_PASSWORD)),
        ..DovecotOptions::default()
    }
}

pub fn login(number: usize) -> String {
    format!("account{number}")
}

impl Story {
    /// Moves into a folder.
    pub fn new(recipe: &Recipe) -> Self {
        Self::of(tenant(recipe), recipe.accounts as usize, Options::default(), None)
    }

    /// Moves into a Dovecot.
    pub fn with_server(recipe: &Recipe, server: DovecotOptions) -> Self {
        let dovecot = Dovecot::start(server).unwrap();
        Self::of(tenant(recipe), recipe.accounts as usize, Options::default(), Some(dovecot))
    }

    /// A project as `init` and an administrator would leave it, with the first `accounts` of the tenant in its list.
    pub fn of(dump: Dump, accounts: usize, options: Options, dovecot: Option<Dovecot>) -> Self {
        let addresses = addresses(&dump).into_iter().take(accounts).collect();
        let runtime = Runtime::new().unwrap();
        let simulator = runtime.block_on(Simulator::start(dump, options)).unwrap();
        let dir = tempfile::Builder::new().prefix("story").tempdir().unwrap();
        let (secret, password) = (SECRET.to_owned(), MASTER_PASSWORD.to_owned());
        let story = Self { simulator, dovecot, addresses, secret, password, dir, runtime };
        story.run(&["init"]).ok();
        story.write("transhume.toml", story.configuration());
        story.write("accounts.csv", story.accounts());
        story
    }

    pub fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    /// Puts a proxy between the project and its server. To be done before anything ran: it is another address.
    pub fn through_proxy(&self) -> Proxy {
        let port = self.dovecot.as_ref().unwrap().imap_port();
        let proxy = Proxy::start(port, Script::default()).unwrap();
        self.reconfigure(&format!("port = {port}"), &format!("port = {}", proxy.port()));
        proxy
    }

    /// A place beside the project.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    fn configuration(&self) -> String {
        let url = self.simulator.base_url();
        let target = match &self.dovecot {
            None => "connector = \"folder\"\npath = \"mail\"\n".to_owned(),
            Some(dovecot) => format!(
                "connector = \"imap\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\n\
                 authentication = \"master\"\nmaster = \"migrator\"\npassword = {{ env = \"STORY_PASSWORD\" }}\n",
                dovecot.imap_port()
            ),
        };
        format!(
            "[source]\nconnector = \"graph\"\ntenant = \"contoso\"\nclient_id = \"app\"\n\
             client_secret = {{ env = \"STORY_SECRET\" }}\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\n\
             [target.mail]\n{target}"
        )
    }

    fn accounts(&self) -> String {
        let line = |(number, address): (usize, &String)| format!("{address},{},1\n", login(number + 1));
        let lines: String = self.addresses.iter().enumerate().map(line).collect();
        format!("source,target,wave\n{lines}")
    }

    /// Replaces words in the configuration; they must stand there.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.project().join("transhume.toml")).unwrap();
        assert!(text.contains(from), "{from} does not stand in\n{text}");
        self.write("transhume.toml", text.replace(from, to));
    }

    /// Serves another tenant in the place of this one.
    pub fn move_in(&mut self, dump: Dump, options: Options) {
        let next = self.runtime.block_on(Simulator::start(dump, options)).unwrap();
        self.reconfigure(&self.simulator.base_url(), &next.base_url());
        self.simulator = next;
    }

    pub fn command(&self, words: &[&str]) -> Command {
        self.wrapped(Command::new(env!("CARGO_BIN_EXE_transhume")), words)
    }

    /// A command that ends in running the binary, in the story's environment.
    pub fn wrapped(&self, mut command: Command, words: &[&str]) -> Command {
        command.args(words).arg("--project").arg(self.project());
        self.surrounded(command)
    }

    /// A command in the story's environment.
    pub fn surrounded(&self, mut command: Command) -> Command {
        command.env("STORY_SECRET", &self.secret).env("STORY_PASSWORD", &self.password).env_remove("TRANSHUME_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, words: &[&str]) -> Said {
        self.said(&self.command(words).output().unwrap())
    }

    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words).spawn().unwrap()
    }

    pub fn finish(&self, child: Child) -> Said {
        self.said(&child.wait_with_output().unwrap())
    }

    /// What was said, without what differs from run to run.
    pub fn said(&self, output: &Output) -> Said {
        let text = |bytes: &[u8]| self.plain(&String::from_utf8_lossy(bytes));
        Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn plain(&self, text: &str) -> String {
        let mut text = text.replace(&self.project().display().to_string(), "PROJECT");
        text = text.replace(&self.dir.path().display().to_string(), "DIR");
        let changing = [
            (r"127\.0\.0\.1:\d+", "HOST:PORT"),
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
            (r"process \d+", "process PID"),
        ];
        for (pattern, word) in changing {
            text = regex::Regex::new(pattern).unwrap().replace_all(&text, word).into_owned();
        }
        text.trim_end().to_owned()
    }

    /// Waits for something that the story does beside the program.
    pub fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Changes the tenant.
    pub fn mutate(&self, operations: Value) -> Value {
        self.simulator.mutate(operations).unwrap()
    }

    /// Message bodies that were asked for since the last look.
    pub fn bodies(&self) -> u64 {
        let bodies = self.simulator.stats().bodies;
        self.simulator.reset_stats();
        bodies
    }
}

/// Who has mail, in the order of the tenant.
fn addresses(dump: &Dump) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let folders = dump.entries.iter().filter(|entry| entry.kind == "mailFolder");
    folders.filter_map(|entry| entry.user.clone()).filter(|user| seen.insert(user.clone())).collect()
}

impl Said {
    /// It ended so, and said exactly this on stderr.
    #[track_caller]
    pub fn is(&self, code: i32, sentence: &str) {
        assert!(
            self.code == Some(code) && self.err == sentence,
            "exit {:?}\n--- stderr\n{}\n--- expected {code}\n{sentence}\n--- stdout\n{}",
            self.code,
            self.err,
            self.out
        );
    }

    /// It ended so, and these words stand on stdout.
    #[track_caller]
    pub fn tells(&self, code: i32, words: &[&str]) {
        let missing: Vec<_> = words.iter().filter(|words| !self.out.contains(**words)).collect();
        let right = self.code == Some(code) && missing.is_empty();
        assert!(
            right,
            "exit {:?}, expected {code}\nmissing {missing:#?}\n--- stderr\n{}\n--- stdout\n{}",
            self.code, self.err, self.out
        );
    }

    /// It ended so, and these words stand on stderr.
    #[track_caller]
    pub fn complains(&self, code: i32, words: &[&str]) {
        let missing: Vec<_> = words.iter().filter(|words| !self.err.contains(**words)).collect();
        let right = self.code == Some(code) && missing.is_empty();
        assert!(right, "exit {:?}, expected {code}\nmissing {missing:#?}\n--- stderr\n{}", self.code, self.err);
    }

    /// It ended well.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        self.tells(0, &[]);
        self
    }

    /// The lines of `--json`, each of them versioned, the last one a summary.
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        let events: Vec<_> = self.out.lines().map(parse).collect();
        assert!(events.iter().all(|event| event["v"] == 1 && event["type"].is_string()), "{}", self.out);
        assert_eq!(events.last().expect("no line at all")["type"], "summary", "{}", self.out);
        events
    }

    pub fn summary(&self) -> Value {
        self.events().pop().unwrap()
    }
}

pub fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Every file below a directory.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let below = |entry: std::fs::DirEntry| {
        let path = entry.path();
        if path.is_dir() { files(&path) } else { vec![path] }
    };
    entries.into_iter().flat_map(below).collect()
}
