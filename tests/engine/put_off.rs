//! One calendar, or one mailbox, at which the target stumbles: what is to be done there is put off, and the rest of the
//! account goes on.

use crate::{
    in_place::{Agenda, CALENDAR, event, files},
    proof::opened,
    wires::{Behind, Between, Fate},
    world::{Ear, World, project},
};
use async_trait::async_trait;
use futures::StreamExt;
use std::sync::Arc;
use tempfile::TempDir;
use transhume::{
    engine::{Mover, Policy, account_standing},
    store::Project,
};
use transhume_contract::{
    Account, Amended, Amending, Cause, Collection, CollectionId, Content, Facts, Fault, Found, Handle, IntentId,
    ItemId, NaturalKey, Placed, Placement, Placing, Reach, Role, Target, Wanted, What, Workload,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Ensure,
    Find,
    Amend,
}

/// Refuses a verb in one collection, by the end of its name, and for good as far as it knows: what is to be done there is
/// owed nevertheless. Placings meet their fate, and a move that was not made before
/// goes unanswered where they do.
struct Shut {
    target: Arc<dyn Target>,
    verb: Option<(Verb, &'static str)>,
    fate: Fate,
}

impl Shut {
    fn check(&self, verb: Verb, name: &str) -> Result<(), Fault> {
        match self.verb {
            Some((shut, at)) if shut == verb && name.ends_with(at) => {
                let shut = Fault::new(What::Forbidden, format!("{name} is shut")).skip(Cause::RefusedByTarget);
                Err(shut.reaching(Reach::Collection))
            }
            _ => Ok(()),
        }
    }
}

fn lost() -> Fault {
    Fault::new(What::Unreachable, "the connection was lost").outcome_unknown()
}

#[async_trait]
impl Between for Shut {
    fn target(&self) -> &dyn Target {
        &*self.target
    }
    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        self.check(Verb::Ensure, want.path.last().unwrap())?;
        self.target.ensure(want).await
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        self.check(Verb::Find, &at.name)?;
        self.target.find(at, keys).await
    }
    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        self.check(Verb::Amend, &at.name)?;
        self.target.amend(at, changes).await
    }
    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        let placed = self.target.relocate(what, to, copy).await?;
        if self.fate == Fate::Unanswered && copy.is_none() { Err(lost()) } else { Ok(placed) }
    }
    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        let (intent, answer) = self.target.place(at, vec![placing]).collect::<Vec<_>>().await.pop().unwrap();
        let answer = answer.and_then(|placed| match self.fate {
            Fate::Arrives => Ok(placed),
            Fate::Untold => Ok(Placed { version: None, ..placed }),
            Fate::Unanswered | Fate::Swallowed => Err(lost()),
        });
        (intent, answer)
    }
}

/// Nothing stops the account. Answers the items that are owed, and the changes.
async fn owing(project: &Project, account: &Account, movers: &[Mover], workload: Workload) -> (u64, u64) {
    let store = project.open_account(&account.id).await.unwrap();
    let row = &movers[0].row;
    let standing = account_standing(project, &store, row, workload, &Policy::default()).await.unwrap();
    assert!(standing.stops.is_empty(), "{:?}", standing.stops);
    (standing.owed.items, standing.changes)
}

/// Two calendars, each with an event that has a colour of its own.
struct Two {
    agenda: Agenda,
    private: CollectionId,
}

impl Two {
    async fn new(summary: &str) -> Self {
        let agenda = Agenda::new().await;
        let private = agenda.source.add_collection(&agenda.account.id, None, "Private", Role::Ordinary);
        let two = Self { agenda, private };
        two.told(summary);
        two
    }

    fn told(&self, summary: &str) {
        self.agenda.told(summary, "red");
        let (account, text) = (&self.agenda.account.id, event(summary, "blue"));
        self.agenda.source.put(account, &self.private, "two", Content::FollowsVersion, Facts::default(), text);
    }

    /// One run of the program. Answers what is owed after it.
    async fn run(&mut self, verb: Option<(Verb, &'static str)>, fate: Fate) -> (u64, u64) {
        self.agenda.next_run().await;
        let target = Shut { target: self.agenda.folder(), verb, fate };
        let (_, movers) = self.agenda.pass(Arc::new(Behind(target))).await;
        owing(self.agenda.project(), &self.agenda.account, &movers, CALENDAR).await
    }

    /// The summaries of what stands there: of the red one and the blue one.
    fn standing(&self) -> [Option<String>; 2] {
        let all = self.agenda.standing();
        assert!(all.len() <= 2, "{all:#?}");
        ["red", "blue"].map(|colour| {
            let text = all.iter().find(|text| text.contains(&format!("COLOR:{colour}\r\n")))?;
            text.lines().find_map(|line| line.strip_prefix("SUMMARY:")).map(str::to_owned)
        })
    }
}

fn are(red: Option<&str>, blue: Option<&str>) -> [Option<String>; 2] {
    [red, blue].map(|summary| summary.map(str::to_owned))
}

const COUNCIL: Option<(Verb, &str)> = Some((Verb::Find, "Council"));

#[tokio::test]
async fn a_calendar_that_cannot_be_read_back_puts_off_the_replacing_of_its_own_events_alone() {
    let mut two = Two::new("first").await;
    assert_eq!(two.run(COUNCIL, Fate::Untold).await, (0, 0));
    two.told("second");
    assert_eq!(two.run(COUNCIL, Fate::Untold).await, (0, 1));
    assert_eq!(two.standing(), are(Some("first"), Some("second")));
    assert_eq!(two.agenda.setbacks().await, [("Council is shut".to_owned(), false)]);
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!(two.standing(), are(Some("second"), Some("second")));
}

#[tokio::test]
async fn a_calendar_that_became_read_only_puts_off_the_replacing_of_its_own_events_alone() {
    let mut two = Two::new("first").await;
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    two.told("second");
    assert_eq!(two.run(Some((Verb::Ensure, "Council")), Fate::Arrives).await, (0, 1));
    assert_eq!(two.standing(), are(Some("first"), Some("second")));
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!(two.standing(), are(Some("second"), Some("second")));
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_back_puts_off_the_withdrawing_of_its_own_events_alone() {
    let mut two = Two::new("first").await;
    two.agenda.withdraws = true;
    assert_eq!(two.run(COUNCIL, Fate::Untold).await, (0, 0));
    for id in ["one", "two"] {
        two.agenda.source.remove(&two.agenda.account.id, &ItemId::new(id));
    }
    assert_eq!(two.run(COUNCIL, Fate::Untold).await, (0, 1));
    assert_eq!(two.standing(), are(Some("first"), None));
    assert_eq!(two.run(None, Fate::Untold).await, (0, 0));
    assert_eq!(two.standing(), are(None, None));
}

#[tokio::test]
async fn a_calendar_that_cannot_be_looked_into_leaves_its_own_intents_open_alone() {
    let mut two = Two::new("first").await;
    assert_eq!(two.run(COUNCIL, Fate::Unanswered).await, (1, 0), "the other one was found");
    assert_eq!(two.run(COUNCIL, Fate::Unanswered).await, (1, 0), "nothing is sent again before it is looked for");
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!(two.standing(), are(Some("first"), Some("first")));
}

#[tokio::test]
async fn a_newer_event_that_may_have_arrived_is_not_sent_again_before_it_can_be_looked_for() {
    let mut two = Two::new("first").await;
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    two.told("second");
    assert_eq!(two.run(COUNCIL, Fate::Unanswered).await, (2, 0));
    assert_eq!(two.run(COUNCIL, Fate::Arrives).await, (1, 0), "the other one was found");
    // Sent again, it would be taken for what people changed.
    assert_eq!(two.agenda.setbacks().await, []);
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!((two.standing(), two.agenda.setbacks().await), (are(Some("second"), Some("second")), vec![]));
}

#[tokio::test]
async fn an_event_whose_newer_one_may_have_arrived_is_not_moved_before_that_can_be_looked_for() {
    let mut two = Two::new("first").await;
    let account = two.agenda.account.id.clone();
    let attic = two.agenda.source.add_collection(&account, None, "Attic", Role::Ordinary);
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    two.told("second");
    assert_eq!(two.run(COUNCIL, Fate::Unanswered).await, (2, 0));
    two.agenda.source.shift(&account, &ItemId::new("one"), &attic);
    assert_eq!(two.run(COUNCIL, Fate::Arrives).await, (1, 0));
    assert_eq!((two.standing(), two.agenda.setbacks().await), (are(Some("second"), Some("second")), vec![]));
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!((two.standing(), two.agenda.setbacks().await), (are(Some("second"), Some("second")), vec![]));
    let stands = files(&two.agenda.place()).into_iter().filter(|path| path.parent().unwrap().ends_with("Attic"));
    assert_eq!(stands.count(), 1);
}

#[tokio::test]
async fn an_event_whose_newer_one_may_have_arrived_is_not_withdrawn_before_that_can_be_looked_for() {
    let mut two = Two::new("first").await;
    two.agenda.withdraws = true;
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    two.told("second");
    two.run(COUNCIL, Fate::Unanswered).await;
    for id in ["one", "two"] {
        two.agenda.source.remove(&two.agenda.account.id, &ItemId::new(id));
    }
    two.run(COUNCIL, Fate::Arrives).await;
    assert_eq!((two.standing(), two.agenda.setbacks().await), (are(Some("second"), None), vec![]));
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!((two.standing(), two.agenda.setbacks().await), (are(None, None), vec![]));
}

#[tokio::test]
async fn a_calendar_that_cannot_be_looked_into_leaves_its_own_moves_open_alone() {
    let mut two = Two::new("first").await;
    let account = two.agenda.account.id.clone();
    let to = ["Archive", "Attic"].map(|name| two.agenda.source.add_collection(&account, None, name, Role::Ordinary));
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    for (id, to) in ["one", "two"].iter().zip(&to) {
        two.agenda.source.shift(&account, &ItemId::new(*id), to);
    }
    assert_eq!(two.run(Some((Verb::Find, "Archive")), Fate::Unanswered).await, (1, 0), "the other one was found");
    assert_eq!(two.run(Some((Verb::Find, "Archive")), Fate::Arrives).await, (1, 0));
    assert_eq!(two.run(None, Fate::Arrives).await, (0, 0));
    assert_eq!(two.standing(), are(Some("first"), Some("first")));
}

/// Where the archive of a mailbox is shut.
struct Mailbox {
    world: World,
    dir: TempDir,
}

const ARCHIVE: &str = "2019";

impl Mailbox {
    async fn new(tells_handle: bool) -> Self {
        Self { world: World::new(tells_handle), dir: project().await }
    }

    /// One run of the program. Answers what is owed after it, and what was told of each item.
    async fn run(&self, verb: Option<Verb>) -> ((u64, u64), Vec<(String, String)>) {
        self.run_to(verb, Fate::Arrives).await
    }

    async fn run_to(&self, verb: Option<Verb>, fate: Fate) -> ((u64, u64), Vec<(String, String)>) {
        let verb = verb.map(|verb| (verb, ARCHIVE));
        let target = Arc::new(Behind(Shut { target: self.world.target.clone(), verb, fate }));
        let engine = self.world.engine_with(self.world.source.clone(), target, Arc::new(Ear::default()));
        let project = opened(&self.dir).await;
        let movers = self.world.pass(&engine, &project).await.unwrap();
        let owed = owing(&project, &self.world.account, &movers, Workload::Mail).await;
        let store = project.open_account(&self.world.account.id).await.unwrap();
        let met = store.setbacks(Workload::Mail, None, 10).await.unwrap().into_iter();
        (owed, met.map(|one| (one.id.as_str().to_owned(), one.fault.sentence)).collect())
    }

    /// One message in the archive and one in the inbox are read.
    fn read(&self) {
        let read = Facts { read: Some(true), ..Facts::default() };
        for id in ["m03", "m05"] {
            self.world.source.edit(&self.world.account.id, &ItemId::new(id), &read);
        }
    }

    fn are_read(&self) -> [bool; 2] {
        ["Subject: 3", "Subject: 5"].map(|subject| {
            let line = self.world.standing().into_iter().find(|line| line.contains(subject)).unwrap();
            line.contains("Some(true)")
        })
    }

    /// A draft in each of the two.
    fn draft(&self, text: &str) {
        let source = &self.world.source;
        for (id, at) in [("in", &self.world.inbox), ("out", &self.world.archive)] {
            let text = format!("Subject: draft {id}\r\n\r\n{text}\r\n");
            source.put(&self.world.account.id, at, id, Content::FollowsVersion, Facts::default(), text);
        }
    }

    fn drafts(&self, text: &str) -> usize {
        self.world.standing().iter().filter(|line| line.contains("Subject: draft") && line.contains(text)).count()
    }
}

fn told(id: &str) -> Vec<(String, String)> {
    vec![(id.to_owned(), "Inbox/Archive/2019 is shut".to_owned())]
}

/// What waits there for its handle is not said to have been removed.
#[tokio::test]
async fn a_mailbox_in_which_no_handle_can_be_found_puts_off_its_own_changes_alone() {
    let mailbox = Mailbox::new(false).await;
    assert_eq!(mailbox.run(Some(Verb::Find)).await, ((0, 0), vec![]));
    mailbox.read();
    assert_eq!(mailbox.run(Some(Verb::Find)).await, ((0, 1), told("m03")));
    assert_eq!(mailbox.are_read(), [false, true]);
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    assert_eq!(mailbox.are_read(), [true, true]);
}

#[tokio::test]
async fn a_mailbox_that_takes_no_flags_puts_off_its_own_changes_alone() {
    let mailbox = Mailbox::new(true).await;
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    mailbox.read();
    assert_eq!(mailbox.run(Some(Verb::Amend)).await, ((0, 1), told("m03")));
    assert_eq!(mailbox.are_read(), [false, true]);
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    assert_eq!(mailbox.are_read(), [true, true]);
}

#[tokio::test]
async fn a_mailbox_that_takes_nothing_puts_off_its_own_newer_drafts_alone() {
    let mailbox = Mailbox::new(true).await;
    mailbox.draft("first");
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    mailbox.draft("second");
    let (owed, met) = mailbox.run(Some(Verb::Ensure)).await;
    assert_eq!((owed, met.len(), met[0].0.as_str()), ((0, 1), 1, "out"));
    assert_eq!((mailbox.drafts("first"), mailbox.drafts("second")), (1, 1));
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    assert_eq!((mailbox.drafts("first"), mailbox.drafts("second")), (0, 2));
}

#[tokio::test]
async fn a_newer_draft_that_may_have_arrived_is_not_sent_again_before_it_can_be_looked_for() {
    let mailbox = Mailbox::new(true).await;
    mailbox.draft("first");
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    mailbox.draft("second");
    assert_eq!(mailbox.run_to(Some(Verb::Find), Fate::Unanswered).await.0, (2, 0));
    assert_eq!(mailbox.run_to(Some(Verb::Find), Fate::Arrives).await.0, (1, 0), "the other one was found");
    assert_eq!((mailbox.drafts("first"), mailbox.drafts("second")), (1, 2));
    assert_eq!(mailbox.run(None).await, ((0, 0), vec![]));
    assert_eq!((mailbox.drafts("first"), mailbox.drafts("second")), (0, 2));
}
