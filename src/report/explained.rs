//! Everything known of one item, for people: what it is, what was made of it, where it stands, and what happened, in the
//! order of time.

use super::{
    refused::{fate, why},
    words::{bytes, count, fault_lines, moment},
};
use crate::store::{
    Explained, ExplainedOriginal, ExplainedPlacement, ExplainedRendering, JournalRow, PlacementState,
    RefusedCollection, Setback, Standing, Verdict,
};
use transhume_contract::{Digest, Facts, FlagState, Loss, What, Workload};

/// An item as paragraphs, each under its heading; empty ones are left out.
pub fn explained(account: &str, item: &Explained) -> String {
    let state = if item.gone { "gone from the source, kept in the store" } else { "at the source" };
    let mut text = format!("item {} of {account}: {}, {state}\n", item.item.number(), item.workload);
    text += &indented(facts(item));
    text += &paragraph("originals", item.originals.iter().flat_map(original));
    text += &paragraph("renderings", item.renderings.iter().flat_map(rendering));
    text += &paragraph("placements", item.placements.iter().flat_map(placement));
    text += &paragraph("refusals not yet overcome", item.setbacks.iter().flat_map(refusal));
    let place = format!("what stops its {}", item.workload.collection());
    text += &paragraph(&place, item.refused_collections.iter().flat_map(refused));
    text += &paragraph("verdicts", item.verdicts.iter().map(verdict));
    text += &paragraph("what happened", item.journal.iter().rev().map(event));
    text
}

fn paragraph(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let lines = indented(lines);
    if lines.is_empty() { lines } else { format!("{heading}\n{lines}") }
}

fn indented(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| format!("  {line}\n")).collect()
}

fn facts(item: &Explained) -> Vec<String> {
    let facts = &item.facts;
    let folders: Vec<_> = item.collections.iter().map(|collection| collection.name.as_str()).collect();
    let known = [
        ("subject", facts.subject.clone()),
        (if item.workload == Workload::Mail { "message-id" } else { "uid" }, facts.message_id.clone()),
        ("received", facts.received.map(moment)),
        ("size", facts.size.map(bytes)),
        (item.workload.collection(), (!folders.is_empty()).then(|| folders.join(", "))),
        ("marks", Some(marks(facts)).filter(|marks| !marks.is_empty())),
        ("class", facts.class.clone()),
        ("source id", Some(item.id.as_str().to_owned())),
    ];
    known.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name:<11} {value}"))).collect()
}

fn marks(facts: &Facts) -> String {
    let flag = match facts.flag {
        Some(FlagState::Flagged) => Some("flagged"),
        Some(FlagState::Complete) => Some("flag completed"),
        Some(FlagState::None) | None => None,
    };
    let set = |mark: Option<bool>, word| mark.filter(|set| *set).map(|_| word);
    let words = [
        facts.read.map(|read| if read { "read" } else { "unread" }),
        set(facts.answered, "answered"),
        set(facts.forwarded, "forwarded"),
        set(facts.draft, "draft"),
        flag,
        set(facts.protected, "rights-protected"),
    ];
    let categories = facts.categories.iter().flatten().map(|name| format!("category \"{name}\""));
    words.into_iter().flatten().map(str::to_owned).chain(categories).collect::<Vec<_>>().join(", ")
}

fn original(original: &ExplainedOriginal) -> Vec<String> {
    let whole = if original.complete { "" } else { ", still incomplete" };
    let mut lines = vec![format!("{} fetched {}{whole}", original.seq, moment(original.at))];
    lines.extend(original.parts.iter().map(|part| {
        let hash = part.digest.as_ref().map_or_else(|| "still arriving".to_owned(), hash);
        format!("  {} ({}), {}, {hash}", part.name, part.media_type, bytes(part.length))
    }));
    lines
}

/// Enough of a hash to tell two apart; `--json` has all of it.
fn hash(digest: &Digest) -> String {
    format!("blake3 {}…", digest.hex().chars().take(16).collect::<String>())
}

fn rendering(rendering: &ExplainedRendering) -> Vec<String> {
    let ExplainedRendering { original, edition, digest, length, losses, .. } = rendering;
    let head = format!("of original {original} by edition {edition}: {}, {}", bytes(*length), hash(digest));
    [head].into_iter().chain(losses.iter().map(loss)).collect()
}

fn loss(loss: &Loss) -> String {
    format!("  loss {}: {}", loss.name, loss.detail)
}

fn placement(placement: &ExplainedPlacement) -> Vec<String> {
    let state = match placement.state {
        PlacementState::Present => "stands",
        PlacementState::Withdrawn => "was withdrawn, as asked, from where it stood",
        PlacementState::Superseded => "was replaced by a newer one",
        PlacementState::Lost => "was removed by people there",
    };
    let handle = placement.handle.as_ref().map_or_else(String::new, |handle| format!(" as {}", handle.as_str()));
    let marks = Some(marks(&placement.facts)).filter(|marks| !marks.is_empty());
    let marks = marks.map_or_else(String::new, |marks| format!("; {marks}"));
    let (name, size, hash) = (&placement.at.name, bytes(placement.length), hash(&placement.digest));
    let head = format!("{state} in {name}{handle}: {size}, {hash}{marks}");
    [head].into_iter().chain(placement.losses.iter().map(loss)).collect()
}

/// Owed or in quarantine, with the cause where it has a name.
pub fn standing(setback: &Setback) -> String {
    match setback.standing {
        Standing::Owed if setback.fault.what == What::Conflict => format!("owed ({})", What::Conflict.name()),
        Standing::Owed => "owed".to_owned(),
        Standing::Quarantined(cause) => format!("in quarantine ({})", cause.name().replace('_', " ")),
    }
}

fn refusal(setback: &Setback) -> Vec<String> {
    let fate = standing(setback);
    let (side, first, last) = (setback.side.name(), moment(setback.first), moment(setback.last));
    let tries = count(setback.attempts, "attempt");
    let head = format!("{fate} at the {side}, {tries} from {first} to {last}");
    [head].into_iter().chain(fault_lines(&setback.fault).into_iter().map(|line| format!("  {line}"))).collect()
}

fn refused(folder: &RefusedCollection) -> Vec<String> {
    let (name, first, last) = (&folder.name, moment(folder.first), moment(folder.last));
    let head = format!("{name} {}, {} from {first} to {last}", fate(folder.side), count(folder.attempts, "attempt"));
    [head].into_iter().chain(why(&folder.fault).into_iter().map(|line| format!("  {line}"))).collect()
}

fn verdict(verdict: &Verdict) -> String {
    let depth = format!("{:?}", verdict.depth).to_lowercase();
    let detail = verdict.detail.as_object().filter(|detail| !detail.is_empty());
    let detail = detail.map_or_else(String::new, |_| format!(" {}", verdict.detail));
    format!("{} {} ({depth}){detail}", moment(verdict.at), verdict.kind.replace('_', " "))
}

fn event(row: &JournalRow) -> String {
    let at = row.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S");
    let rest = [row.detail.clone(), row.digest.as_ref().map(hash)];
    let rest: String = rest.into_iter().flatten().map(|word| format!("  {word}")).collect();
    format!("{at} {}{rest}", row.event.replace('_', " "))
}
