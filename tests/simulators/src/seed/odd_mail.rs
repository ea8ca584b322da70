//! Where each odd mail stands, and how it is marked.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::NOW;
use super::dice::Dice;
use super::hostile::hostile_mails;
use super::mailbox::Mailbox;
use super::resource::{Flag, Standing, Verb, message, moment, object};

/// Files every shape once: a third in the inbox, the others so that each odd folder holds some.
pub(super) fn fill(mailbox: &mut Mailbox, folders: &[String], dice: &mut Dice) {
    let inbox = mailbox.id_of("inbox");
    for (number, shape) in hostile_mails().into_iter().enumerate() {
        let folder = match of_its_own(shape.name) {
            Some(role) => mailbox.id_of(role),
            None if number % 3 == 0 => inbox.clone(),
            None => folders[number % folders.len()].clone(),
        };
        let standing = standing(shape.name, number, &folder);
        mailbox.push(message(dice, &shape.mime, &standing), shape.mime);
    }
}

/// The folder without which a shape is not what it claims.
fn of_its_own(shape: &str) -> Option<&'static str> {
    match shape {
        "same-message-id-elsewhere" => Some("archive"),
        "bcc-kept" => Some("sentitems"),
        _ if shape.starts_with("same-") || shape.starts_with("identical-") || shape.starts_with("meeting-") => {
            Some("inbox")
        }
        _ => None,
    }
}

fn standing(shape: &str, number: usize, folder: &str) -> Standing {
    let minutes = i64::try_from(number).unwrap_or(0) * 61;
    let received = NOW.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(NOW);
    let mut standing = Standing::plain(folder, received_as(shape).unwrap_or(received));
    standing.is_read = !number.is_multiple_of(4);
    standing.flag = flag(number);
    standing.verb =
        [Some(Verb::Replied), None, Some(Verb::Forwarded), None, Some(Verb::RepliedToAll), None, None][number % 7];
    standing.importance = ["normal", "high", "normal", "low", "normal"][number % 5];
    standing.categories = categories(number);
    standing.class = class(shape);
    standing.extra = meeting(shape);
    standing
}

/// Received dates that no `INTERNALDATE` or 32-bit clock holds; 4501 and the year 1 are what Exchange says for "none".
fn received_as(shape: &str) -> Option<Timestamp> {
    let told = match shape {
        "date-before-1970" => "1969-12-31T23:59:59Z",
        "date-1901" => "1901-01-01T00:00:00Z",
        "date-1601" => "1601-01-01T00:00:00Z",
        "date-after-2038" => "2038-01-19T03:14:08Z",
        "date-2106" => "2106-02-07T06:28:16Z",
        "date-9999" => "4501-01-01T00:00:00Z",
        "no-message-id-no-date" => "0001-01-01T00:00:00Z",
        _ => return None,
    };
    told.parse().ok()
}

fn flag(number: usize) -> Flag {
    match number % 11 {
        1 => Flag::Flagged,
        4 => Flag::FlaggedUntil(NOW),
        8 => Flag::Complete(NOW),
        _ => Flag::None,
    }
}

/// Names of the master list, names that are gone from it, and names that are no IMAP keyword as they stand.
#[rustfmt::skip]
const NAMES: [&str; 16] = [
    "Red category", "À traiter", "catégorie disparue", "緊急", "Budget / Finances", "two words", "\\Seen", "$Forwarded",
    "Steel \"quoted\"", "a{b}(c)*%]", "👍", "NonJunk", "tab\there", "Être", "ETRE", "x-very-long-category-name-that-goes-on-and-on-and-on-until-someone-cuts-it-off-at-last",
];

fn categories(number: usize) -> Vec<String> {
    let many = if number % 50 == 7 { NAMES.len() } else { usize::from(number.is_multiple_of(3)) };
    NAMES.iter().cycle().skip(number / 3).take(many).map(|name| (*name).to_owned()).collect()
}

/// Message classes as Exchange gives them ([MS-OXCMSG], [MS-OXOCAL]).
fn class(shape: &str) -> &'static str {
    match shape {
        "smime-clear-signed" | "pgp-mime-signed" => "IPM.Note.SMIME.MultipartSigned",
        "smime-opaque-signed" | "smime-enveloped" => "IPM.Note.SMIME",
        "delivery-report" | "delivery-report-headers-only" => "REPORT.IPM.Note.NDR",
        "disposition-notification" => "REPORT.IPM.Note.IPNRN",
        "meeting-request" | "meeting-update" => "IPM.Schedule.Meeting.Request",
        "meeting-cancelled" => "IPM.Schedule.Meeting.Canceled",
        "meeting-accepted" => "IPM.Schedule.Meeting.Resp.Pos",
        "meeting-tentative" | "meeting-counter" => "IPM.Schedule.Meeting.Resp.Tent",
        "meeting-declined" => "IPM.Schedule.Meeting.Resp.Neg",
        _ => "IPM.Note",
    }
}

/// The fields of the derived types (Microsoft Graph docs: eventMessage and its subtypes). The member
/// `meetingTenativelyAccepted` is misspelled in the schema itself.
fn meeting(shape: &str) -> Map<String, Value> {
    let (subtype, kind, more) = match shape {
        "meeting-request" => ("eventMessageRequest", "meetingRequest", request("newMeetingRequest")),
        "meeting-update" => ("eventMessageRequest", "meetingRequest", request("fullUpdate")),
        "meeting-cancelled" => ("eventMessage", "meetingCancelled", json!({})),
        "meeting-accepted" => ("eventMessageResponse", "meetingAccepted", json!({ "responseType": "accepted" })),
        "meeting-tentative" => tentative(Value::Null),
        "meeting-counter" => tentative(json!({ "start": moment(NOW), "end": moment(NOW) })),
        "meeting-declined" => ("eventMessageResponse", "meetingDeclined", json!({ "responseType": "declined" })),
        _ => return Map::new(),
    };
    let mut fields = object(json!({
        "@odata.type": format!("#microsoft.graph.{subtype}"),
        "meetingMessageType": kind,
        "type": if shape == "meeting-request" { "seriesMaster" } else { "singleInstance" },
        "isOutOfDate": shape == "meeting-update",
        "isAllDay": false,
        "isDelegated": false,
        "startDateTime": { "dateTime": "2026-05-05T07:30:00.0000000", "timeZone": "UTC" },
        "endDateTime": { "dateTime": "2026-05-05T09:00:00.0000000", "timeZone": "UTC" },
        "location": { "displayName": "Salle du Conseil", "locationType": "default", "uniqueIdType": "unknown" },
        "recurrence": if shape == "meeting-request" { recurrence() } else { Value::Null },
    }));
    fields.extend(object(more));
    fields
}

fn request(kind: &str) -> Value {
    json!({
        "meetingRequestType": kind,
        "responseRequested": true,
        "allowNewTimeProposals": true,
        "previousLocation": Value::Null,
        "previousStartDateTime": Value::Null,
        "previousEndDateTime": Value::Null,
    })
}

fn tentative(proposed: Value) -> (&'static str, &'static str, Value) {
    let more = json!({ "responseType": "tentativelyAccepted", "proposedNewTime": proposed });
    ("eventMessageResponse", "meetingTenativelyAccepted", more)
}

fn recurrence() -> Value {
    json!({
        "pattern": {
            "type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["tuesday"],
            "firstDayOfWeek": "monday", "index": "first",
        },
        "range": {
            "type": "endDate", "startDate": "2026-05-05", "endDate": "2026-12-15",
            "recurrenceTimeZone": "Romance Standard Time", "numberOfOccurrences": 0,
        },
    })
}
