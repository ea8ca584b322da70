//! The way into an online meeting: URL, which every calendar shows, and CONFERENCE (RFC 7986).

use super::entry::{self, Node};
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::{list, said, yes};
use calcard::icalendar::{
    ICalendarEntry, ICalendarFeatureType, ICalendarParameter, ICalendarParameterName, ICalendarProperty,
    ICalendarValueType,
};
use serde_json::Value;

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    let event = occasion.event;
    let meeting = &event["onlineMeeting"];
    let Some(url) = said(meeting, "joinUrl").or_else(|| said(event, "onlineMeetingUrl")) else {
        if yes(event, "isOnlineMeeting") {
            losses.add("conference_missing", "an online meeting whose link the service did not tell");
        }
        return;
    };
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Url).with_value(entry::uri(url)));
    let video = [ICalendarFeatureType::Audio, ICalendarFeatureType::Video];
    node.entries.push(conference(url, &video, label(event, losses)));
    for number in numbers(meeting) {
        node.entries.push(conference(&format!("tel:{number}"), &[ICalendarFeatureType::Phone], None));
    }
}

fn conference(uri: &str, features: &[ICalendarFeatureType], label: Option<String>) -> ICalendarEntry {
    let name = ICalendarProperty::Conference;
    let entry = ICalendarEntry::new(name)
        .with_param(ICalendarParameter::new(ICalendarParameterName::Value, ICalendarValueType::Uri));
    let feature =
        |feature: &ICalendarFeatureType| ICalendarParameter::new(ICalendarParameterName::Feature, feature.clone());
    let entry = features.iter().fold(entry, |entry, one| entry.with_param(feature(one)));
    let label = label.map(|label| ICalendarParameter::new(ICalendarParameterName::Label, label));
    entry.with_param_opt(label).with_value(entry::uri(uri))
}

/// Who runs the meeting, and its number.
fn label(event: &Value, losses: &mut Losses) -> Option<String> {
    let provider = match said(event, "onlineMeetingProvider") {
        None | Some("unknown") => None,
        Some("teamsForBusiness") => Some("Microsoft Teams"),
        Some("skypeForBusiness") => Some("Skype for Business"),
        Some("skypeForConsumer") => Some("Skype"),
        Some(other) => {
            losses.add("conference_provider_unknown", format!("the provider `{other}` is not known; the link stands"));
            None
        }
    };
    let number = said(&event["onlineMeeting"], "conferenceId").map(|id| entry::parameter(id, losses));
    match (provider, number) {
        (Some(provider), Some(number)) => Some(format!("{provider}, ID {number}")),
        (Some(provider), None) => Some(provider.to_owned()),
        (None, Some(number)) => Some(format!("ID {number}")),
        (None, None) => None,
    }
}

/// Telephone numbers as in RFC 3966, each once.
fn numbers(meeting: &Value) -> Vec<String> {
    let free = list(meeting, "tollFreeNumbers").iter().filter_map(Value::as_str);
    let phones = list(meeting, "phones").iter().filter_map(|phone| said(phone, "number"));
    let all = said(meeting, "tollNumber").into_iter().chain(free).chain(phones);
    let plain = |number: &str| number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>();
    let mut numbers: Vec<String> = Vec::new();
    for number in all.map(plain).filter(|number| number.len() > 2) {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}
