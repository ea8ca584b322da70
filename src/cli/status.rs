//! `status`: where every account stands.

use super::{
    args::Common,
    exit::{Exit, Failure},
    session::select_rows,
    terminal::Terminal,
};
use crate::{
    config::Config,
    engine::{AccountStanding, account_standing},
    report::{bytes, count, fault_lines},
    store::{AccountRow, Opening, Project, StoreOptions},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::fmt::Write;
use transhume_contract::{Reach, Workload};

/// Stores read at the same time.
const AT_ONCE: usize = 8;

pub async fn run(common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = Config::load(&common.project)?;
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let rows = select_rows(&project, common).await?;
    let standings = standings(&project, &config, &rows).await?;
    terminal.print(&table(&standings));
    standings.iter().for_each(|standing| terminal.line(&Line { r#type: "standing", standing }));
    let owed: u64 = standings.iter().map(|standing| standing.owed.items).sum();
    let quarantined: u64 = standings.iter().map(AccountStanding::quarantine).sum();
    terminal.line(&Summary { r#type: "summary", verb: "status", accounts: standings.len(), owed, quarantined });
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    standing: &'a AccountStanding,
}

#[derive(Serialize)]
struct Summary {
    r#type: &'static str,
    verb: &'static str,
    accounts: usize,
    owed: u64,
    quarantined: u64,
}

/// Where these accounts stand, in their order. Accounts that were never worked on have no store yet.
pub async fn standings(
    project: &Project,
    config: &Config,
    rows: &[AccountRow],
) -> Result<Vec<AccountStanding>, Failure> {
    let policy = config.policy;
    let read = stream::iter(rows.to_vec()).map(|row| async move {
        if !project.has_store(&row).await {
            return Ok(None);
        }
        let standing = async {
            let store = project.open_account(&row.account.id).await?;
            account_standing(project, &store, &row, Workload::Mail, &policy).await
        };
        match standing.await {
            // One account whose store is damaged hides nobody else's standing.
            Err(fault) if fault.reach <= Reach::Account => {
                Ok(Some(AccountStanding::unread(&row, Workload::Mail, fault)))
            }
            standing => standing.map(Some),
        }
    });
    let read: Vec<_> = read.buffered(AT_ONCE).try_collect().await?;
    Ok(read.into_iter().flatten().collect())
}

/// A line per account, the sums, and why some stopped.
pub fn table(standings: &[AccountStanding]) -> String {
    let heads = ["account", "listed", "pulled", "placed", "owed", "quarantine", "kept", "size"];
    let mut text = line(&heads.map(str::to_owned));
    for standing in standings {
        text += &line(&columns(standing));
    }
    text += &line(&sums(standings));
    for standing in standings {
        for (side, fault) in &standing.stops {
            let _infallible = writeln!(
                text,
                "{} stopped at the {}: {}",
                standing.account,
                side.name(),
                fault_lines(fault).join("\n    ")
            );
        }
        for cause in &standing.quarantined {
            let _infallible =
                writeln!(text, "{}: {} in quarantine: {}", standing.account, count(cause.items, "item"), cause.cause);
        }
    }
    text
}

fn line(columns: &[String; 8]) -> String {
    let [account, rest @ ..] = columns;
    let rest: Vec<_> = rest.iter().map(|column| format!("{column:>10}")).collect();
    format!("{account:<40} {}\n", rest.join(" "))
}

fn columns(standing: &AccountStanding) -> [String; 8] {
    let target = standing.target.as_ref().map(|target| format!(" > {target}")).unwrap_or_default();
    [
        format!("{}{target}", standing.account),
        standing.listed.items.to_string(),
        standing.fetched.items.to_string(),
        standing.placed.items.to_string(),
        standing.owed.items.to_string(),
        standing.quarantine().to_string(),
        standing.kept.items.to_string(),
        bytes(standing.fetched.bytes),
    ]
}

fn sums(standings: &[AccountStanding]) -> [String; 8] {
    let sum = |of: fn(&AccountStanding) -> u64| standings.iter().map(of).sum::<u64>();
    [
        count(standings.len() as u64, "account"),
        sum(|standing| standing.listed.items).to_string(),
        sum(|standing| standing.fetched.items).to_string(),
        sum(|standing| standing.placed.items).to_string(),
        sum(|standing| standing.owed.items).to_string(),
        sum(AccountStanding::quarantine).to_string(),
        sum(|standing| standing.kept.items).to_string(),
        bytes(sum(|standing| standing.fetched.bytes)),
    ]
}
