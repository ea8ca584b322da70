//! One placement, judged by what was seen of it.

use crate::{engine::Kind, store::Placement};
use serde_json::{Value, json};
use transhume_contract::{Facts, Observed};

/// How a rendering reads beside its original, beyond the losses named.
pub(super) enum Reading {
    Faithful,
    /// It says otherwise what follows, and nobody else's rendering would.
    Unfaithful(Vec<String>),
    /// It says otherwise what follows because it was made when people were known by other addresses, or the account had
    /// another zone: made anew, it would not.
    Outdated(Vec<String>),
}

/// What is said otherwise than by the original, beyond the losses named.
pub(super) struct Differences<'a> {
    /// By the rendering.
    pub of_rendering: &'a Reading,
    /// By what stands at the target, where that rewrites what it stores.
    pub there: &'a [String],
    /// Targets keep these byte for byte. Of events, contacts and tasks they do not, so their length says nothing.
    pub verbatim: bool,
}

impl Differences<'_> {
    /// What is said otherwise there since it was placed: what an outdated rendering said so itself is nobody's doing
    /// there.
    fn since(&self) -> Vec<&String> {
        let own = match self.of_rendering {
            Reading::Outdated(found) => found.as_slice(),
            Reading::Faithful | Reading::Unfaithful(_) => &[],
        };
        self.there.iter().filter(|one| !own.contains(one)).collect()
    }
}

/// What was found of a placement, and what was expected and seen.
pub(super) fn judge(placement: &Placement, seen: &Observed, said: &Differences<'_>) -> (Kind, Value) {
    match (altered(placement, seen, said), said.of_rendering) {
        (Some(detail), Reading::Faithful | Reading::Outdated(_)) => return (Kind::Altered, detail),
        (Some(detail), Reading::Unfaithful(_)) if seen.content.is_none() => return (Kind::Altered, detail),
        // What stands there says what the rendering said, which is what is wrong.
        (_, Reading::Unfaithful(found)) => return (Kind::Unfaithful, json!({ "differences": found })),
        (None, Reading::Faithful | Reading::Outdated(_)) => {}
    }
    let dates = [placement.facts.received, seen.facts.received].map(|date| date.map(|date| date.as_second()));
    if let [Some(expected), Some(found)] = dates
        && expected != found
    {
        return (Kind::Redated, json!({ "expected": placement.facts.received, "seen": seen.facts.received }));
    }
    match flags_differing(&placement.facts, &seen.facts) {
        differing if differing.is_empty() => (Kind::Ok, json!({})),
        differing => (Kind::Reflagged, json!({ "differing": differing })),
    }
}

/// Where the bytes themselves are told, only their meaning counts; a version says that something was written since.
fn altered(placement: &Placement, seen: &Observed, said: &Differences<'_>) -> Option<Value> {
    let expected = placement.stored;
    if seen.content.is_some() {
        let since = said.since();
        return (!since.is_empty()).then(|| json!({ "differences": since }));
    }
    let bytes_differ = seen.digest.is_some_and(|digest| digest != expected.digest)
        || (said.verbatim && seen.length.is_some_and(|length| length != expected.length));
    if bytes_differ {
        return Some(json!({ "expected_bytes": expected.length, "seen_bytes": seen.length,
            "expected_hash": expected.digest, "seen_hash": seen.digest }));
    }
    let versions = [placement.version.as_ref(), seen.version.as_ref()];
    matches!(versions, [Some(placed), Some(stands)] if placed != stands).then(|| json!({ "written_since": true }))
}

/// Adds by what a person finds the message: its folder and its Message-ID.
pub(super) fn where_it_is(mut detail: Value, at: &str, placement: &Placement) -> Value {
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("at".into(), json!(at));
        let id = placement.facts.message_id.as_ref().or(placement.message_id.as_ref());
        if let Some(id) = id {
            detail.insert("message_id".into(), json!(id));
        }
    }
    detail
}

/// Fields of the flags that both sides tell, and tell differently.
fn flags_differing(expected: &Facts, seen: &Facts) -> Vec<&'static str> {
    let sorted = |facts: &Facts| {
        facts.categories.clone().map(|mut keywords| {
            keywords.sort();
            keywords
        })
    };
    fn differ<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
        matches!((a, b), (Some(a), Some(b)) if a != b)
    }
    let fields = [
        ("read", differ(&expected.read, &seen.read)),
        ("flag", differ(&expected.flag, &seen.flag)),
        ("answered", differ(&expected.answered, &seen.answered)),
        ("forwarded", differ(&expected.forwarded, &seen.forwarded)),
        ("draft", differ(&expected.draft, &seen.draft)),
        ("categories", differ(&sorted(expected), &sorted(seen))),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}
