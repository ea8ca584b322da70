//! Several items as one iCalendar object, for the servers that take them so.

use crate::{
    lines::{Line, parted, unfolded},
    place::Job,
};
use std::collections::{BTreeMap, BTreeSet};

/// Properties of a calendar around its components that nothing is lost with: Radicale writes its own.
const USUAL: [&str; 4] = ["VERSION", "PRODID", "CALSCALE", "BEGIN"];

/// An iCalendar object by its parts; its VTIMEZONEs are left out.
pub struct Object<'a> {
    around: Vec<Line<'a>>,
    /// Top components with all their lines, those of alarms included.
    components: Vec<(String, Vec<Line<'a>>)>,
}

impl<'a> Object<'a> {
    pub fn of(lines: &'a [String]) -> Option<Self> {
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

    /// Whether nothing of it is lost, and nothing added to others, where it shares its calendar with them.
    pub fn can_stand_beside_others(&self, uid: &str) -> bool {
        let own = self.around.iter().all(|line| USUAL.iter().any(|usual| line.is(usual)));
        let kinds = self.components.iter().all(|(kind, _)| matches!(kind.as_str(), "VEVENT" | "VTODO"));
        let same_uid = self.inside().filter(|line| line.is("UID")).all(|line| line.value.trim() == uid);
        own && kinds && same_uid && !self.components.is_empty()
    }

    /// The zones its times are told in.
    pub fn zones_used(&self) -> BTreeSet<&str> {
        self.inside().filter_map(|line| line.parameter("TZID")).collect()
    }

    fn inside(&self) -> impl Iterator<Item = &Line<'a>> {
        self.components.iter().flat_map(|(_, lines)| lines.iter())
    }
}

/// The components of all these objects in one, with these VTIMEZONEs before them.
pub fn one_calendar<'a>(objects: impl Iterator<Item = &'a [u8]>, zones: &[&[u8]]) -> Vec<u8> {
    let mut whole = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//transhume//transhume//EN\r\n".to_vec();
    whole.extend(zones.iter().flat_map(|zone| zone.iter()));
    whole.extend(objects.flat_map(components));
    whole.extend_from_slice(b"END:VCALENDAR\r\n");
    whole
}

/// The components of an object as they are written, without its VTIMEZONEs and what is around them.
fn components(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    each_line(bytes, |open, line| {
        if open.len() >= 2 && open[1] != "VTIMEZONE" {
            kept.extend_from_slice(line);
        }
    });
    kept
}

/// The VTIMEZONEs of an object as they are written, by their TZID.
pub fn zones(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let (mut zones, mut zone) = (BTreeMap::new(), Vec::new());
    each_line(bytes, |open, line| {
        if open.get(1).is_none_or(|second| second != "VTIMEZONE") {
            return;
        }
        zone.extend_from_slice(line);
        let ends = open.len() == 2 && parted(&String::from_utf8_lossy(line)).is_some_and(|line| line.is("END"));
        if ends {
            let whole = std::mem::take(&mut zone);
            zones.extend(zone_name(&whole).map(|name| (name, whole)));
        }
    });
    zones
}

fn zone_name(zone: &[u8]) -> Option<String> {
    let lines = unfolded(zone);
    let mut names = lines.iter().filter_map(|line| parted(line)).filter(|line| line.is("TZID"));
    names.next().map(|line| line.value.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Shows each line, as it is written, with the components around it; those that begin and end a component are inside it.
fn each_line(bytes: &[u8], mut show: impl FnMut(&[String], &[u8])) {
    let mut open: Vec<String> = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let whole = parted(text.trim_end()).filter(|_| !text.starts_with([' ', '\t']));
        if let Some(begun) = whole.filter(|line| line.is("BEGIN")) {
            open.push(begun.value.trim().to_ascii_uppercase());
        }
        show(&open, line);
        if whole.is_some_and(|line| line.is("END")) {
            open.pop();
        }
    }
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
mod tests {
    use super::*;

    #[test]
    fn zones_are_told_as_they_are_written() {
        let one = "BEGIN:VTIMEZONE\r\nTZID:A/\r\n B\r\nBEGIN:STANDARD\r\nTZNAME:x\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
        let two = "BEGIN:vtimezone\r\nTZID:C\r\nEND:vtimezone\r\n";
        let text = format!("BEGIN:VCALENDAR\r\n{two}BEGIN:VEVENT\r\nTZID:no\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let told = zones(text.as_bytes());
        assert_eq!(told, BTreeMap::from([("C".to_owned(), two.as_bytes().to_vec())]));
        let folded = zones(format!("BEGIN:VCALENDAR\r\n{one}END:VCALENDAR\r\n").as_bytes());
        assert_eq!(folded.get("A/B"), Some(&one.as_bytes().to_vec()));
        assert!(zones(b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n").is_empty());
    }
}
