//! What the tests of this room share: originals in memory, and rows of golden files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use transhume_mappings::{Loss, MailProfile, PartInfo, Parts, Rendered, Tables, Unrendered, render};

/// An original in memory: name to media type and bytes.
#[derive(Default, Clone)]
pub struct Memory(pub BTreeMap<String, (String, Vec<u8>)>);

impl Memory {
    pub fn mime(bytes: &[u8]) -> Self {
        Self::default().with("mime", "message/rfc822", bytes)
    }

    pub fn with(mut self, name: &str, media_type: &str, bytes: &[u8]) -> Self {
        self.0.insert(name.to_owned(), (media_type.to_owned(), bytes.to_owned()));
        self
    }
}

impl Parts for Memory {
    fn parts(&self) -> Vec<PartInfo> {
        let info = |(name, (media_type, bytes)): (&String, &(String, Vec<u8>))| PartInfo {
            name: name.clone(),
            media_type: media_type.clone(),
            size: bytes.len() as u64,
        };
        self.0.iter().map(info).collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let (_, bytes) = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }
}

pub fn render(original: &Memory, profile: &MailProfile) -> Result<(Vec<u8>, Rendered), Unrendered> {
    let mut out = Vec::new();
    let rendered = render::mail(original, profile, &Tables::embedded(), &mut out)?;
    Ok((out, rendered))
}

pub fn filter(bytes: &[u8], profile: &MailProfile) -> (Vec<u8>, Rendered) {
    render(&Memory::mime(bytes), profile).unwrap()
}

pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/mail").join(name)
}

pub fn rows(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(golden(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a golden folder with this ending, without it.
pub fn cases(folder: &str) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(golden(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    cases.sort();
    cases
}

/// Golden text holds bytes as the characters U+0000 to U+00FF.
pub fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("golden bytes are below U+0100")).collect()
}

pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// The strict profile with what a row says differently.
pub fn profile(row: &Value) -> MailProfile {
    let mut profile = MailProfile::strict();
    for (name, value) in row.get("profile").and_then(Value::as_object).into_iter().flatten() {
        let (yes, number) = (value.as_bool().unwrap_or_default(), value.as_i64().unwrap_or_default());
        match name.as_str() {
            "nul" => profile.nul = yes,
            "bare_lf" => profile.bare_lf = yes,
            "eight_bit_headers" => profile.eight_bit_headers = yes,
            "headerless" => profile.headerless = yes,
            "empty" => profile.empty = yes,
            "earliest" => profile.earliest = number,
            "latest" => profile.latest = number,
            "keyword_max_len" => profile.keyword_max_len = usize::try_from(number).unwrap(),
            "keyword_8bit" => profile.keyword_8bit = yes,
            other => panic!("no such field of a profile: {other}"),
        }
    }
    profile
}

pub fn losses(losses: &[Loss]) -> Vec<String> {
    losses.iter().map(|loss| format!("{}: {}", loss.name, loss.detail)).collect()
}

pub fn expected_losses(row: &Value) -> Vec<String> {
    row.get("losses")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|loss| loss.as_str().unwrap().to_owned())
        .collect()
}

/// Compares with a golden file, or writes it when `GOLDEN=write` is set: read the difference before you commit it.
pub fn hold(path: &std::path::Path, found: &[u8]) {
    if std::env::var_os("GOLDEN").is_some_and(|word| word == "write") {
        std::fs::write(path, found).unwrap();
    }
    let expected = std::fs::read(path).unwrap_or_default();
    assert_eq!(text(found), text(&expected), "{} (GOLDEN=write renews it)", path.display());
}
