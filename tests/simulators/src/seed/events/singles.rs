//! Single events that are odd: in time, in text, in who was asked, in what they say about themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::FOREIGN;
use super::build::Event;
use crate::seed::directory::X500;
use crate::seed::office::PIXEL;
use crate::tenant::agenda::occurrence_uid;

const PARIS: &str = "Romance Standard Time";

pub(super) fn events() -> Vec<Event> {
    [times(), texts(), people(), states(), attachments(), identities(), broken()].concat()
}

fn at_nine(name: &str) -> Event {
    Event::new(name, PARIS, "2026-05-05T09:30:00", "2026-05-05T11:00:00")
}

fn times() -> Vec<Event> {
    vec![
        Event::new("before-1970", PARIS, "1965-07-14T10:00:00", "1965-07-14T12:00:00"),
        Event::new("before-1900", "UTC", "1899-12-31T23:00:00", "1900-01-01T01:00:00"),
        Event::new("after-2038", PARIS, "2038-01-19T04:00:00", "2038-01-19T05:00:00"),
        Event::new("after-2100", PARIS, "2150-06-01T09:00:00", "2150-06-01T10:00:00"),
        Event::new("no-length", PARIS, "2026-05-05T09:30:00", "2026-05-05T09:30:00"),
        Event::new("over-midnight", PARIS, "2026-05-05T23:00:00", "2026-05-06T02:00:00"),
        Event::new("in-the-hour-that-comes-twice", PARIS, "2026-10-25T02:30:00", "2026-10-25T03:30:00"),
        Event::new("in-the-hour-that-is-missing", PARIS, "2026-03-29T02:30:00", "2026-03-29T03:30:00"),
        Event::new("three-weeks-long", PARIS, "2026-07-01T08:00:00", "2026-07-21T18:00:00"),
        Event::new("other-end-zone", PARIS, "2026-05-05T09:30:00", "2026-05-05T18:30:00")
            .with(json!({ "originalEndTimeZone": "Tokyo Standard Time" })),
        Event::new("utc-as-tzone", "tzone://Microsoft/Utc", "2026-05-05T09:30:00", "2026-05-05T10:30:00"),
        Event::in_custom_zone(
            "custom-zone",
            "tzone://Microsoft/Custom",
            "Europe/Paris",
            "2026-05-05T09:30:00",
            "2026-05-05T10:30:00",
        ),
        Event::in_custom_zone(
            "customized-zone",
            "Customized Time Zone",
            "Asia/Katmandu",
            "2026-05-05T09:30:00",
            "2026-05-05T10:30:00",
        ),
        Event::all_day("whole-day", PARIS, "2026-05-08T00:00:00", "2026-05-09T00:00:00"),
        Event::all_day("whole-day-made-in-tokyo", "Tokyo Standard Time", "2026-05-08T00:00:00", "2026-05-09T00:00:00"),
        Event::all_day("whole-days-over-new-year", PARIS, "2026-12-24T00:00:00", "2027-01-04T00:00:00"),
        Event::all_day("whole-day-on-leap-day", PARIS, "2028-02-29T00:00:00", "2028-03-01T00:00:00"),
    ]
}

fn html(text: &str) -> Value {
    json!({ "body": { "contentType": "html", "content": format!("<html><body>{text}</body></html>") } })
}

fn texts() -> Vec<Event> {
    let line = "<p>Une ligne de deux mégaoctets, avec des accents : é è à ç œ — et &amp; des <b>balises</b>.</p>\r\n";
    vec![
        at_nine("html-of-two-megabytes").with(html(&line.repeat(2 * 1024 * 1024 / line.len()))),
        at_nine("emoji").with(json!({ "subject": "🎂 Anniversaire 👩‍👩‍👧‍👦 🇫🇷", "location": { "displayName": "🏛️ Mairie" } })),
        at_nine("right-to-left").with(json!({ "subject": "اجتماع \u{202b}المجلس\u{202c} (קבוצה)" })),
        at_nine("control-characters").with(json!({
            "subject": "a\u{1}b\u{8}c\u{b}d\u{1f}e", "bodyPreview": "x\u{0}y", "body": { "contentType": "text", "content": "x\u{0}y\u{c}z" },
        })),
        at_nine("line-ends-in-subject").with(json!({ "subject": "une\r\ndeux\ntrois\rquatre\ttab" })),
        at_nine("long-subject").with(json!({ "subject": "Très long ".repeat(100) })),
        at_nine("ical-specials").with(json!({ "subject": "a;b,c\\d:e\"f", "location": { "displayName": "x;y,z\\n" } })),
        at_nine("no-subject").with(json!({ "subject": null })),
        at_nine("empty-subject").with(json!({ "subject": "" })),
        at_nine("no-body").with(json!({ "body": null, "bodyPreview": null })),
        at_nine("text-body").with(json!({ "body": { "contentType": "text", "content": "une\r\n\r\ndeux\r\n" } })),
        at_nine("decomposed-text").with(json!({ "subject": "E\u{301}milie e\u{300} l'e\u{301}cole" })),
        at_nine("beyond-the-first-plane").with(json!({ "subject": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{20bb7}野家 \u{feff}x\u{200d}" })),
    ]
}

fn attendee(number: usize) -> Value {
    let kind = ["required", "optional", "resource"][number % 3];
    let answer = ["none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"][number % 6];
    json!({
        "type": kind,
        "status": { "response": answer, "time": if answer == "none" { "0001-01-01T00:00:00Z" } else { "2026-04-01T08:00:00Z" } },
        "emailAddress": { "name": format!("Invité n° {number}"), "address": format!("invite.{number:03}@partner.example") },
    })
}

fn people() -> Vec<Event> {
    let many: Vec<Value> = (0..500).map(attendee).collect();
    let odd = json!([
        { "type": "required", "status": { "response": "none", "time": "0001-01-01T00:00:00Z" }, "emailAddress": { "name": "X.500", "address": X500 } },
        { "type": "optional", "status": { "response": "accepted", "time": "2026-04-01T08:00:00Z" }, "emailAddress": { "name": "", "address": "nobody@partner.example" },
          "proposedNewTime": { "start": { "dateTime": "2026-05-06T07:30:00.0000000", "timeZone": "UTC" }, "end": { "dateTime": "2026-05-06T09:00:00.0000000", "timeZone": "UTC" } } },
        { "type": "required", "status": { "response": "none", "time": "0001-01-01T00:00:00Z" }, "emailAddress": { "name": "Sans adresse" } },
        { "type": "required", "status": { "response": "none", "time": "0001-01-01T00:00:00Z" }, "emailAddress": { "name": "\"Guillemets; virgule, et: deux points\"", "address": "q@partner.example" } },
        { "type": "required", "status": { "response": "none", "time": "0001-01-01T00:00:00Z" }, "emailAddress": { "name": "Twice", "address": "Q@Partner.Example" } },
    ]);
    vec![
        at_nine("five-hundred-attendees").with(json!({ "attendees": many, "hideAttendees": true })),
        at_nine("odd-attendees").with(json!({ "attendees": odd })),
        at_nine("organiser-gone").with(json!({
            "isOrganizer": false, "attendees": [attendee(3)],
            "organizer": { "emailAddress": { "name": "Paul Parti", "address": "paul.parti@valmont.example" } },
        })),
        at_nine("organiser-without-address").with(json!({ "isOrganizer": false, "organizer": { "emailAddress": { "name": "?", "address": "" } } })),
        at_nine("no-organiser").with(json!({ "organizer": null })),
        at_nine("invited-by-others").with(json!({
            "isOrganizer": false, "responseStatus": { "response": "tentativelyAccepted", "time": "2026-04-01T08:00:00Z" },
            "organizer": { "emailAddress": { "name": "Claude Petit", "address": "claude.petit@voisin.example" } },
            "attendees": [attendee(3), attendee(4), attendee(5)], "iCalUId": "7kukuqrfedlm2f9t0vt3a2rcvg@google.com",
        })),
        at_nine("cancelled-by-the-organiser").with(json!({
            "isOrganizer": false, "isCancelled": true, "subject": "Annulé : Conseil", "attendees": [attendee(0)],
            "organizer": { "emailAddress": { "name": "Claude Petit", "address": "claude.petit@voisin.example" } },
        })),
    ]
}

fn states() -> Vec<Event> {
    let online = json!({
        "isOnlineMeeting": true, "onlineMeetingProvider": "teamsForBusiness", "onlineMeetingUrl": null,
        "onlineMeeting": { "joinUrl": "https://teams.microsoft.example/l/meetup-join/19%3ameeting_X%40thread.v2/0?context=%7b%22Tid%22%7d",
            "conferenceId": "123456789", "tollNumber": "+33 1 55 00 00 00", "tollFreeNumbers": [], "phones": [] },
    });
    let shows = ["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"];
    let private = ["normal", "personal", "private", "confidential"];
    let mut all: Vec<Event> =
        shows.iter().map(|shown| at_nine(&format!("shown-as-{shown}")).with(json!({ "showAs": shown }))).collect();
    all.extend(private.iter().map(|kind| at_nine(&format!("sensitivity-{kind}")).with(json!({ "sensitivity": kind }))));
    all.extend([
        at_nine("online-meeting").with(online),
        at_nine("skype-meeting").with(json!({ "isOnlineMeeting": true, "onlineMeetingProvider": "skypeForBusiness", "onlineMeetingUrl": "https://meet.lync.example/x" })),
        at_nine("draft").with(json!({ "isDraft": true, "attendees": [attendee(0)] })),
        at_nine("categories").with(json!({ "categories": ["Red category", "À traiter", "catégorie disparue", "a,b;c"], "importance": "high" })),
        at_nine("no-reminder").with(json!({ "isReminderOn": false, "reminderMinutesBeforeStart": 0, "importance": "low" })),
        at_nine("reminder-of-two-weeks").with(json!({ "reminderMinutesBeforeStart": 20160 })),
        at_nine("reminder-after-the-start").with(json!({ "reminderMinutesBeforeStart": -30 })),
        at_nine("several-places").with(json!({ "locations": [
            { "displayName": "Salle du Conseil", "locationType": "conferenceRoom", "locationUri": "salle.conseil@valmont.example", "locationEmailAddress": "salle.conseil@valmont.example", "uniqueIdType": "directory" },
            { "displayName": "Mairie", "locationType": "streetAddress", "address": { "street": "1, place de l'Église", "city": "Valmont", "state": "", "countryOrRegion": "France", "postalCode": "02000" }, "coordinates": { "latitude": 49.56, "longitude": 3.62 } },
        ] })),
    ]);
    all
}

fn attachments() -> Vec<Event> {
    let file = |name: &str, kind: &str, inline: bool, bytes: &[u8]| {
        json!({ "@odata.type": "#microsoft.graph.fileAttachment", "name": name, "contentType": kind, "isInline": inline,
            "contentId": if inline { json!(format!("{name}@valmont")) } else { Value::Null }, "contentBytes": STANDARD.encode(bytes) })
    };
    let item = json!({ "@odata.type": "#microsoft.graph.itemAttachment", "name": "Message", "isInline": false,
        "contentBytes": STANDARD.encode("Subject: joint\r\nFrom: a@voisin.example\r\n\r\nbonjour\r\n") });
    let link = json!({ "@odata.type": "#microsoft.graph.referenceAttachment", "name": "plan.dwg", "isInline": false, "size": 411 });
    vec![
        at_nine("attachments-of-every-kind").with(json!({
            "hasAttachments": true, "attachments": [file("été.pdf", "application/pdf", false, b"%PDF-1.7\n"), item, link],
        })),
        at_nine("inline-picture").with(html("<img src=\"cid:logo.png@valmont\">")).with(json!({
            "hasAttachments": false, "attachments": [file("logo.png", "image/png", true, PIXEL)],
        })),
        at_nine("large-attachment").with(json!({
            "hasAttachments": true, "attachments": [file("plan.bin", "application/octet-stream", false, &vec![7; 3 << 20])],
        })),
    ]
}

/// Ids and UIDs that trip up whoever takes them apart, folds their case or takes them for unique.
fn identities() -> Vec<Event> {
    let dotted = "E1.MmYx.ZjQ0".repeat(12);
    let cased = "QmFzZTY0aXNubzRjYXNl".repeat(7);
    let shared = "040000008200E00074C5B7101A82E0080000000010F5D3C2B1A0D901000000000000000010000000AB12CD34EF56AB12CD34EF56AB12CD34";
    let series = "040000008200E00074C5B7101A82E0080000000077665544332211000000000000000000100000000F1E2D3C4B5A69780F1E2D3C4B5A6978";
    let day = occurrence_uid(series, jiff::civil::Date::constant(2026, 5, 5));
    let colleague = json!({ "emailAddress": { "name": "Jürgen Groß", "address": "juergen.gross@valmont.example" } });
    vec![
        at_nine("dots-in-its-id").called(&format!("{dotted}.=")),
        at_nine("an-id-in-one-case").called(&format!("{cased}{cased}x=")),
        at_nine("and-the-same-in-the-other-case").called(&format!("{cased}{cased}X=")),
        at_nine("one-uid-in-two-calendars").with(json!({ "iCalUId": shared })),
        at_nine("one-uid-in-two-calendars-copied").with(json!({ "iCalUId": shared })).standing_in(0),
        at_nine("invited-to-one-day-of-a-series")
            .with(json!({ "isOrganizer": false, "organizer": colleague, "iCalUId": day })),
        at_nine("of-somebody-else").with(json!({ "isOrganizer": false, "organizer": colleague })).standing_in(FOREIGN),
        at_nine("private-of-somebody-else")
            .with(json!({ "organizer": colleague, "sensitivity": "private" }))
            .standing_in(FOREIGN),
    ]
}

/// What no schema allows, and items that never come.
fn broken() -> Vec<Event> {
    vec![
        at_nine("unknown-values")
            .with(json!({ "showAs": "sabbatical", "sensitivity": "topSecret", "importance": "urgent" })),
        at_nine("end-before-start")
            .with(json!({ "end": { "dateTime": "2026-05-05T06:00:00.0000000", "timeZone": "UTC" } })),
        at_nine("impossible-date")
            .with(json!({ "start": { "dateTime": "2026-02-31T25:61:00.0000000", "timeZone": "UTC" } })),
        at_nine("unknown-zone")
            .with(json!({ "originalStartTimeZone": "Mars Standard Time", "originalEndTimeZone": "" })),
        at_nine("without-end").with(json!({ "end": null })),
        at_nine("little-more-than-times").without(&[
            "body",
            "bodyPreview",
            "attendees",
            "organizer",
            "location",
            "locations",
            "categories",
            "responseStatus",
            "recurrence",
            "onlineMeeting",
            "reminderMinutesBeforeStart",
            "isReminderOn",
            "showAs",
            "sensitivity",
        ]),
        at_nine("fails-corrupt").with(json!({ "_sim": { "fails": "ErrorCorruptData" } })),
    ]
}
