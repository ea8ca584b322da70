//! Where accounts stand, as a table, and under it what people have to know of them.

use super::{
    causes::{Stopped, named, subject, told_once},
    losses::losses_listed,
    refused::refused_folders,
    table::{Column, table},
    words::{bytes, count, grouped, moment},
};
use crate::{
    engine::AccountStanding,
    store::{LastPass, Side},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    ops::AddAssign,
};
use transhume_contract::{Fault, Timestamp, Workload};

/// One account of the table.
pub struct Standing<'a> {
    pub standing: &'a AccountStanding,
    /// The latest pass over it, where the table tells of passes.
    pub last: Option<&'a LastPass>,
}

/// What the table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// With the wave and the latest pass of every account.
    pub passes: bool,
    /// With the workload: where more than mail is told of, the table sees to it itself.
    pub workloads: bool,
    pub width: Option<usize>,
}

/// Below this width the table leaves out what can be seen elsewhere.
const WIDE: usize = 112;

impl Manner {
    fn is_narrow(self) -> bool {
        self.passes && self.width.is_some_and(|width| width < WIDE)
    }

    fn columns(self) -> Vec<Column> {
        let mut columns = vec![Column::Words("account")];
        columns.extend(self.workloads.then_some(Column::Words("what")));
        columns.extend(self.passes.then_some(Column::Words("wave")));
        columns.push(Column::Number("listed"));
        columns.extend((!self.is_narrow()).then_some(Column::Number("pulled")));
        columns.extend(["placed", "owed", "quarantine", "kept"].map(Column::Number));
        columns.extend((!self.is_narrow()).then_some(Column::Number("size")));
        columns.extend(self.passes.then_some(Column::Words("last pass")));
        columns
    }
}

/// How many accounts these are, whatever moves of each.
pub fn accounts<'a>(standings: impl IntoIterator<Item = &'a AccountStanding>) -> usize {
    standings.into_iter().map(|standing| &standing.account).collect::<BTreeSet<_>>().len()
}

/// A line per account and workload, and the sums of all of them.
pub fn standings_table(shown: &[Standing<'_>], all: &[&AccountStanding], manner: Manner) -> String {
    let manner = Manner { workloads: all.iter().any(|standing| standing.workload != Workload::Mail), ..manner };
    let mut rows: Vec<_> = shown.iter().map(|standing| row(standing, manner)).collect();
    let sums = all.iter().map(|standing| Figures::of(standing)).fold(Figures::default(), |mut sums, figures| {
        sums += figures;
        sums
    });
    let accounts = count(accounts(all.iter().copied()) as u64, "account");
    rows.push(line([accounts, String::new(), String::new(), String::new()], &sums, manner));
    table(&manner.columns(), rows, manner.width)
}

#[derive(Clone, Copy, Default)]
struct Figures {
    listed: u64,
    pulled: u64,
    placed: u64,
    owed: u64,
    quarantine: u64,
    kept: u64,
    size: u64,
}

impl Figures {
    fn of(standing: &AccountStanding) -> Self {
        Self {
            listed: standing.listed.items,
            pulled: standing.fetched.items,
            placed: standing.done.items,
            owed: standing.owed.items,
            quarantine: standing.quarantine(),
            kept: standing.kept.items,
            size: standing.fetched.bytes,
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.pulled += other.pulled;
        self.placed += other.placed;
        self.owed += other.owed;
        self.quarantine += other.quarantine;
        self.kept += other.kept;
        self.size += other.size;
    }
}

fn row(of: &Standing<'_>, manner: Manner) -> Vec<String> {
    let wave = of.standing.wave.clone().unwrap_or_default();
    let last = of.last.map_or_else(|| "never".to_owned(), |last| pass(last, of.standing, manner));
    let words = [address(of.standing), of.standing.workload.to_string(), wave, last];
    line(words, &Figures::of(of.standing), manner)
}

/// Source and target, or one of them where they are the same.
fn address(standing: &AccountStanding) -> String {
    match &standing.target {
        Some(target) if !target.eq_ignore_ascii_case(&standing.account) => format!("{} > {target}", standing.account),
        Some(_) | None => standing.account.clone(),
    }
}

fn pass(last: &LastPass, standing: &AccountStanding, manner: Manner) -> String {
    let outcome = match (last.outcome.as_str(), standing.is_owing(), standing.quarantine()) {
        ("ended", false, 0) if !standing.refused.is_empty() => "refused",
        ("ended", false, 0) if standing.is_unlisted() => "unlisted",
        ("ended", false, 0) => "done",
        ("ended", false, _) => "quarantined",
        ("ended", ..) => "owed",
        (other, ..) => other,
    };
    match (moment(last.at), manner.is_narrow()) {
        (at, false) => format!("{at} {}, {outcome}", last.verb),
        // A narrow terminal has room for the day, and everything else stands in the columns before it.
        (at, true) => {
            let day = at.split_once(' ').map_or(at.as_str(), |(day, _)| day);
            format!("{} {outcome}", day.split_once('-').map_or(day, |(_, day)| day))
        }
    }
}

/// The cells of a row, as many as there are columns.
fn line([account, workload, wave, last]: [String; 4], figures: &Figures, manner: Manner) -> Vec<String> {
    let cell = |column: Column| match column.head() {
        "account" => account.clone(),
        "what" => workload.clone(),
        "wave" => wave.clone(),
        "listed" => grouped(figures.listed),
        "pulled" => grouped(figures.pulled),
        "placed" => grouped(figures.placed),
        "owed" => grouped(figures.owed),
        "quarantine" => grouped(figures.quarantine),
        "kept" => grouped(figures.kept),
        "size" => bytes(figures.size),
        _ => last.clone(),
    };
    manner.columns().into_iter().map(cell).collect()
}

/// Why some stopped and what is in quarantine, each cause once. A refusal that ends the whole run is left to its end;
/// what stopped an account before `since` is told with its time.
pub fn standings_troubles(all: &[&AccountStanding], ending: Option<&Fault>, since: Option<Timestamp>) -> String {
    let mut stopped = Vec::new();
    for standing in all {
        let told =
            standing.stops.iter().filter(|(_, fault, _)| ending.is_none_or(|end| end.sentence != fault.sentence));
        stopped.extend(told.map(|(side, fault, at)| Stopped {
            account: &standing.account,
            target: standing.target.as_deref(),
            side: *side,
            fault,
            earlier: Some(*at).filter(|at| since.is_none_or(|since| *at < since)),
        }));
    }
    told_once(&stopped) + &refused_folders(all) + &quarantines(all) + &conflicts(all)
}

/// What is no trouble and good to know: what stays where it is, and what could not be carried.
pub fn standings_notes(all: &[&AccountStanding], width: Option<usize>) -> String {
    unlisted(all) + &kept(all) + &left_there(all) + &named_losses(all, width)
}

/// What nobody knows the size of: an interruption came first, or no pass has looked there yet. Where a folder waits for a
/// person, running again is not the step, and the one that is stands beside the folder.
fn unlisted(all: &[&AccountStanding]) -> String {
    let mut met: BTreeMap<Workload, Vec<&str>> = BTreeMap::new();
    for standing in all.iter().filter(|standing| standing.is_unlisted() && !waits_for_a_person(standing)) {
        met.entry(standing.workload).or_default().push(&standing.account);
    }
    let line = |(workload, accounts): (Workload, Vec<&str>)| {
        let (who, names) = subject(&accounts);
        let names = names.map_or_else(String::new, |names| format!("    {names}\n"));
        format!(
            "{}s of {who} not listed to the end: more may stand there than is counted here; `transhume run` goes on \
             with them\n{names}",
            workload.collection()
        )
    };
    met.into_iter().map(line).collect()
}

fn waits_for_a_person(standing: &AccountStanding) -> bool {
    standing.refused.iter().any(|folder| folder.side == Side::Source && folder.fault.next_step().is_some())
}

/// What could not be carried, by the names that `mappings/LOSSES.md` explains.
pub fn named_losses(all: &[&AccountStanding], width: Option<usize>) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for loss in all.iter().flat_map(|standing| &standing.losses) {
        *sums.entry(&loss.name).or_default() += loss.items;
    }
    match losses_listed(sums, width) {
        none if none.is_empty() => none,
        listed => format!(
            "named losses, and how often each was met:\n{listed}    `transhume explain --loss NAME` lists the items of one, \
             `transhume explain ITEM` says what an item lost; its original is kept.\n"
        ),
    }
}

fn quarantines(all: &[&AccountStanding]) -> String {
    let mut causes: BTreeMap<(Side, &str), (u64, BTreeSet<&str>)> = BTreeMap::new();
    for standing in all {
        for cause in &standing.quarantined {
            let (items, accounts) = causes.entry((cause.side, &cause.cause)).or_default();
            *items += cause.items;
            accounts.insert(&standing.account);
        }
    }
    let mut text = String::new();
    for ((side, cause), (items, accounts)) in causes {
        let accounts: Vec<_> = accounts.into_iter().collect();
        let (items, cause) = (count(items, "item"), cause.replace('_', " "));
        let _infallible =
            writeln!(text, "{items} in quarantine: {cause}, seen at the {}\n    {}", side.name(), named(&accounts));
    }
    if !text.is_empty() {
        text += "    `transhume status --items` names each of them, `transhume explain NUMBER --account A` tells all;\n    \
                 once its cause is mended, `transhume run --retry-quarantined` tries again.\n";
    }
    text
}

fn conflicts(all: &[&AccountStanding]) -> String {
    let met: Vec<_> = all.iter().filter(|standing| standing.conflicts > 0).collect();
    let items = met.iter().map(|standing| standing.conflicts).sum::<u64>();
    if items == 0 {
        return String::new();
    }
    let accounts: Vec<_> = met.iter().map(|standing| standing.account.as_str()).collect();
    format!(
        "{} owed: conflict, seen at the target: people changed there what a newer one is to replace, or may have; it stays\n    {}\n    \
         `transhume status --items` names each of them, and what to do\n",
        count(items, "change"),
        named(&accounts)
    )
}

fn kept(all: &[&AccountStanding]) -> String {
    match all.iter().map(|standing| standing.kept.items).sum::<u64>() {
        0 => String::new(),
        items => format!("kept: {} held in the store and not pushed, as [policy] says\n", count(items, "item")),
    }
}

/// The table's sums hold what the source holds; this stands beside them.
fn left_there(all: &[&AccountStanding]) -> String {
    match all.iter().map(|standing| standing.left_there()).sum::<u64>() {
        0 => String::new(),
        1 => {
            "beside these, 1 item placed earlier stands at the target: the source deleted it since, or filed it where \
              [policy] does not push\n"
                .into()
        }
        items => format!(
            "beside these, {} items placed earlier stand at the target: the source deleted them since, or filed them \
             where [policy] does not push\n",
            grouped(items)
        ),
    }
}
