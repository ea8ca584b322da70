//! Members of an event that no family looks at: the service's own bookkeeping, and what this version does not know.

use super::entry::Node;
use super::{Occasion, Scene, names};
use crate::loss::Losses;
use serde_json::Value;
use std::collections::BTreeSet;

/// Carried by a family, or told by it as a loss.
const CARRIED: [&str; 36] = [
    "allowNewTimeProposals",
    "attendees",
    "body",
    "cancelledOccurrences",
    "categories",
    "createdDateTime",
    "end",
    "exceptionOccurrences",
    "hideAttendees",
    "iCalUId",
    "importance",
    "isAllDay",
    "isCancelled",
    "isDraft",
    "isOnlineMeeting",
    "isOrganizer",
    "isReminderOn",
    "lastModifiedDateTime",
    "location",
    "locations",
    "occurrenceId",
    "onlineMeeting",
    "onlineMeetingProvider",
    "onlineMeetingUrl",
    "organizer",
    "originalEndTimeZone",
    "originalStart",
    "originalStartTimeZone",
    "recurrence",
    "reminderMinutesBeforeStart",
    "responseRequested",
    "responseStatus",
    "sensitivity",
    "showAs",
    "start",
    "subject",
];

/// Means nothing outside the mailbox, or repeats what is carried.
const BOOKKEEPING: [&str; 14] = [
    "attachments",
    "bodyPreview",
    "calendar",
    "changeKey",
    "hasAttachments",
    "iCalUId_v2",
    "id",
    "instances",
    "isReadOnly",
    "seriesMasterId",
    "transactionId",
    "type",
    "uid",
    "webLink",
];

pub(super) fn name(_: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    let members = occasion.event.as_object().into_iter().flatten();
    let known = |name: &str| name.contains('@') || CARRIED.contains(&name) || BOOKKEEPING.contains(&name);
    let unknown: BTreeSet<&str> =
        members.filter(|(name, value)| !known(name) && says(value)).map(|(name, _)| name.as_str()).collect();
    if !unknown.is_empty() {
        losses.add("property_unknown", format!("{}: nothing of a calendar is known for it", names(unknown)));
    }
}

fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}
