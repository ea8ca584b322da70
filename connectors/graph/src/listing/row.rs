//! What every row of a listing has, whatever it tells of.

use serde_json::Value;
use transhume_contract::{Cause, Change, CollectionId, Digest, Fault, ItemId, Reach, Version, What};

/// Rows that all have an id: one without cannot be told of, and fails its page.
pub fn named(rows: Vec<Value>) -> Result<Vec<Value>, Fault> {
    if rows.iter().all(|row| id(row).is_some()) {
        return Ok(rows);
    }
    Err(nameless())
}

pub fn nameless() -> Fault {
    Fault::new(What::Malformed, "a row of the listing has no id").reaching(Reach::Collection)
}

/// The id a row carries.
pub fn id(row: &Value) -> Option<ItemId> {
    text(row, "id").map(ItemId::new)
}

/// A member that is a text, and not an empty one.
pub fn text<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether a row says that its item left the folder.
pub fn is_tombstone(row: &Value) -> bool {
    row.get("@removed").is_some_and(|removed| !removed.is_null())
}

/// The change key, as itself or inside the etag (`W/"<changeKey>"`); a partial row may have only a date, or nothing.
pub fn version(row: &Value) -> Version {
    let etag = || text(row, "@odata.etag").map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
    let told = text(row, "changeKey").or_else(etag).or_else(|| text(row, "lastModifiedDateTime"));
    let told = told.filter(|version| !version.is_empty()).map(str::to_owned);
    Version::new(told.unwrap_or_else(|| format!("row:{}", Digest::of(row.to_string().as_bytes()).hex())))
}

/// A row that cannot be understood is refused for good: told without its facts, it would move without them.
pub fn refused(id: ItemId, collection: &CollectionId, item: &str, error: &serde_json::Error) -> Change {
    let fault = Fault::new(What::Malformed, format!("the row of {item} cannot be understood: {error}"));
    Change::Refused(id, Some(collection.clone()), fault.skip(Cause::CorruptAtSource))
}
