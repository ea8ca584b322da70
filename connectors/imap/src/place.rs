//! Placing: batches, and what to do when a server refuses one.

use crate::{
    EARLIEST, ImapTarget, LATEST,
    account::Lease,
    append::{Entry, Reply, append_each, append_many},
    faults::{self, Refusal},
    flags::{Flags, refused_keyword},
    handle, keywords,
    link::Answer,
    mailboxes::Surveyor,
    spot::Spot,
};
use std::collections::VecDeque;
use transhume_contract::{AccountId, Cause, Collection, Fault, IntentId, Loss, Placed, Placing, Reach, What};

pub type Outcomes = Vec<(IntentId, Result<Placed, Fault>)>;

/// How often messages that surely were not stored are sent again on a new connection.
const RESENDS: usize = 2;

/// One message on its way.
#[derive(Clone)]
struct Job {
    placing: Placing,
    flags: Flags,
    /// Keywords held back because the message was refused with them; tried one by one once it stands.
    held_back: Vec<String>,
}

impl Job {
    /// The keywords that were wanted and do not stand there once it is stored.
    fn left_out(&self, refused: &[(String, Loss)]) -> Vec<String> {
        let set_later =
            |keyword: &String| self.held_back.contains(keyword) && refused.iter().all(|(word, _)| word != keyword);
        let stands = |keyword: &&String| self.flags.keywords.contains(keyword) || set_later(keyword);
        self.placing.facts.categories.iter().flatten().filter(|keyword| !stands(keyword)).cloned().collect()
    }
}

/// The placing of one batch into one mailbox.
pub struct Placer<'a> {
    target: &'a ImapTarget,
    account: AccountId,
    spot: Spot,
    waiting: VecDeque<Vec<Job>>,
    done: Outcomes,
    resends: usize,
    reopened: bool,
}

/// Cuts a batch into commands no larger than the settings allow; a message that is larger goes alone.
pub fn cut(batch: Vec<Placing>, items: usize, bytes: u64) -> VecDeque<Vec<Placing>> {
    let mut groups: VecDeque<Vec<Placing>> = VecDeque::new();
    let mut size = 0;
    for placing in batch {
        let length = placing.body.length();
        match groups.back_mut().filter(|group| group.len() < items && size + length <= bytes) {
            Some(group) => {
                group.push(placing);
                size += length;
            }
            None => {
                groups.push_back(vec![placing]);
                size = length;
            }
        }
    }
    groups
}

impl<'a> Placer<'a> {
    pub fn new(target: &'a ImapTarget, at: &Collection) -> Result<Self, Fault> {
        Ok(Self {
            target,
            account: at.account.clone(),
            spot: Spot::of(&at.id)?,
            waiting: VecDeque::new(),
            done: Vec::new(),
            resends: RESENDS,
            reopened: false,
        })
    }

    /// Places a group that fits one command. Every message is answered for.
    pub async fn place(mut self, group: Vec<Placing>) -> Outcomes {
        let jobs: Vec<Job> = group.into_iter().map(|placing| self.job(placing)).collect();
        self.waiting.push_back(jobs);
        while let Some(group) = self.waiting.pop_front() {
            match self.target.accounts.lease(&self.account, None).await {
                Ok(lease) => self.send(lease, group).await,
                Err(fault) => self.fail_all(group, &fault),
            }
        }
        self.done
    }

    fn job(&self, placing: Placing) -> Job {
        let mut flags = Flags::of(&placing.facts);
        let account = self.target.accounts.account(&self.account);
        let known = account.keywords_in(&self.spot.mailbox, |known| known.refused.clone());
        flags.keywords.retain(|keyword| !known.contains(keyword));
        let lost = placing.facts.categories.iter().flatten().filter(|keyword| known.contains(keyword));
        flags.losses.extend(lost.map(|keyword| refused_keyword(keyword, "the mailbox takes no more keywords")));
        Job { placing, flags, held_back: Vec::new() }
    }

    /// Answers this group and all that wait with one fault.
    fn fail_all(&mut self, group: Vec<Job>, fault: &Fault) {
        let waiting = std::mem::take(&mut self.waiting);
        for job in group.into_iter().chain(waiting.into_iter().flatten()) {
            self.done.push((job.placing.intent, Err(fault.clone())));
        }
    }

    async fn send(&mut self, mut lease: Lease, group: Vec<Job>) {
        let group = self.refuse_too_large(&lease, group);
        if group.is_empty() {
            return lease.give_back();
        }
        if group.len() > 1 && self.may_overflow(&mut lease, &group).await {
            group.into_iter().rev().for_each(|job| self.put_back(vec![job]));
            return lease.give_back();
        }
        let entries: Vec<Entry> = group.iter().map(entry).collect();
        if lease.link.can("MULTIAPPEND") || group.len() == 1 {
            let reply = append_many(&mut lease.link, &self.spot.mailbox, &entries).await;
            self.take_reply(&mut lease, group, reply).await;
        } else {
            let replies = append_each(&mut lease.link, &self.spot.mailbox, &entries).await;
            self.take_replies(&mut lease, group, replies).await;
        }
        lease.give_back();
    }

    fn refuse_too_large(&mut self, lease: &Lease, group: Vec<Job>) -> Vec<Job> {
        let Some(limit) = lease.link.append_limit() else { return group };
        let (fits, too_large): (Vec<_>, Vec<_>) = group.into_iter().partition(|job| job.placing.body.length() <= limit);
        for job in too_large {
            self.done.push((job.placing.intent, Err(over_limit(job.placing.body.length(), limit))));
        }
        fits
    }

    /// Replies to single commands, in order; messages without one were not begun.
    async fn take_replies(&mut self, lease: &mut Lease, group: Vec<Job>, replies: Vec<Reply>) {
        let mut group = group.into_iter();
        for reply in replies {
            let Some(job) = group.next() else { return };
            let reply = match reply {
                Reply::BadBody(_, fault) => Reply::BadBody(0, fault),
                other => other,
            };
            self.take_reply(lease, vec![job], reply).await;
        }
        let rest: Vec<Job> = group.collect();
        if !rest.is_empty() {
            self.waiting.push_back(rest);
        }
    }

    async fn take_reply(&mut self, lease: &mut Lease, group: Vec<Job>, reply: Reply) {
        match reply {
            Reply::Told(answer) if answer.ok => self.stored(lease, group, &answer).await,
            Reply::Told(answer) => self.refused(lease, group, &answer).await,
            Reply::Unknown(fault) => {
                lease.account().remember_loss(&self.spot.mailbox, lease.link.silent);
                if group.len() > 1 && group.iter().any(|job| !job.flags.keywords.is_empty()) {
                    lease.account().keywords_in(&self.spot.mailbox, |known| known.suspected = true);
                }
                let fault = fault.reaching(Reach::Item).outcome_unknown();
                self.done.extend(group.into_iter().map(|job| (job.placing.intent, Err(fault.clone()))));
            }
            Reply::NotDone(fault) => self.send_again(group, &fault),
            Reply::BadBody(index, fault) => {
                let mut group = group;
                if index < group.len() {
                    self.done.push((group.remove(index).placing.intent, Err(fault)));
                }
                self.put_back(group);
            }
        }
    }

    /// Whether the keywords of a batch may be more than the mailbox holds: see [`keywords`].
    async fn may_overflow(&self, lease: &mut Lease, group: &[Job]) -> bool {
        let words: Vec<String> = new_words(group).collect();
        !words.is_empty() && keywords::may_overflow(lease, &self.spot.mailbox, &words).await
    }

    fn put_back(&mut self, group: Vec<Job>) {
        if !group.is_empty() {
            self.waiting.push_front(group);
        }
    }

    fn send_again(&mut self, group: Vec<Job>, fault: &Fault) {
        if self.resends == 0 {
            return self.fail_all(group, fault);
        }
        self.resends -= 1;
        self.put_back(group);
    }

    async fn stored(&mut self, lease: &mut Lease, group: Vec<Job>, answer: &Answer) {
        let told = answer.uids.as_ref().filter(|told| told.uids.len() == group.len());
        let words: Vec<String> = new_words(&group).collect();
        lease.account().keywords_in(&self.spot.mailbox, |known| known.standing.extend(words));
        for (index, job) in group.into_iter().enumerate() {
            let handle = told.map(|told| handle::make(told.validity, told.uids[index]));
            let refused = keywords::set(self.target, lease, &self.spot.mailbox, handle.as_ref(), &job.held_back).await;
            let left_out = job.left_out(&refused);
            let mut losses = job.flags.losses;
            losses.extend(refused.into_iter().map(|(_, loss)| loss));
            self.done.push((job.placing.intent, Ok(Placed { handle, version: None, losses, left_out })));
        }
    }

    async fn refused(&mut self, lease: &mut Lease, mut group: Vec<Job>, answer: &Answer) {
        match Refusal::of(answer) {
            Refusal::NoMailbox if !self.reopened => self.reopen(lease, group).await,
            Refusal::OverQuota
            | Refusal::NotPermitted
            | Refusal::NoMailbox
            | Refusal::TooManyConnections
            | Refusal::LoginRefused
            | Refusal::ServerTrouble => {
                let fault = faults::refused(lease.link.place(), "the messages", answer);
                self.fail_all(group, &fault);
            }
            _ if group.len() > 1 && faults::too_many_keywords(answer) => {
                group.into_iter().rev().for_each(|job| self.put_back(vec![job]));
            }
            _ if group.len() > 1 => {
                let second = group.split_off(group.len() / 2);
                self.put_back(second);
                self.put_back(group);
            }
            _ => self.refused_alone(lease, group, answer),
        }
    }

    fn refused_alone(&mut self, lease: &Lease, group: Vec<Job>, answer: &Answer) {
        for mut job in group {
            if job.flags.keywords.is_empty() {
                let fault = faults::refused(lease.link.place(), "the message", answer);
                self.done.push((job.placing.intent, Err(fault)));
            } else {
                job.held_back = std::mem::take(&mut job.flags.keywords);
                self.put_back(vec![job]);
            }
        }
    }

    /// The mailbox is gone under its name: follows it or makes it again, once.
    async fn reopen(&mut self, lease: &mut Lease, group: Vec<Job>) {
        self.reopened = true;
        let account = lease.account().clone();
        let mut boxes = account.mailboxes.lock().await;
        match (Surveyor { link: &mut lease.link, boxes: &mut boxes }).reopen(&self.spot).await {
            Ok(spot) => {
                self.spot = spot;
                self.put_back(group);
            }
            Err(fault) => self.fail_all(group, &fault),
        }
    }
}

/// The keywords of a batch, in lower case: servers tell them apart by nothing else.
fn new_words(group: &[Job]) -> impl Iterator<Item = String> {
    group.iter().flat_map(|job| &job.flags.keywords).map(|keyword| keyword.to_ascii_lowercase())
}

/// Dates outside what servers keep are clamped here too: a wrong date is stored without an error.
fn entry(job: &Job) -> Entry {
    Entry {
        flags: job.flags.list(),
        date: job.placing.facts.received.map(|instant| instant.clamp(EARLIEST, LATEST)),
        body: job.placing.body.clone(),
    }
}

fn over_limit(length: u64, limit: u64) -> Fault {
    Fault::new(What::TooLarge, format!("The message has {length} bytes; the server takes at most {limit}."))
        .skip(Cause::OverTargetLimit)
}
