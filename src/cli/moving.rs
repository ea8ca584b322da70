//! `pull`, `push` and `run`: the passes.

mod at_most;

use super::{
    args::{Again, Common},
    exit::{Exit, Failure},
    handover,
    session::Session,
    status::standings,
    terminal::Terminal,
};
use crate::{
    engine::{AccountStanding, Event, Half},
    report::{
        Standing, TableManner, accounts, bytes, count, duration, grouped, not_listed, refused_at_target,
        standings_notes, standings_table, standings_troubles,
    },
};
use at_most::AtMost;
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use transhume_contract::{Reach, Timestamp, Traffic};

/// Which verb it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Pull,
    Push { repair: bool, rerender: bool },
    Both,
}

impl What {
    const fn verb(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push { .. } => "push",
            Self::Both => "run",
        }
    }

    /// What it means that there was nothing to do.
    const fn why_nothing(self) -> &'static str {
        match self {
            Self::Pull | Self::Both => "nothing is new at the source",
            Self::Push { repair: false, .. } => "nothing waits to be placed",
            Self::Push { repair: true, .. } => {
                "nothing waits to be placed, and the last `verify` on record found nothing missing"
            }
        }
    }

    /// What fetches what was listed and is not pulled yet.
    const fn step_to_pull(self) -> &'static str {
        match self {
            Self::Pull | Self::Both => "run again",
            Self::Push { .. } => "`transhume pull` fetches them",
        }
    }

    const fn half(self) -> Half {
        match self {
            Self::Pull => Half::Pull,
            Self::Push { repair, .. } => Half::Push { repair },
            Self::Both => Half::Both,
        }
    }
}

pub async fn run(common: &Common, what: What, again: Again, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let since = Timestamp::now();
    let session = Session::begin(common, what.verb(), Arc::clone(&terminal)).await?;
    let (before, begun) = (terminal.moved(), Instant::now());
    match (again.retry_quarantined, common.dry_run) {
        (true, false) => drop(session.engine.release(&session.project, &session.movers, what.half()).await?),
        (true, true) => terminal.say("a dry run leaves in quarantine what is there"),
        (false, _) => {}
    }
    if matches!(what, What::Push { rerender: true, .. }) {
        session.engine.rerender(&session.project, &session.movers).await?;
    }
    let outcome = session.engine.pass(&session.project, &session.movers, what.half()).await;
    terminal.tell_kept();
    let rows: Vec<_> = session.movers.iter().map(|mover| mover.row.clone()).collect();
    let standings = match (&outcome, standings(&session.project, &session.config, &rows).await) {
        // A store that is broken says so wherever it is asked: what the pass met there first tells more.
        (Err(fault), Err(_)) => return Err(fault.clone().into()),
        (_, standings) => standings?,
    };
    let moved = terminal.moved().since(before);
    let placing = what != What::Pull && !common.dry_run;
    let to_fetch = if placing || outcome.is_err() { None } else { Some(to_fetch(&session).await?) };
    let at_most = if common.dry_run { AtMost::of(moved, what, &session.config.policy) } else { Vec::new() };
    let summary = Summary {
        traffic: session.engine.source.traffic(),
        unknown: session.unknown(),
        to_fetch,
        at_most,
        ..Summary::of(what, &standings, moved, begun.elapsed(), common.dry_run)
    };
    terminal.draw(&told(&standings, terminal.width()));
    let all: Vec<_> = standings.iter().collect();
    terminal.print(&standings_troubles(&all, outcome.as_ref().err(), Some(since)));
    terminal.show(&standings_notes(&all, terminal.width()));
    terminal.summary(what.verb(), &summary);
    let told = outcome.map_err(|fault| Failure::from(fault).after(&summary.sentence()));
    match told {
        Ok(()) => {
            if !common.dry_run {
                handover::write(&session, &terminal).await?;
            }
            terminal.print(&summary.sentence());
            let exit = if placing { summary.exit() } else { summary.exit_without_placing() };
            session.end(exit).await
        }
        Err(failure) => {
            let exit = failure.exit;
            session.end(exit).await?;
            Err(failure)
        }
    }
}

/// What is listed and wants its original: where nothing is placed, that is what a pass can owe.
async fn to_fetch(session: &Session) -> Result<u64, Failure> {
    let mut items = 0;
    for mover in &session.movers {
        if !session.project.has_store(&mover.row).await {
            continue;
        }
        let store = match session.project.open_account(&mover.row.account.id).await {
            Ok(store) => store,
            // The pass has told why.
            Err(fault) if fault.reach <= Reach::Account => continue,
            Err(fault) => return Err(fault.into()),
        };
        for workload in session.engine.workloads() {
            items += store.to_fetch(workload).await?.items;
        }
    }
    Ok(items)
}

/// Accounts up to which all are shown; of more, only those with something left to do.
const SHOWN: usize = 40;

fn told(standings: &[AccountStanding], width: Option<usize>) -> String {
    let all: Vec<_> = standings.iter().collect();
    let is_worth = |standing: &&AccountStanding| {
        let refused = !standing.stops.is_empty() || !standing.refused.is_empty();
        standing.is_owing() || standing.quarantine() > 0 || refused || !standing.settled
    };
    let some: Vec<_> = all.iter().copied().filter(|standing| all.len() <= SHOWN || is_worth(standing)).collect();
    let shown: Vec<_> = some.iter().map(|standing| Standing { standing, last: None }).collect();
    let mut text = standings_table(&shown, &all, TableManner { passes: false, workloads: false, width });
    if shown.len() < all.len() {
        let others = count(
            accounts(all.iter().copied()) as u64 - accounts(shown.iter().map(|row| row.standing)) as u64,
            "other account",
        );
        text += &format!("with {others} in place: `transhume status` shows all\n");
    }
    text
}

/// What one pass did, and how things stand after it.
#[derive(Serialize)]
struct Summary {
    #[serde(skip)]
    what: What,
    dry_run: bool,
    accounts: usize,
    #[serde(flatten)]
    moved: Moved,
    /// Figures of a dry run that may turn out smaller.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_most: Vec<AtMost>,
    /// Requests to the source, and how many of them it refused as too many.
    #[serde(flatten)]
    traffic: Traffic,
    seconds: f64,
    owed: u64,
    /// Of what is placed already: changes that could not be followed yet.
    changes_owed: u64,
    quarantined: u64,
    /// Still to be pulled, where nothing is placed and the pass came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_fetch: Option<u64>,
    stopped: usize,
    /// Accounts some of whose folders could not be listed to the end: nobody knows what they hold.
    unlisted: usize,
    /// Addresses of accounts.csv that the tenant does not know: they were left out.
    unknown: usize,
    /// Folders that the target does not take, empty ones included.
    refused_folders: usize,
    /// How the accounts not listed to the end and the folders refused are told.
    #[serde(skip)]
    words: [String; 2],
}

/// What was done in one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub fetched: u64,
    pub fetched_bytes: u64,
    pub placed: u64,
    pub placed_bytes: u64,
    pub amended: u64,
    pub relocated: u64,
    /// In the place of what stood at the target.
    pub replaced: u64,
    pub withdrawn: u64,
}

impl Moved {
    pub fn since(self, before: Self) -> Self {
        Self {
            fetched: self.fetched - before.fetched,
            fetched_bytes: self.fetched_bytes - before.fetched_bytes,
            placed: self.placed - before.placed,
            placed_bytes: self.placed_bytes - before.placed_bytes,
            amended: self.amended - before.amended,
            relocated: self.relocated - before.relocated,
            replaced: self.replaced - before.replaced,
            withdrawn: self.withdrawn - before.withdrawn,
        }
    }

    /// Counts an event.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Fetched { items, bytes, .. } => {
                self.fetched += items;
                self.fetched_bytes += bytes;
            }
            Event::Placed { items, bytes, .. } => {
                self.placed += items;
                self.placed_bytes += bytes;
            }
            Event::Amended { items, .. } => self.amended += items,
            Event::Relocated { items, .. } => self.relocated += items,
            Event::Replaced { items, .. } => self.replaced += items,
            Event::Withdrawn { items, .. } => self.withdrawn += items,
            _ => {}
        }
    }

    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl Summary {
    fn of(what: What, standings: &[AccountStanding], moved: Moved, time: Duration, dry_run: bool) -> Self {
        Self {
            what,
            dry_run,
            accounts: accounts(standings),
            moved,
            at_most: Vec::new(),
            to_fetch: None,
            traffic: Traffic::default(),
            seconds: time.as_secs_f64(),
            owed: standings.iter().map(|standing| standing.owed.items).sum(),
            changes_owed: standings.iter().map(|standing| standing.changes).sum(),
            quarantined: standings.iter().map(AccountStanding::quarantine).sum(),
            stopped: accounts(standings.iter().filter(|standing| !standing.stops.is_empty())),
            unlisted: accounts(standings.iter().filter(|standing| standing.is_unlisted())),
            unknown: 0,
            refused_folders: standings.iter().map(AccountStanding::refused_at_target).sum(),
            words: [not_listed(standings), refused_at_target(standings)],
        }
    }

    /// Something was left out that the counts do not know of.
    const fn is_partial(&self) -> bool {
        self.stopped > 0 || self.unlisted > 0
    }

    fn exit(&self) -> Exit {
        let left = self.owed + self.changes_owed + self.quarantined > 0 || self.refused_folders > 0;
        if left || self.is_partial() { Exit::Owing } else { Exit::Done }
    }

    /// After a pull alone or a rehearsal, what waits to be pushed is not owed.
    fn exit_without_placing(&self) -> Exit {
        let left = self.quarantined > 0 || self.to_fetch.is_some_and(|items| items > 0);
        if left || self.is_partial() { Exit::Owing } else { Exit::Done }
    }

    fn sentence(&self) -> String {
        let done = match self.moved.is_nothing() {
            false => self.done(),
            true if self.exit() == Exit::Done => format!("nothing moved: {}", self.what.why_nothing()),
            true => "nothing moved".to_owned(),
        };
        let word = if self.dry_run { "rehearsed" } else { self.what.verb() };
        let time = duration(Duration::from_secs_f64(self.seconds));
        let mut sentence = format!("{word}: {done}, in {time}; {} owed, {} in quarantine", self.owed, self.quarantined);
        if self.changes_owed > 0 {
            sentence += &format!(", {} of what is placed owed", count(self.changes_owed, "change"));
        }
        if let Some(items) = self.to_fetch.filter(|items| *items > 0) {
            let step = self.what.step_to_pull();
            sentence += &format!(", {} not pulled yet ({step})", count(items, "item"));
        }
        let [unlisted, refused] = &self.words;
        if self.unlisted > 0 {
            sentence += &format!(", {unlisted}");
        }
        if self.refused_folders > 0 {
            sentence += &format!(", {refused} refused at the target");
        }
        if self.stopped > 0 {
            sentence += &format!(", {} stopped", count(self.stopped as u64, "account"));
        }
        sentence + "." + &at_most::why(&self.at_most) + &self.refusals()
    }

    /// The rate at which the service refused what it was asked.
    fn refusals(&self) -> String {
        match self.traffic {
            Traffic { requests: 0, .. } => String::new(),
            Traffic { requests, throttled: 0 } => {
                format!(" The source refused none of {} as too many.", count(requests, "request"))
            }
            Traffic { requests, throttled } => {
                let (percent, refused) = (throttled as f64 * 100.0 / requests as f64, grouped(throttled));
                let requests = count(requests, "request");
                format!(" The source refused {refused} of {requests} as too many ({percent:.1} %).")
            }
        }
    }

    fn done(&self) -> String {
        let moved = self.moved;
        let speed = |items: u64| if self.seconds > 0.0 { items as f64 / self.seconds } else { 0.0 };
        let pulled = format!(
            "{} pulled ({}, {:.0}/s)",
            count(moved.fetched, "item"),
            bytes(moved.fetched_bytes),
            speed(moved.fetched)
        );
        let pushed = format!(
            "{} placed ({}, {:.0}/s)",
            count(moved.placed, "item"),
            bytes(moved.placed_bytes),
            speed(moved.placed)
        );
        let rest = [
            (moved.amended, "amended"),
            (moved.relocated, "moved"),
            (moved.replaced, "replaced in place"),
            (moved.withdrawn, "withdrawn"),
        ];
        let rest = rest.into_iter().filter(|(items, _)| *items > 0).map(|(items, word)| format!("{items} {word}"));
        let first = [(moved.fetched, pulled), (moved.placed, pushed)];
        let first = first.into_iter().filter(|(items, _)| *items > 0).map(|(_, words)| words);
        first.chain(rest).collect::<Vec<_>>().join(", ")
    }
}
