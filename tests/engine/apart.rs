//! The same meeting in two calendars, at a server that takes a UID once for each account: real folders of `.ics` files
//! behind one that refuses as it does.

use crate::{
    in_place::files,
    proof::opened,
    wires::{Behind, Between},
    world::{Ear, LOGIN, engine, fault, pass, project, texts},
};
use async_trait::async_trait;
use futures::StreamExt;
use std::{
    io::{Read, Write},
    path::PathBuf,
    sync::Arc,
};
use tempfile::TempDir;
use tokio::sync::watch;
use transhume::{
    engine::{
        Audience, DuplicateUid, Engine, Event, Half, Handover, Meaning, Original, Policy, Render, Rendered, Setting,
        Wish, account_standing, discover, muster,
    },
    store::{Opening, Project, Stop, StoreOptions},
};
use transhume_contract::{
    Account, Cause, Collection, CollectionId, Content, Depth, Digest, Facts, Fault, IntentId, ItemId, Loss, Placed,
    Placing, Profile, Reach, Role, Target, TargetTraits, What, Workload, memory::MemorySource,
};

const CALENDAR: Workload = Workload::Calendar;
const UID: &str = "council@example.org";

/// Events are rendered as they are, or apart under a UID of their own.
struct Events;

/// The UID of an event that stands apart, by what follows its own.
fn uid_apart(text: &str) -> String {
    let room = text.lines().find_map(|line| line.strip_prefix("LOCATION:")).unwrap();
    format!("apart-{room}@example.org")
}

impl Render for Events {
    fn edition(&self, _: Workload) -> u32 {
        1
    }
    fn tables(&self, _: Workload) -> Digest {
        Digest::of(b"")
    }
    fn render(
        &self,
        _: Workload,
        original: &dyn Original,
        audience: &Audience,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault> {
        let mut text = String::new();
        original.open("mime").unwrap().read_to_string(&mut text).unwrap();
        let uid = if audience.apart { uid_apart(&text) } else { UID.to_owned() };
        out.write_all(text.replace(UID, &uid).as_bytes()).unwrap();
        Ok(Rendered { natural_key: Some(uid), ..Rendered::default() })
    }
    fn facts(&self, _: Workload, facts: &Facts, _: &Profile) -> (Facts, Vec<Loss>) {
        (Facts { message_id: facts.message_id.clone(), ..Facts::default() }, Vec::new())
    }
    fn handover(&self, _: Workload, _: &dyn Original, _: &dyn Fn(&str) -> Option<String>) -> Vec<Handover> {
        Vec::new()
    }
}

impl Meaning for Events {
    fn differences(
        &self,
        _: Workload,
        original: &dyn Original,
        _: &Setting,
        rendering: &mut dyn Read,
        _: &[Loss],
    ) -> std::io::Result<Vec<String>> {
        let [told, said] = texts(original, rendering)?;
        let same = [told.clone(), told.replace(UID, &uid_apart(&told))].contains(&said);
        Ok(if same { Vec::new() } else { vec![format!("{told} is {said}")] })
    }
}

/// Takes a UID once for each account, as Cyrus does.
struct OnceForEach {
    target: Arc<dyn Target>,
    place: PathBuf,
    one_of_a_key: bool,
    /// Looking and writing are one step for the server.
    one_at_a_time: tokio::sync::Mutex<()>,
    /// Once it refused something, it goes away before it takes anything for this calendar.
    refused: watch::Sender<bool>,
}

const LAST: &str = "Last";

#[async_trait]
impl Between for OnceForEach {
    fn target(&self) -> &dyn Target {
        &*self.target
    }

    fn alter(&self, traits: TargetTraits) -> TargetTraits {
        TargetTraits { one_of_a_key: self.one_of_a_key, ..traits }
    }

    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        if at.name == LAST {
            self.refused.subscribe().wait_for(|refused| *refused).await.unwrap();
            let away = Fault::new(What::Unreachable, "the server went away").reaching(Reach::Account);
            return (placing.intent, Err(away));
        }
        let uid = format!("UID:{}\r\n", placing.key.as_deref().unwrap());
        let _turn = self.one_at_a_time.lock().await;
        let stands = files(&self.place).iter().any(|path| std::fs::read_to_string(path).unwrap().contains(&uid));
        if stands && placing.instead.is_none() {
            self.refused.send_replace(true);
            let refused = Fault::new(What::Exists, "its UID stands in another calendar").skip(Cause::DuplicateUid);
            return (placing.intent, Err(refused));
        }
        self.target.place(at, vec![placing]).collect::<Vec<_>>().await.pop().unwrap()
    }
}

/// Two calendars with the same meeting, which differ in the room they name, and the folder they go to.
struct Agenda {
    /// What the target says of itself.
    one_of_a_key: bool,
    source: Arc<MemorySource>,
    account: Account,
    calendars: [CollectionId; 2],
    dir: TempDir,
}

fn event(uid: &str, room: &str, summary: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nLOCATION:{room}\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    )
}

impl Agenda {
    async fn new() -> Self {
        let source = Arc::new(MemorySource::new(3).of(CALENDAR));
        let account = source.add_account("ada@example.org");
        let calendars =
            ["Council", "Private"].map(|name| source.add_collection(&account.id, None, name, Role::Ordinary));
        let agenda = Self { one_of_a_key: true, source, account, calendars, dir: project().await };
        agenda.told(0, "hall", "first");
        agenda.told(1, "office", "first");
        agenda
    }

    fn told(&self, calendar: usize, room: &str, summary: &str) {
        let facts = Facts { message_id: Some(UID.into()), ..Facts::default() };
        let (at, text) = (&self.calendars[calendar], event(UID, room, summary));
        self.source.put(&self.account.id, at, room, Content::FollowsVersion, facts, text);
    }

    fn engine(&self, duplicate_uid: DuplicateUid) -> Engine {
        let place = self.dir.path().join("target");
        let target = transhume_folder::open(place.clone(), CALENDAR).unwrap();
        let (one_of_a_key, one_at_a_time) = (self.one_of_a_key, tokio::sync::Mutex::default());
        let refused = watch::Sender::new(false);
        let server = OnceForEach { target, place, one_of_a_key, one_at_a_time, refused };
        let server: Arc<dyn Target> = Arc::new(Behind(server));
        let conversions = Arc::new(Events);
        let policy = Policy { duplicate_uid, ..Policy::default() };
        Engine { policy, ..engine(self.source.clone(), (CALENDAR, server), conversions.clone(), conversions) }
    }

    /// One run of the program. Answers the commits it took.
    async fn run(&self, policy: DuplicateUid, options: StoreOptions) -> Result<u64, Fault> {
        self.run_by(self.engine(policy), options).await
    }

    async fn run_by(&self, engine: Engine, options: StoreOptions) -> Result<u64, Fault> {
        let opening = Opening::Running { verb: "run".into() };
        let project = Project::open(self.dir.path(), opening, options).await.map_err(fault)?;
        pass(&engine, &project).await.map(|_| project.commits())
    }

    /// The same where what was deleted at the source goes.
    async fn withdraw(&self, options: StoreOptions) -> Result<u64, Fault> {
        let policy = Policy { withdraw_deleted: true, ..Policy::default() };
        self.run_by(Engine { policy, ..self.engine(DuplicateUid::Quarantine) }, options).await
    }

    /// A run, what is in quarantine after it, and what differs at depth content.
    async fn settled(&self, policy: DuplicateUid) -> (u64, u64) {
        let project = opened(&self.dir).await;
        let engine = self.engine(policy);
        let movers = pass(&engine, &project).await.unwrap();
        let store = project.open_account(&self.account.id).await.unwrap();
        let standing = account_standing(&project, &store, &movers[0].row, CALENDAR, &Policy::default()).await.unwrap();
        let differences = engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences;
        (standing.quarantine(), differences)
    }

    /// What stands there: its calendar, and its text.
    fn standing(&self) -> Vec<(String, String)> {
        let of = |path: PathBuf| {
            let calendar = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            (calendar, std::fs::read_to_string(&path).unwrap())
        };
        let mut all: Vec<_> = files(&self.dir.path().join("target")).into_iter().map(of).collect();
        all.sort();
        all
    }
}

/// Which of the two came first is the business of the engine; the other one stands apart.
fn is_whole(standing: &[(String, String)], summaries: [&str; 2]) -> bool {
    let rooms = ["hall", "office"];
    let apart = rooms.map(|room| format!("apart-{room}@example.org"));
    let text = |room: usize, uid: &str| event(uid, rooms[room], summaries[room]);
    let [one, other] =
        [[UID, apart[1].as_str()], [apart[0].as_str(), UID]].map(|uids| [text(0, uids[0]), text(1, uids[1])]);
    let texts: Vec<_> = standing.iter().map(|(_, text)| text.clone()).collect();
    let in_two = standing.len() == 2 && standing[0].0 != standing[1].0;
    in_two && (texts == one || texts == other)
}

#[tokio::test]
async fn it_is_in_quarantine_until_the_policy_derives_and_stays_where_it_came_to() {
    let agenda = Agenda::new().await;
    assert_eq!((agenda.settled(DuplicateUid::Quarantine).await, agenda.standing().len()), ((1, 0), 1));
    assert_eq!(agenda.settled(DuplicateUid::Derive).await, (0, 0));
    let placed = agenda.standing();
    assert!(is_whole(&placed, ["first", "first"]), "{placed:#?}");
    // Also where the policy says otherwise again.
    for policy in [DuplicateUid::Derive, DuplicateUid::Quarantine] {
        assert_eq!((agenda.settled(policy).await, agenda.standing()), ((0, 0), placed.clone()));
    }
    let names = files(&agenda.dir.path().join("target"));
    agenda.told(0, "hall", "second");
    agenda.told(1, "office", "third");
    assert_eq!(agenda.settled(DuplicateUid::Quarantine).await, (0, 0));
    assert!(is_whole(&agenda.standing(), ["second", "third"]), "{:#?}", agenda.standing());
    assert_eq!(files(&agenda.dir.path().join("target")), names, "changed in place");
}

#[tokio::test]
async fn what_has_a_uid_of_its_own_is_not_outdated_for_that() {
    let agenda = Agenda::new().await;
    assert_eq!(agenda.settled(DuplicateUid::Derive).await, (0, 0));
    let (project, engine) = (opened(&agenda.dir).await, agenda.engine(DuplicateUid::Derive));
    let movers = pass(&engine, &project).await.unwrap();
    let proof = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((proof.differences, proof.outdated), (0, 0));
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 0);
}

/// Where a calendar alone takes a UID once, what is refused for it met something in its own calendar, which is none of
/// ours to double.
#[tokio::test]
async fn where_calendars_do_not_share_their_uids_none_is_derived() {
    let agenda = Agenda { one_of_a_key: false, ..Agenda::new().await };
    assert_eq!((agenda.settled(DuplicateUid::Derive).await, agenda.standing().len()), ((1, 0), 1));
}

/// How many refusals were told, and how often that UIDs were given.
fn heard(ear: &Ear) -> (usize, usize) {
    let all = ear.0.lock().unwrap();
    let refused = all.iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    let given = |event: &&Event| matches!(event, Event::Note { sentence, .. } if sentence.starts_with("given a UID"));
    (refused, all.iter().filter(given).count())
}

/// What arrives in the same pass under a UID of its own was refused to nobody who reads of it.
#[tokio::test]
async fn a_refusal_is_told_unless_the_same_pass_gets_round_it() {
    for (policy, told) in [(DuplicateUid::Quarantine, (1, 0)), (DuplicateUid::Derive, (0, 1))] {
        let (agenda, ear) = (Agenda::new().await, Arc::new(Ear::default()));
        let engine = Engine { observer: ear.clone(), ..agenda.engine(policy) };
        pass(&engine, &opened(&agenda.dir).await).await.unwrap();
        assert_eq!((heard(&ear), agenda.standing().len()), (told, 1 + told.1));
    }
}

/// The pass ended before it could get round it: then it is refused.
#[tokio::test]
async fn a_refusal_is_told_also_where_the_pass_ends_early() {
    let (agenda, ear) = (Agenda::new().await, Arc::new(Ear::default()));
    let last = agenda.source.add_collection(&agenda.account.id, None, LAST, Role::Ordinary);
    let text = event("last@example.org", "yard", "first");
    agenda.source.put(&agenda.account.id, &last, "yard", Content::FollowsVersion, Facts::default(), text);
    let engine = Engine { observer: ear.clone(), ..agenda.engine(DuplicateUid::Derive) };
    let project = opened(&agenda.dir).await;
    engine.bind(&project).await.unwrap();
    discover(&*engine.source, &project, &*engine.observer, &engine.stop).await.unwrap();
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    for half in [Half::Pull, Half::Push { repair: false }] {
        engine.pass(&project, &movers, half).await.unwrap();
    }
    let stopped = ear.0.lock().unwrap().iter().any(|event| matches!(event, Event::Stopped { .. }));
    assert_eq!((stopped, heard(&ear), agenda.standing().len()), (true, (1, 0), 1));
}

/// What somebody else put there is none of ours to double.
#[tokio::test]
async fn a_uid_that_other_people_placed_stays_in_quarantine() {
    let agenda = Agenda::new().await;
    agenda.source.remove(&agenda.account.id, &ItemId::new("hall"));
    let folder = agenda.dir.path().join("target").join(LOGIN).join("Theirs");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("theirs.ics"), event(UID, "elsewhere", "theirs")).unwrap();
    let policy = Policy { existing: transhume::engine::Existing::Add, ..Policy::default() };
    let project = opened(&agenda.dir).await;
    let (base, observer) = (agenda.engine(DuplicateUid::Derive), Arc::new(Ear::default()));
    let engine =
        Engine { policy: Policy { duplicate_uid: DuplicateUid::Derive, ..policy }, observer: observer.clone(), ..base };
    let movers = pass(&engine, &project).await.unwrap();
    let store = project.open_account(&agenda.account.id).await.unwrap();
    let standing = account_standing(&project, &store, &movers[0].row, CALENDAR, &policy).await.unwrap();
    assert_eq!((standing.quarantine(), agenda.standing().len()), (1, 1), "{:#?}", agenda.standing());
    assert_eq!(heard(&observer), (1, 0), "it stays refused, and that is told");
}

/// The one that stood there goes, so the other one arrives in the same pass, with the UID of both.
#[tokio::test]
async fn what_is_withdrawn_makes_way_for_the_other() {
    let agenda = Agenda::new().await;
    assert_eq!((agenda.settled(DuplicateUid::Quarantine).await, agenda.standing().len()), ((1, 0), 1));
    let stands = if agenda.standing()[0].1.contains("hall") { "hall" } else { "office" };
    agenda.source.remove(&agenda.account.id, &ItemId::new(stands));
    let project = opened(&agenda.dir).await;
    let policy = Policy { duplicate_uid: DuplicateUid::Derive, withdraw_deleted: true, ..Policy::default() };
    let engine = Engine { policy, ..agenda.engine(DuplicateUid::Derive) };
    pass(&engine, &project).await.unwrap();
    let texts: Vec<_> = agenda.standing().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts.len(), 1);
    assert!(!texts[0].contains("apart") && !texts[0].contains(stands), "{texts:?}");
}

/// Two runs, of which the first may die: the one that stood there is gone, and the other one came.
#[tokio::test]
async fn what_was_withdrawn_before_the_program_died_makes_way_in_the_next_run() {
    let mut commits = 1;
    let mut commit = 1;
    while commit <= commits {
        for stop in [Stop::Before, Stop::After] {
            let agenda = Agenda::new().await;
            assert_eq!((agenda.settled(DuplicateUid::Quarantine).await, agenda.standing().len()), ((1, 0), 1));
            let stood = if agenda.standing()[0].1.contains("hall") { "hall" } else { "office" };
            agenda.source.remove(&agenda.account.id, &ItemId::new(stood));
            let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
            let _death_or_fewer_commits = agenda.withdraw(deadly).await;
            commits = commits.max(agenda.withdraw(StoreOptions::default()).await.unwrap());
            let found = agenda.standing();
            let texts: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
            assert!(
                matches!(texts.as_slice(), [only] if !only.contains(stood) && !only.contains("apart")),
                "commit {commit} {stop:?}: {texts:#?}"
            );
        }
        commit += 1;
    }
}

#[tokio::test]
async fn killed_at_any_commit_and_run_again_it_stands_there_once() {
    let derive = DuplicateUid::Derive;
    let undisturbed = Agenda::new().await;
    let commits = undisturbed.run(derive, StoreOptions::default()).await.unwrap();
    assert!(commits > 5 && is_whole(&undisturbed.standing(), ["first", "first"]), "{commits}");
    for commit in 1..=commits {
        for stop in [Stop::Before, Stop::After] {
            let agenda = Agenda::new().await;
            let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
            let _death_or_fewer_commits = agenda.run(derive, deadly).await;
            agenda.run(derive, StoreOptions::default()).await.unwrap();
            let found = agenda.standing();
            assert!(is_whole(&found, ["first", "first"]), "commit {commit} {stop:?}: {found:#?}");
        }
    }
}
