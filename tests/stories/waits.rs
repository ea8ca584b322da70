//! A service that asks for patience: what is needed is waited for, what is only welcome is not, and Ctrl-C ends it all.

use crate::setting::{Said, Story, ordinary};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// Every such request is told to come back in ten minutes.
pub fn busy(story: &Story, path: &str) {
    let fault = json!({ "kind": "throttle", "retry_after": 600.0 });
    story.simulator.faults(json!({ "rules": [{ "path": path, "fault": fault }] })).unwrap();
}

/// Interrupts a verb once it was told to wait.
pub fn interrupted(story: &Story, words: &[&str]) -> (Said, Duration) {
    let before = story.simulator.stats().faults.values().sum::<u64>();
    let mut child = story.start(words);
    let since = Instant::now();
    while story.simulator.stats().faults.values().sum::<u64>() == before {
        assert!(child.try_wait().unwrap().is_none(), "{words:?} ended before it was told to wait");
        assert!(since.elapsed() < Duration::from_secs(60), "{words:?} was never told to wait");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "{words:?} did not wait");
    let (asked, id) = (Instant::now(), child.id().to_string());
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    (story.finish(child), asked.elapsed())
}

#[test]
fn ctrl_c_ends_every_wait_within_seconds() {
    let story = Story::new(&ordinary(1, 6));
    story.run(&["survey"]).ok();
    let waits: [(&[&str], &str); 8] = [
        (&["survey"], "/users[?]"),
        (&["survey"], "/groups[?]"),
        (&["check"], "/users[?]"),
        (&["check"], "/mailFolders/inbox[?]"),
        (&["plan"], "/mailFolders/"),
        (&["pull"], "/messages/delta"),
        (&["pull"], "/messageRules"),
        (&["run"], "/[$]value"),
    ];
    for (words, path) in waits {
        busy(&story, path);
        let (said, took) = interrupted(&story, words);
        assert_eq!(said.code, Some(130), "{words:?} at {path}: {said:?}");
        assert!(took < Duration::from_secs(4), "{words:?} at {path}: {took:?}");
    }
    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
}

#[test]
fn a_usage_report_that_is_not_to_be_had_now_holds_nothing_up() {
    let story = Story::new(&ordinary(1, 2));
    busy(&story, "/reports/");
    let since = Instant::now();
    story.run(&["survey"]).tells(0, &["unknown", "cannot be reached: in place archive", "again in ten minutes"]);
    story.run(&["check"]).tells(
        0,
        &["note     source  everybody: the mailbox usage report is not available now (it was asked for too often in the last minutes)"],
    );
    story.run(&["plan"]).ok();
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    let counts: Value = serde_json::to_value(story.simulator.stats()).unwrap();
    assert!(counts["faults"]["throttle"].as_u64().unwrap() >= 2, "{counts}");
}

#[test]
fn how_often_the_service_refused_is_told_at_the_end() {
    let story = Story::new(&ordinary(1, 12));
    let fault = json!({ "kind": "throttle", "retry_after": 1.0 });
    let rule = json!({ "path": "/messages/", "times": 3, "fault": fault });
    story.simulator.faults(json!({ "rules": [rule] })).unwrap();
    let run = story.run(&["run"]);
    let rate = regex::Regex::new(r"The source refused 3 of \d+ requests as too many \(\d+\.\d %\)\.$").unwrap();
    assert!(run.code == Some(0) && rate.is_match(run.out.trim_end()), "{run:?}");
    story.run(&["pull"]).tells(0, &["The source refused none of "]);
    let json = story.run(&["pull", "--json"]).summary();
    assert!(json["requests"].as_u64() > Some(0) && json["throttled"] == 0, "{json}");
}
