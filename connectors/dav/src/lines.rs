//! The content lines of iCalendar and vCard objects (RFC 5545 section 3.1, RFC 6350 section 3.2), as far as placing needs
//! them: whose UID an object has, and whether a server could write to people because of it. Nothing is changed here.

use transhume_contract::Scheduling;

/// A line with its folds undone: `name;parameters:value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Without the group of a vCard (`item1.`), as written.
    pub name: &'a str,
    pub parameters: &'a str,
    pub value: &'a str,
}

/// The lines of an object, unfolded. Bytes that are no UTF-8 become replacement letters.
pub fn unfolded(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), lines.last_mut()) {
            (Some(b' ' | b'\t'), Some(before)) => before.extend_from_slice(&line[1..]),
            (None, _) => {}
            _ => lines.push(line.to_vec()),
        }
    }
    lines.into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

/// Takes an unfolded line apart. Colons and semicolons in a quoted parameter part nothing.
pub fn parted(line: &str) -> Option<Line<'_>> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, letter)| {
        quoted ^= *letter == '"';
        !quoted && *letter == ':'
    });
    let (front, value) = line.split_at(colon?.0);
    let (name, parameters) = front.split_once(';').unwrap_or((front, ""));
    let name = name.rsplit('.').next().unwrap_or(name);
    Some(Line { name, parameters, value: &value[1..] })
}

impl Line<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter, without its quotes.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut quoted = false;
        let parts = self.parameters.split(move |letter: char| {
            quoted ^= letter == '"';
            !quoted && letter == ';'
        });
        let mut pairs = parts.filter_map(|part| part.split_once('='));
        pairs
            .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().trim_matches('"'))
    }
}

/// The UID of an object: of its first component that has one, or of the card.
pub fn uid(bytes: &[u8]) -> Option<String> {
    let lines = unfolded(bytes);
    let mut found = lines.iter().filter_map(|line| parted(line)).filter(|line| line.is("UID"));
    found.next().map(|line| line.value.trim().to_owned()).filter(|uid| !uid.is_empty())
}

/// Whether an object holds a component of this kind.
pub fn holds(bytes: &[u8], component: &str) -> bool {
    let lines = unfolded(bytes);
    let mut begun = lines.iter().filter_map(|line| parted(line)).filter(|line| line.is("BEGIN"));
    begun.any(|line| line.value.trim().eq_ignore_ascii_case(component))
}

/// Whether an object names people whom a server may write to.
pub fn has_people(bytes: &[u8]) -> bool {
    !components(&unfolded(bytes)).iter().all(Vec::is_empty)
}

/// Why a server that schedules in this way could write to people because of an object; none where it cannot.
/// `addresses` are those the server knows as the account's own.
///
/// Servers act for the organiser when an event's ORGANIZER is the account's own address, and for each attendee that is
/// not marked as the client's to inform. They act for an attendee, by a reply, towards an organiser who is not marked.
pub fn would_invite(bytes: &[u8], scheduling: Scheduling, addresses: &[String]) -> Option<String> {
    if scheduling == Scheduling::Unneeded {
        return None;
    }
    let lines = unfolded(bytes);
    components(&lines).iter().find_map(|component| match scheduling {
        Scheduling::Unneeded => None,
        Scheduling::ByClient => unmarked(component, addresses),
        Scheduling::NoOrganizer => named(component),
    })
}

/// The people of each component: of a series, its exceptions have their own.
fn components(lines: &[String]) -> Vec<Vec<Line<'_>>> {
    let mut components = Vec::new();
    for line in lines.iter().filter_map(|line| parted(line)) {
        match () {
            () if line.is("BEGIN") => components.push(Vec::new()),
            () if line.is("ORGANIZER") || line.is("ATTENDEE") => {
                if let Some(component) = components.last_mut() {
                    component.push(line);
                }
            }
            () => {}
        }
    }
    components
}

fn address(line: &Line<'_>) -> String {
    let value = line.value.trim().to_ascii_lowercase();
    value.strip_prefix("mailto:").unwrap_or(&value).to_owned()
}

fn is_marked(line: &Line<'_>) -> bool {
    line.parameter("SCHEDULE-AGENT").is_some_and(|agent| agent.eq_ignore_ascii_case("CLIENT"))
}

/// SOGo 5.8 mails whoever stands in an event, whatever the parameters say, and one of the people even without ORGANIZER.
fn named(people: &[Line<'_>]) -> Option<String> {
    people.first().map(|line| format!("it has a line {}", line.name.to_ascii_uppercase()))
}

/// At most one is left to the server, and that one is the account's owner.
fn unmarked(people: &[Line<'_>], own: &[String]) -> Option<String> {
    let organizer = people.iter().find(|line| line.is("ORGANIZER"))?;
    let leader = address(organizer);
    let attendees = people.iter().filter(|line| line.is("ATTENDEE") && !is_marked(line));
    let mut left: Vec<String> = attendees.map(address).filter(|person| *person != leader).collect();
    left.sort();
    left.dedup();
    let owned = own.contains(&leader);
    match left.len() {
        0 => None,
        1 if is_marked(organizer) && !owned => None,
        _ => Some("somebody invited is not marked with SCHEDULE-AGENT=CLIENT".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OWN: &str = "ann@x.example";

    fn told(people: &str, scheduling: Scheduling) -> bool {
        let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{people}END:VEVENT\r\nEND:VCALENDAR\r\n");
        would_invite(text.as_bytes(), scheduling, &[OWN.to_owned()]).is_some()
    }

    #[test]
    fn lines_are_unfolded_and_parted() {
        let lines =
            unfolded(b"ATTENDEE;CN=\"B: o;b\";SCHEDULE-\r\n AGENT=CLI\r\n\tENT:mailto:b@x\r\n\r\nitem1.UID:7\r\n");
        let line = parted(&lines[0]).unwrap();
        assert_eq!((line.name, line.value), ("ATTENDEE", "mailto:b@x"));
        assert_eq!(line.parameter("cn"), Some("B: o;b"));
        assert!(is_marked(&line));
        assert_eq!(parted(&lines[1]).unwrap().name, "UID");
        assert_eq!(parted("no line"), None);
    }

    #[test]
    fn the_uid_is_found_across_folds() {
        assert_eq!(uid(b"BEGIN:VCARD\r\nuid:ab\r\n c\r\nEND:VCARD\r\n").as_deref(), Some("abc"));
        assert_eq!(uid(b"BEGIN:VCARD\nFN:x\nEND:VCARD\n"), None);
        assert!(holds(b"BEGIN:VCALENDAR\nBEGIN:vtodo\n", "VTODO") && !holds(b"BEGIN:VCALENDAR\n", "VTODO"));
    }

    #[test]
    fn only_events_that_leave_nobody_to_the_server_are_silent() {
        let by = Scheduling::ByClient;
        let own = "ORGANIZER:mailto:ANN@x.example\r\nATTENDEE:mailto:ann@x.example\r\n";
        assert!(!told(&format!("{own}ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:b@x\r\n"), by));
        assert!(told(&format!("{own}ATTENDEE:mailto:b@x\r\n"), by));
        assert!(told(&format!("{own}ATTENDEE;SCHEDULE-AGENT=NONE:mailto:b@x\r\n"), by));
        assert!(told("ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:ann@x.example\r\nATTENDEE:mailto:b@x\r\n", by));
        let theirs = "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:b@x\r\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:c@x\r\n";
        assert!(!told(&format!("{theirs}ATTENDEE:mailto:ann@x.example\r\n"), by));
        assert!(told(&format!("{theirs}ATTENDEE:mailto:ann@x.example\r\nATTENDEE:mailto:d@x\r\n"), by));
        assert!(told("ORGANIZER:mailto:b@x\r\nATTENDEE:mailto:ann@x.example\r\n", by));
        assert!(!told("ATTENDEE:mailto:b@x\r\n", by), "nobody organises it");
        assert!(told("ORGANIZER:mailto:b@x\r\n", Scheduling::NoOrganizer));
        assert!(told("ATTENDEE:mailto:b@x\r\n", Scheduling::NoOrganizer));
        assert!(!told(&format!("{own}ATTENDEE:mailto:b@x\r\n"), Scheduling::Unneeded));
    }

    #[test]
    fn an_exception_is_looked_at_for_itself() {
        let master = "ORGANIZER:mailto:ann@x.example\r\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:b@x\r\n";
        let series = format!(
            "{master}END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nORGANIZER:mailto:ann@x.example\r\nATTENDEE:mailto:b@x\r\n"
        );
        assert!(told(&series, Scheduling::ByClient));
    }
}
