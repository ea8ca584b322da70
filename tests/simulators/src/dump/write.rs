//! Writing a dump's folder, and its lines alone.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{BLOBS, Complaint, Content, Dump, DumpError, Entry, FORMAT, LINES, Provider};

#[derive(Serialize)]
struct FirstLine {
    format: &'static str,
    provider: Provider,
}

#[derive(Serialize)]
struct Line<'a> {
    kind: &'a str,
    user: Option<&'a str>,
    resource: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Body>,
}

#[derive(Serialize)]
struct Body {
    file: String,
    sha256: String,
    size: u64,
}

pub(super) fn folder(dump: &Dump, dir: &Path) -> Result<(), DumpError> {
    fs::create_dir_all(dir.join(BLOBS)).map_err(|why| Complaint::File { doing: "made", why }.about(dir, None))?;
    let path = dir.join(LINES);
    let unfinished = path.with_extension("jsonl.part");
    let written = |why| Complaint::File { doing: "written", why }.about(&path, None);
    let mut out = BufWriter::new(File::create(&unfinished).map_err(written)?);
    line(&mut out, &FirstLine { format: FORMAT, provider: dump.provider }).map_err(written)?;
    for entry in &dump.entries {
        let body = entry.content.as_ref().map(|content| blob(content, dir)).transpose()?;
        line(&mut out, &Line { content: body, ..bare(entry) }).map_err(written)?;
    }
    out.flush().and_then(|()| fs::rename(&unfinished, &path)).map_err(written)
}

pub(super) fn lines(dump: &Dump, out: &mut impl Write) -> io::Result<()> {
    line(out, &FirstLine { format: FORMAT, provider: dump.provider })?;
    for entry in &dump.entries {
        match &entry.content {
            None => line(out, &bare(entry))?,
            Some(content) => line_with_body(out, entry, content)?,
        }
    }
    Ok(())
}

/// The line of an entry without its body.
fn bare(entry: &Entry) -> Line<'_> {
    Line {
        kind: &entry.kind,
        user: entry.user.as_deref(),
        resource: &entry.resource,
        parent: entry.parent.as_deref(),
        content: None,
    }
}

fn line(out: &mut impl Write, of: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, of)?;
    out.write_all(b"\n")
}

/// As [`line`], with the body encoded while it is made, so that no 60 MB body is ever whole in memory.
fn line_with_body(out: &mut impl Write, entry: &Entry, content: &Content) -> io::Result<()> {
    let text = serde_json::to_string(&bare(entry))?;
    out.write_all(&text.as_bytes()[..text.len() - 1])?; // all but the closing brace
    out.write_all(b",\"content\":{\"base64\":\"")?;
    encode(out, content)?;
    writeln!(out, "\",\"sha256\":\"{}\",\"size\":{}}}}}", digest(content.chunks()), content.len())
}

fn encode(out: &mut impl Write, content: &Content) -> io::Result<()> {
    let mut encoder = EncoderWriter::new(out, &STANDARD);
    content.chunks().try_for_each(|piece| encoder.write_all(&piece))?;
    encoder.finish().map(|_| ())
}

/// Stores a body under its digest, unless it is there already.
fn blob(content: &Content, dir: &Path) -> Result<Body, DumpError> {
    let sha256 = digest(content.chunks());
    let file = format!("{BLOBS}/{sha256}");
    let path = dir.join(&file);
    let body = Body { file, sha256, size: content.len() };
    if fs::metadata(&path).is_ok_and(|there| there.len() == body.size) {
        return Ok(body);
    }
    stored(content, &path).map_err(|why| Complaint::File { doing: "written", why }.about(path, None))?;
    Ok(body)
}

fn stored(content: &Content, path: &Path) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&unfinished)?);
    content.chunks().try_for_each(|piece| out.write_all(&piece))?;
    out.flush()?;
    fs::rename(unfinished, path)
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn digest(of: impl Iterator<Item = Bytes>) -> String {
    let mut hash = Sha256::new();
    of.for_each(|piece| hash.update(&piece));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
