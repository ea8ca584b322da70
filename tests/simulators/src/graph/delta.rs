//! Message delta, per folder (Microsoft Graph docs: message delta; delta query overview).
//!
//! A round walks the folder's log from the step of its token to the present. The first round finds everything new;
//! a later one finds tombstones, rows of messages that came, and partial rows of messages that changed. What changes
//! while a round is walked comes again at its end.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::access::{READ_BASIC_MAIL, folder_at};
use super::list::{OUTLOOK_DEFAULT, OUTLOOK_MOST, link};
use super::view::View;
use super::{Answer, Scene};
use crate::tenant::{Logged, Mailbox, Message};
use crate::wire::{Filter, Refusal, Reply};

/// A filtered or ordered round shows no more messages than this.
const FILTERED_MOST: usize = 5000;

/// Where a client stands, as sealed into its links.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Round {
    pub mailbox: String,
    /// Empty for the delta of folders.
    pub folder: String,
    pub app: String,
    pub generation: u64,
    /// Rounds that the folder had finished when this one began.
    pub number: u64,
    /// The step that the client knew before this round.
    pub since: u64,
    /// The step at which this round began: what was gone by then, it need not tell.
    #[serde(default)]
    pub begun: u64,
    /// The step up to which this round was walked, and the digest of the history there.
    pub at: u64,
    pub digest: u64,
    pub select: Option<Vec<String>>,
    pub expand: Option<String>,
    filter: Option<String>,
    kinds: Option<String>,
    /// What `$top` leaves for this round.
    pub left: Option<usize>,
    /// An ordered first round walks the listing instead of the log.
    ordered: bool,
    last: Option<(i64, u32)>,
    shown: usize,
    /// An empty page was served at this place already.
    pub rested: bool,
    /// The bounds of a tracked view, in seconds since 1970.
    #[serde(default)]
    pub window: Option<(i64, i64)>,
    /// Rows of the next entry of the log that were shown already.
    #[serde(default)]
    pub inside: usize,
}

pub(super) fn answer(scene: &Scene<'_>, user: &str, folder: &str) -> Answer {
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    if mailbox.over_quota {
        return Err(over_quota());
    }
    let at = folder_at(&mailbox, folder)?;
    let folder_id = mailbox.folder(at).id.to_string();
    let round = match given(scene)? {
        Some(token) => Round::open(scene, &mailbox, user, &folder_id, &token)?,
        None => Round::begin(scene, &mailbox, user, &folder_id)?,
    };
    round.stale(scene, mailbox.folder(at).rounds.load(Ordering::Relaxed), mailbox.generation)?;
    Walk { scene, mailbox: &mailbox, folder: at, round }.page()
}

/// The state of a sync lives in the mailbox, which has no room for it.
pub(super) fn over_quota() -> Refusal {
    Refusal::new(507, "ErrorQuotaExceeded", "The mailbox has exceeded its quota; the operation cannot be completed.")
}

/// The token of a link, from either kind.
pub(super) fn given(scene: &Scene<'_>) -> Result<Option<String>, Refusal> {
    let query = &scene.call.query;
    match (query.get("$skiptoken"), query.get("$deltatoken")) {
        (Some(_), Some(_)) => Err(Refusal::bad_query("$skiptoken and $deltatoken cannot be combined.")),
        (_, Some("latest")) => Err(Refusal::bad_query("$deltatoken=latest is not supported here.")),
        (skip, delta) => Ok(skip.or(delta).map(str::to_owned)),
    }
}

impl Round {
    /// # Errors
    /// 400 for options that delta does not take.
    pub fn begin(scene: &Scene<'_>, mailbox: &Mailbox, user: &str, folder: &str) -> Result<Self, Refusal> {
        let query = &scene.call.query;
        let mut round = Self {
            mailbox: owner(scene, user),
            folder: folder.to_owned(),
            app: scene.caller.app.clone(),
            generation: mailbox.generation,
            number: 0,
            since: 0,
            begun: mailbox.trail.head(),
            at: 0,
            digest: 0,
            select: query.select(),
            expand: query.get("$expand").map(str::to_owned),
            filter: query.get("$filter").map(str::to_owned),
            kinds: query.get("changeType").map(str::to_owned),
            left: query.number("$top")?,
            ordered: false,
            last: None,
            shown: 0,
            rested: false,
            window: None,
            inside: 0,
        };
        round.ordered = ordered(query.get("$orderby"), round.filter.as_deref())?;
        if round.ordered {
            (round.at, round.digest) =
                (mailbox.trail.head(), mailbox.trail.digest(mailbox.trail.head()).unwrap_or_default());
        }
        if let Some(at) = mailbox.folder_named(folder) {
            round.number = mailbox.folder(at).rounds.load(Ordering::Relaxed);
        }
        Ok(round)
    }

    /// The same, as the round that follows so many finished ones.
    pub fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// # Errors
    /// 400 for a token of another place, 410 for one of a history that this mailbox does not have.
    pub fn open(scene: &Scene<'_>, mailbox: &Mailbox, user: &str, folder: &str, token: &str) -> Result<Self, Refusal> {
        let round: Self = scene.world.seal.open(token)?;
        if round.mailbox != owner(scene, user) || round.folder != folder || round.app != scene.caller.app {
            return Err(Refusal::new(
                400,
                "ErrorInvalidUrlQuery",
                "The token belongs to another mailbox, folder or application.",
            ));
        }
        if mailbox.trail.digest(round.at) != Some(round.digest) {
            return Err(Refusal::sync_state_gone(round.generation));
        }
        Ok(round)
    }

    /// # Errors
    /// 410 if the state was dropped, or if other rounds of the folder ended since a nextLink was made.
    pub fn stale(&self, scene: &Scene<'_>, rounds: u64, generation: u64) -> Result<(), Refusal> {
        let patience = scene.world.knobs().switches.stale_after_rounds;
        let walking = scene.call.query.get("$skiptoken").is_some();
        let stale = walking && patience > 0 && rounds >= self.number + patience;
        if stale || self.generation < generation { Err(Refusal::sync_state_gone(self.generation)) } else { Ok(()) }
    }

    /// The round after this one, from the present.
    pub fn next(&self, mailbox: &Mailbox, step: u64, number: u64) -> Self {
        let digest = mailbox.trail.digest(step).unwrap_or_default();
        Self {
            since: step,
            begun: step,
            at: step,
            digest,
            number,
            ordered: false,
            last: None,
            left: None,
            rested: false,
            inside: 0,
            ..self.clone()
        }
    }

    /// One place in so many, the same at each call.
    pub fn falls_on(&self, scene: &Scene<'_>, often: u32, what: &str) -> bool {
        let inside = if self.inside > 0 { format!(" {}", self.inside) } else { String::new() };
        let place = format!("{} {what} {} {}{inside}", scene.world.options.seed, self.folder, self.at);
        let digest = crate::tenant::short(&place);
        often > 0 && digest.is_multiple_of(u64::from(often))
    }

    pub fn link(&self, scene: &Scene<'_>, option: &str) -> String {
        let token = scene.world.seal.seal(self);
        let options = [
            "$skiptoken",
            "$deltatoken",
            "$select",
            "$expand",
            "$filter",
            "$orderby",
            "$top",
            "changeType",
            "startDateTime",
            "endDateTime",
        ];
        link(scene.call, &options, (option, &token))
    }
}

fn owner(scene: &Scene<'_>, user: &str) -> String {
    scene.world.tenant.user(user).map(|user| user.id.clone()).unwrap_or_default()
}

/// Delta takes one order and one filter, both on `receivedDateTime`.
fn ordered(order: Option<&str>, filter: Option<&str>) -> Result<bool, Refusal> {
    let unsupported =
        || Refusal::new(400, "ErrorInvalidUrlQuery", "The query option is not supported by change tracking.");
    if let Some(filter) = filter {
        let known = Filter::parse(filter)?.paths() == ["receivedDateTime"];
        known.then_some(()).ok_or_else(unsupported)?;
    }
    match order.map(|order| order.to_ascii_lowercase()) {
        None => Ok(filter.is_some()),
        Some(order) if order.trim() == "receiveddatetime desc" => Ok(true),
        Some(_) => Err(unsupported()),
    }
}

/// One page being put together.
struct Walk<'a> {
    scene: &'a Scene<'a>,
    mailbox: &'a Mailbox,
    folder: u32,
    round: Round,
}

impl Walk<'_> {
    fn page(mut self) -> Answer {
        if self.round.left == Some(0) {
            return Ok(self.finished(Vec::new()));
        }
        if self.rests() {
            self.round.rested = true;
            return Ok(self.continued(Vec::new()));
        }
        self.round.rested = false;
        let view = View::of_messages(self.scene, self.round.select.clone(), self.round.expand.as_deref())?;
        let size = self.size();
        let (mut rows, more) =
            if self.round.ordered { self.by_listing(&view, size)? } else { self.by_log(&view, size)? };
        self.repeat(&mut rows, size);
        self.round.left = self.round.left.map(|left| left.saturating_sub(rows.len()));
        // `$top` caps the round, not the page: the next call finds nothing and a deltaLink (microsoft-graph-docs#2232).
        if more || self.round.left == Some(0) { Ok(self.continued(rows)) } else { Ok(self.finished(rows)) }
    }

    fn size(&self) -> usize {
        let size = self.scene.call.prefer().page_size.unwrap_or(OUTLOOK_DEFAULT).min(OUTLOOK_MOST);
        self.round.left.map_or(size, |left| left.min(size))
    }

    /// Walks the log: everything that happened after the round's place.
    fn by_log(&mut self, view: &View, size: usize) -> Result<(Vec<Value>, bool), Refusal> {
        let filter = self.round.filter.as_deref().map(Filter::parse).transpose()?;
        let log = &self.mailbox.folder(self.folder).log;
        let mut entries = log.range(self.round.at + 1..).peekable();
        let mut rows = Vec::new();
        while rows.len() < size {
            let Some((step, logged)) = entries.next() else { break };
            if *step > self.round.begun || !matches!(logged, Logged::Gone { .. }) {
                rows.extend(self.row(view, filter.as_ref(), logged)?);
            }
            self.round.at = *step;
        }
        self.round.digest = self.mailbox.trail.digest(self.round.at).unwrap_or_default();
        Ok((rows, entries.peek().is_some()))
    }

    /// Walks the listing, newest first, for the first round of a filtered or ordered delta.
    fn by_listing(&mut self, view: &View, size: usize) -> Result<(Vec<Value>, bool), Refusal> {
        let filter = self.round.filter.as_deref().map(Filter::parse).transpose()?;
        let size = size.min(FILTERED_MOST - self.round.shown);
        let mut entries = self.mailbox.folder(self.folder).listing.after(self.round.last).peekable();
        let mut rows = Vec::new();
        while rows.len() < size {
            let Some((received, slot)) = entries.next() else { break };
            rows.extend(self.row(view, filter.as_ref(), &Logged::Here(slot))?);
            self.round.last = Some((received, slot));
        }
        self.round.shown += rows.len();
        let more = entries.peek().is_some() && self.round.shown < FILTERED_MOST;
        Ok((rows, more))
    }

    fn row(&self, view: &View, filter: Option<&Filter>, logged: &Logged) -> Result<Option<Value>, Refusal> {
        match logged {
            Logged::Gone { id, born } if self.wants("deleted") => {
                let id = if view.immutable { self.mailbox.immutable_id(born) } else { id.to_string() };
                Ok(Some(tombstone("#microsoft.graph.message", &id)))
            }
            Logged::Gone { .. } => Ok(None),
            Logged::Here(slot) => match self.mailbox.message(*slot) {
                Some(message) => self.here(view, filter, message),
                None => Ok(None),
            },
        }
    }

    fn here(&self, view: &View, filter: Option<&Filter>, message: &Message) -> Result<Option<Value>, Refusal> {
        let resource = || Value::Object(message.resource());
        if filter.is_some_and(|filter| !filter.holds(&resource())) {
            return Ok(None);
        }
        let came = message.arrived > self.round.since;
        if !self.wants(if came { "created" } else { "updated" }) {
            return Ok(None);
        }
        if came || !view.switches.partial_rows {
            return view.listed(self.mailbox, message).map(|row| Some(row.into()));
        }
        Ok(Some(view.partial(self.mailbox, message, &message.fields_since(self.round.since)).into()))
    }

    /// `changeType` narrows a round to one kind of change.
    fn wants(&self, kind: &str) -> bool {
        self.round.kinds.as_deref().is_none_or(|wanted| wanted.split(',').any(|one| one.trim() == kind))
    }

    fn continued(self, rows: Vec<Value>) -> Reply {
        let next = self.round.link(self.scene, "$skiptoken");
        self.reply(rows, "@odata.nextLink", next)
    }

    /// Ends the round. An ordered round saw the present only as a listing, so the next one starts from its beginning.
    fn finished(self, rows: Vec<Value>) -> Reply {
        let folder = self.mailbox.folder(self.folder);
        let number = folder.rounds.fetch_add(1, Ordering::Relaxed) + 1;
        let step = if self.round.ordered { self.round.at } else { self.mailbox.trail.head() };
        let next = self.round.next(self.mailbox, step, number).link(self.scene, "$deltatoken");
        self.reply(rows, "@odata.deltaLink", next)
    }

    fn reply(&self, rows: Vec<Value>, name: &str, link: String) -> Reply {
        let mut page = Map::new();
        let context = self.scene.call.context("Collection(message)");
        page.insert("@odata.context".to_owned(), context.into());
        page.insert("value".to_owned(), Value::Array(rows));
        page.insert(name.to_owned(), link.into());
        Reply::json(page)
    }

    /// Whether this page is one of those that come empty though more follows.
    fn rests(&self) -> bool {
        let often = self.scene.world.knobs().switches.empty_pages;
        !self.round.rested && self.falls_on(often, "rest")
    }

    /// Some pages hold a row twice: clients merge by id.
    fn repeat(&self, rows: &mut Vec<Value>, size: usize) {
        let often = self.scene.world.knobs().switches.repeat_rows;
        let room = rows.len() < size.max(2) || size > OUTLOOK_DEFAULT;
        if let Some(first) = rows.first().cloned().filter(|_| room && self.falls_on(often, "repeat")) {
            rows.push(first);
        }
    }

    fn falls_on(&self, often: u32, what: &str) -> bool {
        self.round.falls_on(self.scene, often, what)
    }
}

pub(super) fn tombstone(kind: &str, id: &str) -> Value {
    json!({"@odata.type": kind, "id": id, "@removed": {"reason": "deleted"}})
}
