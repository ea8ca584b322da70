use super::{Report, Result as CheckResult, hold, said};
use crate::{
    AccountId, Appearance, Collection, CollectionId, Depth, Digest, Facts, Fault, Found, IntentId, NaturalKey,
    Observed, Placed, Placement, Placing, Role, Target, Wanted, What, Workload, memory::HeldBody,
};
use futures::StreamExt;
use std::{collections::BTreeSet, sync::Arc};

type Outcome = Result<(), String>;

/// One workload of one account of a target under test.
struct Subject<'a> {
    target: &'a dyn Target,
    account: &'a AccountId,
    workload: Workload,
}

/// Runs the suite for events, contacts or tasks on one account: it makes collections whose names begin with
/// `Conformance`, which must not exist yet. Such a target may rewrite what it stores: what is compared here is the UID
/// and one text.
pub async fn objects(target: &dyn Target, account: &AccountId, workload: Workload) -> Report {
    let on = Subject { target, account, workload };
    let mut report = Report::default();
    let replaces = match target.traits(account).await {
        Ok(traits) => traits.replaces,
        Err(fault) => {
            report.add("traits_are_told", Err(fault.to_string()));
            return report;
        }
    };
    report.add("ensuring_twice_gives_the_same_collection", on.ensured_twice().await);
    report.add("ensuring_touches_nothing_in_it", on.ensured_again_keeps().await);
    report.add("names_differing_by_separator_or_case_stay_apart", on.names_apart().await);
    report.add("two_of_one_name_stay_apart", on.namesakes_apart().await);
    report.add("what_is_foreseen_is_what_it_is_called", on.foreseen().await);
    report.add("others_are_those_that_are_not_known", on.others_are_told().await);
    report.add("what_is_placed_is_observed", on.placed_is_observed().await);
    report.add("every_intent_of_a_batch_is_answered_once", on.answered_once().await);
    report.add("what_stands_is_found_by_its_key", on.found_by_key().await);
    report.add("odd_uids_are_placed_and_found", on.odd_uids().await);
    report.add("placing_never_overwrites", on.never_overwritten().await);
    report.add("relocating_moves_and_does_not_copy", on.relocated().await);
    report.add("relocating_what_is_gone_says_vanished", on.relocated_gone().await);
    report.add("withdrawing_removes_what_is_as_placed", on.withdrawn().await);
    report.add("what_is_no_object_is_refused_by_itself", on.garbage().await);
    for (name, outcome) in [
        ("replacing_puts_it_in_the_place_of_the_old", on.replaced().await),
        ("replacing_refuses_what_was_changed_there", on.replaced_changed().await),
        ("replacing_what_is_gone_says_vanished", on.replaced_gone().await),
        ("withdrawing_refuses_what_was_changed_there", on.withdrawn_changed().await),
        ("what_was_changed_there_is_theirs_after_a_move", on.relocated_changed().await),
    ] {
        match replaces {
            true => report.add(name, outcome),
            false => report.checks.push((name, CheckResult::LeftOut("the target does not replace"))),
        }
    }
    report
}

/// Facts of an object are in the object.
fn key(workload: Workload, uid: &str, text: &str) -> NaturalKey {
    let body = object(workload, uid, text);
    NaturalKey {
        intent: IntentId::new(uid),
        key: Some(uid.to_owned()),
        digest: Digest::of(body.as_bytes()),
        length: body.len() as u64,
        name: None,
    }
}

/// Something every server takes.
fn object(workload: Workload, uid: &str, text: &str) -> String {
    let lines = match workload {
        Workload::Contacts => format!("BEGIN:VCARD\nVERSION:3.0\nUID:{uid}\nFN:{text}\nN:{text};;;;\nEND:VCARD\n"),
        Workload::Tasks => calendar(&format!(
            "BEGIN:VTODO\nUID:{uid}\nDTSTAMP:20250101T000000Z\nSUMMARY:{text}\nSTATUS:NEEDS-ACTION\nEND:VTODO\n"
        )),
        Workload::Calendar | Workload::Mail | Workload::Files => calendar(&format!(
            "BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20250101T000000Z\nDTSTART:20250301T100000Z\nDTEND:20250301T110000Z\n\
             SUMMARY:{text}\nEND:VEVENT\n"
        )),
    };
    lines.replace('\n', "\r\n")
}

fn calendar(component: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//transhume//conformance//EN\n{component}END:VCALENDAR\n")
}

impl Subject<'_> {
    fn want(&self, names: &[&str], known: Option<CollectionId>) -> Wanted {
        Wanted {
            account: self.account.clone(),
            workload: self.workload,
            path: ["Conformance"].iter().chain(names).map(|&name| name.to_owned()).collect(),
            parent: None,
            role: Role::Ordinary,
            known,
            adopt: false,
            claimed: std::sync::Arc::default(),
            appearance: Appearance { colour: Some("#ff8800".to_owned()), order: Some(7) },
        }
    }

    async fn ensure(&self, names: &[&str], known: Option<CollectionId>) -> Result<Collection, String> {
        self.target.ensure(&self.want(names, known)).await.map_err(said("ensure"))
    }

    /// The UIDs of each check and workload are their own: some servers take a UID once in an account.
    fn uid(&self, uid: &str) -> String {
        format!("{uid}-{}", self.workload)
    }

    fn placing(&self, uid: &str, text: &str) -> Placing {
        let uid = &*self.uid(uid);
        let body = Arc::new(HeldBody::new(object(self.workload, uid, text)));
        let (intent, facts, key) = (IntentId::new(uid), Facts::default(), Some(uid.to_owned()));
        Placing { intent, facts, name: None, key, instead: None, body }
    }

    async fn try_placing(&self, at: &Collection, placing: Placing) -> Result<Result<Placed, Fault>, String> {
        let mut answers: Vec<_> = self.target.place(at, vec![placing]).collect().await;
        hold(answers.len() == 1, || format!("one placing was answered {} times", answers.len()))?;
        Ok(answers.remove(0).1)
    }

    async fn placement(&self, at: &Collection, uid: &str, text: &str) -> Result<Placement, String> {
        let placed = self.try_placing(at, self.placing(uid, text)).await?.map_err(said("place"))?;
        self.placement_of(at, placed, uid, text).await
    }

    async fn placement_of(&self, at: &Collection, placed: Placed, uid: &str, text: &str) -> Result<Placement, String> {
        let handle = match placed.handle {
            Some(handle) => handle,
            None => self.found(at, uid).await?.pop().ok_or("what was placed cannot be found")?.handle,
        };
        let digest = key(self.workload, &self.uid(uid), text).digest;
        Ok(Placement { at: at.clone(), handle, version: placed.version, digest, facts: Facts::default() })
    }

    async fn replace(&self, old: &Placement, uid: &str, text: &str) -> Result<Result<Placed, Fault>, String> {
        let placing = Placing { instead: Some(old.clone()), ..self.placing(uid, text) };
        self.try_placing(&old.at, placing).await
    }

    async fn observe(&self, at: &Collection) -> Result<Vec<Observed>, String> {
        let seen: Vec<_> = self.target.observe(at, Depth::Content.into()).collect().await;
        seen.into_iter().map(|observed| observed.map_err(said("observe"))).collect()
    }

    async fn found(&self, at: &Collection, uid: &str) -> Result<Vec<Found>, String> {
        self.target.find(at, &[key(self.workload, &self.uid(uid), "")]).await.map_err(said("find"))
    }

    /// Whether just one thing stands there, with this UID and this text.
    async fn stands(&self, at: &Collection, uid: &str, text: &str) -> Outcome {
        let seen = self.observe(at).await?;
        hold(seen.len() == 1, || format!("one item was due, {} stand", seen.len()))?;
        hold(says(&seen[0], &self.uid(uid), text), || format!("what stands is not {uid:?} with {text:?}"))
    }

    async fn ensured_twice(&self) -> Outcome {
        let first = self.ensure(&["Twice"], None).await?;
        let second = self.ensure(&["Twice"], Some(first.id.clone())).await?;
        let third = self.ensure(&["Twice"], None).await?;
        hold(first.id == second.id && first.id == third.id, || "ensuring again gave another collection".into())?;
        hold(first.name == third.name, || format!("{:?} became {:?}", first.name, third.name))
    }

    async fn ensured_again_keeps(&self) -> Outcome {
        let at = self.ensure(&["Kept"], None).await?;
        self.placement(&at, "kept-1", "one").await?;
        let again = self.ensure(&["Kept"], Some(at.id.clone())).await?;
        self.stands(&again, "kept-1", "one").await
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

    async fn namesakes_apart(&self) -> Outcome {
        let first = self.ensure(&["Namesake"], None).await?;
        self.placement(&first, "namesake-1", "one").await?;
        let claimed = Arc::new(BTreeSet::from([first.id.clone()]));
        let want = Wanted { claimed: Arc::clone(&claimed), ..self.want(&["Namesake"], None) };
        let second = self.target.ensure(&want).await.map_err(said("ensure"))?;
        hold(second.id != first.id, || "a second one of its name fell onto the first".into())?;
        hold(self.observe(&second).await?.is_empty(), || "the second one is not empty".into())?;
        let known = Wanted { claimed, ..self.want(&["Namesake"], Some(first.id.clone())) };
        let again = self.target.ensure(&known).await.map_err(said("ensure"))?;
        hold(again.id == first.id, || "the first one was not found again".into())
    }

    async fn foreseen(&self) -> Outcome {
        let want = self.want(&["Foreseen & <new>"], None);
        let foreseen = self.target.foresee(&want).await.map_err(said("foresee"))?;
        let made = self.target.ensure(&want).await.map_err(said("ensure"))?;
        let told = foreseen.name.clone();
        hold(!foreseen.sure || made.name == told, || format!("{told:?} was foreseen, {:?} made", made.name))?;
        let others = self.target.others(self.account, self.workload, &[]).await.map_err(said("others"))?;
        let listed = others.into_iter().find(|other| other.id == made.id).ok_or("what was made is not listed")?;
        hold(listed.name == made.name, || format!("{:?} was made, {:?} is listed", made.name, listed.name))
    }

    async fn others_are_told(&self) -> Outcome {
        let (ours, theirs) = (self.ensure(&["Ours"], None).await?, self.ensure(&["Theirs"], None).await?);
        let others = self.target.others(self.account, self.workload, std::slice::from_ref(&ours.id)).await;
        let others = others.map_err(said("others"))?;
        let told = others.iter().any(|other| other.id == theirs.id);
        hold(told, || "what is not known was not told".into())?;
        hold(others.iter().all(|other| other.id != ours.id), || "what is known was told as another".into())
    }

    async fn placed_is_observed(&self) -> Outcome {
        let at = self.ensure(&["Placed"], None).await?;
        let uids: Vec<String> = (1..=5).map(|n| format!("placed-{n}")).collect();
        let batch = uids.iter().map(|uid| self.placing(uid, uid)).collect();
        let placed: Vec<_> = self.target.place(&at, batch).collect().await;
        let mut told = BTreeSet::new();
        for (_, placed) in placed {
            let placed = placed.map_err(said("place"))?;
            told.insert((placed.handle, placed.version));
        }
        let seen = self.observe(&at).await?;
        hold(seen.len() == 5, || format!("5 were placed, {} are seen", seen.len()))?;
        for uid in &uids {
            hold(seen.iter().any(|one| says(one, &self.uid(uid), uid)), || {
                format!("{uid} is not seen as it was sent")
            })?;
        }
        let seen: BTreeSet<_> = seen.into_iter().map(|one| (Some(one.handle), one.version)).collect();
        hold(told == seen, || format!("told {told:?}, seen {seen:?}"))?;
        let shallow: Vec<_> = self.target.observe(&at, Depth::Shape.into()).collect().await;
        hold(shallow.len() == 5 && shallow.iter().all(Result::is_ok), || "their shapes are not all seen".into())
    }

    async fn answered_once(&self) -> Outcome {
        let at = self.ensure(&["Answered"], None).await?;
        let batch: Vec<_> = (0..30).map(|n| self.placing(&format!("answered-{n}"), "x")).collect();
        let asked: BTreeSet<_> = batch.iter().map(|placing| placing.intent.clone()).collect();
        let answers: Vec<_> = self.target.place(&at, batch).collect().await;
        let answered: BTreeSet<_> = answers.iter().map(|(intent, _)| intent.clone()).collect();
        hold(answers.len() == asked.len() && answered == asked, || "answers do not match intents".into())?;
        hold(answers.iter().all(|(_, answer)| answer.is_ok()), || "not all of a batch were placed".into())?;
        let none: Vec<_> = self.target.place(&at, Vec::new()).collect().await;
        hold(none.is_empty(), || "an empty batch was answered".into())
    }

    async fn found_by_key(&self) -> Outcome {
        let at = self.ensure(&["Found"], None).await?;
        hold(self.found(&at, "found-1").await?.is_empty(), || "something was found in an empty collection".into())?;
        let placed = self.placement(&at, "found-1", "one").await?;
        self.placement(&at, "found-10", "ten").await?;
        let found = self.found(&at, "found-1").await?;
        hold(found.len() == 1 && found[0].handle == placed.handle, || format!("{} were found", found.len()))?;
        hold(found[0].version == placed.version, || "it was found in another version".into())?;
        hold(self.found(&at, "found").await?.is_empty(), || "something that was never placed was found".into())
    }

    async fn odd_uids(&self) -> Outcome {
        let at = self.ensure(&["Odd"], None).await?;
        let long = "0123456789".repeat(22);
        for uid in ["a@b.example", "a:b?c#d/e", "{braces} and blanks", "Ümläut", ".dot", long.as_str()] {
            let placed = self.placement(&at, uid, "odd").await.map_err(|why| format!("{uid}: {why}"))?;
            let found = self.found(&at, uid).await?;
            let own = found.len() == 1 && found[0].handle == placed.handle;
            hold(own, || format!("{uid:?} was found {} times", found.len()))?;
        }
        Ok(())
    }

    async fn never_overwritten(&self) -> Outcome {
        let at = self.ensure(&["Again"], None).await?;
        self.placement(&at, "again-1", "first").await?;
        let again = self.try_placing(&at, self.placing("again-1", "second")).await?;
        let refused = again.map(|_| "placed it").map_err(|fault| fault.what);
        hold(refused == Err(What::Exists), || format!("placing it again gave {refused:?}"))?;
        self.stands(&at, "again-1", "first").await
    }

    async fn relocated(&self) -> Outcome {
        let (from, to) = (self.ensure(&["From"], None).await?, self.ensure(&["To"], None).await?);
        let placed = self.placement(&from, "moved-1", "one").await?;
        let moved = self.target.relocate(&placed, &to, None).await.map_err(said("relocate"))?;
        hold(self.observe(&from).await?.is_empty(), || "it still stands where it was".into())?;
        self.stands(&to, "moved-1", "one").await?;
        let moved = self.placement_of(&to, moved, "moved-1", "one").await?;
        self.target.withdraw(&moved).await.map_err(said("withdraw after a move"))?;
        Ok(())
    }

    async fn relocated_gone(&self) -> Outcome {
        let (from, to) = (self.ensure(&["Gone"], None).await?, self.ensure(&["To"], None).await?);
        let placed = self.placement(&from, "gone-1", "one").await?;
        self.target.withdraw(&placed).await.map_err(said("withdraw"))?;
        let answer = self.target.relocate(&placed, &to, None).await.map(|_| ()).map_err(|fault| fault.what);
        hold(answer == Err(What::Vanished), || format!("the answer was {answer:?}"))
    }

    /// What people wrote into goes along, and is still seen to differ from what was placed.
    async fn relocated_changed(&self) -> Outcome {
        let (from, to) = (self.ensure(&["Moved from"], None).await?, self.ensure(&["Moved to"], None).await?);
        let placed = self.placement(&from, "moved-2", "one").await?;
        self.replace(&placed, "moved-2", "theirs").await?.map_err(said("replace"))?;
        let moved = self.target.relocate(&placed, &to, None).await.map_err(said("relocate"))?;
        let handle = moved.handle.ok_or("a target that replaces told no handle")?;
        let moved = Placement { at: to.clone(), handle, version: moved.version, ..placed };
        let answer = self.replace(&moved, "moved-2", "ours").await?.map(|_| ()).map_err(|fault| fault.what);
        hold(answer == Err(What::Forbidden), || format!("replacing it was answered {answer:?}"))?;
        let answer = self.target.withdraw(&moved).await.map(|_| ()).map_err(|fault| fault.what);
        hold(answer == Err(What::Forbidden), || format!("removing it was answered {answer:?}"))?;
        self.stands(&to, "moved-2", "theirs").await
    }

    async fn replaced(&self) -> Outcome {
        let at = self.ensure(&["Replaced"], None).await?;
        let old = self.placement(&at, "replaced-1", "old").await?;
        let placed = self.replace(&old, "replaced-1", "new").await?.map_err(said("replace"))?;
        self.stands(&at, "replaced-1", "new").await?;
        let new = self.placement_of(&at, placed, "replaced-1", "new").await?;
        self.replace(&new, "replaced-1", "newer").await?.map_err(said("replace again"))?;
        self.stands(&at, "replaced-1", "newer").await
    }

    async fn replaced_changed(&self) -> Outcome {
        let at = self.ensure(&["Changed"], None).await?;
        let old = self.placement(&at, "changed-1", "old").await?;
        self.replace(&old, "changed-1", "theirs").await?.map_err(said("replace"))?;
        let answer = self.replace(&old, "changed-1", "ours").await?.map(|_| ()).map_err(|fault| fault.what);
        hold(answer == Err(What::Forbidden), || format!("the answer was {answer:?}"))?;
        self.stands(&at, "changed-1", "theirs").await
    }

    async fn replaced_gone(&self) -> Outcome {
        let at = self.ensure(&["Deleted"], None).await?;
        let old = self.placement(&at, "deleted-1", "old").await?;
        self.target.withdraw(&old).await.map_err(said("withdraw"))?;
        let answer = self.replace(&old, "deleted-1", "new").await?.map(|_| ()).map_err(|fault| fault.what);
        hold(answer == Err(What::Vanished), || format!("the answer was {answer:?}"))?;
        hold(self.observe(&at).await?.is_empty(), || "what was deleted there stands again".into())
    }

    async fn withdrawn(&self) -> Outcome {
        let at = self.ensure(&["Withdrawn"], None).await?;
        let placed = self.placement(&at, "withdrawn-1", "one").await?;
        self.placement(&at, "withdrawn-2", "two").await?;
        self.target.withdraw(&placed).await.map_err(said("withdraw"))?;
        self.stands(&at, "withdrawn-2", "two").await
    }

    async fn withdrawn_changed(&self) -> Outcome {
        let at = self.ensure(&["Touched"], None).await?;
        let old = self.placement(&at, "touched-1", "old").await?;
        self.replace(&old, "touched-1", "theirs").await?.map_err(said("replace"))?;
        let answer = self.target.withdraw(&old).await.map(|_| ()).map_err(|fault| fault.what);
        hold(answer == Err(What::Forbidden), || format!("the answer was {answer:?}"))?;
        self.stands(&at, "touched-1", "theirs").await
    }

    /// One that the target refuses costs the others of its batch nothing; one that it takes is seen.
    async fn garbage(&self) -> Outcome {
        let at = self.ensure(&["Garbage"], None).await?;
        let body = Arc::new(HeldBody::new("this is no object\r\n".to_owned()));
        let bad = Placing { body, key: Some("bad".to_owned()), ..self.placing("garbage-bad", "") };
        let batch = vec![self.placing("garbage-1", "one"), bad, self.placing("garbage-2", "two")];
        let answers: Vec<_> = self.target.place(&at, batch).collect().await;
        for (intent, answer) in &answers {
            let good = *intent != IntentId::new(self.uid("garbage-bad"));
            hold(!good || answer.is_ok(), || format!("{intent:?} was refused for another's fault"))?;
            let itself = answer.as_ref().err().is_none_or(|fault| fault.reach == crate::Reach::Item);
            hold(itself, || "one that is no object reaches further than itself".into())?;
        }
        let placed = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        let seen = self.observe(&at).await?.len();
        hold(placed == seen, || format!("{placed} were placed, {seen} are seen"))
    }
}

/// Whether what stands says so, however it was written.
fn says(observed: &Observed, uid: &str, text: &str) -> bool {
    let content = observed.content.clone().unwrap_or_default();
    let unfolded = String::from_utf8_lossy(&content).replace("\r\n ", "").replace("\n ", "");
    unfolded.contains(uid) && (text.is_empty() || unfolded.contains(text))
}
