//! What people do to events: make them, change them, change or cancel one day of a series, delete them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::hand::{Hand, Members, members, refuse_fixed};
use crate::graph::event_whole;
use crate::tenant::agenda::{Seen, Series, civil, written};
use crate::tenant::{Item, ItemKind, RoomKind};

pub(super) fn create(hand: &mut Hand<'_>, calendar: Option<&str>, set: &Members) -> Result<Value, String> {
    refuse_fixed(set)?;
    let step = hand.mailbox.trail.head() + 1;
    let uid = format!("040000008200E00074C5B7101A82E008000000000102030405060701000000000000000010000000{step:032X}");
    let mut event = members(blank());
    event.insert("iCalUId".to_owned(), uid.into());
    event.insert("organizer".to_owned(), json!({"emailAddress": {"name": hand.owner, "address": hand.owner}}));
    event.extend(in_utc(set));
    if !event.get("start").is_some_and(Value::is_object) || !event.get("end").is_some_and(Value::is_object) {
        return Err("An event needs a start and an end.".to_owned());
    }
    if event.get("recurrence").is_some_and(Value::is_object) && Series::of(&event, None).is_none() {
        return Err("This recurrence cannot be expanded.".to_owned());
    }
    with_attachments(&mut event);
    let item = hand.fresh(RoomKind::Calendars, calendar, event)?;
    Ok(hand.add(RoomKind::Calendars, item))
}

/// What the service shows of an event that says nothing else.
fn blank() -> Value {
    json!({
        "transactionId": null, "originalStartTimeZone": "UTC", "originalEndTimeZone": "UTC",
        "reminderMinutesBeforeStart": 15, "isReminderOn": true, "hasAttachments": false, "subject": "",
        "bodyPreview": "", "importance": "normal", "sensitivity": "normal", "isAllDay": false, "isCancelled": false,
        "isOrganizer": true, "responseRequested": true, "seriesMasterId": null, "showAs": "busy",
        "webLink": "https://outlook.office365.com/owa/?itemid=simulated", "onlineMeetingUrl": null,
        "isOnlineMeeting": false, "onlineMeetingProvider": "unknown", "allowNewTimeProposals": true, "isDraft": false,
        "hideAttendees": false, "recurrence": null, "onlineMeeting": null,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "html", "content": ""}, "location": {"displayName": "", "locationType": "default",
            "uniqueIdType": "unknown", "address": {}, "coordinates": {}}, "locations": [], "attendees": [],
    })
}

/// Times are kept in UTC; the zone they were given in is remembered. Whole days stay as they are.
fn in_utc(set: &Members) -> Members {
    let mut event = set.clone();
    let whole_days = set.get("isAllDay").and_then(Value::as_bool).unwrap_or_default();
    for (name, zone_name) in [("start", "originalStartTimeZone"), ("end", "originalEndTimeZone")] {
        let Some(time) = set.get(name) else { continue };
        let Some((clock, zone)) = civil(time) else { continue };
        if let Some(given) = time["timeZone"].as_str().filter(|_| !set.contains_key(zone_name)) {
            event.insert(zone_name.to_owned(), given.into());
        }
        let utc = zone.to_timestamp(clock).map(|instant| TimeZone::UTC.to_datetime(instant));
        event.insert(name.to_owned(), written(if whole_days { clock } else { utc.unwrap_or(clock) }, "UTC"));
    }
    event
}

fn with_attachments(event: &mut Members) {
    let listed = event.get("attachments").and_then(Value::as_array);
    if let Some(any) = listed.map(|all| all.iter().any(|one| one["isInline"] != true)) {
        event.insert("hasAttachments".to_owned(), any.into());
    }
}

/// Changes an event. A series whose time or pattern changes loses its exceptions and its cancelled days.
pub(super) fn edit(hand: &mut Hand<'_>, name: &str, set: &Members) -> Result<Value, String> {
    refuse_fixed(set)?;
    let slot = hand.item_at(RoomKind::Calendars, name)?;
    let mut set = in_utc(set);
    with_attachments(&mut set);
    let item = hand.mailbox.calendars.item(slot);
    let (kind, master) = item.map_or((ItemKind::Plain, None), |item| (item.kind, item.master));
    let moved = ["start", "end", "recurrence", "isAllDay"].iter().any(|member| set.contains_key(*member));
    if kind == ItemKind::Master && moved {
        let lost: Vec<u32> = hand.mailbox.calendars.exceptions_of(slot).map(|(slot, _)| slot).collect();
        let (room, mut pen) = hand.mailbox.room_mut(RoomKind::Calendars);
        lost.into_iter().for_each(|slot| room.remove_item(slot, &mut pen));
        set.insert("cancelledOccurrences".to_owned(), json!([]));
    }
    hand.write(RoomKind::Calendars, slot, &set);
    touch(hand, master);
    Ok(hand.shown(RoomKind::Calendars, slot))
}

/// A changed day is saved within its series; whether that shows on the series is a switch.
fn touch(hand: &mut Hand<'_>, master: Option<u32>) {
    if let Some(master) = master.filter(|_| hand.touches) {
        hand.write(RoomKind::Calendars, master, &Map::new());
    }
}

/// The series, and the slot of the exception that a day of it is already.
fn day(hand: &Hand<'_>, name: &str, date: Date) -> Result<(u32, Option<u32>), String> {
    let room = &hand.mailbox.calendars;
    let master = hand.item_at(RoomKind::Calendars, name)?;
    let no_series = || format!("{name} is no series.");
    let item = room.item(master).filter(|item| item.kind == ItemKind::Master).ok_or_else(no_series)?;
    let zone = item.marks.as_deref().and_then(|marks| marks.zone.as_deref());
    let series = Series::of(&item.resource(), zone).ok_or_else(no_series)?;
    let on_it = |(_, exception): &(u32, &Item)| series.day_of(&exception.resource()) == Some(date);
    let exception = room.exceptions_of(master).find(on_it).map(|(slot, _)| slot);
    if exception.is_none() && !series.has(date) {
        return Err(format!("{name} does not take place on {date}."));
    }
    Ok((master, exception))
}

pub(super) fn edit_day(hand: &mut Hand<'_>, name: &str, date: Date, set: &Members) -> Result<Value, String> {
    refuse_fixed(set)?;
    let (master, exception) = day(hand, name, date)?;
    let mut set = in_utc(set);
    with_attachments(&mut set);
    let shown = match exception {
        Some(slot) => {
            hand.write(RoomKind::Calendars, slot, &set);
            hand.shown(RoomKind::Calendars, slot)
        }
        None => {
            let item = exception_of(hand, master, date, set).ok_or_else(|| format!("{date} cannot be changed."))?;
            hand.add(RoomKind::Calendars, item)
        }
    };
    touch(hand, Some(master));
    Ok(shown)
}

/// A new exception keeps the ids of the day it was.
fn exception_of(hand: &Hand<'_>, master: u32, date: Date, set: Members) -> Option<Item> {
    let (id, mut event) = event_whole(hand.mailbox, Seen::Occurrence { master, date }, false)?;
    let (lasting, _) = event_whole(hand.mailbox, Seen::Occurrence { master, date }, true)?;
    event.shift_remove("attachments");
    event.extend(set);
    event.insert("type".to_owned(), "exception".into());
    event.insert("lastModifiedDateTime".to_owned(), hand.now.as_str().into());
    let step = hand.mailbox.trail.head() + 1;
    event.insert("changeKey".to_owned(), hand.mailbox.ids.change_key(step).into());
    let collection = hand.mailbox.calendars.item(master)?.collection;
    let mut item = Item::new(&id, collection, event, None);
    (item.master, item.lasting) = (Some(master), Some(lasting.into()));
    Some(item)
}

pub(super) fn cancel_day(hand: &mut Hand<'_>, name: &str, date: Date) -> Result<Value, String> {
    let (master, exception) = day(hand, name, date)?;
    let (id, stated) = {
        let item = hand.mailbox.calendars.item(master).ok_or("The series is gone.")?;
        (item.id.to_string(), item.resource().get("cancelledOccurrences").cloned())
    };
    let mut cancelled = stated.and_then(|stated| stated.as_array().cloned()).unwrap_or_default();
    cancelled.push(format!("OID.{id}.{date}").into());
    let (room, mut pen) = hand.mailbox.room_mut(RoomKind::Calendars);
    if let Some(slot) = exception {
        room.remove_item(slot, &mut pen);
    }
    room.edit_item(master, &["cancelledOccurrences"], &mut pen, |event, _| {
        event.insert("cancelledOccurrences".to_owned(), Value::Array(cancelled));
    });
    touch(hand, Some(master));
    Ok(hand.shown(RoomKind::Calendars, master))
}

/// Deleting an exception cancels its day.
pub(super) fn delete(hand: &mut Hand<'_>, name: &str) -> Result<Value, String> {
    let slot = hand.item_at(RoomKind::Calendars, name)?;
    let room = &hand.mailbox.calendars;
    let item = room.item(slot).ok_or("The event is gone.")?;
    let Some(master) = item.master.and_then(|master| room.item(master)) else {
        return hand.delete(RoomKind::Calendars, name);
    };
    let zone = master.marks.as_deref().and_then(|marks| marks.zone.as_deref());
    let date = Series::of(&master.resource(), zone).and_then(|series| series.day_of(&item.resource()));
    let id = master.id.to_string();
    cancel_day(hand, &id, date.ok_or("The day of the exception is not known.")?)
}

/// The answers that Microsoft Graph knows.
const ANSWERS: &[&str] = &["none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"];

/// Somebody's answer, as the organiser's calendar notes it: on one day it makes that day an exception.
pub(super) fn answer(
    hand: &mut Hand<'_>,
    name: &str,
    date: Option<Date>,
    attendee: &str,
    response: &str,
) -> Result<Value, String> {
    if !ANSWERS.contains(&response) {
        return Err(format!("{response} is no answer; these are: {}.", ANSWERS.join(", ")));
    }
    let mut asked = asked(hand, name, date)?;
    let same = |one: &&mut Value| {
        one["emailAddress"]["address"].as_str().is_some_and(|address| address.eq_ignore_ascii_case(attendee))
    };
    let one = asked.iter_mut().find(same).ok_or_else(|| format!("{attendee} was not asked."))?;
    one["status"] = json!({"response": response, "time": hand.now});
    let set = members(json!({"attendees": asked}));
    match date {
        Some(date) => edit_day(hand, name, date, &set),
        None => edit(hand, name, &set),
    }
}

/// Who was asked to an event, or to one day of a series.
fn asked(hand: &Hand<'_>, name: &str, date: Option<Date>) -> Result<Vec<Value>, String> {
    let slot = match date {
        Some(date) => {
            let (master, exception) = day(hand, name, date)?;
            exception.unwrap_or(master)
        }
        None => hand.item_at(RoomKind::Calendars, name)?,
    };
    let event = hand.mailbox.calendars.item(slot).map(Item::resource).unwrap_or_default();
    Ok(event.get("attendees").and_then(Value::as_array).cloned().unwrap_or_default())
}
