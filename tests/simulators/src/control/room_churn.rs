//! A busy day in a calendar, an address book or a list of tasks: many small changes, the same for the same seed.

use jiff::civil::Date;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::events;
use super::hand::{Hand, blank_contact, members};
use crate::tenant::agenda::{Series, Window};
use crate::tenant::{Item, ItemKind, RoomKind};

/// Makes so many changes, and answers how many of each kind.
pub(super) fn stir(hand: &mut Hand<'_>, kind: RoomKind, seed: u64, count: u32) -> Value {
    let mut dice = ChaCha8Rng::seed_from_u64(seed ^ crate::tenant::short(hand.mailbox.ids.owner()));
    let mut tally = Map::new();
    for number in 0..count {
        let done = change(hand, kind, &mut dice, &format!("{seed}-{number}")).unwrap_or("nothing");
        let so_far = tally.get(done).and_then(Value::as_u64).unwrap_or_default();
        tally.insert(done.to_owned(), (so_far + 1).into());
    }
    tally.into()
}

/// A change that cannot be done, on a day that is gone for instance, is none.
fn change(hand: &mut Hand<'_>, kind: RoomKind, dice: &mut ChaCha8Rng, name: &str) -> Result<&'static str, String> {
    let roll = dice.random_range(0..100);
    let picked = pick(hand, kind, dice);
    match (roll, picked) {
        (30..50, Some(id)) => set(hand, kind, &id, name).map(|()| "edit"),
        (50..65, Some(_)) if kind == RoomKind::Calendars => {
            some_day(hand, dice, name, false).map(|()| "edit_occurrence")
        }
        (65..75, Some(_)) if kind == RoomKind::Calendars => {
            some_day(hand, dice, name, true).map(|()| "cancel_occurrence")
        }
        (75..87, Some(id)) => moved(hand, kind, dice, &id).map(|()| "move"),
        (87.., Some(id)) => match kind {
            RoomKind::Calendars => events::delete(hand, &id).map(|_| "delete"),
            _ => hand.delete(kind, &id).map(|_| "delete"),
        },
        _ => create(hand, kind, dice, name).map(|()| "create"),
    }
}

fn ids(hand: &Hand<'_>, kind: RoomKind, wanted: impl Fn(&Item) -> bool) -> Vec<String> {
    hand.mailbox.room(kind).items().filter(|(_, item)| wanted(item)).map(|(_, item)| item.id.to_string()).collect()
}

fn pick(hand: &Hand<'_>, kind: RoomKind, dice: &mut ChaCha8Rng) -> Option<String> {
    ids(hand, kind, |_| true).choose(dice).cloned()
}

fn set(hand: &mut Hand<'_>, kind: RoomKind, id: &str, name: &str) -> Result<(), String> {
    let changed = match kind {
        RoomKind::Calendars => json!({"subject": format!("Changed {name}"), "categories": ["Churned"]}),
        RoomKind::Contacts => json!({"companyName": format!("Changed {name}")}),
        RoomKind::Tasks => json!({"status": "completed", "title": format!("Done {name}")}),
    };
    let slot = hand.item_at(kind, id)?;
    hand.write(kind, slot, &members(changed));
    Ok(())
}

fn some_day(hand: &mut Hand<'_>, dice: &mut ChaCha8Rng, name: &str, cancel: bool) -> Result<(), String> {
    let series = ids(hand, RoomKind::Calendars, |item| item.kind == ItemKind::Master);
    let id = series.choose(dice).ok_or("There is no series.")?;
    let slot = hand.item_at(RoomKind::Calendars, id)?;
    let item = hand.mailbox.calendars.item(slot).ok_or("The series is gone.")?;
    let zone = item.marks.as_deref().and_then(|marks| marks.zone.as_deref());
    let expanded = Series::of(&item.resource(), zone).ok_or("The series cannot be expanded.")?;
    let days: Vec<Date> = expanded.dates(Window::ALWAYS).take(60).collect();
    let date = *days.choose(dice).ok_or("The series has no days.")?;
    if cancel {
        return events::cancel_day(hand, id, date).map(drop);
    }
    let change = members(json!({"subject": format!("One day {name}"), "showAs": "tentative"}));
    events::edit_day(hand, id, date, &change).map(drop)
}

fn moved(hand: &mut Hand<'_>, kind: RoomKind, dice: &mut ChaCha8Rng, id: &str) -> Result<(), String> {
    let all: Vec<u32> = hand.mailbox.room(kind).living().map(|(at, _)| at).collect();
    let to = *all.choose(dice).ok_or("There is no collection.")?;
    let slot = hand.item_at(kind, id)?;
    let exception = hand.mailbox.room(kind).item(slot).is_some_and(|item| item.master.is_some());
    if exception {
        return Err("One day of a series stays with it.".to_owned());
    }
    let (room, mut pen) = hand.mailbox.room_mut(kind);
    room.move_item(slot, to, &mut pen);
    Ok(())
}

fn create(hand: &mut Hand<'_>, kind: RoomKind, dice: &mut ChaCha8Rng, name: &str) -> Result<(), String> {
    if kind != RoomKind::Calendars {
        let resource = match kind {
            RoomKind::Contacts => {
                let mut contact = blank_contact();
                contact["displayName"] = format!("Arrived {name}").into();
                contact["emailAddresses"] = json!([{"name": name, "address": format!("{name}@example.org")}]);
                contact
            }
            _ => json!({"title": format!("Arrived {name}"), "status": "notStarted", "importance": "normal"}),
        };
        let item = hand.fresh(kind, None, members(resource))?;
        hand.add(kind, item);
        return Ok(());
    }
    let (month, day, hour) = (dice.random_range(1..=12), dice.random_range(1..=28), dice.random_range(0..23));
    let clock = |hour: u32| json!({"dateTime": format!("2026-{month:02}-{day:02}T{hour:02}:00:00"), "timeZone": "Romance Standard Time"});
    let mut event = json!({"subject": format!("Arrived {name}"), "start": clock(hour), "end": clock(hour + 1)});
    if dice.random_bool(0.4) {
        event["recurrence"] = json!({
            "pattern": {"type": "daily", "interval": 1},
            "range": {"type": "numbered", "startDate": format!("2026-{month:02}-{day:02}"), "numberOfOccurrences": 12,
                "recurrenceTimeZone": "Romance Standard Time"},
        });
    }
    events::create(hand, None, &members(event)).map(drop)
}
