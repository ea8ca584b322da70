//! What stands at a target beside what was sent there: whether anybody but the server wrote into it.
//!
//! This is stricter than a comparison with the original, and asks nothing of how the text was made: every property counts,
//! letter by letter, also those that no meaning holds; times, people and files within by what they mean. Of parameters only
//! these count:
//!
//! | of | what counts |
//! |---|---|
//! | the times of an event | TZID, by the instant and the clock on the wall that it makes of them; VALUE |
//! | people in an event | ROLE, PARTSTAT, CUTYPE and CN of an ATTENDEE; CN where there is no mail address |
//! | reminders | what they are counted from (RELATED) |
//! | a file within | its name (FILENAME, X-FILENAME) |
//! | telephone numbers and mail addresses | every TYPE but VOICE, INTERNET and PREF |
//! | postal addresses | the TYPEs WORK, HOME and CELL |
//! | the name and the birthday of a contact | SORT-AS; a year that is none (X-APPLE-OMIT-YEAR) |
//!
//! All others tell nothing that people would miss, or are added and dropped by servers: of an event RSVP, LANGUAGE, ALTREP,
//! LABEL, FMTTYPE, DELEGATED-TO, SCHEDULE-AGENT and SCHEDULE-STATUS, and of a task's own times and people every one: what is
//! sent has none there but VALUE, and a day that becomes an hour is another value. What servers do of their own is no
//! change:
//!
//! | what servers do | seen with |
//! |---|---|
//! | other folds, another order of properties and parameters | Radicale 3.9, Cyrus 3.6 |
//! | a category parted at the comma within it, places in six digits | Cyrus 3.6 |
//! | stamps (DTSTAMP, CREATED, LAST-MODIFIED, REV), PRODID, and what else stands about the object as a whole | Cyrus 3.6 |
//! | VTIMEZONEs of their own, or none: times are compared as instants and by the clocks on the wall | Radicale 3.9 |
//! | SCHEDULE-STATUS (RFC 6638) | Nextcloud 32 |
//! | `CLASS:PUBLIC`, also in tasks | SOGo 5.8 |
//! | other parameters of their own, defaults left out (RFC 5545) | none; allowed by the standards |
//! | X- properties and empty ones left out | none; allowed by the standards |

use super::calendar::lines::{Component, Line, only};
use super::calendar::words::{plain, uri};
use super::calendar::{self, Unreadable};
use super::{contact, task};
use std::collections::{BTreeMap, BTreeSet};

/// Most sentences on one object.
const MOST: usize = 20;

/// How an event, or a series of events, was changed since it was sent, as sentences; none when it was not.
pub fn event(sent: &str, there: &str) -> Vec<String> {
    beside("VCALENDAR", sent, there, calendar::changed)
}

/// How a task was changed since it was sent, as sentences; none when it was not.
pub fn task(sent: &str, there: &str) -> Vec<String> {
    beside("VCALENDAR", sent, there, |sent, there| Ok(task::differences(&task::text(sent)?, &task::text(there)?, &[])))
}

/// How a contact was changed since it was sent, as sentences; none when it was not.
pub fn contact(sent: &str, there: &str) -> Vec<String> {
    let meaning =
        |sent: &str, there: &str| Ok(contact::differences(&contact::text(sent)?, &contact::text(there)?, &[]));
    beside("VCARD", sent, there, meaning)
}

/// How the DESCRIPTION of an event or a task reads otherwise than it was sent, letter by letter, as sentences.
pub fn description(sent: &str, there: &str) -> Vec<String> {
    match (said("VCALENDAR", sent), said("VCALENDAR", there)) {
        (Ok(sent), Ok(there)) => {
            differing(&sent, &there).filter(|(name, ..)| name.ends_with("DESCRIPTION")).map(told).collect()
        }
        // Whoever compares meanings tells what cannot be read.
        _ => Vec::new(),
    }
}

type Values = BTreeMap<String, Vec<String>>;
type Differing = (String, Vec<String>, Vec<String>);

fn beside(
    kind: &str,
    sent: &str,
    there: &str,
    meaning: impl Fn(&str, &str) -> Result<Vec<String>, Unreadable>,
) -> Vec<String> {
    if sent == there {
        return Vec::new();
    }
    let words = said(kind, sent).and_then(|was| said(kind, there).map(|is| differing(&was, &is).map(told).collect()));
    let all = words.and_then(|words: Vec<String>| match words.is_empty() {
        true => meaning(sent, there),
        false => Ok(words),
    });
    all.map_or_else(
        |why| vec![format!("what was sent and what stands there cannot be compared: {why}")],
        |mut all| {
            all.truncate(MOST);
            all
        },
    )
}

fn differing(sent: &Values, there: &Values) -> impl Iterator<Item = Differing> {
    let names: BTreeSet<&String> = sent.keys().chain(there.keys()).collect();
    let of = |of: &Values, name: &String| of.get(name).cloned().unwrap_or_default();
    let all: Vec<_> = names.into_iter().map(|name| (name.clone(), of(sent, name), of(there, name))).collect();
    all.into_iter().filter(|(name, was, is)| was != is && !(is.is_empty() && is_extension(name)))
}

/// Servers leave out what is no property of the standard; what people see of it stands in the meaning.
fn is_extension(name: &str) -> bool {
    name.rsplit(' ').next().is_some_and(|property| property.starts_with("X-"))
}

fn told((name, was, is): Differing) -> String {
    let only = |values: &[String], others: &[String]| {
        values.iter().filter(|value| !others.contains(value)).cloned().collect::<Vec<_>>().join(" | ")
    };
    let (was, is) = (cut(&only(&was, &is)), cut(&only(&is, &was)));
    let property = name.rsplit(' ').next().unwrap_or_default().to_lowercase();
    match (was.is_empty(), is.is_empty()) {
        (false, true) => format!("the {property} was `{was}` and is gone"),
        (true, false) => format!("the {property} is new: `{is}`"),
        _ => format!("the {property} was `{was}` and is `{is}`"),
    }
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// What stands in an object, by component and property, in order.
fn said(kind: &str, text: &str) -> Result<Values, Unreadable> {
    let object = only(kind, text)?;
    let mut values = Values::new();
    if kind == "VCARD" {
        collect(&object, &mut values);
    }
    // What stands about a calendar object as a whole is its writer's.
    object.children.iter().filter(|child| child.kind != "VTIMEZONE").for_each(|child| collect(child, &mut values));
    values.values_mut().for_each(|all| all.sort());
    Ok(values)
}

fn collect(component: &Component, values: &mut Values) {
    for line in component.lines.iter().filter(|line| !is_compared_otherwise(&component.kind, line)) {
        let all = values.entry(format!("{} {}", component.kind, line.name)).or_default();
        all.extend(read(line).into_iter().filter(|value| !value.is_empty()));
    }
    values.retain(|_, all| !all.is_empty());
    component.children.iter().for_each(|child| collect(child, values));
}

/// What servers stamp, and what the meaning holds whatever form it has: times, people, files within, and words that have a
/// default. The meaning of a task holds the days of its times, and no people.
fn is_compared_otherwise(kind: &str, line: &Line) -> bool {
    const NOT_OF_TASKS: [&str; 9] =
        ["DTSTART", "DUE", "DURATION", "RDATE", "EXDATE", "RECURRENCE-ID", "ORGANIZER", "ATTENDEE", "CLASS"];
    match line.name.as_str() {
        // What says nothing of it is public (RFC 5545 section 3.8.1.3).
        "CLASS" if line.text().trim().eq_ignore_ascii_case("PUBLIC") => true,
        name if kind == "VTODO" && NOT_OF_TASKS.contains(&name) => false,
        "DTSTAMP" | "CREATED" | "LAST-MODIFIED" | "SEQUENCE" | "REV" | "PRODID" | "VERSION" => true,
        "DTSTART" | "DTEND" | "DUE" | "DURATION" | "RRULE" | "RDATE" | "EXDATE" | "RECURRENCE-ID" | "TRIGGER" => true,
        "ORGANIZER" | "ATTENDEE" | "CLASS" | "TRANSP" | "STATUS" | "PHOTO" | "BDAY" => true,
        // What says nothing of it has no priority (RFC 5545 section 3.8.1.9).
        "PRIORITY" => line.text() == "0",
        "ATTACH" => line.param("ENCODING").is_some(),
        _ => false,
    }
}

fn read(line: &Line) -> Vec<String> {
    match line.name.as_str() {
        "CATEGORIES" => line.texts().iter().flat_map(|text| text.split(',')).map(plain).collect(),
        "GEO" => vec![place(&line.text())],
        "N" | "ADR" | "ORG" => vec![structured(line)],
        "URL" | "CONFERENCE" | "ATTACH" => vec![uri(&line.text())],
        "TEL" | "EMAIL" => vec![typed(line)],
        _ => vec![plain(&line.text())],
    }
}

/// Latitude and longitude, however many digits they are written with.
fn place(text: &str) -> String {
    let number =
        |part: &str| part.trim().parse::<f64>().map_or_else(|_| part.trim().to_owned(), |number| number.to_string());
    text.split(';').map(number).collect::<Vec<_>>().join(";")
}

/// A number or an address with its types, but for those that are its defaults or its order (RFC 6350 section 6.4.1,
/// RFC 2426 section 3.3).
fn typed(line: &Line) -> String {
    const NO_TYPES: [&str; 3] = ["VOICE", "INTERNET", "PREF"];
    let told = line.params.iter().filter(|(name, _)| name == "TYPE").flat_map(|(_, values)| values);
    let types: BTreeSet<String> =
        told.flat_map(|value| value.split(',')).map(|one| one.trim().to_uppercase()).collect();
    let types: Vec<String> = types.into_iter().filter(|one| !NO_TYPES.contains(&one.as_str())).collect();
    format!("{} {}", plain(&line.text()), types.join(" ")).trim_end().to_owned()
}

/// Empty components at the end say nothing.
fn structured(line: &Line) -> String {
    let parts: Vec<String> = line.components().iter().map(|part| plain(part)).collect();
    parts.join(";").trim_end_matches(';').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{contact, description, event, task};

    const SENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:ours\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n\
        DTSTART:20261001T100000Z\r\nDTEND:20261001T110000Z\r\nSUMMARY:Council\r\nDESCRIPTION:Code 4711\\nRoom 3\r\n\
        X-ALT-DESC;FMTTYPE=text/html:<p>Code 4711</p>\r\nCATEGORIES:a,b\r\nGEO:49.56;3.62\r\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\n\
        ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:b@x.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn with(from: &str, to: &str) -> String {
        assert!(SENT.contains(from), "{from}");
        SENT.replacen(from, to, 1)
    }

    #[test]
    fn what_servers_do_of_their_own_is_no_change() {
        let theirs = [
            ("PRODID:ours", "PRODID:theirs\r\nCALSCALE:GREGORIAN"),
            ("DTSTAMP:20260101T000000Z", "DTSTAMP:20260202T000000Z\r\nCREATED:20260202T000000Z\r\nSEQUENCE:1"),
            ("CATEGORIES:a,b", "CATEGORIES:b\r\nCATEGORIES:a"),
            ("CATEGORIES:a,b", "CATEGORIES:a\\,b"),
            ("GEO:49.56;3.62", "GEO:49.560000;3.620000"),
            ("UID:a", "UID:a\r\nPRIORITY:0"),
            ("SUMMARY:Council", "SUMM\r\n ARY:Council"),
            ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\n", ""),
            ("DTEND:20261001T110000Z", "DURATION:PT1H"),
            (";SCHEDULE-AGENT=CLIENT", ";SCHEDULE-STATUS=\"1.1\""),
            ("UID:a\r\nDTSTAMP", "STATUS:CONFIRMED\r\nUID:a\r\nDTSTAMP"),
        ];
        for (from, to) in theirs {
            assert_eq!(event(SENT, &with(from, to)), [""; 0], "{to}");
        }
    }

    #[test]
    fn what_people_write_is_a_change_whether_or_not_the_meaning_holds_it() {
        let theirs = [
            ("Code 4711\\n", "Code 4712\\n", "the description was `Code 4711"),
            ("Room 3", "room 3", "the description was"),
            ("UID:a", "UID:a\r\nCOMMENT:theirs", "the comment is new: `theirs`"),
            ("GEO:49.56", "GEO:49.57", "the geo was"),
            ("UID:a", "UID:a\r\nX-THEIRS:1", "the x-theirs is new"),
            ("UID:a", "UID:a\r\nPRIORITY:4", "the priority is new"),
            ("Council", "council", "the summary was `Council` and is `council`"),
            ("DTEND:20261001T11", "DTEND:20261001T12", "the end on"),
            ("mailto:b@", "mailto:c@", "the attendee"),
            ("CLIENT", "CLIENT;PARTSTAT=ACCEPTED", "the attendee"),
        ];
        for (from, to, told) in theirs {
            let found = event(SENT, &with(from, to));
            assert!(found.iter().any(|one| one.starts_with(told)), "{to}: {found:?}");
        }
        assert_eq!(event(SENT, "no calendar").len(), 1);
    }

    #[test]
    fn what_people_write_into_a_task_is_a_change_though_the_meaning_holds_only_days() {
        let sent = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Pay\r\n\
            DUE;VALUE=DATE:20261001\r\nPRIORITY:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        assert_eq!(task(sent, &sent.replace("20260101T", "20260202T")), [""; 0]);
        let theirs = [
            ("DUE;VALUE=DATE:20261001", "DUE:20261001T150000Z", "the due was"),
            ("PRIORITY:1", "PRIORITY:4", "the priority was"),
            ("PRIORITY:1", "PRIORITY:1\r\nCLASS:PRIVATE", "the class is new"),
            ("PRIORITY:1", "PRIORITY:1\r\nATTENDEE:mailto:b@x.example", "the attendee is new"),
        ];
        for (from, to, told) in theirs {
            let found = task(sent, &sent.replace(from, to));
            assert!(found.iter().any(|one| one.starts_with(told)), "{to}: {found:?}");
        }
    }

    #[test]
    fn what_servers_add_to_a_task_is_no_change() {
        let sent = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Pay\r\n\
            DUE;VALUE=DATE:20261001\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        for added in ["CLASS:PUBLIC", "PRIORITY:0", "CREATED:20260202T000000Z\r\nSEQUENCE:1"] {
            assert_eq!(task(sent, &sent.replace("UID:a", &format!("UID:a\r\n{added}"))), [""; 0], "{added}");
            assert_eq!(task(&sent.replace("UID:a", &format!("UID:a\r\n{added}")), sent), [""; 0], "{added} left out");
        }
    }

    #[test]
    fn of_parameters_those_count_that_the_header_names() {
        let attendee = "ATTENDEE;SCHEDULE-AGENT=CLIENT";
        for (from, to) in [
            ("SUMMARY:", "SUMMARY;LANGUAGE=fr:"),
            ("DESCRIPTION:", "DESCRIPTION;ALTREP=\"https://x.example/\":"),
            (attendee, "ATTENDEE;RSVP=TRUE;DELEGATED-TO=\"mailto:c@x.example\""),
            (attendee, "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CUTYPE=INDIVIDUAL"),
        ] {
            assert_eq!(event(SENT, &with(from, to)), [""; 0], "{to}");
        }
        for (from, to) in [
            (attendee, "ATTENDEE;ROLE=OPT-PARTICIPANT"),
            (attendee, "ATTENDEE;CUTYPE=ROOM"),
            (attendee, "ATTENDEE;CN=Bea"),
        ] {
            assert_ne!(event(SENT, &with(from, to)), [""; 0], "{to}");
        }
        let zoned = with("DTSTART:20261001T10", "DTSTART;TZID=Europe/Paris:20261001T12").replace("T120000Z", "T120000");
        assert_eq!(event(&zoned, &zoned.replace("Europe/Paris", "Europe/Brussels")), [""; 0], "the same clock");
        assert_ne!(event(&zoned, &zoned.replace("Europe/Paris", "Europe/London")), [""; 0], "another hour");
        let sent =
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ada\r\nN:;Ada;;;\r\nADR;TYPE=WORK:;;Road 1;;;;\r\nEND:VCARD\r\n";
        assert_eq!(contact(sent, &sent.replace("TYPE=WORK", "TYPE=WORK,PARCEL")), [""; 0]);
        assert_eq!(contact(sent, &sent.replace("TYPE=WORK", "TYPE=HOME")).len(), 2, "it is another address");
        assert_eq!(contact(sent, &sent.replace("N:;Ada", "N;SORT-AS=Lovelace:;Ada")).len(), 1);
    }

    #[test]
    fn a_number_with_another_type_is_another_number() {
        let sent =
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ada\r\nN:;Ada;;;\r\nTEL;TYPE=WORK,VOICE:1\r\nEND:VCARD\r\n";
        for same in ["TYPE=work", "TYPE=VOICE;TYPE=WORK", "TYPE=\"pref,work\""] {
            assert_eq!(contact(sent, &sent.replace("TYPE=WORK,VOICE", same)), [""; 0], "{same}");
        }
        let found = contact(sent, &sent.replace("WORK,VOICE", "WORK,FAX"));
        assert_eq!(found, ["the tel was `1 WORK` and is `1 FAX WORK`"]);
    }

    #[test]
    fn of_a_text_every_letter_counts_and_nothing_else() {
        assert_eq!(description(SENT, &with("Room 3", "Room 4")).len(), 1);
        assert_eq!(description(SENT, &with("Council", "council")), [""; 0]);
    }
}
