//! CLASS. What is not known to be public is never made so.

use super::entry::Node;
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::said;
use calcard::icalendar::{ICalendarClassification, ICalendarEntry, ICalendarProperty};

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    let class = match said(occasion.event, "sensitivity") {
        Some("normal") => ICalendarClassification::Public,
        Some("private") => ICalendarClassification::Private,
        Some("confidential") => ICalendarClassification::Confidential,
        Some("personal") => {
            losses.add("sensitivity_personal", "calendars have no `personal`; it stands as private");
            ICalendarClassification::Private
        }
        None => {
            losses.add("sensitivity_unknown", "no sensitivity was told; it stands as private");
            ICalendarClassification::Private
        }
        Some(other) => {
            losses.add("sensitivity_unknown", format!("the sensitivity `{other}` is not known; it stands as private"));
            ICalendarClassification::Private
        }
    };
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Class).with_value(class));
}
