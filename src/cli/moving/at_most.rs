//! What a dry run cannot know: which of its figures may turn out smaller, and why.

use super::{Moved, What};
use crate::{
    engine::{Existing, Policy},
    report::and,
};
use serde::Serialize;

/// A figure that a dry run cannot know, but only that it is no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AtMost {
    Placed,
    Amended,
    Relocated,
    Replaced,
    Withdrawn,
}

impl AtMost {
    pub fn of(moved: Moved, what: What, policy: &Policy) -> Vec<Self> {
        // Where something is placed anew after a corrected mapping, people may have removed or changed the old one.
        let looked_for = policy.existing == Existing::Adopt || matches!(what, What::Push { rerender: true, .. });
        let figures = [
            (moved.placed > 0 && looked_for, Self::Placed),
            (moved.amended > 0, Self::Amended),
            (moved.relocated > 0, Self::Relocated),
            (moved.replaced > 0, Self::Replaced),
            (moved.withdrawn > 0, Self::Withdrawn),
        ];
        figures.into_iter().filter(|(unknown, _)| *unknown).map(|(_, figure)| figure).collect()
    }

    /// As the last line calls it.
    const fn word(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Amended => "amended",
            Self::Relocated => "moved",
            Self::Replaced => "replaced in place",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The sentences that stand behind the figures.
pub(super) fn why(figures: &[AtMost]) -> String {
    let (placed, touched): (Vec<_>, Vec<_>) = figures.iter().partition(|figure| **figure == AtMost::Placed);
    let mut text = String::new();
    if !placed.is_empty() {
        text += " At most so many are placed: a dry run does not look which of them stand at the target already, where \
                 existing = \"adopt\" takes them for placed, nor which people removed there.";
    }
    if !touched.is_empty() {
        let words = and(touched.into_iter().map(|figure: &AtMost| figure.word().to_owned()).collect());
        text += &format!(
            " At most so many are {words}: what people changed at the target stays, and is found out only when it is tried."
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{AtMost, Existing, Moved, Policy, What, why};

    #[test]
    fn whatever_people_may_have_touched_is_a_figure_that_may_turn_out_smaller() {
        let moved = Moved { fetched: 9, placed: 4, amended: 3, replaced: 2, withdrawn: 1, ..Moved::default() };
        let figures = AtMost::of(moved, What::Both, &Policy::default());
        assert_eq!(figures, [AtMost::Amended, AtMost::Replaced, AtMost::Withdrawn]);
        assert_eq!(
            why(&figures),
            " At most so many are amended, replaced in place and withdrawn: what people changed at the target stays, and \
             is found out only when it is tried."
        );
        let all_at_once = AtMost::of(Moved { placed: 4, ..Moved::default() }, What::Both, &Policy::default());
        assert!(all_at_once.is_empty() && why(&all_at_once).is_empty());
    }

    #[test]
    fn what_is_placed_is_known_unless_something_is_looked_for_first() {
        let moved = Moved { placed: 4, ..Moved::default() };
        let adopting = Policy { existing: Existing::Adopt, ..Policy::default() };
        assert_eq!(AtMost::of(moved, What::Both, &adopting), [AtMost::Placed]);
        let anew = What::Push { repair: false, rerender: true };
        assert_eq!(AtMost::of(moved, anew, &Policy::default()), [AtMost::Placed]);
    }
}
