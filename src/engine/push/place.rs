//! Placing what is ready: rendered, intended, sent, and written down, batch after batch. While one batch is on its way,
//! the next is prepared.

use super::{Push, routes::Route};
use crate::{
    engine::{
        Event, defect,
        rendering::{Made, ToRender, unkept},
    },
    store::{
        CollectionKey, Intending, ItemKey, Mark, Placement, PlacementKey, Resolution, Sending, Side, StoredBody,
        ToPlace,
    },
};
use futures::StreamExt;
use std::{collections::BTreeMap, sync::Arc};
use transhume_contract::{
    self as contract, Amended, Cause, Facts, Fault, IntentId, Loss, Outcome, Placed, Placing, Reach, Remedy, What,
};

/// Passes in which an item may be refused without a reason.
const REFUSALS: u64 = 3;
/// Batches in a row whose answer may be lost before the collection is left for later.
const LOST_ANSWERS: usize = 3;

/// A batch that is written down as intended.
pub(super) struct Prepared {
    pub placings: Vec<Placing>,
    pub sent: BTreeMap<IntentId, Sent>,
    after: Mark,
}

pub(super) struct Sent {
    pub item: ItemKey,
    bytes: u64,
    /// How often placing it failed before.
    attempts: u64,
}

/// An item with all that placing it takes.
pub(super) struct Ready {
    pub item: ToPlace,
    made: Made,
    facts: Facts,
    /// What the source wants of them, where people decided otherwise at the one it replaces.
    base: Option<Facts>,
    losses: Vec<Loss>,
    /// What stands there, whose place it takes.
    pub instead: Option<(PlacementKey, contract::Placement)>,
}

impl Push<'_> {
    pub(super) async fn place_collection(&self, from: CollectionKey) -> Result<(), Fault> {
        self.routes.heed_refusal(from).await?;
        let route = self.routes.route(from).await?;
        self.routes.touch(route.key).await;
        self.take_for_placed(from, &route).await?;
        let mut next = self.prepare(from, &route, None).await?;
        let mut lost_answers = 0;
        while let Some(batch) = next {
            // What is intended and not sent yet is found out to be so in the next run.
            self.engine.stop.check()?;
            let after = batch.after;
            let (placed, prepared) =
                tokio::join!(self.send(from, &route, batch), self.prepare(from, &route, Some(after)));
            lost_answers = if placed? { 0 } else { lost_answers + 1 };
            if lost_answers >= LOST_ANSWERS {
                return Ok(());
            }
            next = prepared?;
        }
        Ok(())
    }

    /// The next batch of a collection, rendered and intended; `None` when nothing is left.
    async fn prepare(
        &self,
        from: CollectionKey,
        route: &Route,
        mut after: Option<Mark>,
    ) -> Result<Option<Prepared>, Fault> {
        loop {
            self.engine.stop.check()?;
            let page = self.store.items_to_place(from, after, self.traits.batch.items.max(1)).await?;
            let page = within(page, self.traits.batch.bytes);
            let Some(last) = page.last().map(|item| item.mark) else { return Ok(None) };
            let ready = self.make_ready(page).await?;
            if !ready.is_empty() {
                return self.intend(route, ready, last).await.map(Some);
            }
            after = Some(last);
        }
    }

    /// Renders a page. What cannot be rendered, or is too large for the target, goes into quarantine.
    pub(super) async fn make_ready(&self, page: Vec<ToPlace>) -> Result<Vec<Ready>, Fault> {
        let of: Vec<_> = page.iter().map(ToRender::from).collect();
        let mut made = self.engine.renderings_of(self.store, self.workload, &self.audience, &of).await?;
        let mut ready = Vec::with_capacity(page.len());
        for item in page {
            let fault = match made.remove(&item.item) {
                Some(Ok(made)) => match self.too_large(made.stored.length) {
                    None => {
                        ready.push(self.with_facts(item, made));
                        continue;
                    }
                    Some(fault) => {
                        self.store.record_renderings(unkept([made])).await?;
                        fault
                    }
                },
                Some(Err(fault)) => fault,
                None => continue,
            };
            self.engine.set_back(self.store, item.item, Side::Target, Some(item.from), &fault).await?;
        }
        Ok(ready)
    }

    fn too_large(&self, length: u64) -> Option<Fault> {
        let limit = self.traits.max_item_bytes.filter(|limit| length > *limit)?;
        let sentence = format!("{length} bytes are more than the target accepts ({limit})");
        Some(Fault::new(What::TooLarge, sentence).skip(Cause::OverTargetLimit))
    }

    fn with_facts(&self, item: ToPlace, made: Made) -> Ready {
        let (facts, losses) = self.facts_of(&item.facts, None);
        Ready { item, made, facts, base: None, losses, instead: None }
    }

    pub(super) fn facts_of(&self, told: &Facts, standing: Option<&Placement>) -> (Facts, Vec<Loss>) {
        self.engine.facts_there(self.workload, &self.audience.profile, told, standing)
    }

    /// Writes down what is about to be sent: renderings made now and intents in one commit.
    pub(super) async fn intend(&self, route: &Route, ready: Vec<Ready>, after: Mark) -> Result<Prepared, Fault> {
        let bodies = self.bodies(&ready).await?;
        let (mut intending, mut rest) = (Vec::with_capacity(ready.len()), Vec::with_capacity(ready.len()));
        for Ready { item, made, facts, base, losses, instead } in ready {
            let ToPlace { item, from, revision, attempts, .. } = item;
            let (old, instead) = instead.unzip();
            let key = made.sending.natural_key().map(str::to_owned);
            rest.push((Sent { item, bytes: made.stored.length, attempts }, facts.clone(), key, instead));
            let (at, sending) = (route.key, made.sending);
            intending.push(Intending { item, from, at, sending, facts, base, revision, losses, instead: old });
        }
        let intents = self.intents(intending).await?;
        let (mut placings, mut sent) = (Vec::with_capacity(rest.len()), BTreeMap::new());
        for (((one, facts, key, instead), body), intent) in rest.into_iter().zip(bodies).zip(intents) {
            sent.insert(intent.clone(), one);
            placings.push(Placing { intent, facts, name: None, key, instead, body: Arc::new(body) });
        }
        Ok(Prepared { placings, sent, after })
    }

    /// The bytes of a batch, in its order; those not in reach yet in one read.
    async fn bodies(&self, ready: &[Ready]) -> Result<Vec<StoredBody>, Fault> {
        let missing = ready.iter().filter(|ready| ready.made.body.is_none());
        let missing: Vec<_> = missing.map(|ready| ready.made.stored.digest).collect();
        let loaded = match missing.is_empty() {
            true => Vec::new(),
            false => self.store.bodies(&missing).await?,
        };
        in_order(ready.iter().map(|ready| ready.made.body.clone()), loaded)
    }

    /// A rehearsal keeps what it rendered, and intends nothing.
    async fn intents(&self, intending: Vec<Intending>) -> Result<Vec<IntentId>, Fault> {
        if !self.engine.rehearsing {
            return self.store.intend(intending).await;
        }
        let names = intending.iter().map(|one| IntentId::new(format!("rehearsed {}", one.item.number()))).collect();
        let new = intending.into_iter().filter_map(|one| match one.sending {
            Sending::New(rendering) => Some(rendering),
            Sending::Kept(_) => None,
        });
        self.store.record_renderings(new.collect()).await?;
        Ok(names)
    }

    /// Sends a batch and writes down what came of it. False where the answer was lost: `find` will decide.
    async fn send(&self, from: CollectionKey, route: &Route, batch: Prepared) -> Result<bool, Fault> {
        let Prepared { placings, sent, .. } = batch;
        let answers = self.call(route, placings);
        let answers = tokio::select! {
            answers = answers => answers,
            () = self.engine.stop.waited() => return Ok(false),
        };
        self.write_down(from, &sent, answers).await
    }

    /// The target's answers, once it takes another call.
    pub(super) async fn call(&self, route: &Route, placings: Vec<Placing>) -> Vec<(IntentId, Result<Placed, Fault>)> {
        let _call = self.calls.acquire().await;
        self.target.place(&route.at, placings).collect().await
    }

    async fn write_down(
        &self,
        from: CollectionKey,
        sent: &BTreeMap<IntentId, Sent>,
        answers: Vec<(IntentId, Result<Placed, Fault>)>,
    ) -> Result<bool, Fault> {
        let (mut resolutions, mut known, mut far) = (Vec::new(), true, None::<Fault>);
        let (mut items, mut bytes) = (0, 0);
        for (intent, answer) in answers {
            let Some(one) = sent.get(&intent) else { continue };
            match answer {
                Ok(placed) => {
                    items += 1;
                    bytes += one.bytes;
                    resolutions.push(Resolution::Placed { intent, placed });
                }
                Err(fault) if fault.outcome == Outcome::Unknown => known = false,
                Err(fault) => {
                    let fault = at_last(fault, one.attempts);
                    if !self.withhold(one.item, &fault).await {
                        self.tell_refusal(one.item, &fault);
                    }
                    if far.as_ref().is_none_or(|worst| worst.reach < fault.reach) {
                        far = Some(fault.clone());
                    }
                    resolutions.push(Resolution::NotPlaced { intent, fault });
                }
            }
        }
        if !self.engine.rehearsing {
            self.store.resolve(resolutions).await?;
        }
        let (account, collection) = (self.account(), self.routes.name(from));
        self.engine.tell(Event::Placed { account, collection, items, bytes });
        match far {
            Some(fault) if fault.reach >= Reach::Collection => Err(fault),
            _ => Ok(known),
        }
    }

    pub(super) fn tell_refusal(&self, item: ItemKey, fault: &Fault) {
        if fault.reach == Reach::Item {
            let quarantined = matches!(fault.remedy, Remedy::Skip(_));
            let (account, item) = (self.account(), item.number().to_string());
            self.engine.tell(Event::Refused { account, item, quarantined, fault: fault.clone() });
        }
    }

    /// Places one item now, outside the order of its collection; with what stands at the one it replaces, if it shall
    /// look like that.
    pub(super) async fn place_one(&self, item: ToPlace, like: Option<&Amended>) -> Result<(), Fault> {
        let (from, mark) = (item.from, item.mark);
        let route = self.routes.route(from).await?;
        let mut ready = self.make_ready(vec![item]).await?;
        for (ready, like) in ready.iter_mut().zip(like) {
            ready.facts.apply(&like.facts.amendable());
            ready.base = (like.base != like.facts.amendable()).then(|| like.base.clone());
            let lost = like.losses.iter().filter(|loss| !ready.losses.contains(loss)).cloned().collect::<Vec<_>>();
            ready.losses.extend(lost);
        }
        if ready.is_empty() {
            return Ok(());
        }
        let batch = self.intend(&route, ready, mark).await?;
        self.send(from, &route, batch).await.map(|_| ())
    }
}

/// An item that the target refused by itself without a reason known to last is tried again in later passes; after so
/// many the item is taken to be at fault.
fn at_last(fault: Fault, attempts: u64) -> Fault {
    let unexplained = fault.what == What::Malformed && fault.reach == Reach::Item && fault.remedy == Remedy::Later;
    if unexplained && attempts + 1 >= REFUSALS { fault.skip(Cause::RefusedByTarget) } else { fault }
}

/// Fills the gaps of a batch, in its order. A gap left would send every later message under another's intent.
fn in_order(
    at_hand: impl Iterator<Item = Option<StoredBody>>,
    loaded: Vec<StoredBody>,
) -> Result<Vec<StoredBody>, Fault> {
    let mut loaded = loaded.into_iter();
    let missing = || defect("the store gave fewer bodies than were asked for");
    at_hand.map(|body| body.or_else(|| loaded.next()).ok_or_else(missing)).collect()
}

/// As many items from the front as fit into a batch, but always one.
pub(super) fn within(mut page: Vec<ToPlace>, bytes: u64) -> Vec<ToPlace> {
    page.truncate(fitting(&page, |item| item.bytes, bytes));
    page
}

/// How many of the first fit into so many bytes: at least one.
pub(super) fn fitting<T>(page: &[T], length: impl Fn(&T) -> u64, bytes: u64) -> usize {
    let mut sum = 0;
    let fitting = page.iter().take_while(|item| {
        sum += length(item);
        sum <= bytes
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn body(text: &'static str) -> StoredBody {
        StoredBody::of(text.as_bytes().into())
    }

    #[test]
    fn a_body_that_is_missing_moves_no_other_to_its_place() {
        let digests = |bodies: Vec<StoredBody>| bodies.iter().map(|body| body.stored().digest).collect::<Vec<_>>();
        let at_hand = || [None, Some(body("b")), None].into_iter();
        let whole = in_order(at_hand(), vec![body("a"), body("c")]).unwrap();
        assert_eq!(digests(whole), digests(vec![body("a"), body("b"), body("c")]));
        assert!(in_order(at_hand(), vec![body("a")]).is_err());
    }
}
