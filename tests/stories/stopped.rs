//! Ctrl-C, and a second process in the meantime.

use crate::mailbox::{copies, look};
use crate::setting::{Said, Story, ordinary, server};
use serde_json::json;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Waits until the run has fetched some messages.
fn under_way(story: &Story, child: &mut Child) {
    fetched(story, child, 5);
}

fn fetched(story: &Story, child: &mut Child, bodies: u64) {
    let since = Instant::now();
    while story.simulator.stats().bodies < bodies {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
        assert!(since.elapsed() < Duration::from_secs(60), "it never began to fetch");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for the end of a process that was asked to stop; one that takes longer is ended, and is a failure.
pub fn ended_within(story: &Story, mut child: Child, time: Duration) -> Said {
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > time {
            child.kill().unwrap();
            panic!("it did not end within {time:?}: {:?}", story.finish(child));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    story.finish(child)
}

pub fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap().success());
}

#[test]
fn an_interrupted_run_ends_soon_and_the_next_one_completes_it() {
    let story = Story::with_server(&ordinary(1, 120), server(1));
    story.simulator.faults(json!({ "latency_ms": 150 })).unwrap();
    let mut child = story.start(&["run", "--json"]);
    under_way(&story, &mut child);
    let second = story.run(&["run"]);
    signal(&child, "INT");
    let first = ended_within(&story, child, Duration::from_secs(8));
    assert_eq!(first.code, Some(130), "{first:?}");
    assert_eq!(first.summary()["verb"], "run");
    assert!(first.err.ends_with("stopped; nothing is lost, run again to go on"), "{}", first.err);
    second.complains(
        5,
        &[
            "the project is locked by `transhume run` (process PID on ",
            "Wait until it ends, or stop it; stopping is safe at any moment.",
        ],
    );
    let since = regex::Regex::new(r" since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)\n").unwrap();
    assert!(since.is_match(&second.err), "{}", second.err);
    story.run(&["status"]).tells(3, &[" run, interrupted"]);
    let standing = look(&story, 1).len();
    assert!(standing < 120, "there is something left to do");

    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
    let mails = look(&story, 1);
    assert!(mails.len() >= 120 && copies(&mails).values().all(|copies| *copies == 1), "{} messages", mails.len());
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

/// A reason belongs to the pass that met it.
#[test]
fn what_stopped_an_earlier_run_is_told_with_its_time_and_no_longer_once_a_run_came_through() {
    let story = Story::with_server(&ordinary(1, 120), server(1));
    story.simulator.faults(json!({ "latency_ms": 100 })).unwrap();
    let unset = story.command(&["push"]).env_remove("STORY_PASSWORD").output().unwrap();
    story.said(&unset).complains(1, &["STORY_PASSWORD is not set"]);
    let dated =
        regex::Regex::new(r"stopped at the target on \d{4}-\d\d-\d\d \d\d:\d\d: .*STORY_PASSWORD is not set").unwrap();
    let status = story.run(&["status"]).out;
    assert!(dated.is_match(&status), "{status}");
    story.simulator.reset_stats();
    let mut child = story.start(&["run"]);
    fetched(&story, &mut child, 15);
    signal(&child, "INT");
    let interrupted = story.finish(child);
    assert_eq!(interrupted.code, Some(130), "{interrupted:?}");
    assert!(!interrupted.out.contains("STORY_PASSWORD"), "an earlier run's reason: {}", interrupted.out);
    let status = story.run(&["status"]);
    status.tells(3, &[" owed, 0 in quarantine"]);
    assert!(!status.out.contains("STORY_PASSWORD"), "{}", status.out);
}

#[test]
fn who_asks_politely_is_heard_as_well_and_status_needs_no_lock() {
    let story = Story::new(&ordinary(1, 120));
    story.simulator.faults(json!({ "latency_ms": 150 })).unwrap();
    let mut child = story.start(&["pull"]);
    under_way(&story, &mut child);
    story.run(&["status"]).tells(3, &["status: 1 account; "]);
    signal(&child, "TERM");
    let pull = ended_within(&story, child, Duration::from_secs(8));
    assert_eq!(pull.code, Some(130), "{pull:?}");
    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
}
