//! TRANSP, and the service's own word in X-MICROSOFT-CDO-BUSYSTATUS, which Outlook, Thunderbird and others read.

use super::entry::Node;
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::said;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarTransparency};

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) {
    let told = said(occasion.event, "showAs");
    let known = told.and_then(|state| scene.tables.busy(state));
    if known.is_none() {
        let why = told.map(|state| format!("the state `{state}` says neither free nor busy"));
        let why = why.unwrap_or_else(|| "nobody told whether it is free or busy".to_owned());
        losses.add("busy_unknown", format!("{why}; it stands as busy"));
    }
    let (transparency, status) = known.unwrap_or(("OPAQUE", "BUSY"));
    let transparency = match transparency {
        "TRANSPARENT" => ICalendarTransparency::Transparent,
        _ => ICalendarTransparency::Opaque,
    };
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Transp).with_value(transparency));
    node.extension("X-MICROSOFT-CDO-BUSYSTATUS", status);
}
