//! IMAP servers as targets of transhume.
//!
//! | file | holds |
//! |---|---|
//! | `config`, `wire`, `login`, `account` | reaching a server, TLS, proving who speaks, connections per account |
//! | `link`, `faults` | one connection behind one guard, and what its refusals mean |
//! | `utf7`, `names`, `spot`, `mailboxes` | which mailbox a collection is |
//! | `flags`, `keywords`, `append`, `place` | writing: facts as flags, APPEND and MULTIAPPEND, refused batches |
//! | `amend` | changing, moving and withdrawing what stands |
//! | `windows`, `bodies`, `observe`, `find` | reading back |
//!
//! Handles are a mailbox's UIDVALIDITY and the message's UID, collection ids its UIDVALIDITY, MAILBOXID and name: both
//! say for themselves when a mailbox was replaced.

mod account;
mod amend;
mod append;
mod bodies;
mod check;
mod config;
mod faults;
mod find;
mod flags;
mod handle;
mod keywords;
mod link;
mod login;
mod mailboxes;
mod names;
mod observe;
mod place;
mod spot;
mod utf7;
mod windows;
mod wire;

pub use config::{ImapConfig, Security};

use account::{Accounts, Lease};
use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use link::Link;
use mailboxes::Surveyor;
use observe::Walk;
use place::{Outcomes, Placer, cut};
use spot::Spot;
use std::sync::Arc;
use tokio::sync::OnceCell;
use transhume_contract::{
    Access, AccountId, Amended, Amending, Batch, Collection, CollectionId, Credential, Fault, Foreseen, Found, Handle,
    Holdings, Identity, IntentId, Look, Loss, NaturalKey, Observed, Outcome, Placed, Placement, Placing, Profile,
    Reach, Target, TargetTraits, Timestamp, Wanted, What, Workload,
};

/// Dates every server seen keeps as they are. Outside, Dovecot 2.3 stores another date without an error: before 1970
/// becomes 2036 or 2038, after 19 January 2038 becomes now.
const EARLIEST: Timestamp = Timestamp::constant(86_400, 0);
const LATEST: Timestamp = Timestamp::constant(2_147_385_600, 0);

/// An IMAP server.
pub struct ImapTarget {
    identity: Identity,
    accounts: Accounts,
    traits: OnceCell<TargetTraits>,
}

impl ImapTarget {
    /// Checks the settings and prepares TLS; nothing is connected yet.
    pub fn new(config: ImapConfig, credential: Arc<dyn Credential>) -> Result<Self, Fault> {
        let identity = Identity { connector: "imap".to_owned(), place: config.place() };
        Ok(Self { identity, accounts: Accounts::new(config, credential)?, traits: OnceCell::new() })
    }

    /// A connection with the collection's mailbox selected, wherever people renamed it to, and its UIDVALIDITY.
    async fn selected(&self, at: &Collection) -> Result<(Lease, u32), Fault> {
        let spot = Spot::of(&at.id)?;
        let mut lease = self.accounts.lease(&at.account, Some(&spot.mailbox)).await?;
        if let Ok(selected) = lease.link.open(&spot.mailbox).await?
            && spot.is(&selected)
        {
            return Ok((lease, selected.validity));
        }
        let account = lease.account().clone();
        let mut boxes = account.mailboxes.lock().await;
        let surveyor = &mut Surveyor { link: &mut lease.link, boxes: &mut boxes };
        let found = surveyor.follow(&spot).await?.unwrap_or(spot);
        let answer = match surveyor.link.open(&found.mailbox).await? {
            Ok(selected) => return Ok((lease, selected.validity)),
            Err(answer) => answer,
        };
        let fault = match surveyor.shows_after(&found.mailbox, &answer).await? {
            true => faults::mailbox_closed(lease.link.place(), &utf7::decode(&found.mailbox), &answer),
            false => faults::collection_vanished(&utf7::decode(&found.mailbox)),
        };
        lease.give_back();
        Err(fault)
    }

    /// A connection with the mailbox selected, when no lost command that was to place these can be changing it any
    /// more. Nothing is held while that is waited for.
    async fn calm(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Lease, Fault> {
        let (mut lease, _) = self.selected(at).await?;
        let mailbox = lease.link.selected.as_ref().map(|selected| selected.mailbox.clone()).unwrap_or_default();
        let account = lease.account().clone();
        let (lost, config) = (account.unsettled(&mailbox), self.accounts.config());
        let batch = Batch { items: config.batch_items, bytes: config.batch_bytes };
        let patience = find::patience(&lost, &batch, keys, config.silence());
        if lost.waited >= patience {
            return Ok(lease);
        }
        let left = patience.saturating_sub(lost.since.elapsed());
        if !left.is_zero() {
            lease.give_back();
            tracing::info!(?left, "the server may be at work on what a lost connection had sent");
            tokio::time::sleep(left).await;
            lease = self.selected(at).await?.0;
        }
        find::await_still(&mut lease.link).await?;
        account.remember_waited(&mailbox, lost, patience);
        lease.give_back();
        Ok(self.selected(at).await?.0)
    }

    async fn learn_traits(&self, account: &AccountId) -> Result<TargetTraits, Fault> {
        let lease = self.accounts.lease(account, None).await?;
        let traits = traits_of(self.accounts.config(), &lease.link);
        lease.give_back();
        Ok(traits)
    }

    async fn place_group(&self, at: &Collection, group: Vec<Placing>) -> Outcomes {
        let intents: Vec<IntentId> = group.iter().map(|placing| placing.intent.clone()).collect();
        match Placer::new(self, at) {
            Ok(placer) => placer.place(group).await,
            Err(fault) => intents.into_iter().map(|intent| (intent, Err(fault.clone()))).collect(),
        }
    }
}

/// Cautious where servers differ: what one of them refuses or alters is repaired for all. 8-bit headers are kept by
/// Dovecot, and made into `X` by Cyrus.
fn traits_of(config: &ImapConfig, link: &Link) -> TargetTraits {
    let profile = Profile {
        nul: false,
        bare_lf: false,
        eight_bit_headers: link.is_dovecot(),
        headerless: false,
        earliest: EARLIEST,
        latest: LATEST,
        // Dovecot 2.3.19 stores its own clock instead of a date more than two hours ahead of it, without an error.
        future_dates: !link.is_dovecot(),
        keyword_bytes: flags::KEYWORD_BYTES as u32,
        objects: None,
    };
    TargetTraits {
        workloads: vec![Workload::Mail],
        profile,
        batch: Batch { items: config.batch_items, bytes: config.batch_bytes },
        lanes: config.connections,
        lanes_per_collection: 1,
        tells_handle: link.can("UIDPLUS"),
        max_item_bytes: link.append_limit(),
        replaces: false,
        one_of_a_key: false,
    }
}

/// Reading once more on a new connection is harmless; a lost connection is met once before it is told.
macro_rules! twice {
    ($attempt:expr) => {
        match $attempt.await {
            Err(fault) if lost_connection(&fault) => $attempt.await,
            outcome => outcome,
        }
    };
}

fn lost_connection(fault: &Fault) -> bool {
    fault.what == What::Unreachable && fault.reach == Reach::Account
}

#[async_trait]
impl Target for ImapTarget {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn traits(&self, account: &AccountId) -> Result<TargetTraits, Fault> {
        self.traits.get_or_try_init(|| self.learn_traits(account)).await.cloned()
    }

    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault> {
        let outcome = match account {
            None => self.check_service().await,
            Some(account) => self.check_account(account).await,
        };
        Ok(outcome.unwrap_or_else(|fault| Access { findings: vec![check::finding(&fault)], quota: None }))
    }

    async fn holdings(&self, account: &AccountId, _: Workload, sample: usize) -> Result<Holdings, Fault> {
        twice!(self.holdings_once(account, sample))
    }

    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        let mut lease = self.accounts.lease(&want.account, None).await?;
        let account = lease.account().clone();
        let mut boxes = account.mailboxes.lock().await;
        let foreseen = Surveyor { link: &mut lease.link, boxes: &mut boxes }.foresee(want).await;
        lease.give_back();
        foreseen
    }

    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        twice!(self.ensure_once(want))
    }

    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        let others = twice!(self.others_once(account, known))?;
        Ok(others.iter().map(|(spot, name)| mailboxes::collection(account, workload, spot, name)).collect())
    }

    fn may_name(&self, at: &Collection, handle: &Handle) -> bool {
        match (Spot::of(&at.id), handle::read(handle)) {
            (Ok(spot), Ok((validity, _))) => spot.validity == validity,
            _ => true,
        }
    }

    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        twice!(self.find_once(at, keys))
    }

    fn place<'a>(
        &'a self,
        at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        let config = self.accounts.config();
        let groups = cut(batch, config.batch_items, config.batch_bytes);
        stream::iter(groups).then(move |group| self.place_group(at, group)).flat_map(stream::iter).boxed()
    }

    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        match self.amend_once(at, changes.clone()).await {
            // What the lost command did is ours, and nobody's decision.
            Err(fault) if lost_connection(&fault) => {
                self.amend_once(at, changes.into_iter().map(Amending::repeated).collect()).await
            }
            outcome => outcome,
        }
    }

    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        match self.relocate_once(what, to, copy).await {
            Err(fault) if lost_connection(&fault) => self.relocate_once(what, to, copy).await,
            outcome => outcome,
        }
    }

    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        let (mut lease, validity) = self.selected(&what.at).await?;
        let outcome = amend::withdraw(&mut lease.link, validity, what).await;
        lease.give_back();
        outcome
    }

    async fn settle(&self, _: &Collection) -> Result<(), Fault> {
        Ok(())
    }

    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        let start = Walking::Before(self, at, look);
        stream::unfold(start, Walking::step).boxed()
    }
}

/// A walk as a stream: it starts when it is first polled, and ends at its end or its first fault.
enum Walking<'a> {
    Before(&'a ImapTarget, &'a Collection, Look),
    Under(Box<Walk>),
    Over,
}

impl Walking<'_> {
    async fn step(self) -> Option<(Result<Observed, Fault>, Self)> {
        let mut walk = match self {
            Self::Over => return None,
            Self::Under(walk) => walk,
            Self::Before(target, at, look) => match twice!(target.selected(at)) {
                Ok((lease, _)) => Box::new(Walk::new(lease, look)),
                Err(fault) => return Some((Err(fault), Self::Over)),
            },
        };
        match walk.step().await {
            Ok(Some(observed)) => Some((Ok(observed), Self::Under(walk))),
            Ok(None) => {
                walk.finish();
                None
            }
            Err(fault) => Some((Err(fault), Self::Over)),
        }
    }
}

impl ImapTarget {
    async fn check_service(&self) -> Result<Access, Fault> {
        let greeting = self.accounts.greeting().await?;
        tracing::debug!(greeting, "the server greets");
        let config = self.accounts.config();
        Ok(check::of_greeting(&config.place(), config.security != Security::Plain))
    }

    async fn check_account(&self, account: &AccountId) -> Result<Access, Fault> {
        let mut lease = self.accounts.lease(account, None).await?;
        let access = check::of_account(&mut lease.link).await?;
        lease.give_back();
        Ok(access)
    }

    async fn holdings_once(&self, account: &AccountId, sample: usize) -> Result<Holdings, Fault> {
        let mut lease = self.accounts.lease(account, None).await?;
        let known = lease.account().clone();
        let mut boxes = known.mailboxes.lock().await;
        let census = Surveyor { link: &mut lease.link, boxes: &mut boxes }.census().await?;
        drop(boxes);
        let keys = find::sample(&mut lease.link, &census, sample).await?;
        lease.give_back();
        Ok(Holdings { items: census.iter().map(|(_, messages)| u64::from(*messages)).sum(), keys })
    }

    async fn ensure_once(&self, want: &Wanted) -> Result<Collection, Fault> {
        let mut lease = self.accounts.lease(&want.account, None).await?;
        let account = lease.account().clone();
        let mut boxes = account.mailboxes.lock().await;
        let outcome = Surveyor { link: &mut lease.link, boxes: &mut boxes }.ensure(want).await;
        lease.give_back();
        outcome
    }

    /// Mailboxes with their names as people see them.
    async fn others_once(&self, account: &AccountId, known: &[CollectionId]) -> Result<Vec<(Spot, String)>, Fault> {
        let known = known.iter().map(Spot::of).collect::<Result<Vec<_>, _>>()?;
        let mut lease = self.accounts.lease(account, None).await?;
        let held = lease.account().clone();
        let mut boxes = held.mailboxes.lock().await;
        let others = Surveyor { link: &mut lease.link, boxes: &mut boxes }.others(&known).await;
        lease.give_back();
        others
    }

    async fn find_once(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        let mut lease = self.calm(at, keys).await?;
        let outcome = find::find(&mut lease.link, keys).await;
        lease.give_back();
        outcome
    }

    async fn amend_once(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        let (mut lease, validity) = self.selected(at).await?;
        let outcome = amend::amend(&mut lease.link, validity, changes).await;
        lease.give_back();
        outcome
    }

    async fn relocate_once(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        let (mut lease, validity) = self.selected(&what.at).await?;
        let mut spot = Spot::of(&to.id)?;
        let mut outcome = amend::relocate(&mut lease.link, validity, what, &spot.mailbox, copy).await;
        if let Ok(Err(answer)) = &outcome
            && faults::Refusal::of(answer) == faults::Refusal::NoMailbox
        {
            let account = lease.account().clone();
            let mut boxes = account.mailboxes.lock().await;
            spot = Surveyor { link: &mut lease.link, boxes: &mut boxes }.reopen(&spot).await?;
            outcome = amend::relocate(&mut lease.link, validity, what, &spot.mailbox, copy).await;
        }
        if outcome.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown) {
            lease.account().remember_loss(&spot.mailbox, lease.link.silent);
        }
        let place = lease.link.place().to_owned();
        lease.give_back();
        outcome?.map_err(|answer| faults::refused(&place, "to move a message", &answer))
    }
}
