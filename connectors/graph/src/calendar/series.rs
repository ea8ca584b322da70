//! A series beyond its master: changed days and cancelled ones.
//!
//! The global cloud tells both with the master, if it is asked rightly: the documentation (of beta) and the practice of
//! tools differ on whether by `$select`, by `$expand` or by both, so both are sent, and nothing else is selected
//! (microsoft-graph-docs#9887: other members drop the exceptions). National clouds have no such lists: there the days
//! themselves are listed over the whole life of the series, and cancelled ones are gaps (microsoft-graph-docs#4294).
//!
//! Whether a changed day touches its master is not documented, so the version of a series is made of all of it.

use super::{
    Known,
    life::{Life, today},
    rows::EVENTS,
};
use crate::{
    endpoint::segment,
    faults::Asked,
    json,
    service::Service,
    wire::{self, Event, Recurrence},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashSet},
    sync::atomic::Ordering,
};
use transhume_contract::{Date, Digest, Fault, Reach, Version, What};
use transhume_http::Url;

/// Times come in UTC, which has no ambiguous hours; texts as HTML, which is how Outlook writes them.
pub const WISHES: &[&str] = &["outlook.timezone=\"UTC\"", "outlook.body-content-type=\"html\""];
/// What is asked of each day of a series: enough to know which day it is, and whether it changed.
const DAY: &str = "id,type,seriesMasterId,changeKey,start,end,isAllDay,isCancelled,originalStart";
const NAMED: &str = "the days of a series";

/// How a series is asked for its exceptions and cancelled days, from the cheapest way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// Little of each exception.
    Narrow,
    Whole,
    /// This cloud has no such lists.
    Absent,
}

impl Lists {
    const ALL: [Self; 3] = [Self::Narrow, Self::Whole, Self::Absent];

    pub fn here(known: &Known) -> Self {
        let at = usize::from(known.lists.load(Ordering::Relaxed));
        Self::ALL.get(at).copied().unwrap_or(Self::Absent)
    }

    /// This way was refused: the next one from now on.
    pub fn refused(self, known: &Known) {
        let next = Self::ALL.iter().position(|one| *one == self).unwrap_or_default() + 1;
        let next = u8::try_from(next).unwrap_or_default();
        known.lists.fetch_max(next, Ordering::Relaxed);
    }

    /// What to ask of a master for its lists alone.
    pub fn query(self) -> &'static str {
        match self {
            Self::Narrow => {
                "?$select=id,cancelledOccurrences,exceptionOccurrences&\
                 $expand=exceptionOccurrences($select=id,changeKey)"
            }
            Self::Whole | Self::Absent => {
                "?$select=id,cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences"
            }
        }
    }
}

/// Reads series of one mailbox.
pub struct Series<'a> {
    pub service: &'a Service,
    pub known: &'a Known,
    pub user: &'a str,
}

impl<'a> Series<'a> {
    /// The path of an event.
    pub fn path(&self, id: &str) -> String {
        (EVENTS.one)(&segment(self.user), "", &segment(id))
    }

    /// The version of a series: of its master, its changed days and its cancelled ones.
    pub async fn version(&self, master: &str) -> Result<Version, Fault> {
        loop {
            let lists = Lists::here(self.known);
            if lists == Lists::Absent {
                return self.version_by_days(master).await;
            }
            let path = format!("{}{}", self.path(master), lists.query());
            match self.service.item::<Event>(self.user, &path, &[], "a series").await {
                Ok((event, _)) => match self.told(event).await? {
                    Some(version) => return Ok(version),
                    None => return self.version_by_days(master).await,
                },
                Err(fault) if fault.what == What::Unsupported => lists.refused(self.known),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// The version that both lists tell; `None` where one of them is missing.
    async fn told(&self, mut event: Event) -> Result<Option<Version>, Fault> {
        for (more, _) in self.more_exceptions(&event).await? {
            event.exception_occurrences.get_or_insert_default().push(more);
        }
        Ok(version(&event))
    }

    /// The exceptions behind the first page, where the service gives them in pages.
    pub async fn more_exceptions(&self, event: &Event) -> Result<Vec<(Event, Vec<u8>)>, Fault> {
        let Some(link) = &event.more_exceptions else { return Ok(Vec::new()) };
        let url = self.resumed(link)?;
        let (mut all, mut next) = (Vec::new(), Some(url));
        while let Some(url) = next {
            let (page, bytes) = self.page(url).await?;
            all.extend(rows(&bytes)?);
            next = page.next_link.as_deref().map(|link| self.resumed(link)).transpose()?;
        }
        Ok(all)
    }

    async fn version_by_days(&self, master: &str) -> Result<Version, Fault> {
        let path = format!("{}?$select=id,changeKey,type,start,recurrence", self.path(master));
        let (event, _) = self.service.item::<Event>(self.user, &path, WISHES, "a series").await?;
        let mut told = BTreeMap::new();
        if let Some(mut days) = self.days(master, &event) {
            while let Some(page) = days.page().await? {
                told.extend(page.into_iter().map(|(day, _)| day_told(day)));
            }
        }
        Ok(made(key(&event), &told))
    }

    /// The days of a series, to be listed; `None` where it does not say when it begins.
    pub fn days(&self, master: &str, event: &Event) -> Option<Days<'_>> {
        let begins = event.start.as_ref().and_then(|start| start.get("dateTime")?.as_str());
        let recurrence = Recurrence::deserialize(event.recurrence.as_ref()?).ok()?;
        let life = Life::of(&recurrence, begins, today())?;
        let path = format!("{}/instances?$select={DAY}", self.path(master));
        Some(Days {
            series: self,
            path,
            life,
            listed: None,
            busy: false,
            link: None,
            seen: [HashSet::new(), HashSet::new()],
        })
    }

    async fn page(&self, url: Url) -> Result<(wire::Page, Vec<u8>), Fault> {
        let wishes = [&[crate::endpoint::IMMUTABLE, "odata.maxpagesize=500"], WISHES].concat();
        let request = crate::endpoint::preferring(self.service.endpoint.mailbox(self.user, url), &wishes);
        let (page, bytes) = self.service.parsed(request, Asked::Item, NAMED).await?;
        Ok((page, json::verbatim(bytes.to_vec(), NAMED)?))
    }

    fn resumed(&self, link: &str) -> Result<Url, Fault> {
        let endpoint = &self.service.endpoint;
        endpoint.kept(link).and_then(|link| endpoint.resumed(&link)).map_err(|fault| fault.reaching(Reach::Item))
    }
}

/// The days of a series, window by window.
pub struct Days<'a> {
    series: &'a Series<'a>,
    path: String,
    life: Life,
    /// Up to here they are listed.
    listed: Option<Date>,
    /// The last window held a changed day.
    busy: bool,
    /// The next page of this window.
    link: Option<Url>,
    /// The days of this window and of the one before: one that stands across a boundary is in both.
    seen: [HashSet<String>; 2],
}

impl Days<'_> {
    /// The next days, each with its bytes, and each once; `None` behind the last page.
    pub async fn page(&mut self) -> Result<Option<Vec<(Event, Vec<u8>)>>, Fault> {
        let Some(url) = self.link.take().or_else(|| self.next_window()) else { return Ok(None) };
        let (page, bytes) = self.series.page(url).await?;
        self.link = page.next_link.as_deref().map(|link| self.series.resumed(link)).transpose()?;
        let mut rows = rows(&bytes)?;
        self.busy |= rows.iter().any(|(day, _)| is_changed(day));
        rows.retain(|(day, _)| self.is_new(day));
        Ok(Some(rows))
    }

    /// The last day of the pattern that was listed, once all pages were.
    pub fn seen(&self) -> Option<Date> {
        self.listed.map(Life::seen)
    }

    fn next_window(&mut self) -> Option<Url> {
        let busy = std::mem::take(&mut self.busy);
        let (from, to) = self.life.window(self.listed, busy)?;
        self.listed = Some(to);
        self.seen.swap(0, 1);
        self.seen[1].clear();
        let path = format!("{}&startDateTime={from}T00:00:00Z&endDateTime={to}T00:00:00Z&$top=500", self.path);
        Some(self.series.service.endpoint.at(&path))
    }

    fn is_new(&mut self, day: &Event) -> bool {
        let Some(id) = &day.id else { return true };
        let before = self.seen[0].contains(id);
        self.seen[1].insert(id.clone()) && !before
    }
}

/// Whether a day of a series is an exception.
pub fn is_changed(day: &Event) -> bool {
    day.kind.as_deref() == Some("exception")
}

/// The rows of a page, each parsed and to the byte; what cannot be understood is kept all the same.
/// An answer without rows is none: every day of the series would count as cancelled.
fn rows(bytes: &[u8]) -> Result<Vec<(Event, Vec<u8>)>, Fault> {
    let without = || Fault::new(What::Malformed, format!("the answer to \"{NAMED}\" holds no list"));
    let elements = json::elements(bytes, "value").ok_or_else(without)?;
    Ok(elements.into_iter().map(|row| (serde_json::from_slice(row).unwrap_or_default(), row.to_vec())).collect())
}

fn day_told(day: Event) -> (String, String) {
    let changed = if is_changed(&day) { key(&day).to_owned() } else { String::new() };
    let start = day.start.map(|start| start.to_string()).unwrap_or_default();
    (day.id.unwrap_or_else(|| start.clone()), format!("{start} {changed}"))
}

/// The version of a series of its lists; `None` where one is missing.
fn version(event: &Event) -> Option<Version> {
    let date = |id: &String| id.rsplit('.').next().unwrap_or_default().to_owned();
    let cancelled = event.cancelled_occurrences.as_ref()?.iter().map(|id| (date(id), "cancelled".to_owned()));
    let changed = event.exception_occurrences.as_ref()?.iter();
    let changed = changed.map(|one| (one.id.clone().unwrap_or_default(), key(one).to_owned()));
    Some(made(key(event), &cancelled.chain(changed).collect()))
}

fn made(key: &str, told: &BTreeMap<String, String>) -> Version {
    let text: String = told.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    Version::new(format!("{key} {}", &Digest::of(text.as_bytes()).hex()[..32]))
}

/// The change key of an event, as itself or inside its etag.
fn key(event: &Event) -> &str {
    let etag = event.etag.as_deref().map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
    event.change_key.as_deref().or(etag).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn series(cancelled: &[&str], changed: &[(&str, &str)]) -> Event {
        let changed: Vec<_> = changed.iter().map(|(id, key)| json!({"id": id, "changeKey": key})).collect();
        let row = json!({"@odata.etag": "W/\"M1\"", "id": "m", "cancelledOccurrences": cancelled,
            "exceptionOccurrences": changed});
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn every_change_of_a_day_is_a_new_version_and_order_is_none() {
        let base = version(&series(&["OID.a.b.2025-01-01"], &[("x", "1"), ("y", "1")])).unwrap();
        assert!(base.as_str().starts_with("M1 "));
        assert_eq!(base, version(&series(&["OID.other form.2025-01-01"], &[("y", "1"), ("x", "1")])).unwrap());
        let others = [
            series(&[], &[("x", "1"), ("y", "1")]),
            series(&["OID.a.2025-01-08"], &[("x", "1"), ("y", "1")]),
            series(&["OID.a.2025-01-01"], &[("x", "2"), ("y", "1")]),
            series(&["OID.a.2025-01-01"], &[("x", "1")]),
        ];
        for other in others {
            assert_ne!(base, version(&other).unwrap(), "{other:?}");
        }
    }

    #[test]
    fn without_both_lists_there_is_no_version() {
        let row = json!({"id": "m", "exceptionOccurrences": []});
        assert_eq!(version(&serde_json::from_value(row).unwrap()), None);
    }

    #[test]
    fn a_way_that_was_refused_is_not_tried_again() {
        let known = Known::default();
        assert_eq!(Lists::here(&known), Lists::Narrow);
        Lists::Narrow.refused(&known);
        Lists::Narrow.refused(&known);
        assert_eq!(Lists::here(&known), Lists::Whole);
        Lists::Whole.refused(&known);
        assert_eq!(Lists::here(&known), Lists::Absent);
    }

    #[test]
    fn a_page_without_rows_is_no_page_of_cancelled_days() {
        assert_eq!(rows(b"{\"@odata.context\":\"x\"}").unwrap_err().what, What::Malformed);
        assert_eq!(rows(b"{\"value\":[]}").unwrap().len(), 0);
        let page = json::verbatim(b"\xEF\xBB\xBF{\"value\":[{\"id\":\"a\"}]}".to_vec(), NAMED).unwrap();
        assert_eq!(rows(&page).unwrap().len(), 1);
    }

    #[test]
    fn only_the_lists_are_selected_where_lists_are_asked_for() {
        for lists in [Lists::Narrow, Lists::Whole] {
            let query = lists.query();
            assert!(query.starts_with("?$select=id,cancelledOccurrences,exceptionOccurrences&$expand="), "{query}");
            assert!(!query.contains(' '));
        }
    }
}
