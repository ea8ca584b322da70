//! The most memory the program holds: for a mailbox of very many messages, and for one very large message.

use crate::{
    project::{self, Imap, Target},
    table, tenants,
    watched::{Watched, transhume},
};
use std::{fs, path::Path, time::Duration};
use transhume_servers::{Dovecot, DovecotOptions, Login};

const GOAL_MB: f64 = 150.0;

pub fn many(messages: u32) {
    let dump = tenants::plain(1, messages, 512);
    let address = tenants::addresses(&dump).remove(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = tenants::serve(&runtime, dump, 4, Duration::ZERO);
    let (dovecot, dir) = (dovecot(), tempfile::tempdir().unwrap());
    into(&dovecot, dir.path(), &simulator.base_url());
    project::accounts(dir.path(), &[(address.clone(), "box".into())]);
    table::head(&format!("memory: a mailbox of {messages} messages"), &["", "peak MB", "seconds"]);
    show("run into Dovecot", &transhume(dir.path(), &["run"]));
    show("verify --depth content", &transhume(dir.path(), &["verify", "--depth", "content"]));
    show("run again, without changes", &transhume(dir.path(), &["run"]));
    // A project belongs to its target: another one is another project.
    let dir = tempfile::tempdir().unwrap();
    project::write(dir.path(), &simulator.base_url(), &Target::Folder, 4);
    project::accounts(dir.path(), &[(address, "box".into())]);
    show("run into a folder", &transhume(dir.path(), &["run"]));
}

pub fn large(megabytes: u32) {
    let dump = tenants::large(megabytes);
    let address = tenants::addresses(&dump).remove(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = tenants::serve(&runtime, dump, 4, Duration::ZERO);
    let (dovecot, dir) = (dovecot(), tempfile::tempdir().unwrap());
    into(&dovecot, dir.path(), &simulator.base_url());
    project::accounts(dir.path(), &[(address, "box".into())]);
    table::head(&format!("memory: one message of {megabytes} MB"), &["", "peak MB", "seconds"]);
    show("pull", &transhume(dir.path(), &["pull"]));
    show("push into Dovecot", &transhume(dir.path(), &["push"]));
    show("verify --depth content", &transhume(dir.path(), &["verify", "--depth", "content"]));
}

fn dovecot() -> Dovecot {
    let master = Some(Login::new("master", "secret"));
    Dovecot::start(DovecotOptions { master, ..DovecotOptions::with_accounts(&["box"]) }).unwrap()
}

/// Writes the configuration of a project that moves into this server.
fn into(dovecot: &Dovecot, dir: &Path, source: &str) {
    let password_file = &dir.join("password");
    fs::write(password_file, "secret\n").unwrap();
    let imap = Imap { port: dovecot.imap_port(), master: "master", password_file };
    project::write(dir, source, &Target::Imap(imap), 4);
}

fn show(what: &str, run: &Watched) {
    table::row(&[what.to_owned(), format!("{:.0}", run.peak_mb), format!("{:.1}", run.seconds)]);
    table::goal(&format!("{what} below {GOAL_MB} MB"), run.peak_mb < GOAL_MB);
}
