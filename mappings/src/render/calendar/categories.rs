//! CATEGORIES, with their names as they are.

use super::entry::{self, Node};
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::list;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarValue};
use serde_json::Value;

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    let named = list(occasion.event, "categories").iter().filter_map(Value::as_str);
    let mut names: Vec<String> = named.map(|name| entry::clean(name.trim(), losses).replace('\n', " ")).collect();
    let told = names.len();
    names.retain(|name| !name.is_empty());
    if names.len() < told {
        losses.add("category_dropped", "a category without a name");
    }
    if !names.is_empty() {
        let values = names.into_iter().map(ICalendarValue::Text).collect();
        node.entries.push(ICalendarEntry::new(ICalendarProperty::Categories).with_values(values));
    }
}
