//! One run per project.

use super::faults::{At, Trouble};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
    time::{Duration, Instant},
};
use transhume_contract::Timestamp;

/// Who holds a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    pub verb: String,
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC");
        write!(f, "`transhume {}` (process {} on {}, since {since})", self.verb, self.pid, self.host)
    }
}

/// The lock of a running project; it goes when this is dropped or the process dies.
#[derive(Debug)]
pub(super) struct RunLock(#[expect(dead_code, reason = "held, never read: closing the file frees the lock")] File);

/// What trying to lock came to.
pub(super) enum Locking {
    Held(RunLock),
    /// Somebody else has it; the holder is unknown when they were just about to write their name.
    Taken(Option<Holder>),
}

/// How long the databases of an earlier run of this very process may take to close.
const CLOSING: Duration = Duration::from_secs(3);

pub(super) fn lock(dir: &Path, verb: &str) -> Result<Locking, Trouble> {
    let path = dir.join("transhume.lock");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).at(&path)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut file);
                // The writing threads of a run that ended in this process may still be closing their files.
                if holder.as_ref().is_none_or(|holder| holder.pid != std::process::id()) || begun.elapsed() > CLOSING {
                    return Ok(Locking::Taken(holder));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::Error(error)) => return Err(Trouble::Disk(path, error)),
        }
    }
    sign(&mut file, verb).at(&path)?;
    Ok(Locking::Held(RunLock(file)))
}

fn sign(file: &mut File, verb: &str) -> std::io::Result<()> {
    let holder = Holder { pid: std::process::id(), host: host(), verb: verb.to_owned(), since: Timestamp::now() };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(&holder)?.as_bytes())
}

fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The machine's name, for people: projects may lie on a share.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")))
        .map_or_else(|_| "this machine".to_owned(), |name| name.trim().to_owned())
}
