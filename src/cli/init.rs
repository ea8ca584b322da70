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
        let place = project.join(name);
        match write_new(&place, &text)? {
            true => terminal.say(&format!("wrote {}", place.display())),
            false => terminal.say(&format!("kept {} as it was", place.display())),
        }
    }
    let text = std::fs::read_to_string(project.join(FILE)).unwrap_or_default();
    terminal.suggest(&next_steps(project, &text));
    Ok(Exit::Done)
}

/// What to type next, as it can be typed, with the secrets that the configuration asks for.
fn next_steps(project: &Path, configuration: &str) -> String {
    let go = if project == Path::new(".") { String::new() } else { format!("  cd {}\n", project.display()) };
    let password = if configuration.contains("TRANSHUME_IMAP_PASSWORD") {
        "  export TRANSHUME_IMAP_PASSWORD=...    # the master user's; or name a file or command in transhume.toml\n"
    } else {
        ""
    };
    format!(
        "Next: fill in transhume.toml (the README tells how the application is registered), then\n{go}\
         \x20 export TRANSHUME_CLIENT_SECRET=...   # the application's; or name a file, a command or a certificate there\n\
         {password}\x20 transhume survey --write-accounts\n  transhume check"
    )
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
