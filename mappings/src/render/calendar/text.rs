//! SUMMARY, DESCRIPTION, X-ALT-DESC, LOCATION, GEO.

use super::entry::{self, Node};
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::html;
use crate::render::json::{list, said};
use calcard::icalendar::{
    ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarProperty, ICalendarValue,
};
use serde_json::Value;

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    let subject = said(occasion.event, "subject").map(|subject| entry::clean(subject, losses));
    if let Some(subject) = subject.filter(|subject| !subject.trim().is_empty()) {
        node.text(ICalendarProperty::Summary, &subject);
    }
    body(node, &occasion.event["body"], losses);
    location(node, occasion.event, losses);
}

/// The whole text. HTML stands as it is in X-ALT-DESC, where Outlook puts it, and as plain text in DESCRIPTION.
pub(in crate::render) fn body(node: &mut Node, body: &Value, losses: &mut Losses) {
    let Some(content) = said(body, "content") else { return };
    let content = entry::clean(content, losses);
    if content.trim().is_empty() {
        return;
    }
    match said(body, "contentType") {
        Some("html") => {
            let plain = entry::clean(&html::plain(&content), losses);
            if !plain.is_empty() {
                node.text(ICalendarProperty::Description, &plain);
            }
            let kind = ICalendarParameter::new(ICalendarParameterName::Fmttype, "text/html".to_owned());
            let html = ICalendarEntry::new(ICalendarProperty::Other("X-ALT-DESC".to_owned()));
            node.entries.push(html.with_param(kind).with_value(content));
        }
        Some("text") => node.text(ICalendarProperty::Description, &content),
        other => {
            let other = other.unwrap_or("none");
            losses.add(
                "body_type_unknown",
                format!("the type `{other}` of the text is not known; it stands as plain text"),
            );
            node.text(ICalendarProperty::Description, &content);
        }
    }
}

/// The names of all places. What the service knows of a place beside its name and where on earth it is has no property
/// that calendars show.
fn location(node: &mut Node, event: &Value, losses: &mut Losses) {
    let first = &event["location"];
    let places = list(event, "locations");
    let places = if places.is_empty() { std::slice::from_ref(first) } else { places };
    let mut names = place_names(places, losses);
    if names.is_empty() {
        names = place_names(std::slice::from_ref(first), losses);
    }
    if !names.is_empty() {
        node.text(ICalendarProperty::Location, &names.join("; "));
    }
    coordinates(node, places, losses);
    if places.iter().any(has_more) {
        losses.add("location_details", "the postal address, mail address or web page of a place; its name stands");
    }
}

fn place_names(places: &[Value], losses: &mut Losses) -> Vec<String> {
    let told = places.iter().filter_map(|place| said(place, "displayName"));
    let mut names: Vec<String> = told.map(|name| entry::clean(name, losses).trim().to_owned()).collect();
    names.retain(|name| !name.is_empty());
    names.dedup();
    names
}

fn coordinates(node: &mut Node, places: &[Value], losses: &mut Losses) {
    let number = |place: &Value, name: &str| place["coordinates"][name].as_f64();
    let points = places.iter().filter_map(|place| Some((number(place, "latitude")?, number(place, "longitude")?)));
    let points: Vec<(f64, f64)> = points.filter(|point| *point != (0.0, 0.0)).collect();
    let Some((latitude, longitude)) = points.first() else { return };
    let values = vec![ICalendarValue::Float(*latitude), ICalendarValue::Float(*longitude)];
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Geo).with_values(values));
    if points.len() > 1 {
        losses.add("location_details", "an event can be at one point of the earth only; the first one stands");
    }
}

fn has_more(place: &Value) -> bool {
    let address = place["address"].as_object();
    let address = address.is_some_and(|address| {
        address.iter().any(|(name, value)| name != "type" && value.as_str().is_some_and(|text| !text.is_empty()))
    });
    address || said(place, "locationUri").is_some() || said(place, "locationEmailAddress").is_some()
}
