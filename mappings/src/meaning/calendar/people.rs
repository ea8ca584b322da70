//! Who organises and who is invited, as the service tells it.

use super::Facts;
use super::words::letters;
use crate::CalendarSetting;
use serde_json::Value;

/// `organizer` and `attendee <address>`; nobody where nobody is invited.
pub(super) fn people(event: &Value, setting: &CalendarSetting) -> Facts {
    let mut facts = Facts::new();
    let attendees: Vec<&Value> = event["attendees"].as_array().into_iter().flatten().collect();
    let organizer = &event["organizer"];
    let answer = event["responseStatus"]["response"].as_str().unwrap_or_default();
    let invited = event["isOrganizer"] == false
        && !mail(organizer).is_empty()
        && !setting.owner.trim().is_empty()
        && !same(mail(organizer), &setting.owner, setting)
        && !matches!(answer, "" | "none" | "organizer");
    if attendees.is_empty() && !invited {
        return facts;
    }
    if organizer["emailAddress"].is_object() {
        facts.insert("organizer".to_owned(), key(organizer, setting));
    }
    for attendee in &attendees {
        let own = same(mail(attendee), &setting.owner, setting) && !matches!(answer, "" | "none");
        let answer = if own { answer } else { attendee["status"]["response"].as_str().unwrap_or_default() };
        let said = format!("{} {}", role(attendee["type"].as_str().unwrap_or_default()), answered(answer));
        let name = attendee["emailAddress"]["name"].as_str().filter(|name| *name != mail(attendee)).map(letters);
        let said = format!("{said} {}", name.unwrap_or_default()).trim_end().to_owned();
        facts.insert(format!("attendee {}", key(attendee, setting)), said);
    }
    if invited && !attendees.iter().any(|one| same(mail(one), &setting.owner, setting)) {
        let owner = setting.target(&setting.owner).unwrap_or(&setting.owner).to_lowercase();
        facts.insert(format!("attendee {owner}"), format!("required {}", answered(answer)));
    }
    facts
}

fn mail(person: &Value) -> &str {
    person["emailAddress"]["address"].as_str().unwrap_or_default().trim()
}

/// Two addresses of one person: equal, or led to one address by the identity map.
fn same(one: &str, other: &str, setting: &CalendarSetting) -> bool {
    let led = |address: &str| setting.target(address).unwrap_or(address.trim()).to_lowercase();
    !one.is_empty() && led(one) == led(other)
}

/// The address at the target; who has none goes by name.
fn key(person: &Value, setting: &CalendarSetting) -> String {
    let told = mail(person);
    let address = setting.target(told).unwrap_or(told);
    let bad = |c: char| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c);
    let parts: Vec<&str> = address.splitn(2, '@').collect();
    if parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) && !address.contains(bad) {
        return address.to_lowercase();
    }
    let name = person["emailAddress"]["name"].as_str().filter(|name| *name != told).unwrap_or_default();
    format!("named {}", letters(name))
}

fn role(told: &str) -> String {
    if told.is_empty() { "required".to_owned() } else { told.to_owned() }
}

fn answered(told: &str) -> &str {
    match told {
        "" | "none" | "notResponded" => "unanswered",
        "organizer" => "accepted",
        "tentativelyAccepted" => "tentative",
        other => other,
    }
}
