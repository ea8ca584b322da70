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
use std::collections::BTreeMap;
use transhume_contract::{Fault, Outcome, Reach, Workload};

/// Fewer are as quick one by one.
const WORTHWHILE: usize = 4;

/// Jobs that share one body, the VTIMEZONEs of all of them, and those that go by themselves.
struct Parting {
    together: Vec<Job>,
    zones: BTreeMap<String, Vec<u8>>,
    alone: Vec<Job>,
}

impl Parting {
    fn of(jobs: Vec<Job>) -> Self {
        let twice = repeated(&jobs);
        let mut parting = Self { together: Vec::new(), zones: BTreeMap::new(), alone: Vec::new() };
        for job in jobs {
            let own_uid = job.uid.as_deref().is_some_and(|uid| !twice.contains(&uid.to_lowercase()));
            match (own_uid && job.instead.is_none()).then(|| parting.zones_of(&job)).flatten() {
                Some(zones) => {
                    parting.zones.extend(zones);
                    parting.together.push(job);
                }
                None => parting.alone.push(job),
            }
        }
        parting
    }

    /// The zones that an item needs, where it means by each name what those before it mean; none where it is to go by
    /// itself.
    fn zones_of(&self, job: &Job) -> Option<BTreeMap<String, Vec<u8>>> {
        let lines = unfolded(&job.bytes);
        let uid = job.uid.as_deref()?;
        let object = Object::of(&lines).filter(|object| object.can_stand_beside_others(uid))?;
        let mut own = zones(&job.bytes);
        let needed = object.zones_used();
        own.retain(|name, _| needed.contains(name.as_str()));
        let same = |(name, zone): (&String, &Vec<u8>)| self.zones.get(name).is_none_or(|known| known == zone);
        (own.len() == needed.len() && own.iter().all(same)).then_some(own)
    }

    fn body(&self) -> Bytes {
        let zones: Vec<&[u8]> = self.zones.values().map(Vec::as_slice).collect();
        Bytes::from(one_calendar(self.together.iter().map(|job| &job.bytes[..]), &zones))
    }
}

impl Placer<'_> {
    /// Sends what can go together, and gives back what is to be sent one by one.
    pub async fn imported(&self, jobs: Vec<Job>) -> (Vec<Written>, Vec<Job>) {
        let takes = self.home.server.imports() && self.at.workload != Workload::Contacts;
        // Where an answer was lost before, one by one tells more.
        if !takes || self.link.account.has_lost(&self.reader.path) {
            return (Vec::new(), jobs);
        }
        let parting = Parting::of(jobs);
        let body = parting.body();
        let Parting { together, mut alone, .. } = parting;
        if together.len() < WORTHWHILE {
            alone.extend(together);
            return (Vec::new(), alone);
        }
        let (written, refused) = self.import(together, body).await;
        alone.extend(refused);
        (written, alone)
    }

    async fn import(&self, jobs: Vec<Job>, body: Bytes) -> (Vec<Written>, Vec<Job>) {
        let lost = |jobs: Vec<Job>, fault: Fault| {
            let unknown = |job: Job| (job.intent, Err(fault.clone()));
            (jobs.into_iter().map(unknown).collect(), Vec::new())
        };
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
    fn each_zone_stands_once_and_means_the_same_for_all() {
        let paris = "DTSTART;TZID=Paris:20250301T100000";
        let jobs = vec![
            job("a", &zone("Paris", "+0100"), paris),
            job("b", &zone("Paris", "+0100"), paris),
            job("other", &zone("Paris", "+0200"), paris),
            job("none", "", paris),
            job("utc", &zone("Paris", "+0300"), "DTSTART:20250301T100000Z"),
            job("twice", "", "DTSTART:20250301T100000Z"),
            job("TWICE", "", "DTSTART:20250301T100000Z"),
        ];
        let parting = Parting::of(jobs);
        assert_eq!(names(&parting.together), ["a", "b", "utc"]);
        assert_eq!(names(&parting.alone), ["other", "none", "twice", "TWICE"]);
        let body = String::from_utf8(parting.body().to_vec()).unwrap();
        assert_eq!(body.matches("TZID:Paris\r\n").count(), 1);
        assert!(body.contains(&zone("Paris", "+0100").replace('\n', "\r\n")));
        assert_eq!((body.matches("BEGIN:VEVENT").count(), body.matches("VCALENDAR").count()), (3, 2));
    }

    #[test]
    fn what_stands_by_itself_or_in_the_place_of_another_goes_alone() {
        let mut unnamed = job("a", "", "DTSTART:20250301T100000Z");
        unnamed.uid = None;
        let method = job("b", "METHOD:PUBLISH\n", "DTSTART:20250301T100000Z");
        let parting = Parting::of(vec![unnamed, method]);
        assert_eq!(names(&parting.alone), ["a", "b"]);
    }
}
