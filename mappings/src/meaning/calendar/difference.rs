//! What two meanings say differently, and which of it a named loss accounts for.
//!
//! | loss | accounts for |
//! |---|---|
//! | `sensitivity_personal`, `sensitivity_unknown` | another class, as long as it is not public |
//! | `busy_unknown` | the state, where it stands as busy |
//! | `importance_unknown` | the priority, where it stands as normal |
//! | `end_before_start`, `end_missing`, `zero_length` | an end a minute after the start |
//! | `all_day_time_dropped` | an end one day later |
//! | `hour_ambiguous` | an instant, where the clock on the wall is the same, and ends |
//! | `zone_dropped` | the clock on the wall, where the instant is the same |
//! | `organizer_dropped`, `organizer_missing` | an organiser who is gone |
//! | `attendees_dropped` | somebody invited who is gone |
//! | `answer_unknown`, `attendee_type_unknown` | the answer and role of somebody invited, who is still there |
//! | `attachment_too_large` | an attachment that is gone |
//! | `html_dropped` | the HTML of a text that is gone; the text stands |
//! | `uid_made` | a UID where the service told none |
//! | `uid_derived` | the UID, where it is the one that the loss names in place of that which the service told |
//!
//! All others change nothing that a [`CalendarMeaning`] holds.

use super::{CalendarMeaning, Facts, Occurrence, When};
use crate::Loss;
use jiff::civil::{Date, DateTime};
use std::collections::BTreeSet;

/// Most sentences on one object: a zone that changed differs on every day.
const MOST: usize = 50;

/// One thing that two meanings say differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of which occurrence, by its place in the pattern; none for the whole.
    pub occurrence: Option<DateTime>,
    /// `uid`, `occurrence`, `start`, `end`, or the name of a fact such as `class`.
    pub what: String,
    /// Empty where there was nothing, or is nothing any more.
    pub was: String,
    pub is: String,
}

impl Difference {
    /// Values are cut short; they come from calendars, so they may be shown to who may read those, and are never to be
    /// logged.
    pub fn sentence(&self) -> String {
        let on = self.occurrence.map(|at| format!(" on {at}")).unwrap_or_default();
        let what = &self.what;
        match (self.was.is_empty(), self.is.is_empty()) {
            (_, true) => format!("the {what}{on} was `{}` and is gone", cut(&self.was)),
            (true, _) => format!("the {what}{on} is new: `{}`", cut(&self.is)),
            _ => format!("the {what}{on} was `{}` and is `{}`", cut(&self.was), cut(&self.is)),
        }
    }
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// What no loss accounts for, as sentences; none when the target holds what the source told.
pub fn differences(original: &CalendarMeaning, text: &CalendarMeaning, losses: &[Loss]) -> Vec<String> {
    let found = difference(original, text).into_iter();
    let found = found.filter(|one| !said_elsewhere(one));
    let unexcused = found.filter(|one| !losses.iter().any(|loss| excuses(loss, one)));
    unexcused.take(MOST).map(|one| one.sentence()).collect()
}

/// Everything that differs.
pub fn difference(before: &CalendarMeaning, after: &CalendarMeaning) -> Vec<Difference> {
    let mut all = Vec::new();
    compare(&mut all, None, "uid", &before.uid, &after.uid);
    facts(&mut all, None, &before.facts, &after.facts);
    if let (Some((place, was)), Some((_, is))) = (only(before), only(after)) {
        occurrence(&mut all, place, (was, before), (is, after));
        return all;
    }
    let places: BTreeSet<&DateTime> = before.occurrences.keys().chain(after.occurrences.keys()).collect();
    let seen = last_seen(before, after);
    for place in places.into_iter().filter(|place| seen.is_none_or(|seen| **place <= seen)) {
        match (before.occurrences.get(place), after.occurrences.get(place)) {
            (Some(was), Some(is)) => occurrence(&mut all, *place, (was, before), (is, after)),
            (Some(was), None) => compare(&mut all, Some(*place), "occurrence", &shown(was.start), ""),
            (None, Some(is)) => compare(&mut all, Some(*place), "occurrence", "", &shown(is.start)),
            (None, None) => {}
        }
    }
    if before.more != after.more && seen.is_none() {
        compare(&mut all, None, "end of the series", &before.more.to_string(), &after.more.to_string());
    }
    all
}

/// The only occurrence: there is no other it could be taken for, wherever it stands.
fn only(of: &CalendarMeaning) -> Option<(DateTime, &Occurrence)> {
    let first = of.occurrences.iter().next().filter(|_| of.occurrences.len() == 1 && !of.more);
    first.map(|(place, occurrence)| (*place, occurrence))
}

/// Where either side was cut short, only what both looked at counts.
fn last_seen(before: &CalendarMeaning, after: &CalendarMeaning) -> Option<DateTime> {
    let last = |of: &CalendarMeaning| of.more.then(|| of.occurrences.keys().next_back().copied()).flatten();
    match (last(before), last(after)) {
        (Some(one), Some(other)) => Some(one.min(other)),
        // One goes on where the other ends: what it has more is a difference.
        _ => None,
    }
}

fn occurrence(
    all: &mut Vec<Difference>,
    place: DateTime,
    (was, before): (&Occurrence, &CalendarMeaning),
    (is, after): (&Occurrence, &CalendarMeaning),
) {
    compare(all, Some(place), "start", &shown(was.start), &shown(is.start));
    compare(all, Some(place), "end", &shown_end(was.end), &shown_end(is.end));
    if was.facts.is_some() || is.facts.is_some() {
        let (was, is) = (was.facts.as_ref().unwrap_or(&before.facts), is.facts.as_ref().unwrap_or(&after.facts));
        facts(all, Some(place), was, is);
    }
}

fn shown(when: When) -> String {
    match when {
        When::Day(day) => day.to_string(),
        When::Moment { at, wall } => format!("{wall} ({at})"),
    }
}

/// An end may be told in another zone: the instant counts.
fn shown_end(when: When) -> String {
    match when {
        When::Day(day) => day.to_string(),
        When::Moment { at, .. } => at.to_string(),
    }
}

pub(in crate::meaning) fn facts(all: &mut Vec<Difference>, at: Option<DateTime>, before: &Facts, after: &Facts) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &Facts, name: &String| {
        of.get(name).map(|value| if value.is_empty() { "-".to_owned() } else { value.clone() })
    };
    let from = all.len();
    for name in names {
        compare(all, at, name, &value(before, name).unwrap_or_default(), &value(after, name).unwrap_or_default());
    }
    let kept: Vec<Difference> = all.drain(from..).filter(|one| !text_beside_html(one, before, after)).collect();
    all.extend(kept);
}

fn compare(all: &mut Vec<Difference>, occurrence: Option<DateTime>, what: &str, was: &str, is: &str) {
    if was != is {
        all.push(Difference { occurrence, what: what.to_owned(), was: was.to_owned(), is: is.to_owned() });
    }
}

/// Gone with an X- property, which servers may drop, and still said by TRANSP.
pub(in crate::meaning) fn said_elsewhere(one: &Difference) -> bool {
    one.what == "busy" && one.is.is_empty()
}

/// Where the HTML came whole, the plain text beside it was made from it, and two readers of HTML need not agree in each
/// letter; a text that was cut is still found.
fn text_beside_html(one: &Difference, before: &Facts, after: &Facts) -> bool {
    let whole = before.get("html").is_some_and(|html| after.get("html") == Some(html));
    let (was, is) = (one.was.len(), one.is.len());
    one.what == "description" && whole && was.abs_diff(is) * 10 <= was.max(is).max(40)
}

fn excuses(loss: &Loss, one: &Difference) -> bool {
    let (was, is) = (one.was.as_str(), one.is.as_str());
    match (loss.name.as_str(), one.what.as_str()) {
        ("sensitivity_personal" | "sensitivity_unknown", "class") => ["PRIVATE", "CONFIDENTIAL"].contains(&is),
        ("busy_unknown", "busy") => is == "BUSY",
        ("importance_unknown", "priority") => is == "normal",
        ("end_before_start" | "end_missing" | "zero_length", "end") => a_minute_later(was, is),
        ("all_day_time_dropped", "end") => a_day_later(was, is),
        ("hour_ambiguous", "start") => wall(was).is_some() && wall(was) == wall(is),
        ("hour_ambiguous", "end") => true,
        ("zone_dropped", "start") => instant(was).is_some() && instant(was) == instant(is),
        ("organizer_dropped" | "organizer_missing", "organizer") => is.is_empty(),
        ("answer_unknown" | "attendee_type_unknown", what) => what.starts_with("attendee ") && !is.is_empty(),
        ("attendees_dropped", what) => what.starts_with("attendee ") && is.is_empty(),
        ("attachment_too_large", what) => what.starts_with("attachment ") && is.is_empty(),
        ("html_dropped", "html") => is.is_empty(),
        ("uid_made", "uid") => was.is_empty(),
        ("uid_derived", "uid") => !is.is_empty() && names_both(loss, was, is),
        _ => false,
    }
}

/// A UID has no blanks around it within a sentence, and ends with it.
fn names_both(loss: &Loss, was: &str, is: &str) -> bool {
    loss.detail.starts_with(was) && loss.detail.split(' ').next_back() == Some(is)
}

fn a_minute_later(was: &str, is: &str) -> bool {
    let times = was.parse::<jiff::Timestamp>().ok().zip(is.parse::<jiff::Timestamp>().ok());
    times.is_some_and(|(was, is)| is.duration_since(was).as_secs() == 60)
}

fn a_day_later(was: &str, is: &str) -> bool {
    let days = was.parse::<Date>().ok().zip(is.parse::<Date>().ok());
    days.is_some_and(|(was, is)| was.tomorrow().is_ok_and(|next| next == is))
}

fn wall(shown: &str) -> Option<&str> {
    shown.split_once(" (").map(|(wall, _)| wall)
}

/// The instant in `wall (instant)`.
fn instant(shown: &str) -> Option<&str> {
    shown.split_once('(').map(|(_, at)| at)
}
