//! What the source tells beside the bytes, as IMAP flags, keywords and INTERNALDATE.

use super::keyword;
use crate::loss::{Loss, Losses};
use crate::{MailProfile, Tables};
use std::collections::BTreeMap;

/// A follow-up flag, `flagStatus` of Microsoft Graph's `followupFlag`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FlagState {
    #[default]
    None,
    Flagged,
    Complete,
    /// A word this edition does not know.
    Unknown(String),
}

impl From<&str> for FlagState {
    fn from(word: &str) -> Self {
        match word {
            "notFlagged" => Self::None,
            "flagged" => Self::Flagged,
            "complete" => Self::Complete,
            unknown => Self::Unknown(unknown.to_owned()),
        }
    }
}

/// `importance` of Microsoft Graph's `message`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Importance {
    Low,
    #[default]
    Normal,
    High,
    /// A word this edition does not know.
    Unknown(String),
}

impl From<&str> for Importance {
    fn from(word: &str) -> Self {
        match word {
            "low" => Self::Low,
            "normal" => Self::Normal,
            "high" => Self::High,
            unknown => Self::Unknown(unknown.to_owned()),
        }
    }
}

/// What a source told of a message. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailFacts {
    pub read: bool,
    pub answered: bool,
    pub forwarded: bool,
    pub draft: bool,
    pub flag: FlagState,
    pub importance: Importance,
    /// The sender asked for a read receipt.
    pub receipt_requested: bool,
    /// As people see them.
    pub categories: Vec<String>,
    pub received: Option<i64>,
    /// The Date field, for messages whose source tells no received time.
    pub sent: Option<i64>,
}

/// What to place at an IMAP target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetFacts {
    pub seen: bool,
    pub answered: bool,
    pub flagged: bool,
    pub draft: bool,
    /// Sorted, each once.
    pub keywords: Vec<String>,
    /// INTERNALDATE in seconds since 1970, within the profile's range. None only when the source told no time at all
    /// (loss `date_missing`): then send none and let the target use its clock. It is never 1970 for want of better.
    pub date: Option<i64>,
}

/// Maps a message's facts to what a target with this profile can hold; what it cannot is a named loss.
pub fn mail_facts(facts: &MailFacts, profile: &MailProfile, tables: &Tables) -> (TargetFacts, Vec<Loss>) {
    let mut losses = Losses::default();
    let mut keywords = Keywords { profile, tables, found: BTreeMap::new() };
    keywords.of_facts(facts, &mut losses);
    for category in &facts.categories {
        keywords.of_category(category, &mut losses);
    }
    let target = TargetFacts {
        seen: facts.read,
        answered: facts.answered,
        flagged: flagged(&facts.flag, &mut losses),
        draft: facts.draft,
        keywords: keywords.found.into_values().map(|(keyword, _)| keyword).collect(),
        date: date(facts, profile, &mut losses),
    };
    (target, losses.finish())
}

fn flagged(flag: &FlagState, losses: &mut Losses) -> bool {
    match flag {
        FlagState::None => false,
        FlagState::Flagged => true,
        FlagState::Complete => {
            losses.add(
                "flag_complete",
                "the follow-up was done; IMAP knows only flagged and not flagged, it stands as not flagged",
            );
            false
        }
        FlagState::Unknown(word) => {
            losses.add("flag_unknown", format!("the flag `{word}` is not known; it stands as not flagged"));
            false
        }
    }
}

struct Keywords<'a> {
    profile: &'a MailProfile,
    tables: &'a Tables,
    /// Keyed in lower case, since IMAP compares keywords so; with what each stands for.
    found: BTreeMap<String, (String, String)>,
}

impl Keywords<'_> {
    fn of_facts(&mut self, facts: &MailFacts, losses: &mut Losses) {
        if facts.forwarded {
            self.of_fact("forwarded", "that it was forwarded", losses);
        }
        if facts.receipt_requested && facts.read {
            self.of_fact("receipt_settled", "that the read receipt is settled", losses);
        }
        match &facts.importance {
            Importance::Normal => {}
            Importance::High => self.of_fact("importance_high", "its high importance", losses),
            Importance::Low => self.of_fact("importance_low", "its low importance", losses),
            Importance::Unknown(word) => {
                losses.add("importance_unknown", format!("the importance `{word}` is not known; it stands as normal"));
            }
        }
    }

    fn of_fact(&mut self, fact: &'static str, told: &str, losses: &mut Losses) {
        match self.tables.fact(fact).filter(|keyword| keyword.len() <= self.profile.keyword_max_len) {
            Some(keyword) => {
                self.found.insert(keyword.to_ascii_lowercase(), (keyword.to_owned(), fact.to_owned()));
            }
            None => losses.add(fact, format!("no keyword of the target tells {told}")),
        }
    }

    fn of_category(&mut self, category: &str, losses: &mut Losses) {
        let Some(keyword) = keyword(category, self.profile, self.tables) else {
            let why = if category.trim().is_empty() { "it has no name" } else { "the target has no room for keywords" };
            return losses.add("category_dropped", format!("the category `{category}` was left out: {why}"));
        };
        if !keyword.faithful {
            losses.add("category_renamed", format!("the category `{category}` stands as `{}`", keyword.text));
        }
        let known = self.found.insert(keyword.text.to_ascii_lowercase(), (keyword.text.clone(), category.to_owned()));
        if let Some((_, other)) = known.filter(|(_, other)| other != category) {
            losses.add("category_merged", format!("`{other}` and `{category}` both stand as `{}`", keyword.text));
        }
    }
}

/// The received time, which every mail program shows; else the sent one.
fn date(facts: &MailFacts, profile: &MailProfile, losses: &mut Losses) -> Option<i64> {
    if facts.received.is_none() {
        match facts.sent {
            Some(_) => losses.add("received_missing", "the source told no received time; the sent time stands for it"),
            None => losses
                .add("date_missing", "the source told neither a received nor a sent time; the target's clock decides"),
        }
    }
    let told = facts.received.or(facts.sent)?;
    let kept = told.clamp(profile.earliest, profile.latest.max(profile.earliest));
    if kept != told {
        losses.add(
            "date_clamped",
            format!("{} is beyond what the target keeps; it stands as {}", written(told), written(kept)),
        );
    }
    Some(kept)
}

fn written(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}
