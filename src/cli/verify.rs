//! `verify`: the targets read back and compared.

mod folders;

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    session::Session,
    status::standings,
    terminal::Terminal,
};
use crate::{
    engine::{Compared, Kind, is_fine},
    report::{Of, count, fault_lines},
    store::Verdict,
};
use serde::Serialize;
use std::{fmt::Write, sync::Arc};
use transhume_contract::{Depth, Workload};

/// Differences printed per account; `--json` tells all.
const SHOWN: usize = 20;

pub async fn run(common: &Common, verify: &args::Verify, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let session = Session::begin(common, "verify", Arc::clone(&terminal)).await?;
    let depth = Depth::from(verify.depth);
    let compared = session.engine.verify(&session.project, &session.movers, depth).await?;
    let mut standing = 0;
    for (mover, account) in session.movers.iter().zip(&compared) {
        if let Some(fault) = &account.fault {
            let lines = fault_lines(fault).join("\n    ");
            terminal.print(&format!("{}: could not be compared: {lines}", account.address));
        }
        let store = match session.project.open_account(&mover.row.account.id).await {
            Ok(store) => store,
            Err(_) if account.fault.is_some() => continue,
            Err(fault) => return Err(fault.into()),
        };
        for workload in session.engine.workloads() {
            standing += tell_differences(&store, workload, account, &terminal).await?;
        }
        folders::tell(account, &terminal);
    }
    let rows: Vec<_> = session.movers.iter().map(|mover| mover.row.clone()).collect();
    let owed =
        standings(&session.project, &session.config, &rows).await?.iter().map(|account| account.owed.items).sum();
    let summary = Summary::of(depth, &compared, standing, owed);
    terminal.print(&summary.sentence());
    terminal.summary("verify", &summary);
    let exit = summary.exit();
    session.end(exit).await
}

/// Tells every difference that stands, found now or before and not mended since. Answers how many there are.
async fn tell_differences(
    store: &crate::store::AccountStore,
    workload: Workload,
    account: &Compared,
    terminal: &Terminal,
) -> Result<u64, Failure> {
    let (mut after, mut told) = (0, 0);
    loop {
        let page = store.differences(workload, after, 500).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for verdict in &page {
            if is_fine(&verdict.kind) {
                let r#type = if verdict.kind == Kind::Extra.name() { "extra" } else { "changed_there" };
                terminal.tell(r#type, &Of { account: &account.address, what: verdict });
                continue;
            }
            terminal.tell("difference", &Of { account: &account.address, what: verdict });
            if told < SHOWN {
                terminal.print(&sentence(&account.address, verdict));
            }
            told += 1;
        }
    }
    if told > SHOWN {
        terminal.print(&format!("{}: and {} more; --json tells all", account.address, told - SHOWN));
    }
    Ok(told as u64)
}

fn sentence(account: &str, verdict: &Verdict) -> String {
    if verdict.kind == Kind::Duplicate.name() {
        let said = |field: &str| verdict.detail[field].as_str().unwrap_or("?").to_owned();
        let (item, at, id) = (&verdict.detail["copy_of"], said("at"), said("message_id"));
        return format!("{account}: a second copy of item {item} stands in {at} (message id {id})");
    }
    let item = verdict.item.map_or_else(|| "something".into(), |item| format!("item {}", item.number()));
    let mut text = format!("{account}: {item} is {}", verdict.kind);
    if let Some(detail) = verdict.detail.as_object().filter(|detail| !detail.is_empty()) {
        let fields: Vec<_> =
            detail.iter().map(|(field, value)| format!("{} {value}", field.replace('_', " "))).collect();
        let _infallible = write!(text, " ({})", fields.join(", "));
    }
    text
}

#[derive(Serialize)]
struct Summary {
    depth: Depth,
    accounts: usize,
    compared: u64,
    differences: u64,
    /// Listed at the source and not placed yet, so not compared.
    owed: u64,
    others: u64,
    /// Second copies of ours, which are differences too.
    duplicates: u64,
    /// Placed by another edition of the conversions, or with other tables.
    outdated: u64,
    /// What the source holds: the sum of the four that follow it.
    source: u64,
    done: u64,
    quarantined: u64,
    excluded: u64,
    not_compared: usize,
}

impl Summary {
    fn of(depth: Depth, compared: &[Compared], differences: u64, owed: u64) -> Self {
        Self {
            depth,
            accounts: compared.len(),
            compared: compared.iter().map(|account| account.compared).sum(),
            differences,
            owed,
            others: compared.iter().map(|account| account.others).sum(),
            duplicates: compared.iter().map(folders::duplicates).sum(),
            outdated: compared.iter().map(|account| account.outdated).sum(),
            source: folders::sum(compared, |folder| folder.source),
            done: folders::sum(compared, |folder| folder.done),
            quarantined: folders::sum(compared, |folder| folder.quarantined),
            excluded: folders::sum(compared, |folder| folder.excluded),
            not_compared: compared.iter().filter(|account| account.fault.is_some()).count(),
        }
    }

    fn exit(&self) -> Exit {
        match (self.differences, self.not_compared, self.owed) {
            (0, 0, 0) => Exit::Done,
            (0, 0, _) => Exit::Owing,
            (0, ..) => Exit::Stuck,
            _ => Exit::Differing,
        }
    }

    fn sentence(&self) -> String {
        let depth = match self.depth {
            Depth::Presence => "that they are there",
            Depth::Shape => "with flags, dates and sizes",
            Depth::Content => "byte for byte",
        };
        let mut text = format!(
            "verify: {} compared {depth}; {}",
            count(self.compared, "item"),
            count(self.differences, "difference")
        );
        if self.owed > 0 {
            let _infallible = write!(text, "; {} still owed, not there to compare", count(self.owed, "item"));
        }
        if self.outdated > 0 {
            let _infallible = write!(
                text,
                "; {} rendered by an earlier edition (`transhume push --rerender` renders anew and replaces what changed)",
                count(self.outdated, "item")
            );
        }
        if self.others > 0 {
            let _infallible = write!(text, "; {} at the target not placed by transhume", count(self.others, "item"));
        }
        if self.not_compared > 0 {
            let _infallible = write!(text, "; {} not compared to the end", count(self.not_compared as u64, "account"));
        }
        text + "."
    }
}
