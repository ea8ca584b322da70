//! The words of verification.

/// What verification found for one item at one target. The words are stable, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// As it was rendered.
    Ok,
    /// It is no longer where it was placed.
    Missing,
    /// Its bytes or its length differ from the rendering.
    Altered,
    /// Its flags or keywords differ, and nobody is known to have changed them there.
    Reflagged,
    /// Its date differs.
    Redated,
    /// The rendering says something else than the original, beyond the losses named.
    Unfaithful,
    /// A second copy of something we placed, in the same folder, that nothing answers for.
    Duplicate,
    /// No item, but what an interrupted run of ours left there; the next push removes it.
    LeftBehind,
    /// Not ours: it was there before, or people got it or put it there. No difference.
    Extra,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Missing,
        Self::Altered,
        Self::Reflagged,
        Self::Redated,
        Self::Unfaithful,
        Self::Duplicate,
        Self::LeftBehind,
        Self::Extra,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Reflagged => "reflagged",
            Self::Redated => "redated",
            Self::Unfaithful => "unfaithful",
            Self::Duplicate => "duplicate",
            Self::LeftBehind => "left_behind",
            Self::Extra => "extra",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What the store notes where people at the target decided otherwise: it is theirs, and no difference.
pub const CHANGED_THERE: &str = "changed_there";

/// Whether a verdict of this name is no difference.
pub fn is_fine(name: &str) -> bool {
    [Kind::Ok.name(), Kind::Extra.name(), CHANGED_THERE].contains(&name)
}
