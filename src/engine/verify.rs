//! Verification: what stands at the target against what was rendered, and what was rendered against the original. It
//! changes nothing at either side.

use super::{
    Engine, Event, Kind, Mover, Phase,
    rendering::{Audience, Loaded, blocking_reader},
};
use crate::store::{AccountStore, NewVerdict, OriginalKey, Placement, Project, Subject, TargetKey};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use transhume_contract::{Collection, Depth, Facts, Fault, Observed, Reach, What, Workload};

/// Placements compared at once.
const PAGE: usize = 200;

/// What comparing an account came to.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    pub address: String,
    pub compared: u64,
    pub differences: u64,
    /// Stands at the target and is not ours: mail that arrived there, or was there before.
    pub others: u64,
    /// Why it could not be compared to the end.
    pub fault: Option<Fault>,
}

/// One collection under comparison.
struct Comparison<'a> {
    engine: &'a Engine,
    store: &'a AccountStore,
    workload: Workload,
    key: TargetKey,
    at: &'a Collection,
    depth: Depth,
    audience: Option<Audience>,
}

impl Engine {
    /// Compares every mover's placements with what stands there.
    pub async fn verify(&self, project: &Project, movers: &[Mover], depth: Depth) -> Result<Vec<Compared>, Fault> {
        let comparing = stream::iter(movers).map(|mover| self.verify_account(project, mover, depth));
        comparing.buffered(self.lanes.accounts).try_collect().await
    }

    async fn verify_account(&self, project: &Project, mover: &Mover, depth: Depth) -> Result<Compared, Fault> {
        let account = mover.address().to_owned();
        self.tell(Event::Started { account: account.clone(), phase: Phase::Verify });
        let mut sum = Compared { address: account.clone(), ..Compared::default() };
        let store = project.open_account(&mover.row.account.id).await?;
        for workload in self.workloads() {
            match self.verify_workload(&store, mover, workload, depth, &mut sum).await {
                Ok(()) => {}
                Err(fault) if fault.reach == Reach::Run || fault.what == What::Interrupted => return Err(fault),
                Err(fault) => {
                    self.tell(Event::Stopped { account: account.clone(), fault: fault.clone() });
                    sum.fault = Some(fault);
                }
            }
        }
        self.tell(Event::Finished { account, phase: Phase::Verify });
        Ok(sum)
    }

    async fn verify_workload(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        depth: Depth,
        sum: &mut Compared,
    ) -> Result<(), Fault> {
        let placed = store.totals(workload).await?.placed;
        let (account, phase) = (sum.address.clone(), Phase::Verify);
        self.tell(Event::Expected { account, phase, items: placed.items, bytes: placed.bytes });
        let traits = self.target(workload)?.traits(&mover.target).await?;
        let audience = if depth == Depth::Content { Some(Audience::of(traits.profile)?) } else { None };
        for (key, at) in store.target_collections(workload).await? {
            let audience = audience.clone();
            let comparison = Comparison { engine: self, store, workload, key, at: &at, depth, audience };
            comparison.compare(sum).await?;
        }
        Ok(())
    }
}

impl Comparison<'_> {
    async fn compare(&self, sum: &mut Compared) -> Result<(), Fault> {
        self.store.begin_comparison(self.key).await?;
        let target = self.engine.target(self.workload)?;
        let mut seen = target.observe(self.at, self.depth).chunks(PAGE);
        while let Some(page) = seen.next().await {
            self.engine.stop.check()?;
            let page: Result<Vec<Observed>, Fault> = page.into_iter().collect();
            match page {
                Ok(page) => self.judge_page(page, sum).await?,
                // The whole collection is gone: everything in it is missing.
                Err(fault) if fault.what == What::Vanished => break,
                Err(fault) => return Err(fault),
            }
        }
        self.find_missing(sum).await
    }

    async fn judge_page(&self, page: Vec<Observed>, sum: &mut Compared) -> Result<(), Fault> {
        let handles = page.iter().map(|observed| observed.handle.clone()).collect();
        let ours = self.store.placements_by_handle(self.key, handles).await?;
        let unfaithful = self.unfaithful(&ours).await?;
        let ours: BTreeMap<_, _> =
            ours.iter().filter_map(|placement| Some((placement.handle.clone()?, placement))).collect();
        let mut verdicts = Vec::with_capacity(page.len());
        for observed in &page {
            match ours.get(&observed.handle) {
                Some(placement) => {
                    let said = unfaithful.get(&placement.original).map_or(&[][..], Vec::as_slice);
                    verdicts.push(self.verdict(placement, judge(placement, observed, said)));
                }
                None => sum.others += 1,
            }
        }
        self.keep(verdicts, sum).await
    }

    async fn keep(&self, verdicts: Vec<NewVerdict>, sum: &mut Compared) -> Result<(), Fault> {
        let items = verdicts.len() as u64;
        let differences = verdicts.iter().filter(|verdict| !super::is_fine(&verdict.kind)).count() as u64;
        self.store.record_verdicts(verdicts).await?;
        sum.compared += items;
        sum.differences += differences;
        self.engine.tell(Event::Verified { account: sum.address.clone(), items, differences });
        Ok(())
    }

    fn verdict(&self, placement: &Placement, (kind, detail): (Kind, serde_json::Value)) -> NewVerdict {
        let subject = Subject::Placement(placement.key);
        NewVerdict { workload: self.workload, subject, depth: self.depth, kind: kind.name().into(), detail }
    }

    /// What was placed and not seen is missing.
    async fn find_missing(&self, sum: &mut Compared) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let page = self.store.placements_without_verdict(self.key, after, PAGE).await?;
            let Some(last) = page.last().copied() else { return Ok(()) };
            let missing = page.into_iter().map(|key| NewVerdict {
                workload: self.workload,
                subject: Subject::Placement(key),
                depth: self.depth,
                kind: Kind::Missing.name().into(),
                detail: json!({ "at": self.at.name }),
            });
            self.keep(missing.collect(), sum).await?;
            after = Some(last);
        }
    }

    /// Renderings that say something else than their original beyond their losses, by original. Only asked at depth
    /// `content`, and only of those whose bytes differ from the original's.
    async fn unfaithful(&self, ours: &[Placement]) -> Result<BTreeMap<OriginalKey, Vec<String>>, Fault> {
        let Some(audience) = &self.audience else { return Ok(BTreeMap::new()) };
        let (edition, tables) = (self.engine.render.edition(self.workload), self.engine.render.tables());
        let originals: Vec<_> = ours.iter().map(|placement| placement.original).collect();
        let renderings = self.store.renderings(originals.clone(), edition, tables, audience.digest).await?;
        let loaded = self.store.load_originals(originals).await?;
        let by_key: BTreeMap<_, _> =
            loaded.into_iter().map(|(original, bodies)| (original.key, (original, bodies))).collect();
        let mut found = BTreeMap::new();
        for rendering in renderings {
            let Some((original, bodies)) = by_key.get(&rendering.original) else { continue };
            if original.parts.iter().any(|part| part.digest == rendering.stored.digest) {
                continue;
            }
            let loaded = Loaded::new(rendering.item, original.clone(), bodies.clone());
            let said = self.compare_meaning(loaded, &rendering).await?;
            found.insert(rendering.original, said);
        }
        Ok(found)
    }

    async fn compare_meaning(&self, loaded: Loaded, rendering: &crate::store::Rendering) -> Result<Vec<String>, Fault> {
        let body = self.store.body(&rendering.stored.digest).await?;
        let (meaning, workload, losses) = (Arc::clone(&self.engine.meaning), self.workload, rendering.losses.clone());
        let handle = tokio::runtime::Handle::current();
        let work = move || {
            let mut reader = blocking_reader(&body, &handle)?;
            meaning.differences(workload, &loaded, &mut *reader, &losses)
        };
        let broken = |error: std::io::Error| {
            Fault::new(What::StoreBroken, format!("an original could not be read: {error}")).reaching(Reach::Account)
        };
        let cut_short = |_| super::defect("a comparison was cut short");
        tokio::task::spawn_blocking(work).await.map_err(cut_short)?.map_err(broken)
    }
}

/// Judges one placement by what was seen of it.
fn judge(placement: &Placement, seen: &Observed, unfaithful: &[String]) -> (Kind, serde_json::Value) {
    let expected = placement.stored;
    if seen.digest.is_some_and(|digest| digest != expected.digest)
        || seen.length.is_some_and(|length| length != expected.length)
    {
        let detail = json!({ "expected_bytes": expected.length, "seen_bytes": seen.length,
            "expected_hash": expected.digest, "seen_hash": seen.digest });
        return (Kind::Altered, detail);
    }
    if !unfaithful.is_empty() {
        return (Kind::Unfaithful, json!({ "differences": unfaithful }));
    }
    let dates = [placement.facts.received, seen.facts.received].map(|date| date.map(|date| date.as_second()));
    if let [Some(expected), Some(found)] = dates
        && expected != found
    {
        return (Kind::Redated, json!({ "expected": placement.facts.received, "seen": seen.facts.received }));
    }
    match flags_differing(&placement.facts, &seen.facts) {
        differing if differing.is_empty() => (Kind::Ok, json!({})),
        differing => (Kind::Reflagged, json!({ "differing": differing })),
    }
}

/// Fields of the flags that both sides tell, and tell differently.
fn flags_differing(expected: &Facts, seen: &Facts) -> Vec<&'static str> {
    let sorted = |facts: &Facts| {
        facts.categories.clone().map(|mut keywords| {
            keywords.sort();
            keywords
        })
    };
    fn differ<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
        matches!((a, b), (Some(a), Some(b)) if a != b)
    }
    let fields = [
        ("read", differ(&expected.read, &seen.read)),
        ("flag", differ(&expected.flag, &seen.flag)),
        ("answered", differ(&expected.answered, &seen.answered)),
        ("forwarded", differ(&expected.forwarded, &seen.forwarded)),
        ("draft", differ(&expected.draft, &seen.draft)),
        ("categories", differ(&sorted(expected), &sorted(seen))),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}
