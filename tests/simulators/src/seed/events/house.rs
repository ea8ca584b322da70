//! Meetings that people of the tenant hold with each other: one copy in the calendar of each, all of one UID.

use serde_json::{Value, json};

use super::build::Event;
use super::office::person;
use crate::seed::directory::Member;

const ZONE: &str = "Romance Standard Time";
const UIDS: [&str; 2] = [
    "040000008200E00074C5B7101A82E00800000000A1A1A1A1A1A1D90100000000000000001000000011112222333344445555666677778888",
    "040000008200E00074C5B7101A82E00800000000B2B2B2B2B2B2D90100000000000000001000000099998888777766665555444433332222",
];

/// The copies of one member: the first of the cast invites, the next two are guests. Nobody else has any.
pub(super) fn meetings(cast: &[Member], place: usize) -> Vec<Event> {
    let Some((host, guests)) = cast.split_first().filter(|_| place < 3 && cast.len() > 1) else { return Vec::new() };
    let asked = guests.iter().take(2).zip(["accepted", "declined"]);
    let asked: Vec<Value> = asked.map(|(one, said)| guest(one, said)).collect();
    let mine = match place {
        0 => json!({ "isOrganizer": true }),
        _ => json!({ "isOrganizer": false, "responseStatus": asked[place - 1]["status"] }),
    };
    let copy = |name: &str, uid: &str| {
        let event = Event::new(name, ZONE, "2026-09-07T14:00:00", "2026-09-07T15:00:00").with(mine.clone());
        event.with(json!({ "iCalUId": uid, "organizer": person(host), "attendees": asked }))
    };
    let weekly = json!({ "type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday" });
    let series = copy("series-of-the-house", UIDS[1])
        .repeating(weekly, json!({ "type": "numbered", "numberOfOccurrences": 16 }))
        .except("2026-10-26", Some(("2026-10-27T14:00:00", "2026-10-27T15:00:00")), json!({ "subject": "au mardi" }))
        .cancelling(&["2026-11-02"]);
    vec![copy("meeting-of-the-house", UIDS[0]), series]
}

fn guest(member: &Member, said: &str) -> Value {
    json!({ "type": "required", "status": { "response": said, "time": "2026-08-01T08:00:00Z" },
        "emailAddress": person(member)["emailAddress"] })
}
