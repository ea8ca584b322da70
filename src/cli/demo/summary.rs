//! The last words of the demo, as a mayor would be shown them: per account and per workload what was moved, what is owed
//! and why, how fast it went, and where everything now is.

use super::{
    ACCOUNTS,
    args::{self, Common},
    exit::{Exit, Failure},
    moving::Moved,
    roll::Roll,
    session::all_rows,
    setting::{GROUPWARE, MAIL},
    status::standings,
    terminal::Terminal,
};
use crate::{
    config::{Config, read_accounts},
    engine::AccountStanding,
    report::{Column, accounts, bytes, count, grouped, standings_notes, standings_troubles, table},
    store::{Opening, Project, StoreOptions},
};
use std::{collections::BTreeMap, path::Path, time::Duration};
use transhume_contract::Workload;

/// What the passes of this demo did, and in which time.
#[derive(Clone, Copy, Default)]
pub struct Work {
    pub moved: Moved,
    /// Items that the plan's sample had pulled before.
    pub sampled: u64,
    pub time: Duration,
}

pub async fn show(
    common: &Common,
    demo: &args::Demo,
    work: Work,
    verified: Exit,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let config = Config::load(&common.project)?;
    let lines = read_accounts(&common.project.join(ACCOUNTS))?;
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let roll = Roll::call(all_rows(&project).await?, &lines, common)?;
    let standings = standings(&project, &config, &roll.listed).await?;
    let all: Vec<_> = standings.iter().collect();
    let whereabouts = Whereabouts { project: &common.project, demo };
    terminal.draw(&by_account(&all, whereabouts, terminal.width()));
    terminal.draw(&by_workload(&all, whereabouts, terminal.width()));
    terminal.print(&standings_troubles(&all, None, None));
    terminal.show(&standings_notes(&all, terminal.width()));
    terminal.show(&speed(work));
    terminal.show(&whereabouts.told());
    terminal.print(proof(verified));
    Ok(())
}

/// Heads of a table: of what stands at the source, each row says what became of it: the second number is the sum of the
/// next four.
const fn columns(of: &'static str, place: &'static str) -> [Column; 8] {
    [
        Column::Words(of),
        Column::Number("at source"),
        Column::Number("moved"),
        Column::Number("owed"),
        Column::Number("quarantine"),
        Column::Number("kept"),
        Column::Number("size"),
        Column::Words(place),
    ]
}

fn row(of: &str, standings: &[&AccountStanding], place: String) -> Vec<String> {
    let sum = |figure: fn(&AccountStanding) -> u64| standings.iter().map(|standing| figure(standing)).sum::<u64>();
    vec![
        of.to_owned(),
        grouped(sum(|standing| standing.listed.items)),
        grouped(sum(|standing| standing.done.items)),
        grouped(sum(|standing| standing.owed.items)),
        grouped(sum(AccountStanding::quarantine)),
        grouped(sum(|standing| standing.kept.items)),
        bytes(sum(|standing| standing.placed.bytes)),
        place,
    ]
}

fn by_account(all: &[&AccountStanding], whereabouts: Whereabouts<'_>, width: Option<usize>) -> String {
    let mut rows: Vec<_> = all
        .chunk_by(|one, next| one.account == next.account)
        .map(|of| row(&of[0].account, of, whereabouts.login(of[0])))
        .collect();
    let number = accounts(all.iter().copied()) as u64;
    rows.push(row(&count(number, "account"), all, String::new()));
    table(&columns("account", "at the target"), rows, width)
}

fn by_workload(all: &[&AccountStanding], whereabouts: Whereabouts<'_>, width: Option<usize>) -> String {
    let mut workloads: BTreeMap<Workload, Vec<&AccountStanding>> = BTreeMap::new();
    all.iter().for_each(|standing| workloads.entry(standing.workload).or_default().push(standing));
    let rows = workloads.iter().map(|(workload, of)| row(&workload.to_string(), of, whereabouts.place(*workload)));
    table(&columns("what", "where it is now"), rows.collect(), width)
}

fn speed(work: Work) -> String {
    let Work { moved, sampled, time } = work;
    if moved.is_nothing() {
        return "Nothing moved: nothing is new at the source since the last demo.".into();
    }
    let seconds = time.as_secs_f64().max(0.001);
    let before = if sampled == 0 { String::new() } else { format!(" ({sampled} more for the plan's sample)") };
    format!(
        "{} pulled{before} and {} placed in {seconds:.1} s: {:.0} a second, {} a second.",
        count(moved.fetched, "item"),
        count(moved.placed, "item"),
        moved.placed as f64 / seconds,
        bytes((moved.placed_bytes as f64 / seconds) as u64),
    )
}

const fn proof(verified: Exit) -> &'static str {
    match verified {
        Exit::Done | Exit::Owing => {
            "Proof: everything placed was read back; every message is the same byte for byte, every event, contact and task \
             says the same. Nothing differs."
        }
        _ => "Proof: differences were found; they are told above.",
    }
}

/// Where the demo puts things.
#[derive(Clone, Copy)]
struct Whereabouts<'a> {
    project: &'a Path,
    demo: &'a args::Demo,
}

impl Whereabouts<'_> {
    fn login(self, standing: &AccountStanding) -> String {
        let login = standing.target.as_deref().unwrap_or_default();
        match (&self.demo.imap, &self.demo.dav) {
            (None, None) => login.to_owned(),
            (Some(_), _) | (_, Some(_)) => format!("login {login}"),
        }
    }

    fn place(self, workload: Workload) -> String {
        let folder = |name| self.project.join(name).display().to_string();
        match (workload, self.demo.imap, &self.demo.dav) {
            (Workload::Mail, Some(address), _) => format!("IMAP at {address}"),
            (Workload::Mail, None, _) => folder(MAIL),
            (Workload::Contacts, _, Some(url)) => format!("CardDAV at {url}"),
            (_, _, Some(url)) => format!("CalDAV at {url}"),
            (_, _, None) => folder(GROUPWARE),
        }
    }

    fn told(self) -> String {
        let folder = |name: &str| self.project.join(name).display().to_string();
        let mut told = vec![format!("What Microsoft 365 sent is kept in {}.", folder("accounts"))];
        if self.demo.imap.is_none() {
            let maildirs = folder(&format!("{MAIL}/ACCOUNT/Maildir"));
            told.push(format!("The mail lies in plain Maildirs: `mutt -R -f {maildirs}` reads one."));
        }
        if self.demo.dav.is_none() {
            let calendars = folder(&format!("{GROUPWARE}/ACCOUNT/{{calendars,contacts,tasks}}"));
            told.push(format!(
                "Events and tasks are .ics files, contacts .vcf files, a folder for each calendar: {calendars}."
            ));
        }
        told.join("\n")
    }
}
