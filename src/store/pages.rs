//! A page of a listing becomes rows, and its cursor with them, in one commit: the cursor certifies the listing.

use super::{
    account::AccountStore,
    collections::{self, Pass},
    faults::{Trouble, broken},
    feeds::{self, FeedRow, Listing},
    items::{self, Taken},
    memberships::{self, Seen},
    rows::{CollectionKey, ItemKey, RunId, Side},
    setbacks::{self, Whose},
};
use rusqlite::Connection;
use transhume_contract::{Change, CollectionId, Cursor, Fault, Feed, ItemId, Listed, Membership, Next, Page};

/// What a page brought, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub new: u64,
    /// Items known before whose version or facts changed.
    pub changed: u64,
    /// Rows that said an item left a collection, or the account.
    pub left: u64,
    pub refused: u64,
    /// `None`: the round is finished.
    pub next: Option<Listing>,
}

impl AccountStore {
    /// Keeps a page and its cursor in one commit. Rows are patches: several of one id count one after the other. At the
    /// end of a round from the start, what the round did not see has left.
    pub async fn commit_page(
        &self,
        pass: Pass,
        feed: &Feed,
        listing: &Listing,
        page: Page,
    ) -> Result<Committed, Fault> {
        let (feed, listing, run) = (feed.clone(), listing.clone(), self.inner.run);
        self.write(move |db| take_page(db, run, pass, &feed, &listing, &page)).await
    }
}

fn take_page(
    db: &Connection,
    run: Option<RunId>,
    pass: Pass,
    feed: &Feed,
    listing: &Listing,
    page: &Page,
) -> Result<Committed, Trouble> {
    collections::must_be_latest(db, pass)?;
    let row = feeds::row_of(db, pass, &feed.id)?;
    must_go_on(&row, listing)?;
    let seen = Seen { feed: row.key, round: row.round };
    let mut sums = Committed { new: 0, changed: 0, left: 0, refused: 0, next: None };
    let taking = Taking { db, run, pass, feed, seen };
    page.changes.iter().try_for_each(|change| taking.take(change, &mut sums))?;
    sums.next = advance(db, pass, feed, &row, &page.next)?;
    Ok(sums)
}

/// A page is kept once, and only after the page before it.
fn must_go_on(row: &FeedRow, listing: &Listing) -> Result<(), Trouble> {
    let from = listing.from.as_ref().map(Cursor::as_str);
    let same_round = i64::try_from(listing.round) == Ok(row.round) && !row.finished;
    if same_round && from == row.cursor.as_deref() {
        return Ok(());
    }
    Err(broken("a page does not follow the one that was kept last").into())
}

struct Taking<'a> {
    db: &'a Connection,
    run: Option<RunId>,
    pass: Pass,
    feed: &'a Feed,
    seen: Seen,
}

impl Taking<'_> {
    fn take(&self, change: &Change, sums: &mut Committed) -> Result<(), Trouble> {
        match change {
            Change::Listed(listed) => self.take_listed(listed, sums),
            Change::Gone(id, collection) => {
                sums.left += 1;
                self.take_gone(id, collection.as_ref())
            }
            Change::Refused(id, collection, fault) => {
                sums.refused += 1;
                self.take_refused(id, collection.as_ref(), fault)
            }
        }
    }

    fn take_listed(&self, listed: &Listed, sums: &mut Committed) -> Result<(), Trouble> {
        let (item, taken) = items::keep_listed(self.db, self.pass.workload, listed)?;
        match taken {
            Taken::New => sums.new += 1,
            Taken::Changed => sums.changed += 1,
            Taken::Same => {}
        }
        match &listed.membership {
            Membership::Full(collections) => self.stand_in(item, collections),
            Membership::Joined(collection) => self.join(item, collection),
            Membership::Left(collection) => {
                sums.left += 1;
                memberships::leave(self.db, item, self.key_of(collection)?)
            }
        }
    }

    fn key_of(&self, collection: &CollectionId) -> Result<CollectionKey, Trouble> {
        collections::key_of(self.db, self.pass, self.feed, collection)
    }

    fn join(&self, item: ItemKey, collection: &CollectionId) -> Result<(), Trouble> {
        memberships::join(self.db, item, self.key_of(collection)?, self.seen)
    }

    fn stand_in(&self, item: ItemKey, collections: &[CollectionId]) -> Result<(), Trouble> {
        let keys: Vec<_> = collections.iter().map(|id| self.key_of(id)).collect::<Result<_, _>>()?;
        memberships::leave_others(self.db, item, &keys)?;
        if keys.is_empty() {
            memberships::loosen(self.db, item)?;
        }
        keys.into_iter().try_for_each(|key| memberships::join(self.db, item, key, self.seen))
    }

    /// Of an item that was never listed, nothing is known that could leave.
    fn take_gone(&self, id: &ItemId, collection: Option<&CollectionId>) -> Result<(), Trouble> {
        let Some(item) = items::key_of(self.db, self.pass.workload, id)? else { return Ok(()) };
        match collection {
            Some(collection) => memberships::leave(self.db, item, self.key_of(collection)?),
            None => self.stand_in(item, &[]),
        }
    }

    fn take_refused(&self, id: &ItemId, collection: Option<&CollectionId>, fault: &Fault) -> Result<(), Trouble> {
        let item = items::keep_refused(self.db, self.pass.workload, id)?;
        if let Some(collection) = collection {
            self.join(item, collection)?;
        }
        setbacks::keep(self.db, self.run, &Whose { item, side: Side::Source, from: None }, fault)?;
        Ok(())
    }
}

fn advance(db: &Connection, pass: Pass, feed: &Feed, row: &FeedRow, next: &Next) -> Result<Option<Listing>, Trouble> {
    match next {
        Next::More(cursor) => {
            let sql = "UPDATE feed SET cursor = ?2 WHERE key = ?1";
            db.prepare_cached(sql)?.execute((row.key, cursor.as_str()))?;
            let round = u64::try_from(row.round).unwrap_or_default();
            Ok(Some(Listing { from: Some(cursor.clone()), round, full: row.full }))
        }
        Next::Done(cursor) => {
            if row.full {
                let collection = feed.collection.as_ref().map(|id| collections::key_of(db, pass, feed, id));
                memberships::leave_unseen(db, Seen { feed: row.key, round: row.round }, collection.transpose()?)?;
            }
            let sql = "UPDATE feed SET cursor = ?2, finished = 1, finished_pass = ?3 WHERE key = ?1";
            db.prepare_cached(sql)?.execute((row.key, cursor.as_str(), pass.number))?;
            Ok(None)
        }
    }
}
