//! Simulated tenants for benchmarks.

use serde_json::json;
use std::time::Duration;
use tokio::runtime::Runtime;
use transhume_simulators::{
    Limits, Options, Running, Simulator,
    dump::{Content, Dump, Entry},
    seed::{Recipe, tenant},
};

pub const CALENDARS: usize = 10;
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

/// Office events of one account, a fifth of them series, nearly all of them in its time zone, spread over ten calendars;
/// and a second account, whose calendar is empty.
pub fn agenda(events: u32) -> Dump {
    let (accounts, message_bytes) = (2, Some(512));
    let mut dump =
        tenant(&Recipe { accounts, messages: 1, events, message_bytes, hostile: false, ..Recipe::default() });
    let at = dump.entries.iter().position(|entry| entry.kind == "calendar").unwrap();
    let default = dump.entries[at].clone();
    dump.entries.retain(|entry| entry.kind != "event" || entry.user == default.user);
    let others = (1..CALENDARS).map(|number| {
        let mut calendar = default.clone();
        let name = format!("Agenda{number}");
        calendar.resource["id"] = json!(folder_id(&default, &name));
        calendar.resource["name"] = json!(name);
        calendar.resource["isDefaultCalendar"] = json!(false);
        calendar
    });
    let calendars: Vec<_> = std::iter::once(default.clone()).chain(others).collect();
    let mut masters = 0;
    for event in dump.entries.iter_mut().filter(|entry| entry.kind == "event") {
        // The exceptions of a series follow it.
        masters += usize::from(event.resource["type"] != "exception");
        let calendar = &calendars[masters % CALENDARS];
        event.parent = calendar.resource["id"].as_str().map(str::to_owned);
    }
    dump.entries.splice(at..=at, calendars);
    dump
}

/// Whose calendars there are.
pub fn owners(dump: &Dump) -> Vec<String> {
    let calendars = dump.entries.iter().filter(|entry| entry.kind == "calendar");
    let mut owners: Vec<_> = calendars.filter_map(|calendar| calendar.user.clone()).collect();
    owners.dedup();
    owners
}

/// An id as long as that of the inbox or the calendar, with another's name for its end.
fn folder_id(one: &Entry, name: &str) -> String {
    let id = one.resource["id"].as_str().unwrap();
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
