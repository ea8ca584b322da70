//! What is said of many accounts, and of one item: once, whole, and only what still holds.

use crate::setting::{Said, Story, ordinary};
use serde_json::json;
use std::fs;

fn times(said: &Said, words: &str) -> usize {
    said.out.matches(words).count() + said.err.matches(words).count()
}

#[test]
fn a_refusal_that_meets_everybody_is_told_once() {
    let story = Story::new(&ordinary(12, 2));
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    let run = story.run(&["run"]);
    run.tells(3, &["12 accounts stopped at the source: ", " and 2 more (--json names all)", "12 accounts stopped."]);
    assert_eq!(times(&run, "access to this mailbox is denied"), 1, "{run:?}");
    assert_eq!(times(&run, "grant the application Mail.Read"), 1, "{run:?}");
    run.complains(3, &[" stopped (forbidden); the others go on, and why is told at the end"]);
    assert_eq!(times(&run, "why is told at the end"), 1, "{run:?}");
    let status = story.run(&["status", "--json"]);
    let standings: Vec<_> = status
        .events()
        .into_iter()
        .filter(|event| event["type"] == "standing" && event["stops"][0].is_array())
        .collect();
    assert_eq!(standings.len(), 12, "--json names all");
    assert_eq!(status.summary()["stopped"], 12);
}

#[test]
fn a_refusal_that_ends_the_run_is_told_once() {
    let story = Story { secret: "wrong".into(), ..Story::new(&ordinary(3, 2)) };
    let run = story.run(&["run"]);
    assert_eq!((run.code, times(&run, "the client secret is wrong")), (Some(1), 1), "{run:?}");
}

#[test]
fn status_tells_only_what_still_holds() {
    let story = Story::new(&ordinary(2, 3));
    let list = |lines: &str| story.write("accounts.csv", format!("# ours\nsource,target,wave\n{lines}"));
    let (first, second) = (&story.addresses[0], &story.addresses[1]);
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    story.run(&["run"]).tells(3, &["2 accounts stopped at the source"]);
    story.run(&["push"]).tells(3, &["2 accounts stopped at the source"]);
    story.run(&["status"]).tells(0, &["2 accounts stopped at the source", " push, "]);
    story.simulator.faults(json!({ "clear": true })).unwrap();
    list(&format!("{first},{first},mayor\nnobody@valmont.example,n,2\n"));
    story.run(&["run", "--wave", "mayor"]).ok();
    let status = story.run(&["status"]);
    status.tells(0, &["mayor", " run, done", "1 account not worked on yet: nobody@valmont.example"]);
    assert!(!status.out.contains(&format!("{first} > ")), "one address where both are the same: {}", status.out);
    let (now, departed) = status.out.split_once("no longer in accounts.csv").expect(&status.out);
    assert!(!now.contains("stopped at") && !now.contains(second.as_str()), "{now}");
    assert!(departed.contains(second.as_str()), "{departed}");
    let summary = story.run(&["status", "--json"]).summary();
    let figures = ["accounts", "owed", "stopped", "waiting", "departed"].map(|name| summary[name].as_u64());
    assert_eq!(figures, [Some(1), Some(0), Some(0), Some(1), Some(1)], "{summary}");
}

#[test]
fn tables_fit_the_terminal_and_what_is_redirected_is_whole() {
    let story = Story::new(&ordinary(2, 3));
    let long = "secretariat.general.des.services@communaute-de-communes-du-pays-de-valmont.example";
    story.write("accounts.csv", format!("source,target\n{},{long}\n", story.addresses[0]));
    story.run(&["run"]).tells(0, &[&format!("{} > {long}", story.addresses[0])]);
    let narrow = story.command(&["status"]).env("COLUMNS", "80").output().unwrap();
    let narrow = story.said(&narrow);
    assert!(narrow.out.contains('…') && narrow.out.lines().all(|line| line.chars().count() <= 80), "{}", narrow.out);
    story.run(&["status"]).tells(0, &[long]);
}

#[test]
fn no_colour_leaves_for_a_file() {
    let story = Story::new(&ordinary(1, 2));
    let said = story.run(&["run", "-vv"]);
    assert!(said.ok().err.contains("DEBUG"), "there is a log to look at: {}", said.err);
    assert!(!said.err.contains('\u{1b}') && !said.out.contains('\u{1b}'), "{}", said.err);
}

#[test]
fn a_page_without_items_is_no_event() {
    let story = Story::new(&ordinary(1, 3));
    for run in [story.run(&["run", "--json"]), story.run(&["run", "--json"])] {
        assert!(run.events().iter().all(|event| event["type"] != "listed" || event["items"] != 0), "{}", run.out);
    }
}

#[test]
fn a_survey_adds_to_the_list_and_never_takes_from_it() {
    let story = Story::new(&ordinary(3, 2));
    let list = || fs::read_to_string(story.project().join("accounts.csv")).unwrap();
    let ours = format!(
        "# the mayor moves last\nsource;target;wave\n{};mayor;9\n# not {}\n",
        story.addresses[0], story.addresses[1]
    );
    story.write("accounts.csv", &ours);
    let dry = story.run(&["survey", "--write-accounts", "--dry-run"]);
    dry.complains(0, &["would be added to PROJECT/accounts.csv, which stays as it is: ", &story.addresses[2]]);
    assert_eq!(list(), ours);
    story
        .run(&["survey", "--write-accounts"])
        .complains(0, &["added ", " to PROJECT/accounts.csv: ", &story.addresses[2]]);
    let now = list();
    assert!(now.starts_with(&ours) && now.contains(&format!("\n{0};{0};1\n", story.addresses[2])), "{now}");
    assert!(!now[ours.len()..].contains(&story.addresses[1]), "who was left out stays out: {now}");
    story
        .run(&["survey", "--write-accounts"])
        .complains(0, &["accounts.csv stays as it is: everybody who has something to move stands in it"]);
    assert_eq!(list(), now);
    story.write("accounts.csv", "source;target\nhalf\n");
    story
        .run(&["survey", "--write-accounts"])
        .complains(2, &["accounts.csv, line 2: source and target must both be filled in\nFill in"]);
    assert_eq!(list(), "source;target\nhalf\n");
}

#[test]
fn an_item_is_explained_to_people() {
    let story = Story::new(&ordinary(2, 4));
    story.run(&["run"]).ok();
    let account = &story.addresses[0];
    let raw = story.run(&["explain", "1", "--account", account, "--json"]);
    let event = serde_json::from_str::<serde_json::Value>(raw.out.lines().next().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["account"]), (&json!("explained"), &json!(account)));
    let (subject, id) = (event["facts"]["subject"].as_str().unwrap(), event["id"].as_str().unwrap());
    let told = story.run(&["explain", "1", "--account", account]);
    told.tells(
        0,
        &[
            &format!("item 1 of {account}: mail, at the source\n  subject     {subject}\n"),
            "originals\n  1 fetched ",
            "renderings\n  of original 1 by edition ",
            "placements\n  stands in ",
            "what happened\n",
        ],
    );
    let order = ["fetched", "rendered", "intended", "placed"].map(|word| told.out.rfind(&format!(" {word}")).unwrap());
    assert!(order.is_sorted(), "in the order of time: {}", told.out);
    story
        .run(&["explain", "1"])
        .tells(0, &[account, &story.addresses[1], "2 items are meant", "`transhume explain 1 --account "]);
    for meant in [&id[id.len() - 24..], id, subject, &subject.to_uppercase()[..4]] {
        story.run(&["explain", meant, "--account", account]).tells(0, &[subject]);
    }
    story.run(&["explain", "nothing of the kind"]).is(
        2,
        "no item is known as nothing of the kind\nAn item is named by one of these: the number that a run or verify \
         printed, a Message-ID, the source's id (whole, or its beginning or end from 4 characters on), or words of the \
         subject. Correct it, or --account and --wave where they were given.",
    );
    assert!(story.run(&["explain", "--help"]).out.contains("words of the subject"), "one rule in both places");
}
