//! A mailbox with every odd mail and folder we know of: each message ends up placed, owed, kept by policy or in
//! quarantine with its reason; the counts add up folder by folder; and the target says the same as the source.

use crate::{
    place::{Server, logins},
    project::{Ended, Project},
    stage,
    standing::{messages, standing},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use transhume_simulators::{
    Options, Running, Simulator,
    dump::{Content, Dump, Entry},
    seed::{Recipe, tenant},
};

const PEOPLE: usize = 2;
/// Mail above this takes long to move, and has a test of its own.
const SMALL: u64 = 3 << 20;

/// What the odd mail loses on its way to Dovecot,
const DOVECOT: [&str; 13] = [
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
/// and to Cyrus too.
const CYRUS: [&str; 1] = ["header_recoded"];

async fn hostile_tenant(large: bool) -> Running {
    let recipe = Recipe { accounts: 2, messages: 40, seed: 7, hostile: true, ..Recipe::default() };
    let mut dump: Dump = tenant(&recipe);
    if !large {
        let small = |content: &Option<Content>| content.as_ref().is_none_or(|content| content.len() <= SMALL);
        dump.entries.retain(|entry| entry.kind != "message" || small(&entry.content));
    }
    Simulator::start(dump, Options::default()).await.unwrap()
}

/// What the account's standing says: all that was listed is accounted for.
fn assert_adds_up(status: &Ended) -> Vec<Value> {
    let standings: Vec<Value> = status.of_type("standing").cloned().collect();
    assert_eq!(standings.len(), PEOPLE);
    for standing in &standings {
        let items = |field: &str| standing[field]["items"].as_u64().unwrap();
        let quarantined = standing["quarantined"].as_array().unwrap();
        assert!(
            quarantined.iter().all(|one| one["cause"].as_str().is_some_and(|cause| !cause.is_empty())),
            "{standing}"
        );
        let barred: u64 = quarantined.iter().map(|one| one["items"].as_u64().unwrap()).sum();
        assert_eq!(items("owed"), 0, "{standing}");
        assert_eq!(items("listed"), items("placed") + barred + items("kept"), "{standing}");
    }
    standings
}

/// The mail of a person at the source, as the simulator holds it.
fn held(simulator: &Running, person: &str) -> BTreeMap<String, usize> {
    let mut folders = BTreeMap::new();
    let ours = |entry: &Entry| entry.user.as_deref() == Some(person) && entry.kind == "message";
    for entry in simulator.tenant().entries.iter().filter(|entry| ours(entry)) {
        *folders.entry(entry.resource["parentFolderId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    folders
}

/// The names of the losses of all accounts. How many dates are clamped depends on the day: some servers keep none in
/// the future.
fn losses(standings: &[Value]) -> BTreeSet<&str> {
    let losses = standings.iter().flat_map(|standing| standing["losses"].as_array().unwrap());
    let there = losses.filter(|loss| loss["items"].as_u64().unwrap() > 0);
    there.map(|loss| loss["name"].as_str().unwrap()).collect()
}

/// Folder by folder, everything at the source is done, owed, in quarantine or kept, and what is done was found.
fn assert_reconciled(verified: &Ended) {
    let number = |folder: &Value, field: &str| folder[field].as_u64().unwrap();
    let folders: Vec<_> = verified.of_type("reconciled").collect();
    assert!(folders.len() > PEOPLE);
    for folder in folders {
        let parts: u64 = ["done", "owed", "quarantined", "excluded"].map(|field| number(folder, field)).iter().sum();
        assert_eq!(number(folder, "source"), parts, "{folder}");
        if number(folder, "done") > 0 {
            assert_eq!(folder["there"]["ours"], folder["done"], "{folder}");
        }
    }
}

async fn moves_to(server: fn(&[String]) -> Server, large: bool, named: &[&str]) {
    let simulator = hostile_tenant(large).await;
    let (people, login) = (stage::people(&simulator, PEOPLE), logins("h", PEOPLE));
    let server = server(&login);
    let project = Project::new(&simulator, &people, &login, server.port(), "");
    let done = project.call(&["run"]).await;
    assert!(matches!(done.code, 0 | 3), "exit {}: {}", done.code, done.stderr);
    let standings = assert_adds_up(&project.call(&["status"]).await);
    let found = standing(server.port(), &login);
    for standing in &standings {
        let at = people.iter().position(|person| standing["account"] == **person).unwrap();
        let held: usize = held(&simulator, &people[at]).values().sum();
        assert_eq!(standing["listed"]["items"].as_u64().unwrap(), held as u64, "{}", people[at]);
        assert_eq!(messages(&found[at]) as u64, standing["placed"]["items"].as_u64().unwrap(), "{}", people[at]);
    }
    let again = project.call(&["run"]).await;
    let moved = ["fetched", "placed", "amended", "relocated", "replaced", "withdrawn"]
        .map(|verb| again.summary()[verb].clone());
    assert_eq!(Value::from(moved.to_vec()), json!([0, 0, 0, 0, 0, 0]), "a second run moves nothing");
    let verified = project.call(&["verify", "--depth", "content"]).await;
    let differences: Vec<_> = verified.of_type("difference").collect();
    assert_eq!(differences, Vec::<&Value>::new(), "what the losses do not account for");
    assert_eq!(verified.code, done.code, "what is in quarantine is not proven: {}", verified.stderr);
    assert_reconciled(&verified);
    assert_eq!(losses(&standings), named.iter().copied().collect(), "a loss more or less than the mail has");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_mail_moves_to_dovecot() {
    moves_to(Server::dovecot, false, &DOVECOT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_mail_moves_to_cyrus() {
    moves_to(Server::cyrus, false, &[&DOVECOT[..], &CYRUS].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "moves messages of up to 60 MB"]
async fn hostile_and_large_mail_moves_to_dovecot() {
    moves_to(Server::dovecot, true, &DOVECOT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "moves messages of up to 60 MB"]
async fn hostile_and_large_mail_moves_to_cyrus() {
    moves_to(Server::cyrus, true, &[&DOVECOT[..], &CYRUS].concat()).await;
}
