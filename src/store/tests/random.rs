//! Random lives of an account: whatever happens in whatever order, the store stays true to a model of it.

use super::fixture::*;
use crate::store::{AccountStore, Resolution};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::ItemId;

const FOLDERS: [&str; 3] = ["f0", "f1", "f2"];

#[derive(Clone, Debug)]
enum Step {
    /// The item now stands in this folder.
    Stand(u8, usize),
    Delete(u8),
    Read(u8),
    /// A pass sees what changed.
    Pass,
    Fetch,
    /// A push of one folder; each answer is one of placed, not sent, never heard of.
    Push(usize, Vec<u8>),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..6u8, 0..3usize).prop_map(|(item, folder)| Step::Stand(item, folder)),
        1 => (0..6u8).prop_map(Step::Delete),
        2 => (0..6u8).prop_map(Step::Read),
        3 => Just(Step::Pass),
        2 => Just(Step::Fetch),
        4 => (0..3usize, prop::collection::vec(0..3u8, 8)).prop_map(|(folder, answers)| Step::Push(folder, answers)),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the source holds now, what it held at the last pass, and what stands at the target.
#[derive(Default)]
struct World {
    now: BTreeMap<u8, (usize, u32, bool)>,
    seen: BTreeMap<u8, (usize, u32, bool)>,
    standing: BTreeSet<String>,
    version: u32,
}

impl World {
    fn changes(&self, folder: usize) -> Vec<transhume_contract::Change> {
        let mut changes = Vec::new();
        for (item, (was, ..)) in &self.seen {
            if *was == folder && self.now.get(item).is_none_or(|(is, ..)| *is != folder) {
                changes.push(gone(&item.to_string(), FOLDERS[folder]));
            }
        }
        for (item, state) in &self.now {
            if state.0 == folder && self.seen.get(item) != Some(state) {
                let row = joined(&item.to_string(), &state.1.to_string(), FOLDERS[folder]);
                changes.push(altered(row, |it| it.facts.read = Some(state.2)));
            }
        }
        changes
    }

    async fn live(&mut self, step: &Step, store: &AccountStore) {
        self.version += 1;
        match step {
            Step::Stand(item, folder) => drop(self.now.insert(*item, (*folder, self.version, false))),
            Step::Delete(item) => drop(self.now.remove(item)),
            Step::Read(item) => {
                if let Some(state) = self.now.get_mut(item) {
                    *state = (state.0, self.version, true);
                }
            }
            Step::Pass => {
                let settled = pass(store, (0..3).map(|folder| (FOLDERS[folder], self.changes(folder))).collect()).await;
                assert!(settled.waiting.is_empty());
                self.seen.clone_from(&self.now);
            }
            Step::Fetch => {
                for id in to_fetch(store, &FOLDERS).await {
                    fetch(store, &id, id.as_bytes()).await;
                }
            }
            Step::Push(folder, answers) => self.push(store, FOLDERS[*folder], answers).await,
            Step::Reopen => {}
        }
    }

    async fn push(&mut self, store: &AccountStore, folder: &str, answers: &[u8]) {
        let at = ensure(store, folder).await;
        for open in open_intents(store, at).await {
            let handle = format!("{folder}-{}", open.item_id.as_str());
            let resolution = match self.standing.contains(&handle) {
                true => Resolution::Placed { intent: open.id, placed: placed(&handle) },
                false => Resolution::NotSent { intent: open.id },
            };
            store.resolve(vec![resolution]).await.unwrap();
        }
        for (what, answer) in to_place(store, folder).await.iter().zip(answers) {
            let handle = format!("{folder}-{}", what.id.as_str());
            let intent = intend(store, what, at).await;
            match answer {
                0 => store.resolve(vec![Resolution::NotSent { intent }]).await.unwrap(),
                1 => assert!(self.standing.insert(handle), "placed twice"),
                _ => {
                    assert!(self.standing.insert(handle.clone()), "placed twice");
                    store.resolve(vec![Resolution::Placed { intent, placed: placed(&handle) }]).await.unwrap();
                }
            }
        }
    }

    /// What the store says is what the last pass saw, item by item; and its totals are its rows.
    async fn agrees(&self, store: &AccountStore) {
        tallies(store).await;
        for item in 0..6u8 {
            let known = store.item_by_id(MAIL, &ItemId::new(item.to_string())).await.unwrap();
            match self.seen.get(&item) {
                Some((_, version, read)) => {
                    let known = known.expect("it was listed");
                    assert!(!known.gone && known.version.as_str() == version.to_string());
                    assert_eq!(known.facts.read, Some(*read));
                }
                None => assert!(known.is_none_or(|known| known.gone)),
            }
        }
        let listed: u64 =
            store.collection_totals(MAIL).await.unwrap().iter().map(|one| one.stages.listed().items).sum();
        assert_eq!(listed, self.seen.len() as u64, "every item is done, owed or quarantined, once");
    }
}

async fn tallies(store: &AccountStore) {
    super::totals::tallies_agree(store).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_the_store_tells_the_truth(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new().await;
            let mut store = fixture.store().await;
            let mut world = World::default();
            world.live(&Step::Pass, &store).await;
            for step in &steps {
                if matches!(step, Step::Reopen) {
                    drop(store);
                    store = fixture.store().await;
                }
                world.live(step, &store).await;
            }
            world.agrees(&store).await;
        });
    }
}
