//! Ctrl-C while the new server does not answer: the process ends within seconds, and the next one completes the work.

use crate::mailbox::{copies, look};
use crate::setting::{Said, Story, ordinary, server};
use crate::stopped::{ended_within, signal};
use serde_json::json;
use std::{
    process::Child,
    time::{Duration, Instant},
};
use transhume_servers::{Act, Proxy};

/// What a person waits before they pull the plug.
const SECONDS: Duration = Duration::from_secs(8);

fn wait_until(child: &mut Child, what: &str, came: impl Fn() -> bool) {
    let since = Instant::now();
    while !came() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before {what}");
        assert!(since.elapsed() < Duration::from_secs(60), "it never came to {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs words until the server leaves a command unanswered, and interrupts.
fn halted(story: &Story, proxy: &Proxy, words: &[&str], command: &str) -> Said {
    proxy.tell(|script| script.deeds.clear());
    proxy.on(command, 1, Act::Stall);
    let mut child = story.start(words);
    wait_until(&mut child, command, || proxy.pending() == 0);
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    let said = ended_within(story, child, SECONDS);
    assert_eq!(said.code, Some(130), "{command}: {said:?}");
    assert!(said.err.ends_with("stopped; nothing is lost, run again to go on"), "{command}: {}", said.err);
    proxy.tell(|script| script.deeds.clear());
    said
}

/// Everything stands there once.
fn complete(story: &Story) {
    story.run(&["run"]).ok();
    let mails = look(story, 1);
    assert!(copies(&mails).values().all(|copies| *copies == 1), "{mails:?}");
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

/// Ids of messages that stand in the inbox at the source.
fn in_inbox(story: &Story) -> Vec<String> {
    let placed = look(story, 1).into_iter().filter(|mail| mail.folder == "INBOX");
    placed.map(|mail| format!("<{}>", mail.id)).collect()
}

#[test]
fn a_run_that_the_server_leaves_without_an_answer_is_stopped_within_seconds() {
    let story = Story::with_server(&ordinary(1, 30), server(1));
    let proxy = story.through_proxy();
    for command in ["LIST", "CREATE", "APPEND"] {
        halted(&story, &proxy, &["run"], command);
    }
    complete(&story);
}

#[test]
fn changes_that_the_server_leaves_without_an_answer_are_stopped_within_seconds() {
    let story = Story::with_server(&ordinary(1, 30), server(1));
    let proxy = story.through_proxy();
    story.run(&["run"]).ok();
    let (user, ids) = (&story.addresses[0], in_inbox(&story));
    let flag = json!({ "flag": { "flagStatus": "flagged" } });
    story.mutate(json!([
        { "op": "edit", "user": user, "message": ids[0], "set": flag },
        { "op": "move", "user": user, "message": ids[1], "to": "archive" },
    ]));
    for command in ["SELECT", "UID MOVE", "UID FETCH", "UID STORE"] {
        halted(&story, &proxy, &["run"], command);
    }
    complete(&story);
    let flagged = look(&story, 1).into_iter().filter(|mail| mail.flags.contains("\\Flagged"));
    assert!(flagged.map(|mail| format!("<{}>", mail.id)).any(|id| id == ids[0]), "the change came at last");
}

#[test]
fn a_verification_is_stopped_within_seconds() {
    let story = Story::with_server(&ordinary(1, 30), server(1));
    let proxy = story.through_proxy();
    story.run(&["run"]).ok();
    halted(&story, &proxy, &["verify"], "UID FETCH");
    // Slow and not silent: every body is a question of its own.
    proxy.set_latency(Duration::from_millis(400));
    proxy.reset_counts();
    let mut child = story.start(&["verify", "--depth", "content"]);
    wait_until(&mut child, "the bodies", || proxy.count("UID FETCH") > 2);
    signal(&child, "INT");
    let said = ended_within(&story, child, SECONDS);
    assert_eq!(said.code, Some(130), "{said:?}");
    proxy.set_latency(Duration::ZERO);
    complete(&story);
}
