//! What a plan foresees of the target, and what is said when mail stands there already.

use crate::mailbox::look;
use crate::setting::{Story, ordinary, server};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use transhume_servers::{DovecotOptions, Login};

#[test]
fn a_mailbox_that_is_too_small_is_a_blocker() {
    let accounts = vec![Login::new("account1", "own").quota(20_000)];
    let story = Story::with_server(&ordinary(1, 30), DovecotOptions { accounts, ..server(1) });
    let plan = story.run(&["plan"]);
    plan.tells(3, &["the mailbox at the target has", "raise its quota", "; 1 blocker to mend first."]);
    assert!(plan.out.starts_with("BLOCKER "), "what blocks is read first: {}", plan.out);
    assert_eq!(story.run(&["plan", "--json"]).summary()["blockers"], 1);
}

#[test]
fn a_login_that_is_refused_is_a_blocker() {
    let story = Story { password: "wrong".into(), ..Story::with_server(&ordinary(1, 4), server(1)) };
    story.run(&["plan"]).tells(3, &["BLOCKER", "refused the login of migrator acting for account1"]);
}

#[test]
fn sums_renames_and_the_ground_of_each_figure_are_told() {
    let story = Story::with_server(&ordinary(2, 6), server(2));
    let user = &story.addresses[0];
    story.mutate(json!([{ "op": "create_folder", "user": user, "name": "a/b" }]));
    story.mutate(json!([{ "op": "create_folder", "user": user, "name": "~odd" }]));
    story.run(&["plan", "--sample", "3"]).tells(
        0,
        &[
            "2 accounts",
            "a/b will stand as a_b",
            "~odd may be refused",
            "will stand as Sent",
            "Items are counted, sizes as the source states them",
            "loss (sampled): flag_complete, 1 item of 6 sampled",
            "; nothing blocks.",
        ],
    );
    assert_eq!(look(&story, 1), [], "a plan writes nothing");
}

/// A second project into the same mailboxes would double everything.
#[test]
fn a_second_project_into_the_same_mailboxes_asks_first_and_may_adopt() {
    let first = Story::with_server(&ordinary(1, 10), server(1));
    first.run(&["run"]).ok();
    let before = look(&first, 1);
    let (project, second) = (first.project(), first.beside("first"));
    std::fs::create_dir(&second).unwrap();
    for name in ["project.db", "accounts"] {
        std::fs::rename(project.join(name), second.join(name)).unwrap();
    }
    for name in ["project.db-wal", "project.db-shm"] {
        // They stand only where the last process could not close the database.
        std::fs::rename(project.join(name), second.join(name)).ok();
    }
    first.run(&["init"]).ok();
    first
        .run(&["check"])
        .tells(0, &["already holds mail", "`transhume plan` tells whether it is mail that is to be moved"]);
    for verb in ["plan", "run"] {
        let said = first.run(&[verb]);
        assert!(said.out.contains("it would stand there twice"), "{verb}: {}\n{}", said.out, said.err);
        assert!(said.out.contains("set `existing` under [policy]"), "{verb}: {}", said.out);
        assert_eq!(look(&first, 1), before, "{verb} doubled mail");
    }
    first.run(&["check"]).tells(1, &["BLOCKER", "it would stand there twice"]);
    let text = std::fs::read_to_string(first.project().join("transhume.toml")).unwrap();
    first.write("transhume.toml", format!("{text}\n[policy]\nexisting = \"adopt\"\n"));
    let dry = first.run(&["run", "--dry-run", "--json"]).summary();
    assert_eq!((&dry["placed"], &dry["at_most"]), (&json!(before.len()), &json!(["placed"])), "{dry}");
    first.run(&["run", "--dry-run"]).tells(0, &["At most so many are placed: a dry run does not look which of them"]);
    let run = first.run(&["run", "--json"]);
    assert_eq!((&run.ok().summary()["placed"], run.summary().get("at_most")), (&json!(0), None), "{}", run.out);
    assert_eq!(look(&first, 1), before, "what was there is taken for placed");
    first.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

/// A typing error in a login is corrected after mail went to the wrong mailbox.
#[test]
fn another_login_for_an_account_that_was_moved_is_refused_by_every_verb() {
    let story = Story::with_server(&ordinary(1, 6), server(2));
    story.run(&["run"]).ok();
    let before = look(&story, 1);
    story.write("accounts.csv", format!("source,target\n{},account2\n", story.addresses[0]));
    let said = "placed in the mailbox account1, and accounts.csv now says account2";
    let step = "Write account1 back into the column target";
    story.run(&["check"]).tells(1, &["BLOCKER", said, step]);
    story.run(&["plan"]).tells(3, &["BLOCKER", said, step]);
    story.run(&["run"]).tells(3, &["stopped at the target", said, step]);
    story.run(&["verify"]).tells(1, &[said, step]);
    assert_eq!((look(&story, 1), look(&story, 2)), (before, Vec::new()));
    story.write("accounts.csv", format!("source,target\n{},account1\n", story.addresses[0]));
    story.run(&["run"]).ok();
    story.run(&["verify"]).tells(0, &["0 differences"]);
}

/// What people will miss is to be known before the first message is placed, not after.
#[test]
fn a_sample_foresees_what_placing_will_lose() {
    let story = Story::with_server(&ordinary(1, 12), server(1));
    let user = &story.addresses[0];
    let received = |date: &str| json!({ "receivedDateTime": date, "importance": "low" });
    let new = |id: &str, set: serde_json::Value| {
        let mime = STANDARD.encode(format!("Message-ID: <{id}@x>\r\nSubject: {id}\r\n\r\nx\r\n"));
        json!({ "op": "new_message", "user": user, "folder": "inbox", "mime": mime, "set": set })
    };
    story.mutate(json!([
        new("old", received("1965-04-01T10:00:00Z")),
        new("far", received("2090-04-01T10:00:00Z")),
        new("done", json!({ "flag": { "flagStatus": "complete" }, "categories": ["D\u{e9}j\u{e0} vu"] })),
    ]));
    let plan = story.run(&["plan", "--sample", "1000", "--json"]);
    let events = plan.ok().events();
    let foreseen = losses(&events.iter().find(|event| event["type"] == "plan").unwrap()["losses"]);
    for name in ["date_clamped", "flag_complete", "category_renamed", "importance_low"] {
        assert!(foreseen.contains_key(name), "{name} is not foreseen: {foreseen:?}");
    }
    assert_eq!(foreseen["date_clamped"], 2);
    story.run(&["plan"]).tells(0, &["loss (sampled): date_clamped, 2 items of "]);
    story.run(&["run"]).ok();
    let events = story.run(&["status", "--json"]).events();
    let met = losses(&events.iter().find(|event| event["type"] == "standing").unwrap()["losses"]);
    assert_eq!(foreseen, met, "the plan says what the run does");
    let events = story.run(&["plan", "--json"]).events();
    let after = losses(&events.iter().find(|event| event["type"] == "plan").unwrap()["losses"]);
    assert_eq!(after, met, "what is placed is not foreseen once more");
}

fn losses(losses: &serde_json::Value) -> std::collections::BTreeMap<String, u64> {
    let told = losses.as_array().unwrap().iter();
    let told = told.map(|loss| (loss["name"].as_str().unwrap().to_owned(), loss["items"].as_u64().unwrap()));
    told.filter(|(_, items)| *items > 0).collect()
}

#[test]
fn a_name_that_changes_everywhere_is_said_once_and_the_rest_summed_up() {
    let story = Story::with_server(&ordinary(3, 2), server(3));
    let user = &story.addresses[1];
    let made = (0..14).map(|n| json!({ "op": "create_folder", "user": user, "name": format!("{n}/{n}") }));
    story.mutate(made.collect::<Vec<_>>().into());
    let plan = story.run(&["plan"]);
    let renamed: Vec<_> = plan.ok().out.lines().filter(|line| line.starts_with("renamed")).collect();
    let own = ["INBOX", "Drafts", "Sent", "Trash", "Junk"];
    for own in own {
        let told: Vec<_> = renamed.iter().filter(|line| line.ends_with(&format!(" will stand as {own}"))).collect();
        assert_eq!(told.len(), 1, "once, whatever the languages: {renamed:#?}");
    }
    let junk = renamed.iter().find(|line| line.ends_with(" will stand as Junk")).unwrap();
    assert!(junk.starts_with("renamed everywhere: ") && junk.contains(", "), "{junk}");
    let others =
        renamed.iter().filter(|line| line.contains(&format!("renamed {user}: ")) && line.contains('/')).count();
    assert_eq!(others, 10, "{renamed:#?}");
    let rest = renamed.last().unwrap();
    assert!(rest.contains("more folders of ") && rest.ends_with("; `transhume plan --json` names every one"), "{rest}");
    let events = story.run(&["plan", "--json"]).events();
    let all: usize = events.iter().filter_map(|event| event["renames"].as_array()).map(Vec::len).sum();
    assert!(all >= 14, "{all}");
}

#[test]
fn what_a_plan_listed_and_nobody_pulled_is_not_what_a_push_fetches() {
    let story = Story::new(&ordinary(1, 4));
    story.run(&["plan"]).ok();
    let dry = story.run(&["push", "--dry-run"]);
    dry.tells(3, &[" not pulled yet (`transhume pull` fetches them)"]);
    assert!(!dry.out.contains("not pulled yet (run again)"), "{}", dry.out);
    story.run(&["pull"]).ok();
    let dry = story.run(&["push", "--dry-run"]);
    assert!(!dry.ok().out.contains("not pulled yet"), "{}", dry.out);
}
