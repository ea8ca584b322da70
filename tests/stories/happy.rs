//! A migration that goes well, from the first look to the proof.

use crate::mailbox::{copies, look};
use crate::setting::{Said, Story, files, ordinary, server};
use serde_json::json;
use transhume_simulators::seed::Recipe;

fn count(said: &Said, kind: &str) -> u64 {
    let of_kind = said.events().into_iter().filter(|event| event["type"] == kind);
    of_kind.filter_map(|event| event["items"].as_u64()).sum()
}

#[test]
fn a_mailbox_moves_once_follows_and_is_proven() {
    let story = Story::with_server(&ordinary(2, 25), server(2));
    story.run(&["survey"]).tells(0, &[&story.addresses[0], "ready"]);
    story.run(&["check"]).tells(0, &["2 accounts checked on both sides; ready: nothing blocks."]);
    story.run(&["plan"]).tells(0, &["requests to the source"]);
    assert_eq!(story.bodies(), 0, "a plan fetches no body");

    let first = story.run(&["run", "--json"]);
    let moved = first.ok().summary();
    let (placed, standing) = (moved["placed"].as_u64().unwrap(), look(&story, 1).len() + look(&story, 2).len());
    assert_eq!((count(&first, "placed"), standing as u64), (placed, placed));
    assert!(placed >= 50, "{moved}");
    let stats = story.simulator.stats();
    let expected = moved["fetched"].as_u64().unwrap() + doubtful(&story);
    assert_eq!(story.bodies(), expected, "each body is fetched once, and one of doubtful end twice: {stats:#?}");

    let before = (look(&story, 1), look(&story, 2));
    story.run(&["run"]).tells(0, &["nothing moved: nothing is new at the source"]);
    assert_eq!(story.bodies(), 0, "a second run fetches no body");
    assert_eq!((look(&story, 1), look(&story, 2)), before, "and changes nothing");

    story.run(&["verify", "--depth", "content"]).tells(0, &["compared byte for byte; 0 differences."]);
    story.run(&["status"]).tells(0, &["2 accounts"]);
    let id = &before.0[0].id;
    story.run(&["explain", &format!("<{id}>")]).tells(0, &[id]);
}

/// Messages that end as a cut one would: a single text that stops within a line. They are asked for twice, and taken
/// when both are of one length.
fn doubtful(story: &Story) -> u64 {
    let moving = |user: &Option<String>| user.as_ref().is_some_and(|user| story.addresses.contains(user));
    let messages = story.simulator.tenant().entries.into_iter().filter(|entry| moving(&entry.user));
    let bodies = messages.filter_map(|entry| Some(entry.content?.to_bytes()));
    bodies.filter(|body| !body.ends_with(b"\n") && !is_multipart(body)).count() as u64
}

fn is_multipart(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    head.contains("content-type: multipart/")
}

#[test]
fn a_delta_pass_costs_in_proportion_to_the_changes() {
    let story = Story::with_server(&ordinary(1, 150), server(1));
    story.run(&["run"]).ok();
    let first = story.simulator.stats().total;
    let idle = cost(&story);
    story.mutate(json!([{ "op": "churn", "user": story.addresses[0], "seed": 3, "count": 10 }]));
    story.simulator.reset_stats();
    let delta = story.run(&["run", "--json"]);
    let summary = delta.ok().summary();
    let spent = story.simulator.stats();
    assert!(spent.bodies <= 10, "{spent:?}");
    assert_eq!(spent.bodies, summary["fetched"].as_u64().unwrap());
    assert!(spent.total <= idle + 30, "{} requests, {idle} when nothing changed, {first} at first", spent.total);
    assert!(copies(&look(&story, 1)).values().all(|copies| *copies == 1), "nothing stands there twice");
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

/// The requests of a run that has nothing to do.
fn cost(story: &Story) -> u64 {
    story.simulator.reset_stats();
    story.run(&["run"]).tells(0, &["nothing moved"]);
    story.simulator.stats().total
}

#[test]
fn hostile_mail_moves_too_and_what_stays_behind_is_named() {
    let recipe = Recipe { accounts: 1, messages: 1, hostile: true, ..Recipe::default() };
    let story = Story::with_server(&recipe, server(1));
    let run = story.run(&["run"]);
    run.tells(3, &["4 in quarantine"]);
    let status = story.run(&["status", "--items"]).out;
    let items: Vec<_> = status.lines().filter(|line| line.contains(", item ")).collect();
    assert_eq!(items.len(), 4, "{status}");
    for item in items {
        assert!(item.contains(" at the source; in ") && !item.ends_with([' ', ';']), "{item}");
    }
    let verified = story.run(&["verify", "--depth", "content", "--json"]);
    assert_eq!(verified.code, Some(3), "what is in quarantine is not proven");
    let verified = verified.events();
    let differences: Vec<_> = verified.iter().filter(|event| event["type"] == "difference").collect();
    assert_eq!(differences, Vec::<&serde_json::Value>::new(), "what the losses do not account for");
    assert_eq!(losses(&story), NAMED, "a loss more or less than the mail has");
    let bodies = story.simulator.stats().bodies;
    assert_eq!(story.run(&["run"]).code, run.code);
    let again = story.simulator.stats().bodies - bodies;
    assert!(again <= 3, "{again} bodies are asked for again");
}

/// What the odd mail loses on its way to this server, and nothing else. How many dates are clamped depends on the day:
/// Dovecot keeps none in the future.
const NAMED: [&str; 13] = [
    "category_renamed",
    "date_clamped",
    "date_missing",
    "flag_complete",
    "header_added",
    "header_line_repaired",
    "importance_low",
    "line_ends_normalised",
    "media_type_changed",
    "nul_removed",
    "reassembled",
    "rights_protected",
    "surplus_cr_removed",
];

fn losses(story: &Story) -> Vec<String> {
    let events = story.run(&["status", "--json"]).events();
    let standing = events.iter().find(|event| event["type"] == "standing").unwrap();
    let there = |loss: &&serde_json::Value| loss["items"].as_u64().unwrap() > 0;
    let losses = standing["losses"].as_array().unwrap().iter().filter(there);
    losses.map(|loss| loss["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_verb_speaks_json_to_scripts() {
    let story = Story::new(&ordinary(1, 5));
    let verbs: [&[&str]; 8] = [
        &["survey"],
        &["check"],
        &["plan", "--sample", "2"],
        &["pull"],
        &["push"],
        &["run"],
        &["verify", "--depth", "content"],
        &["status"],
    ];
    for verb in verbs {
        let said = story.run(&[verb, &["--json"]].concat());
        assert_eq!(said.ok().summary()["verb"], verb[0]);
    }
}

#[test]
fn a_dry_run_leaves_no_trace_at_the_target() {
    let story = Story::with_server(&ordinary(1, 8), server(1));
    story.run(&["run", "--dry-run"]).tells(0, &["rehearsed: "]);
    assert_eq!(look(&story, 1), []);
    let run = story.run(&["run", "--json"]);
    assert!(run.ok().summary()["placed"].as_u64().unwrap() >= 8, "what was rehearsed is still to be placed");

    let folder = Story::new(&ordinary(1, 8));
    folder.run(&["run", "--dry-run"]).ok();
    assert_eq!(files(&folder.project().join("mail")), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_project_begins_with_init_and_a_survey() {
    let story = Story::new(&ordinary(1, 3));
    let configuration = std::fs::read(story.project().join("transhume.toml")).unwrap();
    std::fs::remove_dir_all(story.project()).unwrap();
    story.run(&["init", "--target", "folder"]).is(
        0,
        "wrote PROJECT/transhume.toml\nwrote PROJECT/accounts.csv\n\
         Next: fill in transhume.toml (the README tells how the application is registered), then\n  cd PROJECT\n  \
         export TRANSHUME_CLIENT_SECRET=...   # the application's; or name a file, a command or a certificate there\n  \
         transhume survey --write-accounts\n  transhume check",
    );
    story.write("transhume.toml", configuration);
    let again = story.run(&["init", "--target", "imap"]);
    again.complains(0, &["kept PROJECT/transhume.toml as it was", "kept PROJECT/accounts.csv as it was"]);
    assert!(!again.err.contains("IMAP"), "the project moves into a folder: {}", again.err);
    story.run(&["survey", "--write-accounts"]).ok();
    let accounts = std::fs::read_to_string(story.project().join("accounts.csv")).unwrap();
    assert!(accounts.contains(&story.addresses[0]), "{accounts}");
    story.run(&["run"]).ok();
}
