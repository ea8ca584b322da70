//! Events, listed and single (Microsoft Graph docs: list events, get event). The list holds singles and masters of series;
//! days of series and exceptions are read by id, or between bounds.

use serde_json::{Map, Value};

use super::access::READ_BASIC_CALENDARS;
use super::calendars::{self, calendar_at, entity};
use super::event_row::{EventRow, Route};
use super::list::{Window, outlook_page};
use super::rooms::{Sieve, page, vanishing, well_formed};
use super::shape::{listable, readable};
use super::{Answer, Scene, event_attachments, event_delta, event_view};
use crate::tenant::agenda::{Seen, Series};
use crate::tenant::{Item, ItemKind, Mailbox, RoomKind};
use crate::wire::{Refusal, Reply};

pub(super) fn answer(scene: &Scene<'_>, user: &str, calendar: Option<&str>, rest: &[&str]) -> Answer {
    match rest {
        [] => list(scene, user, calendar),
        ["$count"] => count(scene, user, calendar),
        ["delta"] => event_delta::answer(scene, user, calendar),
        [event] => one(scene, user, calendar, event),
        [event, "instances"] => event_view::instances(scene, user, calendar, event),
        [_, "instances", "delta"] => Err(Refusal::untracked("event")),
        [event, "exceptionOccurrences"] => further_exceptions(scene, user, event),
        [event, "calendar"] => its_calendar(scene, user, event),
        [event, "attachments", rest @ ..] => event_attachments::answer(scene, user, calendar, event, rest),
        [_, other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

/// Below the user the default calendar is meant.
fn listed<'a>(
    mailbox: &'a Mailbox,
    calendar: Option<&str>,
) -> Result<impl Iterator<Item = (u32, &'a Item)> + use<'a>, Refusal> {
    let at = calendar_at(mailbox, calendar.unwrap_or("calendar"))?;
    Ok(mailbox.calendars.items_of(at).filter(|(_, item)| item.kind != ItemKind::Exception))
}

fn list(scene: &Scene<'_>, user: &str, calendar: Option<&str>) -> Answer {
    let row = EventRow::of(scene, Route::List)?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let slots = sifted(scene, &mailbox, calendar)?;
    let mut rows = Vec::new();
    for slot in slots.iter().skip(window.skip).take(window.size) {
        mailbox.calendars.item(*slot).map_or(Ok(()), |item| listable(item, row.look.is_light()))?;
        rows.push(Value::Object(row.row(&mailbox, Seen::Item(*slot))));
    }
    let more = slots.len() > window.skip.saturating_add(window.size);
    let place = calendar.map(|id| format!("/calendars('{id}')")).unwrap_or_default();
    let mut page = outlook_page(scene.call, window, &format!("users('{user}'){place}/events"), rows, more);
    if scene.call.query.is_true("$count") {
        page.insert("@odata.count".to_owned(), slots.len().into());
    }
    Ok(Reply::json(page))
}

fn sifted(scene: &Scene<'_>, mailbox: &Mailbox, calendar: Option<&str>) -> Result<Vec<u32>, Refusal> {
    let sieve = Sieve::of(scene, "event")?;
    let listed = listed(mailbox, calendar)?;
    if sieve.is_idle() {
        return Ok(listed.map(|(slot, _)| slot).collect());
    }
    let whole: Vec<(u32, Map<String, Value>)> = listed.map(|(slot, item)| (slot, item.resource())).collect();
    Ok(sieve.sift(whole))
}

fn count(scene: &Scene<'_>, user: &str, calendar: Option<&str>) -> Answer {
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    Ok(Reply::text(sifted(scene, &mailbox, calendar)?.len().to_string()))
}

fn one(scene: &Scene<'_>, user: &str, calendar: Option<&str>, key: &str) -> Answer {
    let route = if calendar.is_some() { Route::OneOfCalendar } else { Route::One };
    let row = EventRow::of(scene, route)?;
    let seen = opened(scene, user, calendar, key)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    Ok(entity(scene, &format!("users('{user}')/events/$entity"), row.row(&mailbox, seen)))
}

/// An event that is read for itself: those that are marked fail or vanish now.
///
/// # Errors
/// What the mark says, and as for [`event_at`].
pub(super) fn opened(scene: &Scene<'_>, user: &str, calendar: Option<&str>, key: &str) -> Result<Seen, Refusal> {
    let lock = scene.mailbox(user, READ_BASIC_CALENDARS)?;
    let seen = {
        let mailbox = lock.read();
        let calendar = calendar.map(|key| calendar_at(&mailbox, key)).transpose()?;
        event_at(scene, &mailbox, calendar, key)?
    };
    if let Seen::Item(slot) = seen {
        vanishing(lock, RoomKind::Calendars, slot)?;
        lock.read().calendars.item(slot).map_or(Ok(()), readable)?;
    }
    Ok(seen)
}

/// An event by id: one that is stored, or a day of a series.
///
/// # Errors
/// 404 for what is absent, cancelled or elsewhere; 400 for what cannot be an id.
pub(super) fn event_at(
    scene: &Scene<'_>,
    mailbox: &Mailbox,
    calendar: Option<u32>,
    key: &str,
) -> Result<Seen, Refusal> {
    well_formed(scene, key)?;
    let room = &mailbox.calendars;
    let stored = room.item_named(key, &mailbox.ids).map(Seen::Item);
    let seen = stored.or_else(|| day_named(mailbox, key)).ok_or_else(Refusal::item_not_found)?;
    let (Seen::Item(slot) | Seen::Occurrence { master: slot, .. }) = seen;
    let lies_there = calendar.is_none_or(|at| room.item(slot).is_some_and(|item| item.collection == at));
    if lies_there { Ok(seen) } else { Err(Refusal::item_not_found()) }
}

/// A day of a series by its own id: it must take place, and be no exception.
fn day_named(mailbox: &Mailbox, key: &str) -> Option<Seen> {
    let (digest, date) = mailbox.ids.occurrence_of(key)?;
    let master = mailbox.calendars.item_by_short(digest)?;
    let item = mailbox.calendars.item(master)?;
    let forms = [item.id.to_string(), item.immutable_id(&mailbox.ids)];
    if !forms.iter().any(|form| mailbox.ids.occurrence(form, date) == key) {
        return None;
    }
    let marks = item.marks.as_deref();
    let series = Series::of(&item.resource(), marks.and_then(|marks| marks.zone.as_deref()))?;
    let changed = |(_, exception): (u32, &Item)| series.day_of(&exception.resource()) == Some(date);
    let excepted = mailbox.calendars.exceptions_of(master).any(changed);
    (series.has(date) && !excepted).then_some(Seen::Occurrence { master, date })
}

/// Where a link among the exceptions of a series leads; nothing else leads here.
fn further_exceptions(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    let size = scene.world.knobs().switches.exceptions_page;
    if size == 0 {
        return Err(Refusal::no_such_segment("exceptionOccurrences"));
    }
    let row = EventRow::of(scene, Route::One)?.of_exceptions();
    let skip = Window::of_outlook(scene)?.skip;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let Seen::Item(master) = event_at(scene, &mailbox, None, key)? else { return Err(Refusal::item_not_found()) };
    let rows = row.exceptions(&mailbox, master);
    page(scene, &format!("users('{user}')/events('{key}')/exceptionOccurrences"), rows, Window { skip, size })
}

fn its_calendar(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let (Seen::Item(slot) | Seen::Occurrence { master: slot, .. }) = event_at(scene, &mailbox, None, key)?;
    let item = mailbox.calendars.item(slot).ok_or_else(Refusal::item_not_found)?;
    calendars::of_event(scene, user, mailbox.calendars.collection(item.collection))
}
