//! `init`: a commented project.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    terminal::Terminal,
};
use crate::{
    config::{ACCOUNTS_TEMPLATE, FILE, project_template},
    store::{Project, StoreOptions},
};
use std::{fs::OpenOptions, io::Write, path::Path};

/// What stands in the project directory as the list of who moves.
pub const ACCOUNTS: &str = "accounts.csv";

/// Writes what is missing; what is there stays as it is.
pub async fn run(common: &Common, init: &args::Init, terminal: &Terminal) -> Result<Exit, Failure> {
    let project = &common.project;
    Project::create(project, StoreOptions::default()).await?;
    for (name, text) in [(FILE, project_template(init.source, init.target)), (ACCOUNTS, ACCOUNTS_TEMPLATE.into())] {
        let word = if write_new(&project.join(name), &text)? { "wrote" } else { "kept" };
        terminal.say(&format!("{word} {}", project.join(name).display()));
    }
    terminal.say("Next: fill in transhume.toml, then `transhume survey --write-accounts` and `transhume check`.");
    Ok(Exit::Done)
}

/// Writes a file unless it exists.
fn write_new(path: &Path, text: &str) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::stuck(format!("{} cannot be written: {error}", path.display()));
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}
