//! Ordinary appointments, in the zone of whoever owns the calendar.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde_json::{Value, json};

use super::build::Event;
use crate::seed::dice::Dice;
use crate::seed::directory::{DOMAIN, Member};

const SUBJECTS: [&str; 8] = [
    "Réunion de service",
    "Point d'avancement",
    "Teamrunde",
    "Rendez-vous voirie",
    "Planning meeting",
    "会議",
    "Permanence",
    "Zebranie",
];

/// The number decides when it is, so that a calendar is full but not crowded.
pub(super) fn event(member: &Member, number: usize, dice: &mut Dice) -> Event {
    let ahead = Span::new().days(i32::try_from(number % 700).unwrap_or_default());
    let day = Date::constant(2025, 1, 6).checked_add(ahead).unwrap_or(Date::constant(2025, 1, 6));
    let hour = 8 + dice.below(9);
    let subject = format!("{} ({number})", dice.pick(&SUBJECTS));
    let (zone, own) = (member.locale.zone, json!({ "organizer": person(member) }));
    if dice.percent(8) {
        let next = day.checked_add(1.day()).unwrap_or(day);
        return Event::all_day(&subject, zone, &format!("{day}T00:00:00"), &format!("{next}T00:00:00")).with(own);
    }
    let event =
        Event::new(&subject, zone, &format!("{day}T{hour:02}:00:00"), &format!("{day}T{hour:02}:45:00")).with(own);
    let event = if dice.percent(40) { event.with(json!({ "attendees": guests(dice) })) } else { event };
    if dice.percent(20) { series(event, day, dice) } else { event }
}

pub(super) fn person(member: &Member) -> Value {
    json!({ "emailAddress": { "name": member.name, "address": member.upn } })
}

fn guests(dice: &mut Dice) -> Vec<Value> {
    let count = 1 + dice.below(5);
    let guest = |number: u64| {
        json!({ "type": "required", "status": { "response": "accepted", "time": "2025-01-02T08:00:00Z" },
            "emailAddress": { "name": format!("Agent {number:04}"), "address": format!("agent.{number:04}@{DOMAIN}") } })
    };
    (0..count).map(|_| guest(17 + dice.below(80))).collect()
}

fn series(event: Event, day: Date, dice: &mut Dice) -> Event {
    let weekday = format!("{:?}", day.weekday()).to_lowercase();
    let pattern =
        json!({ "type": "weekly", "interval": 1 + dice.below(2), "daysOfWeek": [weekday], "firstDayOfWeek": "monday" });
    let series =
        event.repeating(pattern.clone(), json!({ "type": "numbered", "numberOfOccurrences": 10 + dice.below(30) }));
    let step = i32::try_from(pattern["interval"].as_u64().unwrap_or(1)).unwrap_or(1);
    let later = |weeks: i32| day.checked_add(Span::new().weeks(weeks * step)).unwrap_or(day).to_string();
    if dice.percent(50) {
        return series.except(&later(2), None, json!({ "subject": "Déplacé" })).cancelling(&[&later(4)]);
    }
    series
}
