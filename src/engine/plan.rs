//! The plan: what would move, what it costs under the service's limits, what blocks. Every mailbox is really listed, and
//! the listing is kept: the run then asks only for what changed.

use super::{
    AccountStanding, Engine, Mover, Rename, account_standing,
    canary::UNPROVEN,
    check::{REFUSALS, found, refused},
    existing::HOLDS_MAIL,
    policy::standing,
    rescue::protected_mail,
};
use crate::store::{AccountStore, LossTotal, Project, Tally};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use transhume_contract::{
    Access, Collection, Fault, Finding, Reach, Scheduling, Severity, TargetTraits, Unreachable, What, Workload,
};

/// How a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// Every item was listed.
    Counted,
    /// As the source states it.
    Reported,
    /// From the originals fetched so far.
    Sampled,
    Unknown,
}

/// What moving one workload of an account takes.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPlan {
    pub standing: AccountStanding,
    /// Originals still to fetch.
    pub to_fetch: Tally,
    /// Requests to the source for it, as far as listings tell: attachments of events and tasks come on top.
    pub requests: u64,
    /// Requests of each further pass in which nothing changed.
    pub requests_again: u64,
    /// The time those take under the limits of one mailbox.
    pub seconds: u64,
    /// How the sizes are known: the source states them, or only a sample does.
    pub sizes: Known,
    /// Collections that are pulled and not pushed, with the policy's reason and their items.
    pub kept: BTreeMap<String, u64>,
    /// Of the originals fetched so far: what rendering them loses, and what placing them will.
    pub losses: Vec<LossTotal>,
    pub losses_known: Known,
    /// Messages fetched and rendered so far, from which the losses are known.
    pub sampled: u64,
    /// Messages that rights management protects, as far as the listing and the originals fetched so far tell.
    pub protected: u64,
    /// Folders that will stand under another name.
    pub renames: Vec<Rename>,
    /// Why it cannot move, or not all of it.
    pub blockers: Vec<String>,
    /// What people should know that blocks nothing.
    pub notes: Vec<String>,
}

/// The plan of a wave.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub accounts: Vec<AccountPlan>,
    pub unreachable: Vec<Unreachable>,
    /// Over all accounts: at the source, and still to fetch.
    pub listed: Tally,
    pub to_fetch: Tally,
    pub requests: u64,
    pub requests_again: u64,
    /// The shortest time under the service's limits, with the accounts side by side as configured.
    pub seconds: u64,
    /// Hours of work for people: a rule of thumb, printed with its terms.
    pub human_hours: f64,
}

/// Minutes a person spends per account (telling its owner, setting up their program, answering once) and per blocker.
/// A rule of thumb from staged migrations; the plan prints it as one.
pub const MINUTES_PER_ACCOUNT: f64 = 15.0;
pub const MINUTES_PER_BLOCKER: f64 = 30.0;

/// What the targets said of an account, by workload.
type Doors = BTreeMap<Workload, Access>;

impl Engine {
    /// Lists every mover and says what moving them takes. No body is fetched but for a sample of the newest.
    pub async fn plan(&self, project: &Project, movers: &[Mover], sample: usize) -> Result<Plan, Fault> {
        self.heed_vanished_targets(project, false).await?;
        let doors = self.try_doors(movers).await?;
        let planning = stream::iter(movers.iter().zip(&doors))
            .map(|(mover, doors)| self.plan_account(project, mover, doors, sample));
        let accounts: Vec<Vec<AccountPlan>> = planning.buffered(self.lanes.accounts).try_collect().await?;
        let accounts: Vec<_> = accounts.into_iter().flatten().collect();
        let minutes =
            movers.len() as f64 * MINUTES_PER_ACCOUNT + distinct_blockers(&accounts) as f64 * MINUTES_PER_BLOCKER;
        let sum = |of: fn(&AccountPlan) -> Tally| {
            let mut sum = Tally::default();
            accounts.iter().for_each(|account| sum += of(account));
            sum
        };
        Ok(Plan {
            listed: sum(|account| account.standing.listed),
            to_fetch: sum(|account| account.to_fetch),
            unreachable: project.unreachable().await?,
            requests: accounts.iter().map(|account| account.requests).sum(),
            requests_again: accounts.iter().map(|account| account.requests_again).sum(),
            seconds: side_by_side(&accounts, self.lanes.accounts),
            human_hours: minutes / 60.0,
            accounts,
        })
    }

    /// Logs in to the target for every mover, one at a time: after three refusals no further login is tried.
    async fn try_doors(&self, movers: &[Mover]) -> Result<Vec<Doors>, Fault> {
        let (mut doors, mut refusals) = (Vec::with_capacity(movers.len()), 0);
        for mover in movers {
            let (mut of_one, mut is_refused) = (Doors::new(), false);
            for target in self.distinct_targets() {
                self.stop.check()?;
                let door = match refusals {
                    REFUSALS.. => untried(),
                    _ => found(self.stop.unless(target.check(Some(&mover.target))).await)?,
                };
                is_refused |= refused(&door);
                let behind = self.targets.iter().filter(|(_, other)| Arc::ptr_eq(other, target));
                of_one.extend(behind.map(|(workload, _)| (*workload, door.clone())));
            }
            refusals += usize::from(is_refused);
            doors.push(of_one);
        }
        Ok(doors)
    }

    async fn plan_account(
        &self,
        project: &Project,
        mover: &Mover,
        doors: &Doors,
        sample: usize,
    ) -> Result<Vec<AccountPlan>, Fault> {
        let opened = project.open_account(&mover.row.account.id).await;
        let mut plans = Vec::new();
        for workload in self.workloads() {
            let store = match &opened {
                Ok(store) => store,
                // A store that is damaged blocks its own account.
                Err(fault) if fault.reach <= Reach::Account => {
                    plans.push(AccountPlan::unread(mover, workload, fault));
                    continue;
                }
                Err(fault) => return Err(fault.clone()),
            };
            let mut blockers: Vec<String> =
                super::moving::absent(mover, workload).as_ref().map(said).into_iter().collect();
            if blockers.is_empty() {
                blockers.extend(self.look(store, workload, sample).await?);
            }
            let door = doors.get(&workload).cloned().unwrap_or_default();
            plans.push(self.plan_workload(project, store, mover, workload, &door, blockers).await?);
        }
        Ok(plans)
    }

    /// Lists, and fetches the sample. What stops this account is a blocker; only what reaches the run is a fault.
    async fn look(&self, store: &AccountStore, workload: Workload, sample: usize) -> Result<Option<String>, Fault> {
        let looked = async {
            self.list(store, workload).await?;
            self.capture_settings(store, workload).await?;
            self.pull(store, workload, Some(sample)).await
        };
        match looked.await {
            Ok(_) => Ok(None),
            Err(fault) if fault.reach == Reach::Run || fault.what == What::Interrupted => Err(fault),
            Err(fault) => Ok(Some(said(&fault))),
        }
    }

    async fn plan_workload(
        &self,
        project: &Project,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        door: &Access,
        mut blockers: Vec<String>,
    ) -> Result<AccountPlan, Fault> {
        // What stopped the listing explains by itself why nothing is listed.
        let doubt = if blockers.is_empty() { self.doubtful_emptiness(store, workload).await? } else { None };
        let there = self.look_there(store, mover, workload, door).await?;
        blockers.extend(there.blockers);
        let standing = account_standing(project, store, &mover.row, workload, &self.policy).await?;
        let to_fetch = store.to_fetch(workload).await?;
        let (originals, requests_again) = self.cost(store, workload, to_fetch).await?;
        let requests = originals + requests_again;
        let sampled = store.totals(workload).await?.rendered;
        blockers.extend(too_full(door, &standing));
        let protected = store.count_protected(workload).await?;
        let rescue = (protected > 0).then(|| protected_mail(protected));
        let notes = there.notes.into_iter().chain(doubt).chain(rescue).collect();
        let stated = standing.listed.bytes > 0 || standing.listed.items == 0;
        Ok(AccountPlan {
            requests,
            requests_again,
            seconds: requests * 3600 / self.source.traits().requests_per_hour.max(1),
            sizes: if stated { Known::Reported } else { Known::Unknown },
            kept: self.kept(store, workload).await?,
            losses: with(&standing.losses, there.losses),
            losses_known: if sampled > 0 { Known::Sampled } else { Known::Unknown },
            sampled,
            renames: there.renames,
            blockers,
            notes,
            protected,
            to_fetch,
            standing,
        })
    }

    /// Requests that fetch what is still to come, and those of one round through everything. Of mail each message is one
    /// and a round asks each folder once; millions of rows need not be looked at for that.
    async fn cost(&self, store: &AccountStore, workload: Workload, to_fetch: Tally) -> Result<(u64, u64), Fault> {
        let collections = store.collections(workload).await?.len() as u64;
        if workload == Workload::Mail {
            return Ok((to_fetch.items, collections));
        }
        let wanting = self.source.cost(workload, &store.classes(workload, true).await?);
        let all = self.source.cost(workload, &store.classes(workload, false).await?);
        Ok((wanting.originals, collections + all.round))
    }

    /// What the target says of this account: whether it lets us in, what it holds, what it refuses, how it names.
    async fn look_there(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        door: &Access,
    ) -> Result<There, Fault> {
        let mut there = There::default();
        door.findings.iter().for_each(|finding| there.take(finding));
        if !there.blockers.is_empty() {
            return Ok(there);
        }
        let looked = async {
            self.heed_vanished(store, &mover.target, workload, false).await?;
            let traits = self.target_traits(workload, &mover.target).await?;
            there.losses = self.foresee(store, workload, &traits, &mut there.blockers).await?;
            match self.heed_canary(workload, &mover.target).await {
                Err(fault) if fault.sentence.starts_with(UNPROVEN) => there.blockers.push(said(&fault)),
                heeded => heeded?,
            }
            there.notes.extend(foretold(&traits, workload));
            let before = self.before(Some(store), &mover.target, workload).await?;
            before.iter().for_each(|before| there.take(&before.finding(self.policy.existing)));
            there.renames = self.renames(store, mover, workload).await?;
            Ok(())
        };
        match looked.await {
            Err(fault @ Fault { reach: Reach::Run, .. }) => Err(fault),
            Err(fault) if fault.what == What::Interrupted => Err(fault),
            Err(fault) => {
                there.blockers.push(said(&fault));
                Ok(there)
            }
            Ok(()) => Ok(there),
        }
    }

    /// Renders what the store holds, which tells its losses, and counts what the target would refuse for its size.
    /// Answers the losses of placing it, in items, by name.
    async fn foresee(
        &self,
        store: &AccountStore,
        workload: Workload,
        traits: &TargetTraits,
        blockers: &mut Vec<String>,
    ) -> Result<BTreeMap<String, u64>, Fault> {
        if let Some(limit) = traits.max_item_bytes {
            let larger = store.items_larger_than(workload, limit).await?;
            if larger > 0 {
                let said = if larger == 1 { "1 item is".to_owned() } else { format!("{larger} items are") };
                blockers.push(format!(
                    "{said} larger than the target accepts ({limit} bytes); raise its limit of one {}, or find them in \
                     quarantine after the run",
                    workload.item()
                ));
            }
        }
        self.render_ahead(store, workload, traits).await
    }

    /// What the policy keeps in the store, by reason.
    async fn kept(&self, store: &AccountStore, workload: Workload) -> Result<BTreeMap<String, u64>, Fault> {
        let rows = store.collections(workload).await?;
        let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
        let standing = standing(&collections, &self.policy);
        let mut kept = BTreeMap::new();
        for of_one in store.collection_totals(workload).await? {
            let row = rows.iter().find(|row| row.key == of_one.collection);
            let reason = row.and_then(|row| standing.get(&row.collection.id)).and_then(|standing| standing.reason);
            if let Some(reason) = reason {
                *kept.entry(reason.to_owned()).or_default() += of_one.stages.listed().items;
            }
        }
        Ok(kept)
    }
}

/// What was learned of an account at the target.
#[derive(Default)]
struct There {
    renames: Vec<Rename>,
    blockers: Vec<String>,
    notes: Vec<String>,
    /// Of placing what waits for it, in items, by name.
    losses: BTreeMap<String, u64>,
}

impl There {
    fn take(&mut self, finding: &Finding) {
        let said = format!("{} {}", finding.sentence, finding.fix).trim().to_owned();
        match finding.severity {
            Severity::Blocker => self.blockers.push(said),
            Severity::Warning => self.notes.push(said),
            // What a server lacks is for `check`; that a mailbox is in use is for whoever plans.
            Severity::Note if finding.code == HOLDS_MAIL => self.notes.push(said),
            Severity::Note => {}
        }
    }
}

/// Losses that were met and those that are foreseen, by name.
fn with(met: &[LossTotal], mut foreseen: BTreeMap<String, u64>) -> Vec<LossTotal> {
    met.iter().for_each(|loss| *foreseen.entry(loss.name.clone()).or_default() += loss.items);
    foreseen.into_iter().map(|(name, items)| LossTotal { name, items }).collect()
}

/// What the way in which a target is kept from mailing people will cost, which needs no sample to be known.
fn foretold(traits: &TargetTraits, workload: Workload) -> Option<String> {
    let scheduling = traits.profile.objects.as_ref().filter(|_| workload == Workload::Calendar)?.scheduling;
    match scheduling {
        Scheduling::Unneeded => None,
        Scheduling::ByClient => Some(
            "meetings are moved so that the server mails nobody (SCHEDULE-AGENT=CLIENT), and it will not do so later either: \
             whoever changes or cancels a moved meeting after the cut-over has to tell those invited, or to invite them anew \
             (loss scheduling_left_to_client, of every meeting)"
                .to_owned(),
        ),
        Scheduling::NoOrganizer => Some(
            "meetings are moved without organiser and people, whom the server would mail: their names stand in lines that \
             calendars do not show, and nobody is told of later changes (losses organizer_dropped and attendees_dropped, \
             of every meeting)"
                .to_owned(),
        ),
    }
}

/// A fault with its next step, in one line.
fn said(fault: &Fault) -> String {
    let step = fault.next_step().map_or_else(String::new, |step| format!(". {step}"));
    format!("{}{step}", fault.sentence.trim_end_matches('.'))
}

/// What has a quota at a target.
const fn home(workload: Workload) -> &'static str {
    if matches!(workload, Workload::Mail) { "the mailbox" } else { "the account" }
}

/// The quota is smaller than what is still to be placed.
fn too_full(door: &Access, standing: &AccountStanding) -> Option<String> {
    let (free, total) = door.quota?;
    let left = standing.listed.bytes.saturating_sub(standing.done.bytes).saturating_sub(standing.kept.bytes);
    (left > free).then(|| {
        format!(
            "{} at the target has {free} bytes free of {total}, and {left} are to be placed; raise its quota before moving",
            home(standing.workload)
        )
    })
}

fn untried() -> Access {
    let finding = Finding {
        severity: Severity::Blocker,
        code: "logins_stopped".into(),
        sentence: format!("the login at the target was not tried, since {REFUSALS} others were refused"),
        fix: "Correct those first.".into(),
    };
    Access { findings: vec![finding], quota: None }
}

impl AccountPlan {
    fn unread(mover: &Mover, workload: Workload, fault: &Fault) -> Self {
        Self {
            standing: AccountStanding::unread(&mover.row, workload, fault.clone()),
            to_fetch: Tally::default(),
            requests: 0,
            requests_again: 0,
            seconds: 0,
            sizes: Known::Unknown,
            kept: BTreeMap::new(),
            losses: Vec::new(),
            losses_known: Known::Unknown,
            sampled: 0,
            protected: 0,
            renames: Vec::new(),
            blockers: vec![said(fault)],
            notes: Vec::new(),
        }
    }
}

/// The longest account, or the sum spread over the lanes, whichever is longer.
fn side_by_side(accounts: &[AccountPlan], lanes: usize) -> u64 {
    let longest = accounts.iter().map(|account| account.seconds).max().unwrap_or(0);
    let sum: u64 = accounts.iter().map(|account| account.seconds).sum();
    longest.max(sum / lanes.max(1) as u64)
}

/// A wrong password blocks each workload of its account, and one proof is missing for everybody: each is mended once.
fn distinct_blockers(accounts: &[AccountPlan]) -> usize {
    let whose = |account: &'_ AccountPlan, said: &str| match said.starts_with(UNPROVEN) {
        true => String::new(),
        false => account.standing.account.clone(),
    };
    let each = accounts.iter().flat_map(|account| account.blockers.iter().map(move |said| (account, said)));
    each.map(|(account, said)| (whose(account, said), said)).collect::<BTreeSet<_>>().len()
}

impl Plan {
    /// What is to be mended before everything can move, each thing once.
    pub fn blockers(&self) -> usize {
        distinct_blockers(&self.accounts)
    }

    pub const fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
