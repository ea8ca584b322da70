//! Moving and withdrawing what stands.

use crate::{
    account::Link,
    ask::{self, If},
    faults,
    paths::below,
    place::gone_or_changed,
    read::Reader,
    server::Kind,
};
use std::collections::HashSet;
use transhume_contract::{
    Amended, Amending, Collection, Fault, Handle, IntentId, Loss, Outcome, Placed, Placement, Reach, Version, What,
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
pub async fn relocate(link: &Link, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
    let (from, into) = (Reader::of(link.clone(), &what.at), Reader::of(link.clone(), to));
    if let Some(copy) = copy {
        remove_source(&from, what).await?;
        return arrived(&into, copy.as_str()).await;
    }
    let name = what.handle.as_str();
    let path = below(&into.path, name);
    let target = link.base().join(&path).map_err(|_| faults::item_vanished())?;
    let answer = link.send(&ask::relocate(&below(&from.path, name), target.as_str())).await;
    let answer = answer.inspect_err(|fault| lost(link, &into, fault))?;
    match answer.inner_status() {
        201 | 204 => arrived(&into, name).await,
        404 | 410 => Err(faults::item_vanished()),
        405 | 501 => by_copy(link, (&from, &into), what).await,
        _ => Err(faults::refused(&link.place(), "to move the item", &answer)),
    }
}

fn lost(link: &Link, reader: &Reader, fault: &Fault) {
    if fault.outcome == Outcome::Unknown {
        link.account.remember_loss(&reader.path);
    }
}

async fn arrived(into: &Reader, name: &str) -> Result<Placed, Fault> {
    let etag = into.etag(name).await.map_err(Fault::outcome_unknown)?;
    let etag =
        etag.ok_or_else(|| Fault::new(What::Vanished, "What was moved is not where it went.").outcome_unknown())?;
    Ok(Placed { handle: Some(Handle::new(name)), version: Some(Version::new(etag)), ..Placed::default() })
}

async fn by_copy(link: &Link, (from, into): (&Reader, &Reader), what: &Placement) -> Result<Placed, Fault> {
    let name = what.handle.as_str();
    let held = from.content(name).await?.ok_or_else(faults::item_vanished)?;
    let put = ask::put(&below(&into.path, name), into.workload, held.content, If::Nothing);
    let answer = link.send(&put).await.inspect_err(|fault| lost(link, into, fault))?;
    if !answer.stored() {
        return Err(faults::refused(&link.place(), "a copy of the item", &answer));
    }
    let stood = Placement { version: held.etag.map(Version::new), ..what.clone() };
    remove_source(from, &stood).await.map_err(Fault::outcome_unknown)?;
    arrived(into, name).await
}

/// What it was made from, if it still stands.
async fn remove_source(from: &Reader, what: &Placement) -> Result<(), Fault> {
    match withdraw_from(from, what).await {
        Err(fault) if fault.what == What::Vanished && fault.reach == Reach::Item => Ok(()),
        outcome => outcome,
    }
}

/// Removes what still stands as it was placed. Nextcloud keeps it in its trash, and its UID with it.
pub async fn withdraw(link: &Link, kind: Kind, what: &Placement) -> Result<Vec<Loss>, Fault> {
    withdraw_from(&Reader::of(link.clone(), &what.at), what).await?;
    let detail = "it lies in the calendar's trash, where its UID stays taken until the trash is emptied";
    Ok((kind == Kind::Nextcloud).then(|| Loss::new("left_in_trash", detail)).into_iter().collect())
}

async fn withdraw_from(from: &Reader, what: &Placement) -> Result<(), Fault> {
    let Some(version) = &what.version else { return Err(faults::changed_there()) };
    let name = what.handle.as_str();
    let answer = from.link.send(&ask::delete(&below(&from.path, name), version.as_str())).await;
    let answer = answer.inspect_err(|fault| lost(&from.link, from, fault))?;
    match answer.inner_status() {
        200 | 202 | 204 => Ok(()),
        404 | 410 => Err(faults::item_vanished()),
        409 | 412 => Err(gone_or_changed(from, name).await?),
        _ => Err(faults::refused(&from.link.place(), "to remove the item", &answer)),
    }
}
