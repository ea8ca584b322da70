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

/// Adds each attachment to the VEVENT it belongs to, as far as the profile lets them in. A changed occurrence shows those
/// of its series under ids of its own (seen by corso): they are written once, with the series.
pub(super) fn add(
    events: &mut [(String, Node)],
    original: &dyn Parts,
    scene: &Scene<'_>,
    losses: &mut Losses,
) -> Result<(), Unrendered> {
    if scene.bundle.attachments.is_empty() {
        return Ok(());
    }
    let inherited = inherited(events, original, scene)?;
    losses.count("attachment_inherited", inherited.len() as u64, INHERITED);
    let chosen = chosen(events, scene, &inherited);
    let told = scene.bundle.attachments.iter().enumerate();
    for (number, attachment) in told.filter(|(number, _)| !inherited.contains(number)) {
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

const INHERITED: [&str; 2] = [
    "attachment of the series that a changed occurrence has, too: it stands with the series alone",
    "attachments of the series that changed occurrences have, too: they stand with the series alone",
];

/// The attachments of changed occurrences that are the series' own.
fn inherited(
    events: &[(String, Node)],
    original: &dyn Parts,
    scene: &Scene<'_>,
) -> Result<BTreeSet<usize>, Unrendered> {
    let Some((master, _)) = events.first() else { return Ok(BTreeSet::new()) };
    let all = &scene.bundle.attachments;
    let (own, others): (Vec<_>, Vec<_>) =
        all.iter().enumerate().partition(|(_, one)| one.event.is_empty() || one.event == *master);
    let mut found = BTreeSet::new();
    for (number, attachment) in others {
        let told = attachment.same.is_some_and(|same| own.iter().any(|(number, _)| *number == same));
        if told || repeats(attachment, &own, original, scene.profile.attachment_max)? {
            found.insert(number);
        }
    }
    Ok(found)
}

/// Whether one of the series' own has the same name and bytes. Those beyond what the target takes are carried by nobody,
/// so their bytes are not read.
fn repeats(
    attachment: &Attachment,
    own: &[(usize, &Attachment)],
    original: &dyn Parts,
    most: u64,
) -> Result<bool, Unrendered> {
    let Some((part, size)) = &attachment.bytes else { return Ok(false) };
    for (_, other) in own.iter().filter(|(_, other)| other.meta["name"] == attachment.meta["name"]) {
        let Some((other, _)) = other.bytes.as_ref().filter(|(_, other)| other == size) else { continue };
        if *size > most || digest(original, part)? == digest(original, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn digest(original: &dyn Parts, part: &str) -> Result<blake3::Hash, Unrendered> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(original.open(part)?)?;
    Ok(hasher.finalize())
}

/// The smallest first, as long as the object stays within the target's limit.
fn chosen(events: &[(String, Node)], scene: &Scene<'_>, inherited: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut size = room::size(events, scene);
    let told = scene.bundle.attachments.iter().enumerate().filter(|(at, _)| !inherited.contains(at));
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
