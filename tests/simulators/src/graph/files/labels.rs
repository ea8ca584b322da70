//! Retention labels, and the extraction of sensitivity labels (Microsoft Graph docs: driveItem getRetentionLabel,
//! extractSensitivityLabels).

use http::Method;
use serde_json::{Map, json};

use super::super::{Answer, Scene};
use crate::tenant::sharepoint::Drive;
use crate::wire::{Refusal, Reply};

pub(super) fn retention(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    let tree = drive.tree.read();
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    let label = item.resource().shift_remove("retentionLabel").and_then(|label| label.as_object().cloned());
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("retentionLabel/$entity").into());
    answer.extend(label.ok_or_else(Refusal::drive_item_not_found)?);
    Ok(Reply::json(answer))
}

/// # Errors
/// 405 for what is no POST, 423 where the file cannot be opened.
pub(super) fn sensitivity(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    if scene.call.method != Method::POST {
        return Err(Refusal::new(
            405,
            "invalidRequest",
            "Specified HTTP method is not allowed for the request target.",
        ));
    }
    let tree = drive.tree.read();
    let item = tree.item(slot).filter(|item| item.facets.file).ok_or_else(Refusal::drive_item_not_found)?;
    let marks = item.marks();
    if let Some(code) = marks.label_fails {
        return Err(Refusal::new(423, code, "The file is locked for this operation."));
    }
    let kind = "microsoft.graph.extractSensitivityLabelsResult";
    Ok(Reply::json(json!({
        "@odata.context": scene.call.context(kind),
        "value": {"@odata.type": format!("#{kind}"), "labels": marks.sensitivity_labels},
    })))
}
