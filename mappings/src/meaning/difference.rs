//! What two meanings say differently, in sentences.

use super::{Field, MailMeaning, Part};
use std::{borrow::Cow, collections::BTreeMap};

/// What a difference is about, so that only a loss that names the same thing excuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A header field of the part `at` (empty: of the message itself); `gone` where it has no value any more.
    Field { at: String, name: String, gone: bool },
    /// A part that is no longer there.
    Gone(Part),
    /// A part that was not there.
    New(Part),
    /// The media type, file name, content id or content of a part.
    Changed(Part),
}

/// One thing that two messages say differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub about: About,
    /// Values are cut short; they come from mail, so they may be shown to who may read that mail, and are never to be
    /// logged.
    pub sentence: String,
}

impl Difference {
    fn gone(part: &Part) -> Self {
        Self { sentence: format!("{} is gone", shown(part)), about: About::Gone(part.clone()) }
    }

    fn new(part: &Part) -> Self {
        Self { sentence: format!("{} is new", shown(part)), about: About::New(part.clone()) }
    }

    fn changed(part: &Part, sentence: String) -> Self {
        Self { sentence, about: About::Changed(part.clone()) }
    }
}

/// Sentences on what differs, none when the two mean the same.
pub fn difference(a: &MailMeaning, b: &MailMeaning) -> Vec<String> {
    differences(a, b).into_iter().map(|one| one.sentence).collect()
}

/// What differs, nothing when the two mean the same.
pub fn differences(a: &MailMeaning, b: &MailMeaning) -> Vec<Difference> {
    let a = taken_apart(a, b);
    let mut all = fields(&a, b);
    all.extend(unmentioned(&a, b));
    if a.complete && b.complete {
        all.extend(parts_by_place(&a, b));
    } else {
        all.extend(parts_by_content(&a, b));
    }
    all
}

/// A file that is a message may be carried as a file or as a message: where it is not found as the one, it is compared
/// as the other.
fn taken_apart<'a>(a: &'a MailMeaning, b: &MailMeaning) -> Cow<'a, MailMeaning> {
    let is_there = |at: &str| {
        let part = a.parts.iter().find(|part| part.at == at);
        part.is_none_or(|part| b.parts.iter().any(|other| other.digest == part.digest))
    };
    let nested: Vec<_> = a.nested.iter().filter(|(at, _)| !is_there(at)).collect();
    if nested.is_empty() {
        return Cow::Borrowed(a);
    }
    let mut apart = a.clone();
    for (at, meaning) in nested {
        apart.parts.retain(|part| part.at != **at);
        apart.parts.extend(meaning.parts.iter().cloned());
        apart.fields.extend(meaning.fields.iter().cloned());
    }
    Cow::Owned(apart)
}

/// What a field was to say among other things, and does not.
fn unmentioned(a: &MailMeaning, b: &MailMeaning) -> Vec<Difference> {
    let says = |wanted: &Field| {
        let same = |field: &&Field| field.at == wanted.at && field.name == wanted.name;
        b.fields.iter().filter(same).any(|field| field.value.to_lowercase().contains(&wanted.value.to_lowercase()))
    };
    let missing = a.mentions.iter().filter(|wanted| !says(wanted));
    let told = missing.map(|wanted| Difference {
        about: About::Field { at: wanted.at.clone(), name: wanted.name.clone(), gone: false },
        sentence: format!("{} no longer says `{}`", field_name(&(&wanted.at, &wanted.name)), cut(&wanted.value)),
    });
    told.collect()
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
fn fields(a: &MailMeaning, b: &MailMeaning) -> Vec<Difference> {
    let (before, after) = (grouped(&a.fields), grouped(&b.fields));
    let mut names: Vec<Key<'_>> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let known = |name: &Key<'_>| (a.complete || before.contains_key(name)) && (b.complete || after.contains_key(name));
    let none = Vec::new();
    let values = |of: &BTreeMap<Key<'_>, Vec<&str>>, name| of.get(name).unwrap_or(&none).join(" | ");
    let told = names.iter().filter(|name| known(name)).map(|name| (name, values(&before, name), values(&after, name)));
    let told = told.filter(|(_, before, after)| before != after).map(|(name, before, after)| Difference {
        about: About::Field { at: name.0.to_owned(), name: name.1.to_owned(), gone: after.is_empty() },
        sentence: format!("{} was `{}` and is `{}`", field_name(name), cut(&before), cut(&after)),
    });
    told.collect()
}

fn field_name((at, name): &Key<'_>) -> String {
    if at.is_empty() { format!("the field {name}") } else { format!("the field {name} of part {at}") }
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn parts_by_place(a: &MailMeaning, b: &MailMeaning) -> Vec<Difference> {
    let place = |meaning: &MailMeaning| -> BTreeMap<String, Part> {
        meaning.parts.iter().map(|part| (part.at.clone(), part.clone())).collect()
    };
    let (before, after) = (place(a), place(b));
    let mut all = Vec::new();
    for (at, part) in &before {
        match after.get(at) {
            None => all.push(Difference::gone(part)),
            Some(other) => all.extend(changed(part, other)),
        }
    }
    all.extend(after.values().filter(|part| !before.contains_key(&part.at)).map(Difference::new));
    all
}

fn changed(before: &Part, after: &Part) -> Vec<Difference> {
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
    sentences.into_iter().map(|sentence| Difference::changed(before, sentence)).collect()
}

/// Without knowledge of the nesting, each content must be found once on the other side.
fn parts_by_content(a: &MailMeaning, b: &MailMeaning) -> Vec<Difference> {
    let mut left: Vec<&Part> = b.parts.iter().collect();
    let mut all = Vec::new();
    for part in &a.parts {
        match left.iter().position(|other| other.digest == part.digest) {
            Some(found) => {
                left.swap_remove(found);
            }
            None => all.push(Difference::gone(part)),
        }
    }
    all.extend(left.into_iter().map(Difference::new));
    all
}

fn shown(part: &Part) -> String {
    let name = if part.name.is_empty() { String::new() } else { format!(", `{}`", cut(&part.name)) };
    format!("part {} ({}{name}, {} bytes)", part.at, part.kind, part.size)
}
