//! The list of tasks that mirrors flagged mail: nothing lies in it, its rows are made from the messages.

use serde_json::{Map, Value, json};

use super::changes::{Tracked, page_size};
use super::delta::{Round, tombstone};
use crate::tenant::{Logged, Mailbox, Message};
use crate::wire::Reply;

/// Every flagged message as a task, with its id.
pub(super) fn all(mailbox: &Mailbox) -> impl Iterator<Item = (String, Map<String, Value>)> + '_ {
    mailbox.messages().filter_map(|message| task(mailbox, message))
}

fn id_of(mailbox: &Mailbox, born: &str) -> String {
    mailbox.ids.collection("flagged", born)
}

/// A flagged message as its task.
fn task(mailbox: &Mailbox, message: &Message) -> Option<(String, Map<String, Value>)> {
    let resource = message.resource();
    let status = match resource.get("flag")?["flagStatus"].as_str()? {
        "flagged" => "notStarted",
        "complete" => "completed",
        _ => return None,
    };
    let member = |name: &str| resource.get(name).cloned().unwrap_or_default();
    let id = &*message.id;
    let link = json!([{"id": id, "webUrl": member("webLink"), "applicationName": "Outlook",
        "displayName": member("subject"), "externalId": id}]);
    let task = json!({
        "title": member("subject"), "status": status, "importance": member("importance"), "isReminderOn": false,
        "categories": member("categories"), "createdDateTime": member("createdDateTime"), "hasAttachments": false,
        "lastModifiedDateTime": member("lastModifiedDateTime"), "body": {"content": "", "contentType": "text"},
        "dueDateTime": resource.get("flag")?.get("dueDateTime"), "linkedResources": link,
    });
    Some((id_of(mailbox, message.first_id()), task.as_object().cloned()?))
}

/// A page of what changed among them.
pub(super) fn changes(
    tracked: &Tracked<'_>,
    mut round: Round,
    row: impl Fn(&str, Map<String, Value>) -> Map<String, Value>,
) -> Reply {
    let mailbox = tracked.mailbox;
    let changed = mailbox.messages().filter(|message| message.changed > round.at);
    let mut rows: Vec<(u64, Value)> =
        changed.filter_map(|message| Some((message.changed, now(mailbox, &round, message, &row)?))).collect();
    rows.extend(gone(mailbox, &round));
    rows.sort_by_key(|(step, _)| *step);
    let (size, total) = (page_size(tracked.scene), rows.len());
    rows.truncate(size);
    round.at = rows.last().map_or(round.at, |(step, _)| *step);
    round.digest = mailbox.trail.digest(round.at).unwrap_or_default();
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    if total > size { tracked.continued(&round, rows) } else { tracked.finished(&round, rows) }
}

/// A message that changed and is not flagged may have been.
fn now(
    mailbox: &Mailbox,
    round: &Round,
    message: &Message,
    row: impl Fn(&str, Map<String, Value>) -> Map<String, Value>,
) -> Option<Value> {
    match task(mailbox, message) {
        Some((id, task)) => Some(row(&id, task).into()),
        None => {
            let unflagged = message.changed > round.begun && message.fields_since(round.since).contains(&"flag");
            unflagged.then(|| tombstone(KIND, &id_of(mailbox, message.first_id())))
        }
    }
}

const KIND: &str = "#microsoft.graph.todoTask";

/// Deleted messages, as far as they are not merely somewhere else.
fn gone(mailbox: &Mailbox, round: &Round) -> Vec<(u64, Value)> {
    let mut found = Vec::new();
    for folder in &mailbox.folders {
        let left = folder.log.range(round.at.max(round.begun) + 1..);
        found.extend(left.filter_map(|(step, logged)| match logged {
            Logged::Gone { born, .. } if !mailbox.messages().any(|message| message.first_id() == &**born) => {
                Some((*step, tombstone(KIND, &id_of(mailbox, born))))
            }
            Logged::Gone { .. } | Logged::Here(_) => None,
        }));
    }
    found
}
