//! `plan`: what would move, what it takes, and what blocks.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    session::Session,
    strangers::Stranger,
    terminal::Terminal,
};
use crate::{
    engine::{AccountPlan, Known, MINUTES_PER_ACCOUNT, MINUTES_PER_BLOCKER, Plan, Rename},
    report::{Column, bytes, count, duration, grouped, named, said_once, subject, table, together},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
    time::Duration,
};
use transhume_contract::Workload;

pub async fn run(common: &Common, plan: &args::Plan, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let mut session = Session::begin(common, "plan", Arc::clone(&terminal)).await?;
    let strangers = session.take_strangers();
    terminal.print(&strangers.iter().map(Stranger::blocker).collect::<String>());
    let mut plan = session.engine.plan(&session.project, &session.movers, plan.sample).await?;
    let (unknown, blockers) = (strangers.len(), plan.blockers() + strangers.len());
    // The engine was given nobody whom the tenant does not know, and so counted no work for them.
    plan.human_hours += unknown as f64 * MINUTES_PER_BLOCKER / 60.0;
    tell(&plan, session.engine.lanes.accounts, blockers, &terminal);
    plan.accounts.iter().for_each(|account| terminal.tell("plan", account));
    plan.unreachable.iter().for_each(|what| terminal.tell("unreachable", what));
    terminal.summary("plan", &Summary::of(&plan, unknown, blockers));
    session.end(if blockers > 0 { Exit::Owing } else { Exit::Done }).await
}

#[derive(Serialize)]
struct Summary {
    accounts: usize,
    items: u64,
    bytes: u64,
    to_fetch: u64,
    requests: u64,
    requests_again: u64,
    seconds: u64,
    human_hours: f64,
    /// Addresses of accounts.csv that the tenant does not know: nothing of them is in these figures but what blocks.
    unknown: usize,
    blockers: usize,
}

impl Summary {
    fn of(plan: &Plan, unknown: usize, blockers: usize) -> Self {
        Self {
            accounts: accounts(plan),
            items: plan.listed.items,
            bytes: plan.listed.bytes,
            to_fetch: plan.to_fetch.items,
            requests: plan.requests,
            requests_again: plan.requests_again,
            seconds: plan.seconds,
            human_hours: plan.human_hours,
            unknown,
            blockers,
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

/// What blocks comes first: nothing below it holds before it is mended.
fn tell(plan: &Plan, lanes: usize, blockers: usize, terminal: &Terminal) {
    terminal.print(&matters("BLOCKER", plan, |account| &account.blockers));
    let mut rows: Vec<_> = plan.accounts.iter().map(row).collect();
    rows.push(sums(plan));
    terminal.draw(&table(&COLUMNS, rows, terminal.width()));
    terminal.show(&matters("note", plan, |account| &account.notes));
    terminal.show(&(renames(plan) + &kept(plan) + &losses(plan)));
    terminal.print(&out_of_reach(plan));
    terminal.show(&ground(plan));
    terminal.print(&verdict(plan, lanes, blockers));
}

fn out_of_reach(plan: &Plan) -> String {
    let mut text = String::new();
    for what in &plan.unreachable {
        let items = what.size.items.map_or_else(|| "an unknown number of items".into(), |items| count(items, "item"));
        let _infallible = writeln!(text, "OUT OF REACH {} ({items}): {}", what.kind.replace('_', " "), what.rescue);
    }
    text
}

fn ground(plan: &Plan) -> String {
    let again = count(plan.requests_again, "request");
    let (on_top, asked) = match only(plan) {
        Some(Workload::Mail) => ("", "every folder is asked"),
        _ => (
            "; attachments of events and tasks come on top",
            "every folder, calendar, address book and list is asked, and every series read anew",
        ),
    };
    format!(
        "Items are counted, sizes as the source states them; requests and time are estimated from both, losses from a sample{on_top}.\n\
         Each further pass takes at least {again}, even where nothing changed: {asked}.\n\
         About {:.0} h of work for people (rule of thumb: {MINUTES_PER_ACCOUNT:.0} min an account, {MINUTES_PER_BLOCKER:.0} min a blocker).",
        plan.human_hours.ceil(),
    )
}

fn verdict(plan: &Plan, lanes: usize, blockers: usize) -> String {
    let blockers = match blockers {
        0 => "nothing blocks".to_owned(),
        some => format!("{} to mend first", count(some as u64, "blocker")),
    };
    let (requests, time) = (count(plan.requests, "request"), duration(plan.time()));
    format!("{requests} to the source: at least {time} under its limits, {lanes} accounts side by side; {blockers}.")
}

/// The same words about several accounts once.
fn matters(word: &str, plan: &Plan, of: fn(&AccountPlan) -> &Vec<String>) -> String {
    let of_one = |account| of(account).iter().map(String::as_str);
    let each =
        plan.accounts.iter().flat_map(|account| of_one(account).map(|said| (account.standing.account.as_str(), said)));
    // One of an account is said once, whichever of its workloads it meets.
    let mut met = BTreeSet::new();
    let each = each.filter(|one| met.insert(*one));
    let by_step = said_once(each).into_iter().map(|(accounts, said)| {
        let (sentence, step) = said.split_once(". ").unwrap_or((said, ""));
        ((accounts, step), sentence)
    });
    together(by_step).iter().map(|((accounts, step), said)| matter(word, accounts, said, step)).collect()
}

/// What is said of the same accounts; the step that mends all of it once, below the last where there are several.
fn matter(word: &str, accounts: &[&str], said: &[&str], step: &str) -> String {
    let (who, names) = subject(accounts);
    let end = if step.is_empty() { "" } else { "." };
    let told = said.iter().map(|sentence| format!("{word:<7} {who}: {sentence}{end}")).collect::<Vec<_>>().join("\n");
    let step = match (step, said) {
        ("", _) => "\n".to_owned(),
        (step, [_]) => format!(" {step}\n"),
        (step, _) => format!("\n{:<8}{step}\n", ""),
    };
    told + &step + &names.map_or_else(String::new, |names| format!("{:<8}{names}\n", ""))
}

fn row(account: &AccountPlan) -> Vec<String> {
    let listed = account.standing.listed;
    let size = match account.sizes {
        Known::Unknown => "unknown".into(),
        Known::Counted | Known::Reported | Known::Sampled => bytes(listed.bytes),
    };
    vec![
        subject_of(account),
        grouped(listed.items),
        size,
        grouped(account.to_fetch.items),
        grouped(account.requests),
        duration(Duration::from_secs(account.seconds)),
    ]
}

/// The account, with what moves of it where that is more than its mail.
fn subject_of(account: &AccountPlan) -> String {
    match account.standing.workload {
        Workload::Mail => account.standing.account.clone(),
        workload => format!("{}, {workload}", account.standing.account),
    }
}

fn accounts(plan: &Plan) -> usize {
    crate::report::accounts(plan.accounts.iter().map(|account| &account.standing))
}

fn sums(plan: &Plan) -> Vec<String> {
    let unknown = plan.accounts.iter().all(|account| account.sizes == Known::Unknown);
    vec![
        count(accounts(plan) as u64, "account"),
        grouped(plan.listed.items),
        if unknown { "unknown".into() } else { bytes(plan.listed.bytes) },
        grouped(plan.to_fetch.items),
        grouped(plan.requests),
        duration(plan.time()),
    ]
}

/// Folders told beside the server's own; `--json` tells all.
const RENAMES: usize = 10;

/// What the server itself names, once for all accounts and languages; then those that many accounts have in common.
fn renames(plan: &Plan) -> String {
    let all = accounts(plan);
    let (own, others): (Vec<_>, Vec<_>) = each_rename(plan).partition(|(_, rename)| rename.servers_own && rename.sure);
    let mut groups = said_once(others);
    groups.sort_by_key(|(accounts, _)| std::cmp::Reverse(accounts.len()));
    let told = groups.iter().take(RENAMES).map(|(accounts, rename)| renamed(&whom(accounts, all), rename));
    servers_own(&own, all)
        + &told.collect::<String>()
        + &summed_up(groups.get(RENAMES..).unwrap_or_default(), only(plan))
}

fn each_rename(plan: &Plan) -> impl Iterator<Item = (&str, &Rename)> {
    plan.accounts
        .iter()
        .flat_map(|account| account.renames.iter().map(|rename| (account.standing.account.as_str(), rename)))
}

/// `Sent Items`, `Gesendete Elemente` and `Éléments envoyés` are one line.
fn servers_own(renames: &[(&str, &Rename)], all: usize) -> String {
    let mut places: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for (account, rename) in renames {
        let (accounts, folders) = places.entry(&rename.becomes).or_default();
        accounts.insert(account);
        folders.insert(&rename.folder);
    }
    let line = |(becomes, (accounts, folders)): (&str, (BTreeSet<&str>, BTreeSet<&str>))| {
        let (accounts, folders): (Vec<_>, Vec<_>) = (accounts.into_iter().collect(), folders.into_iter().collect());
        format!("renamed {}: {} will stand as {becomes}\n", whom(&accounts, all), folders.join(", "))
    };
    places.into_iter().map(line).collect()
}

fn whom(accounts: &[&str], all: usize) -> String {
    match accounts {
        [one] => (*one).to_owned(),
        some if some.len() == all => "everywhere".to_owned(),
        some => format!("in {}", count(some.len() as u64, "account")),
    }
}

fn renamed(whom: &str, rename: &Rename) -> String {
    let verb = if rename.sure { "will stand as" } else { "may be refused, or shared with another, as" };
    format!("renamed {whom}: {} {verb} {}\n", rename.folder, rename.becomes)
}

fn summed_up(rest: &[(Vec<&str>, &Rename)], only: Option<Workload>) -> String {
    let folders: usize = rest.iter().map(|(accounts, _)| accounts.len()).sum();
    if folders == 0 {
        return String::new();
    }
    let accounts: BTreeSet<&str> = rest.iter().flat_map(|(accounts, _)| accounts.iter().copied()).collect();
    let more = format!("more {}", only.unwrap_or(Workload::Mail).collection());
    let (folders, names) = (count(folders as u64, &more), accounts.into_iter().collect::<Vec<_>>());
    format!("renamed: {folders} of {}; `transhume plan --json` names every one\n", named(&names))
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

/// What people call what moves, where all of it is of one workload.
fn thing(plan: &Plan) -> &'static str {
    only(plan).map_or("item", Workload::item)
}

fn only(plan: &Plan) -> Option<Workload> {
    let all: BTreeSet<_> = plan.accounts.iter().map(|account| account.standing.workload).collect();
    all.first().copied().filter(|_| all.len() == 1)
}

fn losses(plan: &Plan) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for loss in plan.accounts.iter().flat_map(|account| &account.losses) {
        *sums.entry(&loss.name).or_default() += loss.items;
    }
    let sampled: u64 = plan.accounts.iter().map(|account| account.sampled).sum();
    if sampled == 0 {
        return format!("losses: unknown; `transhume plan --sample 20` fetches some {}s to tell\n", thing(plan));
    }
    sums.retain(|_, items| *items > 0);
    if sums.is_empty() {
        return format!("losses: none in {} sampled\n", count(sampled, thing(plan)));
    }
    let line =
        |(name, items): (&str, u64)| format!("loss (sampled): {name}, {} of {sampled} sampled\n", count(items, "item"));
    let which = "`transhume explain --loss NAME` lists the items that lose one by being rendered, and after the run all of them\n";
    sums.into_iter().map(line).collect::<String>() + which
}

#[cfg(test)]
mod tests {
    use super::matter;

    #[test]
    fn a_step_that_mends_several_is_said_once() {
        let one = matter("BLOCKER", &["ada"], &["it holds mail"], "Empty it. Or not.");
        assert_eq!(one, "BLOCKER ada: it holds mail. Empty it. Or not.\n");
        assert_eq!(matter("note", &["ada"], &["it holds mail"], ""), "note    ada: it holds mail\n");
        let all = matter("BLOCKER", &["ada", "bob"], &["it holds events", "it holds tasks"], "Empty it.");
        let (first, second) = ("BLOCKER 2 accounts: it holds events.\n", "BLOCKER 2 accounts: it holds tasks.\n");
        assert_eq!(all, format!("{first}{second}        Empty it.\n        ada, bob\n"));
    }
}
