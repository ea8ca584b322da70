//! ATTACH, inside the event (RFC 5545 3.8.1.1).

use super::bundle::Attachment;
use super::entry::{self, Node};
use super::{Scene, room};
use crate::loss::Losses;
use crate::render::json::said;
use crate::{Parts, Unrendered};
use calcard::icalendar::{
    ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarProperty, ICalendarValue, ICalendarValueType,
};
use std::collections::BTreeSet;
use std::io::Read;

/// Beside the bytes: names, type, line folds.
const FRAME: u64 = 1024;

/// Adds each attachment to the VEVENT it belongs to, as far as the profile lets them in.
pub(super) fn add(
    events: &mut [(String, Node)],
    original: &dyn Parts,
    scene: &Scene<'_>,
    losses: &mut Losses,
) -> Result<(), Unrendered> {
    if scene.bundle.attachments.is_empty() {
        return Ok(());
    }
    let chosen = chosen(events, scene);
    for (number, attachment) in scene.bundle.attachments.iter().enumerate() {
        let place = events.iter().position(|(id, _)| *id == attachment.event);
        let Some(place) = place.or_else(|| attachment.event.is_empty().then_some(0)) else {
            losses
                .add("attachment_unplaced", format!("{} belongs to an occurrence that is not here", shown(attachment)));
            continue;
        };
        if let Some(entry) = entry(number, attachment, original, &chosen, losses)? {
            events[place].1.entries.push(entry);
        }
    }
    Ok(())
}

/// The smallest first, as long as the object stays within the target's limit.
fn chosen(events: &[(String, Node)], scene: &Scene<'_>) -> BTreeSet<usize> {
    let mut size = room::size(events, scene);
    let told = scene.bundle.attachments.iter().enumerate();
    let mut sizes: Vec<(u64, usize)> = told.filter_map(|(at, one)| Some((one.bytes.as_ref()?.1, at))).collect();
    sizes.retain(|(bytes, _)| *bytes <= scene.profile.attachment_max);
    sizes.sort_unstable();
    let fits = |(bytes, _): &(u64, usize)| {
        // Base64, in lines of 75 with their folds.
        size = size.saturating_add(bytes.saturating_mul(4) / 3).saturating_add(bytes / 18 + FRAME);
        size <= scene.profile.object_max
    };
    sizes.into_iter().take_while(fits).map(|(_, at)| at).collect()
}

fn shown(attachment: &Attachment) -> String {
    format!("`{}`", said(&attachment.meta, "name").unwrap_or("an attachment without a name"))
}

pub(in crate::render) fn entry(
    number: usize,
    attachment: &Attachment,
    original: &dyn Parts,
    chosen: &BTreeSet<usize>,
    losses: &mut Losses,
) -> Result<Option<ICalendarEntry>, Unrendered> {
    let Some((part, size)) = &attachment.bytes else { return Ok(link(attachment, losses)) };
    if !chosen.contains(&number) {
        let detail = format!("{} ({size} bytes) is over what the target takes inside an event", shown(attachment));
        losses.add("attachment_too_large", detail);
        return Ok(None);
    }
    let mut bytes = Vec::new();
    original.open(part)?.read_to_end(&mut bytes)?;
    let entry = ICalendarEntry::new(ICalendarProperty::Attach)
        .with_param(ICalendarParameter::new(ICalendarParameterName::Value, ICalendarValueType::Binary))
        .with_param_opt(kind(attachment, original, part, losses))
        .with_param_opt(name(attachment, losses))
        .with_value(ICalendarValue::Binary(bytes));
    Ok(Some(entry))
}

/// A link to a file in a drive, where the service tells it.
fn link(attachment: &Attachment, losses: &mut Losses) -> Option<ICalendarEntry> {
    if attachment.meta["@odata.type"] != "#microsoft.graph.referenceAttachment" {
        losses.add("attachment_missing", format!("the service would not give {}", shown(attachment)));
        return None;
    }
    let detail = format!("{} is a link; the file stays where it is", shown(attachment));
    losses.add("attachment_reference", detail);
    let url = said(&attachment.meta, "sourceUrl")?;
    let name = name(attachment, losses);
    Some(ICalendarEntry::new(ICalendarProperty::Attach).with_param_opt(name).with_value(entry::uri(url)))
}

/// The media type told; of an item of the mailbox, what its part is stored as.
fn kind(attachment: &Attachment, original: &dyn Parts, part: &str, losses: &mut Losses) -> Option<ICalendarParameter> {
    let stored = original.parts().into_iter().find(|one| one.name == part).map(|one| one.media_type);
    let told = said(&attachment.meta, "contentType").map(str::to_owned).or(stored)?;
    let kind = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(c);
    if kind.matches('/').count() != 1 || !kind.chars().all(plain) {
        losses.add(
            "media_type_unreadable",
            format!("the media type of {} is no such type; it is left out", shown(attachment)),
        );
        return None;
    }
    Some(ICalendarParameter::new(ICalendarParameterName::Fmttype, kind))
}

fn name(attachment: &Attachment, losses: &mut Losses) -> Option<ICalendarParameter> {
    let name = entry::parameter(said(&attachment.meta, "name")?, losses);
    Some(ICalendarParameter::new(ICalendarParameterName::Filename, name))
}
