//! File names and what they tell: `base:2,FRSab`.
//!
//! The base never changes while a message stands in a folder; mail readers rename the rest. Capital letters are those
//! of the Maildir specification, small ones stand for the folder's keywords (Dovecot's convention).

use std::collections::BTreeSet;

use transhume_contract::{Facts, FlagState, Loss};

use crate::keywords::Keywords;

/// Forwarded is `P` to Maildir, and this keyword to IMAP: both are written.
pub(crate) const FORWARDED: &str = "$Forwarded";

/// A file name in `cur` or `new`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    pub base: String,
    pub letters: BTreeSet<char>,
}

impl FileName {
    pub(crate) fn parse(name: &str) -> Self {
        let (base, info) = name.split_once(':').unwrap_or((name, ""));
        let letters = info.strip_prefix("2,").unwrap_or_default();
        Self { base: base.to_owned(), letters: letters.chars().filter(char::is_ascii_alphabetic).collect() }
    }

    /// Letters come in ASCII order, as the specification asks.
    pub(crate) fn text(&self) -> String {
        format!("{}:2,{}", self.base, self.letters.iter().collect::<String>())
    }

    /// The bytes on disk, as the name says them.
    pub(crate) fn size(&self) -> Option<u64> {
        self.base.split(',').find_map(|field| field.strip_prefix("S=")?.parse().ok())
    }

    /// What stands, as far as a name tells it. Everything amendable is said.
    pub(crate) fn facts(&self, keywords: &Keywords) -> Facts {
        let has = |letter| Some(self.letters.contains(&letter));
        let named = self.letters.iter().filter_map(|letter| keywords.name(*letter));
        let categories: Vec<String> = named.filter(|name| *name != FORWARDED).map(str::to_owned).collect();
        let forwarded = keywords.letter(FORWARDED).is_some_and(|letter| self.letters.contains(&letter));
        Facts {
            read: has('S'),
            answered: has('R'),
            draft: has('D'),
            forwarded: Some(forwarded || self.letters.contains(&'P')),
            flag: Some(if self.letters.contains(&'F') { FlagState::Flagged } else { FlagState::None }),
            categories: Some(categories),
            ..Facts::default()
        }
    }

    /// Sets what the facts say and leaves the rest, letters that mean nothing to us included.
    pub(crate) fn set(&mut self, facts: &Facts, keywords: &Keywords) {
        self.mark('S', facts.read);
        self.mark('R', facts.answered);
        self.mark('D', facts.draft);
        self.mark('F', facts.flag.map(|flag| flag == FlagState::Flagged));
        self.mark('P', facts.forwarded);
        if let Some(letter) = keywords.letter(FORWARDED) {
            self.mark(letter, facts.forwarded);
        }
        if let Some(categories) = &facts.categories {
            let kept = keywords.letter(FORWARDED);
            self.letters.retain(|letter| !letter.is_ascii_lowercase() || Some(*letter) == kept);
            self.letters.extend(categories.iter().filter_map(|name| keywords.letter(name)));
        }
    }

    fn mark(&mut self, letter: char, on: Option<bool>) {
        match on {
            Some(true) => drop(self.letters.insert(letter)),
            Some(false) => drop(self.letters.remove(&letter)),
            None => {}
        }
    }
}

/// The keywords that facts need.
pub(crate) fn needed(facts: &Facts) -> impl Iterator<Item = &str> {
    let forwarded = (facts.forwarded == Some(true)).then_some(FORWARDED);
    facts.categories.iter().flatten().map(String::as_str).chain(forwarded)
}

/// The facts as a file name can hold them, with what is left unsaid as it is in a fresh file.
pub(crate) fn as_held(facts: &Facts, keywords: &Keywords) -> Facts {
    let mut fresh = FileName { base: String::new(), letters: BTreeSet::new() };
    fresh.set(facts, keywords);
    fresh.facts(keywords)
}

/// The keywords among the facts that a file name cannot hold.
pub(crate) fn left_out(facts: &Facts, keywords: &Keywords) -> Vec<String> {
    facts.categories.iter().flatten().filter(|name| keywords.letter(name).is_none()).cloned().collect()
}

/// What of the facts a file name cannot hold.
pub(crate) fn losses(facts: &Facts, keywords: &Keywords) -> Vec<Loss> {
    let refused = |name: &&str| keywords.letter(name).is_none();
    let unsaid = needed(facts).filter(|name| *name != FORWARDED);
    let mut losses: Vec<Loss> =
        unsaid.filter(refused).map(|name| Loss::new("keyword_refused", Keywords::why(name))).collect();
    if facts.flag == Some(FlagState::Complete) {
        losses.push(Loss::new("flag_complete", "a completed follow-up has no sign in a Maildir; it stands unflagged"));
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_and_written() {
        let name = FileName::parse("1740823200.0123.transhume,S=12,W=13:2,SFa");
        assert_eq!(name.size(), Some(12));
        assert_eq!(name.text(), "1740823200.0123.transhume,S=12,W=13:2,FSa");
        assert_eq!(FileName::parse("fresh").text(), "fresh:2,");
    }

    #[test]
    fn setting_leaves_what_is_unsaid() {
        let keywords = Keywords::of(&["Work", FORWARDED, "Home"]);
        let mut name = FileName::parse("x:2,RTa");
        name.set(&Facts { read: Some(true), forwarded: Some(true), ..Facts::default() }, &keywords);
        assert_eq!(name.text(), "x:2,PRSTab");
        name.set(
            &Facts { categories: Some(vec!["Home".into()]), answered: Some(false), ..Facts::default() },
            &keywords,
        );
        assert_eq!(name.text(), "x:2,PSTbc");
        let facts = name.facts(&keywords);
        assert_eq!((facts.forwarded, facts.categories), (Some(true), Some(vec!["Home".to_owned()])));
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        let keywords = Keywords::of(&["Work"]);
        let facts = Facts {
            categories: Some(vec!["Work".into(), "No Room".into()]),
            flag: Some(FlagState::Complete),
            ..Facts::default()
        };
        let names: Vec<String> = losses(&facts, &keywords).into_iter().map(|loss| loss.name).collect();
        assert_eq!(names, ["keyword_refused", "flag_complete"]);
        let held = as_held(&facts, &keywords);
        assert_eq!((held.categories, held.flag), (Some(vec!["Work".to_owned()]), Some(FlagState::None)));
    }
}
