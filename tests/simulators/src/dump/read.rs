//! Reading a dump's folder.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::write::digest;
use super::{Complaint, Content, Dump, DumpError, Entry, FORMAT, LINES, OF_A_MAILBOX, Provider};

#[derive(Deserialize)]
struct FirstLine {
    format: String,
    provider: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: String,
    user: Option<String>,
    resource: Value,
    parent: Option<String>,
    content: Option<Body>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    file: Option<String>,
    base64: Option<String>,
    sha256: Option<String>,
    size: Option<u64>,
    exports: Option<Value>,
}

pub(super) fn folder(dir: &Path) -> Result<Dump, DumpError> {
    let path = dir.join(LINES);
    let file = File::open(&path).map_err(|why| Complaint::File { doing: "opened", why }.about(&path, None))?;
    let mut lines = Lines { of: BufReader::new(file), path, number: 0 };
    let provider = lines.provider()?;
    let mut blobs = Blobs { dir: dir.to_owned(), read: HashMap::new() };
    let mut entries = Vec::new();
    while let Some(line) = lines.next()? {
        entries.push(entry(&line, provider, &mut blobs).map_err(|what| lines.complain(what))?);
    }
    Ok(Dump { provider, entries })
}

struct Lines {
    of: BufReader<File>,
    path: PathBuf,
    number: u64,
}

impl Lines {
    /// The next line that is not blank.
    fn next(&mut self) -> Result<Option<String>, DumpError> {
        loop {
            let mut line = Vec::new();
            let read = self.of.read_until(b'\n', &mut line);
            self.number += 1;
            if read.map_err(|why| self.complain(Complaint::File { doing: "read", why }))? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8(line).map_err(|_| self.complain(Complaint::NotUtf8))?;
            if !line.trim().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn provider(&mut self) -> Result<Provider, DumpError> {
        let line = self.next()?.ok_or_else(|| Complaint::Empty.about(&self.path, None))?;
        first(line.trim_start_matches('\u{feff}')).map_err(|what| self.complain(what))
    }

    fn complain(&self, what: Complaint) -> DumpError {
        what.about(&self.path, Some(self.number))
    }
}

fn first(line: &str) -> Result<Provider, Complaint> {
    let first: FirstLine = serde_json::from_str(line).map_err(|why| Complaint::NotAFirstLine(plain(&why)))?;
    if first.format != FORMAT {
        return Err(Complaint::Format(first.format));
    }
    match first.provider.as_deref() {
        Some("graph") => Ok(Provider::Graph),
        Some("google") => Ok(Provider::Google),
        Some(other) => Err(Complaint::NotAFirstLine(format!("the provider \"{other}\" is neither graph nor google"))),
        None => Err(Complaint::NotAFirstLine("it names no provider".to_owned())),
    }
}

fn entry(line: &str, provider: Provider, blobs: &mut Blobs) -> Result<Entry, Complaint> {
    let line: Line = serde_json::from_str(line).map_err(|why| Complaint::NotALine(plain(&why)))?;
    known_kind(&line.kind, provider)?;
    if provider == Provider::Graph && line.user.is_none() && OF_A_MAILBOX.contains(&line.kind.as_str()) {
        return Err(Complaint::NoUser(line.kind));
    }
    if !line.resource.is_object() {
        return Err(Complaint::ResourceNotAnObject);
    }
    let stays = STAY_ON_DISK.contains(&line.kind.as_str());
    let content = line.content.map(|body| blobs.content(body, stays)).transpose()?;
    Ok(Entry { kind: line.kind, user: line.user, resource: line.resource, parent: line.parent, content })
}

fn known_kind(kind: &str, provider: Provider) -> Result<(), Complaint> {
    if provider.kinds().contains(&kind) {
        return Ok(());
    }
    let name = match provider {
        Provider::Graph => "graph",
        Provider::Google => "google",
    };
    Err(Complaint::Kind { kind: kind.to_owned(), provider: name, known: provider.kinds().join(", ") })
}

/// Bodies of these are read when they are asked for, if they are large: nothing looks into them.
const STAY_ON_DISK: &[&str] = &["driveItem", "driveItemVersion"];
/// Larger than this is large.
const LARGE: u64 = 8 << 20;

/// The bodies of a dump; a file that several lines name is read once and shared.
struct Blobs {
    dir: PathBuf,
    read: HashMap<(String, bool), (Content, String)>,
}

impl Blobs {
    fn content(&mut self, body: Body, stays: bool) -> Result<Content, Complaint> {
        if body.exports.is_some() {
            return Err(Complaint::Exports);
        }
        let (content, found) = match (body.file, body.base64) {
            (Some(file), None) => self.file(file, stays)?,
            (None, Some(text)) => inline(&text)?,
            _ => return Err(Complaint::AmbiguousContent),
        };
        if let Some(said) = body.size.filter(|said| *said != content.len()) {
            return Err(Complaint::Size { said, found: content.len() });
        }
        match body.sha256 {
            Some(said) if !said.eq_ignore_ascii_case(&found) => Err(Complaint::Digest { said, found }),
            _ => Ok(content),
        }
    }

    fn file(&mut self, name: String, stays: bool) -> Result<(Content, String), Complaint> {
        let key = (name, stays);
        if let Some(known) = self.read.get(&key) {
            return Ok(known.clone());
        }
        let name = &key.0;
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(Complaint::Outside(name.clone()));
        }
        let content = opened(&self.dir.join(name), stays).map_err(|why| Complaint::Blob { file: name.clone(), why })?;
        let known = (content.clone(), digest(content.chunks()));
        self.read.insert(key, known.clone());
        Ok(known)
    }
}

fn opened(path: &Path, stays: bool) -> io::Result<Content> {
    let length = fs::metadata(path)?.len();
    if stays && length > LARGE {
        File::open(path)?; // whoever may not read it is told so now
        return Ok(Content::File { path: Arc::from(path), length });
    }
    fs::read(path).map(Content::from)
}

fn inline(text: &str) -> Result<(Content, String), Complaint> {
    let bytes = Bytes::from(STANDARD.decode(text).map_err(|why| Complaint::NotBase64(why.to_string()))?);
    Ok((Content::Bytes(bytes.clone()), digest(std::iter::once(bytes))))
}

/// serde_json's sentence; its "at line 1 column n" counts within our one line, so only the column is kept.
fn plain(why: &serde_json::Error) -> String {
    let sentence = why.to_string();
    let sentence = sentence.split(" at line ").next().unwrap_or_default();
    format!("{sentence} (column {})", why.column())
}
