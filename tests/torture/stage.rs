//! The simulated tenant, and what happens in it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use transhume_simulators::{
    Options, Running, Simulator,
    seed::{Recipe, tenant},
};

/// Mail of people who work, the same for the same seed; its MIME is the same at every call, so that two moves of it
/// can be compared byte for byte.
pub async fn office(accounts: u32, messages: u32, seed: u64) -> Running {
    started(&Recipe { accounts, messages, seed, hostile: false, ..Recipe::default() }).await
}

/// Calendars, contacts and tasks of people who work.
pub async fn groupware(accounts: u32, items: u32, seed: u64) -> Running {
    let (messages, events, contacts, tasks) = (1, items, items, items);
    started(&Recipe { accounts, messages, events, contacts, tasks, seed, hostile: false, ..Recipe::default() }).await
}

pub async fn started(recipe: &Recipe) -> Running {
    let mut options = Options { seed: recipe.seed, ..Options::default() };
    options.knobs.switches.regenerate_mime = false;
    Simulator::start(tenant(recipe), options).await.unwrap()
}

/// Who has mail, the fullest mailboxes first.
pub fn people(simulator: &Running, most: usize) -> Vec<String> {
    owners(simulator, "message", most)
}

/// Who has most of something, by its kind.
pub fn owners(simulator: &Running, kind: &str, most: usize) -> Vec<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    for entry in simulator.tenant().entries.into_iter().filter(|entry| entry.kind == kind) {
        *counts.entry(entry.user.unwrap()).or_default() += 1;
    }
    let mut people: Vec<_> = counts.into_iter().collect();
    people.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    people.into_iter().take(most).map(|(user, _)| user).collect()
}

/// Mail that only its place or number tells apart: equal bytes twice, with and without a Message-ID.
pub fn add_twins(simulator: &Running, user: &str) {
    let named = "Message-ID: <twin@example.org>\r\nFrom: a@example.org\r\nSubject: twin\r\n\r\nthe same\r\n";
    let nameless = "From: a@example.org\r\nSubject: nameless\r\n\r\nthe same\r\n";
    let arrivals = [named, named, nameless, nameless, nameless].map(|mime| {
        let set = json!({ "receivedDateTime": "2024-02-03T04:05:06Z" });
        json!({ "op": "new_message", "user": user, "folder": "inbox", "mime": STANDARD.encode(mime), "set": set })
    });
    simulator.mutate(Value::from(arrivals.to_vec())).unwrap();
}

/// A busy day: arrivals, flags, categories, moves and deletions in every mailbox, and drafts that people went on writing.
pub fn churn(simulator: &Running, seed: u64, count: u32) {
    simulator.mutate(json!([{ "op": "churn", "seed": seed, "count": count }])).unwrap();
    let drafts = simulator.tenant().entries.into_iter().filter(|entry| entry.resource["isDraft"] == true);
    for draft in drafts.take(3) {
        let mime = format!("From: a@example.org\r\nSubject: draft of day {seed}\r\n\r\nMore words.\r\n");
        let (user, id) = (draft.user.unwrap(), draft.resource["id"].clone());
        let rewrite = json!({ "op": "rewrite", "user": user, "message": id, "mime": STANDARD.encode(mime) });
        simulator.mutate(rewrite).unwrap();
    }
}

/// A busy day in calendars, address books and task lists.
pub fn churn_groupware(simulator: &Running, people: &[String], seed: u64, count: u32) {
    for (user, op) in people.iter().flat_map(|user| CHURNS.map(|op| (user, op))) {
        simulator.mutate(json!([{ "op": op, "user": user, "seed": seed, "count": count }])).unwrap();
    }
}

const CHURNS: [&str; 3] = ["churn_events", "churn_contacts", "churn_tasks"];
