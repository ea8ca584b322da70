//! Where each workload goes.

use super::{SecretRef, place::Senseless, senseless};
use serde::Deserialize;
use std::path::PathBuf;
use transhume_contract::Workload;

/// The targets, by workload. What has no target is not moved.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetsConfig {
    pub mail: Option<TargetConfig>,
    pub calendar: Option<TargetConfig>,
    pub contacts: Option<TargetConfig>,
    pub tasks: Option<TargetConfig>,
}

/// A target, by connector.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "connector", rename_all = "lowercase")]
pub enum TargetConfig {
    Imap(ImapConfig),
    Dav(DavConfig),
    Folder(FolderConfig),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    Tls,
    Starttls,
    /// Allowed on loopback; elsewhere only with `allow_plain = true`.
    Plain,
}

/// How the target knows who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// Each account's own password, from `passwords`.
    Password,
    /// One administrator's password acting for every account (IMAP: SASL PLAIN with an authorisation identity).
    Master,
    /// An OAuth token per account, from `token`, a command that is given the account's login.
    Xoauth2,
}

/// What the ways to log in need, whatever the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    pub authentication: Authentication,
    pub master: Option<&'a str>,
    pub password: Option<&'a SecretRef>,
    pub passwords: Option<&'a PathBuf>,
    pub token: Option<&'a SecretRef>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapConfig {
    pub host: String,
    pub port: Option<u16>,
    #[serde(default = "tls")]
    pub security: Security,
    #[serde(default)]
    pub allow_plain: bool,
    pub ca_file: Option<PathBuf>,
    pub authentication: Authentication,
    /// The administrator's login, for `master`.
    pub master: Option<String>,
    /// The administrator's password, for `master`.
    pub password: Option<SecretRef>,
    /// A CSV file `login,password`, for `password`.
    pub passwords: Option<PathBuf>,
    /// Where an account's token comes from, for `xoauth2`: a command that is given the login as its last argument.
    pub token: Option<SecretRef>,
    /// Connections per account.
    #[serde(default = "four")]
    pub connections: usize,
    /// Messages per APPEND batch.
    #[serde(default = "hundred")]
    pub batch: usize,
    /// Seconds the server may take to answer one command.
    #[serde(default = "command_seconds")]
    pub timeout: u64,
}

/// A server of calendars (CalDAV), tasks, and address books (CardDAV).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DavConfig {
    /// The server, or the place on it where its calendars begin. Plain http is for loopback alone.
    pub url: String,
    /// Which server it is, where it cannot be told from its answers.
    pub server: Option<transhume_dav::Kind>,
    /// Where an account's principal is, with `{account}` for its login, where the server does not tell.
    pub principal: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub authentication: Authentication,
    /// The administrator's login, for `master`.
    pub master: Option<String>,
    /// The administrator's password, for `master`.
    pub password: Option<SecretRef>,
    /// A CSV file `login,password`, for `password`.
    pub passwords: Option<PathBuf>,
    /// Where an account's token comes from, for `xoauth2`: a command that is given the login as its last argument.
    pub token: Option<SecretRef>,
    /// Requests at once for one account; what is known of the server decides where nothing is set.
    pub connections: Option<usize>,
    /// Seconds of silence after which a request counts as lost.
    #[serde(default = "command_seconds")]
    pub timeout: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// Relative to the project directory.
    pub path: PathBuf,
}

const fn tls() -> Security {
    Security::Tls
}
const fn four() -> usize {
    4
}
const fn hundred() -> usize {
    100
}
const fn command_seconds() -> u64 {
    120
}

impl TargetsConfig {
    /// What moves, and where to.
    pub fn each(&self) -> impl Iterator<Item = (Workload, &TargetConfig)> {
        let all = [
            (Workload::Mail, &self.mail),
            (Workload::Calendar, &self.calendar),
            (Workload::Contacts, &self.contacts),
            (Workload::Tasks, &self.tasks),
        ];
        all.into_iter().filter_map(|(workload, target)| Some((workload, target.as_ref()?)))
    }

    pub fn of(&self, workload: Workload) -> Option<&TargetConfig> {
        self.each().find(|(of, _)| *of == workload).map(|(_, target)| target)
    }

    /// Moves nothing but these; nothing named means everything.
    pub fn keep_only(&mut self, only: &[Workload]) {
        let Self { mail, calendar, contacts, tasks } = self;
        let all = [
            (Workload::Mail, mail),
            (Workload::Calendar, calendar),
            (Workload::Contacts, contacts),
            (Workload::Tasks, tasks),
        ];
        let left_out = all.into_iter().filter(|(workload, _)| !only.is_empty() && !only.contains(workload));
        left_out.for_each(|(_, target)| *target = None);
    }

    fn each_mut(&mut self) -> impl Iterator<Item = &mut TargetConfig> {
        let Self { mail, calendar, contacts, tasks } = self;
        [mail, calendar, contacts, tasks].into_iter().flatten()
    }

    /// Every file and folder named.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.each_mut().flat_map(|target| match target {
            TargetConfig::Imap(imap) => [imap.ca_file.as_mut(), imap.passwords.as_mut()].into_iter().flatten(),
            TargetConfig::Dav(dav) => [dav.ca_file.as_mut(), dav.passwords.as_mut()].into_iter().flatten(),
            TargetConfig::Folder(folder) => [Some(&mut folder.path), None].into_iter().flatten(),
        })
    }

    /// Every secret's whereabouts.
    pub(super) fn secrets(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        self.each_mut().flat_map(|target| match target {
            TargetConfig::Imap(imap) => [imap.password.as_mut(), imap.token.as_mut()].into_iter().flatten(),
            TargetConfig::Dav(dav) => [dav.password.as_mut(), dav.token.as_mut()].into_iter().flatten(),
            TargetConfig::Folder(_) => [None, None].into_iter().flatten(),
        })
    }

    pub(super) fn sense(&self) -> Result<(), Senseless> {
        if self.each().next().is_none() {
            return senseless(
                &["target"],
                "no target is named: say where the mail goes in [target.mail] (connector = \"imap\" or \"folder\"), and \
                 where the rest goes in [target.calendar], [target.contacts] and [target.tasks] (connector = \"dav\" or \
                 \"folder\")",
            );
        }
        self.each().try_for_each(|(workload, target)| target.sense(workload))
    }
}

impl TargetConfig {
    fn sense(&self, workload: Workload) -> Result<(), Senseless> {
        let of_another_kind = |sentence: &str| senseless(&[&format!("target.{workload}.connector")], sentence);
        match (self, workload) {
            (Self::Imap(imap), Workload::Mail) => {
                imap.login().sense(workload)?;
                let zeros = [
                    ("connections", imap.connections == 0),
                    ("batch", imap.batch == 0),
                    ("timeout", imap.timeout == 0),
                ];
                at_least_1(workload, "connections, batch and timeout", &zeros)
            }
            (Self::Dav(dav), Workload::Calendar | Workload::Contacts | Workload::Tasks) => {
                dav.login().sense(workload)?;
                let zeros = [("connections", dav.connections == Some(0)), ("timeout", dav.timeout == 0)];
                at_least_1(workload, "connections and timeout", &zeros)
            }
            (Self::Folder(_), _) => Ok(()),
            (Self::Imap(_), _) => of_another_kind(&format!(
                "[target.{workload}] an IMAP server takes mail; {workload} need \"dav\" or \"folder\""
            )),
            (Self::Dav(_), _) => of_another_kind(&format!(
                "[target.{workload}] a DAV server takes calendars, contacts and tasks; {workload} needs \"imap\" or \"folder\""
            )),
        }
    }
}

/// Refuses those of these keys that are zero.
fn at_least_1(workload: Workload, what: &str, zeros: &[(&str, bool)]) -> Result<(), Senseless> {
    match zeros.iter().find(|(_, is_zero)| *is_zero) {
        None => Ok(()),
        Some((key, _)) => {
            senseless(&[&format!("target.{workload}.{key}")], &format!("[target.{workload}] {what} must be at least 1"))
        }
    }
}

impl Login<'_> {
    fn sense(self, workload: Workload) -> Result<(), Senseless> {
        let named = match self.authentication {
            Authentication::Password => self.passwords.is_some(),
            Authentication::Master => self.master.is_some() && self.password.is_some(),
            Authentication::Xoauth2 => self.token.is_some(),
        };
        if named {
            return Ok(());
        }
        senseless(
            &[&format!("target.{workload}.authentication")],
            &format!(
                "[target.{workload}] authentication = \"password\" needs `passwords`, \"master\" needs `master` and \
                 `password`, \"xoauth2\" needs `token`"
            ),
        )
    }
}

impl ImapConfig {
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.security == Security::Tls { 993 } else { 143 })
    }

    pub fn login(&self) -> Login<'_> {
        let Self { authentication, master, password, passwords, token, .. } = self;
        Login {
            authentication: *authentication,
            master: master.as_deref(),
            password: password.as_ref(),
            passwords: passwords.as_ref(),
            token: token.as_ref(),
        }
    }
}

impl DavConfig {
    pub fn login(&self) -> Login<'_> {
        let Self { authentication, master, password, passwords, token, .. } = self;
        Login {
            authentication: *authentication,
            master: master.as_deref(),
            password: password.as_ref(),
            passwords: passwords.as_ref(),
            token: token.as_ref(),
        }
    }
}
