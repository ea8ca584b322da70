//! Cyrus IMAP 3.6 as Debian packs it, unpacked (not installed) by `scripts/install-test-servers`.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::dovecot::{directory, hand_over};
use crate::leash::Ending;
use crate::{Leash, Login, RawImap, StartError, at, cache, ports};

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct CyrusOptions {
    /// Where everything is kept, for a server that lasts; `None` is a temporary directory.
    pub dir: Option<PathBuf>,
    /// Names without `@`; quotas and stores are not looked at.
    pub accounts: Vec<Login>,
    /// May log in by SASL PLAIN with another's name as authorisation id (`user*master` means nothing to Cyrus).
    pub master: Option<Login>,
    /// Calendars and address books too, with scheduling between the accounts: theirs is `<user>@lab.example`.
    pub dav: bool,
}

impl CyrusOptions {
    /// A server with these accounts, each with the password `secret`.
    pub fn with_accounts(users: &[&str]) -> Self {
        let accounts = users.iter().map(|user| Login::new(*user, "secret")).collect();
        Self { accounts, ..Self::default() }
    }
}

/// A running Cyrus; dropping it stops it.
#[derive(Debug)]
pub struct Cyrus {
    leash: Leash,
    dir: PathBuf,
    imap_port: u16,
    dav_port: Option<u16>,
    _temporary: Option<TempDir>,
}

impl Cyrus {
    /// Starts a server and returns once it greets. Mailboxes come into being at the first login.
    ///
    /// # Errors
    /// When Cyrus was not unpacked yet, or it does not come up.
    pub fn start(options: CyrusOptions) -> Result<Self, StartError> {
        let unpacked = Unpacked::find()?;
        let (dir, temporary) = directory(options.dir.as_deref())?;
        for _ in 0..4 {
            let [imap_port, dav_port] = ports::remembered(&dir.join("ports"))?;
            let dav_port = options.dav.then_some(dav_port);
            prepare(&dir, &unpacked, &options, (imap_port, dav_port))?;
            let leash = Leash::start("Cyrus", &unpacked.master(&dir), &dir.join("cyrus.log"), Ending::Orderly)?;
            let serves =
                leash.await_greeting(imap_port).and_then(|()| dav_port.map_or(Ok(()), |port| leash.await_http(port)));
            match serves {
                Ok(()) => {
                    if options.dav {
                        provision(imap_port, options.accounts.iter().chain(&options.master))?;
                    }
                    return Ok(Self { leash, dir, imap_port, dav_port, _temporary: temporary });
                }
                Err(StartError::Silent { .. }) => fs::remove_file(dir.join("ports"))?,
                Err(other) => return Err(other),
            }
        }
        let log = fs::read_to_string(dir.join("cyrus.log")).unwrap_or_default();
        Err(StartError::Silent { server: "Cyrus", reason: "four attempts".into(), log })
    }

    /// Plain IMAP.
    pub fn imap_port(&self) -> u16 {
        self.imap_port
    }

    /// Plain HTTP, where it was started with `dav`: the context is `/dav/`.
    pub fn dav_url(&self) -> Option<String> {
        self.dav_port.map(|port| format!("http://127.0.0.1:{port}/"))
    }

    /// Where it hands over what is to be mailed to people outside, one datagram a message, to whoever listens there.
    pub fn notify_socket(&self) -> PathBuf {
        self.dir.join("state/run/notify")
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn pid(&self) -> u32 {
        self.leash.pid()
    }

    /// What clients and scripts need to reach the server, as environment variables.
    pub fn environment(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("TRANSHUME_DEMO_IMAP_HOST", "127.0.0.1".to_owned()),
            ("TRANSHUME_DEMO_IMAP_PORT", self.imap_port.to_string()),
            ("TRANSHUME_DEMO_IMAP_DIR", self.dir.join("state/spool").display().to_string()),
        ])
    }
}

/// The tree that the install script left.
struct Unpacked(PathBuf);

impl Unpacked {
    fn find() -> Result<Self, StartError> {
        cache::newest("cyrus-").map(Self).ok_or_else(|| StartError::Missing("Cyrus".to_owned()))
    }

    fn service(&self, name: &str) -> String {
        self.0.join("usr/lib/cyrus/bin").join(name).display().to_string()
    }

    /// Never `-D`: with it the master stays in our process group and ends by signalling the whole of it.
    fn master(&self, dir: &Path) -> Command {
        let mut command = Command::new(self.0.join("usr/sbin/cyrmaster"));
        command.arg("-C").arg(dir.join("imapd.conf")).arg("-M").arg(dir.join("cyrus.conf"));
        command.arg("-p").arg(dir.join("state/run/pid"));
        command.env("LD_LIBRARY_PATH", self.0.join("usr/lib").join(multiarch()));
        if crate::dovecot::runs_as_root() {
            // imapd refuses to be root.
            command.env("CYRUS_USER", "nobody").env("CYRUS_GROUP", "nogroup");
        } else {
            command.env("CYRUS_USER", env::var_os("USER").unwrap_or_default());
        }
        command
    }
}

fn multiarch() -> String {
    format!("{}-linux-gnu", env::consts::ARCH)
}

/// Calendars come into being at the first login over HTTP, below an INBOX that only one over IMAP makes (seen with
/// 3.6.1, which answers 500 before).
fn provision<'a>(imap_port: u16, accounts: impl Iterator<Item = &'a Login>) -> Result<(), StartError> {
    for login in accounts {
        RawImap::login(imap_port, &login.user, &login.password)?;
    }
    Ok(())
}

fn prepare(
    dir: &Path,
    unpacked: &Unpacked,
    options: &CyrusOptions,
    ports: (u16, Option<u16>),
) -> Result<(), StartError> {
    let state = dir.join("state");
    for name in ["var", "spool", "run", "lock", "proc"] {
        fs::create_dir_all(state.join(name)).map_err(at(&state))?;
    }
    // A server that was killed leaves its pid file, and the next master refuses to start.
    let _ = fs::remove_file(state.join("run/pid"));
    for (name, text) in [("imapd.conf", imapd(&state, options)), ("cyrus.conf", services(dir, unpacked, ports))] {
        let path = dir.join(name);
        fs::write(&path, text).map_err(at(&path))?;
    }
    for login in options.accounts.iter().chain(&options.master) {
        set_password(&state.join("sasldb2"), login)?;
    }
    hand_over(&state)
}

fn imapd(state: &Path, options: &CyrusOptions) -> String {
    let paths = [
        ("configdirectory", "var"),
        ("partition-default", "spool"),
        ("proc_path", "proc"),
        ("mboxname_lockpath", "lock"),
        ("idlesocket", "run/idle"),
        ("notifysocket", "run/notify"),
        ("lmtpsocket", "run/lmtp"),
        ("sasl_sasldb_path", "sasldb2"),
    ];
    let mut text = String::from(
        "defaultpartition: default\nservername: localhost\nallowplaintext: yes\nsasl_mech_list: PLAIN LOGIN\n\
         sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\naltnamespace: yes\nunixhierarchysep: yes\n\
         autocreate_quota: 0\n",
    );
    for (setting, name) in paths {
        let _ = writeln!(text, "{setting}: {}", state.join(name).display());
    }
    if options.dav {
        // It schedules only for addresses of its own domain, and hands what is for others to its notifier, if it has one.
        text.push_str("httpmodules: caldav carddav\ndefaultdomain: lab.example\nimipnotifier: imip\n");
    }
    if let Some(master) = &options.master {
        let _ = writeln!(text, "admins: {0}\nproxyservers: {0}", master.user);
    }
    text
}

fn services(dir: &Path, unpacked: &Unpacked, (imap, dav): (u16, Option<u16>)) -> String {
    let config = dir.join("imapd.conf");
    let config = config.display();
    let service = |name: &str, program: &str, port: u16| {
        let program = unpacked.service(program);
        format!("  {name} cmd=\"{program} -C {config}\" listen=\"127.0.0.1:{port}\" prefork=1\n")
    };
    let http = dav.map(|port| service("http", "httpd", port)).unwrap_or_default();
    format!(
        "START {{\n  recover cmd=\"{} -C {config} -r\"\n}}\nSERVICES {{\n{}{http}}}\nEVENTS {{\n}}\n",
        unpacked.service("ctl_cyrusdb"),
        service("imap", "imapd", imap),
    )
}

/// Passwords go in by standard input, never by argv.
fn set_password(database: &Path, login: &Login) -> Result<(), StartError> {
    let mut command = Command::new("saslpasswd2");
    command.args(["-p", "-c", "-u", "localhost", "-f"]).arg(database).arg(&login.user);
    let child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = child.map_err(|_| StartError::Missing("saslpasswd2".to_owned()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(login.password.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::Refused {
        program: "saslpasswd2".into(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
