//! Replacing events in the place of what stands there, in a real folder of `.ics` files whose server writes everything
//! in its own words: what becomes of a replacing whose answer is lost, and what verification says of it.

use crate::{
    proof::opened,
    wires::{Fate, Wire},
    world::{Verbatim, engine, pass, project, texts},
};
use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use transhume::{
    engine::{Engine, Half, Meaning, Mover, Original, Policy, Setting, account_standing},
    store::Project,
};
use transhume_contract::{
    Account, CollectionId, Content, Depth, Facts, Loss, Role, Target, Workload, memory::MemorySource,
};

const CALENDAR: Workload = Workload::Calendar;

/// Events mean what stands in their SUMMARY.
struct Summaries;

impl Meaning for Summaries {
    fn differences(
        &self,
        _: Workload,
        original: &dyn Original,
        _: &Setting,
        rendering: &mut dyn Read,
        _: &[Loss],
    ) -> std::io::Result<Vec<String>> {
        let summary = |text: String| text.lines().find(|line| line.starts_with("SUMMARY:")).map(str::to_owned);
        let [told, said] = texts(original, rendering)?.map(summary);
        Ok(if told == said { Vec::new() } else { vec![format!("{told:?} is {said:?}")] })
    }
}

fn event(summary: &str, colour: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one@example.org\r\nSUMMARY:{summary}\r\nCOLOR:{colour}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    )
}

/// One event in one calendar, and the folder it goes to.
struct Agenda {
    source: Arc<MemorySource>,
    account: Account,
    calendar: CollectionId,
    /// Of this run.
    project: Option<Project>,
    dir: TempDir,
}

impl Agenda {
    async fn new() -> Self {
        let source = Arc::new(MemorySource::new(3).of(CALENDAR));
        let account = source.add_account("ada@example.org");
        let calendar = source.add_collection(&account.id, None, "Council", Role::Ordinary);
        let dir = project().await;
        Self { source, account, calendar, project: Some(opened(&dir).await), dir }
    }

    fn project(&self) -> &Project {
        self.project.as_ref().unwrap()
    }

    /// What was tried in vain is tried again in another run of the program.
    async fn next_run(&mut self) {
        self.project = None;
        self.project = Some(opened(&self.dir).await);
    }

    fn told(&self, summary: &str, colour: &str) {
        let (account, text) = (&self.account.id, event(summary, colour));
        self.source.put(account, &self.calendar, "one", Content::FollowsVersion, Facts::default(), text);
    }

    fn place(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    fn folder(&self) -> Arc<dyn Target> {
        transhume_folder::open(self.place(), CALENDAR).unwrap()
    }

    /// The same behind a server that writes what it gets in its own words, and whose answers meet this fate. Counts
    /// what is sent.
    fn server(&self, fate: Fate, sent: &Arc<Mutex<u64>>) -> Arc<dyn Target> {
        let (place, sent) = (self.place(), Arc::clone(sent));
        let fate = move |_: &Facts| {
            *sent.lock().unwrap() += 1;
            fate
        };
        let rewrite = move |_: &Facts| {
            for path in files(&place) {
                let text = std::fs::read_to_string(&path).unwrap();
                let stamped = text.replace("BEGIN:VEVENT\r\nUID", "BEGIN:VEVENT\r\nX-STAMP:1\r\nUID");
                std::fs::write(&path, stamped).unwrap();
            }
        };
        Arc::new(Wire { target: self.folder(), fate, placed: rewrite })
    }

    async fn pass(&self, target: Arc<dyn Target>) -> (Engine, Vec<Mover>) {
        let verbatim = Arc::new(Verbatim("one@example.org"));
        let engine = engine(self.source.clone(), (CALENDAR, target), verbatim, Arc::new(Summaries));
        let movers = pass(&engine, self.project()).await.unwrap();
        (engine, movers)
    }

    /// Items owed, changes owed, and those of them that are conflicts.
    async fn owing(&self, movers: &[Mover]) -> (u64, u64, u64) {
        let store = self.project().open_account(&self.account.id).await.unwrap();
        let row = &movers[0].row;
        let standing = account_standing(self.project(), &store, row, CALENDAR, &Policy::default()).await.unwrap();
        (standing.owed.items, standing.changes, standing.conflicts)
    }

    async fn differences(&self, (engine, movers): &(Engine, Vec<Mover>), depth: Depth) -> u64 {
        engine.verify(self.project(), movers, depth).await.unwrap()[0].differences
    }

    fn standing(&self) -> Vec<String> {
        files(&self.place()).into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

/// Every event below a folder.
pub fn files(place: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![place.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false if entry.extension().is_some_and(|ending| ending == "ics") => found.push(entry),
                false => {}
            }
        }
    }
    found
}

#[tokio::test]
async fn a_replacing_that_arrived_unanswered_is_known_by_its_meaning_and_neither_sent_again_nor_a_conflict() {
    let agenda = Agenda::new().await;
    agenda.told("first", "red");
    agenda.pass(agenda.folder()).await;
    agenda.told("second", "red");
    let sent = Arc::new(Mutex::new(0));
    let (_, movers) = agenda.pass(agenda.server(Fate::Unanswered, &sent)).await;
    assert_eq!((agenda.owing(&movers).await, *sent.lock().unwrap()), ((1, 0, 0), 1), "nobody knows what came of it");
    let (_, movers) = agenda.pass(agenda.server(Fate::Arrives, &sent)).await;
    assert_eq!((agenda.owing(&movers).await, *sent.lock().unwrap()), ((0, 0, 0), 1), "looking settles it");
    assert_eq!(agenda.standing().len(), 1);
    assert!(agenda.standing()[0].contains("SUMMARY:second") && agenda.standing()[0].contains("X-STAMP"));
    // It is known as it stands: what the source says next takes its place.
    agenda.told("third", "red");
    let (_, movers) = agenda.pass(agenda.folder()).await;
    assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 0, 0), vec![event("third", "red")]));
}

/// The newer one may say nothing else that anybody compares: what tells then is that the old one stands as it stood.
#[tokio::test]
async fn a_replacing_that_never_arrived_is_sent_again() {
    for (summary, colour) in [("second", "red"), ("first", "blue")] {
        let agenda = Agenda::new().await;
        agenda.told("first", "red");
        agenda.pass(agenda.folder()).await;
        agenda.told(summary, colour);
        let sent = Arc::new(Mutex::new(0));
        agenda.pass(agenda.server(Fate::Swallowed, &sent)).await;
        assert_eq!((agenda.standing(), *sent.lock().unwrap()), (vec![event("first", "red")], 1));
        let (_, movers) = agenda.pass(agenda.folder()).await;
        assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 0, 0), vec![event(summary, colour)]));
    }
}

#[tokio::test]
async fn what_people_changed_is_a_conflict_until_they_take_it_away() {
    let mut agenda = Agenda::new().await;
    agenda.told("first", "red");
    agenda.pass(agenda.folder()).await;
    let theirs = event("theirs", "red");
    files(&agenda.place()).iter().for_each(|path| std::fs::write(path, &theirs).unwrap());
    agenda.told("second", "red");
    for _ in 0..2 {
        agenda.next_run().await;
        let (_, movers) = agenda.pass(agenda.folder()).await;
        assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 1, 1), vec![theirs.clone()]));
    }
    files(&agenda.place()).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    agenda.next_run().await;
    let (engine, movers) = agenda.pass(agenda.folder()).await;
    assert_eq!((agenda.owing(&movers).await, agenda.standing().len()), ((0, 0, 0), 0), "what they removed stays away");
    engine.verify(agenda.project(), &movers, Depth::Shape).await.unwrap();
    engine.pass(agenda.project(), &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 0, 0), vec![event("second", "red")]));
}

#[tokio::test]
async fn depth_shape_knows_the_version_of_what_was_replaced_and_sees_what_was_written_since() {
    let agenda = Agenda::new().await;
    agenda.told("first", "red");
    let moved = agenda.pass(agenda.folder()).await;
    assert_eq!(agenda.differences(&moved, Depth::Shape).await, 0);
    agenda.told("other", "red");
    let moved = agenda.pass(agenda.folder()).await;
    assert_eq!(agenda.differences(&moved, Depth::Shape).await, 0, "our own replacing is nobody's writing");
    // As long as what was placed, and with the time it had: only the version tells.
    let path = files(&agenda.place()).remove(0);
    std::fs::write(&path, event("othex", "red")).unwrap();
    assert_eq!(agenda.differences(&moved, Depth::Presence).await, 0);
    assert_eq!(agenda.differences(&moved, Depth::Shape).await, 1);
    let store = agenda.project().open_account(&agenda.account.id).await.unwrap();
    let found = store.differences(CALENDAR, 0, 10).await.unwrap().remove(0);
    assert_eq!((found.kind.as_str(), &found.detail["written_since"]), ("altered", &serde_json::json!(true)));
}
