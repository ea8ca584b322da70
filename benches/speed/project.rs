//! Project directories.

use crate::watched::transhume;
use std::{fs, path::Path};

/// The simulated tenant's own id. By another name the program would ask the source for it, which is away while rivals
/// race to push.
const TENANT: &str = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";

pub struct Imap<'a> {
    pub port: u16,
    pub master: &'a str,
    pub password_file: &'a Path,
}

pub enum Target<'a> {
    Imap(Imap<'a>),
    Folder,
    /// Calendars alone, into the CalDAV server of this port; every password is `secret`.
    Dav(u16),
    /// Calendars alone, as files.
    Files,
}

impl Target<'_> {
    /// Its table in the configuration.
    fn table(&self) -> String {
        match self {
            Target::Folder => "[target.mail]\nconnector = \"folder\"\npath = \"mail\"\n".to_owned(),
            Target::Files => "[target.calendar]\nconnector = \"folder\"\npath = \"files\"\n".to_owned(),
            Target::Dav(port) => format!(
                "[target.calendar]\nconnector = \"dav\"\nurl = \"http://127.0.0.1:{port}/\"\n\
                 authentication = \"password\"\npasswords = \"passwords.csv\"\n"
            ),
            Target::Imap(imap) => format!(
                "[target.mail]\nconnector = \"imap\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\n\
                 authentication = \"master\"\nmaster = \"{}\"\npassword = {{ file = \"{}\" }}\n",
                imap.port,
                imap.master,
                imap.password_file.display()
            ),
        }
    }
}

/// Writes a project that pulls from `source` with limits that are out of the way.
pub fn write(dir: &Path, source: &str, target: &Target<'_>, lanes: u32) {
    transhume(dir, &["init"]);
    fs::write(dir.join("client-secret"), "secret\n").unwrap();
    let text = format!(
        "[source]\nconnector = \"graph\"\ntenant = \"{TENANT}\"\nclient_id = \"app\"\n\
         client_secret = {{ file = \"client-secret\" }}\ngraph_url = \"{source}\"\nlogin_url = \"{source}\"\n\n\
         {}\n[limits]\nlanes = {lanes}\nrequests = 1000000000\n",
        target.table()
    );
    fs::write(dir.join("transhume.toml"), text).unwrap();
}

/// Who moves where.
pub fn accounts(dir: &Path, lines: &[(String, String)]) {
    let lines: String = lines.iter().map(|(source, target)| format!("{source},{target},1\n")).collect();
    fs::write(dir.join("accounts.csv"), format!("source,target,wave\n{lines}")).unwrap();
}

/// A copy of a folder tree, so that every round begins alike.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let into = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &into)
        } else {
            fs::copy(entry.path(), into).map(|_| ()).unwrap()
        }
    }
}
