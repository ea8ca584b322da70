//! What people do at the new server between two passes is theirs: a folder they renamed is followed, what they deleted
//! is not placed again, what they flagged stays flagged, and nothing comes twice.

use crate::{
    place::{Server, logins},
    project::Project,
    stage,
    standing::standing,
};
use std::collections::BTreeMap;
use transhume_servers::RawImap;

const SPECIAL: [&str; 6] = ["\"INBOX\"", "\"Sent\"", "\"Drafts\"", "\"Trash\"", "\"Junk\"", "\"Archive\""];

/// Folder and hash of a line that shows a message.
fn message(line: &str) -> Option<(&str, &str)> {
    let (folder, rest) = line.split_once("\" ")?;
    Some((folder.trim_start_matches('"'), rest.split(' ').next()?))
}

/// How often each message stands in a mailbox, wherever.
fn hashes(lines: &[String]) -> BTreeMap<String, usize> {
    let mut hashes = BTreeMap::new();
    for (_, hash) in lines.iter().filter_map(|line| message(line)) {
        *hashes.entry(hash.to_owned()).or_default() += 1;
    }
    hashes
}

/// Renames a folder that holds mail, deletes the first message of the inbox and flags the last. Answers the folder.
fn by_hand(port: u16, login: &str, lines: &[String]) -> String {
    let own = |line: &&String| message(line).is_some() && !SPECIAL.iter().any(|name| line.starts_with(name));
    let folder = message(lines.iter().find(own).expect("a folder of one's own")).unwrap().0.to_owned();
    let mut session = RawImap::login(port, login, "secret").unwrap();
    let commands = [
        format!("RENAME \"{folder}\" \"Named by hand\""),
        "SELECT INBOX".into(),
        "STORE * +FLAGS (\\Flagged by-hand)".into(),
        "STORE 1 +FLAGS (\\Deleted)".into(),
        "EXPUNGE".into(),
    ];
    for command in commands {
        let reply = session.command(&command).unwrap();
        assert!(reply.is_ok(), "{command}: {}", reply.end);
    }
    folder
}

async fn people_work_at(server: fn(&[String]) -> Server) {
    let seed = crate::kills::seed();
    let case = format!("TRANSHUME_TORTURE_SEED={seed}");
    let simulator = stage::office(1, 80, seed).await;
    let people = stage::people(&simulator, 1);
    let (a, b) = (logins("a", 1), logins("b", 1));
    let server = server(&[a.clone(), b.clone()].concat());
    let calm = Project::new(&simulator, &people, &a, server.port(), "");
    let lively = Project::new(&simulator, &people, &b, server.port(), "");
    assert_eq!((calm.call(&["run"]).await.code, lively.call(&["run"]).await.code), (0, 0), "{case}");
    let before = standing(server.port(), &b).remove(0);
    let folder = by_hand(server.port(), &b[0], &before);
    stage::churn(&simulator, seed, 60);
    assert_eq!(calm.call(&["run"]).await.code, 0, "{case}");
    let done = lively.call(&["run"]).await;
    assert_eq!(done.code, 0, "{case}: {}\n{:#?}", done.stderr, done.events.iter().rev().take(12).collect::<Vec<_>>());
    let (expected, found) = (standing(server.port(), &a).remove(0), standing(server.port(), &b).remove(0));
    let mut surplus = hashes(&expected);
    for (hash, count) in hashes(&found) {
        let expected = surplus.get_mut(&hash).unwrap_or_else(|| panic!("{case}: {hash} is strange"));
        *expected = expected.checked_sub(count).unwrap_or_else(|| panic!("{case}: {hash} stands {count} times"));
    }
    assert_eq!(surplus.values().sum::<usize>(), 1, "{case}: only what was deleted by hand is missing\n{found:#?}");
    assert!(!found.contains(&format!("\"{folder}\"")), "{case}: {folder} came back\n{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("\"Named by hand\" ")), "{case}: {found:#?}");
    assert_eq!(found.iter().filter(|line| line.contains("by-hand")).count(), 1, "{case}: {found:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_work_at_dovecot_between_passes() {
    people_work_at(Server::dovecot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_work_at_cyrus_between_passes() {
    people_work_at(Server::cyrus).await;
}
