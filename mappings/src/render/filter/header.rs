//! The message's own header: found, judged, and rewritten only where the profile refuses it.

use super::{fields, lines, recode};
use crate::MailProfile;
use crate::loss::Losses;
use memchr::memchr_iter;
use std::io::{self, Write};

/// The largest header block held in memory. Exchange limits a header to 256 KiB; a longer one is nearly always a body
/// without a header.
const BOUND: usize = 4 * 1024 * 1024;

/// The least header that makes a message of a bare body. It claims nothing about the text below it.
const LEAST_FIELD: &[u8] = b"MIME-Version: 1.0\r\n";

pub(super) struct HeaderStage<'a> {
    profile: &'a MailProfile,
    out: &'a mut dyn Write,
    block: Vec<u8>,
    in_body: bool,
    losses: Losses,
}

impl<'a> HeaderStage<'a> {
    pub fn new(profile: &'a MailProfile, out: &'a mut dyn Write) -> Self {
        let in_body = profile.takes_any_header();
        Self { profile, out, block: Vec::new(), in_body, losses: Losses::default() }
    }

    pub fn feed(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.in_body {
            return self.out.write_all(chunk);
        }
        match block_end(chunk) {
            // The usual case: the whole header is in the first chunk and is never copied.
            Some(end) if self.block.is_empty() => self.end_header(&chunk[..end], &chunk[end..]),
            _ => self.hold(chunk),
        }
    }

    /// Ends the message; everything is written but nothing is flushed.
    pub fn finish(mut self) -> io::Result<Losses> {
        if !self.in_body {
            let block = std::mem::take(&mut self.block);
            self.end_without_body(&block)?;
        }
        Ok(self.losses)
    }

    fn hold(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.block.extend_from_slice(chunk);
        let block = std::mem::take(&mut self.block);
        match block_end(&block) {
            Some(end) => self.end_header(&block[..end], &block[end..]),
            None if block.len() > BOUND => self.cut(&block),
            None => {
                self.block = block;
                Ok(())
            }
        }
    }

    /// `block` ends with its blank line.
    fn end_header(&mut self, block: &[u8], body: &[u8]) -> io::Result<()> {
        self.in_body = true;
        self.write_block(block)?;
        self.out.write_all(body)
    }

    /// The input ended and no blank line was seen.
    fn end_without_body(&mut self, block: &[u8]) -> io::Result<()> {
        if block.is_empty() {
            return self.fill_empty();
        }
        if self.profile.headerless || block.ends_with(b"\n") || fields::is_no_header(block) {
            return self.write_block(block).map(drop);
        }
        self.losses.add("header_end_added", "the last header line had no line end");
        // A CR at its end was to be one: with another before the LF, it would be surplus.
        self.write_block(lines::without_crs(block))?;
        self.out.write_all(b"\r\n")
    }

    fn fill_empty(&mut self) -> io::Result<()> {
        if self.profile.empty && self.profile.headerless {
            return Ok(());
        }
        self.losses.add("header_added", "the message was empty and the target takes none without a byte");
        self.out.write_all(LEAST_FIELD)?;
        self.out.write_all(b"\r\n")
    }

    /// A header beyond the bound ends at its last whole field; the rest stays, as body.
    fn cut(&mut self, block: &[u8]) -> io::Result<()> {
        self.in_body = true;
        let end = fields::last_field_start(block);
        if end == 0 {
            return self.add_header(block);
        }
        self.losses.add("header_cut", "the header is longer than 4 MiB; what follows became text of the body");
        if !self.write_block(&block[..end])? {
            self.out.write_all(b"\r\n")?;
        }
        self.out.write_all(&block[end..])
    }

    /// Tells whether the block turned out to be all body.
    fn write_block(&mut self, block: &[u8]) -> io::Result<bool> {
        if self.is_fine(block) {
            self.out.write_all(block)?;
            return Ok(false);
        }
        if !self.profile.headerless && fields::is_no_header(block) {
            self.add_header(block)?;
            return Ok(true);
        }
        for field in fields::split(block) {
            self.write_field(field)?;
        }
        Ok(false)
    }

    fn is_fine(&self, block: &[u8]) -> bool {
        (self.profile.eight_bit_headers || block.is_ascii())
            && (self.profile.headerless || fields::all_well_named(block))
    }

    fn add_header(&mut self, body: &[u8]) -> io::Result<()> {
        self.losses.add("header_added", "the message had no header; `MIME-Version: 1.0` was put before it");
        self.out.write_all(LEAST_FIELD)?;
        if !body.starts_with(b"\r\n") && !body.starts_with(b"\n") {
            self.out.write_all(b"\r\n")?;
        }
        self.out.write_all(body)
    }

    fn write_field(&mut self, field: &[u8]) -> io::Result<()> {
        let mended = if self.profile.headerless { None } else { fields::mend_name(field) };
        if mended.is_some() {
            let said = ["header line without a proper name mended", "header lines without a proper name mended"];
            self.losses.count("header_line_repaired", 1, said);
        }
        let field = mended.as_deref().unwrap_or(field);
        if self.profile.eight_bit_headers || field.is_ascii() {
            return self.out.write_all(field);
        }
        let recoded = recode::field(field);
        self.losses.add("header_recoded", recoded.detail);
        self.out.write_all(recoded.text.as_bytes())
    }
}

/// Where the header block ends, its blank line included.
fn block_end(block: &[u8]) -> Option<usize> {
    blank_line(block)
        .or_else(|| memchr_iter(b'\n', block).find_map(|at| blank_line(&block[at + 1..]).map(|length| at + 1 + length)))
}

fn blank_line(at: &[u8]) -> Option<usize> {
    match at {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}
