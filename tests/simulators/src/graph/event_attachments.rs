//! Attachments of events. A day of a series shows those of its master, and an exception too unless it has its own list:
//! under other ids than the master's.

use serde_json::Value;

use super::access::READ_CALENDARS;
use super::attachments::Attachments;
use super::event_row::whole;
use super::{Answer, Scene, events};
use crate::tenant::agenda::Seen;
use crate::tenant::{Attachment, Mailbox, stated_ones};
use crate::wire::Refusal;

pub(super) fn answer(scene: &Scene<'_>, user: &str, calendar: Option<&str>, event: &str, rest: &[&str]) -> Answer {
    scene.mailbox(user, READ_CALENDARS)?;
    let seen = events::opened(scene, user, calendar, event)?;
    let mailbox = scene.mailbox(user, READ_CALENDARS)?.read();
    let immutable = scene.call.prefer().immutable_ids;
    let (id, resource) = whole(&mailbox, seen, immutable).ok_or_else(Refusal::item_not_found)?;
    let modified = resource.get("lastModifiedDateTime").cloned().unwrap_or_default();
    found(&mailbox, seen, &id, modified).serve(scene, &format!("users('{user}')/events('{id}')/attachments"), rest)
}

/// As `$expand=attachments` shows them.
pub(super) fn inline(mailbox: &Mailbox, seen: Seen, id: &str) -> Vec<Value> {
    found(mailbox, seen, id, Value::Null).inlined()
}

fn found(mailbox: &Mailbox, seen: Seen, id: &str, modified: Value) -> Attachments {
    let (own, list) = match seen {
        Seen::Occurrence { master, .. } => (false, listed(mailbox, master)),
        Seen::Item(slot) => its_own(mailbox, slot),
    };
    let named = list.into_iter().enumerate().map(|(at, one)| {
        let stated = one.stated.get("id").and_then(Value::as_str).filter(|_| own).map(str::to_owned);
        (stated.unwrap_or_else(|| mailbox.ids.attachment(id, at)), one)
    });
    Attachments::stated(named.collect(), modified)
}

fn its_own(mailbox: &Mailbox, slot: u32) -> (bool, Vec<Attachment>) {
    let item = mailbox.calendars.item(slot);
    let master = item.and_then(|item| item.master);
    match (item.is_some_and(|item| item.resource().contains_key("attachments")), master) {
        (false, Some(master)) => (false, listed(mailbox, master)),
        _ => (true, listed(mailbox, slot)),
    }
}

fn listed(mailbox: &Mailbox, slot: u32) -> Vec<Attachment> {
    mailbox.calendars.item(slot).map(|item| stated_ones(&item.resource())).unwrap_or_default()
}
