//! The parts of an event's original, read.

use crate::loss::Losses;
use crate::render::json::{list, said};
use crate::{Parts, Unrendered};
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;

/// Most bytes of one part told as JSON: a master with thirty years of expanded exceptions stays far below.
const JSON_MAX: u64 = 64 << 20;

/// An event and all that belongs to its series, as the service told it.
pub(in crate::render) struct Bundle {
    /// The series master, or the single event.
    pub event: Value,
    /// Changed occurrences, each once.
    pub exceptions: Vec<Value>,
    /// All occurrences the service lists, where it was asked.
    pub instances: Option<Vec<Value>>,
    /// The last day of the pattern that was looked for among them, where that is told.
    pub listed_until: Option<Date>,
    pub attachments: Vec<Attachment>,
}

pub(in crate::render) struct Attachment {
    /// The event it belongs to.
    pub event: String,
    pub meta: Value,
    /// Name and size of the part that holds its bytes.
    pub bytes: Option<(String, u64)>,
    /// Which other attachment has the same bytes, where they were not fetched twice.
    pub same: Option<usize>,
}

pub(in crate::render) fn read(original: &dyn Parts, losses: &mut Losses) -> Result<Bundle, Unrendered> {
    let Some(event) = json(original, "event", losses)? else {
        let names: Vec<String> = original.parts().into_iter().map(|part| part.name).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let sentence = format!("This original has no part `event` (its parts: {names}); pull the item again.");
        return Err(Unrendered::unmappable(sentence));
    };
    let told = array(json(original, "exceptions", losses)?).unwrap_or_default();
    let instances = array(json(original, "instances", losses)?);
    let listed_until = json(original, "listed", losses)?.and_then(|listed| said(&listed, "until")?.parse().ok());
    let exceptions = exceptions(&event, told, instances.as_deref().unwrap_or_default());
    let attachments = attachments(original, array(json(original, "attachments", losses)?).unwrap_or_default());
    Ok(Bundle { event, exceptions, instances, listed_until, attachments })
}

pub(in crate::render) fn array(value: Option<Value>) -> Option<Vec<Value>> {
    match value? {
        Value::Array(list) => Some(list),
        // An answer of the service kept with its frame.
        mut framed => match framed["value"].take() {
            Value::Array(list) => Some(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
        },
    }
}

pub(in crate::render) fn json(
    original: &dyn Parts,
    name: &str,
    losses: &mut Losses,
) -> Result<Option<Value>, Unrendered> {
    let Some(part) = original.parts().into_iter().find(|part| part.name == name) else { return Ok(None) };
    if part.size > JSON_MAX {
        let sentence =
            format!("The part `{name}` has {} bytes, more than any event has; pull the item again.", part.size);
        return Err(Unrendered::unmappable(sentence));
    }
    let mut bytes = Vec::new();
    original.open(name)?.take(JSON_MAX).read_to_end(&mut bytes)?;
    if let Ok(value) = serde_json::from_slice(&bytes) {
        return Ok(Some(value));
    }
    // Raw control characters, which the service has sent inside strings.
    bytes.iter_mut().filter(|byte| **byte < b' ').for_each(|byte| *byte = b' ');
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        Unrendered::unmappable(format!("The part `{name}` is no JSON ({error}); pull the item again."))
    })?;
    losses.add("json_repaired", "raw control characters in the service's data became spaces");
    Ok(Some(value))
}

/// From the master, beside it, and among the instances: one exception may be told in all three places. Listings tell
/// less of it than its own resource does; what is not told of an exception is as it is in the series, as it is in Outlook
/// (else a private series would have public exceptions).
fn exceptions(event: &Value, told: Vec<Value>, instances: &[Value]) -> Vec<Value> {
    let among = instances.iter().filter(|one| one["type"] == "exception").cloned();
    let all = list(event, "exceptionOccurrences").iter().cloned().chain(told).chain(among);
    let mut seen = BTreeSet::new();
    let once = all.filter(|one| said(one, "id").is_none_or(|id| seen.insert(id.to_owned())));
    once.map(|one| completed(one, event)).collect()
}

/// Never taken from the series: what says which event this is, and when.
const OWN: [&str; 11] = [
    "cancelledOccurrences",
    "end",
    "exceptionOccurrences",
    "hasAttachments",
    "id",
    "isAllDay",
    "isCancelled",
    "occurrenceId",
    "originalStart",
    "recurrence",
    "start",
];

/// Words that every event has: told as `null` or empty they are not told.
const ALWAYS: [&str; 2] = ["sensitivity", "showAs"];

fn completed(mut exception: Value, series: &Value) -> Value {
    let untold: Vec<&str> = ALWAYS.into_iter().filter(|name| said(&exception, name).is_none()).collect();
    if let (Some(members), Some(series)) = (exception.as_object_mut(), series.as_object()) {
        members.retain(|name, _| !untold.contains(&name.as_str()));
        for (name, value) in series.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    exception
}

pub(in crate::render) fn attachments(original: &dyn Parts, told: Vec<Value>) -> Vec<Attachment> {
    let parts = original.parts();
    let attachment = |(number, mut entry): (usize, Value)| {
        let name = format!("attachment/{number}");
        let bytes = parts.iter().find(|part| part.name == name).map(|part| (name, part.size));
        Attachment {
            event: said(&entry, "event").unwrap_or_default().to_owned(),
            same: entry["attachment"]["transhume.same"].as_u64().and_then(|same| usize::try_from(same).ok()),
            meta: entry["attachment"].take(),
            bytes,
        }
    };
    told.into_iter().enumerate().map(attachment).collect()
}
