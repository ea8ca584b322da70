//! Series that are odd: every pattern and every end, zones that changed their rules, days that months lack, exceptions by
//! the dozen.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde_json::{Value, json};

use super::build::Event;

const PARIS: &str = "Romance Standard Time";

pub(super) fn events() -> Vec<Event> {
    [thirty_years(), patterns(), days_that_months_lack(), zones(), whole_days(), exceptions(), far_from_utc(), broken()]
        .concat()
}

fn numbered(count: u32) -> Value {
    json!({ "type": "numbered", "numberOfOccurrences": count })
}

fn until(date: &str) -> Value {
    json!({ "type": "endDate", "endDate": date })
}

fn no_end() -> Value {
    json!({ "type": "noEnd" })
}

fn weekly(days: &[&str]) -> Value {
    json!({ "type": "weekly", "interval": 1, "daysOfWeek": days, "firstDayOfWeek": "monday" })
}

fn from(name: &str, start: &str) -> Event {
    Event::new(name, PARIS, start, &start.replace("T09:", "T10:"))
}

/// Thirty years of Tuesdays, forty of them changed and a dozen cancelled.
fn thirty_years() -> Vec<Event> {
    let first = Date::constant(1996, 9, 3);
    let week = |number: i32| first.checked_add(Span::new().weeks(number)).unwrap_or(first);
    let mut series =
        from("thirty-years-of-tuesdays", "1996-09-03T09:00:00").repeating(weekly(&["tuesday"]), until("2026-09-01"));
    for number in 0..40 {
        let day = week(number * 38 + 5);
        let moved = day.checked_add(1.day()).unwrap_or(day);
        let times = (format!("{moved}T14:00:00"), format!("{moved}T15:30:00"));
        let at = (number % 2 == 0).then_some((times.0.as_str(), times.1.as_str()));
        series = series.except(&day.to_string(), at, json!({ "subject": format!("Mardi n° {number}, changé") }));
    }
    let cancelled: Vec<String> = (0..12).map(|number| week(number * 120 + 8).to_string()).collect();
    let cancelled: Vec<&str> = cancelled.iter().map(String::as_str).collect();
    vec![series.cancelling(&cancelled)]
}

fn patterns() -> Vec<Event> {
    let workdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let all_days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let relative = |kind: &str, days: &[&str], index: &str, month: u8| json!({ "type": kind, "interval": 1, "daysOfWeek": days, "index": index, "month": month, "firstDayOfWeek": "sunday" });
    vec![
        from("daily-without-end", "2026-01-05T09:00:00").repeating(json!({ "type": "daily", "interval": 1 }), no_end()),
        from("every-third-day", "2026-01-05T09:00:00")
            .repeating(json!({ "type": "daily", "interval": 3 }), numbered(40)),
        from("every-other-week-from-sunday", "2026-01-06T09:00:00").repeating(
            json!({ "type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "sunday" }),
            numbered(20),
        ),
        from("every-other-week-from-monday", "2026-01-06T09:00:00").repeating(
            json!({ "type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "monday" }),
            numbered(20),
        ),
        from("workdays", "2026-01-05T09:00:00").repeating(weekly(&workdays), until("2026-12-31")),
        from("last-weekday-of-the-month", "2026-01-30T09:00:00")
            .repeating(relative("relativeMonthly", &workdays, "last", 0), no_end()),
        from("third-tuesday", "2026-01-20T09:00:00")
            .repeating(relative("relativeMonthly", &["tuesday"], "third", 0), numbered(30)),
        from("last-day-of-every-second-month", "2026-01-31T09:00:00").repeating(
            json!({ "type": "relativeMonthly", "interval": 2, "daysOfWeek": all_days, "index": "last" }),
            until("2030-01-31"),
        ),
        from("second-weekend-day-of-may", "2026-05-03T09:00:00")
            .repeating(relative("relativeYearly", &["saturday", "sunday"], "second", 5), numbered(10)),
        from("fourteenth-of-july", "2026-07-14T09:00:00")
            .repeating(json!({ "type": "absoluteYearly", "interval": 1, "dayOfMonth": 14, "month": 7 }), no_end()),
        from("tenth-of-the-month", "2026-01-10T09:00:00")
            .repeating(json!({ "type": "absoluteMonthly", "interval": 3, "dayOfMonth": 10 }), numbered(12)),
        from("once", "2026-01-10T09:00:00").repeating(json!({ "type": "daily", "interval": 1 }), numbered(1)),
    ]
}

fn days_that_months_lack() -> Vec<Event> {
    let monthly = |day: u8| json!({ "type": "absoluteMonthly", "interval": 1, "dayOfMonth": day });
    vec![
        from("day-31", "2026-01-31T09:00:00").repeating(monthly(31), no_end()),
        from("day-30", "2026-01-30T09:00:00").repeating(monthly(30), numbered(24)),
        from("day-29", "2026-01-29T09:00:00").repeating(monthly(29), until("2028-12-31")),
        from("leap-day", "2024-02-29T09:00:00")
            .repeating(json!({ "type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2 }), no_end()),
        from("leap-day-every-fourth-year", "2024-02-29T09:00:00")
            .repeating(json!({ "type": "absoluteYearly", "interval": 4, "dayOfMonth": 29, "month": 2 }), numbered(5)),
    ]
}

/// Weekly through the years in which a zone changed its rules, and in zones that are nobody's.
fn zones() -> Vec<Event> {
    let changed = [
        ("turkey-that-stays-in-summer", "Turkey Standard Time", "2015-01-05"),
        ("moscow-that-moved-twice", "Russian Standard Time", "2010-01-04"),
        ("brazil-without-summer-time", "E. South America Standard Time", "2017-01-02"),
        ("morocco-in-ramadan", "Morocco Standard Time", "2017-01-02"),
        ("samoa-that-skipped-a-day", "Samoa Standard Time", "2011-01-03"),
        ("egypt-and-back", "Egypt Standard Time", "2013-01-07"),
        ("south-of-the-equator", "AUS Eastern Standard Time", "2025-01-06"),
        ("half-an-hour-of-summer", "Lord Howe Standard Time", "2025-01-06"),
    ];
    let mut all: Vec<Event> = changed
        .iter()
        .map(|(name, zone, day)| {
            let event = Event::new(name, zone, &format!("{day}T22:30:00"), &format!("{day}T23:30:00"));
            event.repeating(weekly(&["monday"]), numbered(520))
        })
        .collect();
    let (start, end) = ("2026-01-05T22:30:00", "2026-01-05T23:30:00");
    let blank = json!({ "type": "numbered", "numberOfOccurrences": 60, "recurrenceTimeZone": "" });
    all.extend([
        Event::in_custom_zone("series-in-custom-zone", "tzone://Microsoft/Custom", "Europe/Paris", start, end)
            .repeating(weekly(&["monday"]), numbered(60))
            .except(
                "2026-03-30",
                Some(("2026-03-31T22:30:00", "2026-03-31T23:30:00")),
                json!({ "subject": "un mardi" }),
            )
            .cancelling(&["2026-04-06"]),
        Event::in_custom_zone("series-in-customized-zone", "Customized Time Zone", "America/New_York", start, end)
            .repeating(weekly(&["monday"]), numbered(60)),
        Event::new("series-without-zone", PARIS, start, end).repeating(weekly(&["monday"]), blank),
        Event::new(
            "third-day-in-tokyo-is-second-in-utc",
            "Tokyo Standard Time",
            "2026-01-06T07:30:00",
            "2026-01-06T08:30:00",
        )
        .repeating(
            json!({ "type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "first" }),
            no_end(),
        ),
    ]);
    all
}

fn whole_days() -> Vec<Event> {
    let yearly =
        |day: u8, month: u8| json!({ "type": "absoluteYearly", "interval": 1, "dayOfMonth": day, "month": month });
    vec![
        Event::all_day("birthday", PARIS, "1980-05-01T00:00:00", "1980-05-02T00:00:00")
            .repeating(yearly(1, 5), no_end()),
        Event::all_day("birthday-of-a-contact", PARIS, "1985-12-01T00:00:00", "1985-12-02T00:00:00")
            .repeating(yearly(1, 12), no_end())
            .standing_in(super::BIRTHDAYS),
        Event::all_day("birthday-on-leap-day", "Tokyo Standard Time", "1988-02-29T00:00:00", "1988-03-01T00:00:00")
            .repeating(yearly(29, 2), no_end()),
        Event::all_day("weekends", PARIS, "2026-01-03T00:00:00", "2026-01-05T00:00:00")
            .repeating(weekly(&["saturday"]), numbered(52))
            .except("2026-03-28", None, json!({ "subject": "week-end du changement d'heure" }))
            .cancelling(&["2026-10-24"]),
        Event::all_day("on-call-across-summer-time", PARIS, "2026-03-23T00:00:00", "2026-03-30T00:00:00").repeating(
            json!({ "type": "weekly", "interval": 4, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday" }),
            numbered(12),
        ),
        Event::new("night-shift", PARIS, "2026-03-20T22:00:00", "2026-03-21T06:00:00")
            .repeating(weekly(&["friday", "saturday", "sunday"]), until("2026-11-30"))
            .except("2026-03-28", Some(("2026-03-28T23:00:00", "2026-03-29T07:00:00")), json!({})),
    ]
}

fn exceptions() -> Vec<Event> {
    let daily = || json!({ "type": "daily", "interval": 1 });
    let guest = json!([{ "type": "required", "status": { "response": "accepted", "time": "2026-04-01T08:00:00Z" },
        "emailAddress": { "name": "Un jour", "address": "un.jour@partner.example" } }]);
    let file = json!([{ "@odata.type": "#microsoft.graph.fileAttachment", "name": "ordre.txt", "contentType": "text/plain",
        "isInline": false, "contentBytes": "Ym9uam91cg==" }]);
    let own_file = json!([file[0], { "@odata.type": "#microsoft.graph.fileAttachment", "name": "annexe.txt",
        "contentType": "text/plain", "isInline": false, "contentBytes": "YW5uZXhl" }]);
    vec![
        from("exceptions-of-every-kind", "2026-03-23T09:00:00")
            .with(json!({ "hasAttachments": true, "attachments": file }))
            .repeating(daily(), numbered(30))
            .except("2026-03-24", Some(("2026-03-24T23:30:00", "2026-03-25T00:30:00")), json!({}))
            .except("2026-03-25", Some(("2025-12-25T09:00:00", "2025-12-25T10:00:00")), json!({ "subject": "avant le début" }))
            .except("2026-03-26", Some(("2027-12-25T09:00:00", "2027-12-25T10:00:00")), json!({ "subject": "après la fin" }))
            .except("2026-03-29", None, json!({ "body": { "contentType": "html", "content": "<p>autre corps</p>" } }))
            .except("2026-03-30", None, json!({ "attendees": guest }))
            .except("2026-03-31", None, json!({ "hasAttachments": true, "attachments": own_file }))
            .except("2026-04-01", None, json!({ "isCancelled": true, "subject": "Annulé : un jour" }))
            .except("2026-04-02", None, json!({ "showAs": "oof", "sensitivity": "private", "categories": ["Élus"], "isReminderOn": false }))
            .except("2026-04-03", None, json!({ "location": { "displayName": "Ailleurs" }, "importance": "high" }))
            .cancelling(&["2026-03-23", "2026-03-28", "2026-04-21"]),
        from("every-day-cancelled", "2026-05-01T09:00:00")
            .repeating(daily(), numbered(3))
            .cancelling(&["2026-05-01", "2026-05-02", "2026-05-03"]),
        from("two-on-one-day", "2026-06-01T09:00:00")
            .repeating(weekly(&["monday"]), numbered(10))
            .except("2026-06-08", Some(("2026-06-15T09:00:00", "2026-06-15T10:00:00")), json!({ "subject": "le même jour" })),
        from("invited-to-a-series", "2026-06-02T09:00:00")
            .with(json!({ "isOrganizer": false, "iCalUId": "series-of-another-system@voisin.example",
                "organizer": { "emailAddress": { "name": "Claude Petit", "address": "claude.petit@voisin.example" } } }))
            .repeating(weekly(&["tuesday"]), numbered(10))
            .except("2026-06-09", None, json!({ "responseStatus": { "response": "declined", "time": "2026-05-01T08:00:00Z" } })),
    ]
}

/// Series whose days in their zone are not those in UTC, with changed and cancelled days: whoever takes dates from UTC
/// changes and cancels the wrong ones.
fn far_from_utc() -> Vec<Event> {
    let workdays = || weekly(&["monday", "tuesday", "wednesday", "thursday", "friday"]);
    let daily = || json!({ "type": "daily", "interval": 1 });
    let series = |name: &str, zone: &str, start: &str, end: &str| {
        Event::new(name, zone, &format!("2026-01-05T{start}"), &format!("2026-01-05T{end}"))
            .repeating(daily(), until("2026-04-24"))
            .except("2026-03-10", None, json!({ "subject": "autre mardi" }))
            .except(
                "2026-03-12",
                Some(("2026-03-13T12:00:00", "2026-03-13T13:00:00")),
                json!({ "subject": "au vendredi" }),
            )
            .cancelling(&["2026-01-05", "2026-03-09", "2026-03-27"])
    };
    let whole = |name: &str, zone: &str| {
        Event::all_day(name, zone, "2026-01-05T00:00:00", "2026-01-06T00:00:00")
            .repeating(workdays(), numbered(80))
            .except("2026-03-10", None, json!({ "subject": "autre mardi" }))
            .except(
                "2026-03-12",
                Some(("2026-03-14T00:00:00", "2026-03-16T00:00:00")),
                json!({ "subject": "au week-end" }),
            )
            .cancelling(&["2026-01-05", "2026-03-09", "2026-03-27"])
    };
    let blank = json!({ "type": "numbered", "numberOfOccurrences": 10, "recurrenceTimeZone": "" });
    let pacific =
        json!({ "type": "numbered", "numberOfOccurrences": 10, "recurrenceTimeZone": "Pacific Standard Time" });
    vec![
        series("tokyo-mornings", "Tokyo Standard Time", "07:30:00", "08:15:00"),
        series("new-york-evenings", "Eastern Standard Time", "21:30:00", "23:00:00"),
        whole("whole-days-in-tokyo", "Tokyo Standard Time"),
        whole("whole-days-in-new-york", "Eastern Standard Time"),
        // a guest's copy says no zone (microsoft-graph-docs#7163)
        Event::all_day("whole-days-of-others", PARIS, "2026-03-23T00:00:00", "2026-03-24T00:00:00")
            .with(json!({ "isOrganizer": false,
                "organizer": { "emailAddress": { "name": "Claude Petit", "address": "claude.petit@voisin.example" } } }))
            .repeating(weekly(&["monday"]), blank)
            .except("2026-03-30", None, json!({ "subject": "premier lundi d'été" }))
            .cancelling(&["2026-04-06"]),
        // the zone of its start is not that of the recurrence (microsoft-graph-docs-contrib#7803)
        Event::all_day("whole-days-with-two-zones", "UTC", "2026-03-02T00:00:00", "2026-03-03T00:00:00")
            .repeating(weekly(&["monday"]), pacific)
            .except("2026-03-09", None, json!({ "subject": "premier lundi d'été" }))
            .cancelling(&["2026-03-16"]),
        from("one-day-of-it-whole", "2026-06-02T09:00:00").repeating(weekly(&["tuesday"]), numbered(10)).except(
            "2026-06-09",
            None,
            json!({ "isAllDay": true, "start": { "dateTime": "2026-06-09T00:00:00.0000000", "timeZone": "UTC" },
                "end": { "dateTime": "2026-06-10T00:00:00.0000000", "timeZone": "UTC" } }),
        ),
        Event::all_day("one-day-of-it-by-the-clock", PARIS, "2026-06-03T00:00:00", "2026-06-04T00:00:00")
            .repeating(weekly(&["wednesday"]), numbered(10))
            .except(
                "2026-06-10",
                None,
                json!({ "isAllDay": false, "start": { "dateTime": "2026-06-10T12:00:00.0000000", "timeZone": "UTC" },
                    "end": { "dateTime": "2026-06-10T13:00:00.0000000", "timeZone": "UTC" } }),
            ),
    ]
}

fn broken() -> Vec<Event> {
    vec![
        from("range-that-ends-before-it-starts", "2026-05-05T09:00:00")
            .repeating(weekly(&["tuesday"]), until("2026-01-01")),
        from("pattern-of-the-future", "2026-05-05T09:00:00")
            .repeating(json!({ "type": "lunarMonthly", "interval": 1, "dayOfMonth": 5 }), no_end()),
        Event::new("series-in-unknown-zone", "Mars Standard Time", "2026-05-05T09:00:00", "2026-05-05T10:00:00")
            .repeating(weekly(&["tuesday"]), numbered(10)),
    ]
}
