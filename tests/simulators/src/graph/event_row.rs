//! How an event becomes a row (Microsoft Graph docs: event). Times come in UTC, or in the zone that `Prefer` names; whole
//! days stay at midnight whatever zone is printed. Recurrences come with every member, the unused ones neutral.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::access::READ_CALENDARS;
use super::expand::Expand;
use super::shape::{Look, Shape};
use super::view::{flattened, unknown_member};
use super::{Scene, calendars, event_attachments, properties};
use crate::options::{OccurrencesBy, Switches};
use crate::tenant::agenda::{Seen, Series, civil, occurrence_uid, written, zone};
use crate::tenant::{Item, ItemKind, Mailbox};
use crate::wire::Refusal;

/// Microsoft Graph v1.0 schema: outlookItem and event.
#[rustfmt::skip]
pub(super) const EVENT: Shape = Shape {
    name: "event",
    members: &[
        "id", "categories", "changeKey", "createdDateTime", "lastModifiedDateTime", "allowNewTimeProposals", "attendees",
        "body", "bodyPreview", "cancelledOccurrences", "end", "hasAttachments", "hideAttendees", "iCalUId", "importance",
        "isAllDay", "isCancelled", "isDraft", "isOnlineMeeting", "isOrganizer", "isReminderOn", "location", "locations",
        "onlineMeeting", "onlineMeetingProvider", "onlineMeetingUrl", "organizer", "originalEndTimeZone", "originalStart",
        "originalStartTimeZone", "recurrence", "reminderMinutesBeforeStart", "responseRequested", "responseStatus",
        "sensitivity", "seriesMasterId", "showAs", "start", "subject", "transactionId", "type", "webLink",
        "exceptionOccurrences",
    ],
    apart: &["attachments", "cancelledOccurrences", "exceptionOccurrences", "singleValueExtendedProperties"],
};

/// What `Calendars.ReadBasic.All` hides.
const BEYOND_BASIC: &[&str] = &["body", "bodyPreview"];
/// What a bare occurrence of a change-tracked view holds.
const BARE: &[&str] = &["type", "seriesMasterId", "start", "end"];

/// By which route an event is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// By its id below the user.
    One,
    /// By its id below a calendar, where lists of occurrences are not served.
    OneOfCalendar,
    List,
    /// `calendarView` and `instances`.
    Window,
    Tracked,
}

pub(super) struct EventRow {
    pub look: Look,
    expand: Expand,
    route: Route,
    /// The zone asked for, as it was named.
    zone: Option<(String, TimeZone)>,
    text_bodies: bool,
    basic: bool,
    switches: Switches,
    origin: String,
}

impl EventRow {
    /// # Errors
    /// 400 for members and expansions that events do not have in this cloud, and for zones that are none.
    pub fn of(scene: &Scene<'_>, route: Route) -> Result<Self, Refusal> {
        let query = &scene.call.query;
        let tracked = route == Route::Tracked;
        let select = query.select().filter(|_| !tracked);
        let expand = Expand::parse(query.get("$expand").filter(|_| !tracked), "event")?;
        let prefer = scene.call.prefer();
        let row = Self {
            look: Look::choosing(scene, &EVENT, select)?,
            expand,
            route,
            zone: wanted_zone(scene)?,
            text_bodies: prefer.text_bodies,
            basic: !scene.granted(READ_CALENDARS),
            switches: scene.world.knobs().switches.clone(),
            origin: scene.call.origin.clone(),
        };
        row.in_this_cloud()?;
        Look::choosing(scene, &EVENT, row.expand.exceptions_select.clone())?;
        if row.basic && row.expand.attachments { Err(Refusal::exchange_forbidden()) } else { Ok(row) }
    }

    /// The same for a page of exceptions, of which is selected what the request selects.
    pub fn of_exceptions(mut self) -> Self {
        self.expand.exceptions_select = self.look.select.take();
        self
    }

    fn in_this_cloud(&self) -> Result<(), Refusal> {
        if self.switches.cloud.is_global() {
            return Ok(());
        }
        let asked = |name: &&str| self.look.names(name) || (*name == "exceptionOccurrences" && self.expand.exceptions);
        match ["cancelledOccurrences", "exceptionOccurrences"].iter().find(|name| asked(name)) {
            Some(name) => Err(unknown_member(name, "event")),
            None => Ok(()),
        }
    }

    pub fn row(&self, mailbox: &Mailbox, seen: Seen) -> Map<String, Value> {
        let Some((id, mut whole)) = whole(mailbox, seen, self.look.immutable) else { return Map::new() };
        let cancelled = whole.shift_remove("cancelledOccurrences");
        self.dress(&mut whole);
        if self.switches.extra_fields && self.look.select.is_none() {
            self.undocumented(mailbox, seen, &mut whole);
        }
        let properties = self.properties(&whole);
        let mut row = self.look.row(&id, whole);
        self.narrow(&mut row);
        row.extend(properties.map(|found| ("singleValueExtendedProperties".to_owned(), found)));
        self.expanded(mailbox, seen, &id, &mut row);
        if let Seen::Item(slot) = seen {
            self.occurrences(mailbox, slot, &id, cancelled, &mut row);
        }
        row
    }

    /// Only what changed.
    pub fn partial(&self, mailbox: &Mailbox, slot: u32, fields: &[&str]) -> Map<String, Value> {
        let Some((id, mut whole)) = whole(mailbox, Seen::Item(slot), self.look.immutable) else { return Map::new() };
        self.dress(&mut whole);
        self.look.partial(&id, whole, fields)
    }

    /// What change tracking tells of a day of a series, or of any event if its rows are limited.
    pub fn bare(&self, mailbox: &Mailbox, seen: Seen) -> Map<String, Value> {
        let Some((id, mut whole)) = whole(mailbox, seen, self.look.immutable) else { return Map::new() };
        self.dress(&mut whole);
        whole.insert("@odata.type".to_owned(), "#microsoft.graph.event".into());
        let mut row = self.look.partial(&id, whole, BARE);
        row.retain(|_, value| !value.is_null());
        row
    }

    /// Times in the zone asked for, recurrences with every member, bodies in the form asked for.
    fn dress(&self, event: &mut Map<String, Value>) {
        let whole_days = event.get("isAllDay").and_then(Value::as_bool).unwrap_or_default();
        for name in ["start", "end"] {
            if let Some(shown) = event.get(name).and_then(|time| shown_time(time, whole_days, self.zone.as_ref())) {
                event.insert(name.to_owned(), shown);
            }
        }
        if let Some(recurrence) = event.get_mut("recurrence").filter(|recurrence| recurrence.is_object()) {
            pad(recurrence);
        }
        if self.text_bodies {
            event.get_mut("body").into_iter().for_each(|body| *body = flattened(body.take()));
        }
        if self.basic {
            event.retain(|name, _| !BEYOND_BASIC.contains(&name.as_str()));
        }
    }

    /// What `$select` does not bring although it names it.
    fn narrow(&self, row: &mut Map<String, Value>) {
        if self.route != Route::Window || self.look.select.is_none() {
            return;
        }
        for lost in ["createdDateTime", "lastModifiedDateTime"] {
            row.shift_remove(lost);
        }
        if !self.look.names("isOnlineMeeting") {
            row.shift_remove("onlineMeeting");
        }
    }

    fn undocumented(&self, mailbox: &Mailbox, seen: Seen, event: &mut Map<String, Value>) {
        let (Seen::Item(slot) | Seen::Occurrence { master: slot, .. }) = seen;
        let Some(item) = mailbox.calendars.item(slot) else { return };
        let series = item.master.and_then(|master| mailbox.calendars.item(master)).unwrap_or(item);
        let uid = series.resource().get("iCalUId").cloned().unwrap_or_default();
        let calendar = &mailbox.calendars.collection(item.collection).id;
        let link = format!("https://graph.microsoft.com/v1.0/users('{}')/calendars('{calendar}')", mailbox.ids.owner());
        event.insert("iCalUId_v2".to_owned(), event.get("iCalUId").cloned().unwrap_or_default());
        event.insert("uid".to_owned(), uid);
        event.insert("calendar@odata.associationLink".to_owned(), format!("{link}/$ref").into());
        event.insert("calendar@odata.navigationLink".to_owned(), link.into());
    }

    fn properties(&self, event: &Map<String, Value>) -> Option<Value> {
        let told = |id: &properties::PropertyId| properties::of_item(id, event, "IPM.Appointment");
        properties::expanded(&self.expand.properties, self.switches.normalised_property_ids, told)
    }

    fn expanded(&self, mailbox: &Mailbox, seen: Seen, id: &str, row: &mut Map<String, Value>) {
        if self.expand.attachments {
            let found = event_attachments::inline(mailbox, seen, id);
            row.insert("attachments".to_owned(), found.into());
        }
        let (Seen::Item(slot) | Seen::Occurrence { master: slot, .. }) = seen;
        if let Some(item) = mailbox.calendars.item(slot).filter(|_| self.expand.calendar) {
            let calendar = calendars::expanded(mailbox.calendars.collection(item.collection));
            row.insert("calendar".to_owned(), calendar);
        }
    }

    /// The lists of cancelled and changed days, which only a read of one master shows, and only if asked rightly.
    fn occurrences(
        &self,
        mailbox: &Mailbox,
        slot: u32,
        id: &str,
        cancelled: Option<Value>,
        row: &mut Map<String, Value>,
    ) {
        let master = mailbox.calendars.item(slot).is_some_and(|item| item.kind == ItemKind::Master);
        if !master || self.route != Route::One {
            return;
        }
        let (tells_cancelled, tells_exceptions) = self.asked();
        if tells_cancelled {
            row.insert("cancelledOccurrences".to_owned(), renamed(id, cancelled.as_ref()));
        }
        if tells_exceptions {
            self.told(mailbox, slot, id, row);
        }
    }

    fn told(&self, mailbox: &Mailbox, slot: u32, id: &str, row: &mut Map<String, Value>) {
        let mut all = self.exceptions(mailbox, slot);
        let size = self.switches.exceptions_page;
        if size > 0 && all.len() > size {
            all.truncate(size);
            let path = format!("users('{}')/events('{id}')/exceptionOccurrences", mailbox.ids.owner());
            let selected = self.expand.exceptions_select.as_ref().map(|names| format!("$select={}&", names.join(",")));
            let link = format!("{}/v1.0/{path}?{}$skip={size}", self.origin, selected.unwrap_or_default());
            row.insert("exceptionOccurrences@odata.nextLink".to_owned(), link.into());
        }
        row.insert("exceptionOccurrences".to_owned(), all.into());
    }

    fn asked(&self) -> (bool, bool) {
        let (names_cancelled, names_exceptions) =
            (self.look.names("cancelledOccurrences"), self.look.names("exceptionOccurrences"));
        let expands = self.expand.exceptions;
        let any = names_cancelled || names_exceptions || expands;
        let (cancelled, exceptions) = match self.switches.occurrences_by {
            OccurrencesBy::Expand => (names_cancelled || expands, expands),
            OccurrencesBy::SelectAndExpand => (names_cancelled, names_exceptions && expands),
            OccurrencesBy::Either => (any, any),
        };
        let lists = ["id", "cancelledOccurrences", "exceptionOccurrences"];
        let others = self.look.select.iter().flatten().any(|name| !lists.contains(&name.as_str()));
        (cancelled, exceptions && !(others && self.switches.mixed_select_drops_exceptions))
    }

    pub fn exceptions(&self, mailbox: &Mailbox, master: u32) -> Vec<Value> {
        let room = &mailbox.calendars;
        let mut found: Vec<(String, u32)> = room
            .exceptions_of(master)
            .map(|(slot, item)| (item.resource().get("originalStart").map(Value::to_string).unwrap_or_default(), slot))
            .collect();
        found.sort();
        let rows = found.into_iter().filter_map(|(_, slot)| whole(mailbox, Seen::Item(slot), self.look.immutable));
        let rows = rows.map(|(id, mut event)| {
            self.dress(&mut event);
            let whole = self.look.with(self.expand.exceptions_select.clone());
            Value::Object(whole.row(&id, event))
        });
        rows.collect()
    }
}

/// The zone that `Prefer` names, as it was named.
///
/// # Errors
/// 400 for zones that are none (microsoft-graph-docs#4758).
pub(super) fn wanted_zone(scene: &Scene<'_>) -> Result<Option<(String, TimeZone)>, Refusal> {
    let Some(name) = scene.call.prefer().zone else { return Ok(None) };
    let found = zone(&name).ok_or_else(|| {
        let message = "A valid TimeZone value must be specified. The following TimeZone value is not supported";
        Refusal::new(400, "TimeZoneNotSupportedException", format!("{message}: '{name}'."))
    })?;
    Ok(Some((name, found)))
}

/// A time in the zone asked for, or in UTC. None for what is no time, which is shown as it is.
pub(super) fn shown_time(time: &Value, whole_days: bool, zone: Option<&(String, TimeZone)>) -> Option<Value> {
    let (clock, own) = civil(time)?;
    let utc = ("UTC".to_owned(), TimeZone::UTC);
    let (name, zone) = zone.unwrap_or(&utc);
    if whole_days {
        return Some(written(clock, name));
    }
    Some(written(zone.to_datetime(own.to_timestamp(clock).ok()?), name))
}

/// `OID.<id>.<date>` with the id in the form that was asked for.
fn renamed(id: &str, cancelled: Option<&Value>) -> Value {
    let stated = cancelled.and_then(Value::as_array);
    let dates = stated.into_iter().flatten().filter_map(|one| one.as_str()?.rsplit('.').next());
    dates.map(|date| format!("OID.{id}.{date}")).collect()
}

/// Every member of a recurrence, the unused ones neutral.
pub(super) fn pad(recurrence: &mut Value) {
    let neutral = json!({
        "pattern": {"interval": 1, "month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"},
        "range": {"endDate": "0001-01-01", "recurrenceTimeZone": "", "numberOfOccurrences": 0},
    });
    for part in ["pattern", "range"] {
        let Some(members) = recurrence[part].as_object_mut() else { continue };
        for (name, value) in neutral[part].as_object().into_iter().flatten() {
            let stated = members.entry(name.clone()).or_insert_with(|| value.clone());
            if stated.is_null() {
                *stated = value.clone();
            }
        }
    }
}

/// An event as the service knows it, with its id: a stored one, or a day of a series made from its master.
pub(crate) fn whole(mailbox: &Mailbox, seen: Seen, immutable: bool) -> Option<(String, Map<String, Value>)> {
    match seen {
        Seen::Item(slot) => {
            let item = mailbox.calendars.item(slot)?;
            Some((item.shown_id(&mailbox.ids, immutable), stored(mailbox, item, immutable)))
        }
        Seen::Occurrence { master, date } => {
            let item = mailbox.calendars.item(master)?;
            let series = item.shown_id(&mailbox.ids, immutable);
            let id = mailbox.ids.occurrence(&series, date);
            Some((id, occurrence(item, &series, date)?))
        }
    }
}

fn stored(mailbox: &Mailbox, item: &Item, immutable: bool) -> Map<String, Value> {
    let mut event = item.resource();
    let kind = match item.kind {
        ItemKind::Plain => "singleInstance",
        ItemKind::Master => "seriesMaster",
        ItemKind::Exception => "exception",
    };
    event.entry("type").or_insert_with(|| kind.into());
    if let Some(master) = item.master.and_then(|slot| mailbox.calendars.item(slot)) {
        event.insert("seriesMasterId".to_owned(), master.shown_id(&mailbox.ids, immutable).into());
    }
    event
}

fn occurrence(item: &Item, series_id: &str, date: Date) -> Option<Map<String, Value>> {
    let mut event = item.resource();
    let marks = item.marks.as_deref();
    let series = Series::of(&event, marks.and_then(|marks| marks.zone.as_deref()))?;
    let (start, end) = series.printed(date)?;
    let uid = event.get("iCalUId").and_then(Value::as_str).map(|uid| occurrence_uid(uid, date));
    let own = json!({
        "type": "occurrence", "seriesMasterId": series_id, "recurrence": null,
        "start": written(start, "UTC"), "end": written(end, "UTC"),
        "originalStart": series.original(date)?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    event.extend(own.as_object().cloned().unwrap_or_default());
    event.extend(uid.map(|uid| ("iCalUId".to_owned(), uid.into())));
    event.shift_remove("cancelledOccurrences");
    Some(event)
}
