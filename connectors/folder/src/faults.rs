//! What the file system says, as faults.
//!
//! | error | what | reach | remedy |
//! |---|---|---|---|
//! | no space, quota exceeded | `Full` | run | ask |
//! | read-only file system, no permission | `Forbidden` | run | ask |
//! | name too long, invalid name | `Unmappable` | collection | ask |
//! | a file is there already (an item of the same UID) | `Exists` | item | skip: `duplicate_uid` |
//! | anything else (I/O error, stale NFS handle) | `Unreachable` | run | ask |

use std::io;
use std::path::Path;

use transhume_contract::{Cause, Fault, Reach, What};

/// A fault of the disk met while `doing` something to `path`.
pub(crate) fn disk(doing: &str, path: &Path, error: &io::Error) -> Fault {
    let sentence = format!("could not {doing} {}: {error}", path.display());
    let (what, reach, step) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (What::Full, Reach::Run, "free space there or choose another folder, then run again")
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            (What::Forbidden, Reach::Run, "make the folder writable for the user that runs transhume, then run again")
        }
        io::ErrorKind::InvalidFilename => {
            (What::Unmappable, Reach::Collection, "shorten the folder's name at the source, then run again")
        }
        _ => (What::Unreachable, Reach::Run, "check the disk and the mount, then run again"),
    };
    Fault::new(what, sentence).reaching(reach).ask(step)
}

/// A closure for `map_err`.
pub(crate) fn on<'a>(doing: &'a str, path: &'a Path) -> impl Fn(io::Error) -> Fault + 'a {
    move |error| disk(doing, path, &error)
}

pub(crate) fn folder_gone() -> Fault {
    Fault::new(What::Vanished, "the folder is no longer there").reaching(Reach::Collection)
}

pub(crate) fn message_gone() -> Fault {
    Fault::new(What::Vanished, "the message is no longer there")
}

pub(crate) fn item_gone() -> Fault {
    Fault::new(What::Vanished, "the item is no longer there")
}

pub(crate) fn changed_there() -> Fault {
    Fault::new(What::Forbidden, "the item was changed there since it was placed")
}

/// Something stands where an item of this UID would.
pub(crate) fn taken(path: &Path) -> Fault {
    let sentence = format!("{} is there already, with an item of the same UID: it was left as it is", path.display());
    Fault::new(What::Exists, sentence).skip(Cause::DuplicateUid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_stops_the_run_and_says_what_to_do() {
        let error = io::Error::from(io::ErrorKind::StorageFull);
        let fault = disk("write", Path::new("/mail/ada"), &error);
        assert_eq!((fault.what, fault.reach), (What::Full, Reach::Run));
        assert!(fault.next_step().is_some_and(|step| step.contains("free space")));
        assert!(fault.sentence.contains("/mail/ada"));
    }
}
