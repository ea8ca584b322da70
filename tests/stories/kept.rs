//! What stays behind, and what is handed over: items named one by one, folders that only policy pushes, rules as Sieve.

use crate::setting::{Said, Story, files, ordinary, server};
use serde_json::Value;
use std::collections::BTreeMap;
use transhume_servers::{Act, Deed, Proxy, Script};
use transhume_simulators::Options;
use transhume_simulators::dump::{Content, Dump};
use transhume_simulators::seed::{Recipe, tenant};

/// A mailbox with every odd mail and folder but the large ones.
fn hostile() -> Story {
    let mut dump: Dump = tenant(&Recipe { accounts: 1, messages: 5, hostile: true, ..Recipe::default() });
    let small = |content: &Option<Content>| content.as_ref().is_none_or(|content| content.len() <= 200_000);
    dump.entries.retain(|entry| entry.kind != "message" || small(&entry.content));
    Story::of(dump, 1, Options::default(), None)
}

fn items(said: &Said) -> Vec<Value> {
    said.events().into_iter().filter(|event| event["type"] == "item").collect()
}

#[test]
fn each_item_in_quarantine_is_named_with_its_folder_and_reason() {
    let story = hostile();
    story.run(&["run"]).tells(3, &["4 in quarantine"]);
    let status = story.run(&["status", "--items"]);
    status.tells(
        3,
        &[
            ": in quarantine (corrupt at source) at the source; in Archive, ",
            ": in quarantine (not convertible) at the source; in Boîte de réception, the source told neither subject nor date\n",
            "\"fails in archive\"",
            "(service code ErrorCorruptData, request ID)",
        ],
    );
    let named = items(&story.run(&["status", "--items", "--json"]));
    assert_eq!(named.len(), 4, "{named:#?}");
    for item in &named {
        let number = item["item"].as_u64().unwrap();
        let account = &story.addresses[0];
        assert!(status.out.contains(&format!("{account}, item {number}: ")), "{item}");
        story.run(&["explain", &number.to_string(), "--account", account]).tells(0, &["refusals not yet overcome"]);
    }
    assert!(!story.run(&["status"]).out.contains("fails in archive"), "only when it is asked for");
}

#[test]
fn each_item_owed_is_named_with_what_the_server_said() {
    let story = Story::with_server(&ordinary(1, 4), server(1));
    let port = story.dovecot.as_ref().unwrap().imap_port();
    let mut script = Script::default();
    script.add(Deed::new("APPEND", 1, Act::Answer("NO the stars do not permit it".into())).every(1));
    let proxy = Proxy::start(port, script).unwrap();
    story.reconfigure(&format!("port = {port}"), &format!("port = {}", proxy.port()));
    story.run(&["run"]).tells(3, &["4 owed, 0 in quarantine."]);
    let status = story.run(&["status", "--items"]);
    status.tells(3, &[": owed at the target; in ", "the stars do not permit it"]);
    assert_eq!(status.out.matches(": owed at the target; in ").count(), 4, "{}", status.out);
    proxy.tell(|script| script.deeds.clear());
    story.run(&["run"]).ok();
    assert!(!story.run(&["status", "--items"]).out.contains("owed at"), "what is overcome is named no more");
}

/// Items that policy keeps in the store, by reason, as `plan` foresees them.
fn kept(story: &Story) -> BTreeMap<String, u64> {
    let events = story.run(&["plan", "--json"]).events();
    let plan = events.iter().find(|event| event["type"] == "plan").unwrap();
    let all = plan["kept"].as_object().unwrap().iter();
    all.map(|(reason, items)| (reason.clone(), items.as_u64().unwrap())).filter(|(_, items)| *items > 0).collect()
}

fn standing(story: &Story) -> (u64, u64) {
    let events = story.run(&["status", "--json"]).events();
    let standing = events.into_iter().find(|event| event["type"] == "standing").unwrap();
    let items = |name: &str| standing[name]["items"].as_u64().unwrap();
    (items("placed"), items("kept"))
}

const SWITCHES: [(&str, &str); 5] = [
    ("outbox", "outbox"),
    ("conversation_history", "conversation history"),
    ("recoverable_items", "recoverable items"),
    ("sync_issues", "sync issues"),
    ("hidden", "hidden folder"),
];

fn mails(story: &Story) -> u64 {
    let mail =
        |path: &std::path::PathBuf| path.parent().unwrap().ends_with("cur") || path.parent().unwrap().ends_with("new");
    files(&story.project().join("mail")).into_iter().filter(mail).count() as u64
}

#[test]
fn what_only_policy_pushes_is_kept_until_it_is_asked_for() {
    let story = hostile();
    let waiting = kept(&story);
    for (_, reason) in SWITCHES {
        assert!(waiting.get(reason).is_some_and(|items| *items > 0), "{reason}: {waiting:?}");
    }
    let sum: u64 = waiting.values().sum();
    story.run(&["run"]).tells(3, &[&format!("kept: {sum} items held in the store and not pushed, as [policy] says")]);
    let (placed, held) = standing(&story);
    assert_eq!((held, mails(&story)), (sum, placed));
    let text = std::fs::read_to_string(story.project().join("transhume.toml")).unwrap();
    let mut on = String::new();
    for (number, (switch, reason)) in SWITCHES.into_iter().enumerate() {
        on += &format!("{switch} = true\n");
        story.write("transhume.toml", format!("{text}\n[policy]\n{on}"));
        let left = kept(&story);
        assert!(!left.contains_key(reason), "{switch}: {left:?}");
        assert!(SWITCHES[number + 1..].iter().all(|(_, other)| left.contains_key(*other)), "{switch} alone: {left:?}");
    }
    assert_eq!(story.run(&["run"]).code, Some(3), "four are in quarantine");
    assert_eq!(standing(&story), (placed + sum, 0));
    assert_eq!(mails(&story), placed + sum, "all of it really stands there");
    assert_eq!(story.run(&["verify", "--depth", "content", "--json"]).summary()["differences"], 0);
}

#[test]
fn rules_are_handed_over_as_sieve() {
    let story = Story::new(&ordinary(1, 3));
    let run = story.run(&["run"]);
    run.complains(0, &["1 Sieve file to look over and install: PROJECT/handover"]);
    let written = files(&story.project().join("handover"));
    assert_eq!(written.len(), 1, "{written:?}");
    assert!(written[0].ends_with("rules.sieve"), "{written:?}");
    let folder = written[0].parent().unwrap().file_name().unwrap();
    assert!(story.project().join("accounts").join(folder).is_dir(), "named as the account's store: {written:?}");
    let sieve = std::fs::read_to_string(&written[0]).unwrap();
    for words in
        ["require [", "# Rule: Newsletters", "the condition `headerContains` is not carried", "fileinto", "stop;"]
    {
        assert!(sieve.contains(words), "no {words} in\n{sieve}");
    }
}
