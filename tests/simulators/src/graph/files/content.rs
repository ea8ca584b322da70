//! The content of a file: a redirect to an address on another origin (Microsoft Graph docs: driveItem get content).

use http::StatusCode;
use serde_json::Value;

use super::super::{Answer, Scene};
use crate::downloads;
use crate::options::Malware;
use crate::tenant::sharepoint::{Drive, DriveItem, FileMarks};
use crate::wire::{Payload, Refusal, Reply};

pub(super) fn redirect(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    if scene.call.query.either("format").is_some() {
        return Err(Refusal::not_simulated("conversions of files"));
    }
    let switches = scene.world.knobs().switches.files.clone();
    let tree = drive.tree.read();
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    fetchable(item)?;
    let about = item.resource();
    if about.contains_key("malware") {
        infected(switches.malware)?;
    }
    if switches.notebooks_unavailable && is_notebook(item) {
        return Err(Refusal { empty: true, ..Refusal::new(503, "serviceNotAvailable", "") });
    }
    let known = scene.call.header("if-none-match").unwrap_or_default();
    let tags = ["eTag", "cTag"].map(|name| about.get(name).and_then(Value::as_str).unwrap_or_default());
    if !known.is_empty() && tags.contains(&known) {
        return Ok(Reply::of(StatusCode::NOT_MODIFIED, Payload::Empty));
    }
    let location = downloads::of_file(scene, drive, item, None, switches.redirect_lifetime_s);
    Ok(Reply::of(StatusCode::FOUND, Payload::Empty).with("location", &location))
}

/// # Errors
/// 404 for what is no file, such as folders and notebooks, and what the mark of an item says.
pub(crate) fn fetchable(item: &DriveItem) -> Result<(), Refusal> {
    if let Some(refusal) = failure(&item.marks()) {
        return Err(refusal);
    }
    let is_file = item.facets.file && !item.facets.package && item.content.is_some();
    if is_file { Ok(()) } else { Err(Refusal::drive_item_not_found()) }
}

/// Failures that no retry heals.
fn failure(marks: &FileMarks) -> Option<Refusal> {
    let code = marks.fails.as_deref()?;
    let (status, message) = match code {
        "resourceLocked" => (423, "The resource you are attempting to access is locked"),
        "accessDenied" => (403, "Access denied"),
        "notAllowed" => (403, "The action is not allowed by the system."),
        "malwareDetected" => (403, "Malware detected"),
        "itemNotFound" => return Some(Refusal::drive_item_not_found()),
        "serviceNotAvailable" => (503, "The service is not available. Try the request again after a delay."),
        _ => (500, "General exception while processing"),
    };
    Some(Refusal::new(marks.status.unwrap_or(status), code, message))
}

/// # Errors
/// 403, unless the download itself shall tell (onedrive-api-docs#1626, #1882).
fn infected(how: Malware) -> Result<(), Refusal> {
    match how {
        Malware::Detected => Err(Refusal::new(403, "malwareDetected", "Malware detected")),
        Malware::Suspicious => Err(Refusal::new(403, "virusSuspicious", "The item may be infected.")),
        Malware::Header => Ok(()),
    }
}

fn is_notebook(item: &DriveItem) -> bool {
    let name = item.name.to_lowercase();
    [".one", ".onetoc2"].iter().any(|suffix| name.ends_with(suffix))
}
