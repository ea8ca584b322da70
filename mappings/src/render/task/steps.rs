//! Steps of a task, and what it was made from.

use crate::loss::Losses;
use crate::render::calendar::entry::{self, Node};
use crate::render::json::{said, yes};
use crate::render::plain::clean;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarValue};
use serde_json::Value;

/// Steps as a list under the text, with boxes that Nextcloud shows as such. Tasks of their own they cannot be: an object
/// holds one UID.
pub(super) fn checklist(node: &mut Node, steps: &[Value], losses: &mut Losses) {
    let line = |step: &Value, losses: &mut Losses| {
        let name = clean(said(step, "displayName").unwrap_or_default(), losses).replace('\n', " ");
        format!("- [{}] {name}", if yes(step, "isChecked") { "x" } else { " " })
    };
    let lines: Vec<String> = steps.iter().map(|step| line(step, losses)).collect();
    if lines.is_empty() {
        return;
    }
    let many = if lines.len() == 1 { "1 step stands".to_owned() } else { format!("{} steps stand", lines.len()) };
    losses.add("checklist_in_text", format!("{many} as a list in the text"));
    let list = lines.join("\n");
    let text = node.entries.iter_mut().find(|entry| entry.name == ICalendarProperty::Description);
    match text.and_then(|entry| entry.values.first_mut()) {
        Some(ICalendarValue::Text(text)) => *text = format!("{}\n\n{list}", text.trim_end()),
        _ => node.text(ICalendarProperty::Description, &list),
    }
}

/// The first link as URL, more of them as ATTACH.
pub(super) fn links(node: &mut Node, links: &[Value], losses: &mut Losses) {
    let urls = links.iter().filter_map(|link| said(link, "webUrl"));
    for (number, url) in urls.enumerate() {
        let name = if number == 0 { ICalendarProperty::Url } else { ICalendarProperty::Attach };
        node.entries.push(ICalendarEntry::new(name).with_value(entry::uri(url)));
    }
    if !links.is_empty() {
        losses.add("linked_resource", "what the task was made from, beside its link");
    }
}
