//! What changes a message that stands: flags, moving, withdrawing.

use crate::{
    bodies, faults,
    flags::{Flags, as_placed, refused_keyword, sayable},
    handle,
    link::{Answer, Link, quoted},
    observe::{Seen, read_shapes},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use transhume_contract::{
    Amended, Amending, Facts, Fault, Handle, IntentId, Known, Loss, Placed, Placement, Reach, What,
};

/// Messages in one command.
const AT_ONCE: usize = 500;

type Amendings = Vec<(IntentId, Result<Amended, Fault>)>;

/// Amends messages of the selected mailbox: reads what stands, merges, and sets each difference once for all messages
/// that share it.
pub async fn amend(link: &mut Link, validity: u32, changes: Vec<Amending>) -> Result<Amendings, Fault> {
    let mut answers = Vec::with_capacity(changes.len());
    let mut rest = changes;
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(AT_ONCE));
        answers.extend(amend_some(link, validity, rest).await?);
        rest = later;
    }
    Ok(answers)
}

async fn amend_some(link: &mut Link, validity: u32, changes: Vec<Amending>) -> Result<Amendings, Fault> {
    let standing = standing(link, validity, changes.iter().map(|change| &change.placement.handle)).await?;
    let mut plan = Plan::default();
    let mut merged = Vec::with_capacity(changes.len());
    for change in changes {
        let there = handle::read(&change.placement.handle).ok().and_then(|(_, uid)| standing.get(&uid));
        merged.push((change.intent.clone(), there.map(|seen| (seen.uid, plan.add(&change, seen)))));
    }
    let (refused, taken) = plan.carry_out(link).await?;
    let place = link.place().to_owned();
    let answer = |found: Option<(u32, Amended)>| match found {
        Some((uid, amended)) => settle(&place, uid, amended, &refused).map_err(|fault| match taken.contains(&uid) {
            // A part of it stands there.
            true => fault.outcome_unknown(),
            false => fault,
        }),
        None => Err(faults::item_vanished()),
    };
    Ok(merged.into_iter().map(|(intent, found)| (intent, answer(found))).collect())
}

/// The messages that stand, by UID.
async fn standing<'a>(
    link: &mut Link,
    validity: u32,
    handles: impl Iterator<Item = &'a Handle>,
) -> Result<HashMap<u32, Seen>, Fault> {
    let read = handles.filter_map(|handle| handle::read(handle).ok());
    let uids: Vec<u32> = read.filter(|(theirs, _)| *theirs == validity).map(|(_, uid)| uid).collect();
    if uids.is_empty() {
        return Ok(HashMap::new());
    }
    let seen = read_shapes(link, &handle::set(&uids), "(UID FLAGS)").await?;
    Ok(seen.into_iter().map(|message| (message.uid, message)).collect())
}

/// The STORE commands to send: an operation and the UIDs it is for.
#[derive(Default)]
struct Plan {
    stores: BTreeMap<String, Vec<u32>>,
}

impl Plan {
    /// Merges one change and notes what it needs.
    fn add(&mut self, change: &Amending, seen: &Seen) -> Amended {
        let spelling = Spelling::of(change);
        let (want, there) = (spelling.ours(&sayable(&change.want)), spelling.ours(&seen.facts));
        let merge = want.merge(&spelling.known(change), &there);
        let mut facts = there.clone();
        facts.apply(&merge.set);
        let (want, have) = (names(&Flags::of(&facts)), names(&Flags::of(&there)));
        self.note("+", seen.uid, want.difference(&have));
        self.note("-", seen.uid, have.difference(&want));
        facts.received = change.placement.facts.received;
        let changed_there = merge.changed_there.iter().map(|field| (*field).to_owned()).collect();
        Amended { facts, base: merge.base, changed_there, losses: Flags::of(&change.want).losses }
    }

    fn note<'a>(&mut self, sign: &str, uid: u32, flags: impl Iterator<Item = &'a String>) {
        for flag in flags {
            self.stores.entry(format!("{sign}FLAGS.SILENT ({flag})")).or_default().push(uid);
        }
    }

    /// Sends the commands; gives those the server refused, and the UIDs for which it took another one.
    async fn carry_out(self, link: &mut Link) -> Result<(Vec<Refused>, BTreeSet<u32>), Fault> {
        let (mut refused, mut taken) = (Vec::new(), BTreeSet::new());
        for (operation, uids) in self.stores {
            let answer = link.ask(&format!("UID STORE {} {operation}", handle::set(&uids)), |_| {}).await?;
            if answer.ok {
                taken.extend(uids);
            } else {
                refused.push(Refused { operation, uids, answer });
            }
        }
        Ok((refused, taken))
    }
}

/// A STORE the server said no to.
struct Refused {
    operation: String,
    uids: Vec<u32>,
    answer: Answer,
}

impl Refused {
    /// The keyword it would have added.
    fn keyword(&self) -> Option<&str> {
        let flag = self.operation.strip_prefix("+FLAGS.SILENT (")?.strip_suffix(')')?;
        (!flag.starts_with('\\') && flag != "$Forwarded").then_some(flag)
    }
}

fn names(flags: &Flags) -> BTreeSet<String> {
    flags.system.iter().map(|name| (*name).to_owned()).chain(flags.keywords.iter().cloned()).collect()
}

/// Keywords differ by case on no server, and come back in the spelling the mailbox saw first: one spelling for each.
struct Spelling<'a>(Vec<&'a String>);

impl<'a> Spelling<'a> {
    /// That of what is wanted; of what is not, the one it was placed in.
    fn of(change: &'a Amending) -> Self {
        let known = [&change.want, &change.base, &change.placement.facts].into_iter().chain(&change.begun);
        Self(known.flat_map(|facts| &facts.categories).flatten().collect())
    }

    fn ours(&self, facts: &Facts) -> Facts {
        let spelled = |keyword: &String| {
            let known = self.0.iter().find(|known| known.eq_ignore_ascii_case(keyword));
            known.map_or_else(|| keyword.clone(), |known| (*known).clone())
        };
        let categories = facts.categories.as_ref().map(|keywords| keywords.iter().map(spelled).collect());
        Facts { categories, ..facts.clone() }
    }

    /// What is known of a message, as flags can say it.
    fn known(&self, change: &Amending) -> Known {
        let said = |facts: &Facts| self.ours(&as_placed(facts));
        let begun = change.begun.iter().map(|begun| self.ours(&sayable(begun))).collect();
        Known { base: said(&change.base), stood: said(&change.placement.facts), begun }
    }
}

/// A refused keyword is a named loss; a refused system flag is a fault.
fn settle(place: &str, uid: u32, mut amended: Amended, refused: &[Refused]) -> Result<Amended, Fault> {
    for refusal in refused.iter().filter(|refusal| refusal.uids.contains(&uid)) {
        let Some(keyword) = refusal.keyword() else {
            return Err(faults::refused(place, "a change of flags", &refusal.answer));
        };
        // It stands there for nobody, so that it is tried, and named as lost, again.
        for facts in [&mut amended.facts, &mut amended.base] {
            facts.categories.get_or_insert_default().retain(|standing| standing != keyword);
        }
        amended.losses.push(refused_keyword(keyword, &refusal.answer.text));
    }
    Ok(amended)
}

/// Whether a message of the selected mailbox stands, with its flags and size.
async fn one(link: &mut Link, validity: u32, what: &Placement) -> Result<Seen, Fault> {
    let (theirs, uid) = handle::read(&what.handle)?;
    if theirs != validity {
        return Err(faults::item_vanished());
    }
    let seen = read_shapes(link, &uid.to_string(), "(UID FLAGS RFC822.SIZE)").await?;
    seen.into_iter().find(|message| message.uid == uid).ok_or_else(faults::item_vanished)
}

/// Moves a message from the selected mailbox, or, where an earlier attempt left a copy, removes what it was made from.
/// The handle is unknown where the server tells no COPYUID. `Ok(Err(answer))` is a refusal: nothing was done.
pub async fn relocate(
    link: &mut Link,
    validity: u32,
    what: &Placement,
    to: &str,
    copy: Option<&Handle>,
) -> Result<Result<Placed, Answer>, Fault> {
    let uid = one(link, validity, what).await?.uid;
    if let Some(copy) = copy {
        let losses = remove(link, uid).await.map_err(half_done)?;
        return Ok(Ok(Placed { handle: Some(copy.clone()), losses, ..Placed::default() }));
    }
    let moves = link.can("MOVE");
    let verb = if moves { "MOVE" } else { "COPY" };
    let answer = link.ask(&format!("UID {verb} {uid} {}", quoted(to)), |_| {}).await.map_err(half_done)?;
    if !answer.ok {
        return Ok(Err(answer));
    }
    let losses = if moves { Vec::new() } else { remove(link, uid).await.map_err(half_done)? };
    let told = answer.uids.filter(|told| told.sources == [uid]);
    let handle = told.and_then(|told| Some(handle::make(told.validity, *told.uids.first()?)));
    Ok(Ok(Placed { handle, losses, ..Placed::default() }))
}

/// A move may stand between its two steps: looking for the copy decides. Other messages can still be moved.
fn half_done(fault: Fault) -> Fault {
    fault.reaching(Reach::Item).outcome_unknown()
}

/// Removes one message and no other: a plain EXPUNGE would take along what people marked as deleted, so without
/// UIDPLUS the message is only marked, and that is said.
async fn remove(link: &mut Link, uid: u32) -> Result<Vec<Loss>, Fault> {
    let doing = "to remove a message";
    link.order(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"), doing, |_| {}).await?;
    if link.can("UIDPLUS") {
        link.order(&format!("UID EXPUNGE {uid}"), doing, |_| {}).await?;
        return Ok(Vec::new());
    }
    let detail = "the server has no UIDPLUS: the message is marked as deleted and goes with the next expunge";
    Ok(vec![Loss::new("marked_deleted", detail)])
}

/// Removes a message of ours that nobody changed since.
pub async fn withdraw(link: &mut Link, validity: u32, what: &Placement) -> Result<Vec<Loss>, Fault> {
    let seen = one(link, validity, what).await?;
    let base = as_placed(&what.facts);
    if Spelling(base.categories.iter().flatten().collect()).ours(&seen.facts) != base {
        return Err(changed_there("its flags were changed"));
    }
    let digests = bodies::digests(link, &[(seen.uid, seen.size.unwrap_or(u64::MAX))]).await?;
    if digests.get(&seen.uid) != Some(&what.digest) {
        return Err(changed_there("its bytes are not those that were placed"));
    }
    remove(link, seen.uid).await
}

fn changed_there(why: &str) -> Fault {
    Fault::new(What::Forbidden, format!("The message was placed by us, but {why} there since; it is left alone."))
        .ask("Delete it on the mail server by hand if it shall go.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use transhume_contract::{AccountId, Appearance, Collection, CollectionId, Digest, Role, Size, Workload};

    fn keywords(list: &[&str]) -> Facts {
        Facts { categories: Some(list.iter().map(|word| (*word).to_owned()).collect()), ..Facts::default() }
    }

    fn change(base: &Facts, stood: &Facts, begun: Vec<Facts>, want: &Facts) -> Amending {
        let at = Collection {
            account: AccountId::new("anna"),
            workload: Workload::Mail,
            id: CollectionId::new("1"),
            parent: None,
            name: "Inbox".into(),
            role: Role::Inbox,
            hidden: false,
            expected: Size::default(),
            appearance: Appearance::default(),
        };
        let placement =
            Placement { at, handle: Handle::new("1"), version: None, digest: Digest::of(b""), facts: stood.clone() };
        Amending { intent: IntentId::new("1"), placement, base: base.clone(), begun, want: want.clone() }
    }

    /// The commands for one message with these keywords, and what comes of them.
    fn planned(change: &Amending, standing: &[&str]) -> (Vec<String>, Amended) {
        let seen = Seen { uid: 1, facts: as_placed(&keywords(standing)), ..Seen::default() };
        let mut plan = Plan::default();
        let amended = plan.add(change, &seen);
        (plan.stores.into_keys().collect(), amended)
    }

    #[test]
    fn keywords_are_one_whatever_their_case() {
        let (base, want) = (keywords(&["blau"]), keywords(&["Blau"]));
        let (stores, amended) = planned(&change(&base, &base, Vec::new(), &want), &["BLAU", "other"]);
        assert_eq!(stores, Vec::<String>::new());
        assert_eq!(amended.facts.categories, keywords(&["Blau", "other"]).categories);
        assert_eq!(amended.base.categories, want.categories);
    }

    #[test]
    fn a_change_cut_in_half_is_finished_and_a_decision_of_people_stays() {
        let (base, want) = (keywords(&["Rot"]), keywords(&["Blau"]));
        for half in [&["Rot", "Blau"][..], &[], &["Rot"], &["Blau"]] {
            let (_, amended) = planned(&change(&base, &base, vec![want.clone()], &want), half);
            assert_eq!(
                (amended.facts.categories, amended.base.categories),
                (want.categories.clone(), want.categories.clone())
            );
            // The source takes it back before anybody could finish it.
            let (_, amended) = planned(&change(&base, &base, vec![want.clone()], &base), half);
            assert_eq!(
                (amended.facts.categories, amended.base.categories),
                (base.categories.clone(), base.categories.clone())
            );
        }
        let (stores, amended) = planned(&change(&base, &base, vec![want.clone()], &want), &["Rot", "eigen"]);
        assert_eq!(stores, ["+FLAGS.SILENT (Blau)", "-FLAGS.SILENT (Rot)"]);
        assert_eq!(amended.facts.categories, keywords(&["Blau", "eigen"]).categories);
        assert_eq!(amended.base.categories, want.categories);
        assert_eq!(amended.changed_there, Vec::<String>::new(), "their own keyword is no refusal of ours");
    }

    #[test]
    fn a_refused_keyword_is_a_loss_only_where_it_was_wanted() {
        let answer = Answer { text: "Too many user flags in mailbox".into(), ..Answer::default() };
        let refused = [Refused { operation: "+FLAGS.SILENT (Rot)".into(), uids: vec![3], answer }];
        let amended =
            Amended { facts: keywords(&["Rot"]), base: keywords(&["Rot"]), changed_there: vec![], losses: vec![] };
        let without = settle("h", 3, amended.clone(), &refused).unwrap();
        assert_eq!((without.losses.len(), &without.facts, &without.base), (1, &keywords(&[]), &keywords(&[])));
        assert_eq!(settle("h", 4, amended.clone(), &refused), Ok(amended));
    }
}
