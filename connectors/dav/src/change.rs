//! Moving and withdrawing what stands.

use crate::{
    account::Link,
    answer::Answer,
    ask::{self, If},
    faults,
    homes::Home,
    lines,
    paths::below,
    place::{gone_or_changed, weighed},
    read::Reader,
    server::Kind,
};
use std::collections::HashSet;
use transhume_contract::{
    Amended, Amending, Collection, Fault, Handle, IntentId, Loss, Placed, Placement, Reach, Scheduling, Version, What,
};

/// Nothing of an event, a contact or a task lives beside its object: amending only looks whether it is still there.
pub async fn amend(reader: &Reader, changes: Vec<Amending>) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
    let (listed, _) = reader.list().await?;
    let names: HashSet<String> = listed.into_iter().map(|one| one.name).collect();
    let answer = |change: Amending| match names.contains(change.placement.handle.as_str()) {
        true => Ok(Amended {
            facts: change.placement.facts,
            base: change.want,
            changed_there: Vec::new(),
            losses: Vec::new(),
        }),
        false => Err(faults::item_vanished()),
    };
    Ok(changes.into_iter().map(|change| (change.intent.clone(), answer(change))).collect())
}

/// Moves with MOVE, else by placing a copy and removing what it was made from.
pub async fn relocate(
    link: &Link,
    home: &Home,
    what: &Placement,
    (to, copy): (&Collection, Option<&Handle>),
) -> Result<Placed, Fault> {
    let (from, into) = (Reader::of(link.clone(), &what.at), Reader::of(link.clone(), to));
    if let Some(copy) = copy {
        remove_source(&from, home, what).await?;
        // In the version that it was found in, which whoever found it knows.
        return Ok(Placed { handle: Some(copy.clone()), ..Placed::default() });
    }
    let name = what.handle.as_str();
    let stood = from.etag(name).await?.ok_or_else(faults::item_vanished)?;
    let (answer, stood) = moved(link, (&from, &into), name, stood).await?;
    match answer.inner_status() {
        201 | 204 => {
            let told = answer.etag();
            let stands = match &told {
                Some(etag) => etag.clone(),
                None => arrived(&into, name).await?,
            };
            Ok(placed(name, version(what, &stood, told, &stands)))
        }
        404 | 410 => Err(faults::item_vanished()),
        405 | 501 => by_copy(home, (&from, &into), what).await,
        _ => {
            let fault = faults::unwritten(&link.place(), "to move the item", &answer);
            let here = weighed(fault, &answer, &from, (name, Some(&stood))).await;
            Err(weighed(here, &answer, &into, (name, None)).await)
        }
    }
}

/// What was looked at is what is moved, on servers that heed the condition; with the answer comes the ETag that it had.
/// A refusal that no item in the way explains is of one who changed it in that moment: then what he wrote is what is
/// moved, and his it stays. Or it is of a server that compares otherwise: without the condition, then.
async fn moved(link: &Link, way: (&Reader, &Reader), name: &str, stood: String) -> Result<(Answer, String), Fault> {
    let answer = try_to_move(link, way, name, Some(&stood)).await?;
    let refused = answer.inner_status() == 412 && answer.complaint().conditions.is_empty();
    if !refused || way.1.etag(name).await?.is_some() {
        return Ok((answer, stood));
    }
    let stands = way.0.etag(name).await?.ok_or_else(faults::item_vanished)?;
    let changed = (stands != stood).then_some(stands.as_str());
    Ok((try_to_move(link, way, name, changed).await?, stands))
}

async fn try_to_move(
    link: &Link,
    (from, into): (&Reader, &Reader),
    name: &str,
    etag: Option<&str>,
) -> Result<Answer, Fault> {
    let target = link.base().join(&below(&into.path, name)).map_err(|_| faults::item_vanished())?;
    let ask = ask::relocate(&below(&from.path, name), target.as_str(), etag);
    link.write(&ask, &into.path).await
}

/// The version of what was moved. Where people had written into it, it is still to be seen to differ from what was
/// placed. An ETag that is a new one, and that only a later question told, may be that of somebody's next change:
/// then nobody knows the version, and what stands there is to be read and compared.
fn version(what: &Placement, stood: &str, told: Option<String>, stands: &str) -> Option<Version> {
    let is = |etag: &str| what.version.as_ref().is_some_and(|version| version.as_str() == etag);
    let ours = is(stood);
    let told = told.filter(|_| ours).map(Version::new);
    told.or_else(|| what.version.clone().filter(|_| is(stands) == ours))
}

fn placed(name: &str, version: Option<Version>) -> Placed {
    Placed { handle: Some(Handle::new(name)), version, ..Placed::default() }
}

/// The ETag of what arrived.
async fn arrived(into: &Reader, name: &str) -> Result<String, Fault> {
    let etag = into.etag(name).await.map_err(Fault::outcome_unknown)?;
    etag.ok_or_else(|| Fault::new(What::Vanished, "What was moved is not where it went.").outcome_unknown())
}

/// What stands there may be people's: it is written and removed only where the server tells nobody of either.
async fn by_copy(home: &Home, (from, into): (&Reader, &Reader), what: &Placement) -> Result<Placed, Fault> {
    let (link, name) = (&from.link, what.handle.as_str());
    let held = from.content(name).await?.ok_or_else(faults::item_vanished)?;
    if let Some(why) = lines::would_invite(&held.content, home.scheduling(), &home.addresses) {
        return Err(faults::would_tell(home.server.name(), &why));
    }
    let put = ask::put(&below(&into.path, name), into.workload, held.content, If::Nothing);
    let answer = link.write(&put, &into.path).await?;
    if !answer.stored() {
        let fault = faults::unwritten(&link.place(), "a copy of the item", &answer);
        return Err(weighed(fault, &answer, into, (name, None)).await);
    }
    let stood = Placement { version: held.etag.clone().map(Version::new), ..what.clone() };
    remove_source(from, home, &stood).await.map_err(Fault::outcome_unknown)?;
    let (stood, told) = (held.etag.unwrap_or_default(), answer.etag());
    let stands = told.clone().unwrap_or_default();
    Ok(placed(name, version(what, &stood, told, &stands)))
}

/// What it was made from, if it still stands.
async fn remove_source(from: &Reader, home: &Home, what: &Placement) -> Result<(), Fault> {
    match withdraw_silently(from, home, what).await {
        Err(fault) if fault.what == What::Vanished && fault.reach == Reach::Item => Ok(()),
        outcome => outcome,
    }
}

/// Removes what still stands as it was placed. Nextcloud keeps it in its trash, and its UID with it.
pub async fn withdraw(link: &Link, home: &Home, what: &Placement) -> Result<Vec<Loss>, Fault> {
    withdraw_silently(&Reader::of(link.clone(), &what.at), home, what).await?;
    let detail = "it lies in the calendar's trash, where its UID stays taken until the trash is emptied";
    let trashed = home.server.kind == Kind::Nextcloud;
    Ok(trashed.then(|| Loss::new("left_in_trash", detail)).into_iter().collect())
}

async fn withdraw_silently(from: &Reader, home: &Home, what: &Placement) -> Result<(), Fault> {
    if home.scheduling() == Scheduling::NoOrganizer {
        without_people(from, home, what.handle.as_str()).await?;
    }
    withdraw_from(from, what).await
}

/// A server that heeds no mark and no header mails a cancellation for what it deletes: an event that got its people
/// before the server wrote to them (Xandikos, once it learns an address) stays where it is.
async fn without_people(from: &Reader, home: &Home, name: &str) -> Result<(), Fault> {
    let held = from.content(name).await?.ok_or_else(faults::item_vanished)?;
    match lines::has_people(&held.content) {
        true => Err(faults::would_cancel(home.server.name())),
        false => Ok(()),
    }
}

async fn withdraw_from(from: &Reader, what: &Placement) -> Result<(), Fault> {
    let Some(version) = &what.version else { return Err(faults::changed_there()) };
    let name = what.handle.as_str();
    let answer = from.link.write(&ask::delete(&below(&from.path, name), version.as_str()), &from.path).await?;
    match answer.inner_status() {
        _ if answer.removed() => Ok(()),
        404 | 410 => Err(faults::item_vanished()),
        409 | 412 => Err(gone_or_changed(from, name).await?),
        _ => unconfirmed(from, (name, version.as_str()), &answer).await,
    }
}

/// What came of a removal whose answer does not say that it was done: what is gone is as it was to be.
async fn unconfirmed(from: &Reader, (name, version): (&str, &str), answer: &Answer) -> Result<(), Fault> {
    let fault = faults::unwritten(&from.link.place(), "to remove the item", answer);
    if !answer.is_doubtful() {
        return Err(fault);
    }
    match from.etag(name).await {
        Ok(None) => Ok(()),
        Ok(Some(stands)) if stands == version => Err(fault),
        Ok(Some(_)) => Err(faults::changed_there()),
        Err(_) => Err(fault.outcome_unknown()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use transhume_contract::{Digest, Facts, Role, Size, Workload};

    fn placement(version: Option<&str>) -> Placement {
        let at = Collection {
            account: transhume_contract::AccountId::new("ann"),
            workload: Workload::Calendar,
            id: transhume_contract::CollectionId::new("/ann/office/"),
            parent: None,
            name: "Work".to_owned(),
            role: Role::Ordinary,
            hidden: false,
            expected: Size::default(),
            appearance: transhume_contract::Appearance::default(),
        };
        let (version, digest) = (version.map(Version::new), Digest::of(b""));
        Placement { at, handle: Handle::new("x.ics"), version, digest, facts: Facts::default() }
    }

    #[test]
    fn after_a_move_only_what_is_known_to_be_ours_is_ours() {
        let of = |placed: Option<&str>, stood: &str, told: Option<&str>, stands: &str| {
            version(&placement(placed), stood, told.map(str::to_owned), stands).map(|one| one.as_str().to_owned())
        };
        let is = |version: &str| Some(version.to_owned());
        assert_eq!(of(Some("1"), "1", None, "1"), is("1"), "nobody changed it, and it kept its ETag");
        assert_eq!(of(Some("1"), "1", Some("9"), "9"), is("9"), "the answer to the move told a new one");
        assert_eq!(of(Some("1"), "1", None, "9"), None, "of a server, or of somebody since");
        assert_eq!(of(Some("1"), "2", None, "2"), is("1"), "people had changed it");
        assert_eq!(of(Some("1"), "2", Some("9"), "9"), is("1"), "whatever it was told");
        assert_eq!(of(Some("1"), "2", None, "1"), None, "a server that counts from the beginning");
        assert_eq!(of(None, "2", Some("2"), "2"), None, "nobody knew it before");
    }
}
