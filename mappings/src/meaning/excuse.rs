//! Which differences a named loss accounts for: those in the very thing it names, and no other.
//!
//! | loss | accounts for |
//! |---|---|
//! | `header_recoded` | the field it names: bytes beyond ASCII in a structured field (an address) have no single reading |
//! | `header_cut` | fields of the message that are gone, and the text they became part of |
//! | `attachment_missing`, `attachment_reference` | the sentence that stands in the attachment's place: a text without a file name |
//!
//! All others (NUL bytes, line ends, added or mended header lines, properties of the service that mail has no place
//! for) change nothing that a [`MailMeaning`](super::MailMeaning) holds, so they account for nothing.

use super::{About, Difference};
use crate::Loss;

/// A sentence that stands in an attachment's place is not longer than this, in bytes.
const SENTENCE: u64 = 4096;

/// What no loss accounts for, as sentences.
pub fn unexcused(differences: Vec<Difference>, losses: &[Loss]) -> Vec<String> {
    let unexcused = differences.into_iter().filter(|one| !losses.iter().any(|loss| excuses(loss, &one.about)));
    unexcused.map(|one| one.sentence).collect()
}

fn excuses(loss: &Loss, about: &About) -> bool {
    match (loss.name.as_str(), about) {
        ("header_recoded", About::Field { at, name, .. }) => at.is_empty() && names_field(loss, name),
        ("header_cut", About::Field { at, gone, .. }) => at.is_empty() && *gone,
        ("header_cut", About::Changed(part)) => part.at == "1" && part.kind.starts_with("text/"),
        ("attachment_missing" | "attachment_reference", About::New(part)) => {
            part.kind == "text/plain" && part.name.is_empty() && part.size <= SENTENCE
        }
        _ => false,
    }
}

/// The loss begins with the field's name; lines without one count as `x-invalid-header`.
fn names_field(loss: &Loss, name: &str) -> bool {
    let named = loss.detail.split(':').next().unwrap_or_default().trim();
    named.eq_ignore_ascii_case(name) || (named == "a line without a name" && name == "x-invalid-header")
}
