//! Where collections of the source stand at the target.

use super::settle::{Sought, share};
use crate::{
    engine::{
        Engine, Event, Mover, Standing,
        policy::{Existing, standing},
    },
    store::{AccountStore, CollectionKey, CollectionRow, Placement, Side, TargetKey},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::Mutex;
use transhume_contract::{
    AccountId, Appearance, Collection, CollectionId, Fault, Reach, Role, Target, Wanted, Workload,
};

/// Placements looked for at once under new numbers.
const NUMBERED: usize = 500;

/// One way: from a collection of the source to one of the target.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub key: TargetKey,
    pub at: Collection,
}

/// The ways of one account and workload. A collection is ensured once a pass, when something needs it.
pub(super) struct Routes<'a> {
    engine: &'a Engine,
    store: &'a AccountStore,
    target: &'a Arc<dyn Target>,
    login: AccountId,
    workload: Workload,
    rows: BTreeMap<CollectionKey, CollectionRow>,
    by_id: BTreeMap<CollectionId, CollectionKey>,
    standing: BTreeMap<CollectionId, Standing>,
    /// Where they stood when they were last ensured.
    known: BTreeMap<CollectionKey, (TargetKey, CollectionId)>,
    ensured: Mutex<BTreeMap<CollectionKey, Route>>,
    /// All of them, in this pass or before.
    claimed: Mutex<Arc<BTreeSet<CollectionId>>>,
    /// What the target refused in this pass.
    refused: Mutex<BTreeMap<CollectionKey, Fault>>,
    /// Collections at the target that something was done to in this pass.
    touched: Mutex<BTreeSet<TargetKey>>,
}

impl<'a> Routes<'a> {
    pub async fn new(
        engine: &'a Engine,
        store: &'a AccountStore,
        target: &'a Arc<dyn Target>,
        mover: &Mover,
        workload: Workload,
    ) -> Result<Self, Fault> {
        let rows = store.collections(workload).await?;
        let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
        let known = store.targets(workload).await?.into_iter();
        let known: BTreeMap<_, _> = known.map(|row| (row.from, (row.at, row.collection.id))).collect();
        let claimed = known.values().map(|(_, id)| id.clone()).collect();
        Ok(Self {
            engine,
            store,
            target,
            login: mover.target.clone(),
            workload,
            standing: standing(&collections, &engine.policy),
            by_id: rows.iter().map(|row| (row.collection.id.clone(), row.key)).collect(),
            rows: rows.into_iter().map(|row| (row.key, row)).collect(),
            known,
            ensured: Mutex::default(),
            claimed: Mutex::new(Arc::new(claimed)),
            refused: Mutex::default(),
            touched: Mutex::default(),
        })
    }

    fn standing_of(&self, from: CollectionKey) -> Option<&Standing> {
        self.rows.get(&from).and_then(|row| self.standing.get(&row.collection.id))
    }

    pub fn pushes(&self, from: CollectionKey) -> bool {
        self.standing_of(from).is_some_and(|standing| standing.pushed)
    }

    /// What people call a collection of the source.
    pub fn name(&self, from: CollectionKey) -> String {
        self.standing_of(from).map(|standing| standing.path.join("/")).unwrap_or_default()
    }

    /// Which collections went to one of the target when they were last ensured.
    fn leading_to(&self, key: TargetKey) -> impl Iterator<Item = CollectionKey> {
        self.known.iter().filter(move |(_, (known, _))| *known == key).map(|(from, _)| *from)
    }

    /// Ensures one of the target by every way that leads there: what is looked for in it is then compared with all that
    /// was ever placed in it, whatever it was called then and however its messages were numbered.
    pub async fn ensure_again(&self, key: TargetKey) -> Result<(), Fault> {
        for from in self.leading_to(key).filter(|from| self.pushes(*from)) {
            match self.route(from).await {
                Err(fault) if fault.reach < Reach::Account => {}
                ensured => drop(ensured?),
            }
        }
        Ok(())
    }

    /// What was placed in a mailbox before the server numbered its messages anew is found under its new handles. Until
    /// then nothing would answer for it, and it would be taken for something else of the same bytes. Before the new id
    /// is written down: killed in between, the next run does it again.
    async fn follow_numbers(&self, key: TargetKey, at: &Collection) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let page = self.store.placements_at(key, after, NUMBERED).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { return Ok(()) };
            let named =
                |placement: &Placement| placement.handle.as_ref().is_none_or(|one| self.target.may_name(at, one));
            let lost: Vec<_> = page.into_iter().filter(|placement| !named(placement)).collect();
            if !lost.is_empty() {
                self.number_anew(key, at, &lost).await?;
            }
            after = Some(last);
        }
    }

    async fn number_anew(&self, key: TargetKey, at: &Collection, lost: &[Placement]) -> Result<(), Fault> {
        let sought: Vec<_> = lost.iter().map(Sought::of_placement).collect();
        let keys: Vec<_> = lost.iter().map(Placement::natural_key).collect();
        let mut found = self.engine.stop.unless(self.target.find(at, &keys)).await?;
        found.retain(|one| !one.deleted);
        let handles = found.iter().map(|found| found.handle.clone()).collect();
        let claimed = self.store.claimed(key, handles).await?.into_iter().collect();
        let given = share(found, &sought, claimed);
        let named = lost.iter().filter_map(|placement| {
            let found = given.get(&placement.intent)?;
            Some((placement.key, found.handle.clone(), found.version.clone()))
        });
        self.store.name_placements(named.collect()).await
    }

    /// Every pushed collection.
    pub fn pushed(&self) -> Vec<CollectionKey> {
        self.rows.keys().copied().filter(|from| self.pushes(*from)).collect()
    }

    /// The way of a collection, ensured together with all it stands in.
    pub async fn route(&self, from: CollectionKey) -> Result<Route, Fault> {
        let mut ensured = self.ensured.lock().await;
        let mut above: Option<CollectionId> = None;
        let mut found = None;
        for step in self.line(from) {
            let route = match ensured.get(&step) {
                Some(route) => route.clone(),
                None => {
                    self.heed_refusal(step).await?;
                    let route = self.ensure_once(step, above).await?;
                    ensured.insert(step, route.clone());
                    route
                }
            };
            above = Some(route.at.id.clone());
            found = Some(route);
        }
        found.ok_or_else(|| crate::engine::defect("a collection without a name was to be pushed"))
    }

    /// Keeps a refusal under the collection that was refused, so that what stands in it does not ask for it again.
    async fn ensure_once(&self, step: CollectionKey, above: Option<CollectionId>) -> Result<Route, Fault> {
        match self.ensure(step, above).await {
            Ok(route) => {
                self.taken(step).await;
                Ok(route)
            }
            Err(fault) => {
                if fault.reach < Reach::Account {
                    self.refused(step, fault.clone()).await?;
                }
                Err(fault)
            }
        }
    }

    /// What waits for a person is asked for once a pass, not at every round of it.
    pub async fn heed_refusal(&self, from: CollectionKey) -> Result<(), Fault> {
        let refused = self.refused.lock().await;
        refused.get(&from).filter(|fault| fault.next_step().is_some()).map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// The collections to ensure, from the top to this one.
    fn line(&self, from: CollectionKey) -> Vec<CollectionKey> {
        let mut line = Vec::new();
        let mut at = self.rows.get(&from);
        while let Some(row) = at.filter(|_| line.len() <= self.rows.len()) {
            line.push(row.key);
            let parent = row.collection.parent.as_ref().and_then(|parent| self.by_id.get(parent));
            at = parent.and_then(|parent| self.rows.get(parent));
        }
        line.reverse();
        line
    }

    async fn ensure(&self, from: CollectionKey, parent: Option<CollectionId>) -> Result<Route, Fault> {
        let row = self.rows.get(&from).ok_or_else(|| crate::engine::defect("a collection is not in the store"))?;
        let path = self.standing_of(from).map(|standing| standing.path.clone()).unwrap_or_default();
        let want = Wanted {
            account: self.login.clone(),
            workload: self.workload,
            path,
            parent,
            role: row.collection.role,
            known: self.known.get(&from).map(|(_, id)| id.clone()),
            adopt: self.engine.policy.existing == Existing::Adopt,
            claimed: Arc::clone(&*self.claimed.lock().await),
            appearance: self.appearance(row),
        };
        let at = self.engine.stop.settling(self.target.ensure(&want)).await?;
        Arc::make_mut(&mut *self.claimed.lock().await).insert(at.id.clone());
        if self.engine.rehearsing {
            return Ok(Route { key: TargetKey::REHEARSED, at });
        }
        self.tell_new_name(from, &want, &at);
        if let Some((key, _)) = self.known.get(&from).filter(|(_, id)| *id != at.id) {
            self.follow_numbers(*key, &at).await?;
        }
        let key = self.store.record_target(from, &want.path, &at).await?;
        Ok(Route { key, at })
    }

    fn appearance(&self, row: &CollectionRow) -> Appearance {
        let told = &row.collection.appearance;
        let colour = told.colour.as_deref().and_then(|told| self.engine.render.colour(told));
        Appearance { colour, ..told.clone() }
    }

    /// Says once when a collection stands under another name than at the source. That the inbox is the server's inbox,
    /// in whatever language, is what everybody expects.
    fn tell_new_name(&self, from: CollectionKey, want: &Wanted, at: &Collection) {
        let own = want.path.last().map(String::as_str).unwrap_or_default();
        let kept = at.name.to_lowercase().ends_with(&own.to_lowercase());
        if self.known.contains_key(&from) || kept || want.role != Role::Ordinary {
            return;
        }
        let sentence =
            format!("the {} {} stands at the target as {}", want.workload.collection(), want.path.join(" > "), at.name);
        self.engine.tell(Event::Note { account: Some(self.store.account().address.clone()), sentence });
    }

    /// Ensures the collections that were never ensured, so that empty ones arrive too. One that was ensured in an
    /// earlier pass is left to the people there: they may have removed it.
    pub async fn ensure_all(&self) -> Result<(), Fault> {
        for from in self.pushed() {
            let row = self.rows.get(&from);
            if self.known.contains_key(&from) || row.is_none_or(|row| row.gone) {
                continue;
            }
            match self.route(from).await {
                Err(fault) if fault.reach < Reach::Account => self.refused(from, fault).await?,
                ensured => drop(ensured?),
            }
        }
        Ok(())
    }

    /// Keeps and tells that the target refused a collection, once a pass.
    pub async fn refused(&self, from: CollectionKey, fault: Fault) -> Result<(), Fault> {
        if self.refused.lock().await.insert(from, fault.clone()).is_some() {
            return Ok(());
        }
        if !self.engine.rehearsing {
            self.store.record_refused(from, Side::Target, &fault).await?;
        }
        let (account, item) = (self.store.account().address.clone(), self.name(from));
        self.engine.tell(Event::Refused { account, item, quarantined: false, fault });
        Ok(())
    }

    /// The same of one of the target, for every collection that leads there.
    pub async fn refused_there(&self, key: TargetKey, fault: &Fault) -> Result<(), Fault> {
        tracing::warn!(%fault, "a collection of the target cannot be looked into now");
        let mut leading: BTreeSet<_> = self.leading_to(key).collect();
        leading.extend(self.ensured.lock().await.iter().filter(|(_, route)| route.key == key).map(|(from, _)| *from));
        for from in leading {
            self.refused(from, fault.clone()).await?;
        }
        Ok(())
    }

    /// A later round of this pass came through.
    pub async fn taken(&self, from: CollectionKey) {
        self.refused.lock().await.remove(&from);
    }

    /// At the end of a pass: what was not refused in it is refused no longer.
    pub async fn forgive(&self) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        let refused = self.refused.lock().await.keys().copied().collect();
        self.store.forgive_collections(self.workload, Side::Target, refused).await
    }

    pub async fn touch(&self, key: TargetKey) {
        self.touched.lock().await.insert(key);
    }

    /// Tells the target which collections have all their items, deepest first.
    pub async fn settle(&self) -> Result<(), Fault> {
        let touched = self.touched.lock().await;
        let ensured = self.ensured.lock().await;
        let mut routes: Vec<_> = ensured.iter().filter(|(_, route)| touched.contains(&route.key)).collect();
        routes.sort_by_key(|(from, _)| std::cmp::Reverse(self.line(**from).len()));
        for (from, route) in routes {
            match self.engine.stop.settling(self.target.settle(&route.at)).await {
                Err(fault) if fault.reach < Reach::Account => self.refused(*from, fault).await?,
                settled => settled?,
            }
        }
        Ok(())
    }
}
