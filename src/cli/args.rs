//! The command line.

use crate::config::{SourceKind, TargetKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};
use transhume_contract::{Depth, Look, Share, Workload};

/// Moves whole organisations out of Microsoft 365, and proves that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "transhume", version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done, nothing owed · 1 could not go on, check found what blocks, or verify could not compare an account · \
    2 usage or configuration, or explain knows nothing of that name · 3 done, but items are owed or quarantined, a folder is refused or \
    not listed to its end, an account stopped or is unknown to the tenant, or a plan has blockers · 4 verify found differences, or \
    status tells that they still stand · 5 the project is locked by another run · 130 interrupted, consistent"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub manner: Manner,
}

/// What every verb understands.
#[derive(Clone, Debug, Args)]
pub struct Manner {
    /// The project directory.
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    pub project: PathBuf,
    /// One JSON event a line on stdout; the last line is a summary.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what is wrong, and the last line; no tables, no notes. What `explain` and `simulate` are asked for stays.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice for every request.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No progress bars, even on a terminal.
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// Which accounts a verb is about.
#[derive(Clone, Debug, Default, Args)]
pub struct Choice {
    /// Only the accounts of this wave.
    #[arg(long, value_name = "W")]
    pub wave: Option<String>,
    /// Only these accounts, by source address or target login; may be repeated.
    #[arg(id = "account", long = "account", value_name = "A")]
    pub accounts: Vec<String>,
    /// Only these workloads, separated by commas: mail, calendar, contacts, tasks.
    #[arg(long, value_delimiter = ',', value_parser = workload, value_name = "WORKLOADS")]
    pub only: Vec<Workload>,
}

/// What verbs share, of whatever verb it was said.
#[derive(Clone, Debug)]
pub struct Common {
    pub project: PathBuf,
    pub wave: Option<String>,
    pub accounts: Vec<String>,
    pub only: Vec<Workload>,
    pub dry_run: bool,
    pub json: bool,
    pub quiet: bool,
    pub verbose: u8,
    pub no_progress: bool,
}

/// Flags of [`Manner`] that mean nothing to a verb, and are not shown there.
const IDLE: [(&str, &[&str]); 5] = [
    ("init", &["json", "no_progress"]),
    ("survey", &["no_progress"]),
    ("status", &["no_progress"]),
    ("explain", &["no_progress"]),
    ("simulate", &["project", "json", "no_progress"]),
];

impl Arguments {
    /// Reads the command line of this process.
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let flags: Vec<_> = command.get_arguments().cloned().collect();
        for (verb, idle) in IDLE {
            let hidden = flags.iter().filter(|flag| idle.contains(&flag.get_id().as_str()));
            let hidden: Vec<_> = hidden.map(|flag| flag.clone().global(false).hide(true)).collect();
            command = command.mut_subcommand(verb, |verb| verb.args(hidden));
        }
        Self::from_arg_matches(&command.try_get_matches()?)
    }

    pub fn common(&self) -> Common {
        let Choice { wave, accounts, only } = self.verb.choice().cloned().unwrap_or_default();
        let Manner { project, json, quiet, verbose, no_progress } = self.manner.clone();
        Common { project, wave, accounts, only, dry_run: self.verb.rehearses(), json, quiet, verbose, no_progress }
    }
}

impl Verb {
    const fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Check(check) => Some(&check.choice),
            Self::Pull(pull) => Some(&pull.choice),
            Self::Plan(plan) => Some(&plan.choice),
            Self::Push(push) => Some(&push.choice),
            Self::Run(run) => Some(&run.choice),
            Self::Verify(verify) => Some(&verify.choice),
            Self::Status(status) => Some(&status.choice),
            Self::Explain(explain) => Some(&explain.choice),
            Self::Init(_) | Self::Survey(_) | Self::Demo(_) | Self::Simulate(_) => None,
        }
    }

    const fn rehearses(&self) -> bool {
        match self {
            Self::Survey(survey) => survey.dry_run,
            Self::Push(push) => push.dry_run,
            Self::Run(run) => run.dry_run,
            _ => false,
        }
    }
}

fn workload(name: &str) -> Result<Workload, String> {
    match Workload::from_name(name) {
        Some(Workload::Files) => Err("files cannot be moved by this version".to_owned()),
        Some(workload) => Ok(workload),
        None => Err(format!("there is no workload `{name}`; there are mail, calendar, contacts, tasks")),
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented transhume.toml and accounts.csv.
    Init(Init),
    /// Connect to every side, per account, and say what to fix.
    Check(Check),
    /// List the tenant's accounts with items and bytes.
    Survey(Survey),
    /// Dry run: what would move, volume, requests, hours, blockers, losses.
    Plan(Plan),
    /// Source to store.
    Pull(Pull),
    /// Store to targets.
    Push(Push),
    /// Pull and push, overlapped.
    Run(Run),
    /// Read the targets back and compare.
    Verify(Verify),
    /// Where every account stands.
    Status(Status),
    /// Everything known of one item, or which items lost something.
    Explain(Explain),
    /// The whole job on a simulated tenant.
    Demo(Demo),
    /// Only the simulated services, on a loopback port, to test against.
    Simulate(Simulate),
}

#[derive(Debug, Args)]
pub struct Check {
    /// Prove that the calendar server mails nobody when meetings are moved: a trial meeting goes from one of the accounts to
    /// another, is changed and removed. Once for each server and version; of a server that tells no version, within 24 hours
    /// before each run.
    #[arg(long)]
    pub canary: bool,
    /// An e-mail address on another server that the trial meeting invites, too: look into its mailbox after the trial.
    #[arg(long, value_name = "ADDRESS", requires = "canary")]
    pub trap: Option<String>,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Debug, Args)]
pub struct Init {
    #[arg(long, value_enum, default_value_t = SourceKind::Graph)]
    pub source: SourceKind,
    #[arg(long, value_enum, default_value_t = TargetKind::Imap)]
    pub target: TargetKind,
}

#[derive(Debug, Args)]
pub struct Survey {
    /// Add everybody with a mailbox that can be read to accounts.csv. What stands there stays, comments too; whoever stands
    /// in a comment is not added again.
    #[arg(long)]
    pub write_accounts: bool,
    /// Say who would be added, and write no file.
    #[arg(long, requires = "write_accounts")]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// Fetch this many of the newest items of every account and workload, to learn real sizes and what rendering and placing
    /// them will lose. Only what the server decides at that moment (`keyword_refused`) shows later.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sample: usize,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Again {
    /// Take everything out of quarantine first, and try it again: after its cause was mended.
    #[arg(long)]
    pub retry_quarantined: bool,
}

#[derive(Debug, Args)]
pub struct Push {
    /// Place again what verify found missing at the target, from the store also where the source no longer holds it.
    /// Without it, what people deleted there stays deleted.
    #[arg(long)]
    pub repair: bool,
    /// Render anew what an earlier edition, other tables or another accounts.csv rendered, and replace at the target what
    /// comes out otherwise.
    #[arg(long)]
    pub rerender: bool,
    #[command(flatten)]
    pub again: Again,
    /// Play everything that writes to the target; leave no trace there.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Debug, Args)]
pub struct Pull {
    #[command(flatten)]
    pub again: Again,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub again: Again,
    /// Play everything that writes to the target; leave no trace there. What is pulled is kept in the store.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Name every item that is owed after a refusal or in quarantine, with its folder, date, size, subject and reason.
    #[arg(long)]
    pub items: bool,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DepthArgument {
    /// That everything is there.
    Presence,
    /// Of mail, flags, dates and sizes too; of events, contacts and tasks, that nobody changed them since.
    Shape,
    /// Read back: of mail every byte, of events, contacts and tasks all they say.
    Content,
}

impl From<DepthArgument> for Depth {
    fn from(depth: DepthArgument) -> Self {
        match depth {
            DepthArgument::Presence => Self::Presence,
            DepthArgument::Shape => Self::Shape,
            DepthArgument::Content => Self::Content,
        }
    }
}

#[derive(Debug, Args)]
pub struct Verify {
    #[arg(long, value_enum, default_value_t = DepthArgument::Shape)]
    pub depth: DepthArgument,
    /// Reads this share back byte for byte, and of the others flags, dates and sizes: the same items each time, and a
    /// larger share takes in every smaller one.
    #[arg(long, value_name = "PERCENT", value_parser = share, conflicts_with = "depth")]
    pub sample: Option<Share>,
    #[command(flatten)]
    pub choice: Choice,
}

impl Verify {
    pub fn look(&self) -> Look {
        self.sample.map_or(Look::Whole(self.depth.into()), Look::Sample)
    }
}

/// `5%` or `5`.
fn share(text: &str) -> Result<Share, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    percent.and_then(Share::percent).ok_or_else(|| "a share is a number above 0 and up to 100, as in 5%".into())
}

#[derive(Debug, Args)]
pub struct Explain {
    #[arg(help = MEANT, required_unless_present = "loss")]
    pub item: Option<String>,
    /// Which items lost something of this name: 100 of them, of each account the newest first, and how many there are. An
    /// item counts once, however often it lost that; `plan`, `status` and `verify` count each time.
    #[arg(long, value_name = "NAME", conflicts_with = "item")]
    pub loss: Option<String>,
    #[command(flatten)]
    pub choice: Choice,
}

/// How an item is named: the one rule, for `--help` and for refusals.
pub const MEANT: &str = "The number that a run or verify printed, a Message-ID, the source's id (whole, or its beginning \
    or end from 4 characters on), or words of the subject";

#[derive(Debug, Args)]
pub struct Demo {
    /// An IMAP server to move mail into, HOST:PORT on loopback, instead of a folder. `make demo` starts one.
    #[arg(long, value_name = "HOST:PORT")]
    pub imap: Option<SocketAddr>,
    /// The IMAP server's master user; its password is read from TRANSHUME_IMAP_PASSWORD.
    #[arg(long, value_name = "LOGIN", requires = "imap")]
    pub master: Option<String>,
    /// A CalDAV and CardDAV server to move calendars, contacts and tasks into, on loopback, instead of a folder. The
    /// password of its accounts (account1, account2, ...) is read from TRANSHUME_DAV_PASSWORD. `make demo` starts one.
    #[arg(long, value_name = "URL")]
    pub dav: Option<String>,
    /// Accounts in the simulated tenant.
    #[arg(long, default_value_t = 6)]
    pub accounts: u32,
    /// Messages per account.
    #[arg(long, default_value_t = 120)]
    pub messages: u32,
    /// Events per account; a series counts once.
    #[arg(long, default_value_t = 30)]
    pub events: u32,
    /// Contacts per account.
    #[arg(long, default_value_t = 25)]
    pub contacts: u32,
    /// Tasks per account.
    #[arg(long, default_value_t = 15)]
    pub tasks: u32,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    Microsoft365,
}

/// What `POST /_sim/mutate` takes: for `--help`.
const MUTATE: &str = "While it runs, POST /_sim/mutate changes the tenant. It takes one operation or a list of them, each \
    {\"op\": ..., \"user\": ADDRESS} with its own members ([] may be left out):\n  \
    edit           message, set (members of its resource)\n  \
    reply          message, verb (102 replied, 103 to all, 104 forwarded)\n  \
    rewrite        message, mime (base64), for a draft\n  \
    move           message, to\n  \
    delete         message, [hard]\n  \
    new_message    folder, mime (base64), [set]\n  \
    create_folder  name, [parent], [hidden]\n  \
    rename_folder  folder, name\n  \
    move_folder    folder, to\n  \
    delete_folder  folder\n  \
    churn          seed, count (small changes; without user, in every mailbox)\n  \
    create_calendar        name, [group], [set]; edit_calendar: calendar, set; delete_calendar: calendar\n  \
    create_event           set, [calendar]; edit_event: event, set; move_event: event, to; delete_event: event\n  \
    edit_occurrence        event, date, set: makes the day of a series an exception\n  \
    cancel_occurrence      event, date\n  \
    answer                 event, attendee, response, [date]\n  \
    create_contact_folder  name, [parent]; edit_contact_folder: folder, set; delete_contact_folder: folder\n  \
    create_contact         set, [folder], [photo] (base64); edit_contact: contact, set; move_contact: contact, to;\n                         \
    delete_contact: contact; set_photo: contact, [photo]\n  \
    create_task_list       name; edit_task_list: list, set; delete_task_list: list\n  \
    create_task            set, [list]; edit_task: task, set; complete_task: task; move_task: task, to; delete_task: task\n  \
    churn_events, churn_contacts, churn_tasks  user, seed, count\n  \
    new_file               name, content (base64) or size and [body_seed], [folder], [set]; write_file: item, content or size\n  \
    new_drive_folder       name, [folder]\n  \
    edit_item              item, set; rename_item: item, name; move_item: item, to; delete_item: item\n  \
    share_item             item, permission (as Graph answers it); unshare_item: item, [permission] (its id)\n  \
    churn_files            seed, count\n\
    Files take user, group, site or drive to say whose they are; items and folders are named by id or by path (/Documents/a.txt).\n\
    Messages are named by id or internetMessageId; folders by id, well-known name or path. GET /_sim/tenant shows the present \
    truth, POST /_sim/faults makes it difficult, GET /_sim/stats counts requests.";

#[derive(Debug, Args)]
#[command(after_help = MUTATE)]
pub struct Simulate {
    /// Where to listen, on loopback; port 0 takes a free one, printed on stdout.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    #[arg(long, value_enum, default_value_t = Provider::Microsoft365)]
    pub provider: Provider,
    /// Serve this tenant dump.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["accounts", "messages", "events", "contacts", "tasks", "files", "seed"])]
    pub tenant: Option<PathBuf>,
    /// Or make a tenant: the same seed gives the same tenant, byte for byte.
    #[arg(long, default_value_t = 5)]
    pub accounts: u32,
    #[arg(long, default_value_t = 200)]
    pub messages: u32,
    /// Events per account; a series counts once.
    #[arg(long, default_value_t = 0)]
    pub events: u32,
    #[arg(long, default_value_t = 0)]
    pub contacts: u32,
    #[arg(long, default_value_t = 0)]
    pub tasks: u32,
    /// Files per account; groups, sites and channels get some too.
    #[arg(long, default_value_t = 0)]
    pub files: u32,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Give the first accounts every hostile shape of what they hold.
    #[arg(long)]
    pub hostile: bool,
    /// Write the tenant as a dump, and serve nothing.
    #[arg(long, value_name = "DIR")]
    pub dump: Option<PathBuf>,
    /// `self`: serve https with a throw-away CA, printed on stdout.
    #[arg(long, value_name = "self")]
    pub tls: Option<Tls>,
    #[arg(long, default_value = "app")]
    pub client_id: String,
    /// A file with the client secret to accept; without it, `secret`.
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// A certificate (PEM) whose signed assertions are accepted.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    #[value(name = "self")]
    SelfSigned,
}
