//! `survey`: the tenant's accounts with items and bytes.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    init::ACCOUNTS,
    session::{open, stop_on_signals},
    terminal::Terminal,
};
use crate::{
    config::{AccountLine, Config, read_accounts, write_accounts},
    engine::discover,
    registry,
    report::{bytes, count},
    store::{AccountRow, Project},
};
use serde::Serialize;
use std::{fmt::Write, sync::Arc};
use transhume_contract::{AccountKind, Presence, Unreachable};

/// Accounts read at once.
const PAGE: usize = 500;

pub async fn run(common: &Common, survey: &args::Survey, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let config = Config::load(&common.project)?;
    let stop = stop_on_signals();
    let project = open(common, "survey").await?;
    let engine = registry::engine(&config, common.dry_run, Arc::clone(&terminal) as _, stop).await?;
    engine.recognise(&project).await?;
    discover(&*engine.source, &project, &*engine.observer, &engine.stop).await?;
    let rows = all(&project).await?;
    let unreachable = project.unreachable().await?;
    terminal.print(&table(&rows, &unreachable));
    rows.iter().for_each(|row| terminal.line(&Line { r#type: "account", account: row }));
    unreachable.iter().for_each(|what| terminal.line(&Line { r#type: "unreachable", account: what }));
    terminal.line(&Summary { r#type: "summary", verb: "survey", accounts: rows.len() });
    if survey.write_accounts {
        keep(common, &rows, &terminal)?;
    }
    project.end_run("done").await?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    r#type: &'static str,
    #[serde(flatten)]
    account: &'a T,
}

#[derive(Serialize)]
struct Summary {
    r#type: &'static str,
    verb: &'static str,
    accounts: usize,
}

async fn all(project: &Project) -> Result<Vec<AccountRow>, Failure> {
    let mut rows: Vec<AccountRow> = Vec::new();
    loop {
        let page = project.accounts(None, rows.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// Writes accounts.csv from those who have something to move, unless it names somebody already.
fn keep(common: &Common, rows: &[AccountRow], terminal: &Terminal) -> Result<(), Failure> {
    let path = common.project.join(ACCOUNTS);
    if path.exists() && !read_accounts(&path)?.is_empty() {
        terminal.say(&format!("kept {}: it names accounts already", path.display()));
        return Ok(());
    }
    let movable = rows.iter().filter(|row| !row.gone && movable(row));
    let line = |row: &AccountRow| AccountLine {
        source: row.account.address.clone(),
        target: row.account.address.clone(),
        wave: "1".into(),
        line: 0,
    };
    let lines: Vec<_> = movable.map(line).collect();
    write_accounts(&path, &lines)?;
    terminal.say(&format!(
        "wrote {} with {}; edit the column target to the logins at the new server",
        path.display(),
        count(lines.len() as u64, "account")
    ));
    Ok(())
}

fn movable(row: &AccountRow) -> bool {
    row.account.workloads.iter().any(|(_, presence, _)| *presence == Presence::Present)
}

const fn kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Person => "person",
        AccountKind::Shared => "shared",
        AccountKind::Room => "room",
        AccountKind::Equipment => "equipment",
        AccountKind::Guest => "guest",
        AccountKind::Group => "group",
        AccountKind::Site => "site",
        AccountKind::SharedDrive => "shared drive",
        AccountKind::Unknown => "unknown",
    }
}

fn table(rows: &[AccountRow], unreachable: &[Unreachable]) -> String {
    let mut text = format!("{:<40} {:<10} {:>12} {:>10}  {}\n", "account", "kind", "items", "size", "mail");
    for row in rows {
        let Some((_, presence, size)) = row.account.workloads.first() else { continue };
        let items = size.items.map_or_else(|| "unknown".into(), |items| count(items, "item"));
        let volume = size.bytes.map_or_else(|| "unknown".into(), bytes);
        let state = match presence {
            Presence::Present if row.gone => "no longer listed by the tenant",
            Presence::Present => "ready",
            Presence::Absent(why) | Presence::Denied(why) => why,
        };
        let _infallible = writeln!(
            text,
            "{:<40} {:<10} {items:>12} {volume:>10}  {state}",
            row.account.address,
            kind(row.account.kind)
        );
    }
    for what in unreachable {
        let items = what.size.items.map_or_else(|| "an unknown number of items".into(), |items| count(items, "item"));
        let _infallible =
            writeln!(text, "cannot be reached: {} ({items}). {}", what.kind.replace('_', " "), what.rescue);
    }
    text
}
