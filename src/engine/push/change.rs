//! Bringing placements up to date: amended and, when asked, withdrawn.

use super::Push;
use crate::{
    engine::Event,
    store::{Placement, PlacementKey, TargetKey, ToAmend, Withdrawing},
};
use std::collections::BTreeMap;
use transhume_contract::{Amended, Amending, Collection, Facts, Fault, IntentId, Outcome, What, Workload};

/// Changes sent at once.
const PAGE: usize = 500;

/// What came of bringing one up to date.
pub(super) enum UpToDate {
    Is(Box<Amended>),
    Vanished,
    /// It failed, and is owed.
    PutOff,
}

impl Push<'_> {
    /// Facts that changed at the source are brought up to date in place.
    pub(super) async fn amend(&self) -> Result<(), Fault> {
        for (key, at) in self.collections().await? {
            let mut after = None;
            loop {
                self.engine.stop.check()?;
                let page = self.store.placements_to_amend(key, after, PAGE).await?;
                let Some(last) = page.last().map(|change| change.placement.key) else { break };
                self.amend_page(&at, page).await?;
                after = Some(last);
            }
        }
        Ok(())
    }

    async fn amend_page(&self, at: &Collection, page: Vec<ToAmend>) -> Result<(), Fault> {
        let by_intent: BTreeMap<IntentId, &ToAmend> = page.iter().map(|change| (name(change), change)).collect();
        let mut losses = BTreeMap::new();
        let mut wanted = |change: &ToAmend| {
            let (want, lost) = self.facts_of(&change.facts, Some(&change.placement));
            losses.insert(name(change), lost);
            amending(change, at, want)
        };
        let changes: Vec<_> = page.iter().filter_map(&mut wanted).collect();
        self.begin(&by_intent, &changes).await?;
        let mut amended = Vec::new();
        let answers = match self.engine.stop.settling(self.target.amend(at, changes)).await {
            // The whole collection is gone, and all that was in it.
            Err(fault) if fault.what == What::Vanished => {
                let vanished = |intent: &IntentId| (intent.clone(), Err(fault.clone()));
                by_intent.keys().map(vanished).collect()
            }
            // Nobody knows how far it came.
            answers => {
                let keys: Vec<_> = page.iter().map(|change| change.placement.key).collect();
                let Some(answers) = self.or_put_off(&keys, answers).await? else { return Ok(()) };
                answers
            }
        };
        for (intent, answer) in answers {
            let Some(change) = by_intent.get(&intent) else { continue };
            match answer {
                Ok(mut done) => {
                    // What the facts cannot say at this target is as lost as it was when they were placed.
                    done.losses.extend(losses.remove(&intent).unwrap_or_default());
                    self.tell_changed_there(change, &done.changed_there);
                    amended.push((change.placement.key, change.revision, done));
                }
                Err(fault) if fault.what == What::Vanished => self.lose(change.placement.key).await?,
                Err(fault) => self.put_off_amending(change, fault).await?,
            }
        }
        let items = amended.len() as u64;
        if !self.engine.rehearsing {
            self.store.record_amended(amended).await?;
        }
        if items > 0 {
            self.engine.tell(Event::Amended { account: self.account(), items });
        }
        Ok(())
    }

    /// What stands there later and is one of these is no decision of people.
    async fn begin(&self, by_intent: &BTreeMap<IntentId, &ToAmend>, changes: &[Amending]) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        let begun =
            changes.iter().filter_map(|one| Some((by_intent.get(&one.intent)?.placement.key, one.want.clone())));
        self.store.begin_amending(begun.collect()).await
    }

    /// What was definitely not done cannot be what stands there later: then that is people's.
    async fn put_off_amending(&self, change: &ToAmend, fault: Fault) -> Result<(), Fault> {
        let Placement { key, begun, .. } = &change.placement;
        if fault.outcome == Outcome::NotDone && !self.engine.rehearsing {
            self.store.forget_amending(*key, begun.clone()).await?;
        }
        self.put_off(*key, fault).await
    }

    /// Brings one up to date, and writes down what stands there then.
    pub(super) async fn bring_up_to_date(&self, at: &Collection, change: &ToAmend) -> Result<UpToDate, Fault> {
        let key = change.placement.key;
        let (want, losses) = self.facts_of(&change.facts, Some(&change.placement));
        let Some(amending) = amending(change, at, want.clone()) else { return Ok(UpToDate::Vanished) };
        self.store.begin_amending(vec![(key, want)]).await?;
        let unanswered = || crate::engine::defect("a target did not answer for a change");
        let answers = self.engine.stop.settling(self.target.amend(at, vec![amending])).await;
        match answers.and_then(|mut answers| answers.pop().ok_or_else(unanswered)).map(|(_, answer)| answer) {
            Ok(Ok(mut amended)) => {
                amended.losses.extend(losses);
                self.tell_changed_there(change, &amended.changed_there);
                self.store.record_amended(vec![(key, change.revision, amended.clone())]).await?;
                Ok(UpToDate::Is(Box::new(amended)))
            }
            Ok(Err(fault)) | Err(fault) if fault.what == What::Vanished => Ok(UpToDate::Vanished),
            Ok(Err(fault)) => self.put_off_amending(change, fault).await.map(|()| UpToDate::PutOff),
            // Nobody knows how far it came.
            Err(fault) => self.put_off(key, fault).await.map(|()| UpToDate::PutOff),
        }
    }

    fn tell_changed_there(&self, change: &ToAmend, fields: &[String]) {
        if !fields.is_empty() {
            let (account, item) = (self.account(), change.placement.item.number().to_string());
            self.engine.tell(Event::ChangedThere { account, item, fields: fields.to_vec() });
        }
    }

    /// People removed it there: it stays removed.
    pub(super) async fn lose(&self, key: PlacementKey) -> Result<(), Fault> {
        if self.engine.rehearsing { Ok(()) } else { self.store.record_lost(key, None).await }
    }

    /// What was deleted at the source stays at the target, unless the policy asks to withdraw it.
    pub(super) async fn withdraw(&self) -> Result<(), Fault> {
        let waiting = self.store.count_to_withdraw(self.workload).await?;
        if waiting == 0 {
            return Ok(());
        }
        let (workload, withdrawn) = (self.workload, self.engine.policy.withdraw_deleted);
        self.engine.tell(Event::Deleted { account: self.account(), workload, items: waiting, withdrawn });
        match (withdrawn, self.engine.rehearsing) {
            (true, false) => self.withdraw_all().await,
            (true, true) => self.rehearse_withdrawing().await,
            (false, _) => Ok(()),
        }
    }

    /// Counts what would be taken away, as far as the store knows: what people changed at the target since is found out
    /// only when it is tried.
    async fn rehearse_withdrawing(&self) -> Result<(), Fault> {
        let (mut after, mut items) = (None, 0);
        let at = self.collections().await?;
        loop {
            self.engine.stop.check()?;
            let page = self.store.placements_to_withdraw(self.workload, after, PAGE).await?;
            let Some(last) = page.last().map(|one| one.placement.key) else { break };
            let ours = page.iter().map(|one| (one.gone, &one.placement));
            let goes = ours.filter(|(gone, old)| *gone && at.contains_key(&old.at) && !old.is_changed_there());
            items += goes.count() as u64;
            after = Some(last);
        }
        self.engine.tell(Event::Withdrawn { account: self.account(), items });
        Ok(())
    }

    async fn withdraw_all(&self) -> Result<(), Fault> {
        let (mut after, mut withdrawn) = (None, 0);
        let at = self.collections().await?;
        loop {
            let page = self.store.placements_to_withdraw(self.workload, after, PAGE).await?;
            let Some(last) = page.last().map(|one| one.placement.key) else { break };
            for one in page.iter().filter(|one| one.gone) {
                self.engine.stop.check()?;
                withdrawn += u64::from(self.withdraw_one(&at, one).await?);
            }
            after = Some(last);
        }
        self.engine.tell(Event::Withdrawn { account: self.account(), items: withdrawn });
        Ok(())
    }

    async fn withdraw_one(&self, at: &BTreeMap<TargetKey, Collection>, one: &Withdrawing) -> Result<bool, Fault> {
        let key = one.placement.key;
        let Some(at) = at.get(&one.placement.at) else { return Ok(false) };
        let Some(mut placement) = self.without_begun(at, one).await? else { return Ok(false) };
        let learnt = self.learn_versions(at, [&mut placement]).await;
        if self.or_put_off(&[key], learnt).await?.is_none() {
            return Ok(false);
        }
        let Some(standing) = placement.at_target(at) else { return Ok(false) };
        if placement.is_changed_there() {
            return self.put_off(key, theirs(self.workload)).await.map(|()| false);
        }
        match self.engine.stop.settling(self.target.withdraw(&standing)).await {
            Ok(losses) => self.store.record_withdrawn(key, losses).await.map(|()| true),
            Err(fault) if fault.what == What::Vanished => self.store.record_lost(key, None).await.map(|()| false),
            Err(fault) => self.put_off(key, fault).await.map(|()| false),
        }
    }

    /// Where an amending was cut in half, what stands there by our own doing would look like a change of people's.
    async fn without_begun(&self, at: &Collection, one: &Withdrawing) -> Result<Option<Placement>, Fault> {
        let (placement, facts, revision) = (one.placement.clone(), one.facts.clone(), one.revision);
        if placement.begun.is_empty() {
            return Ok(Some(placement));
        }
        let change = ToAmend { placement, facts, revision };
        match self.bring_up_to_date(at, &change).await? {
            UpToDate::Is(amended) => Ok(Some(change.placement.amended(&amended))),
            UpToDate::Vanished => self.lose(change.placement.key).await.map(|()| None),
            UpToDate::PutOff => Ok(None),
        }
    }
}

/// What people changed at the target is not taken away from them, also where we saw the change before.
fn theirs(workload: Workload) -> Fault {
    let what = if workload == Workload::Mail { "its flags were" } else { "it was" };
    let sentence =
        format!("The {} was placed by us, but {what} changed there since; it is left alone.", workload.item());
    Fault::new(What::Forbidden, sentence).ask("Delete it at the target by hand if it shall go.")
}

/// The amending of something whose handle is known.
fn amending(change: &ToAmend, at: &Collection, want: Facts) -> Option<Amending> {
    let Placement { base, begun, .. } = change.placement.clone();
    Some(Amending { intent: name(change), placement: change.placement.at_target(at)?, base, begun, want })
}

/// An amending needs a name only within its call.
fn name(change: &ToAmend) -> IntentId {
    IntentId::new(change.placement.key.number().to_string())
}
