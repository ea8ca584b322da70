//! RFC 5322 put together from a Microsoft Graph `message` resource and its attachments.
//!
//! The last resort, for messages whose MIME the service cuts or refuses: structure, boundaries and signatures of the
//! original are gone (loss `reassembled`), text, addresses, dates and attachments are not. Attachments are streamed.

mod addresses;
mod attachments;
mod headers;
mod media;
mod message;
mod write;

use crate::loss::Losses;
use crate::{Parts, Rendered, Unrendered};
use std::io::Write;

/// Puts a message together. Output is CRLF, free of NUL, and 7-bit but for messages nested in it.
pub(super) fn mail(original: &dyn Parts, out: &mut dyn Write) -> Result<Rendered, Unrendered> {
    let mut losses = Losses::default();
    losses.add(
        "reassembled",
        "built from the message's data since its MIME could not be had; structure and signatures are new",
    );
    let message = message::read(original, &mut losses)?;
    let attachments = attachments::list(original, &mut losses)?;
    for line in headers::lines(&message, &mut losses) {
        out.write_all(line.as_bytes())?;
        out.write_all(b"\r\n")?;
    }
    let body = message::body(&message, &mut losses);
    write::content(original, &message, &body, &attachments, out, &mut losses)?;
    Ok(Rendered { losses: losses.finish(), identical: false, message_id: None })
}
