//! Simulated tenants for benchmarks.

use serde_json::json;
use std::time::Duration;
use tokio::runtime::Runtime;
use transhume_simulators::{
    Limits, Options, Running, Simulator,
    dump::{Content, Dump, Entry},
    seed::{Recipe, tenant},
};

pub const MAILBOXES: [&str; 8] = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta"];

/// Plain mails of one size, all in the inboxes.
pub fn plain(accounts: u32, messages: u32, bytes: u32) -> Dump {
    let message_bytes = Some(bytes);
    tenant(&Recipe { accounts, messages, message_bytes, hostile: false, ..Recipe::default() })
}

/// The same mails, spread over eight folders.
pub fn spread(messages: u32, bytes: u32) -> Dump {
    let mut dump = plain(1, messages, bytes);
    let inbox = dump.entries.iter().find(|entry| entry.parent.as_deref() == Some("inbox")).unwrap().clone();
    let at = dump.entries.iter().rposition(|entry| entry.kind == "mailFolder").unwrap() + 1;
    let each = messages / MAILBOXES.len() as u32;
    let folders = MAILBOXES.iter().map(|name| {
        let mut folder = Entry { parent: None, ..inbox.clone() };
        folder.resource["id"] = json!(folder_id(&inbox, name));
        folder.resource["displayName"] = json!(name);
        folder.resource["totalItemCount"] = json!(each);
        folder
    });
    let folders: Vec<_> = folders.collect();
    dump.entries.splice(at..at, folders);
    let messages = dump.entries.iter_mut().filter(|entry| entry.kind == "message");
    for (number, message) in messages.enumerate() {
        message.resource["parentFolderId"] = json!(folder_id(&inbox, MAILBOXES[number % MAILBOXES.len()]));
    }
    let inbox = dump.entries.iter_mut().find(|entry| entry.parent.as_deref() == Some("inbox")).unwrap();
    inbox.resource["totalItemCount"] = json!(0);
    dump
}

/// An id as long as the inbox's, with the folder's name for its end.
fn folder_id(inbox: &Entry, name: &str) -> String {
    let id = inbox.resource["id"].as_str().unwrap();
    let kept = id.trim_end_matches('=').len() - name.len();
    format!("{}{name}", &id[..kept])
}

/// One message of so many megabytes.
pub fn large(megabytes: u32) -> Dump {
    let mut dump = plain(1, 1, 1024);
    let message = dump.entries.iter_mut().find(|entry| entry.kind == "message").unwrap();
    if let Some(Content::Repeat { line, times, .. }) = &mut message.content {
        *times = u64::from(megabytes) * 1_000_000 / line.len() as u64;
    }
    dump
}

pub fn messages(dump: &Dump) -> impl Iterator<Item = &Entry> {
    dump.entries.iter().filter(|entry| entry.kind == "message")
}

pub fn addresses(dump: &Dump) -> Vec<String> {
    let mut users: Vec<_> = messages(dump).filter_map(|message| message.user.clone()).collect();
    users.dedup();
    users
}

/// A served tenant. It answers after `latency`, and its limits are out of the way.
pub fn serve(runtime: &Runtime, dump: Dump, lanes: u32, latency: Duration) -> Running {
    let mut options = Options::default();
    options.knobs.latency_ms = u64::try_from(latency.as_millis()).unwrap();
    options.knobs.limits = Limits { requests: u32::MAX, concurrency: lanes, ..Limits::default() };
    runtime.block_on(Simulator::start(dump, options)).expect("the simulator starts")
}
