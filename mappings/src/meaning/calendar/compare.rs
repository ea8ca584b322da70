//! An original beside what a target gave back.

use super::{CalendarMeaning, Unreadable, differences, graph, ical};
use crate::{CalendarSetting, Loss, Parts, Tables};
use std::io;

/// What a target's text says differently from the original and no named loss accounts for, as sentences; none when it
/// holds what the source told. A text that cannot be read is one difference.
///
/// Zones are read by the rules that stand in the text. Servers put rules of their own there, often without those of the
/// past, and clients go by the name where it is one of the IANA database: what differs by the rules alone is no
/// difference, as long as they are those of the name in recent years.
///
/// # Errors
/// What the parts answer; `InvalidData` when the original itself cannot be read.
pub fn compare(
    original: &dyn Parts,
    text: &str,
    losses: &[Loss],
    setting: &CalendarSetting,
    tables: &Tables,
) -> io::Result<Vec<String>> {
    let told = graph::told(original, losses, setting, tables)?;
    let found = match ical::text(text) {
        Ok(read) => differences(&told, &read, losses),
        Err(why) => return Ok(vec![format!("what the target holds cannot be read: {why}")]),
    };
    let by_name = || ical::by_name(text).ok().flatten().map(|read| differences(&told, &read, losses));
    if !found.is_empty() && by_name().is_some_and(|found| found.is_empty()) {
        return Ok(Vec::new());
    }
    Ok(found)
}

/// What a text says differently from the one that was sent. Either one's zones are read by their rules or, where these
/// differ, by their names: servers put rules of their own in the place of those that were sent.
pub(in crate::meaning) fn changed(sent: &str, there: &str) -> Result<Vec<String>, Unreadable> {
    let (was, is) = (ical::text(sent)?, ical::text(there)?);
    let found = differences(&was, &is, &[]);
    if found.is_empty() {
        return Ok(found);
    }
    let (was_named, is_named) = (ical::by_name(sent)?.unwrap_or(was), ical::by_name(there)?.unwrap_or(is));
    let same = |was: &CalendarMeaning, is: &CalendarMeaning| differences(was, is, &[]).is_empty();
    Ok(if same(&was_named, &is_named) { Vec::new() } else { found })
}
