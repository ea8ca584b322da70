//! `survey`: the tenant's accounts with items and bytes.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    init::ACCOUNTS,
    session::{all_rows, open, stop_on_signals},
    terminal::Terminal,
};
use crate::{
    config::{AccountLine, Config, TargetsConfig, add_accounts},
    engine::discover,
    registry,
    report::{Column, bytes, count, grouped, named, table},
    store::AccountRow,
};
use serde::Serialize;
use std::{fmt::Write, sync::Arc};
use transhume_contract::{AccountKind, Presence, Unreachable};

pub async fn run(common: &Common, survey: &args::Survey, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    // Only the source is asked: the logins at the target may not be known yet.
    let config = Config { target: TargetsConfig::default(), ..Config::load(&common.project)? };
    let stop = stop_on_signals();
    let project = open(common, "survey").await?;
    let engine = registry::engine(&config, common.dry_run, Arc::clone(&terminal) as _, stop).await?;
    engine.recognise(&project).await?;
    discover(&*engine.source, &project, &*engine.observer, &engine.stop).await?;
    let rows = all_rows(&project).await?;
    let unreachable = project.unreachable().await?;
    terminal.draw(&told(&rows, terminal.width()));
    terminal.print(&out_of_reach(&unreachable));
    rows.iter().for_each(|row| terminal.tell("account", row));
    unreachable.iter().for_each(|what| terminal.tell("unreachable", what));
    let added = if survey.write_accounts { add(common, &rows, &terminal)? } else { 0 };
    let moving = rows.iter().filter(|row| !row.gone && movable(row)).count() as u64;
    terminal.print(&format!(
        "{} listed, {} with something to move.",
        count(rows.len() as u64, "account"),
        grouped(moving)
    ));
    terminal.summary("survey", &Summary { accounts: rows.len(), added });
    project.end_run("done").await?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Summary {
    accounts: usize,
    /// Written to accounts.csv, or, in a rehearsal, to be written.
    added: usize,
}

/// Adds those who have something to move to accounts.csv.
fn add(common: &Common, rows: &[AccountRow], terminal: &Terminal) -> Result<usize, Failure> {
    let path = common.project.join(ACCOUNTS);
    let movable = rows.iter().filter(|row| !row.gone && movable(row));
    let line = |row: &AccountRow| AccountLine {
        source: row.account.address.clone(),
        target: row.account.address.clone(),
        wave: "1".into(),
        line: 0,
    };
    let added = add_accounts(&path, movable.map(line).collect(), !common.dry_run)?;
    let (who, path) = (count(added.len() as u64, "account"), path.display());
    let names: Vec<_> = added.iter().map(|line| line.source.as_str()).collect();
    terminal.say(&match (added.is_empty(), common.dry_run) {
        (true, _) => format!("{path} stays as it is: everybody who has something to move stands in it"),
        (false, true) => format!("{who} would be added to {path}, which stays as it is: {}", named(&names)),
        (false, false) => format!(
            "added {who} to {path}: {}\nEdit the column target to the logins at the new server, and the column wave; put a # \
             before those who stay.",
            named(&names)
        ),
    });
    Ok(added.len())
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

fn told(rows: &[AccountRow], width: Option<usize>) -> String {
    let columns = [
        Column::Words("account"),
        Column::Words("kind"),
        Column::Number("items"),
        Column::Number("size"),
        Column::Words("state"),
    ];
    table(&columns, rows.iter().filter_map(row).collect(), width)
}

fn out_of_reach(unreachable: &[Unreachable]) -> String {
    let mut text = String::new();
    for what in unreachable {
        let items = what.size.items.map_or_else(|| "an unknown number of items".into(), |items| count(items, "item"));
        let _infallible =
            writeln!(text, "cannot be reached: {} ({items}). {}", what.kind.replace('_', " "), what.rescue);
    }
    text
}

fn row(row: &AccountRow) -> Option<Vec<String>> {
    let (_, presence, size) = row.account.workloads.first()?;
    let items = size.items.map_or_else(|| "unknown".into(), |items| count(items, "item"));
    let volume = size.bytes.map_or_else(|| "unknown".into(), bytes);
    let state = match presence {
        Presence::Present if row.gone => "no longer listed by the tenant",
        Presence::Present => "ready",
        Presence::Absent(why) | Presence::Denied(why) => why,
    };
    Some(vec![row.account.address.clone(), kind(row.account.kind).into(), items, volume, state.to_owned()])
}
