//! Files that an administrator takes over by hand: rules as Sieve, one folder per account under `handover/`.

use super::{exit::Failure, session::Session, terminal::Terminal};
use crate::report::count;
use std::{fs, path::Path};
use transhume_contract::Reach;

/// Below the project directory.
const FOLDER: &str = "handover";

/// Writes what there is to hand over for every mover, and says where.
pub async fn write(session: &Session, terminal: &Terminal) -> Result<(), Failure> {
    let root = session.project.dir().join(FOLDER);
    let mut written = 0;
    for mover in &session.movers {
        let store = match session.project.open_account(&mover.row.account.id).await {
            Ok(store) => store,
            // The pass has told why.
            Err(fault) if fault.reach <= Reach::Account => continue,
            Err(fault) => return Err(fault.into()),
        };
        for workload in session.engine.workloads() {
            for file in session.engine.hand_over(&store, workload).await? {
                put(&root.join(&mover.row.folder), &file.name, &file.text)?;
                written += 1;
            }
        }
    }
    if written > 0 {
        terminal.say(&format!("{} to look over and install: {}", count(written, "Sieve file"), root.display()));
    }
    Ok(())
}

fn put(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    let failed = |error: std::io::Error| Failure::stuck(format!("{} cannot be written: {error}", path.display()));
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(failed)
}
