//! The demo's project, as `init` and an administrator would make it.

use super::{ACCOUNTS, args, exit::Failure};
use crate::{
    config::{AccountLine, FILE, read_accounts, write_accounts},
    store::{Project, StoreOptions},
};
use std::{env, fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Below the project: what goes into folders, where no server is named.
pub const MAIL: &str = "mail";
pub const GROUPWARE: &str = "groupware";

const PASSWORDS: &str = "passwords.csv";
const DAV_PASSWORD: &str = "TRANSHUME_DAV_PASSWORD";

/// Makes the project, or follows servers whose addresses have changed since the last demo.
pub async fn make(project: &Path, demo: &args::Demo, source: &str) -> Result<(), Failure> {
    let (configuration, _known) = (configuration(demo, source)?, password(demo)?);
    Project::create(project, StoreOptions::default()).await?;
    write_private(&project.join("client-secret"), "secret\n")?;
    fs::write(project.join(FILE), configuration)?;
    if project.join(ACCOUNTS).exists() { give_passwords(project, demo) } else { Ok(()) }
}

fn configuration(demo: &args::Demo, source: &str) -> Result<String, Failure> {
    let (mail, groupware) = (mail(demo)?, groupware(demo));
    let others =
        ["calendar", "contacts", "tasks"].map(|workload| format!("\n[target.{workload}]\n{groupware}")).concat();
    Ok(format!(
        "# Written by `transhume demo`: a simulated tenant.\n[source]\nconnector = \"graph\"\ntenant = \"contoso\"\n\
         client_id = \"app\"\nclient_secret = {{ file = \"client-secret\" }}\ngraph_url = \"{source}\"\n\
         login_url = \"{source}\"\n\n[target.mail]\n{mail}{others}"
    ))
}

fn mail(demo: &args::Demo) -> Result<String, Failure> {
    match (&demo.imap, &demo.master) {
        (Some(address), Some(master)) => Ok(format!(
            "connector = \"imap\"\nhost = \"{}\"\nport = {}\nsecurity = \"plain\"\nauthentication = \"master\"\n\
             master = \"{master}\"\npassword = {{ env = \"TRANSHUME_IMAP_PASSWORD\" }}\n",
            address.ip(),
            address.port()
        )),
        (Some(_), None) => Err(Failure::usage("--imap needs --master, the login that acts for every account")),
        (None, _) => Ok(format!("connector = \"folder\"\npath = \"{MAIL}\"\n")),
    }
}

fn groupware(demo: &args::Demo) -> String {
    match &demo.dav {
        Some(url) => format!(
            "connector = \"dav\"\nurl = \"{url}\"\nauthentication = \"password\"\npasswords = \"{PASSWORDS}\"\n"
        ),
        None => format!("connector = \"folder\"\npath = \"{GROUPWARE}\"\n"),
    }
}

/// Serves every login of the demo's calendar server, where there is one.
fn password(demo: &args::Demo) -> Result<Option<String>, Failure> {
    let missing = || Failure::usage(format!("--dav needs the password of the server's accounts in {DAV_PASSWORD}"));
    demo.dav.as_ref().map(|_| env::var(DAV_PASSWORD).map_err(|_| missing())).transpose()
}

fn give_passwords(project: &Path, demo: &args::Demo) -> Result<(), Failure> {
    let Some(password) = password(demo)? else { return Ok(()) };
    let accounts = read_accounts(&project.join(ACCOUNTS))?;
    let lines: String = accounts.iter().map(|line| format!("{},{password}\n", line.target)).collect();
    write_private(&project.join(PASSWORDS), &format!("login,password\n{lines}"))
}

fn write_private(file: &Path, text: &str) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    let mut kept = options.write(true).create(true).truncate(true).mode(0o600).open(file)?;
    Ok(kept.write_all(text.as_bytes())?)
}

/// At the new servers people log in as `account1` and so on, since `make demo` creates just those; in folders, under the
/// first part of their address.
pub fn give_logins(project: &Path, demo: &args::Demo) -> Result<(), Failure> {
    let has_server = demo.imap.is_some() || demo.dav.is_some();
    let login = |line: &AccountLine, number: usize| match has_server {
        true => format!("account{number}"),
        false => local_part(&line.source),
    };
    let place = project.join(ACCOUNTS);
    let lines = read_accounts(&place)?.into_iter().zip(1..);
    let lines: Vec<_> = lines.map(|(line, number)| AccountLine { target: login(&line, number), ..line }).collect();
    write_accounts(&place, &lines)?;
    give_passwords(project, demo)
}

fn local_part(address: &str) -> String {
    address.split('@').next().unwrap_or(address).to_owned()
}
