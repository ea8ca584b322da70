//! Listing a folder: delta with immutable ids, and what is done when a page cannot be had.
//!
//! `$top` in an Outlook delta caps the whole round (microsoft-graph-docs#2232): the page size travels as a preference.
//! An item the service cannot read fails its whole page (microsoft-graph-docs#2913). Links may not be rebuilt, so such
//! a page is asked for again with fewer rows; where a single row still fails, the folder is walked by ids alone and
//! each message is asked for by itself, so that only the culprit is refused and everything else is listed. What the
//! service refuses for good is told as refused; a failure that may pass fails the page, which the next pass reads again:
//! a row that was told without its facts would never come again.

use super::{
    cursor::{At, Place, Walk},
    rows,
};
use crate::{
    endpoint::{Endpoint, IMMUTABLE, preferring, segment},
    faults::{Asked, NOT_TRACKED},
    json,
    service::Service,
    wire,
};
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
const NAMED: &str = "a page of messages";

/// Lists folders of one tenant.
pub struct Listing<'a> {
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
type Read = (Vec<Value>, Next);

impl Listing<'_> {
    /// The next page of a folder.
    pub async fn page(&self, feed: &Feed, place: Place) -> Result<Page, Fault> {
        let mut place = place;
        loop {
            let fault = match self.read(feed, &place).await {
                Ok(read) => return self.told(feed, &place, read).await,
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

    async fn read(&self, feed: &Feed, place: &Place) -> Result<Read, Fault> {
        if place.at == At::End {
            let sentence = "this folder is listed without delta: each round begins anew";
            return Err(Fault::new(What::CursorExpired, sentence).reaching(Reach::Collection));
        }
        let mut attempts = 1;
        loop {
            let answer = self.service.whole(self.request(feed, place)?, Asked::Folder, NAMED).await?;
            let page: wire::Page =
                json::parse(&answer.body, NAMED).map_err(|fault| fault.reaching(Reach::Collection))?;
            match next(&self.service.endpoint, place, &page, self.page_size) {
                Ok(next) => return rows::named(page.value).map(|rows| (rows, next)),
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
                    let mut page = self.told(feed, &place, read).await?;
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
        prepare(&self.service.endpoint, feed, place, expand)
    }

    async fn told(&self, feed: &Feed, place: &Place, (rows, next): Read) -> Result<Page, Fault> {
        let folder = folder(feed);
        let changes = if place.walk.ids_only() {
            let asked = stream::iter(rows).map(|row| self.asked_alone(feed, row));
            asked.buffered(self.lanes.max(1)).try_collect().await?
        } else {
            rows.iter().map(|row| rows::change(row, &folder)).collect::<Result<_, _>>()?
        };
        Ok(Page { changes, next })
    }

    /// One message of a folder that is walked by ids.
    async fn asked_alone(&self, feed: &Feed, row: Value) -> Result<Change, Fault> {
        let folder = folder(feed);
        let Some(id) = rows::id(&row).filter(|_| !rows::is_tombstone(&row)) else { return rows::change(&row, &folder) };
        let expand = !self.plainly.load(Ordering::Relaxed);
        let request = alone(&self.service.endpoint, feed.account.as_str(), &id, Some(expand));
        let fault = match self.service.json::<Value>(request, Asked::Item, "a message").await {
            Ok(row) => return rows::change(&row, &folder),
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

    /// Whether a failure that has no known cause is the message's own: the service gives its id, and fails at its facts
    /// however often it is asked.
    async fn is_damaged(&self, feed: &Feed, id: &ItemId, fault: &Fault) -> Result<bool, Fault> {
        if fault.code.is_none() || !is_spoilt(fault, Walk::Delta) {
            return Ok(false);
        }
        let request = alone(&self.service.endpoint, feed.account.as_str(), id, None);
        match self.service.json::<Value>(request, Asked::Item, "a message").await {
            Ok(_) => Ok(true),
            Err(fault) if fault.reach > Reach::Item => Err(fault),
            Err(_) => Ok(false),
        }
    }

    /// Extended properties in a delta are documented, yet a tenant may refuse them: then it is listed without.
    fn refuses_expand(&self, fault: &Fault, place: &Place) -> bool {
        let refused = fault.what == What::Unsupported && place.at == At::Start && !not_tracked(fault);
        refused && !self.plainly.swap(true, Ordering::Relaxed)
    }
}

fn folder(feed: &Feed) -> CollectionId {
    feed.collection.clone().unwrap_or_else(|| CollectionId::new(feed.id.as_str()))
}

/// The request for a page.
fn prepare(endpoint: &Endpoint, feed: &Feed, place: &Place, expand: bool) -> Result<Request, Fault> {
    let url = match &place.at {
        At::Link(link) => endpoint.resumed(link)?,
        At::Start | At::End => start(endpoint, feed, place, expand, None),
        At::Skip(rows) => start(endpoint, feed, place, expand, Some(*rows)),
    };
    let size = format!("odata.maxpagesize={}", place.size);
    Ok(preferring(endpoint.mailbox(feed.account.as_str(), url), &[IMMUTABLE, &size]))
}

fn start(endpoint: &Endpoint, feed: &Feed, place: &Place, expand: bool, skip: Option<u64>) -> Url {
    let (user, folder) = (segment(feed.account.as_str()), segment(folder(feed).as_str()));
    let mut path = format!("/users/{user}/mailFolders/{folder}/messages");
    if place.walk.tracks() {
        path.push_str("/delta");
    }
    path.push_str("?$select=");
    path.push_str(if place.walk.ids_only() { "id" } else { rows::SELECT });
    if expand && !place.walk.ids_only() {
        path.push_str(&format!("&$expand={}", rows::EXPAND));
    }
    if !place.walk.tracks() {
        path.push_str(&format!("&$top={}", place.size));
    }
    path.extend(skip.map(|rows| format!("&$skip={rows}")));
    endpoint.at(&path)
}

/// One message: its facts, with extended properties or without, or (`None`) its id alone.
fn alone(endpoint: &Endpoint, user: &str, id: &ItemId, facts: Option<bool>) -> Request {
    let select = if facts.is_some() { rows::SELECT } else { "id" };
    let expand = if facts == Some(true) { format!("&$expand={}", rows::EXPAND) } else { String::new() };
    let (owner, message) = (segment(user), segment(id.as_str()));
    let url = endpoint.at(&format!("/users/{owner}/messages/{message}?$select={select}{expand}"));
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
            let sentence = "a page of messages ended without a link to go on from";
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
    let full = fault.what == What::Full || not_tracked(fault);
    if full && place.walk.tracks() {
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
#[path = "listing_tests.rs"]
mod tests;
