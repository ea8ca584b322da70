//! Meeting mail: a calendar part beside the text.

use super::{Shape, head, over, shape, text};
use crate::seed::mime::{Head, base64, file, multipart, part};

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        meeting("meeting-request", "REQUEST", &calendar("REQUEST", "CONFIRMED", "NEEDS-ACTION", SERIES)),
        meeting("meeting-update", "REQUEST", &calendar("REQUEST", "CONFIRMED", "NEEDS-ACTION", "SEQUENCE:3\r\n")),
        meeting("meeting-cancelled", "CANCEL", &calendar("CANCEL", "CANCELLED", "NEEDS-ACTION", "")),
        meeting("meeting-accepted", "REPLY", &calendar("REPLY", "CONFIRMED", "ACCEPTED", "")),
        meeting("meeting-tentative", "REPLY", &calendar("REPLY", "CONFIRMED", "TENTATIVE", "")),
        meeting(
            "meeting-declined",
            "REPLY",
            &calendar("REPLY", "CONFIRMED", "DECLINED", "COMMENT:Désolé\\, congés.\r\n"),
        ),
        meeting("meeting-counter", "COUNTER", &calendar("COUNTER", "CONFIRMED", "TENTATIVE", "")),
        only_calendar(),
        attached(),
        broken(),
    ]
}

const SERIES: &str =
    "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20261215T093000Z\r\nEXDATE;TZID=Romance Standard Time:20260714T093000\r\n";

fn calendar(method: &str, status: &str, answer: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n\
         BEGIN:VTIMEZONE\r\nTZID:Romance Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n\
         TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n\
         BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
         RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
         ORGANIZER;CN=Claude Petit:mailto:claude.petit@voisin.example\r\n\
         ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};CN=Émilie Lefèvre:mailto:emili\r\n e.lefevre@valmont.example\r\n\
         UID:040000008200E00074C5B7101A82E00800000000{}\r\nSUMMARY:Conseil municipal\r\n{more}\
         DTSTART;TZID=Romance Standard Time:20260505T093000\r\nDTEND;TZID=Romance Standard Time:20260505T110000\r\n\
         DTSTAMP:20260501T080000Z\r\nSTATUS:{status}\r\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "A0B1C2D3E4F5A6B7000000000000000010000000"
    )
}

fn part_of(method: &str, calendar: &str) -> Vec<u8> {
    let lines =
        format!("Content-Type: text/calendar; charset=\"utf-8\"; method={method}\r\nContent-Transfer-Encoding: base64");
    part(&lines, base64(calendar.as_bytes()))
}

fn meeting(name: &'static str, method: &str, calendar: &str) -> Shape {
    let html = crate::seed::mime::text("html", "<p>Conseil municipal, salle du Conseil</p>");
    let entity = multipart("alternative", "meeting", &[text(name), html, part_of(method, calendar)]);
    shape(name, classed(name).with(entity))
}

fn classed(name: &str) -> Head {
    head(name).add("Content-Class", "urn:content-classes:calendarmessage")
}

/// Nothing but the calendar, as calendar servers send it.
fn only_calendar() -> Shape {
    let calendar = calendar("REQUEST", "CONFIRMED", "NEEDS-ACTION", "");
    over("meeting-only-calendar", part_of("REQUEST", &calendar))
}

/// The calendar as a file, which is no invitation.
fn attached() -> Shape {
    let calendar = calendar("PUBLISH", "CONFIRMED", "NEEDS-ACTION", "");
    let parts = [text("attached"), file("text/calendar", "conseil.ics", calendar.as_bytes())];
    over("meeting-as-file", multipart("mixed", "attached", &parts))
}

/// Declared as an invitation, but cut.
fn broken() -> Shape {
    let parts = [text("broken"), part_of("REQUEST", "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:")];
    over("meeting-broken", multipart("alternative", "meeting", &parts))
}
