use super::{Report, hold, said};
use crate::{
    Account, Change, Collection, CollectionId, Cursor, Feed, ItemId, ItemRef, Listed, Membership, Next, Source,
    Workload, memory::HeldOriginal,
};
use std::collections::{BTreeMap, BTreeSet};

/// Pages a round may have before the suite takes it for endless.
const PATIENCE: usize = 100_000;
/// How many originals of a mailbox are fetched.
const FETCHED: usize = 25;

type Outcome = Result<(), String>;

/// What one whole round of a feed told.
struct Round {
    listed: BTreeMap<ItemId, Listed>,
    done: Cursor,
    between: Option<Cursor>,
}

/// Runs the suite on one account's mail. It only reads, and expects nobody to change the account meanwhile.
pub async fn source(source: &dyn Source, account: &Account) -> Report {
    source_of(source, account, Workload::Mail).await
}

/// The same on another workload of the account.
pub async fn source_of(source: &dyn Source, account: &Account, workload: Workload) -> Report {
    let mut report = Report::default();
    let of = Of { source, account, workload };
    report.add("discovery_ends_and_tells_each_account_once", discovery(source, account).await);
    report.add("collections_come_parents_first_with_unique_ids", tree(of).await);
    report.add("a_round_from_the_start_ends_and_lists_each_item_in_its_collection", rounds(of).await);
    report.add("a_page_cursor_can_be_asked_again", resumed(of).await);
    report.add("a_later_round_without_changes_tells_nothing_new", quiet(of).await);
    report.add("every_listed_original_can_be_fetched_whole_or_is_refused_for_good", fetched(of).await);
    report
}

/// What is looked at.
#[derive(Clone, Copy)]
struct Of<'a> {
    source: &'a dyn Source,
    account: &'a Account,
    workload: Workload,
}

async fn discovery(source: &dyn Source, account: &Account) -> Outcome {
    let (mut seen, mut from) = (BTreeSet::new(), None);
    for _ in 0..PATIENCE {
        let page = source.accounts(from.as_ref()).await.map_err(said("accounts"))?;
        for found in page.accounts {
            hold(seen.insert(found.id.clone()), || format!("{:?} was told twice", found.id))?;
        }
        from = page.next;
        if from.is_none() {
            return hold(seen.contains(&account.id), || "the account under test was not discovered".into());
        }
    }
    Err("discovery did not end".into())
}

async fn collections(of: Of<'_>) -> Result<Vec<Collection>, String> {
    of.source.collections(of.account, of.workload).await.map_err(said("collections"))
}

async fn tree(of: Of<'_>) -> Outcome {
    let mut seen = BTreeSet::new();
    for collection in collections(of).await? {
        let orphan = collection.parent.as_ref().is_some_and(|parent| !seen.contains(parent));
        hold(!orphan, || format!("{:?} came before its parent", collection.id))?;
        hold(seen.insert(collection.id.clone()), || format!("{:?} came twice", collection.id))?;
    }
    hold(!seen.is_empty(), || "there is no collection at all".into())
}

async fn feeds(of: Of<'_>) -> Result<Vec<Feed>, String> {
    let collections = collections(of).await?;
    of.source.feeds(of.account, &collections).await.map_err(said("feeds"))
}

/// Walks a feed to the end of its round.
async fn walk(source: &dyn Source, feed: &Feed, from: Option<Cursor>) -> Result<Round, String> {
    let (mut listed, mut cursor, mut between) = (BTreeMap::new(), from, None);
    for _ in 0..PATIENCE {
        let page = source.changes(feed, cursor.as_ref()).await.map_err(said("changes"))?;
        for change in page.changes {
            match change {
                Change::Listed(row) => drop(listed.insert(row.id.clone(), *row)),
                Change::Gone(id, _) => drop(listed.remove(&id)),
                Change::Refused(..) => {}
            }
        }
        match page.next {
            Next::Done(done) => return Ok(Round { listed, done, between }),
            Next::More(more) => {
                between.get_or_insert_with(|| more.clone());
                cursor = Some(more);
            }
        }
    }
    Err(format!("the round of {:?} did not end", feed.id))
}

fn stands_in(listed: &Listed, collection: &CollectionId) -> bool {
    match &listed.membership {
        Membership::Full(all) => all.contains(collection),
        Membership::Joined(joined) => joined == collection,
        Membership::Left(_) => false,
    }
}

async fn rounds(of: Of<'_>) -> Outcome {
    let mut seen = BTreeSet::new();
    for feed in feeds(of).await? {
        let round = walk(of.source, &feed, None).await?;
        for (id, row) in &round.listed {
            let inside = feed.collection.as_ref().is_none_or(|collection| stands_in(row, collection));
            hold(inside, || format!("{id:?} is listed by a feed whose collection does not hold it"))?;
            hold(seen.insert(id.clone()), || format!("{id:?} stands in two feeds of one account"))?;
        }
    }
    hold(!seen.is_empty(), || "no item was listed: the suite needs an account that holds something".into())
}

async fn resumed(of: Of<'_>) -> Outcome {
    for feed in feeds(of).await? {
        let whole = walk(of.source, &feed, None).await?;
        let Some(between) = whole.between.clone() else { continue };
        let rest = walk(of.source, &feed, Some(between)).await?;
        let known = rest.listed.keys().all(|id| whole.listed.contains_key(id));
        hold(known, || format!("asked again, {:?} told items the first walk had not", feed.id))?;
    }
    Ok(())
}

async fn quiet(of: Of<'_>) -> Outcome {
    for feed in feeds(of).await? {
        let first = walk(of.source, &feed, None).await?;
        let later = walk(of.source, &feed, Some(first.done.clone())).await?;
        for (id, row) in &later.listed {
            let before = first.listed.get(id).map(|known| &known.version);
            hold(before == Some(&row.version), || format!("{id:?} is told as changed, and nobody changed it"))?;
        }
    }
    Ok(())
}

async fn fetched(of: Of<'_>) -> Outcome {
    for feed in feeds(of).await? {
        let round = walk(of.source, &feed, None).await?;
        for row in round.listed.into_values().take(FETCHED) {
            fetch(of, row).await?;
        }
    }
    Ok(())
}

async fn fetch(of: Of<'_>, row: Listed) -> Outcome {
    let item = ItemRef {
        account: of.account.clone(),
        workload: of.workload,
        id: row.id,
        version: row.version,
        facts: row.facts,
    };
    let mut original = HeldOriginal::default();
    match of.source.fetch(&item, &mut original).await {
        Ok(_) => {
            let whole = !original.parts.is_empty() && original.parts.iter().all(|held| held.whole);
            hold(whole, || format!("{:?} was fetched, but its parts are not whole", item.id))
        }
        Err(fault) => {
            let decided = matches!(fault.remedy, crate::Remedy::Skip(_));
            hold(decided, || format!("{:?} cannot be fetched: {fault}", item.id))
        }
    }
}
