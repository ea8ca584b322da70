//! A task, from Microsoft Graph's data to one iCalendar object with a VTODO (RFC 5545 3.6.2).

mod dates;
mod state;
mod steps;

use crate::loss::Losses;
use crate::render::calendar::{attachments, bundle, entry, text};
use crate::render::json::{list, said};
use crate::render::plain::clean;
use crate::{CalendarProfile, Parts, RenderedObject, Tables, Unrendered};
use calcard::icalendar::{ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarValue};
use entry::Node;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;

/// Carried, or told as a loss.
const CARRIED: [&str; 16] = [
    "body",
    "categories",
    "checklistItems",
    "completedDateTime",
    "createdDateTime",
    "dueDateTime",
    "importance",
    "isReminderOn",
    "lastModifiedDateTime",
    "linkedResources",
    "recurrence",
    "reminderDateTime",
    "startDateTime",
    "status",
    "title",
    "attachments",
];
const BOOKKEEPING: [&str; 5] = ["attachmentSessions", "bodyLastModifiedDateTime", "extensions", "hasAttachments", "id"];

/// Writes the iCalendar object of a task's original into `out`. The parts are described at [`Parts`].
///
/// # Errors
/// [`Unrendered::Unmappable`] when the original has no readable part `task`; [`Unrendered::Io`] when a part or `out`
/// fails.
pub fn task(
    original: &dyn Parts,
    profile: &CalendarProfile,
    tables: &Tables,
    out: &mut dyn Write,
) -> Result<RenderedObject, Unrendered> {
    let mut losses = Losses::default();
    let Some(task) = bundle::json(original, "task", &mut losses)? else {
        return Err(Unrendered::unmappable("This original has no part `task`; pull the item again."));
    };
    let steps = beside(original, &task, "checklistItems", &mut losses)?;
    let links = beside(original, &task, "linkedResources", &mut losses)?;
    let uid = uid(task["id"].as_str().unwrap_or_default());
    let mut node = Node::new(ICalendarComponentType::VTodo);
    node.text(ICalendarProperty::Uid, &uid);
    words(&mut node, &task, &steps, &mut losses);
    state::add(&mut node, &task, tables, &mut losses);
    dates::add(&mut node, &task, tables, &mut losses);
    steps::links(&mut node, &links, &mut losses);
    attach(&mut node, original, profile, &mut losses)?;
    unmapped(&task, &mut losses);
    let text = object(node).object().to_string();
    out.write_all(text.as_bytes())?;
    Ok(RenderedObject { losses: losses.finish(), uid, size: text.len() as u64 })
}

/// Expanded in the task, or in a part of their own.
fn beside(original: &dyn Parts, task: &Value, name: &str, losses: &mut Losses) -> Result<Vec<Value>, Unrendered> {
    let apart = bundle::array(bundle::json(original, name, losses)?);
    Ok(apart.unwrap_or_else(|| list(task, name).to_vec()))
}

/// The service has no UID for tasks, so one is made from the id, the same each time.
#[must_use]
pub fn uid(id: &str) -> String {
    let digest = blake3::hash(id.as_bytes());
    format!("transhume-{}", &digest.to_hex()[..32])
}

fn words(node: &mut Node, task: &Value, steps: &[Value], losses: &mut Losses) {
    if let Some(title) = said(task, "title") {
        node.text(ICalendarProperty::Summary, &clean(title, losses));
    }
    text::body(node, &task["body"], losses);
    steps::checklist(node, steps, losses);
    let names = list(task, "categories").iter().filter_map(Value::as_str);
    let names: Vec<ICalendarValue> = names
        .map(|name| clean(name.trim(), losses).replace('\n', " "))
        .filter(|name| !name.is_empty())
        .map(ICalendarValue::Text)
        .collect();
    if !names.is_empty() {
        node.entries.push(ICalendarEntry::new(ICalendarProperty::Categories).with_values(names));
    }
}

fn attach(
    node: &mut Node,
    original: &dyn Parts,
    profile: &CalendarProfile,
    losses: &mut Losses,
) -> Result<(), Unrendered> {
    let told = bundle::array(bundle::json(original, "attachments", losses)?).unwrap_or_default();
    let told = bundle::attachments(original, told);
    let fits = |bytes: u64, room: u64| bytes <= profile.attachment_max && bytes.saturating_mul(3) / 2 <= room;
    let (mut chosen, mut room) = (BTreeSet::new(), profile.object_max / 2);
    for (number, attachment) in told.iter().enumerate() {
        if let Some((_, bytes)) = attachment.bytes.as_ref().filter(|(_, bytes)| fits(*bytes, room)) {
            chosen.insert(number);
            room -= (bytes.saturating_mul(3) / 2).min(room);
        }
    }
    for (number, attachment) in told.iter().enumerate() {
        node.entries.extend(attachments::entry(number, attachment, original, &chosen, losses)?);
    }
    Ok(())
}

fn unmapped(task: &Value, losses: &mut Losses) {
    let known = |name: &str| name.contains('@') || CARRIED.contains(&name) || BOOKKEEPING.contains(&name);
    let says = |value: &Value| !(value.is_null() || *value == false || *value == "" || *value == serde_json::json!([]));
    let members = task.as_object().into_iter().flatten();
    let unknown: Vec<&str> =
        members.filter(|(name, value)| !known(name) && says(value)).map(|(name, _)| name.as_str()).collect();
    if !unknown.is_empty() {
        losses.add("property_unknown", format!("{}: nothing of a task is known for it", unknown.join(", ")));
    }
}

fn object(task: Node) -> Node {
    let mut object = Node::new(ICalendarComponentType::VCalendar);
    object.text(ICalendarProperty::Version, "2.0");
    object.text(ICalendarProperty::Prodid, "-//transhume//transhume//EN");
    object.children.push(task);
    object
}
