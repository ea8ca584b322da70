//! UID, STATUS, and when the event was made and changed.

use super::entry::{self, Node};
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::{said, yes};
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarStatus};
use jiff::Timestamp;
use serde_json::Value;

/// The master's `iCalUId`: the same for everybody invited, so that a later update from outside finds the event. Where the
/// target has that in another calendar, one of the event's own.
pub(super) fn uid(event: &Value, own: bool, losses: &mut Losses) -> String {
    let Some(uid) = said(event, "iCalUId") else {
        losses.add("uid_made", "the service told no iCalUId; one was made from the event's id");
        return made(&[id(event)]);
    };
    let uid = entry::clean(uid, losses).replace('\n', "");
    if own {
        return uid;
    }
    let derived = made(&[&uid, id(event)]);
    losses.add("uid_derived", format!("{uid} stands in another calendar of the account; here it is {derived}"));
    derived
}

/// The service keeps an event's id through every change, also of its calendar, and gives a copy another one.
fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap_or_default()
}

fn made(of: &[&str]) -> String {
    let digest = blake3::hash(of.join("\n").as_bytes());
    format!("transhume-{}", &digest.to_hex()[..32])
}

pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) {
    node.text(ICalendarProperty::Uid, &scene.uid);
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Status).with_value(status(occasion.event)));
    if yes(occasion.event, "isDraft") {
        losses.add("invitation_unsent", "a meeting whose invitations were never sent stands as any other");
    }
}

/// A meeting that its organiser cancelled may still stand in the calendars of those invited.
fn status(event: &Value) -> ICalendarStatus {
    if yes(event, "isCancelled") {
        ICalendarStatus::Cancelled
    } else if event["showAs"] == "tentative" {
        ICalendarStatus::Tentative
    } else {
        ICalendarStatus::Confirmed
    }
}

/// CREATED, LAST-MODIFIED, and DTSTAMP, which RFC 5545 wants: where nobody told a change, the creation, then the start.
pub(super) fn add_dates(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, _: &mut Losses) {
    let created = moment(occasion.event, "createdDateTime");
    let modified = moment(occasion.event, "lastModifiedDateTime");
    let start = || super::when::instant(&occasion.event["start"], scene);
    let stamp = modified.or(created).or_else(start).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut add = |name, at| node.entries.push(ICalendarEntry::new(name).with_value(entry::utc(at)));
    add(ICalendarProperty::Dtstamp, stamp);
    if let Some(created) = created {
        add(ICalendarProperty::Created, created);
    }
    if let Some(modified) = modified {
        add(ICalendarProperty::LastModified, modified);
    }
}

/// `0001-01-01T00:00:00Z` means never.
fn moment(event: &Value, name: &str) -> Option<Timestamp> {
    let at: Timestamp = said(event, name)?.parse().ok()?;
    (entry::utc(at).year > Some(1)).then_some(at)
}
