//! ORGANIZER and ATTENDEE.
//!
//! Addresses go through the identity map, so that who moves stays organiser and attendee under the new address; others
//! keep theirs.

use super::entry::{self, Node};
use super::{Occasion, Scene};
use crate::Scheduling;
use crate::loss::Losses;
use crate::render::json::{list, said, yes};
use calcard::icalendar::{
    ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarParticipationRole as Role,
    ICalendarParticipationStatus as Answer, ICalendarProperty, ICalendarScheduleAgentValue, ICalendarUserTypes as Kind,
    Uri,
};
use serde_json::Value;

/// Events without anybody invited have no ORGANIZER, though the service tells one: servers would take them for meetings.
pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) {
    let event = occasion.event;
    let attendees = list(event, "attendees");
    let invited = owner_invited(event, scene);
    named_losses(event, attendees, losses);
    if attendees.is_empty() && !invited {
        return;
    }
    organizer(node, event, scene, losses);
    let mut guests: Vec<_> = attendees.iter().map(|attendee| attendee_entry(attendee, event, scene, losses)).collect();
    if invited && !attendees.iter().any(|attendee| scene.setting.is_owner(address(attendee))) {
        guests.push(owner_entry(event, scene, losses));
    }
    if scene.profile.scheduling == Scheduling::NoOrganizer {
        set_aside(&mut guests, losses);
    }
    node.entries.extend(guests);
    let counter = event["allowNewTimeProposals"] == false;
    if counter {
        node.extension("X-MICROSOFT-DISALLOW-COUNTER", "TRUE");
    }
}

fn address(person: &Value) -> &str {
    said(&person["emailAddress"], "address").unwrap_or_default()
}

/// The owner was invited by somebody else, perhaps as member of a group, and so may stand in no line of their own.
fn owner_invited(event: &Value, scene: &Scene<'_>) -> bool {
    let answered = ["accepted", "tentativelyAccepted", "declined", "notResponded"];
    let organizer = address(&event["organizer"]);
    event["isOrganizer"] == false
        && !scene.setting.owner.is_empty()
        && !organizer.is_empty()
        && !scene.setting.is_owner(organizer)
        && said(&event["responseStatus"], "response").is_some_and(|answer| answered.contains(&answer))
}

fn named_losses(event: &Value, attendees: &[Value], losses: &mut Losses) {
    if yes(event, "hideAttendees") {
        losses.add("attendees_shown", "those invited could not see each other; a calendar cannot hide them");
    }
    let proposed = attendees.iter().filter(|one| one["proposedNewTime"].is_object()).count();
    let said_when = attendees.iter().filter(|one| said(&one["status"], "time").is_some_and(is_a_time)).count();
    losses.count(
        "proposed_time",
        proposed as u64,
        ["proposal of another time by somebody invited", "proposals of another time by somebody invited"],
    );
    losses.count(
        "answer_time",
        said_when as u64,
        [
            "time at which somebody invited answered; the answer stands",
            "times at which somebody invited answered; the answers stand",
        ],
    );
}

/// `0001-01-01T00:00:00Z` means never.
fn is_a_time(text: &str) -> bool {
    !text.starts_with("0001-")
}

fn organizer(node: &mut Node, event: &Value, scene: &Scene<'_>, losses: &mut Losses) {
    let person = &event["organizer"];
    let own = yes(event, "isOrganizer") || scene.setting.is_owner(address(person));
    if !person["emailAddress"].is_object() {
        losses.add("organizer_missing", "a meeting whose organiser the service did not tell");
        return;
    }
    let mut entry = person_entry(ICalendarProperty::Organizer, person, scene, losses);
    match scene.profile.scheduling {
        Scheduling::Unneeded => {}
        Scheduling::ByClient if own => {}
        Scheduling::ByClient => entry.add_param(by_client()),
        Scheduling::NoOrganizer => {
            losses.add("organizer_dropped", "the target mails everybody who stands in an event with an ORGANIZER");
            entry.name = ICalendarProperty::Other("X-TRANSHUME-ORGANIZER".to_owned());
        }
    }
    node.entries.push(entry);
}

/// One of several invited is mailed even where nobody organises (seen with SOGo 5.8.0): no line may be an ATTENDEE.
fn set_aside(guests: &mut [ICalendarEntry], losses: &mut Losses) {
    for guest in guests.iter_mut() {
        guest.name = ICalendarProperty::Other("X-TRANSHUME-ATTENDEE".to_owned());
    }
    losses.count(
        "attendees_dropped",
        guests.len() as u64,
        [
            "line of somebody invited, whom the target would mail: X-TRANSHUME-ATTENDEE holds it",
            "lines of people invited, whom the target would mail: X-TRANSHUME-ATTENDEE holds them",
        ],
    );
}

fn by_client() -> ICalendarParameter {
    ICalendarParameter::new(ICalendarParameterName::ScheduleAgent, ICalendarScheduleAgentValue::Client)
}

fn attendee_entry(attendee: &Value, event: &Value, scene: &Scene<'_>, losses: &mut Losses) -> ICalendarEntry {
    let own = scene.setting.is_owner(address(attendee));
    let mut entry = person_entry(ICalendarProperty::Attendee, attendee, scene, losses);
    let (role, kind) = role(attendee, event, losses);
    // In the owner's copy `responseStatus` is up to date, and the list of attendees need not be.
    let own_answer = said(&event["responseStatus"], "response").filter(|told| own && *told != "none");
    let answer = answer(own_answer.or(said(&attendee["status"], "response")), losses);
    let rsvp = event["responseRequested"] != false && answer == Answer::NeedsAction && kind == Kind::Individual;
    add_params(&mut entry, kind, role, answer, rsvp);
    if !own {
        foreign(&mut entry, scene, losses);
    }
    entry
}

/// A line for the owner, whose answer would otherwise be told by nobody.
fn owner_entry(event: &Value, scene: &Scene<'_>, losses: &mut Losses) -> ICalendarEntry {
    let person = serde_json::json!({ "emailAddress": { "address": scene.setting.owner } });
    let mut entry = person_entry(ICalendarProperty::Attendee, &person, scene, losses);
    let answer = answer(said(&event["responseStatus"], "response"), losses);
    let rsvp = event["responseRequested"] != false && answer == Answer::NeedsAction;
    add_params(&mut entry, Kind::Individual, Role::ReqParticipant, answer, rsvp);
    entry
}

fn add_params(entry: &mut ICalendarEntry, kind: Kind, role: Role, answer: Answer, rsvp: bool) {
    entry.add_param(ICalendarParameter::new(ICalendarParameterName::Cutype, kind));
    entry.add_param(ICalendarParameter::new(ICalendarParameterName::Role, role));
    entry.add_param(ICalendarParameter::new(ICalendarParameterName::Partstat, answer));
    if rsvp {
        entry.add_param(ICalendarParameter::new(ICalendarParameterName::Rsvp, true));
    }
}

fn foreign(entry: &mut ICalendarEntry, scene: &Scene<'_>, losses: &mut Losses) {
    if scene.profile.scheduling == Scheduling::ByClient {
        let detail = "so that nobody is mailed now, the server will not mail them of later changes either";
        losses.add("scheduling_left_to_client", detail);
        entry.add_param(by_client());
    }
}

fn role(attendee: &Value, event: &Value, losses: &mut Losses) -> (Role, Kind) {
    match said(attendee, "type") {
        None | Some("required") => (Role::ReqParticipant, Kind::Individual),
        Some("optional") => (Role::OptParticipant, Kind::Individual),
        Some("resource") if is_room(attendee, event) => (Role::NonParticipant, Kind::Room),
        Some("resource") => (Role::NonParticipant, Kind::Resource),
        Some(other) => {
            losses.add(
                "attendee_type_unknown",
                format!("the type `{other}` of somebody invited; they stand as required"),
            );
            (Role::ReqParticipant, Kind::Individual)
        }
    }
}

/// A resource that is also one of the event's conference rooms.
fn is_room(attendee: &Value, event: &Value) -> bool {
    let name = said(&attendee["emailAddress"], "name");
    let rooms = list(event, "locations").iter().chain(std::iter::once(&event["location"]));
    let mut rooms = rooms.filter(|place| place["locationType"] == "conferenceRoom");
    let is = |place: &Value, member: &str| {
        said(place, member).is_some_and(|told| told.eq_ignore_ascii_case(address(attendee)))
    };
    rooms.any(|room| {
        is(room, "locationUri")
            || is(room, "locationEmailAddress")
            || (name.is_some() && said(room, "displayName") == name)
    })
}

fn answer(told: Option<&str>, losses: &mut Losses) -> Answer {
    match told {
        None | Some("none" | "notResponded") => Answer::NeedsAction,
        Some("organizer" | "accepted") => Answer::Accepted,
        Some("tentativelyAccepted") => Answer::Tentative,
        Some("declined") => Answer::Declined,
        Some(other) => {
            losses.add("answer_unknown", format!("the answer `{other}` is not known; it stands as none"));
            Answer::NeedsAction
        }
    }
}

fn person_entry(property: ICalendarProperty, person: &Value, scene: &Scene<'_>, losses: &mut Losses) -> ICalendarEntry {
    let told = address(person);
    let name = said(&person["emailAddress"], "name").filter(|name| *name != told);
    let label = name.map(|name| entry::parameter(name, losses)).filter(|name| !name.is_empty());
    let uri = match scene.setting.target(told).unwrap_or(told) {
        mail if is_mail(mail) => entry::uri(&format!("mailto:{mail}")),
        _ => nowhere(told, name, losses),
    };
    let label = label.map(|label| ICalendarParameter::new(ICalendarParameterName::Cn, label));
    ICalendarEntry::new(property).with_param_opt(label).with_value(uri)
}

fn is_mail(text: &str) -> bool {
    let split = text.split_once('@');
    split.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c))
}

/// Somebody without a mail address keeps a line of their own, under an address that leads nowhere.
fn nowhere(told: &str, name: Option<&str>, losses: &mut Losses) -> Uri {
    let detail = match (name, told) {
        (Some(name), "") => format!("`{name}` has no address; the name stands"),
        (_, "") => "somebody without name and address".to_owned(),
        (_, told) => format!("`{told}` is no mail address, and the identity map has none for it; the name stands"),
    };
    losses.add("person_without_address", detail);
    let digest = blake3::hash(format!("{told}\n{}", name.unwrap_or_default()).as_bytes());
    let hex = digest.to_hex();
    Uri::Location(format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..15],
        &hex[15..18],
        &hex[18..30]
    ))
}
