//! `demo`: the whole job on a simulated tenant, and again on the same project.

use crate::setting::{Said, files, login, server};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use transhume_servers::{DavKind, DavOptions, DavServer, Dovecot};

fn demo(project: &Path, more: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transhume"));
    command.arg("demo").arg("--project").arg(project).args(more).env_remove("TRANSHUME_LOG");
    command.env("TRANSHUME_IMAP_PASSWORD", crate::setting::MASTER_PASSWORD).env("TRANSHUME_DAV_PASSWORD", "secret");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&project.display().to_string(), "PROJECT");
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// What comes after the title of the last step: the words for the mayor.
fn last_words(said: &Said) -> &str {
    let from = said.out.rfind("  at the target\n").unwrap_or_else(|| panic!("no summary: {}", said.out));
    &said.out[from..]
}

/// The numbers in a line of the last tables: listed, placed, owed, quarantine, kept.
fn figures(said: &Said, of: &str) -> [u64; 5] {
    let line = last_words(said).lines().find(|line| line.starts_with(&format!("{of} "))).unwrap();
    let numbers = line[of.len()..].split_whitespace().take(5).map(|number| number.replace(',', "").parse().unwrap());
    numbers.collect::<Vec<_>>().try_into().unwrap()
}

/// The `.ics` and `.vcf` files.
fn objects(project: &Path) -> usize {
    let is_object = |path: &std::path::PathBuf| path.extension().is_some_and(|name| name == "ics" || name == "vcf");
    files(&project.join("groupware")).into_iter().filter(is_object).count()
}

/// What becomes of the items of two accounts, by workload.
const WHAT: [&str; 4] = ["mail", "calendar", "contacts", "tasks"];
const FEW: [&str; 10] = ["--accounts", "2", "--messages", "5", "--events", "4", "--contacts", "3", "--tasks", "2"];

/// What Exchange keeps but never gives out, by the shapes of the hostile tenant.
const MAILS_IN_QUARANTINE: u64 = 4;

fn mails(project: &Path) -> usize {
    let in_a_maildir = |path: &std::path::PathBuf| {
        let place = path.parent().and_then(Path::file_name).unwrap_or_default();
        place == "cur" || place == "new"
    };
    files(&project.join("mail")).into_iter().filter(in_a_maildir).count()
}

#[test]
fn a_demo_moves_a_tenant_into_a_folder_and_a_second_one_moves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("demo");
    let first = demo(&project, &FEW);
    first.tells(
        0,
        &[
            "6 accounts checked on both sides; ready: nothing blocks.",
            "requests to the source: at least",
            " 0 differences; ",
            "every message is the same byte for byte, every event, contact and task says the same. Nothing differs.",
            "PROJECT/mail",
            "PROJECT/groupware",
            "The mail lies in plain Maildirs: `mutt -R -f PROJECT/mail/ACCOUNT/Maildir` reads one.",
            "a folder for each calendar: PROJECT/groupware/ACCOUNT/{calendars,contacts,tasks}.",
        ],
    );
    let steps = [
        "== survey",
        "== check",
        "== plan",
        "== run: everything",
        "a second run brings only",
        "== verify",
        "== summary",
    ];
    first.complains(0, &steps);
    adds_up(&first);
    assert_eq!(figures(&first, "mail")[3], MAILS_IN_QUARANTINE, "{}", last_words(&first));
    let standing = [mails(&project), objects(&project)];
    left_there(&first, standing);
    assert!(last_words(&first).contains(" placed in ") && last_words(&first).contains(" a second"), "how fast it went");
    assert!(!last_words(&first).contains("Nothing moved"), "{}", last_words(&first));

    let again = demo(&project, &[&FEW[..], &["--json"]].concat());
    let summaries: Vec<Value> = again.events().into_iter().filter(|event| event["type"] == "summary").collect();
    let of = |verb: &str| summaries.iter().find(|summary| summary["verb"] == verb).expect(verb);
    let moved = ["fetched", "placed", "amended", "relocated", "replaced", "withdrawn", "owed"]
        .map(|name| of("run")[name].as_u64());
    assert_eq!((again.code, moved), (Some(0), [Some(0); 7]), "{}", of("run"));
    let proven = ["compared", "differences"].map(|name| of("verify")[name].as_u64());
    assert_eq!(proven, [Some(standing.iter().sum::<usize>() as u64), Some(0)], "{}", of("verify"));
    assert!(again.events().iter().all(|event| event["type"] != "fetched" && event["type"] != "placed"));
    assert_eq!([mails(&project), objects(&project)], standing);
}

/// Every line accounts for all that stands at the source, and both tables for the same.
#[track_caller]
fn adds_up(said: &Said) {
    let all = figures(said, "6 accounts");
    let each = WHAT.map(|what| figures(said, what));
    for [listed, placed, owed, quarantine, kept] in each.into_iter().chain([all]) {
        assert_eq!((owed, listed), (0, placed + quarantine + kept), "{}", last_words(said));
    }
    let sums: Vec<u64> = (0..5).map(|column| each.iter().map(|row| row[column]).sum()).collect();
    assert_eq!(sums, all, "{}", last_words(said));
    assert!(each.iter().all(|[listed, ..]| *listed > 5), "{}", last_words(said));
}

/// What stands there beside what the source still holds was deleted there since, and the summary says so.
#[track_caller]
fn left_there(said: &Said, [mails, objects]: [usize; 2]) {
    let placed = WHAT.map(|what| figures(said, what)[1]);
    let gone = (mails + objects) as u64 - placed.iter().sum::<u64>();
    assert!(mails as u64 > placed[0], "{}", last_words(said));
    let beside =
        format!("beside these, {gone} items placed earlier stand at the target: the source deleted them since");
    assert!(last_words(said).contains(&beside), "{gone}: {}", last_words(said));
}

/// Only those who are there in any case: two with mail or none, a room, a projector.
#[test]
fn a_demo_moves_into_servers_and_says_when_nothing_is_new() {
    let dovecot = Dovecot::start(server(4)).unwrap();
    let address = format!("127.0.0.1:{}", dovecot.imap_port());
    let logins: Vec<_> = (1..=4).map(login).collect();
    let logins: Vec<_> = logins.iter().map(String::as_str).collect();
    let radicale = DavServer::start(DavOptions::with_accounts(DavKind::Radicale, &logins)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let url = radicale.url();
    let words = ["--accounts", "0", "--messages", "0", "--imap", &address, "--dav", &url];
    let refused = demo(dir.path(), &words);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("--imap needs --master"), "{}", refused.err);
    let words = [&words[..], &["--master", "migrator"]].concat();
    let first = demo(dir.path(), &words);
    let (mail, contacts) = (format!("IMAP at {address}"), format!("CardDAV at {url}"));
    let words_said =
        ["4 accounts checked on both sides; ready: nothing blocks.", "0 owed", "login account2", &mail, &contacts];
    first.tells(0, &[&words_said[..], &[" placed in "]].concat());
    assert!(!files(&dovecot.mail_dir("account2").join("Maildir")).is_empty(), "it is really there");
    let again = demo(dir.path(), &words);
    again.tells(
        0,
        &[
            "run: nothing moved: nothing is new at the source, in ",
            "Nothing moved: nothing is new at the source since the last demo.",
            "Proof: everything placed was read back; ",
        ],
    );
    again.complains(0, &["== run again: nothing should move"]);
}

#[test]
fn a_demo_into_a_calendar_server_asks_for_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transhume"));
    command.args(["demo", "--accounts", "0", "--messages", "0", "--dav", "http://127.0.0.1:9/", "--project"]);
    let output = command.arg(dir.path()).env_remove("TRANSHUME_DAV_PASSWORD").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--dav needs the password of the server's accounts in TRANSHUME_DAV_PASSWORD"), "{told}");
}
