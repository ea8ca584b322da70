//! What no pass listed to its end: nobody knows what it holds, so nothing may look as if all were done.

use crate::setting::{Said, Story, ordinary};
use crate::waits::{busy, interrupted};
use serde_json::json;

/// What `status` says of an account whose folders were not listed to the end.
#[track_caller]
fn told_by(status: &Said, user: &str) {
    let note = format!("folders of {user} not listed to the end: more may stand there than is counted here");
    let last = "0 in quarantine, 1 account with folders not listed to the end (run again), 0 accounts stopped.";
    status.tells(3, &[&note, "`transhume run` goes on with them", last]);
}

#[test]
fn a_listing_that_was_interrupted_is_told_until_a_run_came_through() {
    let story = Story::new(&ordinary(1, 6));
    let user = story.addresses[0].clone();
    busy(&story, "/messages/delta");
    assert_eq!(interrupted(&story, &["run"]).0.code, Some(130));
    let status = story.run(&["status"]);
    told_by(&status, &user);
    status.tells(3, &[" run, interrupted"]);

    // What a push ends with says nothing of the source.
    story.run(&["push"]).tells(3, &["1 account with folders not listed to the end (run again)"]);
    let status = story.run(&["status"]);
    told_by(&status, &user);
    status.tells(3, &[" push, unlisted"]);
    let json = story.run(&["status", "--json"]);
    assert_eq!((json.code, &json.summary()["unlisted"]), (Some(3), &json!(1)), "{}", json.out);
    let quiet = story.run(&["status", "-q"]);
    quiet.tells(3, &["1 account with folders not listed to the end (run again)"]);

    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
    let status = story.run(&["status"]);
    status.tells(0, &[" run, done", "status: 1 account; 0 owed, 0 in quarantine, 0 accounts stopped."]);
    assert!(!status.out.contains("listed to the end"), "{}", status.out);
    assert_eq!(story.run(&["status", "--json"]).ok().summary()["unlisted"], 0);
}

#[test]
fn where_only_a_push_ran_nothing_looks_done() {
    let story = Story::new(&ordinary(1, 6));
    story.run(&["push"]).tells(3, &["1 account with folders not listed to the end (run again)"]);
    told_by(&story.run(&["status"]), &story.addresses[0]);
}

/// Who was never worked on has nothing that could be owed.
#[test]
fn before_the_first_pass_nothing_looks_done() {
    let story = Story::new(&ordinary(2, 3));
    let none = "status: 0 accounts; 0 owed, 0 in quarantine, 0 accounts stopped, 2 accounts not worked on yet.";
    story.run(&["status"]).tells(3, &[none]);
    let json = story.run(&["status", "--json"]);
    assert_eq!((json.code, &json.summary()["waiting"]), (Some(3), &json!(2)), "{}", json.out);
}
