//! Change tracking of a collection in a room: a round walks the log from the step of its token to the present, as that of
//! messages does. One entry of the log can give several rows, the days of a series, and a page can end among them.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use super::delta::{Round, given, over_quota, tombstone};
use super::list::{OUTLOOK_DEFAULT, most};
use super::shape::{Look, listable};
use super::{Answer, Scene};
use crate::tenant::{Item, Mailbox, Noted, RoomKind};
use crate::wire::{Refusal, Reply};

/// A place whose changes are tracked.
pub(super) struct Tracked<'a> {
    pub scene: &'a Scene<'a>,
    pub mailbox: &'a Mailbox,
    pub user: &'a str,
    pub kind: RoomKind,
    pub collection: u32,
    /// What tokens of this place say, so that those of another are refused.
    pub place: String,
    /// The type of its rows.
    pub of: &'static str,
}

/// The page size that `Prefer` asks for.
pub(super) fn page_size(scene: &Scene<'_>) -> usize {
    scene.call.prefer().page_size.unwrap_or(OUTLOOK_DEFAULT).min(most(scene))
}

impl Tracked<'_> {
    /// The round that a call goes on with, or a new one.
    ///
    /// # Errors
    /// 400 for tokens of another place and for options that are none, 410 for tokens that died, 507 in a full mailbox.
    pub fn round(&self) -> Result<Round, Refusal> {
        if self.mailbox.over_quota {
            return Err(over_quota());
        }
        let rounds = self.mailbox.room(self.kind).collection(self.collection).rounds.load(Ordering::Relaxed);
        let round = match given(self.scene)? {
            Some(token) => Round::open(self.scene, self.mailbox, self.user, &self.place, &token)?,
            None => Round::begin(self.scene, self.mailbox, self.user, &self.place)?.numbered(rounds),
        };
        round.stale(self.scene, rounds, self.mailbox.generation)?;
        Ok(round)
    }

    /// One page of a round. `rows` says what an entry of the log shows.
    ///
    /// # Errors
    /// Those of `rows`.
    pub fn page(&self, mut round: Round, rows: impl Fn(&Round, &Noted) -> Result<Vec<Value>, Refusal>) -> Answer {
        let switches = self.scene.world.knobs().switches.clone();
        if round.left == Some(0) {
            return Ok(self.finished(&round, Vec::new()));
        }
        if !round.rested && round.falls_on(self.scene, switches.empty_pages, "rest") {
            round.rested = true;
            return Ok(self.continued(&round, Vec::new()));
        }
        round.rested = false;
        let size = round.left.map_or(page_size(self.scene), |left| left.min(page_size(self.scene)));
        let (mut found, more) = self.walk(&mut round, size, rows)?;
        let room = found.len() < size.max(2) || size > OUTLOOK_DEFAULT;
        if let Some(first) = found.first().cloned()
            && room
            && round.falls_on(self.scene, switches.repeat_rows, "repeat")
        {
            found.push(first);
        }
        round.left = round.left.map(|left| left.saturating_sub(found.len()));
        if more || round.left == Some(0) { Ok(self.continued(&round, found)) } else { Ok(self.finished(&round, found)) }
    }

    /// One page of things that are told of as they are.
    ///
    /// # Errors
    /// 500 if one of them spoils the page.
    pub fn things(&self, round: Round, look: &Look, whole: impl Fn(&Item) -> Map<String, Value>) -> Answer {
        let partial = self.scene.world.knobs().switches.partial_rows;
        let ids = &self.mailbox.ids;
        self.page(round, |round, noted| match noted {
            Noted::Gone(item) => {
                let kind = format!("#microsoft.graph.{}", self.of);
                Ok(vec![tombstone(&kind, &look.id(item, ids))])
            }
            Noted::Here(slot) => {
                let Some(item) = self.mailbox.room(self.kind).item(*slot) else { return Ok(Vec::new()) };
                listable(item, look.is_light())?;
                let resource = whole(item);
                let row = match came(round, item.arrived) || !partial {
                    true => look.row(&look.id(item, ids), resource),
                    false => look.partial(&look.id(item, ids), resource, &item.fields_since(round.since)),
                };
                Ok(vec![row.into()])
            }
        })
    }

    fn walk(
        &self,
        round: &mut Round,
        size: usize,
        rows: impl Fn(&Round, &Noted) -> Result<Vec<Value>, Refusal>,
    ) -> Result<(Vec<Value>, bool), Refusal> {
        let log = &self.mailbox.room(self.kind).collection(self.collection).log;
        let mut entries = log.range(round.at + 1..).peekable();
        let mut found = Vec::new();
        while let Some((step, noted)) = entries.peek() {
            let known = **step > round.begun || matches!(noted, Noted::Here(_));
            let all = if known { rows(round, noted)? } else { Vec::new() };
            let left = all.len().saturating_sub(round.inside);
            let taken = left.min(size - found.len());
            found.extend(all.into_iter().skip(round.inside).take(taken));
            if taken < left {
                round.inside += taken;
                break;
            }
            (round.at, round.inside) = (**step, 0);
            entries.next();
            if found.len() == size {
                break;
            }
        }
        round.digest = self.mailbox.trail.digest(round.at).unwrap_or_default();
        Ok((found, entries.peek().is_some()))
    }

    pub fn continued(&self, round: &Round, rows: Vec<Value>) -> Reply {
        self.reply(rows, "@odata.nextLink", round.link(self.scene, "$skiptoken"))
    }

    pub fn finished(&self, round: &Round, rows: Vec<Value>) -> Reply {
        let rounds = &self.mailbox.room(self.kind).collection(self.collection).rounds;
        let number = rounds.fetch_add(1, Ordering::Relaxed) + 1;
        let next = round.next(self.mailbox, self.mailbox.trail.head(), number);
        self.reply(rows, "@odata.deltaLink", next.link(self.scene, "$deltatoken"))
    }

    fn reply(&self, rows: Vec<Value>, name: &str, link: String) -> Reply {
        let mut page = Map::new();
        let context = self.scene.call.context(&format!("Collection({})", self.of));
        page.insert("@odata.context".to_owned(), context.into());
        page.insert("value".to_owned(), Value::Array(rows));
        page.insert(name.to_owned(), link.into());
        Reply::json(page)
    }
}

/// Changes of the collections themselves: those that came, were renamed, or went.
pub(super) struct Shelves<'a> {
    pub scene: &'a Scene<'a>,
    pub mailbox: &'a Mailbox,
    pub user: &'a str,
    pub kind: RoomKind,
    pub place: &'static str,
    pub of: &'static str,
}

impl Shelves<'_> {
    /// # Errors
    /// As for [`Tracked::round`].
    pub fn page(&self, shown: impl Fn(u32) -> Option<Map<String, Value>>) -> Answer {
        if self.mailbox.over_quota {
            return Err(over_quota());
        }
        let mut round = match given(self.scene)? {
            Some(token) => Round::open(self.scene, self.mailbox, self.user, self.place, &token)?,
            None => Round::begin(self.scene, self.mailbox, self.user, self.place)?,
        };
        round.stale(self.scene, 0, self.mailbox.generation)?;
        let changes = self.changes(&round, shown);
        let (size, total) = (page_size(self.scene), changes.len());
        round.at = changes.iter().take(size).next_back().map_or(round.at, |(step, _)| *step);
        round.digest = self.mailbox.trail.digest(round.at).unwrap_or_default();
        let rows: Vec<Value> = changes.into_iter().take(size).map(|(_, row)| row).collect();
        let next = round.next(self.mailbox, self.mailbox.trail.head(), 0);
        let (name, link) = match total > size {
            true => ("@odata.nextLink", round.link(self.scene, "$skiptoken")),
            false => ("@odata.deltaLink", next.link(self.scene, "$deltatoken")),
        };
        let mut page = Map::new();
        let context = self.scene.call.context(&format!("Collection({})", self.of));
        page.insert("@odata.context".to_owned(), context.into());
        page.insert("value".to_owned(), rows.into());
        page.insert(name.to_owned(), link.into());
        Ok(Reply::json(page))
    }

    fn changes(&self, round: &Round, shown: impl Fn(u32) -> Option<Map<String, Value>>) -> Vec<(u64, Value)> {
        let room = self.mailbox.room(self.kind);
        let here = room.living().filter(|(_, one)| one.changed > round.at);
        let mut changes: Vec<(u64, Value)> =
            here.filter_map(|(at, one)| Some((one.changed, shown(at)?.into()))).collect();
        let gone = room.gone.iter().filter(|(step, _)| *step > round.at.max(round.begun));
        let kind = format!("#microsoft.graph.{}", self.of);
        changes.extend(gone.map(|(step, id)| (*step, tombstone(&kind, id))));
        changes.sort_by_key(|(step, _)| *step);
        changes
    }
}

/// The row of a thing in a round: whole if it came, else what changed.
pub(super) fn came(round: &Round, arrived: u64) -> bool {
    arrived > round.since
}
