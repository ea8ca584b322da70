use super::{Report, Result as CheckResult, hold, said};
use crate::{
    AccountId, Amended, Amending, Appearance, Collection, CollectionId, Depth, Digest, Facts, FlagState, Found, Handle,
    IntentId, NaturalKey, Observed, Placed, Placement, Placing, Role, Target, Timestamp, Wanted, What, Workload,
    memory::HeldBody,
};
use futures::StreamExt;
use std::{collections::BTreeSet, sync::Arc};

type Outcome = Result<(), String>;

/// One account of a target under test.
struct Subject<'a> {
    target: &'a dyn Target,
    account: &'a AccountId,
}

/// Runs the suite on one account: it makes mailboxes below `Conformance`, which must not exist yet.
pub async fn target(target: &dyn Target, account: &AccountId) -> Report {
    let on = Subject { target, account };
    let mut report = Report::default();
    report.add("ensuring_twice_gives_the_same_collection", on.ensured_twice().await);
    report.add("below_its_parent_is_where_the_whole_path_leads", on.ensured_below().await);
    report.add("names_differing_by_separator_or_case_stay_apart", on.names_apart().await);
    report.add("others_are_those_that_are_not_known", on.others_are_told().await);
    report.add("what_is_placed_is_observed_byte_for_byte", on.placed_is_observed().await);
    report.add("every_intent_of_a_batch_is_answered_once", on.answered_once().await);
    report.add("every_duplicate_is_found", on.duplicates_found().await);
    report.add("what_was_never_placed_is_not_found", on.stranger_not_found().await);
    report.add("amending_merges_three_ways", on.amended().await);
    report.add("amending_leaves_people_what_is_theirs", on.amended_again().await);
    report.add("amending_finishes_what_it_began", on.amended_half().await);
    report.add("amending_what_is_gone_says_vanished", on.amended_gone().await);
    report.add("relocating_moves_and_does_not_copy", on.relocated().await);
    report.add("withdrawing_removes_only_what_is_as_placed", on.withdrawn().await);
    report.add("keywords_left_out_are_told_and_are_nobodys_change", on.left_out_is_told().await);
    match target.traits(account).await {
        Ok(traits) if traits.tells_handle => report.add("handles_are_told", on.handles_told().await),
        Ok(_) => report.checks.push(("handles_are_told", CheckResult::LeftOut("the target does not tell handles"))),
        Err(fault) => report.add("handles_are_told", Err(fault.to_string())),
    }
    report
}

fn message(n: u32) -> String {
    format!(
        "Message-ID: <conformance-{n}@example.org>\r\nFrom: a@example.org\r\nDate: Sat, 01 Mar 2025 10:00:00 +0000\r\n\
         Subject: number {n}\r\n\r\nBody {n}\r\n"
    )
}

fn facts(read: bool) -> Facts {
    Facts {
        read: Some(read),
        flag: Some(FlagState::None),
        answered: Some(false),
        draft: Some(false),
        received: Timestamp::from_second(1_740_823_200).ok(),
        ..Facts::default()
    }
}

fn placing(n: u32, facts: Facts) -> Placing {
    let body = Arc::new(HeldBody::new(message(n)));
    Placing { intent: IntentId::new(format!("conformance-{n}")), facts, name: None, key: None, instead: None, body }
}

fn key(n: u32) -> NaturalKey {
    let text = message(n);
    NaturalKey {
        intent: IntentId::new(format!("conformance-{n}")),
        key: Some(format!("<conformance-{n}@example.org>")),
        digest: Digest::of(text.as_bytes()),
        length: text.len() as u64,
        name: None,
    }
}

impl Subject<'_> {
    async fn ensure(&self, names: &[&str], known: Option<CollectionId>) -> Result<Collection, String> {
        let path = ["Conformance"].iter().chain(names).map(|&name| name.to_owned()).collect();
        let (account, role) = (self.account.clone(), Role::Ordinary);
        let want = Wanted {
            account,
            workload: Workload::Mail,
            path,
            parent: None,
            role,
            known,
            adopt: false,
            claimed: std::sync::Arc::default(),
            appearance: Appearance::default(),
        };
        self.target.ensure(&want).await.map_err(said("ensure"))
    }

    async fn place(&self, at: &Collection, batch: Vec<Placing>) -> Result<Vec<Placed>, String> {
        let answers: Vec<_> = self.target.place(at, batch).collect().await;
        answers.into_iter().map(|(_, placed)| placed.map_err(said("place"))).collect()
    }

    async fn observe(&self, at: &Collection) -> Result<Vec<Observed>, String> {
        let seen: Vec<_> = self.target.observe(at, Depth::Content.into()).collect().await;
        seen.into_iter().map(|observed| observed.map_err(said("observe"))).collect()
    }

    async fn found(&self, at: &Collection, n: u32) -> Result<Vec<Found>, String> {
        self.target.find(at, &[key(n)]).await.map_err(said("find"))
    }

    /// Places one message and gives its placement, found if the target does not tell its handle.
    async fn placement(&self, at: &Collection, n: u32, facts: Facts) -> Result<Placement, String> {
        let placed = self.place(at, vec![placing(n, facts.clone())]).await?.remove(0);
        let found = match placed.handle {
            Some(handle) => Some(handle),
            None => self.found(at, n).await?.pop().map(|found| found.handle),
        };
        let handle = found.ok_or("what was placed cannot be found")?;
        Ok(Placement { at: at.clone(), handle, version: placed.version, digest: key(n).digest, facts })
    }

    async fn facts_of(&self, at: &Collection, handle: &Handle) -> Result<Option<Facts>, String> {
        let seen = self.observe(at).await?;
        Ok(seen.into_iter().find(|observed| observed.handle == *handle).map(|observed| observed.facts))
    }

    async fn amend(&self, placement: &Placement, want: Facts) -> Result<Vec<String>, String> {
        let change = Amending::first(IntentId::new("amend"), placement.clone(), want);
        self.carry_out(change).await.map(|amended| amended.changed_there)
    }

    async fn carry_out(&self, change: Amending) -> Result<Amended, String> {
        let at = change.placement.at.clone();
        let mut answers = self.target.amend(&at, vec![change]).await.map_err(said("amend"))?;
        hold(answers.len() == 1, || format!("one amending was answered {} times", answers.len()))?;
        let (_, amended) = answers.remove(0);
        amended.map_err(|fault| format!("{:?}", fault.what))
    }

    async fn ensured_twice(&self) -> Outcome {
        let first = self.ensure(&["Twice"], None).await?;
        let second = self.ensure(&["Twice"], Some(first.id.clone())).await?;
        let third = self.ensure(&["Twice"], None).await?;
        hold(first.id == second.id && first.id == third.id, || "ensuring again gave another collection".into())
    }

    /// Below a parent that was ensured is the same place as the whole path.
    async fn ensured_below(&self) -> Outcome {
        let parent = self.ensure(&["Above"], None).await?;
        let whole = self.ensure(&["Above", "Below"], None).await?;
        let path = ["Conformance", "Above", "Below"].map(str::to_owned).to_vec();
        let (account, role, parent) = (self.account.clone(), Role::Ordinary, Some(parent.id));
        let want = Wanted {
            account,
            workload: Workload::Mail,
            path,
            parent,
            role,
            known: None,
            adopt: false,
            claimed: std::sync::Arc::default(),
            appearance: Appearance::default(),
        };
        let below = self.target.ensure(&want).await.map_err(said("ensure"))?;
        hold(below.id == whole.id, || "below its parent and by its whole path are two collections".into())
    }

    async fn names_apart(&self) -> Outcome {
        let names = ["a/b", "a_b", "a.b", "A.B", "Été", "日本", "~x", "..", "100%", "R&D", "\u{1F4E7}"];
        let mut ids = BTreeSet::new();
        for name in names {
            let id = self.ensure(&["Names", name], None).await?.id;
            hold(ids.insert(id), || format!("{name:?} fell onto another name's collection"))?;
        }
        let nested = self.ensure(&["Names", "a", "b"], None).await?.id;
        hold(ids.insert(nested), || "a/b as a name and as a path are one collection".into())
    }

    /// What is not known is told, and can be looked through.
    async fn others_are_told(&self) -> Outcome {
        let (ours, theirs) = (self.ensure(&["Ours"], None).await?, self.ensure(&["Theirs"], None).await?);
        self.place(&theirs, vec![placing(3, facts(true))]).await?;
        let others = self.target.others(self.account, Workload::Mail, std::slice::from_ref(&ours.id)).await;
        let mut holding = Vec::new();
        for other in others.map_err(said("others"))? {
            hold(other.id != ours.id, || "what is known was told as another".into())?;
            if !self.found(&other, 3).await?.is_empty() {
                holding.push(other.name);
            }
        }
        hold(holding.len() == 1, || format!("the message stands in one collection, and was found in {holding:?}"))
    }

    async fn placed_is_observed(&self) -> Outcome {
        let at = self.ensure(&["Placed"], None).await?;
        let batch = (1..=5).map(|n| placing(n, facts(n % 2 == 0))).collect();
        self.place(&at, batch).await?;
        let seen = self.observe(&at).await?;
        hold(seen.len() == 5, || format!("5 were placed, {} are seen", seen.len()))?;
        for n in 1..=5 {
            let own = seen.iter().find(|observed| observed.digest == Some(key(n).digest));
            let own = own.ok_or_else(|| format!("message {n} is not seen as it was sent"))?;
            hold(own.length == Some(key(n).length), || format!("message {n} has another length"))?;
            hold(own.facts.read == Some(n % 2 == 0), || format!("message {n} lost its read state"))?;
            hold(own.facts.received == facts(true).received, || format!("message {n} has another date"))?;
        }
        Ok(())
    }

    /// More keywords than most targets have room for: what is left out is told, named as lost, and no change of people's.
    async fn left_out_is_told(&self) -> Outcome {
        let at = self.ensure(&["Keywords"], None).await?;
        let words: Vec<String> = (0..130).map(|n| format!("conforms-{n}")).collect();
        let want = Facts { categories: Some(words.clone()), forwarded: Some(false), ..facts(true) };
        let placed = self.place(&at, vec![placing(140, want.clone())]).await?.remove(0);
        let Placed { handle, version, losses, left_out } = placed;
        let named = losses.iter().filter(|loss| loss.name == "keyword_refused").count();
        hold(named == left_out.len(), || format!("{} keywords are left out, {named} named as lost", left_out.len()))?;
        hold(left_out.iter().all(|word| words.contains(word)), || "what nobody wanted is told as left out".into())?;
        let handle = match handle {
            Some(handle) => handle,
            None => self.found(&at, 140).await?.pop().ok_or("what was placed cannot be found")?.handle,
        };
        let facts = want.without_keywords(&left_out);
        let seen = self.facts_of(&at, &handle).await?.ok_or("what was placed is not seen")?;
        hold(seen.agrees(&facts), || "what stands is not what was placed, less what was left out".into())?;
        let placement = Placement { at, handle, version, digest: key(140).digest, facts: facts.clone() };
        let amended = self.carry_out(Amending::first(IntentId::new("amend"), placement.clone(), want)).await?;
        hold(amended.changed_there.is_empty(), || "what was left out was taken for a change of people's".into())?;
        hold(amended.facts.agrees(&facts), || "an amending says that more stands now".into())?;
        let stands = Placement { facts: amended.facts, ..placement };
        self.target.withdraw(&stands).await.map_err(said("withdraw"))?;
        Ok(())
    }

    async fn answered_once(&self) -> Outcome {
        let at = self.ensure(&["Answered"], None).await?;
        let batch: Vec<_> = (100..130).map(|n| placing(n, facts(false))).collect();
        let asked: BTreeSet<_> = batch.iter().map(|placing| placing.intent.clone()).collect();
        let answers: Vec<_> = self.target.place(&at, batch).collect().await;
        let answered: BTreeSet<_> = answers.iter().map(|(intent, _)| intent.clone()).collect();
        hold(answers.len() == asked.len() && answered == asked, || "answers do not match intents".into())?;
        let none: Vec<_> = self.target.place(&at, Vec::new()).collect().await;
        hold(none.is_empty(), || "an empty batch was answered".into())
    }

    async fn duplicates_found(&self) -> Outcome {
        let at = self.ensure(&["Duplicates"], None).await?;
        for copy in ["conformance-7", "conformance-7-again", "conformance-7-once-more"] {
            let intent = IntentId::new(copy);
            self.place(&at, vec![Placing { intent, ..placing(7, facts(false)) }]).await?;
        }
        self.place(&at, vec![placing(8, facts(false))]).await?;
        let handles: BTreeSet<_> = self.found(&at, 7).await?.into_iter().map(|found| found.handle).collect();
        hold(handles.len() == 3, || format!("3 copies stand, {} were found", handles.len()))
    }

    async fn stranger_not_found(&self) -> Outcome {
        let at = self.ensure(&["Duplicates"], None).await?;
        hold(self.found(&at, 9).await?.is_empty(), || "something that was never placed was found".into())
    }

    async fn amended(&self) -> Outcome {
        let at = self.ensure(&["Amended"], None).await?;
        let placed = self.placement(&at, 20, facts(false)).await?;
        let read = Facts { read: Some(true), ..facts(false) };
        let there = self.amend(&placed, read.clone()).await?;
        hold(there.is_empty(), || format!("nobody changed it there, yet {there:?} were named"))?;
        let seen = self.facts_of(&at, &placed.handle).await?.ok_or("the amended message is gone")?;
        hold(seen.read == Some(true), || "the read state was not set".into())?;
        // Placed as read, made unread by people, wanted flagged: their choice stays, ours is added.
        let base = Placement { facts: Facts { read: Some(false), ..placed.facts.clone() }, ..placed.clone() };
        let want = Facts { read: Some(false), flag: Some(FlagState::Flagged), ..facts(false) };
        self.amend(&base, want).await?;
        let seen = self.facts_of(&at, &placed.handle).await?.ok_or("the amended message is gone")?;
        hold(seen.read == Some(true), || "a read state that people set was overwritten".into())?;
        hold(seen.flag == Some(FlagState::Flagged), || "the flag was not set".into())
    }

    /// What people set outlives every later change at the source, in that field and in others.
    async fn amended_again(&self) -> Outcome {
        let at = self.ensure(&["Again"], None).await?;
        let mut placed = self.placement(&at, 22, facts(false)).await?;
        // Their hand is ours here: what is handed in below knows nothing of it.
        self.amend(&placed, facts(true)).await?;
        let mut base = placed.facts.clone();
        let flagged = |read, flag| Facts { flag: Some(flag), ..facts(read) };
        let (none, flag) = (FlagState::None, FlagState::Flagged);
        for want in [flagged(false, flag), flagged(true, none), flagged(false, flag), flagged(false, none)] {
            let (intent, begun) = (IntentId::new("again"), Vec::new());
            let change = Amending { intent, placement: placed.clone(), base, begun, want: want.clone() };
            let amended = self.carry_out(change).await?;
            (placed.facts, base) = (amended.facts, amended.base);
            let seen = self.facts_of(&at, &placed.handle).await?.ok_or("the amended message is gone")?;
            hold(seen.read == Some(true), || "a read state that people set fell back".into())?;
            hold(seen.flag == want.flag, || "the flag does not follow the source".into())?;
        }
        Ok(())
    }

    /// What stands there because an earlier amending began it is nobody's decision.
    async fn amended_half(&self) -> Outcome {
        let at = self.ensure(&["Half"], None).await?;
        let placement = self.placement(&at, 23, facts(false)).await?;
        self.amend(&placement, facts(true)).await?;
        let (intent, base, begun) = (IntentId::new("half"), placement.facts.clone(), vec![facts(true)]);
        let change = Amending { intent, placement: placement.clone(), base, begun, want: facts(false) };
        let amended = self.carry_out(change).await?;
        let seen = self.facts_of(&at, &placement.handle).await?.ok_or("the amended message is gone")?;
        let agree = [seen.read, amended.facts.read, amended.base.read];
        hold(agree == [Some(false); 3], || format!("our own change was taken for theirs: {agree:?}"))
    }

    async fn amended_gone(&self) -> Outcome {
        let at = self.ensure(&["Amended"], None).await?;
        let placed = self.placement(&at, 21, facts(false)).await?;
        self.target.withdraw(&placed).await.map_err(said("withdraw"))?;
        let answer = self.amend(&placed, facts(true)).await;
        hold(answer == Err(format!("{:?}", What::Vanished)), || format!("the answer was {answer:?}"))
    }

    async fn relocated(&self) -> Outcome {
        let (from, to) = (self.ensure(&["From"], None).await?, self.ensure(&["To"], None).await?);
        let placed = self.placement(&from, 30, facts(true)).await?;
        self.target.relocate(&placed, &to, None).await.map_err(said("relocate"))?;
        let (left, arrived) = (self.observe(&from).await?, self.observe(&to).await?);
        hold(left.is_empty() && arrived.len() == 1, || {
            format!("{} stand where it was, {} where it went", left.len(), arrived.len())
        })?;
        hold(arrived[0].facts.read == Some(true), || "the read state was lost on the way".into())?;
        hold(arrived[0].facts.received == facts(true).received, || "the date was lost on the way".into())
    }

    async fn withdrawn(&self) -> Outcome {
        let at = self.ensure(&["Withdrawn"], None).await?;
        let touched = self.placement(&at, 40, facts(false)).await?;
        let untouched = self.placement(&at, 41, facts(false)).await?;
        self.amend(&touched, facts(true)).await?;
        let refused = self.target.withdraw(&touched).await.map_err(|fault| fault.what);
        hold(refused == Err(What::Forbidden), || format!("withdrawing what was changed there gave {refused:?}"))?;
        self.target.withdraw(&untouched).await.map_err(said("withdraw"))?;
        let left: Vec<_> = self.observe(&at).await?.into_iter().map(|observed| observed.handle).collect();
        hold(left == [touched.handle], || format!("{} messages are left", left.len()))
    }

    async fn handles_told(&self) -> Outcome {
        let at = self.ensure(&["Handles"], None).await?;
        let batch = (50..53).map(|n| placing(n, facts(false))).collect();
        let placed = self.place(&at, batch).await?;
        let told: BTreeSet<_> = placed.into_iter().filter_map(|placed| placed.handle).collect();
        let seen: BTreeSet<_> = self.observe(&at).await?.into_iter().map(|observed| observed.handle).collect();
        hold(told == seen && told.len() == 3, || format!("told {told:?}, seen {seen:?}"))
    }
}
