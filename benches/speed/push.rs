//! Pushing into Dovecot, against `mbsync` and against a client that does nothing but MULTIAPPEND.

use crate::{
    bare::{self, Message},
    project::{self, Imap, Target},
    table, tenants,
    watched::{Watched, transhume},
};
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;
use transhume_servers::{Dovecot, DovecotOptions, Login, Proxy, Script, Store};
use transhume_simulators::dump::Dump;

const BYTES: u32 = 8192;
const ROUNDS: usize = 3;
const RIVALS: [&str; 3] = ["transhume", "mbsync", "bare"];

pub fn run(messages: u32) {
    let dump = tenants::spread(messages, BYTES);
    let ground = Ground::new(&dump);
    head(messages, "with MULTIAPPEND");
    let maildir = ground.race("Dovecot, maildir, default fsync", Store::Maildir, false);
    table::goal(
        &format!("transhume is {:.1} times mbsync (goal 4)", maildir[0] / maildir[1]),
        maildir[0] >= 4.0 * maildir[1],
    );
    let share = maildir[0] / maildir[2];
    table::goal(&format!("and {:.0} % of the bare client (goal 75 %)", share * 100.0), share >= 0.75);
    let mdbox = ground.race("Dovecot, mdbox, default fsync", Store::Mdbox, false);
    println!("  {:.1} times mbsync, {:.0} % of the bare client", mdbox[0] / mdbox[1], 100.0 * mdbox[0] / mdbox[2]);
}

/// Where the server has no MULTIAPPEND: every message is a command of its own, for both alike.
pub fn single(messages: u32) {
    let ground = Ground::new(&tenants::spread(messages, BYTES));
    head(messages, "without MULTIAPPEND");
    let single = ground.race("maildir, without MULTIAPPEND", Store::Maildir, true);
    table::goal(&format!("transhume is {:.2} times mbsync (goal 1)", single[0] / single[1]), single[0] >= single[1]);
}

fn head(messages: u32, how: &str) {
    let title = format!("push {how}: {messages} messages of {BYTES} bytes over 8 mailboxes of one account");
    table::head(&format!("{title}, 4 connections"), &["into", "messages/s", "round 1", "round 2", "round 3"]);
}

/// What every race starts from: a pulled project, a Maildir, and the messages in memory.
struct Ground {
    dir: TempDir,
    mailboxes: Vec<Vec<Message>>,
    account: String,
    total: f64,
}

impl Ground {
    fn new(dump: &Dump) -> Self {
        let dir = tempfile::Builder::new().prefix("thb").tempdir().unwrap();
        let mut mailboxes: Vec<Vec<Message>> = tenants::MAILBOXES.iter().map(|_| Vec::new()).collect();
        for (number, entry) in tenants::messages(dump).enumerate() {
            let received = entry.resource["receivedDateTime"].as_str().unwrap().parse().unwrap();
            let bytes = entry.content.as_ref().unwrap().to_bytes().to_vec();
            mailboxes[number % 8].push(Message { bytes, seen: entry.resource["isRead"] == true, received });
        }
        bare::write_maildir(&dir.path().join("maildir"), &mailboxes);
        let account = tenants::addresses(dump).remove(0);
        let ground = Self { dir, total: mailboxes.iter().map(Vec::len).sum::<usize>() as f64, mailboxes, account };
        ground.pull(dump.clone());
        ground
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Fills the project's store; everything is pushed to the port that the pull was told of.
    fn pull(&self, dump: Dump) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(self.path().join("port"), port.to_string()).unwrap();
        fs::write(self.path().join("password"), "secret\n").unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let simulator = tenants::serve(&runtime, dump, 4, Duration::ZERO);
        let imap = Imap { port, master: "master", password_file: &self.path().join("password") };
        let project = self.path().join("project");
        project::write(&project, &simulator.base_url(), &Target::Imap(imap), 4);
        project::accounts(&project, &[(self.account.clone(), "anybody".into())]);
        transhume(&project, &["pull"]);
    }

    fn port(&self) -> u16 {
        fs::read_to_string(self.path().join("port")).unwrap().parse().unwrap()
    }

    /// Lets all rivals push, round after round, and answers the median of each in messages per second.
    fn race(&self, title: &str, store: Store, one_at_a_time: bool) -> [f64; 3] {
        let server = self.server(title, store, one_at_a_time);
        let strip = if one_at_a_time { vec!["MULTIAPPEND".to_owned()] } else { Vec::new() };
        let _proxy = one_at_a_time
            .then(|| Proxy::start_at(self.port(), server.imap_port(), Script { strip, ..Script::default() }).unwrap());
        let mut speeds = [Vec::new(), Vec::new(), Vec::new()];
        let mut processor = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            // Where no goal speaks of it, mbsync runs once: it takes most of the time.
            let theirs = (round == 0 || store == Store::Maildir).then(|| self.mbsync(&user(1, round)));
            let runs = [Some(self.transhume(&user(0, round))), theirs];
            for (rival, run) in runs.into_iter().enumerate().filter_map(|(rival, run)| Some((rival, run?))) {
                speeds[rival].push(self.total / run.seconds);
                processor[rival].push(run.cpu_seconds / self.total * 1e6);
            }
            if !one_at_a_time {
                speeds[2].push(self.total / bare::multiappend(self.port(), &user(2, round), &self.mailboxes));
            }
        }
        let shown = RIVALS.iter().zip(&speeds).filter(|(_, speeds)| !speeds.is_empty());
        for (rival, speeds) in shown {
            let rounds = speeds.iter().map(|speed| format!("{speed:.0}"));
            let median = format!("{:.0}", table::median(speeds.clone()));
            let columns: Vec<_> = [format!("{title}: {rival}"), median].into_iter().chain(rounds).collect();
            table::row(&columns);
        }
        let [own, theirs] = processor.map(table::median);
        println!("  processor time a message: transhume {own:.0} µs, mbsync {theirs:.0} µs");
        speeds.map(|speeds| if speeds.is_empty() { 0.0 } else { table::median(speeds) })
    }

    /// A fresh server. Unless a proxy stands there, it listens where the project expects it.
    fn server(&self, title: &str, store: Store, behind_proxy: bool) -> Dovecot {
        let dir = self.path().join(title.replace([' ', ','], "-"));
        fs::create_dir_all(&dir).unwrap();
        if !behind_proxy {
            let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            fs::write(dir.join("ports"), format!("{} {other}\n", self.port())).unwrap();
        }
        let users = (0..RIVALS.len()).flat_map(|rival| (0..ROUNDS).map(move |round| user(rival, round)));
        let accounts = users.map(|user| Login::new(user, "secret")).collect();
        let master = Some(Login::new("master", "secret"));
        let special_folders = false;
        let options = DovecotOptions { dir: Some(dir), store, accounts, master, special_folders, ..Default::default() };
        Dovecot::start(options).unwrap()
    }

    fn transhume(&self, user: &str) -> Watched {
        let project = TempDir::new_in(self.path()).unwrap();
        project::copy(&self.path().join("project"), project.path());
        project::accounts(project.path(), &[(self.account.clone(), user.to_owned())]);
        transhume(project.path(), &["push"])
    }

    fn mbsync(&self, user: &str) -> Watched {
        let maildir = TempDir::new_in(self.path()).unwrap();
        project::copy(&self.path().join("maildir"), maildir.path());
        bare::mbsync(self.port(), user, maildir.path())
    }
}

fn user(rival: usize, round: usize) -> String {
    format!("{}{round}", RIVALS[rival])
}
