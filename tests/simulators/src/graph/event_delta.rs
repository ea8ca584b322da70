//! Change tracking of all events of a calendar, without a window: singles and masters of series, and little of each
//! (Microsoft Graph docs: event delta, beta). v1.0 binds the function too; whether it answers is a switch.

use jiff::Timestamp;
use serde_json::Value;

use super::access::READ_BASIC_CALENDARS;
use super::calendars::calendar_at;
use super::changes::{Tracked, came, page_size};
use super::delta::{Round, tombstone};
use super::event_row::{EventRow, Route};
use super::event_view::bound;
use super::shape::listable;
use super::{Answer, Scene};
use crate::options::EventDelta;
use crate::tenant::agenda::{Seen, span_of};
use crate::tenant::{Item, ItemKind, Mailbox, Noted, RoomKind};
use crate::wire::Refusal;

pub(super) fn answer(scene: &Scene<'_>, user: &str, calendar: Option<&str>) -> Answer {
    let switches = scene.world.knobs().switches.clone();
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let at = calendar_at(&mailbox, calendar.unwrap_or("calendar"))?;
    match switches.event_delta {
        EventDelta::Answers => {}
        EventDelta::BadRequest => return Err(Refusal::untracked("event")),
        EventDelta::NotFound => return Err(Refusal::new(404, "ResourceNotFound", "Resource could not be discovered.")),
    }
    let own = mailbox.calendars.collection(at).notes["delta_most"].as_u64().and_then(|most| usize::try_from(most).ok());
    let most = own.unwrap_or(switches.event_delta_most);
    if most > 0 && page_size(scene) > most {
        return Err(Refusal { empty: true, ..Refusal::new(503, "serviceNotAvailable", "") });
    }
    untaken(scene, "Events")?;
    let row = EventRow::of(scene, Route::Tracked)?;
    let place = format!("events {}", mailbox.calendars.collection(at).id);
    let tracked =
        Tracked { scene, mailbox: &mailbox, user, kind: RoomKind::Calendars, collection: at, place, of: "event" };
    let mut round = tracked.round()?;
    if let Some(from) = scene.call.query.get("startDateTime") {
        round.window = Some((bound("startDateTime", from)?.as_second(), i64::MAX));
    }
    let telling = Telling { mailbox: &mailbox, row: &row, limited: switches.event_delta_limited };
    tracked.page(round, |round, noted| telling.rows(round, noted, switches.partial_rows))
}

/// # Errors
/// 400 for options that change tracking does not take. `$select` is taken and without effect.
pub(super) fn untaken(scene: &Scene<'_>, of: &str) -> Result<(), Refusal> {
    let refused = ["$orderby", "$filter", "$expand", "$search"];
    let given = refused.iter().any(|name| scene.call.query.get(name).is_some());
    if given { Err(Refusal::not_with_tracking(of)) } else { Ok(()) }
}

struct Telling<'a> {
    mailbox: &'a Mailbox,
    row: &'a EventRow,
    limited: bool,
}

impl Telling<'_> {
    fn rows(&self, round: &Round, noted: &Noted, partial: bool) -> Result<Vec<Value>, Refusal> {
        match noted {
            Noted::Gone(item) if item.kind != ItemKind::Exception => {
                let id = item.shown_id(&self.mailbox.ids, self.row.look.immutable);
                Ok(vec![tombstone("#microsoft.graph.event", &id)])
            }
            Noted::Gone(_) => Ok(Vec::new()),
            Noted::Here(slot) => match self.mailbox.calendars.item(*slot) {
                Some(item) if item.kind != ItemKind::Exception && begins(round, item) => {
                    self.here(round, *slot, item, partial)
                }
                _ => Ok(Vec::new()),
            },
        }
    }

    /// A day that was cancelled in a series whose master it did not touch is told to nobody.
    fn here(&self, round: &Round, slot: u32, item: &Item, partial: bool) -> Result<Vec<Value>, Refusal> {
        listable(item, self.limited)?;
        let fields = item.fields_since(round.since);
        let untouched = fields.iter().all(|field| *field == "cancelledOccurrences");
        let row = match (came(round, item.arrived), self.limited) {
            (false, _) if untouched => return Ok(Vec::new()),
            (_, true) => self.row.bare(self.mailbox, Seen::Item(slot)),
            (false, false) if partial => self.row.partial(self.mailbox, slot, &fields),
            _ => self.row.row(self.mailbox, Seen::Item(slot)),
        };
        Ok(vec![row.into()])
    }
}

/// Whether an event begins where a round that has a beginning begins; a series may have days there still.
fn begins(round: &Round, item: &Item) -> bool {
    let from = round.window.and_then(|(from, _)| Timestamp::from_second(from).ok());
    let start = || span_of(&item.resource(), &jiff::tz::TimeZone::UTC).map(|(start, _)| start);
    from.is_none_or(|from| item.kind == ItemKind::Master || start().is_none_or(|start| start >= from))
}
