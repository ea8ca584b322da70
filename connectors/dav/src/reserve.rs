//! Reservations: where a server looks through a whole collection for each new UID, but not for what replaces an item
//! (Radicale 3.9), small objects of ours hold the names and UIDs of a new collection's items until these take their
//! places, each on the condition that its reservation still stands as it was.
//!
//! People see nothing of a reservation: it is a private day in 1970. Whatever ends a run in between, the next one finds
//! none of them (`find` knows them), offers the items again, fills the places it finds reserved, and at its end removes
//! those that no item came for. Until then verification names them.

use crate::{
    ask::{self, If},
    faults,
    lines::{parted, unfolded},
    paths::{below, is_plain},
    place::{Job, Placer, Written},
    read::{Held, Listed, Reader, windows},
    server::Kind,
};
use futures::{StreamExt, stream};
use transhume_contract::{Fault, What, Workload};

const MARK: &str = "X-TRANSHUME-RESERVATION";
/// Places filled at once: what is left of the server's work is done by one processor, so these only cover the way.
const FILLERS: usize = 4;
/// The most bytes of a reservation where it stands: those of its UID, and what the server adds.
const LARGEST: u64 = 500;

/// What holds a name until its item comes.
pub fn reservation(uid: &str, workload: Workload) -> Vec<u8> {
    let (kind, start) = match workload {
        Workload::Tasks => ("VTODO", ""),
        _ => ("VEVENT", "DTSTART;VALUE=DATE:19700101\r\nTRANSP:TRANSPARENT\r\n"),
    };
    let text = format!(
        "BEGIN:VCALENDAR\r\nBEGIN:{kind}\r\nUID:{uid}\r\nDTSTAMP:19700101T000000Z\r\n{start}CLASS:PRIVATE\r\n\
         {MARK}:1\r\nEND:{kind}\r\nEND:VCALENDAR\r\n"
    );
    text.into_bytes()
}

pub fn is_reservation(bytes: &[u8]) -> bool {
    // Most objects are larger than any reservation, and need not be read.
    bytes.len() < 2048 && unfolded(bytes).iter().filter_map(|line| parted(line)).any(|line| line.is(MARK))
}

/// What is reserved among what a list tells.
pub async fn reserved_among(reader: &Reader, listed: &[Listed]) -> Result<Vec<Held>, Fault> {
    if !has_reservations(reader).await? {
        return Ok(Vec::new());
    }
    let small = listed.iter().filter(|one| one.length.is_none_or(|length| length <= LARGEST));
    let mut reserved = Vec::new();
    for window in windows(small.cloned().collect()) {
        let held = reader.contents(&window).await?;
        reserved.extend(held.into_iter().filter(|held| is_reservation(&held.content)));
    }
    Ok(reserved)
}

/// Only Radicale is given any.
async fn has_reservations(reader: &Reader) -> Result<bool, Fault> {
    let workload = matches!(reader.workload, Workload::Calendar | Workload::Tasks);
    Ok(workload && reader.link.home().await?.server.kind == Kind::Radicale)
}

/// Removes reservations that no item came for, each on the condition that it is one still. Not being able to spoils no
/// run: they stay, and verification goes on naming them.
pub async fn sweep(reader: &Reader) {
    if !reader.link.account.may_be_reserved(&reader.path) {
        return;
    }
    match try_to_sweep(reader).await {
        Ok(()) => reader.link.account.remember_unreserved(&reader.path),
        Err(fault) if fault.what == What::Vanished => {}
        Err(fault) => tracing::warn!(%fault, "reservations are left in a calendar until the next run"),
    }
}

async fn try_to_sweep(reader: &Reader) -> Result<(), Fault> {
    if !has_reservations(reader).await? {
        return Ok(());
    }
    let (listed, _) = reader.list().await?;
    for held in reserved_among(reader, &listed).await? {
        let etag = held.etag.unwrap_or_default();
        let answer = reader.link.write(&ask::delete(&below(&reader.path, &held.name), &etag), &reader.path).await?;
        if !answer.removed() && !matches!(answer.inner_status(), 404 | 410 | 412) {
            return Err(faults::unwritten(&reader.link.place(), "to remove a reservation", &answer));
        }
    }
    Ok(())
}

/// Whether a name can be reserved for an item.
pub fn is_reservable(job: &Job, workload: Workload) -> bool {
    let plain = job.uid.as_deref().is_some_and(is_plain);
    plain && job.instead.is_none() && matches!(workload, Workload::Calendar | Workload::Tasks)
}

impl Placer<'_> {
    /// Puts items into the places that are reserved for them; each comes with the ETag of its reservation.
    pub async fn fill(&self, reserved: Vec<(Job, String)>) -> Vec<Written> {
        let one = |(job, etag): (Job, String)| async move {
            let outcome = match self.stopped() {
                Some(fault) => Err(fault),
                None => self.fill_one(&job, &etag).await,
            };
            if let Err(fault) = &outcome {
                self.stop(fault);
            }
            (job.intent, outcome.map(|etag| (job.name, etag)))
        };
        let written: Vec<Written> = stream::iter(reserved).map(one).buffer_unordered(FILLERS).collect().await;
        if written.iter().all(|(_, outcome)| outcome.is_ok()) {
            self.link.account.remember_unreserved(&self.reader.path);
        }
        written
    }

    async fn fill_one(&self, job: &Job, etag: &str) -> Result<Option<String>, Fault> {
        let path = below(&self.reader.path, &job.name);
        let put = ask::put(&path, self.at.workload, job.bytes.clone(), If::Unchanged(etag));
        let answer = self.send(&put).await?;
        if answer.stored() {
            return Ok(answer.etag());
        }
        let fault = match answer.is_bare() {
            true => self.not_as_it_was(&self.reader, (&job.name, etag), job, &answer).await?,
            false => self.doubted(&self.reader, &job.name, Some(etag), &answer).await,
        };
        // Where it stays, the next run meets it and tries again. What stands there now instead, if anything does, has
        // another ETag.
        if let Err(fault) = self.send(&ask::delete(&path, etag)).await {
            tracing::warn!(%fault, "a reservation is left in a calendar until the next run");
        }
        Err(fault)
    }

    /// Fills the place of an item where an earlier run reserved it; none where something else stands there.
    pub async fn in_its_reserved_place(&self, job: &Job) -> Result<Option<Option<String>>, Fault> {
        if !is_reservable(job, self.at.workload) {
            return Ok(None);
        }
        let Some(held) = self.reader.content(&job.name).await? else { return Ok(None) };
        match held.etag.filter(|_| is_reservation(&held.content)) {
            Some(etag) => self.fill_one(job, &etag).await.map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_is_known_and_nothing_else_is_taken_for_one() {
        for workload in [Workload::Calendar, Workload::Tasks] {
            assert!(is_reservation(&reservation("a", workload)));
        }
        let said =
            format!("BEGIN:VEVENT\r\nUID:a\r\nDESCRIPTION:we say\r\n {MARK}:1\r\nSUMMARY:{MARK}:1\r\nEND:VEVENT\r\n");
        assert!(!is_reservation(said.as_bytes()));
    }
}
