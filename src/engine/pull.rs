//! Pulling: originals of listed items, newest first, as many at once as the source has lanes.

use super::{
    Engine, Event, Phase,
    rescue::{DECRYPT_FIRST, RIGHTS_PROTECTED},
};
use crate::store::{AccountStore, CollectionKey, ItemKey, Side, Standing, ToFetch};
use futures::{Stream, TryStreamExt, stream};
use transhume_contract::{Fault, ItemRef, Loss, Reach, What, Workload};

/// Items asked of the store at once.
const PAGE: usize = 500;
/// Originals under way for each lane of the source. The source keeps to its lanes by itself; while originals wait to be
/// durable, the lanes they left carry others. A commit may take as long as two answers of the source.
const PER_LANE: usize = 4;

impl Engine {
    /// Fetches every original that is wanted and not refused in this run, at most `most` of them. Answers how many were
    /// no longer there.
    pub(super) async fn pull(
        &self,
        store: &AccountStore,
        workload: Workload,
        most: Option<usize>,
    ) -> Result<u64, Fault> {
        let account = store.account().address.clone();
        self.tell(Event::Started { account: account.clone(), phase: Phase::Pull });
        self.expect_bodies(store, workload, most).await?;
        let within = collections_of(store, workload).await?;
        let wanted = self.wanted(store, workload, &within, most);
        let fetching = wanted.map_ok(|item| self.fetch(store, workload, item));
        let fetching = fetching.try_buffer_unordered(self.lanes.bodies * PER_LANE);
        let counted = fetching.try_fold(0, |vanished, gone| async move { Ok(vanished + u64::from(gone)) });
        // An original counts only when it is complete, so what is under way can be dropped at any moment.
        let vanished = self.stop.unless(counted).await?;
        self.tell(Event::Finished { account, phase: Phase::Pull });
        Ok(vanished)
    }

    /// The items to fetch, asked of the store a page at a time while those of the page before are still under way.
    fn wanted<'a>(
        &'a self,
        store: &'a AccountStore,
        workload: Workload,
        within: &'a [CollectionKey],
        most: Option<usize>,
    ) -> impl Stream<Item = Result<ToFetch, Fault>> + 'a {
        let start = (None, most.unwrap_or(usize::MAX));
        let pages = stream::try_unfold(start, move |(after, left)| async move {
            let page = store.items_to_fetch(workload, within, after, PAGE.min(left)).await?;
            let next = (page.last().map(|item| item.mark), left - page.len());
            Ok::<_, Fault>((!page.is_empty()).then(|| (stream::iter(page.into_iter().map(Ok)), next)))
        });
        pages.try_flatten()
    }

    async fn expect_bodies(&self, store: &AccountStore, workload: Workload, most: Option<usize>) -> Result<(), Fault> {
        let to_fetch = store.to_fetch(workload).await?;
        let wanted = to_fetch.items.min(most.map_or(u64::MAX, |most| most as u64));
        let (account, bytes) = (store.account().address.clone(), to_fetch.bytes);
        self.tell(Event::Expected { account, phase: Phase::Pull, items: wanted, bytes });
        Ok(())
    }

    /// What the listing told to be protected is named before anything is fetched: only its owner can rescue it, and only
    /// while the source still lives.
    pub(super) async fn tell_protected(&self, store: &AccountStore, workload: Workload) -> Result<(), Fault> {
        let items = store.count_protected(workload).await?;
        if items > 0 {
            let account = store.account().address.clone();
            self.tell(Event::Protected { account, items, rescue: DECRYPT_FIRST.into() });
        }
        Ok(())
    }

    /// Fetches one original, and answers whether it was no longer there. A fault of the item is written down and told;
    /// one that reaches further is returned.
    async fn fetch(&self, store: &AccountStore, workload: Workload, item: ToFetch) -> Result<bool, Fault> {
        let key = item.key;
        let fault = match self.fetch_into(store, workload, &item).await {
            Ok(()) => return Ok(false),
            Err(fault) => fault,
        };
        if matches!(fault.what, What::Interrupted | What::StoreBroken) || fault.reach >= Reach::Account {
            return Err(fault);
        }
        self.set_back(store, key, Side::Source, None, &fault).await?;
        Ok(fault.what == What::Vanished)
    }

    async fn fetch_into(&self, store: &AccountStore, workload: Workload, item: &ToFetch) -> Result<(), Fault> {
        let asked = ItemRef {
            account: store.account().clone(),
            workload,
            id: item.id.clone(),
            version: item.version.clone(),
            facts: item.facts.clone(),
        };
        let mut sink = store.original_sink(item.key, &item.version).await?;
        let patch = self.source.fetch(&asked, &mut sink).await?;
        let completed = sink.complete(&patch).await?;
        let account = asked.account.address;
        if patch.protected == Some(true) && asked.facts.protected != Some(true) {
            let loss = Loss::new(RIGHTS_PROTECTED, DECRYPT_FIRST);
            self.tell(Event::Lost { account: account.clone(), item: item.id.as_str().into(), loss });
        }
        self.tell(Event::Fetched { account, items: 1, bytes: completed.bytes });
        Ok(())
    }

    /// Writes down why an item is not done: owed, or in quarantine for good.
    pub(super) async fn set_back(
        &self,
        store: &AccountStore,
        item: ItemKey,
        side: Side,
        from: Option<CollectionKey>,
        fault: &Fault,
    ) -> Result<(), Fault> {
        let standing = store.record_fault(item, side, from, fault).await?;
        let quarantined = matches!(standing, Standing::Quarantined(_));
        let account = store.account().address.clone();
        self.tell(Event::Refused { account, item: item.number().to_string(), quarantined, fault: fault.clone() });
        Ok(())
    }
}

/// Everything that was ever listed is pulled, whatever the policy pushes.
async fn collections_of(store: &AccountStore, workload: Workload) -> Result<Vec<CollectionKey>, Fault> {
    Ok(store.collections(workload).await?.into_iter().map(|row| row.key).collect())
}
