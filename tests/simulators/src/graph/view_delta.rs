//! Change tracking of a window (Microsoft Graph docs: event delta). Singles, exceptions and masters come whole, days of a
//! series with little beyond their times; what left the window or was cancelled comes as a tombstone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::access::READ_BASIC_CALENDARS;
use super::calendars::calendar_at;
use super::changes::{Tracked, came};
use super::delta::{Round, given, tombstone};
use super::event_row::{EventRow, Route};
use super::event_view::window;
use super::shape::listable;
use super::{Answer, Scene};
use crate::tenant::agenda::{Seen, Series, Window, shown_of};
use crate::tenant::{Item, ItemKind, Mailbox, Noted, RoomKind};
use crate::wire::Refusal;

pub(super) fn answer(scene: &Scene<'_>, user: &str, calendar: &str) -> Answer {
    untaken(scene)?;
    let row = EventRow::of(scene, Route::Tracked)?;
    let bounds = if given(scene)?.is_none() { Some(window(scene)?) } else { None };
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let at = calendar_at(&mailbox, calendar)?;
    let place = format!("view {}", mailbox.calendars.collection(at).id);
    let tracked =
        Tracked { scene, mailbox: &mailbox, user, kind: RoomKind::Calendars, collection: at, place, of: "event" };
    let mut round = tracked.round()?;
    if let Some(bounds) = bounds {
        round.window = Some((bounds.from.as_second(), bounds.to.as_second()));
    }
    let whole_days = scene.world.knobs().switches.all_day_in_utc;
    let telling = Telling { mailbox: &mailbox, row: &row, window: window_of(&round), whole_days };
    tracked.page(round, |round, noted| telling.rows(round, noted))
}

/// # Errors
/// 400 for options that a tracked view does not take.
fn untaken(scene: &Scene<'_>) -> Result<(), Refusal> {
    let query = &scene.call.query;
    if query.get("$top").is_some() {
        let message = "The '$top' parameter is not supported with change tracking over the 'CalendarView' resource as page \
                       size cannot be guaranteed. Express page size preferences using the Prefer: odata.maxpagesize= \
                       header instead.";
        return Err(Refusal::new(400, "ErrorInvalidUrlQuery", message));
    }
    let refused = ["$orderby", "$filter", "$select", "$expand", "$search"];
    let given = refused.iter().any(|name| query.get(name).is_some());
    if given { Err(Refusal::not_with_tracking("CalendarView")) } else { Ok(()) }
}

fn window_of(round: &Round) -> Window {
    let instant = |seconds: i64| Timestamp::from_second(seconds).ok();
    let bounds = round.window.and_then(|(from, to)| Some(Window { from: instant(from)?, to: instant(to)? }));
    bounds.unwrap_or(Window::ALWAYS)
}

struct Telling<'a> {
    mailbox: &'a Mailbox,
    row: &'a EventRow,
    window: Window,
    whole_days: bool,
}

/// A master that is no more has no slot, nor have its exceptions.
const NOWHERE: u32 = u32::MAX;

impl Telling<'_> {
    fn rows(&self, round: &Round, noted: &Noted) -> Result<Vec<Value>, Refusal> {
        match noted {
            Noted::Gone(item) => Ok(self.gone(round, item)),
            Noted::Here(slot) => match self.mailbox.calendars.item(*slot) {
                Some(item) => self.here(round, *slot, item),
                None => Ok(Vec::new()),
            },
        }
    }

    /// Tombstones of everything that a client may know of what is gone: as it was last, and as it was when told of.
    fn gone(&self, round: &Round, item: &Item) -> Vec<Value> {
        let known = |state| self.ids(item, &self.shown(NOWHERE, item, &state));
        let mut ids = known(item.resource());
        ids.extend(known(item.as_of(round.since)));
        ids.into_iter().map(|id| self.tombstone(&id)).collect()
    }

    fn here(&self, round: &Round, slot: u32, item: &Item) -> Result<Vec<Value>, Refusal> {
        listable(item, false)?;
        let now = self.shown(slot, item, &item.resource());
        let mut rows = Vec::new();
        if item.kind == ItemKind::Master && !now.is_empty() {
            rows.push(Value::Object(self.row.row(self.mailbox, Seen::Item(slot))));
        }
        rows.extend(now.iter().map(|seen| match seen {
            Seen::Item(_) => Value::Object(self.row.row(self.mailbox, *seen)),
            Seen::Occurrence { .. } => Value::Object(self.row.bare(self.mailbox, *seen)),
        }));
        let kept = self.ids(item, &now);
        let left = self.before(round, slot, item).into_iter().filter(|id| !kept.contains(id));
        rows.extend(left.map(|id| self.tombstone(&id)));
        Ok(rows)
    }

    fn shown(&self, slot: u32, item: &Item, state: &Map<String, Value>) -> Vec<Seen> {
        let shown = shown_of(&self.mailbox.calendars, slot, item, state, self.window, self.whole_days);
        shown.into_iter().map(|(_, seen)| seen).collect()
    }

    /// The ids that a client knows of an event that shows these: its own, and those of days.
    fn ids(&self, item: &Item, seen: &[Seen]) -> BTreeSet<String> {
        let own = item.shown_id(&self.mailbox.ids, self.row.look.immutable);
        let days = seen.iter().filter_map(|seen| match seen {
            Seen::Occurrence { date, .. } => Some(self.mailbox.ids.occurrence(&own, *date)),
            Seen::Item(_) => None,
        });
        let mut ids: BTreeSet<String> = days.collect();
        if !seen.is_empty() {
            ids.insert(own);
        }
        ids
    }

    /// What the client was told of an event before this round.
    fn before(&self, round: &Round, slot: u32, item: &Item) -> BTreeSet<String> {
        if round.since == 0 {
            return BTreeSet::new();
        }
        if !came(round, item.arrived) {
            return self.ids(item, &self.shown(slot, item, &item.as_of(round.since)));
        }
        // a new exception was a day of its series
        let day = self.original(item).filter(|span| self.window.holds(*span));
        day.map(|_| item.shown_id(&self.mailbox.ids, self.row.look.immutable)).into_iter().collect()
    }

    fn original(&self, exception: &Item) -> Option<(Timestamp, Timestamp)> {
        let master = self.mailbox.calendars.item(exception.master?)?;
        let marks = master.marks.as_deref();
        let series = Series::of(&master.resource(), marks.and_then(|marks| marks.zone.as_deref()))?;
        series.span(series.day_of(&exception.resource())?)
    }

    fn tombstone(&self, id: &str) -> Value {
        tombstone("#microsoft.graph.event", id)
    }
}
