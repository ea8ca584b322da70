//! `plan`: what would move, what it takes, and what blocks.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    session::Session,
    terminal::Terminal,
};
use crate::{
    engine::{AccountPlan, Known, MINUTES_PER_ACCOUNT, MINUTES_PER_BLOCKER, Plan, Rename},
    report::{Column, bytes, count, duration, grouped, said_once, subject, table},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};

pub async fn run(common: &Common, plan: &args::Plan, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let session = Session::begin(common, "plan", Arc::clone(&terminal)).await?;
    let plan = session.engine.plan(&session.project, &session.movers, plan.sample).await?;
    terminal.print(&told(&plan, session.engine.lanes.accounts, terminal.width()));
    plan.accounts.iter().for_each(|account| terminal.tell("plan", account));
    plan.unreachable.iter().for_each(|what| terminal.tell("unreachable", what));
    terminal.summary("plan", &Summary::of(&plan));
    session.end(Exit::Done).await
}

#[derive(Serialize)]
struct Summary {
    accounts: usize,
    items: u64,
    bytes: u64,
    to_fetch: u64,
    requests: u64,
    seconds: u64,
    human_hours: f64,
    blockers: usize,
}

impl Summary {
    fn of(plan: &Plan) -> Self {
        Self {
            accounts: plan.accounts.len(),
            items: plan.listed.items,
            bytes: plan.listed.bytes,
            to_fetch: plan.to_fetch.items,
            requests: plan.requests,
            seconds: plan.seconds,
            human_hours: plan.human_hours,
            blockers: plan.accounts.iter().map(|account| account.blockers.len()).sum(),
        }
    }
}

const COLUMNS: [Column; 6] = [
    Column::Words("account"),
    Column::Number("items"),
    Column::Number("size"),
    Column::Number("to pull"),
    Column::Number("requests"),
    Column::Number("at least"),
];

fn told(plan: &Plan, lanes: usize, width: Option<usize>) -> String {
    let mut rows: Vec<_> = plan.accounts.iter().map(row).collect();
    rows.push(sums(plan));
    let mut text = table(&COLUMNS, rows, width);
    text += &matters(plan);
    text.extend(plan.accounts.iter().map(renames));
    text += &kept(plan);
    text += &losses(plan);
    for what in &plan.unreachable {
        let items = what.size.items.map_or_else(|| "an unknown number of items".into(), |items| count(items, "item"));
        let _infallible = writeln!(text, "OUT OF REACH {} ({items}): {}", what.kind.replace('_', " "), what.rescue);
    }
    let _infallible = write!(
        text,
        "Items are counted, sizes as the source states them; requests and time are estimated from both, losses from a sample.\n\
         {} to the source: at least {} under its limits, {lanes} accounts side by side.\n\
         About {:.0} h of work for people (rule of thumb: {MINUTES_PER_ACCOUNT:.0} min an account, {MINUTES_PER_BLOCKER:.0} min a blocker).",
        count(plan.requests, "request"),
        duration(plan.time()),
        plan.human_hours.ceil(),
    );
    text
}

/// What blocks, then what is worth knowing; the same words about several accounts once.
fn matters(plan: &Plan) -> String {
    let all = |word: &'static str, of: fn(&AccountPlan) -> &Vec<String>| {
        let each = plan.accounts.iter().flat_map(move |account| of(account).iter().map(move |said| (account, said)));
        each.map(move |(account, said)| (account.standing.account.as_str(), (word, said.as_str())))
    };
    let each = all("BLOCKER", |account| &account.blockers).chain(all("note", |account| &account.notes));
    let line = |(accounts, (word, said)): (Vec<&str>, (&str, &str))| {
        let (who, names) = subject(&accounts);
        let names = names.map_or_else(String::new, |names| format!("{:<8}{names}\n", ""));
        format!("{word:<7} {who}: {said}\n{names}")
    };
    said_once(each).into_iter().map(line).collect()
}

fn row(account: &AccountPlan) -> Vec<String> {
    let listed = account.standing.listed;
    let size = match account.sizes {
        Known::Unknown => "unknown".into(),
        Known::Counted | Known::Reported | Known::Sampled => bytes(listed.bytes),
    };
    vec![
        account.standing.account.clone(),
        grouped(listed.items),
        size,
        grouped(account.to_fetch.items),
        grouped(account.requests),
        duration(Duration::from_secs(account.seconds)),
    ]
}

fn sums(plan: &Plan) -> Vec<String> {
    let unknown = plan.accounts.iter().all(|account| account.sizes == Known::Unknown);
    vec![
        count(plan.accounts.len() as u64, "account"),
        grouped(plan.listed.items),
        if unknown { "unknown".into() } else { bytes(plan.listed.bytes) },
        grouped(plan.to_fetch.items),
        grouped(plan.requests),
        duration(plan.time()),
    ]
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
