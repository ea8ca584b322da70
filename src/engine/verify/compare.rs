//! One collection of the target under comparison.

use super::{
    PAGE, PAGE_WITH_BYTES, There,
    extra::{Duplicate, Extras},
    judge::{Differences, Reading, judge, where_it_is},
};
use crate::{
    engine::{Audience, Engine, Event, Kind, is_fine},
    store::{AccountStore, NewVerdict, Placement, Subject, TargetKey},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use transhume_contract::{Collection, Depth, Fault, Handle, Look, Observed, What, Workload};

pub(super) struct Comparison<'a> {
    pub engine: &'a Engine,
    pub store: &'a AccountStore,
    pub workload: Workload,
    pub key: TargetKey,
    pub at: &'a Collection,
    pub look: Look,
    /// For whom renderings are made now.
    pub audience: &'a Audience,
}

impl<'a> Comparison<'a> {
    pub fn new(
        engine: &'a Engine,
        store: &'a AccountStore,
        workload: Workload,
        (key, at): (TargetKey, &'a Collection),
        (look, audience): (Look, &'a Audience),
    ) -> Self {
        Self { engine, store, workload, key, at, look, audience }
    }

    /// Read at once: fewer where each comes with its bytes.
    const fn page(&self) -> usize {
        if self.is_verbatim() { PAGE } else { PAGE_WITH_BYTES }
    }

    /// Targets keep these byte for byte; events, contacts and tasks they may write anew.
    pub const fn is_verbatim(&self) -> bool {
        matches!(self.workload, Workload::Mail | Workload::Files)
    }

    /// Compares everything that stands in the collection with what was placed there.
    pub async fn compare(&self, account: &str) -> Result<There, Fault> {
        self.store.begin_comparison(self.key).await?;
        let (mut there, mut extras) = (There::at(&self.at.name), Extras::of(self).await?);
        let target = self.engine.target(self.workload)?;
        let mut seen = target.observe(self.at, self.look).chunks(self.page());
        while let Some(page) = self.engine.stop.unless(async { Ok(seen.next().await) }).await? {
            let page: Result<Vec<Observed>, Fault> = page.into_iter().collect();
            match page {
                Ok(page) => self.judge_page(account, page, &mut there, &mut extras).await?,
                // The whole collection is gone: everything in it is missing.
                Err(fault) if fault.what == What::Vanished => break,
                Err(fault) => return Err(fault),
            }
        }
        drop(seen);
        extras.recognise(self).await?;
        self.find_missing(account, &mut there, &mut extras).await?;
        self.keep_answering(account, &mut there, &mut extras).await?;
        self.tell_duplicates(account, &mut there, extras).await?;
        Ok(there)
    }

    async fn judge_page(
        &self,
        account: &str,
        page: Vec<Observed>,
        there: &mut There,
        extras: &mut Extras,
    ) -> Result<(), Fault> {
        let handles = page.iter().map(|observed| observed.handle.clone()).collect();
        let ours = self.store.placements_by_handle(self.key, handles).await?;
        let readings = self.readings(&ours).await?;
        let ours: BTreeMap<_, _> =
            ours.iter().filter_map(|placement| Some((placement.handle.clone()?, placement))).collect();
        let otherwise = self.said_otherwise(&ours, &page).await?;
        let (target, mut others) = (self.engine.target(self.workload)?, Vec::new());
        let mut verdicts = Vec::with_capacity(page.len());
        for observed in &page {
            match ours.get(&observed.handle) {
                Some(placement) => {
                    there.ours += 1;
                    there.read_back += u64::from(observed.digest.is_some());
                    let said = Differences {
                        of_rendering: readings.get(&placement.rendering).unwrap_or(&Reading::Faithful),
                        there: otherwise.get(&observed.handle).map_or(&[][..], Vec::as_slice),
                        verbatim: self.is_verbatim(),
                    };
                    let depth = self.look.depth_of(&observed.handle);
                    verdicts.push(self.verdict(placement, depth, judge(placement, observed, &said)));
                }
                None if target.is_left_behind(observed) => {
                    let detail = json!({ "at": self.at.name, "answers": true });
                    verdicts.push(self.extra(&observed.handle, Kind::LeftBehind, detail));
                }
                None => {
                    there.others += 1;
                    others.push(observed);
                    verdicts.push(self.extra(
                        &observed.handle,
                        Kind::Extra,
                        json!({ "at": self.at.name, "bytes": observed.length, "message_id": observed.facts.message_id }),
                    ));
                }
            }
        }
        extras.note(self, &others).await?;
        self.keep(account, verdicts, there).await
    }

    pub(super) async fn keep(&self, account: &str, verdicts: Vec<NewVerdict>, there: &mut There) -> Result<(), Fault> {
        let none = [Kind::Extra.name(), Kind::LeftBehind.name()];
        let items = verdicts.iter().filter(|verdict| !none.contains(&verdict.kind.as_str())).count() as u64;
        let differences = verdicts.iter().filter(|verdict| !is_fine(&verdict.kind)).count() as u64;
        self.store.record_verdicts(verdicts).await?;
        there.differences += differences;
        self.engine.tell(Event::Verified { account: account.to_owned(), items, differences });
        Ok(())
    }

    fn verdict(&self, placement: &Placement, depth: Depth, (kind, detail): (Kind, Value)) -> NewVerdict {
        let subject = Subject::Placement(placement.key);
        let detail = if kind == Kind::Ok { detail } else { where_it_is(detail, &self.at.name, placement) };
        NewVerdict { workload: self.workload, subject, depth, kind: kind.name().into(), detail }
    }

    fn extra(&self, handle: &Handle, kind: Kind, detail: Value) -> NewVerdict {
        let (subject, depth) = (Subject::Extra(self.key, handle.clone()), self.look.depth_of(handle));
        NewVerdict { workload: self.workload, subject, depth, kind: kind.name().into(), detail }
    }

    /// What was placed and not seen is missing. Where the same stands there under another handle, it is said: the server
    /// numbered its messages anew, or people took the message away and put it back.
    async fn find_missing(&self, account: &str, there: &mut There, extras: &mut Extras) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let page = self.store.placements_without_verdict(self.key, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { return Ok(()) };
            let missing = |placement: &Placement| {
                let again = extras.take(&placement.natural_key());
                let detail = if again { json!({ "stands_there_anew": true }) } else { json!({}) };
                self.verdict(placement, self.look.depth(), (Kind::Missing, detail))
            };
            let verdicts: Vec<_> = page.iter().map(missing).collect();
            there.missing += verdicts.len() as u64;
            self.keep(account, verdicts, there).await?;
            after = Some(last);
        }
    }

    /// What answers for something of ours here was not moved here from elsewhere.
    async fn keep_answering(&self, account: &str, there: &mut There, extras: &mut Extras) -> Result<(), Fault> {
        let detail = || json!({ "at": self.at.name, "answers": true });
        for page in extras.answering().chunks(PAGE) {
            let verdicts = page.iter().map(|handle| self.extra(handle, Kind::Extra, detail())).collect();
            self.keep(account, verdicts, there).await?;
        }
        Ok(())
    }

    /// What equals ours and no placement answers for is a second copy.
    async fn tell_duplicates(&self, account: &str, there: &mut There, extras: Extras) -> Result<(), Fault> {
        let copies = extras.left();
        let verdict = |Duplicate { handle, bytes, of }: &Duplicate| {
            let detail = json!({ "copy_of": of.item.number(), "bytes": bytes });
            self.extra(handle, Kind::Duplicate, where_it_is(detail, &self.at.name, of))
        };
        for page in copies.chunks(PAGE) {
            self.keep(account, page.iter().map(verdict).collect(), there).await?;
        }
        there.duplicates = copies.len() as u64;
        there.others -= there.duplicates;
        Ok(())
    }
}
