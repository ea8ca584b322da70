//! `status`: where every account stands.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    init::ACCOUNTS,
    roll::Roll,
    session::{all_rows, configuration},
    terminal::Terminal,
};
use crate::{
    config::{AccountLine, Config, read_accounts},
    engine::{AccountStanding, account_standing},
    report::{
        Standing, TableManner, accounts, count, grouped, named, not_listed, refused_at_target, standings_notes,
        standings_table, standings_troubles,
    },
    store::{AccountRow, LastPass, Opening, Project, StoreOptions},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::collections::HashMap;
use transhume_contract::{AccountId, Reach, Workload};

/// Stores read at the same time.
const AT_ONCE: usize = 8;

pub async fn run(common: &Common, status: &args::Status, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = configuration(common)?;
    let lines = read_accounts(&common.project.join(ACCOUNTS))?;
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let roll = Roll::call(all_rows(&project).await?, &lines, common)?;
    let passes = project.last_passes().await?;
    let listed = standing_rows(&project, &config, &roll.listed, &passes).await?;
    let departed = standing_rows(&project, &config, &roll.departed, &passes).await?;
    told(&listed, terminal);
    let waiting = waiting(&roll, &listed);
    if !waiting.is_empty() {
        let accounts: Vec<_> = waiting.iter().map(|(account, _)| *account).collect();
        terminal.show(&format!("{} not worked on yet: {}", count(accounts.len() as u64, "account"), named(&accounts)));
    }
    if !departed.is_empty() {
        terminal.show(&format!("\nno longer in {ACCOUNTS} (what was pulled and placed of them is kept):"));
        told(&departed, terminal);
    }
    if status.items {
        let rows = roll.listed.iter().chain(&roll.departed);
        let workloads: Vec<_> = config.target.each().map(|(workload, _)| workload).collect();
        super::items::tell(&project, rows, &workloads, terminal).await?;
    }
    let figures = Summary::of(&listed, &departed, &waiting);
    terminal.print(&figures.sentence());
    tell(&listed, &departed, &waiting, terminal);
    terminal.summary("status", &figures);
    Ok(figures.exit())
}

/// An account with its standing and its latest pass.
struct Row {
    standing: AccountStanding,
    last: Option<LastPass>,
}

async fn standing_rows(
    project: &Project,
    config: &Config,
    rows: &[AccountRow],
    passes: &HashMap<AccountId, LastPass>,
) -> Result<Vec<Row>, Failure> {
    let workloads: Vec<_> = config.target.each().map(|(workload, _)| workload).collect();
    let each = rows.iter().flat_map(|row| workloads.iter().map(move |workload| (row.clone(), *workload)));
    let read = stream::iter(each.collect::<Vec<_>>()).map(|(row, workload)| async move {
        let standing = one(project, config, &row, workload).await?;
        Ok::<_, Failure>(standing.map(|standing| Row { standing, last: passes.get(&row.account.id).cloned() }))
    });
    let read: Vec<_> = read.buffered(AT_ONCE).try_collect().await?;
    Ok(read.into_iter().flatten().collect())
}

/// Where these accounts stand, in their order. Accounts that were never worked on have no store yet.
pub async fn standings(
    project: &Project,
    config: &Config,
    rows: &[AccountRow],
) -> Result<Vec<AccountStanding>, Failure> {
    let rows = standing_rows(project, config, rows, &HashMap::new()).await?;
    Ok(rows.into_iter().map(|row| row.standing).collect())
}

async fn one(
    project: &Project,
    config: &Config,
    row: &AccountRow,
    workload: Workload,
) -> Result<Option<AccountStanding>, Failure> {
    if !project.has_store(row).await {
        return Ok(None);
    }
    let standing = async {
        let store = project.open_account(&row.account.id).await?;
        account_standing(project, &store, row, workload, &config.policy).await
    };
    Ok(Some(match standing.await {
        // One account whose store is damaged hides nobody else's standing.
        Err(fault) if fault.reach <= Reach::Account => AccountStanding::unread(row, workload, fault),
        standing => standing?,
    }))
}

fn told(rows: &[Row], terminal: &Terminal) {
    let shown: Vec<_> = rows.iter().map(|row| Standing { standing: &row.standing, last: row.last.as_ref() }).collect();
    let all: Vec<_> = rows.iter().map(|row| &row.standing).collect();
    let manner = TableManner { passes: true, workloads: false, width: terminal.width() };
    terminal.draw(&standings_table(&shown, &all, manner));
    terminal.print(&standings_troubles(&all, None, None));
    terminal.show(&standings_notes(&all, terminal.width()));
}

/// Who stands in accounts.csv and was never worked on: address and wave.
fn waiting<'a>(roll: &'a Roll, listed: &[Row]) -> Vec<(&'a str, &'a str)> {
    let begun = |row: &AccountRow| listed.iter().any(|listed| listed.standing.account == row.account.address);
    let unbegun = roll.listed.iter().filter(|row| !begun(row));
    let known = unbegun.map(|row| (row.account.address.as_str(), row.wave.as_deref().unwrap_or_default()));
    let unknown = roll.unknown.iter().map(|AccountLine { source, wave, .. }| (source.as_str(), wave.as_str()));
    known.chain(unknown).collect()
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    standing: &'a AccountStanding,
    last_pass: Option<&'a LastPass>,
    in_accounts_csv: bool,
}

#[derive(Serialize)]
struct Waiting<'a> {
    account: &'a str,
    wave: &'a str,
}

#[derive(Serialize)]
struct Summary {
    accounts: usize,
    owed: u64,
    changes_owed: u64,
    quarantined: u64,
    /// Found by the last `verify`, and not mended since.
    differences: u64,
    stopped: usize,
    /// Accounts some of whose folders were not listed to the end: nobody knows what they hold.
    unlisted: usize,
    /// Folders that the target does not take, empty ones included.
    refused_folders: usize,
    /// In accounts.csv, and not worked on yet.
    waiting: usize,
    departed: usize,
    /// How the accounts not listed to the end and the folders refused are told.
    #[serde(skip)]
    words: [String; 2],
}

impl Summary {
    fn of(listed: &[Row], departed: &[Row], waiting: &[(&str, &str)]) -> Self {
        let standings = || listed.iter().map(|row| &row.standing);
        Self {
            accounts: accounts(standings()),
            owed: standings().map(|standing| standing.owed.items).sum(),
            changes_owed: standings().map(|standing| standing.changes).sum(),
            quarantined: standings().map(AccountStanding::quarantine).sum(),
            differences: standings().map(AccountStanding::differences).sum(),
            stopped: accounts(standings().filter(|standing| !standing.stops.is_empty())),
            unlisted: accounts(standings().filter(|standing| standing.is_unlisted())),
            refused_folders: standings().map(AccountStanding::refused_at_target).sum(),
            waiting: waiting.len(),
            departed: accounts(departed.iter().map(|row| &row.standing)),
            words: [not_listed(standings()), refused_at_target(standings())],
        }
    }

    /// As the passes and the last `verify` left it: what is still to be done is not done because nobody works on it now.
    fn exit(&self) -> Exit {
        let owing = self.owed + self.changes_owed + self.quarantined > 0;
        let partial = self.unlisted + self.stopped + self.refused_folders + self.waiting > 0;
        match self.differences {
            0 if owing || partial => Exit::Owing,
            0 => Exit::Done,
            _ => Exit::Differing,
        }
    }

    fn sentence(&self) -> String {
        let [unlisted, refused] = &self.words;
        let accounts = |number: usize| count(number as u64, "account");
        let figures = [
            (true, format!("{} owed", grouped(self.owed))),
            (self.changes_owed > 0, format!("{} of what is placed owed", count(self.changes_owed, "change"))),
            (true, format!("{} in quarantine", grouped(self.quarantined))),
            (self.unlisted > 0, unlisted.clone()),
            (self.refused_folders > 0, format!("{refused} refused at the target")),
            (true, format!("{} stopped", accounts(self.stopped))),
            (self.waiting > 0, format!("{} not worked on yet", accounts(self.waiting))),
        ];
        let told: Vec<_> = figures.into_iter().filter(|(holds, _)| *holds).map(|(_, said)| said).collect();
        let differences = match self.differences {
            0 => String::new(),
            found => format!(" The last `verify` found {}.", count(found, "difference")),
        };
        format!("status: {}; {}.{differences}", accounts(self.accounts), told.join(", "))
    }
}

fn tell(listed: &[Row], departed: &[Row], waiting: &[(&str, &str)], terminal: &Terminal) {
    for (rows, in_accounts_csv) in [(listed, true), (departed, false)] {
        for Row { standing, last } in rows {
            terminal.tell("standing", &Line { standing, last_pass: last.as_ref(), in_accounts_csv });
        }
    }
    waiting.iter().for_each(|(account, wave)| terminal.tell("waiting", &Waiting { account, wave }));
}
