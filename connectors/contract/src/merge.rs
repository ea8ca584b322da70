//! How what the source wants and what people did at the target come together, field by field.
//!
//! Two things are remembered of every field, because one is not enough: `base` is what the source last wanted there,
//! and `stood` what stood there when we last looked. Where they differ, people decided otherwise, and the field is
//! theirs: it stays as it stands whatever the source does later, in that field or in others, until they themselves bring
//! it back to what the source said all along. A field that is not theirs follows the source.
//!
//! A keyword is a field of its own: it is there or not. A message's date never changes after placing, and a folder that
//! people moved it to is told by looking for its bytes; neither is merged here.

use crate::{Facts, FlagState};
use std::collections::BTreeSet;

/// What is known of a placement's facts before it is looked how they stand now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What the source last wanted there. It differs from `stood` in just the fields that are people's.
    pub base: Facts,
    /// What stood there when we last looked.
    pub stood: Facts,
    /// What we began to set since then and nobody knows how far it came: found there, it is our own doing.
    pub begun: Vec<Facts>,
}

/// The outcome of merging the facts that may change after placing: read, flag, answered, forwarded, draft, categories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// What to set at the target: only where the source changed and the field is not people's.
    pub set: Facts,
    /// The base of the next merge.
    pub base: Facts,
    /// Names of fields where the source wants something new and people at the target decided otherwise: the target
    /// wins, verdict `changed_there`.
    pub changed_there: Vec<&'static str>,
}

/// What came of one field.
struct Decided<V> {
    base: V,
    set: bool,
    refused: bool,
}

/// The rule, for one field or one keyword.
fn decide<V: Clone + PartialEq>(want: &V, base: &V, stood: &V, there: &V, begun: bool) -> Decided<V> {
    let our_own_doing = begun && base == stood;
    let ours = our_own_doing || (base == stood && stood == there);
    if ours {
        return Decided { base: want.clone(), set: want != there, refused: false };
    }
    // It has to differ from what stands there, or nobody would know later that it is theirs. Where it does not, they
    // went back to what the source said all along.
    let kept = if want == there { base } else { want };
    Decided { base: kept.clone(), set: false, refused: want != base && want != there }
}

macro_rules! merge_fields {
    ($want:ident, $known:ident, $there:ident, $merge:ident: $($field:ident)+) => {$(
        let Known { base, stood, begun } = $known;
        let want = if $want.$field.is_some() { &$want.$field } else { &base.$field };
        let begun = begun.iter().any(|begun| begun.$field.is_some() && begun.$field == $there.$field);
        let decided = decide(want, &base.$field, &stood.$field, &$there.$field, begun);
        if decided.set {
            $merge.set.$field.clone_from(want);
        }
        if decided.refused {
            $merge.changed_there.push(stringify!($field));
        }
        $merge.base.$field = decided.base;
    )+};
}

impl Facts {
    /// Merges the facts that may change after placing: `self` is what the source says now, `there` is what stands at
    /// the target. What is unsaid by the source stays. Categories are compared as sets.
    pub fn merge(&self, known: &Known, there: &Self) -> Merge {
        let mut merge = Merge::default();
        merge_fields!(self, known, there, merge: read flag answered forwarded draft);
        self.merge_keywords(known, there, &mut merge);
        merge
    }

    /// Whether a fact differs that a target can be amended by.
    pub fn amends(&self, before: &Self) -> bool {
        let known = Known { base: before.clone(), stood: before.clone(), begun: Vec::new() };
        self.merge(&known, before).set != Self::default()
    }

    /// Whether both say the same of the facts that may change after placing. What is unsaid is unset.
    pub fn agrees(&self, other: &Self) -> bool {
        let set = |facts: &Self| {
            let Self { read, answered, forwarded, draft, .. } = facts;
            let flags = [read, answered, forwarded, draft].map(|flag| flag.unwrap_or(false));
            (flags, facts.flag.unwrap_or(FlagState::None), keywords(facts))
        };
        set(self) == set(other)
    }

    /// The base for what stood there before anything of ours, once ours, `self`, answers for it: then flags set there
    /// stay, flags set here are added, and only what is set on both sides follows the source later.
    #[must_use]
    pub fn adopting(&self, there: &Self) -> Self {
        let set_on_both = |want: Option<bool>, there: Option<bool>| match there {
            Some(true) => Some(want.unwrap_or(false)),
            unset => unset,
        };
        let flag = match there.flag {
            Some(FlagState::Flagged | FlagState::Complete) => Some(self.flag.unwrap_or(FlagState::None)),
            unset => unset,
        };
        let wanted = keywords(self);
        let both = |there: &Vec<String>| there.iter().filter(|word| wanted.contains(*word)).cloned().collect();
        Self {
            read: set_on_both(self.read, there.read),
            flag,
            answered: set_on_both(self.answered, there.answered),
            forwarded: set_on_both(self.forwarded, there.forwarded),
            draft: set_on_both(self.draft, there.draft),
            categories: there.categories.as_ref().map(both),
            ..Self::default()
        }
    }

    fn merge_keywords(&self, known: &Known, there: &Self, merge: &mut Merge) {
        let Known { base, stood, begun } = known;
        if [self, base, stood, there].iter().all(|facts| facts.categories.is_none()) {
            return;
        }
        let (old, had, now) = (keywords(base), keywords(stood), keywords(there));
        let want = if self.categories.is_some() { keywords(self) } else { old.clone() };
        let (mut stand, mut kept, mut refused) = (now.clone(), BTreeSet::new(), false);
        for word in [&old, &had, &now, &want].into_iter().flatten() {
            let holds = |set: &BTreeSet<String>| set.contains(word);
            let said = |begun: &&Self| begun.categories.is_some();
            let begun = begun.iter().filter(said).any(|begun| holds(&keywords(begun)) == holds(&now));
            let decided = decide(&holds(&want), &holds(&old), &holds(&had), &holds(&now), begun);
            mark(&mut stand, word, if decided.set { holds(&want) } else { holds(&now) });
            mark(&mut kept, word, decided.base);
            refused |= decided.refused;
        }
        if refused {
            merge.changed_there.push("categories");
        }
        merge.base.categories = Some(kept.into_iter().collect());
        merge.set.categories = (stand != now).then(|| stand.into_iter().collect());
    }
}

fn keywords(facts: &Facts) -> BTreeSet<String> {
    facts.categories.iter().flatten().cloned().collect()
}

fn mark(set: &mut BTreeSet<String>, word: &str, on: bool) {
    if on {
        set.insert(word.to_owned());
    } else {
        set.remove(word);
    }
}
