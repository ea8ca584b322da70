//! What listings say of files that is not true of their bytes, where switches want it so. What a dump itself says wrongly
//! needs no switch.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::dump::Content;
use crate::options::{FileSwitches, HashTold, LiedAbout};
use crate::tenant::sharepoint::{Drive, DriveItem, DriveKind, quick_xor};

/// The formats that SharePoint and OneDrive were seen to rewrite.
#[rustfmt::skip]
const REWRITTEN: &[&str] = &["docx", "docm", "dotx", "xlsx", "xlsm", "xltx", "pptx", "pptm", "potx", "doc", "xls", "ppt", "heic"];

fn concerned(switches: &FileSwitches, item: &DriveItem) -> bool {
    let suffix = item.name.rsplit_once('.').map(|(_, suffix)| suffix.to_lowercase()).unwrap_or_default();
    item.facets.file
        && match switches.lies.about {
            LiedAbout::All => true,
            LiedAbout::Office => REWRITTEN.contains(&suffix.as_str()),
        }
}

/// The size that a listing tells.
pub(super) fn size(switches: &FileSwitches, item: &DriveItem) -> u64 {
    if concerned(switches, item) { item.bytes.saturating_add(switches.lies.size) } else { item.bytes }
}

/// The file facet that a listing tells.
pub(super) fn facet(switches: &FileSwitches, kind: DriveKind, item: &DriveItem, mut file: Value) -> Value {
    let Some(hashes) = file.get_mut("hashes").and_then(Value::as_object_mut) else { return file };
    if kind == DriveKind::Personal && !switches.sha1_hashes {
        hashes.shift_remove("sha1Hash");
    }
    if concerned(switches, item) {
        match switches.lies.hash {
            HashTold::True => {}
            HashTold::Wrong => wrong(hashes, &item.id),
            HashTold::Missing => hashes.clear(),
            HashTold::AfterReading if item.was_read.load(Ordering::Relaxed) => {}
            HashTold::AfterReading => hashes.clear(),
        }
    }
    let told = !hashes.is_empty();
    match file.as_object_mut() {
        Some(file) if !told => drop(file.shift_remove("hashes")),
        _ => {}
    }
    file
}

/// Hashes of something else, of the right form.
fn wrong(hashes: &mut Map<String, Value>, id: &str) {
    let other = quick_xor(&Content::from(id.as_bytes().to_vec()));
    for (name, value) in hashes.iter_mut() {
        *value = match name.as_str() {
            "quickXorHash" => json!(other),
            _ => json!(value.as_str().unwrap_or_default().chars().rev().collect::<String>()),
        };
    }
}

/// Larger files are not rewritten, nor has anybody seen it.
const MOST: u64 = 16 << 20;

/// The bytes that arrive.
pub(crate) fn delivered(switches: &FileSwitches, drive: &Drive, item: &DriveItem) -> Option<Content> {
    let content = item.content.clone()?;
    let rewritten = switches.lies.rewritten && drive.kind != DriveKind::Personal && concerned(switches, item);
    if !rewritten || content.len() > MOST {
        return Some(content);
    }
    let properties = format!("<!-- promoted properties of {} in {} -->", item.id, drive.id);
    Some(Content::Bytes(Bytes::from([&content.to_bytes()[..], properties.as_bytes()].concat())))
}
