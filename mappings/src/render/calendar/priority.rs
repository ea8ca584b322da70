//! PRIORITY: 1 for high, 5 for normal, 9 for low, as Outlook writes it.

use super::entry::Node;
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::said;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty};

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    let priority: i64 = match said(occasion.event, "importance") {
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
