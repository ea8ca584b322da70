//! `verify`: the targets read back and compared.

mod differences;
mod folders;

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    session::Session,
    status::standings,
    terminal::Terminal,
};
use crate::{
    engine::{AccountStanding, Compared},
    report::{accounts, count, fault_lines, grouped, named_losses, not_listed, refused_at_target},
};
use differences::Differences;
use serde::Serialize;
use std::{fmt::Write, sync::Arc};
use transhume_contract::{Depth, Look, Workload};

pub async fn run(common: &Common, verify: &args::Verify, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let session = Session::begin(common, "verify", Arc::clone(&terminal)).await?;
    let look = verify.look();
    let compared = session.engine.verify(&session.project, &session.movers, look).await?;
    let mut standing = Differences::default();
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
            standing.tell(&store, workload, &account.address, &terminal).await?;
        }
        if account.fault.is_none() {
            folders::tell(account, &terminal);
        }
    }
    terminal.print(&standing.steps());
    let rows: Vec<_> = session.movers.iter().map(|mover| mover.row.clone()).collect();
    let standings = standings(&session.project, &session.config, &rows).await?;
    terminal.show(&named_losses(&standings.iter().collect::<Vec<_>>(), terminal.width()));
    let unknown = session.unknown();
    let summary = Summary { unknown, ..Summary::of(look, &compared, standing.count(), &standings) };
    terminal.print(&summary.sentence());
    terminal.summary("verify", &summary);
    let exit = summary.exit();
    session.end(exit).await
}

#[derive(Serialize)]
struct Summary {
    depth: Depth,
    /// Some of it is no mail.
    #[serde(skip)]
    objects: bool,
    accounts: usize,
    compared: u64,
    /// Those of them whose bytes were read back.
    read_back: u64,
    differences: u64,
    /// Listed at the source and not placed yet, so not compared.
    owed: u64,
    /// Of what is placed: changes that could not be followed yet.
    changes_owed: u64,
    others: u64,
    /// Filed elsewhere at the target by people: no differences.
    moved: u64,
    /// Second copies of ours, which are differences too.
    duplicates: u64,
    /// Placed by another edition of the conversions, with other tables, or for people known by other addresses.
    outdated: u64,
    /// What the source holds: the sum of the four that follow it.
    source: u64,
    done: u64,
    quarantined: u64,
    excluded: u64,
    /// Accounts some of whose folders could not be listed to the end: nobody knows what they hold.
    unlisted: usize,
    /// Accounts that could not be listed or pushed when they were last worked on.
    stopped: usize,
    not_compared: usize,
    /// Addresses of accounts.csv that the tenant does not know: they were left out.
    unknown: usize,
    /// Folders that the target does not take, empty ones included.
    refused_folders: usize,
    /// How the accounts not listed to the end and the folders refused are told.
    #[serde(skip)]
    words: [String; 2],
}

impl Summary {
    fn of(look: Look, compared: &[Compared], differences: u64, standings: &[AccountStanding]) -> Self {
        Self {
            depth: look.depth(),
            objects: standings.iter().any(|standing| standing.workload != Workload::Mail),
            accounts: compared.len(),
            compared: compared.iter().map(|account| account.compared).sum(),
            read_back: compared.iter().map(|account| account.read_back).sum(),
            differences,
            owed: standings.iter().map(|account| account.owed.items).sum(),
            changes_owed: standings.iter().map(|account| account.changes).sum(),
            moved: compared.iter().map(|account| account.moved).sum(),
            others: compared.iter().map(|account| account.others).sum(),
            duplicates: compared.iter().map(folders::duplicates).sum(),
            outdated: compared.iter().map(|account| account.outdated).sum(),
            source: folders::sum(compared, |folder| folder.source),
            done: folders::sum(compared, |folder| folder.done),
            quarantined: standings.iter().map(AccountStanding::quarantine).sum(),
            excluded: folders::sum(compared, |folder| folder.excluded),
            unlisted: accounts(standings.iter().filter(|standing| standing.is_unlisted())),
            stopped: accounts(standings.iter().filter(|standing| !standing.stops.is_empty())),
            not_compared: compared.iter().filter(|account| account.fault.is_some()).count(),
            unknown: 0,
            refused_folders: standings.iter().map(AccountStanding::refused_at_target).sum(),
            words: [not_listed(standings), refused_at_target(standings)],
        }
    }

    fn exit(&self) -> Exit {
        let owing = self.owed + self.changes_owed + self.quarantined > 0;
        let partial = self.unlisted + self.stopped + self.refused_folders > 0;
        match (self.differences, self.not_compared) {
            (0, 0) if owing || partial => Exit::Owing,
            (0, 0) => Exit::Done,
            (0, _) => Exit::Stuck,
            _ => Exit::Differing,
        }
    }

    fn sentence(&self) -> String {
        let depth = match (self.depth, self.objects) {
            (Depth::Presence, _) => "that they are there",
            (Depth::Shape, false) => "with flags, dates and sizes",
            (Depth::Shape, true) => "with flags, dates, sizes and versions",
            (Depth::Content, false) => "byte for byte",
            (Depth::Content, true) => "in all they say",
        };
        let mut text = format!("verify: {} compared {depth}", count(self.compared, "item"));
        if self.depth != Depth::Content && self.read_back > 0 {
            let _infallible = write!(text, ", {} of them byte for byte", grouped(self.read_back));
        }
        let _infallible = write!(text, "; {}", count(self.differences, "difference"));
        if self.owed > 0 {
            let _infallible = write!(text, "; {} still owed, not there to compare", count(self.owed, "item"));
        }
        if self.changes_owed > 0 {
            let _infallible = write!(text, "; {} of what is placed still owed", count(self.changes_owed, "change"));
        }
        if self.quarantined > 0 {
            let _infallible =
                write!(text, "; {} in quarantine (`transhume status` says why)", grouped(self.quarantined));
        }
        let [unlisted, refused] = &self.words;
        if self.unlisted > 0 {
            let _infallible = write!(text, "; {unlisted}");
        }
        if self.stopped > 0 {
            let accounts = count(self.stopped as u64, "account");
            let _infallible = write!(text, "; {accounts} stopped in the last pass (`transhume status` says why)");
        }
        if self.refused_folders > 0 {
            let _infallible = write!(text, "; {refused} refused at the target (`transhume status` says why)");
        }
        if self.outdated > 0 {
            let _infallible = write!(
                text,
                "; {} perhaps outdated, rendered by an earlier edition, with other tables, for another accounts.csv or with \
                 other settings of the account or the target: zone, language, colours, limits (`transhume push --rerender` renders anew and replaces only what comes out otherwise)",
                count(self.outdated, "item")
            );
        }
        if self.moved > 0 {
            let _infallible =
                write!(text, "; {} moved there by people, left where they are", count(self.moved, "item"));
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
