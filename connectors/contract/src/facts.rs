//! What the source tells beside the bytes, and how it merges with what people do at the target.

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

/// The outcome of merging three versions of the facts that may change after placing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// What to set at the target: only fields where the source changed and the target did not.
    pub set: Facts,
    /// Names of fields where people at the target decided otherwise: the target wins, verdict `changed_there`.
    pub changed_there: Vec<&'static str>,
}

macro_rules! overlay {
    ($into:ident, $from:ident: $($field:ident)+) => {
        $(if $from.$field.is_some() { $into.$field.clone_from(&$from.$field); })+
    };
}

macro_rules! merge_fields {
    ($base:ident, $want:ident, $there:ident, $merge:ident: $($field:ident)+) => {$(
        if $want.$field.is_some() && $want.$field != $base.$field && $want.$field != $there.$field {
            if $there.$field == $base.$field {
                $merge.set.$field.clone_from(&$want.$field);
            } else {
                $merge.changed_there.push(stringify!($field));
            }
        }
    )+};
}

impl Facts {
    /// Lays a patch over these facts: what the patch leaves unsaid stays.
    pub fn apply(&mut self, patch: &Self) {
        overlay!(self, patch: read flag answered forwarded draft importance categories received message_id subject
            class size protected);
    }

    /// Merges the amendable facts (read, flag, answered, forwarded, draft, categories) three ways: `base` was last
    /// placed, `self` is what the source says now, `there` is what stands at the target. Where only the source
    /// changed, it is set; where the target changed too, the target wins and the field is named.
    /// Categories are compared as sets.
    pub fn merge(&self, base: &Self, there: &Self) -> Merge {
        let (base, want, there) =
            (base.with_sorted_categories(), self.with_sorted_categories(), there.with_sorted_categories());
        let mut merge = Merge::default();
        merge_fields!(base, want, there, merge: read flag answered forwarded draft categories);
        merge
    }

    /// Those of the facts that may change after placing; the rest is unsaid.
    #[must_use]
    pub fn amendable(&self) -> Self {
        let Self { read, flag, answered, forwarded, draft, categories, .. } = self.clone();
        Self { read, flag, answered, forwarded, draft, categories, ..Self::default() }
    }

    fn with_sorted_categories(&self) -> Self {
        let mut sorted = self.clone();
        if let Some(categories) = &mut sorted.categories {
            categories.sort();
            categories.dedup();
        }
        sorted
    }
}
