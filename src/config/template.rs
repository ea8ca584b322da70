//! The commented files that `init` writes.

use super::FILE;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SourceKind {
    /// Microsoft 365, through Microsoft Graph.
    Graph,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TargetKind {
    /// An IMAP server.
    Imap,
    /// Plain folders: Maildir++ and a manifest, .ics and .vcf files.
    Folder,
}

const SOURCE_GRAPH: &str = r#"# Where the data comes from. Secrets are named here, never written here.
[source]
connector = "graph"
# The tenant: its GUID, or a domain it has verified.
tenant = "example.onmicrosoft.com"
# The application registered for this migration (README, "Register the application").
client_id = "00000000-0000-0000-0000-000000000000"
# Exactly one of:
client_secret = { env = "TRANSHUME_CLIENT_SECRET" }     # or { file = "secret" } or { command = ["pass", "m365"] }
# certificate = "application.pem"                         # private key and certificate, PEM
# device_code = true                                      # sign in as one person, to move that person's mailbox
# National clouds: "us-gov", "us-dod", "china".
# cloud = "global"
# A private endpoint, or `transhume simulate` (tenant "contoso", client id "app", secret "secret"):
# graph_url = "http://127.0.0.1:PORT"
# login_url = "http://127.0.0.1:PORT"
# ca_file = "ca.pem"                                      # authorities to trust beside the system's
"#;

const TARGET_IMAP: &str = r#"
# Where the mail goes.
[target.mail]
connector = "imap"
host = "mail.example.org"
security = "tls"                                          # or "starttls"; "plain" on loopback only
# How transhume acts for every account. Master user (Dovecot) or proxy administrator (Cyrus):
authentication = "master"
master = "migrator"
password = { env = "TRANSHUME_IMAP_PASSWORD" }
# One password per account instead, from a CSV file with the columns login,password:
# authentication = "password"
# passwords = "passwords.csv"
# An OAuth token per account instead, from a command that is given the login:
# authentication = "xoauth2"
# token = { command = ["./token-for"] }
# connections = 4                                         # per account
# port = 993                                              # 143 with starttls and plain
# ca_file = "ca.pem"                                      # authorities to trust beside the system's
# allow_plain = true                                      # plain beyond loopback, where the network itself is trusted
# batch = 100                                             # messages per APPEND
# timeout = 120                                           # seconds one command may take
"#;

const TARGET_FOLDER: &str = r#"
# Where the mail goes: a Maildir++ per account, and a manifest.
[target.mail]
connector = "folder"
path = "mail"
"#;

const OTHERS_DAV: &str = r#"
# Where calendars, contacts and tasks go; what has no target is not moved. One of each, with the same keys:
# [target.calendar]
# connector = "dav"                                       # CalDAV and CardDAV; or "folder" with a path: .ics and .vcf files
# url = "https://cloud.example.org/"                      # plain http on loopback only
# authentication = "password"                             # or "master", "xoauth2", as for an IMAP server
# passwords = "passwords.csv"                             # login,password
# ca_file = "ca.pem"
# [target.contacts]
# [target.tasks]
"#;

const OTHERS_FOLDER: &str = r#"
# Where calendars, contacts and tasks go: a folder of .ics files for each calendar and task list, of .vcf files for each address
# book (vdirs, as khal, khard and vdirsyncer read them). What has no target is not moved; they may share a path.
# [target.calendar]
# connector = "folder"                                    # or "dav": url, authentication and passwords of a CalDAV server
# path = "groupware"
# [target.contacts]
# connector = "folder"
# path = "groupware"
# [target.tasks]
# connector = "folder"
# path = "groupware"
"#;

const REST: &str = r#"
# Which folders are pushed. All of them are listed, counted and kept in the store.
[policy]
# deleted = true
# junk = true
# drafts = true
# archive = true
# outbox = false
# conversation_history = false
# sync_issues = false
# recoverable_items = false
# hidden = false
# Withdraw at the target what was deleted at the source: only what transhume placed or adopted and nobody changed since.
# withdraw_deleted = false
# What is done where what is to be moved stands at the target before the first run (a former migration):
# "ask" stops that account, "adopt" takes for placed what is there byte for byte (events, contacts and tasks: what says the
# same; it is replaced whole when the source changes it, but for meetings that would invite), "add" places everything beside it
# (an event, contact or task whose UID stands in its place already goes into quarantine).
# existing = "ask"
# An event whose UID stands in another calendar of its account already, where the server takes a UID once (Cyrus):
# "quarantine" keeps it in the store; "derive" places it with a UID of its own, where transhume placed the other one: updates
# from its organiser do not find it, and it keeps that UID.
# duplicate_uid = "quarantine"

[limits]
# accounts = 8                                            # worked on at the same time
# lanes = 3                                               # requests at once per source mailbox; Exchange refuses a fifth
"#;

/// A commented `transhume.toml` for a source and a target.
pub fn project_template(source: SourceKind, target: TargetKind) -> String {
    let source = match source {
        SourceKind::Graph => SOURCE_GRAPH,
    };
    let (target, others) = match target {
        TargetKind::Imap => (TARGET_IMAP, OTHERS_DAV),
        TargetKind::Folder => (TARGET_FOLDER, OTHERS_FOLDER),
    };
    format!("# {FILE}: one migration project.\n\n{source}{target}{others}{REST}")
}

/// A commented `accounts.csv`.
pub const ACCOUNTS_TEMPLATE: &str = "\
# Who moves, where to, in which wave. `transhume survey --write-accounts` fills this from the tenant.
# source: the address at Microsoft 365. target: the login at the new server. wave: any word; the default is 1.
source,target,wave
";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{SourceKind, TargetKind, project_template};
    use crate::config::Config;

    #[test]
    fn what_init_writes_is_a_configuration() {
        for target in [TargetKind::Imap, TargetKind::Folder] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("transhume.toml"), project_template(SourceKind::Graph, target)).unwrap();
            Config::load(folder.path()).unwrap();
        }
    }

    /// What stands there as an example is one, too.
    #[test]
    fn the_targets_that_init_only_suggests_are_configurations() {
        for target in [TargetKind::Imap, TargetKind::Folder] {
            let folder = tempfile::tempdir().unwrap();
            let (before, rest) = project_template(SourceKind::Graph, target)
                .split_once("# [target.calendar]\n")
                .map(|(before, rest)| (before.to_owned(), rest.to_owned()))
                .unwrap();
            let (suggested, after) = rest.split_once("\n\n").unwrap();
            let keys = suggested.replace("# [target.contacts]\n# [target.tasks]", "");
            let suggested =
                keys.lines().map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect::<String>();
            let text = format!("{before}[target.calendar]\n{suggested}\n{after}");
            std::fs::write(folder.path().join("transhume.toml"), text).unwrap();
            std::fs::write(folder.path().join("ca.pem"), "").unwrap();
            let config = Config::load(folder.path()).unwrap();
            let all = if target == TargetKind::Folder { 4 } else { 2 };
            assert_eq!(config.target.each().count(), all);
        }
    }

    #[test]
    fn a_mistake_is_named_with_line_and_column() {
        let folder = tempfile::tempdir().unwrap();
        let text = project_template(SourceKind::Graph, TargetKind::Folder).replace("path =", "pfad =");
        std::fs::write(folder.path().join("transhume.toml"), &text).unwrap();
        let said = Config::load(folder.path()).unwrap_err().to_string();
        let line = text.lines().position(|line| line.starts_with("pfad")).unwrap() + 1;
        assert!(said.contains(&format!("transhume.toml, line {line}, column 1: ")), "{said}");
        assert!(said.contains("unknown field `pfad`"), "{said}");
    }
}
