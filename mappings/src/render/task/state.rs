//! STATUS, PERCENT-COMPLETE, COMPLETED, PRIORITY.

use crate::Tables;
use crate::loss::Losses;
use crate::render::calendar::entry::{self, Node};
use crate::render::json::said;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarStatus};
use serde_json::Value;

pub(super) fn add(node: &mut Node, task: &Value, tables: &Tables, losses: &mut Losses) {
    let status = match said(task, "status") {
        None | Some("notStarted") => ICalendarStatus::NeedsAction,
        Some("inProgress") => ICalendarStatus::InProcess,
        Some("completed") => ICalendarStatus::Completed,
        Some(other) => {
            losses.add("task_state", format!("`{other}` has no place in a calendar; it stands as not yet done"));
            ICalendarStatus::NeedsAction
        }
    };
    let done = status == ICalendarStatus::Completed;
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Status).with_value(status));
    if done {
        node.entries.push(ICalendarEntry::new(ICalendarProperty::PercentComplete).with_value(100_i64));
        if let Some(at) = super::dates::instant(&task["completedDateTime"], tables) {
            node.entries.push(ICalendarEntry::new(ICalendarProperty::Completed).with_value(entry::utc(at)));
        }
    }
    priority(node, task, losses);
}

fn priority(node: &mut Node, task: &Value, losses: &mut Losses) {
    let priority: i64 = match said(task, "importance") {
        None | Some("normal") => 5,
        Some("high") => 1,
        Some("low") => 9,
        Some(other) => {
            losses.add("importance_unknown", format!("the importance `{other}` is not known; it stands as normal"));
            5
        }
    };
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Priority).with_value(priority));
}
