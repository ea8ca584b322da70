//! What people do to tasks: write them down, change them, tick them off.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde_json::{Value, json};

use super::hand::{Hand, Members, members};
use crate::tenant::RoomKind;
use crate::tenant::agenda::{Recurrence, civil, written};

pub(super) fn create(hand: &mut Hand<'_>, list: Option<&str>, set: &Members) -> Result<Value, String> {
    let mut task = members(json!({
        "title": "", "status": "notStarted", "importance": "normal", "isReminderOn": false, "hasAttachments": false,
        "bodyLastModifiedDateTime": hand.now, "body": {"content": "", "contentType": "text"}, "dueDateTime": null,
        "startDateTime": null, "reminderDateTime": null, "completedDateTime": null, "recurrence": null,
        "linkedResources": [], "checklistItems": [],
    }));
    task.extend(finished(hand, set));
    let item = hand.fresh(RoomKind::Tasks, list, task)?;
    Ok(hand.add(RoomKind::Tasks, item))
}

pub(super) fn edit(hand: &mut Hand<'_>, name: &str, set: &Members) -> Result<Value, String> {
    let set = finished(hand, set);
    hand.edit(RoomKind::Tasks, name, &set)
}

/// The service says itself when a task was done: by the day, at midnight in UTC (microsoft-graph-docs#8192).
fn finished(hand: &Hand<'_>, set: &Members) -> Members {
    let mut set = set.clone();
    let done = set.get("status").map(|status| status == "completed");
    if let Some(done) = done.filter(|_| !set.contains_key("completedDateTime")) {
        let today = hand.now.get(..10).and_then(|day| day.parse::<Date>().ok());
        let when = today.filter(|_| done).map(|day| written(day.to_datetime(jiff::civil::Time::midnight()), "UTC"));
        set.insert("completedDateTime".to_owned(), when.into());
    }
    set
}

/// Which of the two keeps the id where a task repeats is not documented; here it is the one that was done.
pub(super) fn complete(hand: &mut Hand<'_>, name: &str) -> Result<Value, String> {
    let slot = hand.item_at(RoomKind::Tasks, name)?;
    let item = hand.mailbox.tasks.item(slot).ok_or("The task is gone.")?;
    let (was, collection) = (item.resource(), item.collection);
    let list = hand.mailbox.tasks.collection(collection).id.to_string();
    let id = item.id.to_string();
    let again = next(&was);
    let done = members(json!({"status": "completed", "recurrence": null}));
    let shown = edit(hand, &id, &done)?;
    if let Some(task) = again {
        let item = hand.fresh(RoomKind::Tasks, Some(&list), task)?;
        hand.add(RoomKind::Tasks, item);
    }
    Ok(shown)
}

/// A task that repeats, as it stands on its next day; none behind the last one.
fn next(task: &Members) -> Option<Members> {
    let (due, _) = civil(task.get("dueDateTime")?)?;
    let recurrence = Recurrence::read(task.get("recurrence")?)?;
    let day = recurrence.dates().find(|day| *day > due.date())?;
    let ahead: Span = (day - due.date()).get_days().days();
    let mut again = task.clone();
    for apart in ["createdDateTime", "lastModifiedDateTime", "changeKey", "completedDateTime"] {
        again.shift_remove(apart);
    }
    for name in ["dueDateTime", "startDateTime", "reminderDateTime"] {
        let moved = task.get(name).and_then(|time| {
            let (clock, _) = civil(time)?;
            Some(written(clock.checked_add(ahead).ok()?, time["timeZone"].as_str()?))
        });
        again.insert(name.to_owned(), moved.into());
    }
    for step in again.get_mut("checklistItems").and_then(Value::as_array_mut).into_iter().flatten() {
        (step["isChecked"], step["checkedDateTime"]) = (false.into(), Value::Null);
    }
    again.insert("status".to_owned(), "notStarted".into());
    Some(again)
}
