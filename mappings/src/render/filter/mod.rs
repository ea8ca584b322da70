//! A streaming filter that changes in a MIME message only what the target's profile does not accept.
//!
//! Two stages, so that each can be simple: [`lines`] mends NUL bytes and line ends anywhere, then [`header`] mends the
//! message's own header, which it sees with mended line ends. A clean message passes both by a scan and one write.

mod fields;
mod header;
mod lines;
mod recode;

use crate::loss::Losses;
use crate::{MailProfile, Rendered};
use header::HeaderStage;
use lines::LineStage;
use std::io::{self, Read, Write};

/// Large enough that most messages are one chunk.
const CHUNK: usize = 64 * 1024;

/// Filters one message from `input` into `out`. `size` is what the source said of its length, and may be wrong.
pub(super) fn mail(
    input: &mut dyn Read,
    size: u64,
    profile: &MailProfile,
    out: &mut dyn Write,
) -> io::Result<Rendered> {
    let mut lines = LineStage::new(profile.nul, profile.bare_lf);
    let mut header = HeaderStage::new(profile, out);
    for_each_chunk(input, chunk_for(size), |chunk| header.feed(lines.feed(chunk)))?;
    header.feed(lines.finish())?;
    let mut losses = header.finish()?;
    lines.tell(&mut losses);
    Ok(rendered(losses))
}

/// Copies a message nested in another through the line stage only: a target looks at the outer header alone.
pub(super) fn nested(input: &mut dyn Read, out: &mut dyn Write) -> io::Result<Rendered> {
    let mut lines = LineStage::new(false, false);
    for_each_chunk(input, CHUNK, |chunk| out.write_all(lines.feed(chunk)))?;
    out.write_all(lines.finish())?;
    let mut losses = Losses::default();
    lines.tell(&mut losses);
    Ok(rendered(losses))
}

/// One byte more than a small message has, so that its end is seen at once and no larger buffer is cleared for it.
fn chunk_for(size: u64) -> usize {
    usize::try_from(size.saturating_add(1)).unwrap_or(CHUNK).clamp(1024, CHUNK)
}

/// Hands the input on in chunks of equal length, the last one shorter and perhaps empty.
fn for_each_chunk(input: &mut dyn Read, chunk: usize, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; chunk];
    loop {
        let filled = fill(input, &mut buffer)?;
        each(&buffer[..filled])?;
        if filled < buffer.len() {
            return Ok(());
        }
    }
}

/// Reads until the buffer is full or the input ends.
pub(super) fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The fields of a header block.
pub(super) fn fields(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    fields::split(block)
}

/// Every change the filter makes is a loss, so no loss means equal bytes.
fn rendered(losses: Losses) -> Rendered {
    let losses = losses.finish();
    Rendered { identical: losses.is_empty(), losses, message_id: None }
}
