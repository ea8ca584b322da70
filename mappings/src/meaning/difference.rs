//! What two meanings say differently, in sentences.

use super::{Field, MailMeaning, Part};
use std::collections::BTreeMap;

/// Sentences on what differs, none when the two mean the same. Values are cut short; they come from mail, so they may
/// be shown to who may read that mail, and are never to be logged.
pub fn difference(a: &MailMeaning, b: &MailMeaning) -> Vec<String> {
    let mut sentences = fields(a, b);
    if a.complete && b.complete {
        sentences.extend(parts_by_place(a, b));
    } else {
        sentences.extend(parts_by_content(a, b));
    }
    sentences
}

type Key<'a> = (&'a str, &'a str);

fn grouped(fields: &[Field]) -> BTreeMap<Key<'_>, Vec<&str>> {
    let mut groups: BTreeMap<Key<'_>, Vec<&str>> = BTreeMap::new();
    for field in fields {
        groups.entry((&field.at, &field.name)).or_default().push(&field.value);
    }
    groups
}

/// Fields are compared by name; among fields of one name their order counts (Received).
fn fields(a: &MailMeaning, b: &MailMeaning) -> Vec<String> {
    let (before, after) = (grouped(&a.fields), grouped(&b.fields));
    let mut names: Vec<Key<'_>> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let known = |name: &Key<'_>| (a.complete || before.contains_key(name)) && (b.complete || after.contains_key(name));
    let none = Vec::new();
    let values = |of: &BTreeMap<Key<'_>, Vec<&str>>, name| of.get(name).unwrap_or(&none).join(" | ");
    let told = names.iter().filter(|name| known(name)).map(|name| (name, values(&before, name), values(&after, name)));
    told.filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| format!("{} was `{}` and is `{}`", field_name(name), cut(&before), cut(&after)))
        .collect()
}

fn field_name((at, name): &Key<'_>) -> String {
    if at.is_empty() { format!("the field {name}") } else { format!("the field {name} of part {at}") }
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn parts_by_place(a: &MailMeaning, b: &MailMeaning) -> Vec<String> {
    let place = |meaning: &MailMeaning| -> BTreeMap<String, Part> {
        meaning.parts.iter().map(|part| (part.at.clone(), part.clone())).collect()
    };
    let (before, after) = (place(a), place(b));
    let mut sentences = Vec::new();
    for (at, part) in &before {
        match after.get(at) {
            None => sentences.push(format!("{} is gone", shown(part))),
            Some(other) => sentences.extend(changed(part, other)),
        }
    }
    sentences.extend(
        after.values().filter(|part| !before.contains_key(&part.at)).map(|part| format!("{} is new", shown(part))),
    );
    sentences
}

fn changed(before: &Part, after: &Part) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut compare = |what: &str, was: &str, is: &str| {
        if was != is {
            sentences.push(format!("the {what} of {} was `{}` and is `{}`", shown(before), cut(was), cut(is)));
        }
    };
    compare("type", &before.kind, &after.kind);
    compare("file name", &before.name, &after.name);
    compare("content id", &before.id, &after.id);
    if before.digest != after.digest {
        let sizes = format!("{} bytes before, {} now", before.size, after.size);
        sentences.push(format!("the content of {} differs ({sizes})", shown(before)));
    }
    sentences
}

/// Without knowledge of the nesting, each content must be found once on the other side.
fn parts_by_content(a: &MailMeaning, b: &MailMeaning) -> Vec<String> {
    let mut left: Vec<&Part> = b.parts.iter().collect();
    let mut sentences = Vec::new();
    for part in &a.parts {
        match left.iter().position(|other| other.digest == part.digest) {
            Some(found) => {
                left.swap_remove(found);
            }
            None => sentences.push(format!("{} is gone", shown(part))),
        }
    }
    sentences.extend(left.into_iter().map(|part| format!("{} is new", shown(part))));
    sentences
}

fn shown(part: &Part) -> String {
    let name = if part.name.is_empty() { String::new() } else { format!(", `{}`", cut(&part.name)) };
    format!("part {} ({}{name}, {} bytes)", part.at, part.kind, part.size)
}
