//! Which occurrences of a series were changed, cancelled or added.

use super::pattern::{End, Series};
use super::zones::Zone;
use super::{Scene, when};
use crate::loss::Losses;
use crate::render::json::{list, said, yes};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Days by the place of the occurrence in the pattern, not by where it was moved.
#[derive(Default)]
pub(super) struct Fates<'a> {
    pub changed: BTreeMap<Date, &'a Value>,
    pub cancelled: BTreeSet<Date>,
    /// Listed by the service as plain occurrences, and not in the pattern as we read it.
    pub added: BTreeSet<Date>,
}

pub(super) fn fates<'a>(scene: &Scene<'a>, series: &Series, losses: &mut Losses) -> Fates<'a> {
    let mut fates = Fates { changed: changed(scene, series, losses), ..Fates::default() };
    let event = &scene.bundle.event;
    fates.cancelled = list(event, "cancelledOccurrences").iter().filter_map(|id| cancelled_day(id, losses)).collect();
    if let Some(instances) = &scene.bundle.instances {
        let (gaps, added) = gaps(scene, series, instances, &fates);
        fates.added = added;
        if !event["cancelledOccurrences"].is_array() {
            fates.cancelled.extend(gaps);
            beyond(scene, series, losses);
        }
    }
    fates.cancelled.retain(|day| !fates.changed.contains_key(day));
    fates
}

/// `OID.<id of the master>.<date>`; ids may hold dots, so the date is what follows the last one.
fn cancelled_day(id: &Value, losses: &mut Losses) -> Option<Date> {
    let day = id.as_str().and_then(date_of_id);
    if day.is_none() {
        losses.add(
            "cancelled_unreadable",
            "a cancelled occurrence whose day could not be read; it stands as not cancelled",
        );
    }
    day
}

fn date_of_id(id: &str) -> Option<Date> {
    id.rsplit('.').next()?.parse().ok()
}

/// Exceptions by the day they replace; of two for one day the one modified last.
fn changed<'a>(scene: &Scene<'a>, series: &Series, losses: &mut Losses) -> BTreeMap<Date, &'a Value> {
    let mut changed: BTreeMap<Date, &Value> = BTreeMap::new();
    for exception in &scene.bundle.exceptions {
        let Some(day) = original_day(exception, scene, series) else {
            losses.add(
                "exception_unplaced",
                "a changed occurrence that does not say which one it was; it is not carried",
            );
            continue;
        };
        let newer = |other: &Value| said(exception, "lastModifiedDateTime") > said(other, "lastModifiedDateTime");
        match changed.get(&day).map(|other| newer(other)) {
            None => {
                changed.insert(day, exception);
            }
            Some(newer) => {
                losses
                    .add("exception_doubled", format!("two changes of the occurrence of {day}; the later one stands"));
                if newer {
                    changed.insert(day, exception);
                }
            }
        }
    }
    changed
}

/// The day of the pattern an occurrence stands on. `originalStart` is an instant: of whole days midnight where they were
/// made, which east of Greenwich is the day before in UTC, so the day that the pattern has is taken.
fn original_day(event: &Value, scene: &Scene<'_>, series: &Series) -> Option<Date> {
    let from_id = said(event, "occurrenceId").and_then(date_of_id);
    let Some(start) = said(event, "originalStart").and_then(|text| text.parse::<Timestamp>().ok()) else {
        return from_id;
    };
    let local = scene.zone.local(start).date();
    if !scene.all_day {
        return Some(local);
    }
    let utc = Zone::utc().local(start);
    let at_midnight = (utc.time() == Time::midnight()).then(|| utc.date());
    let days = [from_id, at_midnight, Some(local), Some(utc.date()), utc.date().tomorrow().ok()];
    let mut days = days.into_iter().flatten();
    let in_pattern = |day: &Date| series.dates().take_while(|other| other <= day).any(|other| other == *day);
    days.clone().find(in_pattern).or_else(|| days.next())
}

/// Days of the pattern that are not listed, and listed days that are not in the pattern.
fn gaps(scene: &Scene<'_>, series: &Series, instances: &[Value], fates: &Fates<'_>) -> (Vec<Date>, BTreeSet<Date>) {
    let plain = instances.iter().filter(|one| one["type"] != "exception" && !yes(one, "isCancelled"));
    let plain: BTreeSet<Date> = plain.filter_map(|one| plain_day(one, scene)).collect();
    let listed: BTreeSet<Date> = plain.iter().chain(fates.changed.keys()).copied().collect();
    // Of an endless series nobody knows what follows the last one listed.
    let told = scene.bundle.listed_until;
    let last = match series.end {
        End::Never => told.or(listed.last().copied()).unwrap_or(Date::MIN),
        End::On(_) | End::After(_) => told.unwrap_or(Date::MAX),
    };
    let known = plain.last().map_or(last, |listed| last.max(*listed));
    let days: BTreeSet<Date> = series.dates().take_while(|day| *day <= known).collect();
    let gaps = days.difference(&listed).copied().take_while(|day| *day <= last).collect();
    (gaps, plain.difference(&days).copied().collect())
}

/// Names what nobody looked at: days may be changed or cancelled there.
fn beyond(scene: &Scene<'_>, series: &Series, losses: &mut Losses) {
    let Some(until) = scene.bundle.listed_until else { return };
    if series.dates().any(|day| day > until) {
        let detail = format!("its days were looked at up to {until}; what was changed after that stands as unchanged");
        losses.add("series_looked_at_until", detail);
    }
}

fn plain_day(event: &Value, scene: &Scene<'_>) -> Option<Date> {
    if scene.all_day {
        return when::printed_day(&event["start"]);
    }
    let start = when::instant(&event["start"], scene)?;
    Some(scene.zone.local(start).date())
}
