//! Debian's Dovecot, 2.3.

mod config;

pub(crate) use config::is_root as runs_as_root;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::certificate::{self, CertificateFiles, Tls};
use crate::leash::Ending;
use crate::{Leash, Login, StartError, at, ports};
use config::Layout;

/// How Dovecot keeps mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// Maildir++: folders are `.A.B` directories, and no name may hold a dot.
    #[default]
    Maildir,
    /// Maildir with a directory per level.
    MaildirFs,
    Sdbox,
    Mdbox,
}

/// When Dovecot flushes mail to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// As a fresh installation does (`optimized`).
    #[default]
    Default,
    Never,
}

/// The folders every account has from the start, and their special use.
pub const SPECIAL_FOLDERS: [&str; 5] = ["Sent", "Junk", "Trash", "Drafts", "Archive"];

/// What to start.
#[derive(Clone, Debug)]
pub struct DovecotOptions {
    /// Where everything is kept, for a server that lasts (same ports, same mail when started again); `None` is a
    /// temporary directory. Keep it short: socket paths end at about 100 bytes.
    pub dir: Option<PathBuf>,
    /// Where the homes are (`<homes>/<user>/Maildir`), to serve what something else wrote; the files are handed over
    /// to the mail user first. `None` is a folder of `dir`.
    pub homes: Option<PathBuf>,
    pub store: Store,
    pub accounts: Vec<Login>,
    /// Logs in as `user*master` with its own password, or by SASL PLAIN with an authorisation id.
    pub master: Option<Login>,
    /// Where it is given, JSON Web Tokens signed with it (HS256; the key in base64) log in the account that their claim
    /// `sub` names, by XOAUTH2 and OAUTHBEARER.
    pub token_key: Option<String>,
    pub tls: Tls,
    pub fsync: Fsync,
    /// Whether [`SPECIAL_FOLDERS`] exist, with their special use.
    pub special_folders: bool,
    /// The hierarchy separator clients see.
    pub separator: char,
    /// The prefix of the personal namespace: empty, or `INBOX.` as on many hosted servers.
    pub prefix: String,
    /// Connections one account may hold from one address.
    pub connections: u32,
    /// The largest message taken, in bytes.
    pub max_message: Option<u64>,
}

impl Default for DovecotOptions {
    fn default() -> Self {
        Self {
            dir: None,
            homes: None,
            store: Store::default(),
            accounts: Vec::new(),
            master: None,
            token_key: None,
            tls: Tls::Off,
            fsync: Fsync::default(),
            special_folders: true,
            separator: '/',
            prefix: String::new(),
            connections: 100,
            max_message: None,
        }
    }
}

impl DovecotOptions {
    /// A server with these accounts, each with the password `secret`.
    pub fn with_accounts(users: &[&str]) -> Self {
        let accounts = users.iter().map(|user| Login::new(*user, "secret")).collect();
        Self { accounts, ..Self::default() }
    }
}

/// A running Dovecot; dropping it stops it.
#[derive(Debug)]
pub struct Dovecot {
    // Fields are dropped in this order: the server goes before its directory.
    leash: Leash,
    layout: Layout,
    _temporary: Option<TempDir>,
}

impl Dovecot {
    /// Starts a server and returns once it greets.
    ///
    /// # Errors
    /// When Dovecot is not installed, refuses its configuration (its log is quoted), or a file cannot be written.
    pub fn start(options: DovecotOptions) -> Result<Self, StartError> {
        let (dir, temporary) = directory(options.dir.as_deref())?;
        let program = program()?;
        let ending = if temporary.is_some() { Ending::Abrupt } else { Ending::Orderly };
        for _ in 0..4 {
            let layout = Layout::new(&dir, &options)?;
            prepare(&layout, &options)?;
            let mut command = Command::new(&program);
            command.arg("-F").arg("-c").arg(&layout.config);
            let leash = Leash::start("Dovecot", &command, &layout.log, ending)?;
            match leash.await_greeting(layout.imap_port) {
                // Somebody took the port between our look and the bind.
                Err(StartError::Silent { log, .. }) if log.contains("Address already in use") => forget(&layout)?,
                Err(other) => return Err(other),
                Ok(()) => {
                    return Ok(Self { leash, layout, _temporary: temporary });
                }
            }
        }
        Err(StartError::Silent {
            server: "Dovecot",
            reason: "its ports were taken four times".into(),
            log: String::new(),
        })
    }

    /// Plain IMAP, with STARTTLS when TLS is on.
    pub fn imap_port(&self) -> u16 {
        self.layout.imap_port
    }

    /// IMAP over TLS; nobody listens there when TLS is off.
    pub fn imaps_port(&self) -> u16 {
        self.layout.imaps_port
    }

    /// The authority to trust, in PEM; `None` when TLS is off.
    pub fn ca_path(&self) -> Option<&Path> {
        self.layout.certificate.as_ref().map(|files: &CertificateFiles| files.authority.as_path())
    }

    pub fn dir(&self) -> &Path {
        &self.layout.dir
    }

    /// The home of an account; the mail is in `Maildir`, `sdbox` or `mdbox` below it.
    pub fn mail_dir(&self, user: &str) -> PathBuf {
        self.layout.homes.join(user)
    }

    /// What Dovecot has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.layout.log).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.leash.pid()
    }

    /// Runs `doveadm` against this server and returns what it printed.
    ///
    /// # Errors
    /// When it ends with another code than 0.
    pub fn doveadm(&self, arguments: &[&str]) -> Result<String, StartError> {
        let mut command = Command::new("doveadm");
        command.arg("-c").arg(&self.layout.config).args(arguments);
        let output = command.output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(StartError::Refused { program: format!("doveadm {arguments:?}"), said })
    }

    /// What clients and scripts need to reach the server, as environment variables.
    pub fn environment(&self) -> BTreeMap<&'static str, String> {
        let mut known = BTreeMap::from([
            ("TRANSHUME_DEMO_IMAP_HOST", "127.0.0.1".to_owned()),
            ("TRANSHUME_DEMO_IMAP_PORT", self.imap_port().to_string()),
            ("TRANSHUME_DEMO_IMAPS_PORT", self.imaps_port().to_string()),
            ("TRANSHUME_DEMO_IMAP_DIR", self.layout.homes.display().to_string()),
        ]);
        if let Some(authority) = self.ca_path() {
            known.insert("TRANSHUME_DEMO_IMAP_CA", authority.display().to_string());
        }
        known
    }
}

fn program() -> Result<PathBuf, StartError> {
    ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/usr/bin/dovecot"]
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .ok_or_else(|| StartError::Missing("Dovecot".to_owned()))
}

/// The directory asked for, or a temporary one; traversable, since mail processes run as another user.
pub(crate) fn directory(wanted: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), StartError> {
    let temporary = match wanted {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("thm").tempdir_in("/tmp")?),
    };
    let dir = match (wanted, &temporary) {
        (Some(dir), _) => dir.to_owned(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => PathBuf::from("/tmp"),
    };
    fs::create_dir_all(&dir).map_err(at(&dir))?;
    let dir = fs::canonicalize(&dir).map_err(at(&dir))?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).map_err(at(&dir))?;
    Ok((dir, temporary))
}

fn prepare(layout: &Layout, options: &DovecotOptions) -> Result<(), StartError> {
    for dir in [&layout.run, &layout.homes] {
        fs::create_dir_all(dir).map_err(at(dir))?;
    }
    let texts = [
        (&layout.config, config::settings(layout, options)),
        (&layout.users, config::users(&options.accounts)),
        (&layout.masters, config::users(options.master.as_slice())),
    ];
    for (path, text) in texts {
        fs::write(path, text).map_err(at(path))?;
    }
    if let Some(key) = &options.token_key {
        write_tokens(layout, key)?;
    }
    hand_over(&layout.homes)
}

fn write_tokens(layout: &Layout, key: &str) -> Result<(), StartError> {
    let keys = layout.token_keys.join("default/HS256");
    fs::create_dir_all(&keys).map_err(at(&keys))?;
    fs::write(keys.join("default"), key).map_err(at(&keys))?;
    fs::write(&layout.tokens, config::tokens(layout)).map_err(at(&layout.tokens))
}

fn forget(layout: &Layout) -> Result<(), StartError> {
    fs::remove_file(&layout.ports).map_err(at(&layout.ports))?;
    fs::remove_file(&layout.log).map_err(at(&layout.log))
}

/// Gives a tree to the user that mail processes run as. Nothing to do when we are that user ourselves.
pub(crate) fn hand_over(dir: &Path) -> Result<(), StartError> {
    if !config::is_root() {
        return Ok(());
    }
    let output = Command::new("chown").arg("-R").arg("nobody:nogroup").arg(dir).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::Refused { program: "chown".into(), said: String::from_utf8_lossy(&output.stderr).into_owned() })
}

impl Layout {
    fn new(dir: &Path, options: &DovecotOptions) -> Result<Self, StartError> {
        let ports = dir.join("ports");
        let [imap_port, imaps_port] = ports::remembered(&ports).map_err(at(&ports))?;
        let certificate = match options.tls {
            Tls::Off => None,
            tls => Some(certificate::write(dir, tls)?),
        };
        let homes = match &options.homes {
            Some(homes) => fs::canonicalize(homes).map_err(at(homes))?,
            None => dir.join("mail"),
        };
        Ok(Self {
            dir: dir.to_owned(),
            homes,
            run: dir.join("run"),
            config: dir.join("dovecot.conf"),
            users: dir.join("users"),
            masters: dir.join("masters"),
            tokens: dir.join("tokens.conf"),
            token_keys: dir.join("token-keys"),
            log: dir.join("dovecot.log"),
            ports,
            certificate,
            imap_port,
            imaps_port,
        })
    }
}
