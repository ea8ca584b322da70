//! Cyrus' own way of taking many events or tasks at once: a POST of all of them on the calendar.
//!
//! For each UID in it Cyrus makes an item under a name of its own choosing, with the VTIMEZONEs it needs, and says for
//! each which name and ETag it got, or why it was refused; the calendar is locked and written down once for all of them
//! (Cyrus 3.6, `caldav_import` in its imap/http_caldav.c, after draft-daboo-calendarserver-bulk-change). What cannot be
//! read as a whole is refused as a whole, with nothing stored. A UID that the account has already, in this calendar or
//! in another one, is refused: nothing is written over, and nothing stands twice. So the UID does here what
//! `If-None-Match` does for a PUT. Whoever looks for what became of it looks by UID, too.

use crate::{
    answer::Imported,
    ask, faults,
    lines::unfolded,
    merged::{Object, one_calendar, repeated, zones},
    paths::name_in,
    place::{Job, Placer, Written},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::collections::BTreeMap;
use transhume_contract::{Fault, Outcome, Reach, Workload};

/// Fewer are as quick one by one.
const WORTHWHILE: usize = 4;

/// Jobs that share one body, and the VTIMEZONEs of all of them.
#[derive(Default)]
struct Group {
    jobs: Vec<Job>,
    zones: BTreeMap<String, Vec<u8>>,
}

impl Group {
    /// Whether a zone of a name means in the group what it means to an item with these.
    fn agrees(&self, zones: &BTreeMap<String, Vec<u8>>) -> bool {
        zones.iter().all(|(name, zone)| self.zones.get(name).is_none_or(|known| known == zone))
    }

    fn body(&self) -> Bytes {
        let zones: Vec<&[u8]> = self.zones.values().map(Vec::as_slice).collect();
        Bytes::from(one_calendar(self.jobs.iter().map(|job| &job.bytes[..]), &zones))
    }
}

/// The items of a batch by the bodies they go in, and those that go by themselves. A VTIMEZONE may begin in another year
/// from one item to the next: each goes with those that have the same.
#[derive(Default)]
struct Parting {
    groups: Vec<Group>,
    alone: Vec<Job>,
}

impl Parting {
    fn of(jobs: Vec<Job>) -> Self {
        let twice = repeated(&jobs);
        let mut parting = Self::default();
        for job in jobs {
            let own_uid = job.uid.as_deref().is_some_and(|uid| !twice.contains(&uid.to_lowercase()));
            match (own_uid && job.instead.is_none()).then(|| zones_of(&job)).flatten() {
                Some(zones) => parting.join(job, zones),
                None => parting.alone.push(job),
            }
        }
        let (groups, few): (Vec<Group>, Vec<Group>) =
            parting.groups.into_iter().partition(|group| group.jobs.len() >= WORTHWHILE);
        let alone = parting.alone.into_iter().chain(few.into_iter().flat_map(|group| group.jobs));
        Self { groups, alone: alone.collect() }
    }

    fn join(&mut self, job: Job, zones: BTreeMap<String, Vec<u8>>) {
        let at = self.groups.iter().position(|group| group.agrees(&zones)).unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() - 1
        });
        self.groups[at].zones.extend(zones);
        self.groups[at].jobs.push(job);
    }
}

/// The VTIMEZONEs that an item needs; none where it cannot share a body.
fn zones_of(job: &Job) -> Option<BTreeMap<String, Vec<u8>>> {
    let lines = unfolded(&job.bytes);
    let uid = job.uid.as_deref()?;
    let object = Object::of(&lines).filter(|object| object.can_stand_beside_others(uid))?;
    let mut own = zones(&job.bytes);
    let needed = object.zones_used();
    own.retain(|name, _| needed.contains(name.as_str()));
    (own.len() == needed.len()).then_some(own)
}

impl Placer<'_> {
    /// Sends what can go together, in so many requests at once, and gives back what is to be sent one by one.
    pub async fn imported(&self, jobs: Vec<Job>, writers: usize) -> (Vec<Written>, Vec<Job>) {
        let takes = self.home.server.imports() && self.at.workload != Workload::Contacts;
        // Where an answer was lost before, one by one tells more.
        if !takes || self.link.account.has_lost(&self.reader.path) {
            return (Vec::new(), jobs);
        }
        let Parting { groups, mut alone } = Parting::of(jobs);
        let imports = stream::iter(groups).map(|group| self.import(group));
        let mut imports = imports.buffer_unordered(writers);
        let mut written = Vec::new();
        while let Some((done, refused)) = imports.next().await {
            written.extend(done);
            alone.extend(refused);
        }
        (written, alone)
    }

    async fn import(&self, group: Group) -> (Vec<Written>, Vec<Job>) {
        let (body, jobs) = (group.body(), group.jobs);
        let lost = |jobs: Vec<Job>, fault: Fault| {
            let unknown = |job: Job| (job.intent, Err(fault.clone()));
            (jobs.into_iter().map(unknown).collect(), Vec::new())
        };
        if let Some(fault) = self.stopped() {
            return lost(jobs, fault);
        }
        match self.send(&ask::import(&self.reader.path, self.at.workload, body)).await {
            Ok(answer) if answer.status == 207 => match answer.imported(self.link.base()) {
                Ok(told) => self.sorted(jobs, told),
                Err(why) => lost(jobs, self.unheard(&why)),
            },
            // Nothing was stored, and one by one tells which of them it does not take.
            Ok(answer) if (400..500).contains(&answer.status) => (Vec::new(), jobs),
            Ok(answer) => lost(jobs, self.unheard(&format!("status {}", answer.status))),
            Err(fault) if fault.outcome == Outcome::NotDone && fault.reach == Reach::Item => (Vec::new(), jobs),
            Err(fault) => {
                self.stop(&fault);
                lost(jobs, fault)
            }
        }
    }

    /// What stands, and what was refused.
    fn sorted(&self, jobs: Vec<Job>, told: Vec<Imported>) -> (Vec<Written>, Vec<Job>) {
        let mut told: BTreeMap<String, Imported> = told.into_iter().map(|one| (one.uid.clone(), one)).collect();
        let (mut written, mut refused) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            match told.remove(job.uid.as_deref().unwrap_or_default()) {
                None => written.push((job.intent, Err(self.unheard("it does not speak of this one")))),
                Some(one) => match one.path.and_then(|path| name_in(&self.reader.path, &path)) {
                    Some(name) => written.push((job.intent, Ok((name, one.etag)))),
                    None => refused.push(job),
                },
            }
        }
        (written, refused)
    }

    fn unheard(&self, why: &str) -> Fault {
        self.link.account.remember_loss(&self.reader.path, false);
        faults::unreadable(&self.link.place(), "several items at once", why).outcome_unknown()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use transhume_contract::IntentId;

    fn zone(name: &str, offset: &str) -> String {
        format!(
            "BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{offset}\n\
            TZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
        )
    }

    fn job(uid: &str, zones: &str, start: &str) -> Job {
        let text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\n{zones}BEGIN:VEVENT\nUID:{uid}\n{start}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        Job { intent: IntentId::new(uid), name: format!("{uid}.ics"), uid: Some(uid.to_owned()), bytes, instead: None }
    }

    fn names(jobs: &[Job]) -> Vec<&str> {
        jobs.iter().map(|job| job.intent.as_str()).collect()
    }

    #[test]
    fn each_zone_stands_once_and_means_the_same_for_all_that_share_it() {
        let paris = "DTSTART;TZID=Paris:20250301T100000";
        let with = |uid: &str, offset: &str| job(uid, &zone("Paris", offset), paris);
        let utc = job("utc", &zone("Paris", "+0300"), "DTSTART:20250301T100000Z");
        let jobs = [with("a1", "+0100"), with("b1", "+0200"), with("a2", "+0100"), utc, with("c1", "+0400")];
        let rest = ["b2", "b3", "b4"].map(|uid| with(uid, "+0200"));
        let parting = Parting::of(jobs.into_iter().chain([with("a3", "+0100")]).chain(rest).collect());
        let groups: Vec<_> = parting.groups.iter().map(|group| names(&group.jobs)).collect();
        assert_eq!(groups, [vec!["a1", "a2", "utc", "a3"], vec!["b1", "b2", "b3", "b4"]]);
        assert_eq!(names(&parting.alone), ["c1"], "one by itself is as quick");
        let body = String::from_utf8(parting.groups[0].body().to_vec()).unwrap();
        assert_eq!(body.matches("TZID:Paris\r\n").count(), 1);
        assert!(body.contains(&zone("Paris", "+0100").replace('\n', "\r\n")));
        assert_eq!((body.matches("BEGIN:VEVENT").count(), body.matches("VCALENDAR").count()), (4, 2));
    }

    #[test]
    fn what_cannot_share_a_body_goes_alone() {
        let (paris, utc) = ("DTSTART;TZID=Paris:20250301T100000", "DTSTART:20250301T100000Z");
        let mut unnamed = job("unnamed", "", utc);
        unnamed.uid = None;
        let method = job("method", "METHOD:PUBLISH\n", utc);
        let jobs = vec![job("zoneless", "", paris), job("twice", "", utc), job("TWICE", "", utc), unnamed, method];
        let parting = Parting::of(jobs);
        assert!(parting.groups.is_empty());
        assert_eq!(names(&parting.alone), ["zoneless", "twice", "TWICE", "unnamed", "method"]);
    }
}
