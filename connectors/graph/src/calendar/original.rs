//! The original of an event: all that belongs to it, as the service told it.
//!
//! Parts: `event` (the master or the single event), `exceptions` (an array, where the master does not hold them all),
//! `instances` (an array of the series' days, where the service has no lists of cancelled ones), `listed` (`{"until"}`, the
//! last day of the pattern that those days would show), `attachments` (an array of `{"event", "attachment"}`, each without
//! bytes; under `transhume.error` the refusal, where its bytes were refused, and under `transhume.same` the number of the
//! entry that has the same bytes) and `attachment/<n>` (the bytes of its n-th entry).

use super::{
    Known,
    rows::MASTER,
    series::{Lists, Series, WISHES, is_changed},
};
use crate::{
    attached::{Attachments, OF_OUTLOOK, put_json},
    json,
    service::Service,
    wire::Event,
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use transhume_contract::{Facts, Fault, ItemRef, OriginalSink, Part, What};

const EXPAND: &str = "?$expand=exceptionOccurrences";

/// Gives the original of one event.
pub async fn fetch(
    service: &Service,
    known: &Known,
    item: &ItemRef,
    into: &mut dyn OriginalSink,
) -> Result<Facts, Fault> {
    // What an earlier attempt left may be of another shape.
    into.clear().await?;
    let series = Series { service, known, user: item.account.id.as_str() };
    let reading = Reading { series, item };
    let (event, bytes) = reading.event().await?;
    let mut taking = Taking { reading, into, holders: Vec::new() };
    taking.holds(&event);
    if event.kind.as_deref() == Some(MASTER) {
        taking.series(event, bytes).await?
    } else {
        taking.put("event", bytes).await?
    }
    taking.attachments().await?;
    Ok(Facts::default())
}

/// One event being read.
struct Reading<'a> {
    series: Series<'a>,
    item: &'a ItemRef,
}

impl Reading<'_> {
    /// The event, with its exceptions where it may be a series and the cloud has such a list.
    async fn event(&self) -> Result<(Event, Vec<u8>), Fault> {
        let path = self.series.path(self.item.id.as_str());
        let is_single = self.item.facts.class.as_deref().is_some_and(|class| class != MASTER);
        if is_single || Lists::here(self.series.known) == Lists::Absent {
            return self.read(&path).await;
        }
        match self.read(&format!("{path}{EXPAND}")).await {
            Err(fault) if fault.what == What::Unsupported => self.read(&path).await,
            other => other,
        }
    }

    async fn read(&self, path: &str) -> Result<(Event, Vec<u8>), Fault> {
        self.series.service.item(self.series.user, path, WISHES, "an event").await
    }

    /// Both lists, asked for by themselves; `None` where there are none.
    async fn lists(&self) -> Result<Option<(Event, Vec<u8>)>, Fault> {
        if Lists::here(self.series.known) == Lists::Absent {
            return Ok(None);
        }
        let path = format!("{}{}", self.series.path(self.item.id.as_str()), Lists::Whole.query());
        match self.read(&path).await {
            Ok((event, told)) => {
                let both = event.cancelled_occurrences.is_some() && event.exception_occurrences.is_some();
                Ok(both.then_some((event, told)))
            }
            Err(fault) if fault.what == What::Unsupported => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// One event being taken.
struct Taking<'a> {
    reading: Reading<'a>,
    into: &'a mut dyn OriginalSink,
    /// The ids of those events of the series that may have attachments.
    holders: Vec<String>,
}

impl Taking<'_> {
    async fn series(&mut self, event: Event, bytes: Vec<u8>) -> Result<(), Fault> {
        if event.cancelled_occurrences.is_some() && event.exception_occurrences.is_some() {
            self.put("event", bytes).await?;
            return self.exceptions_of(&event, Vec::new()).await;
        }
        match self.reading.lists().await? {
            Some((lists, told)) => {
                let cancelled = json::member(&told, "cancelledOccurrences").unwrap_or(b"[]");
                self.put("event", json::with_member(&bytes, "cancelledOccurrences", cancelled)).await?;
                self.exceptions_of(&lists, told).await
            }
            None => self.by_days(event, bytes).await,
        }
    }

    /// Exceptions that do not stand in the master: those of another answer, and those behind their first page.
    async fn exceptions_of(&mut self, event: &Event, told: Vec<u8>) -> Result<(), Fault> {
        let more = self.reading.series.more_exceptions(event).await?;
        event
            .exception_occurrences
            .iter()
            .flatten()
            .chain(more.iter().map(|(one, _)| one))
            .for_each(|one| self.holds(one));
        let first = json::elements(&told, "exceptionOccurrences").unwrap_or_default();
        let all: Vec<&[u8]> = first.into_iter().chain(more.iter().map(|(_, bytes)| bytes.as_slice())).collect();
        if all.is_empty() { Ok(()) } else { self.put("exceptions", json::array(all)).await }
    }

    /// The days of the series in place of the lists, and each exception by itself.
    async fn by_days(&mut self, event: Event, bytes: Vec<u8>) -> Result<(), Fault> {
        self.put("event", bytes).await?;
        let Some(mut days) = self.reading.series.days(self.reading.item.id.as_str(), &event) else {
            return Ok(());
        };
        let (mut array, mut changed) = (Array::open(self.into, "instances").await?, Vec::new());
        while let Some(page) = days.page().await? {
            for (day, bytes) in page {
                changed.extend(day.id.clone().filter(|_| is_changed(&day)));
                array.add(self.into, bytes).await?;
            }
        }
        array.close(self.into).await?;
        if let Some(until) = days.seen() {
            self.put("listed", json!({"until": until.to_string()}).to_string().into_bytes()).await?;
        }
        self.changed(changed).await
    }

    async fn changed(&mut self, ids: Vec<String>) -> Result<(), Fault> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut array = Array::open(self.into, "exceptions").await?;
        for id in ids {
            // One that was put back meanwhile stands among the days, and comes again with the next pass.
            let (day, bytes) = match self.reading.read(&self.reading.series.path(&id)).await {
                Err(fault) if fault.what == What::Vanished => continue,
                other => other?,
            };
            self.holds(&day);
            array.add(self.into, bytes).await?;
        }
        array.close(self.into).await
    }

    /// Notes an event that may have attachments. `hasAttachments` is false where all of them stand in the text (Graph
    /// docs: attachments).
    fn holds(&mut self, event: &Event) {
        let text = event.body.as_ref().and_then(|body| body.content.as_deref()).unwrap_or_default();
        if event.has_attachments == Some(true) || text.contains("cid:") {
            self.holders.extend(event.id.clone());
        }
    }

    async fn attachments(&mut self) -> Result<(), Fault> {
        let mut all: Vec<Value> = Vec::new();
        for id in std::mem::take(&mut self.holders) {
            let (service, user, item) =
                (self.reading.series.service, self.reading.series.user, self.reading.series.path(&id));
            let of = Attachments { service, user, item, select: OF_OUTLOOK };
            for mut meta in of.listed().await? {
                match self.inherited(&all, &id, &meta) {
                    Some(same) => drop(meta.insert("transhume.same".into(), same.into())),
                    None => of.take(all.len(), &mut meta, self.into).await?,
                }
                all.push(json!({"event": id, "attachment": meta}));
            }
        }
        if all.is_empty() { Ok(()) } else { self.put("attachments", Value::Array(all).to_string().into_bytes()).await }
    }

    /// The entry of the series that an exception shows as its own, under another id (seen by corso). Whoever replaces a
    /// file changes when it was modified.
    fn inherited(&self, all: &[Value], event: &str, meta: &Map<String, Value>) -> Option<usize> {
        const ALIKE: [&str; 6] = ["@odata.type", "name", "contentType", "size", "isInline", "lastModifiedDateTime"];
        let series = self.reading.item.id.as_str();
        if event == series || !meta.get("lastModifiedDateTime").is_some_and(Value::is_string) {
            return None;
        }
        let alike = |one: &Value| ALIKE.iter().all(|name| one.get(*name) == meta.get(*name));
        let taken = |one: &Value| one.get("transhume.error").is_none();
        all.iter().position(|one| one["event"] == series && alike(&one["attachment"]) && taken(&one["attachment"]))
    }

    async fn put(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Fault> {
        put_json(self.into, name, bytes).await
    }
}

/// A part that holds an array, written element by element.
struct Array {
    any: bool,
}

impl Array {
    async fn open(into: &mut dyn OriginalSink, name: &str) -> Result<Self, Fault> {
        let part = Part { name: name.into(), media_type: "application/json".into(), length: None };
        if into.open(part).await? > 0 {
            into.restart().await?;
        }
        into.write(Bytes::from_static(b"[")).await?;
        Ok(Self { any: false })
    }

    async fn add(&mut self, into: &mut dyn OriginalSink, element: Vec<u8>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.any, true) {
            into.write(Bytes::from_static(b",")).await?;
        }
        into.write(element.into()).await
    }

    async fn close(self, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        into.write(Bytes::from_static(b"]")).await?;
        into.close().await
    }
}
