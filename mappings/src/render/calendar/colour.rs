//! COLOR (RFC 7986 5.9): the colour in which people see the event, which is that of its first coloured category.

use super::entry::Node;
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::list;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarValue};
use serde_json::Value;

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) {
    let names = list(occasion.event, "categories").iter().filter_map(Value::as_str);
    let Some(preset) = names.filter_map(|name| scene.setting.category_colour(name)).next() else { return };
    let Some(colour) = scene.tables.category_colour(preset) else {
        losses.add(
            "category_colour_unknown",
            format!("the colour `{preset}` of a category is not known; the category stands"),
        );
        return;
    };
    let colour = ICalendarValue::Text(colour.to_owned());
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Color).with_value(colour));
}
