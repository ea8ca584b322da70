//! Putting what changed in the place of what stands there, at targets that can: an event keeps its address, and people
//! their bookmark of it. Where they changed it, it stays theirs, and the newer one is owed.

use super::{Push, replace::Replaced};
use crate::store::{CollectionKey, PlacementKey, Resolution, Superseding};
use std::collections::BTreeMap;
use transhume_contract::{Collection, Fault, IntentId, Outcome, Placed, Reach, What};

/// What is to be replaced.
struct Old {
    key: PlacementKey,
    /// The target told its version: whether anybody changed it since is known, and not surmised.
    versioned: bool,
}

impl Push<'_> {
    /// Replaces a page of what stands in one collection. Each of them is written down before the first is sent.
    pub(super) async fn replace_in_place(
        &self,
        at: &Collection,
        from: CollectionKey,
        mut page: Vec<Superseding>,
    ) -> Result<Vec<Replaced>, Fault> {
        if self.engine.rehearsing {
            return Ok(vec![Replaced::Done; page.len()]);
        }
        let keys: Vec<_> = page.iter().map(|one| one.placement.key).collect();
        let learnt = self.learn_versions(at, page.iter_mut().map(|one| &mut one.placement)).await;
        if self.or_put_off(&keys, learnt).await?.is_none() {
            return Ok(vec![Replaced::Not; keys.len()]);
        }
        let (mut standing, mut olds) = (BTreeMap::new(), BTreeMap::new());
        let mut next = Vec::with_capacity(page.len());
        for one in page {
            let Some(there) = one.placement.at_target(at) else { continue };
            olds.insert(one.next.item, Old { key: one.placement.key, versioned: there.version.is_some() });
            standing.insert(one.next.item, (one.placement.key, there));
            next.push(one.next);
        }
        let mut ready = self.make_ready(next).await?;
        for one in &mut ready {
            one.instead = standing.remove(&one.item.item);
        }
        let Some(after) = ready.last().map(|last| last.item.mark) else { return Ok(Vec::new()) };
        let keys: Vec<_> = ready.iter().filter_map(|one| one.instead.as_ref()).map(|(key, _)| *key).collect();
        let route = self.routes.route(from).await;
        let Some(route) = self.or_put_off(&keys, route).await? else { return Ok(vec![Replaced::Not; keys.len()]) };
        let batch = self.intend(&route, ready, after).await?;
        let item_of: BTreeMap<_, _> = batch.sent.iter().map(|(intent, sent)| (intent.clone(), sent.item)).collect();
        let answers = self.engine.stop.settling(async { Ok(self.call(&route, batch.placings).await) }).await?;
        let mut replaced = Vec::with_capacity(answers.len());
        for (intent, answer) in answers {
            let old = item_of.get(&intent).and_then(|item| olds.get(item));
            let Some(old) = old else { continue };
            replaced.push(self.write_down_one(old, intent, answer).await?);
        }
        Ok(replaced)
    }

    async fn write_down_one(
        &self,
        old: &Old,
        intent: IntentId,
        answer: Result<Placed, Fault>,
    ) -> Result<Replaced, Fault> {
        let fault = match answer {
            Ok(placed) => {
                self.store.resolve(vec![Resolution::Placed { intent, placed }]).await?;
                return Ok(Replaced::Done);
            }
            // It may have happened: looking decides, and nothing is sent again before.
            Err(fault) if fault.outcome == Outcome::Unknown => return Ok(Replaced::Not),
            Err(fault) => fault,
        };
        self.store.resolve(vec![Resolution::NotSent { intent }]).await?;
        match fault.what {
            What::Vanished => self.lose(old.key).await.map(|()| Replaced::Not),
            What::Forbidden if fault.reach == Reach::Item => {
                self.put_off(old.key, conflict(fault, old.versioned)).await.map(|()| Replaced::Kept)
            }
            _ => self.put_off(old.key, fault).await.map(|()| Replaced::Not),
        }
    }
}

/// What people changed stays theirs as long as they want it: only they can say that the newer one is to stand there.
fn conflict(fault: Fault, versioned: bool) -> Fault {
    let sentence = match versioned {
        true => "People changed it at the target since it was placed: theirs stays there, and the newer one is owed.",
        false => {
            "It does not read as it was sent, and the target told no version of it: people may have changed it. What \
             stands there stays, and the newer one is owed."
        }
    };
    Fault { what: What::Conflict, sentence: sentence.to_owned(), ..fault }.ask(
        "If the newer one shall stand there, delete theirs at the target, then run `transhume verify` and `transhume push --repair`.",
    )
}
