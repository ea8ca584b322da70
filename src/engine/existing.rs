//! What stood at a target before anything was placed there: what people have there already, or what a former
//! migration left, which a second one would double.

use super::{Engine, policy::Existing};
use crate::store::AccountStore;
use serde::Serialize;
use std::collections::HashSet;
use transhume_contract::{AccountId, Fault, Finding, ItemId, Reach, Severity, What, Workload};

/// The code of a mailbox that is in use already.
pub(super) const HOLDS_MAIL: &str = "holds_mail";

/// Message-IDs or UIDs looked at.
const SAMPLE: usize = 200;

/// What stands in an account at the target though nothing was ever placed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Before {
    pub items: u64,
    /// Message-IDs looked at.
    pub sampled: u64,
    /// Those that are among the mail to be moved.
    pub ours: u64,
    /// Something is listed that they could be compared with.
    pub compared: bool,
    pub workload: Workload,
}

impl Engine {
    /// Looks for mail that stood in an account before the first of ours; `None` where there is none, or where something
    /// of ours stands there already. That ours stands under another login is a fault. Without a store nobody knows yet what is to be moved.
    pub(super) async fn before(
        &self,
        store: Option<&AccountStore>,
        login: &AccountId,
        workload: Workload,
    ) -> Result<Option<Before>, Fault> {
        let mut compared = false;
        if let Some(store) = store {
            self.refuse_another_login(store, login, workload).await?;
            let totals = store.totals(workload).await?;
            let ours = [totals.placed, totals.withdrawn, totals.superseded, totals.lost];
            if totals.open_intents > 0 || ours.iter().any(|tally| tally.items > 0) {
                return Ok(None);
            }
            compared = totals.listed.items > 0;
        }
        let holdings = self.stop.unless(self.target(workload)?.holdings(login, workload, SAMPLE)).await?;
        let sampled = holdings.keys.len() as u64;
        let ours = match store {
            Some(store) => self.ours_among(store, login, workload, holdings.keys).await?,
            None => 0,
        };
        Ok((holdings.items > 0).then_some(Before { items: holdings.items, sampled, ours, compared, workload }))
    }

    /// How many of these keys are of items to be moved.
    async fn ours_among(
        &self,
        store: &AccountStore,
        login: &AccountId,
        workload: Workload,
        keys: Vec<String>,
    ) -> Result<u64, Fault> {
        if keys.is_empty() || matches!(workload, Workload::Mail | Workload::Calendar) {
            return store.count_known(workload, keys).await;
        }
        let profile = self.target_traits(workload, login).await?.profile;
        let made = |item: &ItemId| self.render.made_key(workload, item, &profile);
        let ours: HashSet<String> = store.ids_at_source(workload).await?.iter().filter_map(made).collect();
        Ok(keys.iter().filter(|key| ours.contains(key.as_str())).count() as u64)
    }

    /// Refuses an account whose mail was placed, or sent with an unknown outcome, under another login than the one it is
    /// to go to now: the rest would land in a second mailbox, and what is looked at would be the first.
    pub(super) async fn refuse_another_login(
        &self,
        store: &AccountStore,
        login: &AccountId,
        workload: Workload,
    ) -> Result<(), Fault> {
        for (key, at) in store.target_collections(workload).await? {
            if at.account == *login {
                continue;
            }
            let placed = !store.placements_at(key, None, 1).await?.is_empty();
            if placed || !store.open_intents(key, None, 1).await?.is_empty() {
                let (former, login) = (at.account.as_str(), login.as_str());
                let done = if placed { "placed in" } else { "sent to" };
                let (things, home) = (workload.item(), home(workload));
                let sentence = format!(
                    "{things}s of this account were {done} the {home} {former}, and accounts.csv now says {login}"
                );
                let step = format!(
                    "Write {former} back into the column target; or rename the {home} on the server; or, to place \
                     everything in {login}, move this account's folder out of accounts/ and run again, which pulls it anew."
                );
                return Err(Fault::new(What::Exists, sentence).reaching(Reach::Account).ask(step));
            }
        }
        Ok(())
    }

    /// Says what stood there before, and stops the account where placing would double it and nobody decided.
    pub(super) async fn heed_what_stood_before(
        &self,
        store: &AccountStore,
        login: &AccountId,
        workload: Workload,
    ) -> Result<(), Fault> {
        let Some(before) = self.before(Some(store), login, workload).await? else { return Ok(()) };
        if before.ours > 0 && self.policy.existing == Existing::Ask {
            return Err(Fault::new(What::Exists, before.sentence()).reaching(Reach::Account).ask(decide(workload)));
        }
        let account = Some(store.account().address.clone());
        self.tell(super::Event::Note { account, sentence: before.sentence() });
        Ok(())
    }
}

/// Where the items of a login stand.
const fn home(workload: Workload) -> &'static str {
    if matches!(workload, Workload::Mail) { "mailbox" } else { "account" }
}

/// By what adopting knows what is there.
const fn alike(workload: Workload) -> &'static str {
    if matches!(workload, Workload::Mail) { "is there byte for byte" } else { "stands there and says the same" }
}

fn decide(workload: Workload) -> String {
    format!(
        "Empty it at the target; or set `existing` under [policy] in transhume.toml: \"adopt\" takes for placed what {} and \
         places the rest, \"add\" places everything beside it.",
        alike(workload)
    )
}

impl Before {
    pub fn sentence(&self) -> String {
        let (items, home) = (self.items, home(self.workload));
        let (held, is, it) = match self.workload {
            Workload::Mail => ("mail".to_owned(), "is", "it"),
            other => (format!("{}s", other.item()), "are", "they"),
        };
        let holds = format!("the {home} at the target already holds {held} ({items} counted)");
        if !self.compared {
            return format!("{holds}; `transhume plan` tells whether it is {held} that {is} to be moved");
        }
        if self.ours == 0 {
            return format!("{holds}; what is moved joins it");
        }
        format!(
            "{holds}, and {} of {} looked at are {held} that {is} to be moved: {it} would stand there twice.",
            self.ours, self.sampled
        )
    }

    pub(super) fn finding(&self, decided: Existing) -> Finding {
        let (severity, fix) = match (self.ours, decided) {
            (0, _) => (Severity::Note, String::new()),
            (_, Existing::Ask) => (Severity::Blocker, decide(self.workload)),
            (_, Existing::Adopt) => {
                let alike = alike(self.workload);
                (Severity::Note, format!("What {alike} is taken for placed (policy existing)."))
            }
            (_, Existing::Add) => {
                (Severity::Warning, "Everything is placed beside it, as the policy `existing` says.".to_owned())
            }
        };
        let code = match (self.ours, self.workload) {
            (0, _) => HOLDS_MAIL,
            (_, Workload::Mail) => "holds_same_mail",
            (_, _) => "holds_same_items",
        };
        Finding { severity, code: code.into(), sentence: self.sentence(), fix }
    }
}
