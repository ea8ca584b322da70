//! The manifest: `<account>/manifest/<folder>.csv`, one row for every message we placed that stands there.
//!
//! While messages are placed, their hashes go to a journal beside it, one JSON line each, valid up to any point at which
//! the process dies. Settling a folder makes the CSV anew from what really stands, with the journal's hashes; what the
//! journal does not know (the machine lost power) is read and hashed. So the manifest never claims what is not there.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use transhume_contract::{Digest, Fault, Timestamp};

use crate::account::{Held, Home, private};
use crate::faults::on;
use crate::keywords::Keywords;
use crate::layout;
use crate::listing::{self, Entry};
use crate::message;
use crate::place::{SUFFIX, Standing};

/// One line of the journal.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    file: String,
    size: u64,
    blake3: Digest,
    message_id: Option<String>,
}

/// One row of the CSV, in the order of its columns.
#[derive(Serialize)]
struct Row<'a> {
    account: &'a str,
    folder: &'a str,
    /// Below the account's directory.
    file: String,
    message_id: &'a str,
    size: u64,
    blake3: String,
    received: String,
    flags: String,
    keywords: String,
}

/// Where the journal's lines are, by a short hash of the file's base: 200,000 messages in one folder are to fit a few
/// megabytes, so the lines stay on the disk.
type Known = HashMap<u64, u64>;

pub(crate) fn directory(home: &Home) -> PathBuf {
    home.dir.join("manifest")
}

fn journal(home: &Home, held: &Held) -> PathBuf {
    directory(home).join(format!("{}.jsonl", held.mark.id))
}

/// Notes what now stands. Losing this costs a reading of the files, so nothing waits for the disk here.
pub(crate) fn note(home: &Home, held: &Held, standing: &[Standing]) -> io::Result<()> {
    fs::create_dir_all(directory(home))?;
    let mut text = Vec::new();
    for file in standing {
        serde_json::to_writer(&mut text, &Line::of(file))?;
        text.push(b'\n');
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(journal(home, held))?;
    file.write_all(&text)
}

impl Line {
    fn of(file: &Standing) -> Self {
        let contents = &file.contents;
        Self {
            v: 1,
            file: file.base.clone(),
            size: contents.length,
            blake3: contents.digest,
            message_id: contents.message_id.clone(),
        }
    }
}

/// Makes the CSV of a folder anew, unless nothing changed since it was made.
pub(crate) fn settle(home: &Home, account: &str, held: &Held) -> Result<(), Fault> {
    sweep_tmp(&held.path)?;
    let directory = directory(home);
    fs::create_dir_all(&directory).map_err(on("create", &directory))?;
    sweep(home, &directory)?;
    let csv = directory.join(file_name(&held.directory));
    if is_fresh(&csv, &held.path) {
        return Ok(());
    }
    let fresh = csv.with_extension("fresh");
    write(home, account, held, &fresh).inspect_err(|_| drop(fs::remove_file(&fresh)))?;
    fs::rename(&fresh, &csv).map_err(on("create", &csv))
}

fn file_name(directory: &str) -> String {
    let name = directory.strip_prefix('.').unwrap_or("INBOX");
    format!("{name}.csv")
}

/// Removes manifests of folders that are no longer there or have another name now.
fn sweep(home: &Home, directory: &Path) -> Result<(), Fault> {
    let kept: Vec<String> = home.directories()?.iter().map(|name| file_name(name)).collect();
    let entries = fs::read_dir(directory).map_err(on("list", directory))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".csv") && !kept.contains(&name) {
            fs::remove_file(entry.path()).map_err(on("remove", &entry.path()))?;
        }
    }
    Ok(())
}

/// Every change of a folder's files changes the time of `cur` or `new`.
fn is_fresh(csv: &Path, folder: &Path) -> bool {
    let changed = |path: PathBuf| fs::metadata(path).and_then(|data| data.modified()).ok();
    let (made, cur, new) = (changed(csv.to_owned()), changed(folder.join("cur")), changed(folder.join("new")));
    made.is_some() && made > cur && made > new
}

/// Half-written files of ours that a crash left.
fn sweep_tmp(folder: &Path) -> Result<(), Fault> {
    let tmp = folder.join("tmp");
    for entry in fs::read_dir(&tmp).map_err(on("list", &tmp))?.flatten() {
        if entry.file_name().to_string_lossy().ends_with(SUFFIX) {
            fs::remove_file(entry.path()).map_err(on("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn write(home: &Home, account: &str, held: &Held, into: &Path) -> Result<(), Fault> {
    let keywords = Keywords::load(&held.path).map_err(on("read the keywords of", &held.path))?;
    let path = journal(home, held);
    let known = known(&path).map_err(on("read", &path))?;
    let mut lines = File::open(&path).ok().map(BufReader::new);
    let file = private(into).map_err(on("create", into))?;
    let mut csv = csv::Writer::from_writer(file);
    let folder = layout::shown(&held.directory);
    for name in sorted(&held.path)? {
        let entry = Entry::at(&held.path, &name);
        let at = known.get(&short(&entry.name.base));
        let line = at.and_then(|at| journalled(lines.as_mut()?, *at)).filter(|line| line.file == entry.name.base);
        let Some(line) = line.map_or_else(|| read(&entry), |line| Ok(Some(line))).map_err(on("read", &entry.path))?
        else {
            continue;
        };
        let row = Row::of(home, account, &folder, &entry, &line, &keywords);
        csv.serialize(row).map_err(io::Error::from).map_err(on("write", into))?;
    }
    let file = csv.into_inner().map_err(|error| on("write", into)(error.into_error()))?;
    file.sync_all().map_err(on("flush", into))
}

/// The files that are ours, by name, which is the order of arrival. All of a folder's names are held at once, and nothing
/// else of them.
fn sorted(folder: &Path) -> Result<Vec<Box<str>>, Fault> {
    let below = |entry: Entry| entry.path.strip_prefix(folder).ok().map(|below| Box::from(below.to_string_lossy()));
    let ours = |entry: &Result<Entry, Fault>| entry.as_ref().map_or(true, |entry| is_ours(&entry.name.base));
    let names = listing::entries(folder)?.filter(ours).filter_map(|entry| entry.map(below).transpose());
    let mut names: Vec<Box<str>> = names.collect::<Result<_, _>>()?;
    names.sort_unstable_by(|one, other| file_of(one).cmp(file_of(other)));
    Ok(names)
}

fn file_of(below: &str) -> &str {
    below.rsplit('/').next().unwrap_or(below)
}

fn is_ours(base: &str) -> bool {
    base.split(',').next().is_some_and(|unique| unique.ends_with(SUFFIX))
}

/// Reads a file that the journal does not know; `None` when it is gone or renamed meanwhile.
fn read(entry: &Entry) -> io::Result<Option<Line>> {
    match message::read(&entry.path) {
        Ok(contents) => Ok(Some(Line::of(&Standing { base: entry.name.base.clone(), contents }))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn short(base: &str) -> u64 {
    let hash = blake3::hash(base.as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads the journal up to its last whole line; a torn one is what a crash left.
fn known(path: &Path) -> io::Result<Known> {
    let mut known = Known::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(known),
        Err(error) => return Err(error),
    };
    let (mut reader, mut text, mut at) = (BufReader::new(file), String::new(), 0);
    loop {
        text.clear();
        let length = reader.read_line(&mut text)? as u64;
        if length == 0 {
            return Ok(known);
        }
        if let Ok(line) = serde_json::from_str::<Line>(&text) {
            known.insert(short(&line.file), at);
        }
        at += length;
    }
}

fn journalled(lines: &mut BufReader<File>, at: u64) -> Option<Line> {
    lines.seek(io::SeekFrom::Start(at)).ok()?;
    let mut text = String::new();
    lines.read_line(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

impl<'a> Row<'a> {
    fn of(home: &Home, account: &'a str, folder: &'a str, entry: &Entry, line: &'a Line, keywords: &Keywords) -> Self {
        let modified = entry.path.metadata().and_then(|data| data.modified()).ok();
        let received = modified.and_then(|date| Timestamp::try_from(date).ok());
        let below = entry.path.strip_prefix(&home.dir).unwrap_or(&entry.path);
        Self {
            account,
            folder,
            file: below.display().to_string(),
            message_id: line.message_id.as_deref().unwrap_or_default(),
            size: line.size,
            blake3: line.blake3.hex(),
            received: received.map(|date| date.to_string()).unwrap_or_default(),
            flags: entry.name.letters.iter().filter(|letter| letter.is_ascii_uppercase()).collect(),
            keywords: entry.name.facts(keywords).categories.unwrap_or_default().join(" "),
        }
    }
}
