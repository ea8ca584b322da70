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

use crate::{
    ask::{self, If},
    collections::Shelf,
    lines::{Line, parted, unfolded},
    paths::is_plain,
    place::{Job, Outcomes, Placer},
    server::Kind,
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Handle, Outcome, Placed, Version, Workload};

/// Fewer are as quick one by one.
pub const WORTHWHILE: usize = 10;

/// Properties of a calendar around its components that nothing is lost with: Radicale writes its own.
const USUAL: [&str; 4] = ["VERSION", "PRODID", "CALSCALE", "BEGIN"];
impl Placer<'_> {
    /// Places what can go as a whole, and gives back what is to be placed one by one.
    pub async fn as_a_whole(&self, jobs: Vec<Job>, done: &mut Outcomes) -> Vec<Job> {
        let first = self.home.server.kind == Kind::Radicale && self.link.account.takes_first_placing(&self.reader.path);
        if !first {
            return jobs;
        }
        let twice = repeated(&jobs);
        let alone = |job: &Job| job.uid.as_ref().is_none_or(|uid| twice.contains(&uid.to_lowercase()));
        let along = |job: &Job| !alone(job) && goes_along(job, self.at.workload);
        let (along, mut rest): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(along);
        rest.extend(self.try_as_a_whole(along, done).await);
        rest
    }

    /// Gives back what is still to be placed: all of it, where the server refused the whole.
    async fn try_as_a_whole(&self, jobs: Vec<Job>, done: &mut Outcomes) -> Vec<Job> {
        if jobs.len() < WORTHWHILE {
            return jobs;
        }
        let empty = self.reader.list().await.ok().filter(|(listed, _)| listed.is_empty());
        let Some((_, Some(etag))) = empty else { return jobs };
        let body = Bytes::from(body(&jobs, self.at.workload));
        let put = ask::put(&self.reader.path, self.at.workload, body, If::Unchanged(&etag));
        match self.send(&put).await {
            Ok(answer) if answer.stored() => self.stored(jobs, done).await,
            Ok(_) => jobs,
            // What its connection never carried was not done, and is tried one by one until that fails too.
            Err(fault) if fault.outcome == Outcome::NotDone => jobs,
            Err(fault) => {
                self.dress().await;
                done.extend(jobs.into_iter().map(|job| (job.intent, Err(fault.clone()))));
                Vec::new()
            }
        }
    }

    /// What the server says stands there now; what does not is placed by itself.
    async fn stored(&self, jobs: Vec<Job>, done: &mut Outcomes) -> Vec<Job> {
        self.dress().await;
        let Ok((listed, _)) = self.reader.list().await else {
            // They stand, all of them or none: only their versions are not known.
            done.extend(jobs.into_iter().map(|job| (job.intent, Ok(placed(job.name, None)))));
            return Vec::new();
        };
        let mut known: BTreeMap<String, Option<String>> = listed.into_iter().map(|one| (one.name, one.etag)).collect();
        let mut missing = Vec::new();
        for job in jobs {
            match known.remove(&job.name) {
                None => missing.push(job),
                Some(etag) => done.push((job.intent, Ok(placed(job.name, etag)))),
            }
        }
        missing
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

fn placed(name: String, etag: Option<String>) -> Placed {
    Placed { handle: Some(Handle::new(name)), version: etag.map(Version::new), ..Placed::default() }
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
    let Some(object) = Object::of(&lines) else { return false };
    let own = object.around.iter().all(|line| USUAL.iter().any(|usual| line.is(usual)));
    let kinds = object.components.iter().all(|(kind, _)| matches!(kind.as_str(), "VEVENT" | "VTODO"));
    let inside = || object.components.iter().flat_map(|(_, lines)| lines.iter());
    let same_uid = inside().filter(|line| line.is("UID")).all(|line| line.value.trim() == uid);
    own && kinds && same_uid && !object.components.is_empty() && inside().all(|line| line.parameter("TZID").is_none())
}

/// An iCalendar object by its parts; its VTIMEZONEs are left out.
struct Object<'a> {
    around: Vec<Line<'a>>,
    /// Top components with all their lines, those of alarms included.
    components: Vec<(String, Vec<Line<'a>>)>,
}

impl<'a> Object<'a> {
    fn of(lines: &'a [String]) -> Option<Self> {
        let mut object = Self { around: Vec::new(), components: Vec::new() };
        let mut open: Vec<String> = Vec::new();
        for line in lines {
            let line = parted(line)?;
            let value = line.value.trim().to_ascii_uppercase();
            if line.is("BEGIN") {
                if open.len() == 1 && value != "VTIMEZONE" {
                    object.components.push((value.clone(), Vec::new()));
                }
                open.push(value);
            } else if line.is("END") {
                (open.pop()? == value).then_some(())?;
            } else if open.len() <= 1 {
                object.around.push(line);
            } else if open[1] != "VTIMEZONE" {
                object.components.last_mut()?.1.push(line);
            }
        }
        open.is_empty().then_some(object)
    }
}

/// All items as one body.
pub fn body(jobs: &[Job], workload: Workload) -> Vec<u8> {
    match workload {
        Workload::Contacts => jobs.iter().flat_map(|job| ended(&job.bytes)).collect(),
        _ => calendar(jobs),
    }
}

/// With the line end that some cards lack.
fn ended(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.ends_with(b"\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn calendar(jobs: &[Job]) -> Vec<u8> {
    let mut whole = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//transhume//transhume//EN\r\n".to_vec();
    whole.extend(jobs.iter().flat_map(|job| components(&job.bytes)));
    whole.extend_from_slice(b"END:VCALENDAR\r\n");
    whole
}

/// The components of an object as they are written, without its VTIMEZONEs and what is around them.
fn components(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut open: Vec<String> = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let whole = parted(text.trim_end()).filter(|_| !text.starts_with([' ', '\t']));
        if let Some(begun) = whole.filter(|line| line.is("BEGIN")) {
            open.push(begun.value.trim().to_ascii_uppercase());
        }
        if open.len() >= 2 && open[1] != "VTIMEZONE" {
            kept.extend_from_slice(line);
        }
        if whole.is_some_and(|line| line.is("END")) {
            open.pop();
        }
    }
    kept
}

/// Which UIDs stand twice in a batch: as a whole the server would make one item of both.
pub fn repeated(jobs: &[Job]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    jobs.iter()
        .filter_map(|job| job.uid.clone())
        .filter(|uid| !seen.insert(uid.to_lowercase()))
        .map(|uid| uid.to_lowercase())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
