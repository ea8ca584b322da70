//! Listing: every feed of an account drained to the end of its round, page by page, each page kept with its cursor.

use super::{Engine, Event, Phase, well_known::known_by_name};
use crate::store::{AccountStore, CollectionKey, Listing, Pass, Side};
use futures::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Account, AccountKind, Collection, CollectionId, Fault, Feed, Reach, Role, What, Workload};

/// Fresh starts of one round before its cursor is taken for a defect.
const RESTARTS: usize = 3;

impl Engine {
    /// Lists a workload of an account. What could not be listed is told and waits for the next pass; while anything
    /// waits, nothing is taken for gone.
    pub(super) async fn list(&self, store: &AccountStore, workload: Workload) -> Result<(), Fault> {
        let account = store.account().clone();
        self.tell(Event::Started { account: account.address.clone(), phase: Phase::List });
        let pass = store.begin_pass(workload).await?;
        let met = self.collections(store, workload).await?;
        let feeds = self.stop.unless(self.source.feeds(&account, &met)).await?;
        let collections = known_by_name(met, |one| self.render.well_known(workload, &one.name));
        store.record_collections(pass, collections.clone()).await?;
        store.record_feeds(pass, feeds.clone()).await?;
        self.drain_all(store, pass, &feeds, &collections).await?;
        self.refuse_implausible_emptiness(store, workload, &collections).await?;
        let settled = store.settle_round(pass).await?;
        if !settled.waiting.is_empty() {
            let waiting = settled.waiting.len();
            let sentence = format!(
                "{}s that could not be listed to the end: {waiting}; moves and deletions wait for them",
                workload.collection()
            );
            self.tell(Event::Note { account: Some(account.address.clone()), sentence });
        }
        self.tell(Event::Finished { account: account.address, phase: Phase::List });
        Ok(())
    }

    /// The collections of an account. A tree is walked while people move its folders, so what a walk did not meet is
    /// gone only when a second one does not meet it either.
    async fn collections(&self, store: &AccountStore, workload: Workload) -> Result<Vec<Collection>, Fault> {
        let account = store.account();
        let known: BTreeSet<_> = store
            .collections(workload)
            .await?
            .into_iter()
            .filter(|row| !row.gone)
            .map(|row| row.collection.id)
            .collect();
        let mut met = self.stop.unless(self.source.collections(account, workload)).await?;
        if missed(&known, &met) > 0 {
            let first = std::mem::take(&mut met);
            met = self.stop.unless(self.source.collections(account, workload)).await?;
            let again: BTreeSet<_> = met.iter().map(|collection| collection.id.clone()).collect();
            met.extend(first.into_iter().filter(|collection| !again.contains(&collection.id)));
        }
        if !known.is_empty() && missed(&known, &met) == known.len() {
            return Err(another_mailbox(known.len(), workload));
        }
        Ok(met)
    }

    /// Drains feeds side by side. A fault that reaches no further than one of them stops only that one.
    async fn drain_all(
        &self,
        store: &AccountStore,
        pass: Pass,
        feeds: &[Feed],
        collections: &[Collection],
    ) -> Result<(), Fault> {
        let drained =
            stream::iter(feeds).map(|feed| async move { (feed, self.drain(store, pass, feed, collections).await) });
        let mut drained = drained.buffer_unordered(self.lanes.bodies);
        let mut refused = BTreeMap::new();
        while let Some((feed, outcome)) = drained.next().await {
            let Err(fault) = outcome else { continue };
            if fault.reach >= Reach::Account {
                return Err(fault);
            }
            let (account, item) = (store.account().address.clone(), name_of(feed, collections));
            refused.extend(feed.collection.clone().map(|collection| (collection, fault.clone())));
            self.tell(Event::Refused { account, item, quarantined: false, fault });
        }
        self.keep_refused(store, pass.workload, &refused).await
    }

    /// Keeps which collections could not be listed to their end, and why; those of earlier passes that could now are
    /// forgiven.
    async fn keep_refused(
        &self,
        store: &AccountStore,
        workload: Workload,
        refused: &BTreeMap<CollectionId, Fault>,
    ) -> Result<(), Fault> {
        let mut keys = BTreeSet::<CollectionKey>::new();
        for row in store.collections(workload).await? {
            if let Some(fault) = refused.get(&row.collection.id) {
                store.record_refused(row.key, Side::Source, fault).await?;
                keys.insert(row.key);
            }
        }
        store.forgive_collections(workload, Side::Source, keys).await
    }

    async fn drain(
        &self,
        store: &AccountStore,
        pass: Pass,
        feed: &Feed,
        collections: &[Collection],
    ) -> Result<(), Fault> {
        let mut restarts = 0;
        let mut at = store.resume_feed(pass, feed).await?;
        while let Some(listing) = at {
            at = match self.stop.unless(self.source.changes(feed, listing.from.as_ref())).await {
                Ok(page) => self.keep(store, pass, feed, &listing, page, collections).await?,
                Err(fault) if fault.what == What::CursorExpired && restarts < RESTARTS => {
                    restarts += 1;
                    Some(store.restart_feed(pass, feed).await?)
                }
                Err(fault) => return Err(fault),
            };
        }
        Ok(())
    }

    async fn keep(
        &self,
        store: &AccountStore,
        pass: Pass,
        feed: &Feed,
        listing: &Listing,
        page: transhume_contract::Page,
        collections: &[Collection],
    ) -> Result<Option<Listing>, Fault> {
        let committed = store.commit_page(pass, feed, listing, page).await?;
        let (account, collection) = (store.account().address.clone(), name_of(feed, collections));
        let items = committed.new + committed.changed + committed.left;
        if items > 0 {
            self.tell(Event::Listed { account, workload: feed.workload, collection, items });
        }
        Ok(committed.next)
    }

    /// A mailbox whose folders say that they hold mail and that lists none is never taken for an empty one, and nothing
    /// in it for gone.
    async fn refuse_implausible_emptiness(
        &self,
        store: &AccountStore,
        workload: Workload,
        collections: &[Collection],
    ) -> Result<(), Fault> {
        // What the service counts in its own folders (contacts, calendars) is no mail.
        let holding_mail = collections.iter().filter(|collection| collection.role != Role::Internal);
        let items: u64 = holding_mail.filter_map(|collection| collection.expected.items).sum();
        if items == 0 || lists_something(store, workload).await? {
            return Ok(());
        }
        let sentence =
            format!("the source says this account holds {items} items of {workload}, but lists none of them");
        let step = "Check the application's permissions and any access policy on this mailbox, then run again.";
        Err(Fault::new(What::Malformed, sentence).reaching(Reach::Account).ask(step))
    }

    /// After a listing that came through: what to look at where discovery told of much data and nothing is listed. It
    /// stops nothing, since its figures are of another day, and of more than this workload.
    pub(super) async fn doubtful_emptiness(
        &self,
        store: &AccountStore,
        workload: Workload,
    ) -> Result<Option<String>, Fault> {
        let Some(bytes) = reported(store.account(), workload) else { return Ok(None) };
        if lists_something(store, workload).await? {
            return Ok(None);
        }
        let megabytes = bytes / 1_000_000;
        Ok(Some(format!(
            "no item of {workload} is listed, but the source reported {megabytes} MB for this account when it was \
             surveyed. Such a report lags up to two days, and counts calendars, contacts and what is attached to them: a \
             mailbox emptied lately, or used as a calendar only, needs nothing. If people have {workload} in it, check \
             the application's permissions and any access policy on this mailbox, then run again"
        )))
    }

    pub(super) async fn tell_doubtful_emptiness(&self, store: &AccountStore, workload: Workload) -> Result<(), Fault> {
        if let Some(sentence) = self.doubtful_emptiness(store, workload).await? {
            self.tell(Event::Note { account: Some(store.account().address.clone()), sentence });
        }
        Ok(())
    }
}

/// How many known collections are not among those met.
fn missed(known: &BTreeSet<CollectionId>, met: &[Collection]) -> usize {
    let met: BTreeSet<_> = met.iter().map(|collection| &collection.id).collect();
    known.iter().filter(|id| !met.contains(id)).count()
}

/// Nobody can delete an inbox: where nothing is left of all collections, it is the answer that is wrong, or the account
/// that was made anew.
fn another_mailbox(known: usize, workload: Workload) -> Fault {
    let sentence = format!(
        "the source lists none of the {known} collections of {workload} that this account had: it answers nothing for now, \
         or the account was made anew"
    );
    let step = "Nothing is taken for gone. Look at the account there, and run again once it shows what it held. If it was \
        made anew, move it with a project of its own; what was pulled of the former one is kept in this store.";
    Fault::new(What::Malformed, sentence).reaching(Reach::Account).ask(step)
}

async fn lists_something(store: &AccountStore, workload: Workload) -> Result<bool, Fault> {
    let totals = store.collection_totals(workload).await?;
    Ok(totals.iter().any(|of_one| of_one.stages.listed().items > 0))
}

/// More than the calendar and the contacts of one person, which a provider may count with their mail.
const MORE_THAN_A_CALENDAR: u64 = 200_000_000;

/// The bytes that discovery told of a person's data, where there are too many for everything else a provider may count
/// among it. Rooms have calendars that grow for years, and no mail.
fn reported(account: &Account, workload: Workload) -> Option<u64> {
    let (.., size) = account.workloads.iter().find(|(known, ..)| *known == workload)?;
    let is_booked = matches!(account.kind, AccountKind::Room | AccountKind::Equipment);
    size.bytes.filter(|bytes| *bytes > MORE_THAN_A_CALENDAR && !is_booked)
}

/// What people call a feed.
fn name_of(feed: &Feed, collections: &[Collection]) -> String {
    let held = collections.iter().find(|collection| Some(&collection.id) == feed.collection.as_ref());
    held.map_or_else(|| feed.workload.to_string(), |collection| collection.name.clone())
}
