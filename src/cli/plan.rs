//! `plan`: what would move, what it takes, and what blocks.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    session::Session,
    terminal::Terminal,
};
use crate::{
    engine::{AccountPlan, Known, MINUTES_PER_ACCOUNT, MINUTES_PER_BLOCKER, Plan, Rename},
    report::{bytes, count, duration},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};

pub async fn run(common: &Common, plan: &args::Plan, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let session = Session::begin(common, "plan", Arc::clone(&terminal)).await?;
    let plan = session.engine.plan(&session.project, &session.movers, plan.sample).await?;
    terminal.print(&told(&plan, session.engine.lanes.accounts));
    plan.accounts.iter().for_each(|account| terminal.line(&Line { r#type: "plan", account }));
    plan.unreachable.iter().for_each(|account| terminal.line(&Line { r#type: "unreachable", account }));
    terminal.line(&Summary {
        r#type: "summary",
        verb: "plan",
        accounts: plan.accounts.len(),
        items: plan.listed.items,
        bytes: plan.listed.bytes,
        to_fetch: plan.to_fetch.items,
        requests: plan.requests,
        seconds: plan.seconds,
        human_hours: plan.human_hours,
        blockers: plan.accounts.iter().map(|account| account.blockers.len()).sum(),
    });
    session.end(Exit::Done).await
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
    items: u64,
    bytes: u64,
    to_fetch: u64,
    requests: u64,
    seconds: u64,
    human_hours: f64,
    blockers: usize,
}

fn told(plan: &Plan, lanes: usize) -> String {
    let mut text = format!(
        "{:<40} {:>10} {:>10} {:>10} {:>10} {:>14}\n",
        "account", "items", "size", "to pull", "requests", "at least"
    );
    plan.accounts.iter().for_each(|account| text += &line(account));
    text += &sums(plan);
    for account in &plan.accounts {
        let name = &account.standing.account;
        let blockers = account.blockers.iter().map(|blocker| format!("BLOCKER {name}: {blocker}\n"));
        let notes = account.notes.iter().map(|note| format!("note    {name}: {note}\n"));
        text.extend(blockers.chain(notes));
        text += &renames(account);
    }
    text += &kept(plan);
    text += &losses(plan);
    for what in &plan.unreachable {
        let items = what.size.items.map_or_else(|| "an unknown number of items".into(), |items| count(items, "item"));
        let _infallible = writeln!(text, "OUT OF REACH {} ({items}): {}", what.kind.replace('_', " "), what.rescue);
    }
    let _infallible = write!(
        text,
        "Items are counted, sizes as the source states them; requests and time are estimated from both, losses from a sample.\n\
         {} requests to the source: at least {} under its limits, {lanes} accounts side by side.\n\
         About {:.0} h of work for people (rule of thumb: {MINUTES_PER_ACCOUNT:.0} min an account, {MINUTES_PER_BLOCKER:.0} min a blocker).",
        plan.requests,
        duration(plan.time()),
        plan.human_hours.ceil(),
    );
    text
}

fn line(account: &AccountPlan) -> String {
    let listed = account.standing.listed;
    let size = match account.sizes {
        Known::Unknown => "unknown".into(),
        Known::Counted | Known::Reported | Known::Sampled => bytes(listed.bytes),
    };
    format!(
        "{:<40} {:>10} {size:>10} {:>10} {:>10} {:>14}\n",
        account.standing.account,
        listed.items,
        account.to_fetch.items,
        account.requests,
        duration(Duration::from_secs(account.seconds)),
    )
}

fn sums(plan: &Plan) -> String {
    let size = if plan.accounts.iter().all(|account| account.sizes == Known::Unknown) {
        "unknown".into()
    } else {
        bytes(plan.listed.bytes)
    };
    format!(
        "{:<40} {:>10} {size:>10} {:>10} {:>10} {:>14}\n",
        count(plan.accounts.len() as u64, "account"),
        plan.listed.items,
        plan.to_fetch.items,
        plan.requests,
        duration(plan.time()),
    )
}

/// Folders told per account; `--json` tells all.
const RENAMES: usize = 20;

fn renames(account: &AccountPlan) -> String {
    let name = &account.standing.account;
    let line = |rename: &Rename| {
        let verb = if rename.sure { "will stand as" } else { "may be refused, or shared with another, as" };
        format!("renamed {name}: {} {verb} {}\n", rename.folder, rename.becomes)
    };
    let mut text: String = account.renames.iter().take(RENAMES).map(line).collect();
    if account.renames.len() > RENAMES {
        let _infallible =
            writeln!(text, "renamed {name}: and {} more; --json tells all", account.renames.len() - RENAMES);
    }
    text
}

fn kept(plan: &Plan) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, items) in plan.accounts.iter().flat_map(|account| &account.kept) {
        *sums.entry(reason).or_default() += items;
    }
    let line = |(reason, items): (&str, u64)| {
        format!("kept in the store, not pushed by policy: {reason}, {}\n", count(items, "item"))
    };
    sums.into_iter().map(line).collect()
}

fn losses(plan: &Plan) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for loss in plan.accounts.iter().flat_map(|account| &account.losses) {
        *sums.entry(&loss.name).or_default() += loss.items;
    }
    let sampled: u64 = plan.accounts.iter().map(|account| account.sampled).sum();
    if sampled == 0 {
        return "losses: unknown; `transhume plan --sample 20` fetches some messages to tell\n".into();
    }
    sums.retain(|_, items| *items > 0);
    if sums.is_empty() {
        return format!("losses: none in {} sampled\n", count(sampled, "message"));
    }
    let line =
        |(name, items): (&str, u64)| format!("loss (sampled): {name}, {} of {sampled} sampled\n", count(items, "item"));
    sums.into_iter().map(line).collect()
}
