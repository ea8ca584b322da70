//! Listing a folder: delta with immutable ids, and what is done when a page cannot be had.
//!
//! `$top` in an Outlook delta caps the whole round (microsoft-graph-docs#2232): the page size travels as a preference.
//! An item the service cannot read fails its whole page (microsoft-graph-docs#2913). Links may not be rebuilt, so such
//! a page is asked for again with fewer rows; where a single row still fails, the folder is walked by ids alone and
//! each message is asked for by itself, so that only the culprit is refused and everything else is listed.

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
use transhume_contract::{Change, CollectionId, Fault, Feed, ItemId, Next, Page, Reach, What};
use transhume_http::{Request, Url};

/// A page that fails is asked for again with this many times fewer rows.
const SHRINK: u32 = 8;
/// Rows per page where each is asked for by itself.
const ONE_BY_ONE: u32 = 100;
/// How often a page with a broken link is asked for again.
const LINK_ATTEMPTS: usize = 3;
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
    /// One row, at this place, cannot be listed by any means: it is told of, and stepped over.
    StepOver(u64),
    GiveUp,
}

impl Listing<'_> {
    /// The next page of a folder.
    pub async fn page(&self, feed: &Feed, place: Place) -> Result<Page, Fault> {
        let mut place = place;
        loop {
            let fault = match self.attempt(feed, &place).await {
                Ok(page) => return Ok(page),
                Err(fault) => fault,
            };
            if self.refuses_expand(&fault, &place) {
                continue;
            }
            match instead(&place, &fault) {
                Instead::Ask(other) => {
                    tracing::debug!(code = fault.code, walk = ?other.walk, size = other.size, "asking differently");
                    place = other;
                }
                Instead::StepOver(row) => return Ok(stepped_over(feed, &place, row, fault)),
                Instead::GiveUp => return Err(fault),
            }
        }
    }

    async fn attempt(&self, feed: &Feed, place: &Place) -> Result<Page, Fault> {
        if place.at == At::End {
            let sentence = "this folder is listed without delta: each round begins anew";
            return Err(Fault::new(What::CursorExpired, sentence).reaching(Reach::Collection));
        }
        let mut attempts = 1;
        let (rows, next) = loop {
            let answer = self.service.whole(self.request(feed, place)?, Asked::Folder, NAMED).await?;
            let page: wire::Page =
                json::parse(&answer.body, NAMED).map_err(|fault| fault.reaching(Reach::Collection))?;
            match next(&self.service.endpoint, place, &page, self.page_size) {
                Ok(next) => break (page.value, next),
                Err(fault) if attempts == LINK_ATTEMPTS => return Err(fault),
                Err(_) => attempts += 1,
            }
        };
        let changes = self.told(feed, place, rows).await?;
        Ok(Page { changes, next })
    }

    fn request(&self, feed: &Feed, place: &Place) -> Result<Request, Fault> {
        let expand = !self.plainly.load(Ordering::Relaxed);
        prepare(&self.service.endpoint, feed, place, expand)
    }

    async fn told(&self, feed: &Feed, place: &Place, rows: Vec<Value>) -> Result<Vec<Change>, Fault> {
        let folder = folder(feed);
        if !place.walk.ids_only() {
            return rows.iter().map(|row| rows::change(row, &folder)).collect();
        }
        stream::iter(rows).map(|row| self.asked_alone(feed, row)).buffered(self.lanes.max(1)).try_collect().await
    }

    /// One message of a folder that is walked by ids.
    async fn asked_alone(&self, feed: &Feed, row: Value) -> Result<Change, Fault> {
        let folder = folder(feed);
        let Some(id) = rows::id(&row).filter(|_| !rows::is_tombstone(&row)) else { return rows::change(&row, &folder) };
        let expand = !self.plainly.load(Ordering::Relaxed);
        let request = alone(&self.service.endpoint, feed.account.as_str(), &id, expand);
        match self.service.json::<Value>(request, Asked::Item, "a message").await {
            Ok(row) => rows::change(&row, &folder),
            Err(fault) if fault.reach > Reach::Item => Err(fault),
            Err(fault) if fault.what == What::Vanished => Ok(Change::Gone(id, Some(folder))),
            Err(fault) => Ok(Change::Refused(id, Some(folder), fault)),
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

fn alone(endpoint: &Endpoint, user: &str, id: &ItemId, expand: bool) -> Request {
    let expand = if expand { format!("&$expand={}", rows::EXPAND) } else { String::new() };
    let (owner, message) = (segment(user), segment(id.as_str()));
    let url = endpoint.at(&format!("/users/{owner}/messages/{message}?$select={}{expand}", rows::SELECT));
    preferring(endpoint.mailbox(user, url), &[IMMUTABLE])
}

/// Where the listing goes on. A page without any link ends a plain listing; a delta that gives none is broken.
fn next(endpoint: &Endpoint, place: &Place, page: &wire::Page, page_size: u32) -> Result<Next, Fault> {
    let largest = if place.walk.ids_only() { ONE_BY_ONE.min(page_size) } else { page_size };
    let size = place.size.saturating_mul(SHRINK).clamp(1, largest.max(1));
    let on = |fresh, at| Place { walk: place.walk, fresh, size, at }.cursor();
    if let Some(link) = &page.next_link {
        return Ok(Next::More(on(place.fresh, At::Link(endpoint.kept(link)?))));
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

fn instead(place: &Place, fault: &Fault) -> Instead {
    let full = fault.what == What::Full || not_tracked(fault);
    if full && place.walk.tracks() {
        return over_again(place, Walk::Plain);
    }
    if !is_spoilt(fault, place.walk) {
        return Instead::GiveUp;
    }
    if place.size > 1 {
        return Instead::Ask(Place { size: place.size / SHRINK.min(place.size), ..place.clone() });
    }
    match place.walk {
        Walk::Delta => over_again(place, Walk::DeltaIds),
        Walk::DeltaIds | Walk::Plain => over_again(place, Walk::PlainIds),
        Walk::PlainIds => match row_of(place) {
            Some(row) => Instead::StepOver(row),
            None => Instead::GiveUp,
        },
    }
}

/// The same folder from its start, in another way; possible only while this round lists everything.
fn over_again(place: &Place, walk: Walk) -> Instead {
    let size = if walk.ids_only() { ONE_BY_ONE } else { place.size.max(ONE_BY_ONE) };
    let start = Place::start(walk, size);
    if place.fresh { Instead::Ask(start) } else { Instead::Ask(Place { at: At::End, ..start }) }
}

/// The row a plain listing stands at: its links count in `$skip`.
fn row_of(place: &Place) -> Option<u64> {
    let in_link = |link: &str| {
        let query = link.split_once('?')?.1;
        let skip = query.split('&').find_map(|pair| pair.strip_prefix("$skip=").or(pair.strip_prefix("%24skip=")))?;
        skip.parse().ok()
    };
    match &place.at {
        At::Skip(rows) => Some(*rows),
        At::Link(link) => in_link(link),
        At::Start => Some(0),
        At::End => None,
    }
}

/// Tells of a row that no request can list, under a name of our own, and goes on behind it.
fn stepped_over(feed: &Feed, place: &Place, row: u64, fault: Fault) -> Page {
    let folder = folder(feed);
    let id = ItemId::new(format!("unlisted row {row} of {}", folder.as_str()));
    let fault = fault.reaching(Reach::Item).skip(transhume_contract::Cause::CorruptAtSource);
    let on = Place { size: ONE_BY_ONE, at: At::Skip(row + 1), ..place.clone() };
    Page { changes: vec![Change::Refused(id, Some(folder), fault)], next: Next::More(on.cursor()) }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
