//! Placing a batch: each item is written beside where it will stand, flushed, and put there under its own name without
//! overwriting anything; the directory is flushed once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tokio::runtime::Handle as Runtime;
use transhume_contract::{Digest, Fault, Handle, Placed, Placement, Placing, Workload};

use crate::account::{private, sync_directory};
use crate::faults::{changed_there, item_gone, on, taken};
use crate::place::{Answers, fill, flush, in_parts, unique};
use crate::vdir::item::{Item, UNFINISHED, file_name, version};
use crate::vdir::names;

/// An item that is written, flushed, and stands nowhere yet.
struct Written {
    tmp: PathBuf,
    digest: Digest,
}

/// Places a batch and answers for each item.
pub(super) fn place(directory: &Path, workload: Workload, batch: &[Placing], runtime: &Runtime) -> Answers {
    let written = in_parts(batch, |part| write(directory, part, runtime));
    let mut answers = Answers::new();
    for (placing, written) in batch.iter().zip(written) {
        let placed = written.and_then(|written| stand(directory, workload, placing, &written));
        answers.push((placing.intent.clone(), placed));
    }
    if let Err(fault) = sync_directory(directory) {
        for (_, answer) in answers.iter_mut().filter(|(_, answer)| answer.is_ok()) {
            *answer = Err(fault.clone().outcome_unknown());
        }
    }
    answers
}

/// All of a part is written before any of it is flushed: the first flush then carries most of the others.
fn write(directory: &Path, part: &[Placing], runtime: &Runtime) -> Vec<Result<Written, Fault>> {
    let open: Vec<_> = part.iter().map(|placing| write_one(directory, placing, runtime)).collect();
    let flushed = |(file, written): (File, Written)| flush(&file, &written.tmp).map(|()| written);
    open.into_iter().map(|written| written.and_then(flushed)).collect()
}

fn write_one(directory: &Path, placing: &Placing, runtime: &Runtime) -> Result<(File, Written), Fault> {
    let tmp = directory.join(format!("{}{}{}", UNFINISHED.0, unique(&placing.intent, 0), UNFINISHED.1));
    let file = private(&tmp).map_err(on("create", &tmp))?;
    match fill(&file, &tmp, placing.body.as_ref(), runtime) {
        Ok(contents) => Ok((file, Written { tmp, digest: contents.digest })),
        Err(fault) => {
            let _ = fs::remove_file(&tmp);
            Err(fault)
        }
    }
}

fn stand(directory: &Path, workload: Workload, placing: &Placing, written: &Written) -> Result<Placed, Fault> {
    let name = match &placing.instead {
        None => stand_anew(directory, &names::item(workload, placing.key.as_deref(), &written.digest), &written.tmp),
        Some(old) => stand_instead(directory, old, &written.tmp),
    };
    // What stands under its name no longer needs the one it was written under.
    let _ = fs::remove_file(&written.tmp);
    let (handle, version) = (Some(Handle::new(name?)), Some(version(&written.digest)));
    Ok(Placed { handle, version, ..Placed::default() })
}

/// Under its own name something may stand that no placement knows: it is not ours to touch.
fn stand_anew(directory: &Path, name: &str, tmp: &Path) -> Result<String, Fault> {
    let path = directory.join(name);
    match link_anew(tmp, &path) {
        Ok(()) => Ok(name.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(&path)),
        Err(error) => Err(on("create", &path)(error)),
    }
}

/// An item keeps the name it has.
fn stand_instead(directory: &Path, old: &Placement, tmp: &Path) -> Result<String, Fault> {
    let name = file_name(&old.handle)?;
    let path = directory.join(name);
    let there = Item::read(&path)?.ok_or_else(item_gone)?;
    if !there.is_as_placed(old) {
        return Err(changed_there());
    }
    fs::rename(tmp, &path).map_err(on("replace", &path))?;
    Ok(name.to_owned())
}

/// Gives a file another name, unless something has that name. The old one may still be there, too.
pub(super) fn link_anew(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        // No hard links here (FAT, some SMB shares), or not of this file (another owner's).
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            if to.try_exists()? { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(from, to) }
        }
        linked => linked,
    }
}
