//! Something that went wrong: what happened, how far it reaches, what to do now. Decided once, in the connector.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Throttled,
    Unreachable,
    /// The other side answers, and does not prove who it is: its certificate is not trusted.
    Untrusted,
    Unauthenticated,
    Forbidden,
    CursorExpired,
    Vanished,
    Malformed,
    Unmappable,
    Exists,
    /// People changed at the target what we placed there, and a newer one waits to take its place: theirs stays.
    Conflict,
    TooLarge,
    Full,
    Unsupported,
    StoreBroken,
    Interrupted,
}

impl What {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::CursorExpired => "cursor_expired",
            Self::Vanished => "vanished",
            Self::Malformed => "malformed",
            Self::Unmappable => "unmappable",
            Self::Exists => "exists",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::Full => "full",
            Self::Unsupported => "unsupported",
            Self::StoreBroken => "store_broken",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How far it reaches. A fault is never downgraded: a 401 met while fetching one message stops the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    Item,
    Collection,
    Account,
    Run,
}

/// A known permanent cause for leaving an item in quarantine. Closed: each new one is argued for here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The service itself cannot read the item any more and says so at every attempt (Exchange `ErrorCorruptData`).
    CorruptAtSource,
    /// The service cannot convert the item into a transferable form (Exchange `ErrorContentConversionFailed`).
    NotConvertible,
    /// The target states a size limit and the item is larger.
    OverTargetLimit,
    /// The target refused the item by itself, alone, with its reason in the fault's sentence.
    RefusedByTarget,
    /// An item of the same UID stands elsewhere in the account, and the target takes a UID only once (Cyrus), or under
    /// another name in the same collection: somebody put it there before, or the source holds it twice.
    DuplicateUid,
    /// No rendering can be made from the original, with the reason in the fault's sentence.
    Unrenderable,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Self::CorruptAtSource => "corrupt_at_source",
            Self::NotConvertible => "not_convertible",
            Self::OverTargetLimit => "over_target_limit",
            Self::RefusedByTarget => "refused_by_target",
            Self::DuplicateUid => "duplicate_uid",
            Self::Unrenderable => "unrenderable",
        }
    }
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The same call may be made again after this time. The connector has already retried what is transient.
    Wait(Duration),
    /// Leave it owed; the next pass tries again.
    Later,
    /// Quarantine the item: trying again cannot help.
    Skip(Cause),
    /// A person must act; the sentence says what to do.
    Ask(String),
    /// A defect or a broken store: stop and say so.
    Report,
}

/// Whether a write that failed may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The other side answered no, or nothing was sent.
    NotDone,
    /// The answer never came. `find` decides before anything is sent again.
    Unknown,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
pub struct Fault {
    pub what: What,
    pub reach: Reach,
    pub remedy: Remedy,
    pub outcome: Outcome,
    /// What a person reads: one sentence without secrets, bodies or whole ids.
    pub sentence: String,
    /// The service's own code (`ErrorItemNotFound`, `OVERQUOTA`), where it gave one.
    pub code: Option<String>,
    /// The service's id of the failed request, for its support desk.
    pub request_id: Option<String>,
}

impl Fault {
    /// A fault of one item that is to be tried again in a later pass; builders below say otherwise.
    pub fn new(what: What, sentence: impl Into<String>) -> Self {
        Self {
            what,
            reach: Reach::Item,
            remedy: Remedy::Later,
            outcome: Outcome::NotDone,
            sentence: sentence.into(),
            code: None,
            request_id: None,
        }
    }
    #[must_use]
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }
    #[must_use]
    pub fn wait(mut self, time: Duration) -> Self {
        self.remedy = Remedy::Wait(time);
        self
    }
    #[must_use]
    pub fn skip(mut self, cause: Cause) -> Self {
        self.remedy = Remedy::Skip(cause);
        self
    }
    #[must_use]
    pub fn ask(mut self, next_step: impl Into<String>) -> Self {
        self.remedy = Remedy::Ask(next_step.into());
        self
    }
    #[must_use]
    pub fn report(mut self) -> Self {
        self.remedy = Remedy::Report;
        self
    }
    #[must_use]
    pub fn outcome_unknown(mut self) -> Self {
        self.outcome = Outcome::Unknown;
        self
    }
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
    #[must_use]
    pub fn request(mut self, id: Option<String>) -> Self {
        self.request_id = id;
        self
    }
    /// The next step a person takes, where the remedy asks for one.
    pub fn next_step(&self) -> Option<&str> {
        match &self.remedy {
            Remedy::Ask(step) => Some(step),
            Remedy::Wait(_) | Remedy::Later | Remedy::Skip(_) | Remedy::Report => None,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
