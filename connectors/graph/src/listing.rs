//! Listing a collection: delta with immutable ids, and what is done when a page cannot be had.
//!
//! `$top` in an Outlook delta caps the whole round (microsoft-graph-docs#2232): the page size travels as a preference.
//! An item the service cannot read fails its whole page (microsoft-graph-docs#2913). Links may not be rebuilt, so such
//! a page is asked for again with fewer rows; where a single row still fails, the folder is walked by ids alone and
//! each message is asked for by itself, so that only the culprit is refused and everything else is listed. What the
//! service refuses for good is told as refused; a failure that may pass fails the page, which the next pass reads again:
//! a row that was told without its facts would never come again.
//!
//! Mail, contacts and tasks are listed in the same way, events partly; what differs is a [`Family`].

pub mod cursor;
pub mod row;

use crate::{
    endpoint::{Endpoint, IMMUTABLE, preferring, segment},
    faults::{Asked, NOT_TRACKED},
    json,
    service::Service,
    wire,
};
use cursor::{At, Place, Walk};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use transhume_contract::{Cause, Change, CollectionId, Fault, Feed, ItemId, Next, Page, Reach, Remedy, What};
use transhume_http::{Request, Url};

/// A page that fails is asked for again with this many times fewer rows.
const SHRINK: u32 = 8;
/// Rows per page where each is asked for by itself.
const ONE_BY_ONE: u32 = 100;
/// How often a page with a broken link is asked for again.
const LINK_ATTEMPTS: usize = 3;
/// So many rows in a row may be stepped over. Where none of them answers, it is the service that fails, not a row.
const STEPS: u64 = 16;

/// What is listed, as plain data: its addresses, what is asked of each row, and how a row becomes a change.
#[derive(Clone, Copy)]
pub struct Family {
    /// The path of a collection's items below `/v1.0`, from the encoded ids of the account and of the collection.
    pub all: fn(&str, &str) -> String,
    /// The path of one item, from the encoded ids of the account, the collection and the item.
    pub one: fn(&str, &str, &str) -> String,
    /// The facts a listing asks for.
    pub select: &'static str,
    /// The facts that only an expansion brings; empty for none.
    pub expand: &'static str,
    /// A condition on the rows, encoded; empty for none.
    pub filter: &'static str,
    pub change: fn(&Value, &CollectionId) -> Result<Change, Fault>,
    /// What a sentence calls a page of them: `a page of messages`.
    pub page: &'static str,
    /// What a sentence calls one of them: `a message`.
    pub item: &'static str,
}

/// Lists collections of one tenant.
pub struct Listing<'a> {
    pub family: Family,
    pub service: &'a Service,
    pub page_size: u32,
    pub lanes: usize,
    /// Whether this tenant refused extended properties in a listing.
    pub plainly: &'a AtomicBool,
}

/// What to do about a page that cannot be had.
#[derive(Debug, PartialEq, Eq)]
enum Instead {
    Ask(Place),
    /// The row at this place of a plain listing cannot be listed by any means.
    StepOver(u64),
    GiveUp,
}

/// A page as the service gave it.
pub type Read = (Vec<Value>, Next);

impl Listing<'_> {
    /// The next page of a folder.
    pub async fn page(&self, feed: &Feed, place: Place) -> Result<Page, Fault> {
        let mut place = place;
        loop {
            let fault = match self.read(feed, &place).await {
                Ok(read) => return self.page_of(feed, &place, read).await,
                Err(fault) => fault,
            };
            if self.refuses_expand(&fault, &place) {
                continue;
            }
            match instead(&place, &fault, self.page_size) {
                Instead::Ask(other) => {
                    tracing::debug!(code = fault.code, walk = ?other.walk, size = other.size, "asking differently");
                    place = other;
                }
                Instead::StepOver(row) => return self.step_over(feed, &place, row, fault).await,
                Instead::GiveUp => return Err(fault),
            }
        }
    }

    /// A page as it came, and where the listing goes on.
    pub async fn read(&self, feed: &Feed, place: &Place) -> Result<Read, Fault> {
        if place.at == At::End {
            let sentence = "it is listed without delta: each round begins anew";
            return Err(Fault::new(What::CursorExpired, sentence).reaching(Reach::Collection));
        }
        let mut attempts = 1;
        loop {
            let answer = self.service.whole(self.request(feed, place)?, Asked::Folder, self.family.page).await?;
            let page: wire::Page =
                json::parse(&answer.body, self.family.page).map_err(|fault| fault.reaching(Reach::Collection))?;
            match next(&self.service.endpoint, place, &page, self.page_size) {
                Ok(next) => return row::named(page.value).map(|rows| (rows, next)),
                Err(fault) if attempts == LINK_ATTEMPTS => return Err(fault),
                Err(_) => attempts += 1,
            }
        }
    }

    /// Goes on behind a row that no request can list, and tells of it under a name of our own. A later row must answer
    /// first: where none does, it is the service that fails.
    async fn step_over(&self, feed: &Feed, place: &Place, row: u64, fault: Fault) -> Result<Page, Fault> {
        for steps in 0..=STEPS {
            let place = Place { size: 1, at: At::Skip(row + steps), ..place.clone() };
            match self.read(feed, &place).await {
                Ok(read) => {
                    let mut page = self.page_of(feed, &place, read).await?;
                    page.changes.splice(0..0, (row..row + steps).map(|row| unlisted(feed, row, &fault)));
                    return Ok(page);
                }
                Err(other) if is_spoilt(&other, place.walk) => {}
                Err(other) => return Err(other),
            }
        }
        Err(fault)
    }

    fn request(&self, feed: &Feed, place: &Place) -> Result<Request, Fault> {
        let expand = !self.plainly.load(Ordering::Relaxed);
        prepare(&self.family, &self.service.endpoint, feed, place, expand)
    }

    async fn page_of(&self, feed: &Feed, place: &Place, (rows, next): Read) -> Result<Page, Fault> {
        Ok(Page { changes: self.told(feed, place, rows).await?, next })
    }

    /// Rows as changes.
    pub async fn told(&self, feed: &Feed, place: &Place, rows: Vec<Value>) -> Result<Vec<Change>, Fault> {
        let folder = folder(feed);
        if !place.walk.ids_only() {
            return rows.iter().map(|row| (self.family.change)(row, &folder)).collect();
        }
        let asked = stream::iter(rows).map(|row| self.asked_alone(feed, row));
        asked.buffered(self.lanes.max(1)).try_collect().await
    }

    /// One item of a collection that is walked by ids.
    async fn asked_alone(&self, feed: &Feed, row: Value) -> Result<Change, Fault> {
        let folder = folder(feed);
        let Some(id) = row::id(&row).filter(|_| !row::is_tombstone(&row)) else {
            return (self.family.change)(&row, &folder);
        };
        let expand = !self.plainly.load(Ordering::Relaxed);
        let request = alone(&self.family, &self.service.endpoint, feed, &id, Some(expand));
        let fault = match self.service.json::<Value>(request, Asked::Item, self.family.item).await {
            Ok(row) => return (self.family.change)(&row, &folder),
            Err(fault) => fault,
        };
        match fault.remedy {
            _ if fault.reach > Reach::Item => Err(fault),
            _ if fault.what == What::Vanished => Ok(Change::Gone(id, Some(folder))),
            Remedy::Skip(_) => Ok(Change::Refused(id, Some(folder), fault)),
            _ if self.is_damaged(feed, &id, &fault).await? => {
                Ok(Change::Refused(id, Some(folder), fault.skip(Cause::CorruptAtSource)))
            }
            _ => Err(fault.reaching(Reach::Collection)),
        }
    }

    /// Whether a failure that has no known cause is the item's own: the service gives its id, and fails at its facts
    /// however often it is asked.
    async fn is_damaged(&self, feed: &Feed, id: &ItemId, fault: &Fault) -> Result<bool, Fault> {
        if fault.code.is_none() || !is_spoilt(fault, Walk::Delta) {
            return Ok(false);
        }
        let request = alone(&self.family, &self.service.endpoint, feed, id, None);
        match self.service.json::<Value>(request, Asked::Item, self.family.item).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.reach > Reach::Item => Err(fault),
            Err(_) => Ok(false),
        }
    }

    /// Extended properties in a delta are documented, yet a tenant may refuse them: then it is listed without.
    fn refuses_expand(&self, fault: &Fault, place: &Place) -> bool {
        let refused = fault.what == What::Unsupported && place.at == At::Start && !not_tracked(fault);
        refused && !self.family.expand.is_empty() && !self.plainly.swap(true, Ordering::Relaxed)
    }
}

/// The collection that a feed lists.
pub fn folder(feed: &Feed) -> CollectionId {
    feed.collection.clone().unwrap_or_else(|| CollectionId::new(feed.id.as_str()))
}

/// The request for a page.
fn prepare(family: &Family, endpoint: &Endpoint, feed: &Feed, place: &Place, expand: bool) -> Result<Request, Fault> {
    let url = match &place.at {
        At::Link(link) => endpoint.resumed(link)?,
        At::Start | At::End => start(family, endpoint, feed, place, expand, None),
        At::Skip(rows) => start(family, endpoint, feed, place, expand, Some(*rows)),
    };
    let size = format!("odata.maxpagesize={}", place.size);
    Ok(preferring(endpoint.mailbox(feed.account.as_str(), url), &[IMMUTABLE, &size]))
}

fn start(family: &Family, endpoint: &Endpoint, feed: &Feed, place: &Place, expand: bool, skip: Option<u64>) -> Url {
    let mut path = (family.all)(&segment(feed.account.as_str()), &segment(folder(feed).as_str()));
    if place.walk.tracks() {
        path.push_str("/delta");
    }
    let ids = place.walk.ids_only();
    path.push_str(&selecting(family, !ids, expand));
    if !place.walk.tracks() {
        path.push_str(&format!("{}&$top={}", family.filter, place.size));
    }
    path.extend(skip.map(|rows| format!("&$skip={rows}")));
    endpoint.at(&path)
}

fn selecting(family: &Family, facts: bool, expand: bool) -> String {
    let select = if facts { family.select } else { "id" };
    let expand = if facts && expand { family.expand } else { "" };
    let expand = if expand.is_empty() { String::new() } else { format!("&$expand={expand}") };
    format!("?$select={select}{expand}")
}

/// One item: its facts, with what must be expanded or without, or (`None`) its id alone.
fn alone(family: &Family, endpoint: &Endpoint, feed: &Feed, id: &ItemId, facts: Option<bool>) -> Request {
    let user = feed.account.as_str();
    let path = (family.one)(&segment(user), &segment(folder(feed).as_str()), &segment(id.as_str()));
    let url = endpoint.at(&format!("{path}{}", selecting(family, facts.is_some(), facts == Some(true))));
    preferring(endpoint.mailbox(user, url), &[IMMUTABLE])
}

/// Where the listing goes on. A page without any link ends a plain listing; a delta that gives none is broken.
fn next(endpoint: &Endpoint, place: &Place, page: &wire::Page, page_size: u32) -> Result<Next, Fault> {
    let largest = largest(place.walk, page_size);
    let size = place.size.saturating_mul(SHRINK).clamp(1, largest);
    let on = |fresh, at| Place { walk: place.walk, fresh, size, at }.cursor();
    if let Some(link) = &page.next_link {
        let link = endpoint.kept(link)?;
        // A plain listing's links repeat the `$top` they were asked with: pages grow again by a request of our own.
        let grown = skip_in(&link).filter(|_| !place.walk.tracks() && place.size < largest).map(At::Skip);
        return Ok(Next::More(on(place.fresh, grown.unwrap_or(At::Link(link)))));
    }
    match &page.delta_link {
        Some(link) => Ok(Next::Done(on(false, At::Link(endpoint.kept(link)?)))),
        None if !place.walk.tracks() => Ok(Next::Done(on(false, At::End))),
        None => {
            let sentence = "a page of a listing ended without a link to go on from";
            Err(Fault::new(What::Malformed, sentence).reaching(Reach::Collection))
        }
    }
}

/// Most rows of a page.
fn largest(walk: Walk, page_size: u32) -> u32 {
    if walk.ids_only() { ONE_BY_ONE.min(page_size).max(1) } else { page_size.max(1) }
}

/// Whether the service says that this folder cannot be tracked.
fn not_tracked(fault: &Fault) -> bool {
    fault.sentence.contains(NOT_TRACKED)
}

/// Failures that a page may owe to what it holds, or to its weight (504), although they look like the service's own.
const HEAVY: &[&str] = &[
    "HTTP 500",
    "HTTP 504",
    "InternalServerError",
    "ErrorInternalServerError",
    "generalException",
    "GatewayTimeout",
    "UnknownError",
];

/// Whether the page holds something the service, or we, cannot read. A walk by ids converts nothing: where that fails
/// in such a way, it is the service that fails.
fn is_spoilt(fault: &Fault, walk: Walk) -> bool {
    let code = fault.code.as_deref().unwrap_or_default();
    let heavy = fault.what == What::Unreachable && HEAVY.iter().any(|known| known.eq_ignore_ascii_case(code));
    fault.what == What::Malformed || (heavy && !walk.ids_only())
}

fn instead(place: &Place, fault: &Fault, page_size: u32) -> Instead {
    let refused = fault.what == What::Unsupported && place.at == At::Start;
    if place.walk.tracks() && (fault.what == What::Full || not_tracked(fault) || refused) {
        return over_again(place, Walk::Plain, page_size);
    }
    if !is_spoilt(fault, place.walk) {
        return Instead::GiveUp;
    }
    if place.size > 1 {
        return Instead::Ask(smaller(place));
    }
    match place.walk {
        Walk::Delta => over_again(place, Walk::DeltaIds, page_size),
        Walk::DeltaIds | Walk::Plain => over_again(place, Walk::PlainIds, page_size),
        // An answer that broke on its way says nothing of the row.
        Walk::PlainIds => match row_of(place).filter(|_| fault.code.is_some()) {
            Some(row) => Instead::StepOver(row),
            None => Instead::GiveUp,
        },
    }
}

/// The same page with fewer rows. `$top` stands in the links of a plain listing and goes before any preference, so that
/// there a smaller page begins at the row the link leads to.
fn smaller(place: &Place) -> Place {
    let row = row_of(place).filter(|_| !place.walk.tracks());
    let at = row.map_or_else(|| place.at.clone(), At::Skip);
    Place { size: place.size / SHRINK.min(place.size), at, ..place.clone() }
}

/// The same folder from its start, in another way; possible only while this round lists everything.
fn over_again(place: &Place, walk: Walk, page_size: u32) -> Instead {
    let start = Place::start(walk, largest(walk, page_size));
    if place.fresh { Instead::Ask(start) } else { Instead::Ask(Place { at: At::End, ..start }) }
}

/// The row a plain listing stands at: its links count in `$skip`.
fn row_of(place: &Place) -> Option<u64> {
    match &place.at {
        At::Skip(rows) => Some(*rows),
        At::Link(link) => skip_in(link),
        At::Start => Some(0),
        At::End => None,
    }
}

fn skip_in(link: &str) -> Option<u64> {
    let query = link.split_once('?')?.1;
    let skip = query.split('&').find_map(|pair| pair.strip_prefix("$skip=").or(pair.strip_prefix("%24skip=")))?;
    skip.parse().ok()
}

/// A row that no request can list. Its id cannot be learned.
fn unlisted(feed: &Feed, row: u64, fault: &Fault) -> Change {
    let folder = folder(feed);
    let id = ItemId::new(format!("unlisted row {row} of {}", folder.as_str()));
    Change::Refused(id, Some(folder), fault.clone().reaching(Reach::Item).skip(Cause::CorruptAtSource))
}

#[cfg(test)]
mod tests;
