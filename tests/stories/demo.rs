//! `demo`: the whole job on a simulated tenant, and again on the same project.

use crate::setting::{Said, files, server};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use transhume_servers::Dovecot;

fn demo(project: &Path, more: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transhume"));
    command.arg("demo").arg("--project").arg(project).args(more).env_remove("TRANSHUME_LOG");
    command.env("TRANSHUME_IMAP_PASSWORD", crate::setting::MASTER_PASSWORD);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&project.display().to_string(), "PROJECT");
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// What comes after the title of the last step: the words for the mayor.
fn last_words(said: &Said) -> &str {
    let from = said.out.rfind("where the mail is now").unwrap_or_else(|| panic!("no summary: {}", said.out));
    &said.out[from..]
}

/// The numbers in the line that sums up all accounts: listed, placed, owed, quarantine, kept.
fn sums(said: &Said) -> Vec<u64> {
    let line = last_words(said).lines().find(|line| line.starts_with("6 accounts")).unwrap();
    line.split_whitespace().skip(2).take(5).map(|number| number.parse().unwrap()).collect()
}

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
    let first = demo(&project, &["--accounts", "2", "--messages", "5"]);
    first.tells(
        0,
        &[
            "6 accounts checked on both sides; ready: nothing blocks.",
            "requests to the source: at least",
            "; 0 owed, 4 in quarantine.",
            "; 0 differences; 4 in quarantine",
            "Proof: every placed message was read back and compared byte for byte; nothing differs.",
            "PROJECT/mail/juergen.gross",
            "The mail lies in plain Maildirs: `mutt -R -f PROJECT/mail/ACCOUNT/Maildir` reads one.",
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
    let standing = mails(&project);
    let [listed, placed, owed, quarantine, kept] = sums(&first)[..] else { panic!("{}", last_words(&first)) };
    assert_eq!((owed, quarantine, listed), (0, 4, placed + 4 + kept), "{}", last_words(&first));
    let gone = standing as u64 - placed;
    let beside = match gone {
        1 => "beside these, 1 item placed earlier stands at the target: the source deleted it since".to_owned(),
        _ => format!("beside these, {gone} items placed earlier stand at the target: the source deleted them since"),
    };
    assert!(gone > 0 && last_words(&first).contains(&beside), "{}", last_words(&first));
    assert!(last_words(&first).contains(" placed in ") && last_words(&first).contains(" a second"), "how fast it went");
    assert!(!last_words(&first).contains("Nothing moved"), "{}", last_words(&first));

    let again = demo(&project, &["--accounts", "2", "--messages", "5", "--json"]);
    let summaries: Vec<Value> = again.events().into_iter().filter(|event| event["type"] == "summary").collect();
    let of = |verb: &str| summaries.iter().find(|summary| summary["verb"] == verb).expect(verb);
    let moved = ["fetched", "placed", "amended", "relocated", "withdrawn", "owed"].map(|name| of("run")[name].as_u64());
    assert_eq!((again.code, moved), (Some(0), [Some(0); 6]), "{}", of("run"));
    let proven = ["compared", "differences", "quarantined"].map(|name| of("verify")[name].as_u64());
    assert_eq!(proven, [Some(standing as u64), Some(0), Some(4)], "{}", of("verify"));
    assert!(again.events().iter().all(|event| event["type"] != "fetched" && event["type"] != "placed"));
    assert_eq!(mails(&project), standing);
}

/// Only those who are there in any case: two with mail or none, a room, a projector.
#[test]
fn a_demo_moves_into_a_server_and_says_when_nothing_is_new() {
    let dovecot = Dovecot::start(server(4)).unwrap();
    let address = format!("127.0.0.1:{}", dovecot.imap_port());
    let dir = tempfile::tempdir().unwrap();
    let words = ["--accounts", "0", "--messages", "0", "--imap", &address];
    let refused = demo(dir.path(), &words);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("--imap needs --master"), "{}", refused.err);
    let words = [&words[..], &["--master", "migrator"]].concat();
    let first = demo(dir.path(), &words);
    let whereabouts = format!("login account2 at {address}");
    first
        .tells(0, &["4 accounts checked on both sides; ready: nothing blocks.", "0 owed", &whereabouts, " placed in "]);
    assert!(!files(&dovecot.mail_dir("account2").join("Maildir")).is_empty(), "it is really there");
    let again = demo(dir.path(), &words);
    again.tells(
        0,
        &[
            "run: nothing moved: nothing is new at the source, in ",
            "Nothing moved: nothing is new at the source since the last demo.",
            "Proof: every placed message was read back and compared byte for byte; nothing differs.",
        ],
    );
    again.complains(0, &["== run again: nothing should move"]);
}
