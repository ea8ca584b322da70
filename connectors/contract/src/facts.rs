//! What the source tells beside the bytes.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A follow-up flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagState {
    None,
    Flagged,
    Complete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    Low,
    Normal,
    High,
}

/// What a side tells of an item beside its bytes. Every field may be unsaid: the same type is a patch (only what
/// changed), the accumulated truth in the store, what was last placed, and what was observed at a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<FlagState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    /// At a source, category names as people see them; at a target, the keywords that stand there, as the mapping
    /// table made them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// When the service received it: what a target shows as the message's date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Shown in lists and never in logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The provider's own class of the item (`IPM.Note.SMIME`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// As the provider states it, in bytes; a body may differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether rights management encrypted it (RMS, Purview): its bytes move, but no target can open them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

macro_rules! overlay {
    ($into:ident, $from:ident: $($field:ident)+) => {
        $(if $from.$field.is_some() { $into.$field.clone_from(&$from.$field); })+
    };
}

impl Facts {
    /// Lays a patch over these facts: what the patch leaves unsaid stays.
    pub fn apply(&mut self, patch: &Self) {
        overlay!(self, patch: read flag answered forwarded draft importance categories received message_id subject
            class size protected);
    }

    /// The same without some keywords.
    #[must_use]
    pub fn without_keywords(&self, left_out: &[String]) -> Self {
        let mut facts = self.clone();
        if let Some(keywords) = &mut facts.categories {
            keywords.retain(|keyword| !left_out.contains(keyword));
        }
        facts
    }

    /// The keywords that do not stand there, whatever their case.
    #[must_use]
    pub fn keywords_missing_in(&self, there: &Self) -> Vec<String> {
        let stands =
            |keyword: &&String| there.categories.iter().flatten().any(|other| other.eq_ignore_ascii_case(keyword));
        self.categories.iter().flatten().filter(|keyword| !stands(keyword)).cloned().collect()
    }

    /// Those of the facts that may change after placing; the rest is unsaid.
    #[must_use]
    pub fn amendable(&self) -> Self {
        let Self { read, flag, answered, forwarded, draft, categories, .. } = self.clone();
        Self { read, flag, answered, forwarded, draft, categories, ..Self::default() }
    }
}
