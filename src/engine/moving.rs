//! A pass: accounts side by side, and in each of them pulling and pushing, overlapped.

use super::{Engine, Mover, push::Push};
use crate::store::{AccountStore, Project, Side};
use futures::{StreamExt, stream};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::sync::watch;
use transhume_contract::{Fault, Presence, Reach, What, Workload};

/// Which half of the work a pass does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Pull,
    Push { repair: bool },
    Both,
}

impl Half {
    /// Whether this half asks that side: a stop at the other one still holds.
    pub(super) const fn tries(self, side: Side) -> bool {
        matches!((self, side), (Self::Both, _) | (Self::Pull, Side::Source) | (Self::Push { .. }, Side::Target))
    }
}

/// The sides of an account that a pass came through to: what stopped an earlier pass there holds no longer, even if this
/// one is interrupted.
#[derive(Default)]
struct Reached {
    source: AtomicBool,
    target: AtomicBool,
}

impl Reached {
    const fn side(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    fn mark(&self, side: Side) {
        self.side(side).store(true, Ordering::Relaxed);
    }

    fn has(&self, side: Side) -> bool {
        self.side(side).load(Ordering::Relaxed)
    }
}

/// While bodies still arrive, pushing waits this long between rounds, so that batches fill.
const GATHERING: Duration = Duration::from_millis(700);

impl Engine {
    /// Moves accounts, several at a time. A fault of one account stops that one; one that reaches the run stops all,
    /// and is returned once everything has settled. A pass that pushes ties the project to its targets first.
    pub async fn pass(&self, project: &Project, movers: &[Mover], half: Half) -> Result<(), Fault> {
        // Also in a rehearsal, which keeps what the target would refuse.
        if half.tries(Side::Target) {
            self.bind_targets(project).await?;
            self.heed_vanished_targets(project, half == Half::Push { repair: true }).await?;
        }
        let moving = stream::iter(movers).map(|mover| self.move_account(project, mover, half));
        let mut moving = moving.buffer_unordered(self.lanes.accounts);
        let mut fatal = None;
        while let Some(outcome) = moving.next().await {
            if let Err(fault) = outcome {
                self.stop.ask();
                // The first fault is the cause; that the others were interrupted is its consequence.
                fatal.get_or_insert(fault);
            }
        }
        fatal.map_or(Ok(()), Err)
    }

    /// Moves one account. Only what reaches the run, or an interruption, is an error here.
    async fn move_account(&self, project: &Project, mover: &Mover, half: Half) -> Result<(), Fault> {
        self.stop.check()?;
        let outcome = self.move_workloads(project, mover, half).await;
        if self.rehearsing {
            return outcome.map(drop);
        }
        let word = match &outcome {
            Ok(true) => "ended",
            Err(fault) if fault.what == What::Interrupted => "interrupted",
            Ok(false) | Err(_) => "stopped",
        };
        let noted = project.record_pass(&mover.row.account.id, word).await;
        outcome.and(noted)
    }

    /// Moves an account's workloads one after the other. Answers whether both sides went on to their ends.
    async fn move_workloads(&self, project: &Project, mover: &Mover, half: Half) -> Result<bool, Fault> {
        let opened = project.open_account(&mover.row.account.id).await;
        let mut ended = true;
        for workload in self.workloads() {
            let reached = Reached::default();
            let (source, target) = match (&opened, absent(mover, workload)) {
                // A store that is damaged stops its own account.
                (Err(fault), _) => (Err(fault.clone()), Ok(())),
                (Ok(_), Some(fault)) => (Err(fault), Ok(())),
                (Ok(store), None) => self.move_workload(store, mover, workload, half, &reached).await,
            };
            let ends = [(Side::Source, source), (Side::Target, target)];
            // First of all: an interruption at one side goes up before the other is written down.
            for (side, outcome) in &ends {
                if reached.has(*side) && outcome.as_ref().is_err_and(|fault| fault.what == What::Interrupted) {
                    project.record_stop(&mover.row.account.id, *side, workload, None).await?;
                }
            }
            for (side, outcome) in ends {
                ended &= outcome.is_ok();
                if outcome.is_err() || half.tries(side) {
                    self.write_down(project, mover, workload, side, outcome).await?;
                }
            }
        }
        Ok(ended)
    }

    /// Keeps how a side of an account ended, for `status`; what reaches the run goes on up.
    async fn write_down(
        &self,
        project: &Project,
        mover: &Mover,
        workload: Workload,
        side: Side,
        outcome: Result<(), Fault>,
    ) -> Result<(), Fault> {
        let account = &mover.row.account.id;
        match outcome {
            Err(fault) if fault.what == What::Interrupted => Err(fault),
            Err(fault) if fault.what == What::StoreBroken && fault.reach == Reach::Run => Err(fault),
            Err(fault) => {
                project.record_stop(account, side, workload, Some(&fault)).await?;
                self.tell(super::Event::Stopped { account: mover.address().into(), fault: fault.clone() });
                if fault.reach == Reach::Run { Err(fault) } else { Ok(()) }
            }
            Ok(()) => project.record_stop(account, side, workload, None).await,
        }
    }

    async fn move_workload(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        half: Half,
        reached: &Reached,
    ) -> (Result<(), Fault>, Result<(), Fault>) {
        match half {
            Half::Pull => (self.pull_all(store, workload, reached).await, Ok(())),
            Half::Push { repair } => (Ok(()), self.push_all(store, mover, workload, repair, reached).await),
            Half::Both => self.move_both(store, mover, workload, reached).await,
        }
    }

    /// Lists, then pulls and pushes at the same time. Neither side's fault stops the other: what was pulled is pushed,
    /// and what cannot be pushed is pulled out of harm's way.
    async fn move_both(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        reached: &Reached,
    ) -> (Result<(), Fault>, Result<(), Fault>) {
        let listed = async {
            self.list(store, workload).await?;
            // What is pushed may be rendered by them.
            self.capture_settings(store, workload).await
        };
        if let Err(fault) = listed.await {
            let target = match self.stop.asked() {
                true => Ok(()),
                false => self.push_all(store, mover, workload, false, reached).await,
            };
            return (Err(fault), target);
        }
        reached.mark(Side::Source);
        let (pulled, still_pulling) = watch::channel(true);
        let pulling = async {
            let outcome = self.pull_listed(store, workload).await;
            pulled.send_replace(false);
            outcome
        };
        tokio::join!(pulling, self.push_while(store, mover, workload, still_pulling, reached))
    }

    async fn pull_all(&self, store: &AccountStore, workload: Workload, reached: &Reached) -> Result<(), Fault> {
        self.list(store, workload).await?;
        self.capture_settings(store, workload).await?;
        reached.mark(Side::Source);
        self.pull_listed(store, workload).await
    }

    /// Fetches what is listed. Where something vanished meanwhile, the account is listed again, which tells whether it
    /// was deleted or moved.
    async fn pull_listed(&self, store: &AccountStore, workload: Workload) -> Result<(), Fault> {
        self.tell_doubtful_emptiness(store, workload).await?;
        self.tell_protected(store, workload).await?;
        let vanished = self.pull(store, workload, None).await?;
        if vanished > 0 { self.list(store, workload).await } else { Ok(()) }
    }

    /// Pushes what has arrived, round after round, until nothing more arrives.
    async fn push_while(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        still_pulling: watch::Receiver<bool>,
        reached: &Reached,
    ) -> Result<(), Fault> {
        self.heed_vanished(store, &mover.target, workload, false).await?;
        let push = self.begin_push(store, mover, workload).await?;
        reached.mark(Side::Target);
        let came = self.push_arriving(&push, still_pulling).await;
        push.tell_withheld().await;
        came
    }

    async fn push_arriving(&self, push: &Push<'_>, mut still_pulling: watch::Receiver<bool>) -> Result<(), Fault> {
        while *still_pulling.borrow_and_update() {
            if push.places_as_it_arrives() {
                push.place_ready().await?;
            }
            let gathered = tokio::time::timeout(GATHERING, still_pulling.changed()).await;
            self.stop.check()?;
            // The sender is gone only when the pull ended: nothing more arrives.
            if matches!(gathered, Ok(Err(_))) {
                break;
            }
        }
        push.finish().await
    }

    async fn push_all(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        repair: bool,
        reached: &Reached,
    ) -> Result<(), Fault> {
        self.heed_vanished(store, &mover.target, workload, repair).await?;
        let push = self.begin_push(store, mover, workload).await?;
        reached.mark(Side::Target);
        let repaired = if repair { push.repair().await } else { Ok(()) };
        let came = match repaired {
            Ok(()) => push.finish().await,
            failed => failed,
        };
        push.tell_withheld().await;
        came
    }
}

/// Why an account has nothing of a workload to move, as discovery told.
pub(super) fn absent(mover: &Mover, workload: Workload) -> Option<Fault> {
    let known = mover.row.account.workloads.iter().find(|(known, _, _)| *known == workload)?;
    let (what, why) = match &known.1 {
        Presence::Present => return None,
        Presence::Absent(why) => (What::Vanished, why),
        Presence::Denied(why) => (What::Forbidden, why),
    };
    let sentence = format!("{} has no {workload} that can be read: {why}", mover.address());
    let step = "Remove the line from accounts.csv, or mend it at the source and run `transhume survey` again.";
    Some(Fault::new(what, sentence).reaching(Reach::Account).ask(step))
}
