//! Placing a batch: written to `tmp`, flushed, renamed to `cur`, and the directory flushed once.
//!
//! A file's name derives from the intent, so that a second attempt after a crash meets the first one's file.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::io::AsyncReadExt;
use tokio::runtime::Handle as Runtime;
use transhume_contract::{Body, Fault, Handle, IntentId, Loss, Placed, Placing, What};

use crate::account::{private, sync_directory};
use crate::faults::on;
use crate::flags::{self, FileName};
use crate::keywords::Keywords;
use crate::message::{self, Contents, Reading};

/// Ends the unique part of every name we give.
pub(crate) const SUFFIX: &str = ".transhume";

/// Flushing is waiting: a few threads let the file system group it.
const WRITERS: usize = 4;

pub(crate) type Answers = Vec<(IntentId, Result<Placed, Fault>)>;

/// A file of ours that now stands, for the manifest.
pub(crate) struct Standing {
    pub base: String,
    pub contents: Contents,
}

/// A message in `tmp`, flushed.
struct Written {
    tmp: PathBuf,
    name: FileName,
    contents: Contents,
    losses: Vec<Loss>,
    left_out: Vec<String>,
}

/// Places a batch and answers for each message; the files that stand are given to `note`.
pub(crate) fn place(folder: &Path, batch: &[Placing], runtime: &Runtime, note: impl FnOnce(&[Standing])) -> Answers {
    let keywords = match keywords(folder, batch) {
        Ok(keywords) => keywords,
        Err(fault) => return batch.iter().map(|placing| (placing.intent.clone(), Err(fault.clone()))).collect(),
    };
    let written = write_all(folder, batch, &keywords, runtime);
    let mut standing = Vec::new();
    let mut answers = Answers::new();
    for (placing, written) in batch.iter().zip(written) {
        let placed = written.and_then(|written| stand(folder, &placing.intent, written, &mut standing));
        answers.push((placing.intent.clone(), placed));
    }
    note(&standing);
    if let Err(fault) = sync_directory(&folder.join("cur")) {
        for (_, answer) in answers.iter_mut().filter(|(_, answer)| answer.is_ok()) {
            *answer = Err(fault.clone().outcome_unknown());
        }
    }
    answers
}

fn keywords(folder: &Path, batch: &[Placing]) -> Result<Keywords, Fault> {
    let wanted: BTreeSet<&str> = batch.iter().flat_map(|placing| flags::needed(&placing.facts)).collect();
    Keywords::with(folder, &wanted).map_err(on("write the keywords of", folder))
}

fn write_all(folder: &Path, batch: &[Placing], keywords: &Keywords, runtime: &Runtime) -> Vec<Result<Written, Fault>> {
    in_parts(batch, |part| {
        // All of a part is written before any of it is flushed: the first flush then carries most of the others.
        let open: Vec<_> = part.iter().map(|placing| write_one(folder, placing, keywords, runtime)).collect();
        let flushed = |(file, written): (File, Written)| flush(&file, &written.tmp).map(|()| written);
        open.into_iter().map(|written| written.and_then(flushed)).collect()
    })
}

/// Writes a batch with a few threads, each a part of it.
pub(crate) fn in_parts<T: Send>(
    batch: &[Placing],
    write: impl Fn(&[Placing]) -> Vec<Result<T, Fault>> + Sync,
) -> Vec<Result<T, Fault>> {
    let share = batch.len().div_ceil(WRITERS).max(1);
    let write = &write;
    if batch.len() <= share {
        return write(batch);
    }
    std::thread::scope(|scope| {
        let writers: Vec<_> = batch.chunks(share).map(|part| (part, scope.spawn(move || write(part)))).collect();
        writers.into_iter().flat_map(|(part, writer)| writer.join().unwrap_or_else(|_| died(part))).collect()
    })
}

fn died<T>(part: &[Placing]) -> Vec<Result<T, Fault>> {
    let fault = || Fault::new(What::StoreBroken, "a thread that writes items ended unexpectedly").report();
    part.iter().map(|_| Err(fault())).collect()
}

/// Makes a written file last. What cannot be is removed.
pub(crate) fn flush(file: &File, tmp: &Path) -> Result<(), Fault> {
    file.sync_all().map_err(|error| {
        let _ = fs::remove_file(tmp);
        on("flush", tmp)(error)
    })
}

fn write_one(
    folder: &Path,
    placing: &Placing,
    keywords: &Keywords,
    runtime: &Runtime,
) -> Result<(File, Written), Fault> {
    let received = placing.facts.received;
    let unique = unique(&placing.intent, 0);
    let tmp = folder.join("tmp").join(format!("{unique}{SUFFIX}"));
    let file = private(&tmp).map_err(on("create", &tmp))?;
    let result = fill(&file, &tmp, placing.body.as_ref(), runtime).and_then(|contents| {
        let date = received.map_or_else(SystemTime::now, SystemTime::from);
        file.set_times(FileTimes::new().set_modified(date)).map_err(on("date", &tmp))?;
        Ok(contents)
    });
    let contents = match result {
        Ok(contents) => contents,
        Err(fault) => {
            let _ = fs::remove_file(&tmp);
            return Err(fault);
        }
    };
    let seconds = received.map_or(0, |received| received.as_second().max(0));
    let mut name = FileName { base: base(seconds, &unique, &contents), letters: BTreeSet::new() };
    name.set(&placing.facts, keywords);
    let losses = flags::losses(&placing.facts, keywords);
    let left_out = flags::left_out(&placing.facts, keywords);
    Ok((file, Written { tmp, name, contents, losses, left_out }))
}

/// 80 bits of the intent; `attempt` is above 0 when another file has the name.
pub(crate) fn unique(intent: &IntentId, attempt: u32) -> String {
    let text = format!("{}\0{attempt}", intent.as_str());
    blake3::hash(text.as_bytes()).to_hex().chars().take(20).collect()
}

/// `seconds.unique.transhume,S=bytes on disk,W=bytes with CRLF`. A wrong S makes Dovecot refuse the message, a right one
/// saves it a look at the file.
fn base(seconds: i64, unique: &str, contents: &Contents) -> String {
    format!("{seconds}.{unique}{SUFFIX},S={},W={}", contents.length, contents.wire_length)
}

pub(crate) fn fill(mut file: &File, path: &Path, body: &dyn Body, runtime: &Runtime) -> Result<Contents, Fault> {
    let mut reading = Reading::default();
    let mut put = |bytes: &[u8]| -> io::Result<()> {
        reading.take(bytes);
        file.write_all(bytes)
    };
    match body.at_hand() {
        Some(bytes) => put(&bytes).map_err(on("write", path))?,
        None => runtime.block_on(pour(body, path, put))?,
    }
    let contents = reading.finish();
    if contents.length == body.length() && contents.digest == body.digest() {
        return Ok(contents);
    }
    let sentence = format!("a body of {} bytes gave {} other bytes", body.length(), contents.length);
    Err(Fault::new(What::StoreBroken, sentence).report())
}

async fn pour(body: &dyn Body, path: &Path, mut put: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), Fault> {
    let mut from = body.open().await?;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = from
            .read(&mut chunk)
            .await
            .map_err(|error| Fault::new(What::StoreBroken, format!("a body could not be read: {error}")).report())?;
        if length == 0 {
            return Ok(());
        }
        put(chunk.get(..length).unwrap_or_default()).map_err(on("write", path))?;
    }
}

/// Moves a written file to where it stands. A file that is there already with the same bytes is an earlier attempt.
fn stand(
    folder: &Path,
    intent: &IntentId,
    mut written: Written,
    standing: &mut Vec<Standing>,
) -> Result<Placed, Fault> {
    let mut target = folder.join("cur").join(written.name.text());
    for attempt in 1.. {
        match message::read(&target) {
            Ok(there) if there.digest == written.contents.digest => break,
            Ok(_) => {
                let seconds = written.name.base.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
                written.name.base = base(seconds, &unique(intent, attempt), &written.contents);
                target = folder.join("cur").join(written.name.text());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(on("read", &target)(error)),
        }
    }
    fs::rename(&written.tmp, &target).map_err(on("create", &target))?;
    let base = written.name.base;
    let handle = Some(Handle::new(&base));
    standing.push(Standing { base, contents: written.contents });
    Ok(Placed { handle, version: None, losses: written.losses, left_out: written.left_out })
}
