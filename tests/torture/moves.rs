//! Moves at the source, followed on a server without MOVE whose connection ends at every point of copy and removal: in
//! the end each message stands once, where it stands at the source.

use crate::{
    place::{Server, before, logins},
    project::Project,
    stage,
    standing::{assert_same, standing},
};
use serde_json::{Value, json};
use transhume_servers::Act;
use transhume_simulators::{Running, dump::Entry};

/// Moves all that stands beside the twins, and them, to another folder.
fn shift(simulator: &Running, user: &str, to: &str) -> usize {
    let tenant = simulator.tenant();
    let own = || tenant.entries.iter().filter(|entry| entry.kind == "message" && entry.user.as_deref() == Some(user));
    let twin = own().find(|entry| entry.resource["subject"] == "twin").unwrap();
    let here = own().filter(|entry| entry.resource["parentFolderId"] == twin.resource["parentFolderId"]);
    let moving = |entry: &Entry| json!({ "op": "move", "user": user, "message": entry.resource["id"], "to": to });
    let moves: Vec<Value> = here.map(moving).collect();
    let count = moves.len();
    simulator.mutate(Value::from(moves)).unwrap();
    count
}

async fn cut_at_every_point(server: fn(&[String]) -> Server, hidden: &[&str], verbs: &[&str]) {
    let simulator = stage::office(1, 25, 11).await;
    let people = stage::people(&simulator, 1);
    stage::add_twins(&simulator, &people[0]);
    let (a, b) = (logins("a", 1), logins("b", 1));
    let server = server(&[a.clone(), b.clone()].concat());
    let (calm, cutter) = (before(&server, hidden), before(&server, hidden));
    let undisturbed = Project::new(&simulator, &people, &a, calm.port(), "");
    let cut = Project::new(&simulator, &people, &b, cutter.port(), "");
    assert_eq!((undisturbed.call(&["run"]).await.code, cut.call(&["run"]).await.code), (0, 0));
    let mut folders = ["archive", "inbox"].iter().cycle();
    for verb in verbs {
        for act in [Act::CutOnArrival, Act::CutBefore, Act::CutAfter] {
            let case = format!("{hidden:?}: {verb} {act:?}");
            let moved = shift(&simulator, &people[0], folders.next().unwrap());
            assert!(moved > 4, "{case}: {moved} messages move");
            for nth in [1, 3, 4] {
                cutter.on(verb, nth, act.clone());
            }
            assert_eq!(undisturbed.call(&["run"]).await.code, 0, "{case}");
            let done = cut.run_until_done(4).await;
            assert_eq!(done.code, 0, "{case}: {}\n{:?}", done.stderr, done.events);
            assert_eq!(cutter.pending(), 0, "{case}: nothing was cut");
            assert_same(&standing(server.port(), &b), &standing(server.port(), &a), &case);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_cut_before_dovecot_without_move() {
    cut_at_every_point(Server::dovecot, &["MOVE"], &["UID COPY", "UID STORE", "UID EXPUNGE"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_cut_before_dovecot_without_move_and_uidplus() {
    cut_at_every_point(Server::dovecot, &["MOVE", "UIDPLUS"], &["UID COPY", "UID STORE"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_cut_before_cyrus() {
    cut_at_every_point(Server::cyrus, &[], &["UID MOVE"]).await;
}
