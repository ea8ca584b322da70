//! `transhume-servers dovecot --accounts a,b --master migrator -- COMMAND ARGS`: starts a server, runs the command with
//! the server's address in its environment, stops the server and ends with the command's exit code.
//!
//! | variable | what |
//! |---|---|
//! | `TRANSHUME_DEMO_IMAP_HOST`, `_PORT` | plain IMAP, with STARTTLS under `--tls` |
//! | `TRANSHUME_DEMO_IMAPS_PORT`, `TRANSHUME_DEMO_IMAP_CA` | IMAP over TLS and the authority to trust, under `--tls` |
//! | `TRANSHUME_DEMO_IMAP_DIR` | where the mail is: one folder per account |
//! | `TRANSHUME_DEMO_IMAP_PASSWORD` | of every account |
//! | `TRANSHUME_DEMO_DAV_URL`, `_PASSWORD` | with `radicale`: its root, and the password of every account |
//! | `TRANSHUME_DEMO_DAV_DIR` | where it keeps calendars and address books |
//! | `TRANSHUME_DEMO_IMAP_MASTER`, `_MASTER_PASSWORD` | logs in as anybody |
//!
//! Passwords are made up once per directory and kept in its `password` file: they are in no argument list.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use transhume_servers::{
    Cyrus, CyrusOptions, DavKind, DavOptions, DavServer, Dovecot, DovecotOptions, Login, StartError, Store, Tls,
};

#[derive(Parser)]
#[command(about = "Starts a real mail server for the time of one command")]
struct Arguments {
    #[command(subcommand)]
    server: Server,
}

#[derive(Subcommand)]
enum Server {
    /// Debian's Dovecot.
    Dovecot {
        #[arg(long, value_enum, default_value_t = Kept::Maildir)]
        store: Kept,
        /// Offers IMAPS and STARTTLS with a throw-away certificate.
        #[arg(long)]
        tls: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Cyrus, as scripts/install-test-servers unpacked it.
    Cyrus {
        #[command(flatten)]
        common: Common,
    },
    /// Radicale, for calendars and contacts. It has no administrator.
    Radicale {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// Where mail, ports and passwords are kept between runs; a temporary directory without it.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Mailbox owners.
    #[arg(long, value_delimiter = ',', required = true)]
    accounts: Vec<String>,
    /// A user who may log in as anybody.
    #[arg(long, value_name = "NAME")]
    master: Option<String>,
    /// What to run while the server is up.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kept {
    Maildir,
    MaildirFs,
    Sdbox,
    Mdbox,
}

impl From<Kept> for Store {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Maildir => Store::Maildir,
            Kept::MaildirFs => Store::MaildirFs,
            Kept::Sdbox => Store::Sdbox,
            Kept::Mdbox => Store::Mdbox,
        }
    }
}

#[allow(clippy::print_stderr, reason = "a program of its own, outside the product's command line")]
fn main() -> ExitCode {
    match serve(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("transhume-servers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<ExitCode, StartError> {
    match arguments.server {
        Server::Dovecot { store, tls, common } => {
            let password = common.password()?;
            let (accounts, master) = common.logins(&password);
            let tls = if tls { Tls::On } else { Tls::Off };
            let options = DovecotOptions { dir: common.dir.clone(), store: store.into(), tls, ..Default::default() };
            let server = Dovecot::start(DovecotOptions { accounts, master: master.clone(), ..options })?;
            common.run(server.environment(), &password, master.as_ref())
        }
        Server::Cyrus { common } => {
            let password = common.password()?;
            let (accounts, master) = common.logins(&password);
            let server = Cyrus::start(CyrusOptions {
                dir: common.dir.clone(),
                accounts,
                master: master.clone(),
                ..Default::default()
            })?;
            common.run(server.environment(), &password, master.as_ref())
        }
        Server::Radicale { common } => {
            let password = common.password()?;
            let (accounts, _) = common.logins(&password);
            let options = DavOptions { kind: DavKind::Radicale, dir: common.dir.clone(), accounts, largest: None };
            let server = DavServer::start(options)?;
            common.run_with(BTreeMap::from([
                (URL, server.url()),
                (DAV_PASSWORD, password),
                (DAV_DIR, server.dir().display().to_string()),
            ]))
        }
    }
}

const URL: &str = "TRANSHUME_DEMO_DAV_URL";
const DAV_PASSWORD: &str = "TRANSHUME_DEMO_DAV_PASSWORD";
const DAV_DIR: &str = "TRANSHUME_DEMO_DAV_DIR";

impl Common {
    fn logins(&self, password: &str) -> (Vec<Login>, Option<Login>) {
        let login = |user: &String| Login::new(user, password);
        (self.accounts.iter().map(login).collect(), self.master.as_ref().map(login))
    }

    /// The one of the directory, made up at first; without a directory another one at every call.
    fn password(&self) -> Result<String, StartError> {
        let Some(dir) = &self.dir else {
            return random_word();
        };
        fs::create_dir_all(dir)?;
        let file = dir.join("password");
        match fs::read_to_string(&file) {
            Ok(known) => Ok(known),
            Err(_) => {
                let made_up = random_word()?;
                keep_private(&file, &made_up)?;
                Ok(made_up)
            }
        }
    }

    fn run(
        &self,
        mut known: BTreeMap<&'static str, String>,
        password: &str,
        master: Option<&Login>,
    ) -> Result<ExitCode, StartError> {
        known.insert("TRANSHUME_DEMO_IMAP_PASSWORD", password.to_owned());
        if let Some(master) = master {
            known.insert("TRANSHUME_DEMO_IMAP_MASTER", master.user.clone());
            known.insert("TRANSHUME_DEMO_IMAP_MASTER_PASSWORD", master.password.clone());
        }
        self.run_with(known)
    }

    /// Runs the command to its end. Ctrl-C is for the command, which ends in its own time; the server waits for it.
    fn run_with(&self, known: BTreeMap<&'static str, String>) -> Result<ExitCode, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (program, arguments) = self.command.split_first().ok_or_else(|| StartError::Missing("a command".into()))?;
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).envs(known);
        let status = runtime.block_on(async {
            let mut child = command.spawn()?;
            loop {
                tokio::select! {
                    status = child.wait() => return status,
                    _ = tokio::signal::ctrl_c() => {}
                }
            }
        })?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }
}

fn random_word() -> Result<String, StartError> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn keep_private(file: &Path, text: &str) -> Result<(), StartError> {
    let mut kept = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    Ok(kept.write_all(text.as_bytes())?)
}
