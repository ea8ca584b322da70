//! Keeping an object within what the target takes, without cutting a text.

use super::entry::Node;
use super::{Scene, object};
use crate::loss::Losses;
use calcard::icalendar::{ICalendarProperty, ICalendarValue};

/// Folds, escapes and frames add less than this to a text of so many bytes.
const FRAME: u64 = 64 << 10;

/// Leaves out the HTML beside texts, of the changed occurrences first, then of the event itself, where the whole would be
/// refused. The plain texts stand.
pub(super) fn make(events: &mut [(String, Node)], scene: &Scene<'_>, losses: &mut Losses) {
    let mut dropped = 0;
    if !fits(events, scene) {
        dropped += events.iter_mut().skip(1).map(|(_, node)| drop_html(node)).sum::<u64>();
    }
    if !fits(events, scene) {
        dropped += events.iter_mut().take(1).map(|(_, node)| drop_html(node)).sum::<u64>();
    }
    losses.count(
        "html_dropped",
        dropped,
        [
            "text without its HTML, since the whole would be more than the target takes; the plain text stands",
            "texts without their HTML, since the whole would be more than the target takes; the plain texts stand",
        ],
    );
}

fn fits(events: &[(String, Node)], scene: &Scene<'_>) -> bool {
    let limit = scene.profile.object_max;
    let entries = events.iter().flat_map(|(_, node)| &node.entries).flat_map(|entry| &entry.values);
    let texts: u64 =
        entries.map(|value| if let ICalendarValue::Text(text) = value { text.len() as u64 } else { 64 }).sum();
    // Written out only where it is near the limit.
    texts.saturating_mul(2).saturating_add(FRAME) <= limit || size(events, scene) <= limit
}

/// Bytes of the whole object.
pub(super) fn size(events: &[(String, Node)], scene: &Scene<'_>) -> u64 {
    let bare = events.iter().map(|(_, node)| node.clone()).collect();
    object(scene, bare, &mut Losses::default()).object().to_string().len() as u64
}

fn drop_html(node: &mut Node) -> u64 {
    let before = node.entries.len();
    node.entries.retain(|entry| entry.name != ICalendarProperty::Other("X-ALT-DESC".to_owned()));
    (before - node.entries.len()) as u64
}
