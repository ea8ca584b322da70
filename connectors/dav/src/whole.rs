//! Radicale's own way of taking many items at once: a PUT of all of them on the collection itself.
//!
//! Radicale 3.9 looks through the whole collection for each new UID, so that single PUTs slow down as it grows (294 a
//! second into an empty one, 43 with 900 items in it); as a whole they go in at 1,400 a second or more. The PUT replaces
//! everything that stands there, and what people see of the collection. So it is used only for a collection that this
//! run made, that lists empty, and that still has the ETag it had then; its name and colour are set again after it, and
//! a collection of ours without a name is one that a crash left in between (see `collections`).
//!
//! What arrives as a whole loses its VTIMEZONEs: the server writes others, of its own computing, for 2000 to 2030, off by
//! an hour at every change, wrong for many zones, and takes ten times as long for it as for an item by itself (seen with
//! 3.9.0 and vobject 0.9.9). So only what needs no VTIMEZONE goes this way: whole days, UTC, tasks without a zone, cards.
//! For the rest the whole holds reservations (see `reserve`), which each item then replaces: that goes as fast at the end
//! of a large collection as at its beginning.

use crate::{
    ask::{self, If},
    collections::Shelf,
    lines::unfolded,
    merged::{Object, one_calendar, repeated},
    paths::is_plain,
    place::{Job, Placer, Written},
    read::Listed,
    reserve::{is_reservable, reservation},
    server::Kind,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use transhume_contract::{Fault, Outcome, Workload};

/// Fewer are as quick one by one.
pub const WORTHWHILE: usize = 10;

/// How an item comes into a collection that is written as a whole.
struct Parting {
    /// Whole.
    along: Vec<Job>,
    /// By itself, into a place that is reserved for it.
    reserved: Vec<Job>,
    /// By itself.
    alone: Vec<Job>,
}

impl Parting {
    fn of(jobs: Vec<Job>, workload: Workload) -> Self {
        let twice = repeated(&jobs);
        let mut parting = Self { along: Vec::new(), reserved: Vec::new(), alone: Vec::new() };
        for job in jobs {
            let once = job.uid.as_ref().is_some_and(|uid| !twice.contains(&uid.to_lowercase()));
            match () {
                () if once && goes_along(&job, workload) => parting.along.push(job),
                () if once && is_reservable(&job, workload) => parting.reserved.push(job),
                () => parting.alone.push(job),
            }
        }
        parting
    }

    /// What remains where the server does not take the whole: one bad item is found out by itself.
    fn all_reserved(mut self, workload: Workload) -> Self {
        let (reserved, alone): (Vec<Job>, Vec<Job>) =
            self.along.into_iter().partition(|job| is_reservable(job, workload));
        self.reserved.extend(reserved);
        self.alone.extend(alone);
        Self { along: Vec::new(), ..self }
    }

    fn worthwhile(&self) -> bool {
        self.along.len() + self.reserved.len() >= WORTHWHILE
    }

    fn all(self) -> Vec<Job> {
        self.along.into_iter().chain(self.reserved).chain(self.alone).collect()
    }

    fn body(&self, workload: Workload) -> Vec<u8> {
        let held = self.reserved.iter().filter_map(|job| job.uid.as_deref());
        let held: Vec<Vec<u8>> = held.map(|uid| reservation(uid, workload)).collect();
        let along = self.along.iter().map(|job| &job.bytes[..]);
        match workload {
            Workload::Contacts => along.flat_map(ended).collect(),
            _ => one_calendar(along.chain(held.iter().map(Vec::as_slice)), &[]),
        }
    }
}

impl Placer<'_> {
    /// Places what can go as a whole, and gives back what is to be placed one by one.
    pub async fn as_a_whole(&self, jobs: Vec<Job>) -> (Vec<Written>, Vec<Job>) {
        let first = self.home.server.kind == Kind::Radicale && self.link.account.takes_first_placing(&self.reader.path);
        let parting = Parting::of(jobs, self.at.workload);
        if !first || !parting.worthwhile() {
            return (Vec::new(), parting.all());
        }
        match self.reader.list().await {
            Ok((listed, Some(etag))) if listed.is_empty() => self.try_as_a_whole(parting, &etag).await,
            _ => (Vec::new(), parting.all()),
        }
    }

    async fn try_as_a_whole(&self, mut parting: Parting, etag: &str) -> (Vec<Written>, Vec<Job>) {
        self.link.account.remember_reserved(&self.reader.path);
        let mut doubted = false;
        for last in [false, true] {
            let body = Bytes::from(parting.body(self.at.workload));
            match self.send(&ask::put(&self.reader.path, self.at.workload, body, If::Unchanged(etag))).await {
                Ok(answer) if answer.stored() => return self.stored(parting).await,
                // After one doubtful answer the next refusal may be of what arrived meanwhile.
                Ok(answer) if doubted || answer.is_doubtful() => match self.reader.list().await {
                    Ok((listed, _)) if !listed.is_empty() => return self.listed(parting, listed).await,
                    Ok(_) => doubted = true,
                    Err(_) => {
                        self.link.account.remember_loss(&self.reader.path, false);
                        return self.unsettled(parting, &self.refused(&answer).outcome_unknown()).await;
                    }
                },
                Ok(_) => {}
                // What its connection never carried was not done, and is tried one by one until that fails too.
                Err(fault) if fault.outcome == Outcome::NotDone => break,
                Err(fault) => {
                    self.stop(&fault);
                    return self.unsettled(parting, &fault).await;
                }
            }
            if last || parting.along.is_empty() {
                break;
            }
            parting = parting.all_reserved(self.at.workload);
            if !parting.worthwhile() {
                break;
            }
        }
        (Vec::new(), parting.all())
    }

    /// Nobody knows what became of the whole: each is looked for before it is sent again.
    async fn unsettled(&self, parting: Parting, fault: &Fault) -> (Vec<Written>, Vec<Job>) {
        self.dress().await;
        let sent = parting.along.into_iter().chain(parting.reserved);
        (sent.map(|job| (job.intent, Err(fault.clone()))).collect(), parting.alone)
    }

    /// The server said that it stored the whole.
    async fn stored(&self, parting: Parting) -> (Vec<Written>, Vec<Job>) {
        if let Ok((listed, _)) = self.reader.list().await {
            return self.listed(parting, listed).await;
        }
        self.dress().await;
        let Parting { along, reserved, mut alone } = parting;
        // All of them stand: only their versions are not known.
        alone.extend(reserved);
        (along.into_iter().map(|job| (job.intent, Ok((job.name, None)))).collect(), alone)
    }

    /// What stands there now; what does not is placed by itself.
    async fn listed(&self, parting: Parting, listed: Vec<Listed>) -> (Vec<Written>, Vec<Job>) {
        self.dress().await;
        let Parting { along, reserved, mut alone } = parting;
        let mut known: BTreeMap<String, Option<String>> = listed.into_iter().map(|one| (one.name, one.etag)).collect();
        let (mut written, mut to_fill) = (Vec::new(), Vec::new());
        for job in along {
            match known.remove(&job.name) {
                None => alone.push(job),
                Some(etag) => written.push((job.intent, Ok((job.name, etag)))),
            }
        }
        for job in reserved {
            match known.remove(&job.name).flatten() {
                None => alone.push(job),
                Some(etag) => to_fill.push((job, etag)),
            }
        }
        written.extend(self.fill(to_fill).await);
        (written, alone)
    }

    /// The collection has lost its name and colour with what it held. Where they cannot be set again now, the next run
    /// finds it without a name and does it.
    async fn dress(&self) {
        let shelf = Shelf { link: self.link, home: self.home, workload: self.at.workload };
        if let Err(fault) = shelf.dress(&self.reader.path, &self.at.name, &self.at.appearance).await {
            tracing::warn!(%fault, "a collection is without its name until the next run");
        }
    }
}

/// Whether an item arrives as a whole just as it does by itself, and under the same name.
pub fn goes_along(job: &Job, workload: Workload) -> bool {
    let plain = job.uid.as_deref().filter(|uid| is_plain(uid) && job.instead.is_none());
    plain.is_some_and(|uid| match workload {
        Workload::Contacts => is_one_card(&job.bytes),
        _ => needs_no_zone(&job.bytes, uid),
    })
}

fn is_one_card(bytes: &[u8]) -> bool {
    let lines = unfolded(bytes);
    let begun = lines.iter().filter(|line| line.to_ascii_uppercase().starts_with("BEGIN:VCARD")).count();
    begun == 1 && lines.first().is_some_and(|line| line.eq_ignore_ascii_case("BEGIN:VCARD"))
}

fn needs_no_zone(bytes: &[u8], uid: &str) -> bool {
    let lines = unfolded(bytes);
    Object::of(&lines).is_some_and(|object| object.can_stand_beside_others(uid) && object.zones_used().is_empty())
}

/// With the line end that some cards lack.
fn ended(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.ends_with(b"\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
