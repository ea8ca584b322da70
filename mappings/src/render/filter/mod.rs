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

/// Filters one message from `input` into `out`.
pub(super) fn mail(input: &mut dyn Read, profile: &MailProfile, out: &mut dyn Write) -> io::Result<Rendered> {
    let mut lines = LineStage::new(profile.nul, profile.bare_lf);
    let mut header = HeaderStage::new(profile, out);
    for_each_chunk(input, |chunk| header.feed(lines.feed(chunk)))?;
    let mut losses = header.finish()?;
    lines.tell(&mut losses);
    Ok(rendered(losses))
}

/// Copies a message nested in another through the line stage only: a target looks at the outer header alone.
pub(super) fn nested(input: &mut dyn Read, out: &mut dyn Write) -> io::Result<Rendered> {
    let mut lines = LineStage::new(false, false);
    for_each_chunk(input, |chunk| out.write_all(lines.feed(chunk)))?;
    let mut losses = Losses::default();
    lines.tell(&mut losses);
    Ok(rendered(losses))
}

/// Hands the input on in chunks of equal length, the last one shorter and perhaps empty.
pub(super) fn for_each_chunk(input: &mut dyn Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
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

/// Every change the filter makes is a loss, so no loss means equal bytes.
fn rendered(losses: Losses) -> Rendered {
    let losses = losses.finish();
    Rendered { identical: losses.is_empty(), losses }
}
