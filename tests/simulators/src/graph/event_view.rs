//! What a calendar or a series shows between two bounds (Microsoft Graph docs: list calendarView, list instances).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::access::READ_BASIC_CALENDARS;
use super::calendars::calendar_at;
use super::event_row::{EventRow, Route, whole};
use super::list;
use super::rooms::{Sieve, page};
use super::shape::listable;
use super::{Answer, Scene, events};
use crate::tenant::agenda::{Seen, Window, seen, seen_of};
use crate::tenant::{ItemKind, Mailbox};
use crate::wire::Refusal;

/// The bounds of a window, which carry their own offsets; UTC without one.
///
/// # Errors
/// 400 without both, for what is no time, for an end before the start, and for windows longer than five years
/// (microsoft-graph-docs#6284).
pub(super) fn window(scene: &Scene<'_>) -> Result<Window, Refusal> {
    let query = &scene.call.query;
    let (Some(from), Some(to)) = (query.get("startDateTime"), query.get("endDateTime")) else {
        let message = "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.";
        return Err(Refusal::new(400, "ErrorInvalidParameter", message));
    };
    let window = Window { from: bound("StartDateTime", from)?, to: bound("EndDateTime", to)? };
    if window.to < window.from {
        return Err(Refusal::new(400, "ErrorInvalidParameter", "The end of the time window is before its start."));
    }
    let most = scene.world.knobs().switches.view_days_most;
    if most > 0 && window.to.duration_since(window.from).as_secs() > most * 86_400 {
        let message = format!(
            "Your request can't be completed. The range between the start and end dates is greater than the allowed range. \
             Maximum number of days: {most}"
        );
        return Err(Refusal::new(400, "ErrorInvalidRequest", message));
    }
    Ok(window)
}

/// # Errors
/// 400 for what is no time.
pub(super) fn bound(name: &str, text: &str) -> Result<Timestamp, Refusal> {
    let bare = || {
        let clock = text.parse::<jiff::civil::DateTime>().ok()?;
        TimeZone::UTC.to_timestamp(clock).ok()
    };
    let message = || format!("The value '{text}' of parameter '{name}' is invalid.");
    let found = text.parse().ok().or_else(bare);
    found.ok_or_else(|| Refusal::new(400, "ErrorInvalidParameter", message()))
}

pub(super) fn in_window(scene: &Scene<'_>, user: &str, calendar: &str) -> Answer {
    let bounds = window(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let at = calendar_at(&mailbox, calendar)?;
    let found = seen(&mailbox.calendars, at, bounds, scene.world.knobs().switches.all_day_in_utc);
    rows(scene, &mailbox, &format!("users('{user}')/calendarView"), found)
}

pub(super) fn instances(scene: &Scene<'_>, user: &str, calendar: Option<&str>, key: &str) -> Answer {
    let bounds = window(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let calendar = calendar.map(|key| calendar_at(&mailbox, key)).transpose()?;
    let Seen::Item(master) = events::event_at(scene, &mailbox, calendar, key)? else { return Err(no_series()) };
    mailbox.calendars.item(master).filter(|item| item.kind == ItemKind::Master).ok_or_else(no_series)?;
    let found = seen_of(&mailbox.calendars, master, bounds, scene.world.knobs().switches.all_day_in_utc);
    rows(scene, &mailbox, &format!("users('{user}')/events('{key}')/instances"), found)
}

fn no_series() -> Refusal {
    Refusal::new(
        400,
        "ErrorInvalidRequest",
        "Your request can't be completed. The event is not the master of a series.",
    )
}

fn rows(scene: &Scene<'_>, mailbox: &Mailbox, context: &str, found: Vec<(Timestamp, Seen)>) -> Answer {
    let row = EventRow::of(scene, Route::Window)?;
    let sieve = Sieve::of(scene, "event")?;
    let paging = list::Window::of_outlook(scene)?;
    let mut found: Vec<Seen> = found.into_iter().map(|(_, seen)| seen).collect();
    if !sieve.is_idle() {
        let with = |seen: Seen| whole(mailbox, seen, false).map(|(_, event)| (seen, event));
        let whole: Vec<(Seen, Map<String, Value>)> = found.into_iter().filter_map(with).collect();
        found = sieve.sift(whole);
    }
    // rows beyond the page are only counted
    let shown = |(at, seen): (usize, Seen)| {
        let here = at >= paging.skip && at < paging.skip.saturating_add(paging.size);
        let (Seen::Item(slot) | Seen::Occurrence { master: slot, .. }) = seen;
        if let Some(item) = mailbox.calendars.item(slot).filter(|_| here) {
            listable(item, row.look.is_light())?;
        }
        Ok(if here { Value::Object(row.row(mailbox, seen)) } else { Value::Null })
    };
    let rows = found.into_iter().enumerate().map(shown).collect::<Result<Vec<Value>, Refusal>>()?;
    page(scene, context, rows, paging)
}
