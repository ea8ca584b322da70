//! Pure conversions from a provider's original to standard forms.

mod calendar;
mod contact;
mod facts;
mod filter;
mod html;
mod json;
mod keyword;
mod message_id;
mod plain;
mod reassemble;
mod sieve;
mod task;
mod words;

pub use calendar::calendar;
pub use contact::{contact, uid as contact_uid};
pub use facts::{FlagState, Importance, MailFacts, TargetFacts, mail_facts};
pub use keyword::{Keyword, keyword};
pub use sieve::{Sieve, sieve};
pub use task::{task, uid as task_uid};

use message_id::Watched;

use crate::{MailProfile, PartInfo, Parts, Rendered, Tables, Unrendered};
use std::io::Write;

/// Streams the RFC 5322 form of an original into `out`, with memory that does not grow with the message: a header
/// block is held up to 4 MiB, a JSON message up to 64 MiB, bodies and attachments never.
///
/// A `mime` part passes through a filter that changes only what `profile` does not accept; a `message` part is put
/// together from its JSON and attachments (loss `reassembled`). To learn whether the store may share the original's
/// blob, call it with `std::io::sink()` and read `identical`.
///
/// # Errors
/// [`Unrendered::Unmappable`] when the original has neither shape or its JSON cannot be read; [`Unrendered::Io`] when a
/// part or `out` fails. What was written to `out` until then is no rendering.
pub fn mail(
    original: &dyn Parts,
    profile: &MailProfile,
    _tables: &Tables,
    out: &mut dyn Write,
) -> Result<Rendered, Unrendered> {
    let parts = original.parts();
    let find = |name: &str| parts.iter().find(|part| part.name == name);
    let mut out = Watched::new(out);
    let rendered = if let Some(mime) = find("mime") {
        filter::mail(&mut *original.open("mime")?, mime.size, profile, &mut out)?
    } else if find("message").is_some() {
        reassemble::mail(original, &mut out)?
    } else {
        return Err(Unrendered::unmappable(neither(&parts)));
    };
    Ok(Rendered { message_id: out.message_id(), ..rendered })
}

fn neither(parts: &[PartInfo]) -> String {
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!("This original has neither a part `mime` nor a part `message` (its parts: {names}); pull the item again.")
}
