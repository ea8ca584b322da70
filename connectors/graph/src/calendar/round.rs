//! A round through one calendar.
//!
//! v1.0 binds `events/delta` to calendars and documents it for beta only, so it is asked for once. Its rows tell little
//! beyond ids, and a changed day of a series may not touch its master, so it is never all there is:
//!
//! * a round from the start walks delta to its end for the token (`Track`), and lists the single events (`Rows`). Rows of a
//!   plain listing are skipped where something before them is deleted meanwhile: where there were several pages, delta is
//!   asked what happened (`Settle`), and a deletion begins the round anew. Then every series is read (`Series`);
//! * a later round asks delta what changed (`Later`), and reads every series again;
//! * where delta is not to be had, each round lists everything, and what no page names is gone.
//!
//! The version of a series is made of its master, its changed days and its cancelled ones: one request a series, where the
//! cloud has lists of them.

use super::{
    Known,
    rows::{EVENTS, MASTERS, master_in},
    series::Series,
};
use crate::listing::{
    Family, Listing, Read,
    cursor::{At, Place, Walk},
    folder, row,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::atomic::{AtomicBool, Ordering};
use transhume_contract::{Change, Cursor, Fault, Feed, Next, Page, Reach, Remedy, What};

use crate::service::Service;

/// Rows of a page of changes: of 500, some calendars answer 503 without a word (corso).
const TRACKED: u32 = 200;
/// Rows of such a page once it was refused.
const FEW: u32 = 10;

/// Walks calendars of one tenant.
pub struct Round<'a> {
    pub service: &'a Service,
    pub known: &'a Known,
    pub page_size: u32,
    pub lanes: usize,
}

/// Where a round stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Track(Place),
    Rows {
        token: Option<Place>,
        at: Place,
    },
    Settle(Place),
    Later(Place),
    /// `all` goes through all events, so that no series is missed should the service take the condition and answer amiss.
    Series {
        token: Option<Place>,
        at: Place,
        all: bool,
    },
}

impl Phase {
    pub fn cursor(&self) -> Cursor {
        let (name, token, at) = match self {
            Self::Track(at) => ("track", None, at),
            Self::Rows { token, at } => ("rows", token.as_ref(), at),
            Self::Settle(at) => ("settle", None, at),
            Self::Later(at) => ("later", None, at),
            Self::Series { token, at, all: false } => ("series", token.as_ref(), at),
            Self::Series { token, at, all: true } => ("all-series", token.as_ref(), at),
        };
        let token = token.map(Place::cursor);
        let token = token.as_ref().map_or("", Cursor::as_str);
        Cursor::new(format!("events 1 {name}\n{token}\n{}", at.cursor().as_str()))
    }

    /// `CursorExpired` for a text this version did not write.
    pub fn of(cursor: &Cursor) -> Result<Self, Fault> {
        let mut lines = cursor.as_str().splitn(3, '\n');
        let (name, token, at) =
            (lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let at = Place::of(&Cursor::new(at))?;
        let token = if token.is_empty() { None } else { Some(Place::of(&Cursor::new(token))?) };
        match name {
            "events 1 track" => Ok(Self::Track(at)),
            "events 1 rows" => Ok(Self::Rows { token, at }),
            "events 1 settle" => Ok(Self::Settle(at)),
            "events 1 later" => Ok(Self::Later(at)),
            "events 1 series" => Ok(Self::Series { token, at, all: false }),
            "events 1 all-series" => Ok(Self::Series { token, at, all: true }),
            _ => Err(expired("the cursor of this calendar was written by another version")),
        }
    }
}

fn expired(why: &str) -> Fault {
    Fault::new(What::CursorExpired, why).reaching(Reach::Collection)
}

impl Round<'_> {
    /// The next page of a calendar.
    pub async fn page(&self, feed: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        let phase = from.map_or_else(|| Ok(self.start()), Phase::of)?;
        match phase {
            Phase::Track(at) => self.track(feed, at).await,
            Phase::Rows { token, at } => self.rows(feed, token, at).await,
            Phase::Settle(at) => self.settle(feed, at).await,
            Phase::Later(at) => self.later(feed, at).await,
            Phase::Series { token, at, all } => self.series(feed, token, at, all).await,
        }
    }

    fn start(&self) -> Phase {
        if self.known.untracked.load(Ordering::Relaxed) { self.every_row(None) } else { Phase::Track(ids(TRACKED)) }
    }

    fn every_row(&self, token: Option<Place>) -> Phase {
        Phase::Rows { token, at: self.first_row() }
    }

    fn first_row(&self) -> Place {
        Place::start(Walk::Plain, self.page_size)
    }

    fn listing(&self, family: Family) -> Listing<'_> {
        static PLAINLY: AtomicBool = AtomicBool::new(false);
        Listing { family, service: self.service, page_size: self.page_size, lanes: self.lanes, plainly: &PLAINLY }
    }

    /// A page of changes on the way to their end. It tells nothing that the rows do not tell better.
    async fn track(&self, feed: &Feed, at: Place) -> Result<Page, Fault> {
        match self.listing(EVENTS).read(feed, &at).await {
            Ok((_, next)) => Ok(Page { changes: Vec::new(), next: self.tracked(next, at.size)? }),
            Err(fault) if !may_be_its_own(&fault) => Err(fault),
            Err(fault) if at.size > FEW && fault.what != What::Unsupported => {
                tracing::debug!(code = fault.code, "fewer changes of events at once");
                let next = Phase::Track(Place { size: FEW, ..at });
                Ok(Page { changes: Vec::new(), next: Next::More(next.cursor()) })
            }
            Err(fault) => self.untracked(feed, &at, &fault).await,
        }
    }

    fn tracked(&self, next: Next, size: u32) -> Result<Next, Fault> {
        let phase = match next {
            Next::More(cursor) => Phase::Track(same_size(&cursor, size)?),
            Next::Done(cursor) => self.every_row(Some(same_size(&cursor, size)?)),
        };
        Ok(Next::More(phase.cursor()))
    }

    /// Changes cannot be had: everything is listed, now and in each round. Where the very first question was refused and
    /// the rows are not, it is the tenant's.
    async fn untracked(&self, feed: &Feed, at: &Place, fault: &Fault) -> Result<Page, Fault> {
        tracing::info!(code = fault.code, "changes of events cannot be had here: everything is listed in each round");
        let page = self.rows(feed, None, self.first_row()).await?;
        let of_the_tenant = at.at == At::Start && matches!(fault.what, What::Unsupported | What::Vanished);
        self.known.untracked.fetch_or(of_the_tenant, Ordering::Relaxed);
        Ok(page)
    }

    /// Single events. Of one page no row was skipped.
    async fn rows(&self, feed: &Feed, token: Option<Place>, at: Place) -> Result<Page, Fault> {
        let is_first = at.at == At::Start;
        let mut page = self.listing(EVENTS).page(feed, at).await?;
        page.changes.retain(|change| master_in(change).is_none());
        let next = match (page.next, token) {
            (Next::More(cursor), token) => Phase::Rows { token, at: Place::of(&cursor)? },
            (Next::Done(_), Some(token)) if !is_first => Phase::Settle(token),
            (Next::Done(_), token) => Phase::Series { token, at: self.first_row(), all: true },
        };
        Ok(Page { changes: page.changes, next: Next::More(next.cursor()) })
    }

    /// What changed while everything was listed.
    async fn settle(&self, feed: &Feed, at: Place) -> Result<Page, Fault> {
        let (rows, next) = self.read_changes(feed, &at).await?;
        if rows.iter().any(row::is_tombstone) {
            return Err(expired("events were deleted while their calendar was listed: it is listed once more"));
        }
        let next = match next {
            Next::More(cursor) => Phase::Settle(same_size(&cursor, at.size)?),
            Next::Done(cursor) => {
                Phase::Series { token: Some(same_size(&cursor, at.size)?), at: self.first_row(), all: true }
            }
        };
        let changes = self.listing(EVENTS).told(feed, &at, rows).await?;
        Ok(Page { changes: self.versioned(feed, changes).await?, next: Next::More(next.cursor()) })
    }

    async fn later(&self, feed: &Feed, at: Place) -> Result<Page, Fault> {
        let (rows, next) = self.read_changes(feed, &at).await?;
        let next = match next {
            Next::More(cursor) => Phase::Later(same_size(&cursor, at.size)?),
            Next::Done(cursor) => {
                Phase::Series { token: Some(same_size(&cursor, at.size)?), at: self.first_row(), all: false }
            }
        };
        let changes = self.listing(EVENTS).told(feed, &at, rows).await?;
        Ok(Page { changes: self.versioned(feed, changes).await?, next: Next::More(next.cursor()) })
    }

    /// Changes that cannot be had any more are learned by listing everything.
    async fn read_changes(&self, feed: &Feed, at: &Place) -> Result<Read, Fault> {
        let read = match self.listing(EVENTS).read(feed, at).await {
            Err(fault) if fault.what == What::Unreachable && at.size > FEW => {
                self.listing(EVENTS).read(feed, &Place { size: FEW, ..at.clone() }).await
            }
            other => other,
        };
        match read {
            Err(fault) if matches!(fault.what, What::Malformed | What::Full | What::Unsupported) => {
                Err(expired(&format!("changes of events cannot be had for now: {}", fault.sentence)))
            }
            other => other,
        }
    }

    /// The version of every series, whether delta told of it or not.
    async fn series(&self, feed: &Feed, token: Option<Place>, at: Place, all: bool) -> Result<Page, Fault> {
        let page = if all { self.listing(EVENTS).page(feed, at).await? } else { self.masters(feed, at).await? };
        let next = match (page.next, token) {
            (Next::More(cursor), token) => Next::More(Phase::Series { token, at: Place::of(&cursor)?, all }.cursor()),
            (Next::Done(_), Some(token)) => Next::Done(Phase::Later(token).cursor()),
            // The next round lists everything again.
            (Next::Done(end), None) => Next::Done(Phase::Rows { token: None, at: Place::of(&end)? }.cursor()),
        };
        let changes = page.changes.into_iter().filter(|change| master_in(change).is_some()).collect();
        Ok(Page { changes: self.versioned(feed, changes).await?, next })
    }

    /// Masters alone, or among all events where the service does not take the condition.
    async fn masters(&self, feed: &Feed, at: Place) -> Result<Page, Fault> {
        let unfiltered = || self.known.unfiltered.load(Ordering::Relaxed);
        if unfiltered() {
            return self.listing(EVENTS).page(feed, at).await;
        }
        match self.listing(MASTERS).page(feed, at.clone()).await {
            Err(fault) if fault.what == What::Unsupported && at.at == At::Start => {
                self.known.unfiltered.store(true, Ordering::Relaxed);
                self.listing(EVENTS).page(feed, at).await
            }
            other => other,
        }
    }

    /// The same changes, each series with the version of all that belongs to it.
    async fn versioned(&self, feed: &Feed, changes: Vec<Change>) -> Result<Vec<Change>, Fault> {
        let asked = stream::iter(changes).map(|change| self.with_version(feed, change));
        asked.buffered(self.lanes.max(1)).try_collect().await
    }

    async fn with_version(&self, feed: &Feed, change: Change) -> Result<Change, Fault> {
        if master_in(&change).is_none() {
            return Ok(change);
        }
        let Change::Listed(mut listed) = change else { return Ok(change) };
        let series = Series { service: self.service, known: self.known, user: feed.account.as_str() };
        match series.version(listed.id.as_str()).await {
            Ok(version) => listed.version = version,
            Err(fault) if fault.reach > Reach::Item => return Err(fault),
            Err(fault) if fault.what == What::Vanished => return Ok(Change::Gone(listed.id, Some(folder(feed)))),
            Err(fault) if matches!(fault.remedy, Remedy::Skip(_)) => {
                return Ok(Change::Refused(listed.id, Some(folder(feed)), fault));
            }
            Err(fault) => return Err(fault.reaching(Reach::Collection)),
        }
        Ok(Change::Listed(listed))
    }
}

/// Pages stay as small as they had to become.
fn same_size(cursor: &Cursor, size: u32) -> Result<Place, Fault> {
    Ok(Place { size, ..Place::of(cursor)? })
}

/// A walk through changes, of which only the ids are looked at.
fn ids(size: u32) -> Place {
    Place::start(Walk::DeltaIds, size)
}

/// Failures that a page of changes may owe to its size, to an event in it, or to not being served at all.
fn may_be_its_own(fault: &Fault) -> bool {
    let own =
        matches!(fault.what, What::Unsupported | What::Vanished | What::Full | What::Malformed | What::Unreachable);
    own && fault.reach < Reach::Run && crate::faults::no_mailbox(fault).is_none_or(|_| is_unserved(fault))
}

/// 404 `ResourceNotFound` is said of a mailbox and of an address alike.
fn is_unserved(fault: &Fault) -> bool {
    fault.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("ResourceNotFound"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Place {
        Place { fresh: false, at: At::Link(text.into()), ..ids(100) }
    }

    #[test]
    fn a_phase_survives_its_cursor() {
        let plain = Place::start(Walk::Plain, 500);
        let phases = [
            Phase::Track(ids(TRACKED)),
            Phase::Rows { token: None, at: plain.clone() },
            Phase::Rows { token: Some(at("/x?$deltatoken=1 2")), at: plain.clone() },
            Phase::Settle(at("/x?$deltatoken=1")),
            Phase::Later(at("/x?$deltatoken=1")),
            Phase::Series { token: Some(at("/x?$deltatoken=1")), at: plain.clone(), all: false },
            Phase::Series { token: None, at: plain, all: true },
        ];
        for phase in phases {
            assert_eq!(Phase::of(&phase.cursor()).unwrap(), phase);
        }
    }

    #[test]
    fn a_strange_cursor_means_starting_again() {
        for text in
            ["", "1 delta whole 500 start", "events 2 later\n\n1 delta-ids later 100 start", "events 1 later\n\nx"]
        {
            assert_eq!(Phase::of(&Cursor::new(text)).unwrap_err().what, What::CursorExpired, "{text}");
        }
    }

    #[test]
    fn only_what_a_calendar_may_owe_to_its_changes_lists_it_plainly() {
        let fault = |what: What, code: &str| Fault::new(what, "x").reaching(Reach::Account).code(code);
        assert!(may_be_its_own(&fault(What::Vanished, "ResourceNotFound")));
        assert!(may_be_its_own(&fault(What::Unreachable, "HTTP 503")));
        assert!(!may_be_its_own(&fault(What::Vanished, "MailboxNotEnabledForRESTAPI")));
        for what in [What::Throttled, What::Unauthenticated, What::Forbidden, What::CursorExpired, What::Interrupted] {
            assert!(!may_be_its_own(&fault(what, "x")), "{what:?}");
        }
    }
}
