//! What is said of many accounts, and of one item: once, whole, and only what still holds.

use crate::setting::{Said, Story, ordinary};
use serde_json::json;
use std::fs;
use std::process::Command;

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
    story.run(&["status"]).tells(3, &["2 accounts stopped at the source on 20", " push, "]);
    story.simulator.faults(json!({ "clear": true })).unwrap();
    list(&format!("{first},{first},mayor\nnobody@valmont.example,n,2\n"));
    story.run(&["run", "--wave", "mayor"]).ok();
    let status = story.run(&["status"]);
    status.tells(
        3,
        &[
            "mayor",
            " run, done",
            "1 account not worked on yet: nobody@valmont.example",
            "0 accounts stopped, 1 account not worked on yet.",
        ],
    );
    assert!(!status.out.contains(&format!("{first} > ")), "one address where both are the same: {}", status.out);
    let (now, departed) = status.out.split_once("no longer in accounts.csv").expect(&status.out);
    assert!(!now.contains("stopped at") && !now.contains(second.as_str()), "{now}");
    assert!(departed.contains(second.as_str()), "{departed}");
    let summary = story.run(&["status", "--json"]).summary();
    let figures = ["accounts", "owed", "stopped", "waiting", "departed"].map(|name| summary[name].as_u64());
    assert_eq!(figures, [Some(1), Some(0), Some(0), Some(1), Some(1)], "{summary}");
}

/// As `| head -1` leaves it.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let story = Story::new(&ordinary(2, 3));
    story.run(&["run"]).ok();
    for words in
        [&["explain", "1"][..], &["status"], &["status", "--items"], &["status", "--json"], &["status", "--help"]]
    {
        let mut child = story.start(words);
        drop(child.stdout.take());
        let said = story.finish(child);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn tables_fit_the_terminal_and_what_is_redirected_is_whole() {
    let story = Story::new(&ordinary(2, 3));
    let long = "secretariat.general.des.services@communaute-de-communes-du-pays-de-valmont.example";
    story.write("accounts.csv", format!("source,target\n{},{long}\n", story.addresses[0]));
    story.run(&["run"]).tells(0, &[&format!("{} > {long}", story.addresses[0])]);
    let narrow = on_a_terminal(&story, &["status"]);
    assert!(narrow.out.contains('…') && narrow.out.lines().all(|line| line.chars().count() <= 80), "{}", narrow.out);
    story.run(&["status"]).tells(0, &[long]);
}

#[test]
fn a_domain_that_all_share_goes_before_a_letter_of_a_name_does() {
    let story = Story::new(&ordinary(4, 3));
    let lines: String = story.addresses.iter().map(|address| format!("{address},{address}\n")).collect();
    story.write("accounts.csv", format!("source,target\n{lines}"));
    story.run(&["run"]).ok();
    let wide = story.run(&["status"]).out;
    assert!(story.addresses.iter().all(|address| wide.contains(address)), "redirected, all is whole: {wide}");
    let narrow = story.command(&["status"]).env("COLUMNS", "80").output().unwrap();
    let narrow = story.said(&narrow).out;
    let table: Vec<_> = narrow.lines().take_while(|line| !line.starts_with("4 accounts ")).collect();
    assert_eq!(table[0], "accounts without a domain: @valmont.example", "{narrow}");
    for address in &story.addresses {
        let local = address.split('@').next().unwrap();
        assert!(table.iter().any(|line| line.starts_with(&format!("{local}  "))), "{local}: {narrow}");
    }
    assert!(table.len() == 6 && table.iter().all(|line| line.chars().count() <= 80), "a line each: {narrow}");
}

/// What is said on a terminal of 80 columns, on stderr too.
fn on_a_terminal(story: &Story, words: &[&str]) -> Said {
    let (binary, project) = (env!("CARGO_BIN_EXE_transhume"), story.project());
    let line = format!("{binary} {} --no-progress --project {}", words.join(" "), project.display());
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &line, "/dev/null"]).env("COLUMNS", "80");
    story.said(&story.surrounded(script).output().unwrap())
}

#[test]
fn sentences_fit_the_terminal_and_what_is_redirected_is_whole() {
    let story = Story::new(&ordinary(1, 3));
    let mime = crate::setting::base64("Message-ID: <low@x>\r\nSubject: low\r\n\r\nx\r\n");
    let set = json!({ "importance": "low" });
    let user = &story.addresses[0];
    story.mutate(json!({ "op": "new_message", "user": user, "folder": "inbox", "mime": mime, "set": set }));
    let fits = |verb: &[&str]| {
        let said = on_a_terminal(&story, verb);
        let too_wide = said.out.lines().chain(said.err.lines()).filter(|line| line.chars().count() > 80);
        assert_eq!(too_wide.collect::<Vec<_>>(), Vec::<&str>::new(), "{verb:?}");
    };
    for verb in [&["check"][..], &["plan", "--sample", "5"], &["run", "--dry-run"], &["run"], &["status"]] {
        fits(verb);
    }
    let kept = "    `transhume explain --loss NAME` lists the items of one, `transhume explain ITEM` says what an item lost; its \
                original is kept.\n";
    let exported = story.command(&["status"]).env("COLUMNS", "80").output().unwrap();
    for said in [story.run(&["status"]), story.said(&exported)] {
        said.tells(0, &[kept]);
    }
    let wrapped = on_a_terminal(&story, &["status"]);
    wrapped.tells(
        0,
        &["named losses, ", "`transhume explain --loss NAME`", "its original is kept.", "status: 1 account; "],
    );
    assert!(!wrapped.out.contains(kept.trim()), "there is something to wrap: {}", wrapped.out);
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    fits(&["run"]);
    story.run(&["status"]).tells(3, &["1 account stopped."]);
}

#[test]
fn quiet_leaves_what_is_wrong_and_the_last_line() {
    let story = Story::new(&ordinary(2, 3));
    for (verb, last) in [
        (&["check", "-q"][..], "2 accounts checked on both sides; "),
        (&["plan", "-q", "--sample", "2"], " requests to the source: "),
        (&["run", "-q"], "run: "),
        (&["status", "-q"], "status: 2 accounts; 0 owed, 0 in quarantine, 0 accounts stopped."),
        (&["verify", "-q"], "verify: "),
        (&["survey", "-q"], " with something to move."),
    ] {
        let said = story.run(verb);
        let lines: Vec<_> = said.ok().out.lines().filter(|line| !is_out_of_reach(line)).collect();
        assert!(lines.len() == 1 && lines[0].contains(last), "{verb:?}: {lines:#?}");
        assert_eq!(said.err, "", "{verb:?}");
    }
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    let run = story.run(&["run", "-q"]);
    run.tells(3, &["2 accounts stopped at the source: ", "2 accounts stopped."]);
    assert!(!run.out.contains("account  "), "no table: {}", run.out);
}

/// What only people can rescue is wrong, too, whatever the manner.
fn is_out_of_reach(line: &str) -> bool {
    ["OUT OF REACH ", "cannot be reached: "].iter().any(|words| line.starts_with(words))
}

#[test]
fn the_help_names_every_operation_of_the_simulator() {
    let story = Story::new(&ordinary(1, 1));
    let refused = story.simulator.mutate(json!({ "op": "nothing of the kind" })).unwrap_err();
    let known = regex::Regex::new("`([a-z_]+)`").unwrap();
    let known: Vec<_> = known.captures_iter(refused.split_once("expected one of").unwrap().1).collect();
    assert!(known.len() > 8, "{refused}");
    let help = story.run(&["simulate", "--help"]).out;
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for op in known {
        assert!(help.contains(&format!("\n  {} ", &op[1])), "{} is not in --help: {help}", &op[1]);
        assert!(readme.contains(&format!("`{}`", &op[1])), "{} is not in the README", &op[1]);
    }
}

#[test]
fn a_demo_accounts_for_every_message_once() {
    let story = Story::new(&ordinary(1, 1));
    let project = story.beside("demo");
    let words = ["demo", "--accounts", "3", "--messages", "20", "--project"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_transhume"));
    let output = command.args(words).arg(&project).output().unwrap();
    let out = story.said(&output).out;
    let (_, table) = out.rsplit_once("  at the target\n").unwrap_or_else(|| panic!("{out}"));
    let rows: Vec<Vec<u64>> = table.lines().map_while(figures).collect();
    assert!(rows.len() > 3, "{table}");
    for row in &rows {
        assert_eq!(row[0], row[1..].iter().sum::<u64>(), "at source = moved + owed + quarantine + kept: {table}");
    }
    let (sums, accounts) = rows.split_last().unwrap();
    for (column, sum) in sums.iter().enumerate() {
        assert_eq!(*sum, accounts.iter().map(|row| row[column]).sum::<u64>(), "column {column}: {table}");
    }
    let kept: u64 = sums[4];
    assert!(sums[3] > 0 && kept > 0, "there is something to count twice: {table}");
    assert!(out.contains("the source deleted them since, or filed them where [policy] does not push"), "{out}");
}

/// The five counts of a row of the demo's table: at source, moved, owed, quarantine, kept.
fn figures(line: &str) -> Option<Vec<u64>> {
    let figures = regex::Regex::new(r"^\S.*?((?:  +[\d,]+){5})  ").unwrap();
    let found = figures.captures(line)?;
    Some(found[1].split_whitespace().map(|figure| figure.replace(',', "").parse().unwrap()).collect())
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
    assert_eq!((&raw.summary()["verb"], raw.summary()["items"].as_u64()), (&json!("explain"), Some(1)));
    assert_eq!(story.run(&["explain", "1", "--json"]).summary()["items"], 2);
    for nothing in ["", "  "] {
        story
            .run(&["explain", nothing])
            .complains(2, &["no item is named\nAn item is named by one of these: the number"]);
    }
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
