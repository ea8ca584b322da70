//! Replacing events in the place of what stands there, in a real folder of `.ics` files whose server writes everything
//! in its own words: what becomes of a replacing whose answer is lost, and what verification says of it.

use crate::{
    proof::opened,
    wires::{Behind, Fate, Wire},
    world::{engine, pass, project, texts},
};
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use transhume::{
    engine::{
        Audience, Engine, Existing, Half, Handover, Meaning, Mover, Original, Policy, Render, Rendered, Setting,
        account_standing,
    },
    store::{Project, Standing as Owing},
};
use transhume_contract::{
    Account, CollectionId, Content, Depth, Digest, Facts, Fault, Loss, Profile, Role, Target, Workload,
    memory::MemorySource,
};

pub const CALENDAR: Workload = Workload::Calendar;

/// Events mean what stands in their SUMMARY.
struct Summaries;

/// Events are rendered as they are, or by a mapping with an error.
struct Renders {
    errs: bool,
}

impl Render for Renders {
    fn edition(&self, _: Workload) -> u32 {
        if self.errs { 1 } else { 2 }
    }
    fn tables(&self, _: Workload) -> Digest {
        Digest::of(b"")
    }
    fn render(
        &self,
        _: Workload,
        original: &dyn Original,
        _: &Audience,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault> {
        let mut text = String::new();
        original.open("mime").unwrap().read_to_string(&mut text).unwrap();
        let text = if self.errs { text.replace("SUMMARY:", "SUMMARY:wrong ") } else { text };
        out.write_all(text.as_bytes()).unwrap();
        Ok(Rendered { natural_key: Some("one@example.org".into()), ..Rendered::default() })
    }
    fn facts(&self, _: Workload, _: &Facts, _: &Profile) -> (Facts, Vec<Loss>) {
        (Facts::default(), Vec::new())
    }
    fn handover(&self, _: Workload, _: &dyn Original, _: &dyn Fn(&str) -> Option<String>) -> Vec<Handover> {
        Vec::new()
    }
}

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

    fn changed(&self, _: Workload, sent: &[u8], there: &[u8]) -> Vec<String> {
        let [sent, there] = [sent, there].map(|text| String::from_utf8(text.to_vec()).unwrap());
        let stamp = |line: &&str| !line.starts_with("X-STAMP");
        let same = sent.lines().eq(there.lines().filter(stamp));
        if same { Vec::new() } else { vec![there] }
    }
}

pub fn event(summary: &str, colour: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one@example.org\r\nSUMMARY:{summary}\r\nCOLOR:{colour}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    )
}

/// One event in one calendar, and the folder it goes to.
pub struct Agenda {
    pub source: Arc<MemorySource>,
    pub account: Account,
    pub calendar: CollectionId,
    /// Of this run.
    project: Option<Project>,
    /// The mapping has an error.
    errs: bool,
    /// What stands there before the first run is taken for placed.
    adopts: bool,
    /// What was deleted at the source goes at the target, too.
    pub withdraws: bool,
    dir: TempDir,
}

impl Agenda {
    pub async fn new() -> Self {
        let source = Arc::new(MemorySource::new(3).of(CALENDAR));
        let account = source.add_account("ada@example.org");
        let calendar = source.add_collection(&account.id, None, "Council", Role::Ordinary);
        let dir = project().await;
        let project = Some(opened(&dir).await);
        Self { source, account, calendar, project, errs: false, adopts: false, withdraws: false, dir }
    }

    pub fn project(&self) -> &Project {
        self.project.as_ref().unwrap()
    }

    /// What was tried in vain is tried again in another run of the program.
    pub async fn next_run(&mut self) {
        self.project = None;
        self.project = Some(opened(&self.dir).await);
    }

    pub fn told(&self, summary: &str, colour: &str) {
        let (account, text) = (&self.account.id, event(summary, colour));
        self.source.put(account, &self.calendar, "one", Content::FollowsVersion, Facts::default(), text);
    }

    pub fn place(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    pub fn folder(&self) -> Arc<dyn Target> {
        transhume_folder::open(self.place(), CALENDAR).unwrap()
    }

    /// The same behind a server that writes what it gets in its own words, and whose answers meet this fate. Counts
    /// what is sent.
    pub fn server(&self, fate: Fate, sent: &Arc<Mutex<u64>>) -> Arc<dyn Target> {
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
        Arc::new(Behind(Wire { target: self.folder(), fate, placed: rewrite }))
    }

    pub async fn pass(&self, target: Arc<dyn Target>) -> (Engine, Vec<Mover>) {
        let render = Arc::new(Renders { errs: self.errs });
        let existing = if self.adopts { Existing::Adopt } else { Existing::default() };
        let engine = Engine {
            policy: Policy { existing, withdraw_deleted: self.withdraws, ..Policy::default() },
            ..engine(self.source.clone(), (CALENDAR, target), render, Arc::new(Summaries))
        };
        let movers = pass(&engine, self.project()).await.unwrap();
        (engine, movers)
    }

    /// Items owed, changes owed, and those of them that are conflicts.
    pub async fn owing(&self, movers: &[Mover]) -> (u64, u64, u64) {
        let store = self.project().open_account(&self.account.id).await.unwrap();
        let row = &movers[0].row;
        let standing = account_standing(self.project(), &store, row, CALENDAR, &Policy::default()).await.unwrap();
        (standing.owed.items, standing.changes, standing.conflicts)
    }

    /// What is told of each item that a fault was met for, and whether it is in quarantine.
    pub async fn setbacks(&self) -> Vec<(String, bool)> {
        let store = self.project().open_account(&self.account.id).await.unwrap();
        let met = store.setbacks(CALENDAR, None, 10).await.unwrap().into_iter();
        met.map(|one| (one.fault.sentence, one.standing != Owing::Owed)).collect()
    }

    pub async fn differences(&self, (engine, movers): &(Engine, Vec<Mover>), depth: Depth) -> u64 {
        engine.verify(self.project(), movers, depth).await.unwrap()[0].differences
    }

    /// Writes into what stands there, as people do.
    pub fn people_write(&self, line: &str) {
        for path in files(&self.place()) {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("END:VEVENT", &format!("{line}\r\nEND:VEVENT"))).unwrap();
        }
    }

    pub fn standing(&self) -> Vec<String> {
        files(&self.place()).into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

/// Every event below a folder. A folder that is renamed meanwhile, as one in the making, is not looked into.
pub fn files(place: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![place.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.map(|entry| entry.unwrap().path()) {
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

#[tokio::test]
async fn what_was_pulled_and_not_pushed_is_owed() {
    let agenda = Agenda::new().await;
    agenda.told("first", "red");
    let (engine, movers) = agenda.pass(agenda.folder()).await;
    assert_eq!(agenda.owing(&movers).await, (0, 0, 0));
    agenda.told("second", "red");
    engine.pass(agenda.project(), &movers, Half::Pull).await.unwrap();
    assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 1, 0), vec![event("first", "red")]));
    engine.pass(agenda.project(), &movers, Half::Push { repair: false }).await.unwrap();
    assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 0, 0), vec![event("second", "red")]));
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
        let met = agenda.setbacks().await;
        let [(sentence, false)] = met.as_slice() else { panic!("{met:?}") };
        assert!(sentence.starts_with("People changed it at the target since it was placed"), "{sentence}");
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

#[tokio::test]
async fn a_version_that_no_answer_told_is_learnt_in_the_pass_that_placed_it() {
    let agenda = Agenda::new().await;
    let sent = Arc::new(Mutex::new(0));
    agenda.told("first", "red");
    agenda.pass(agenda.server(Fate::Untold, &sent)).await;
    agenda.told("second", "red");
    agenda.pass(agenda.server(Fate::Untold, &sent)).await;
    assert!(agenda.standing()[0].contains("SUMMARY:second") && agenda.standing()[0].contains("X-STAMP"));
    let store = agenda.project().open_account(&agenda.account.id).await.unwrap();
    let (_, at) = agenda.pass(agenda.folder()).await;
    assert_eq!((agenda.owing(&at).await, *sent.lock().unwrap()), ((0, 0, 0), 2));
    let (key, _) = store.target_collections(CALENDAR).await.unwrap().remove(0);
    let placed = store.placements_at(key, None, 10).await.unwrap();
    assert!(placed.len() == 1 && placed[0].version.is_some(), "{placed:?}");
}

/// Nothing that the meaning holds: only what was sent tells.
#[tokio::test]
async fn what_people_wrote_beside_the_meaning_stays_theirs_though_no_answer_told_a_version() {
    let mut agenda = Agenda::new().await;
    let sent = Arc::new(Mutex::new(0));
    agenda.told("first", "red");
    agenda.pass(agenda.server(Fate::Untold, &sent)).await;
    agenda.people_write("COMMENT:theirs");
    agenda.told("second", "red");
    for _ in 0..2 {
        agenda.next_run().await;
        let (_, movers) = agenda.pass(agenda.server(Fate::Untold, &sent)).await;
        assert_eq!(agenda.owing(&movers).await, (0, 1, 1));
        assert!(agenda.standing()[0].contains("COMMENT:theirs"), "{:?}", agenda.standing());
    }
}

/// Another tool placed it, in words of its own. What was taken for placed follows the source from then on, until people
/// write into it.
#[tokio::test]
async fn what_was_adopted_in_other_words_follows_the_source() {
    for theirs in [None, Some("COMMENT:theirs")] {
        let former = Agenda::new().await;
        former.told("first", "blue");
        former.pass(former.folder()).await;
        let mut agenda = Agenda { adopts: true, ..Agenda::new().await };
        std::fs::rename(former.place(), agenda.place()).unwrap();
        agenda.told("first", "red");
        agenda.pass(agenda.folder()).await;
        assert_eq!(agenda.standing(), [event("first", "blue")], "nothing is placed beside it");
        theirs.into_iter().for_each(|line| agenda.people_write(line));
        agenda.told("second", "red");
        agenda.next_run().await;
        let (_, movers) = agenda.pass(agenda.folder()).await;
        match theirs {
            None => {
                assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 0, 0), vec![event("second", "red")]))
            }
            Some(_) => assert_eq!(agenda.owing(&movers).await, (0, 1, 1), "{:?}", agenda.standing()),
        }
    }
}

/// It arrived, nobody answered, and people wrote into it before the next run looked: it is there, and it is theirs.
#[tokio::test]
async fn what_people_wrote_into_what_nobody_answered_for_stays_theirs() {
    let mut agenda = Agenda::new().await;
    let sent = Arc::new(Mutex::new(0));
    agenda.told("first", "red");
    let place = agenda.place();
    let write = move |_: &Facts| {
        for path in files(&place) {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("END:VEVENT", "COMMENT:theirs\r\nEND:VEVENT")).unwrap();
        }
    };
    let wire = Wire { target: agenda.folder(), fate: |_: &Facts| Fate::Unanswered, placed: write };
    agenda.pass(Arc::new(Behind(wire))).await;
    agenda.next_run().await;
    agenda.told("second", "red");
    let (_, movers) = agenda.pass(agenda.server(Fate::Arrives, &sent)).await;
    assert_eq!((agenda.owing(&movers).await, *sent.lock().unwrap()), ((0, 1, 1), 1));
    assert!(agenda.standing()[0].contains("COMMENT:theirs"), "{:?}", agenda.standing());
}

/// What was rendered with an error says otherwise than its original: it is ours all the same, for it says what was sent.
#[tokio::test]
async fn what_was_rendered_with_an_error_is_known_by_what_was_sent_and_mended() {
    for fate in [Fate::Untold, Fate::Unanswered] {
        let mut agenda = Agenda { errs: true, ..Agenda::new().await };
        let sent = Arc::new(Mutex::new(0));
        agenda.told("first", "red");
        agenda.pass(agenda.server(fate, &sent)).await;
        assert!(agenda.standing()[0].contains("SUMMARY:wrong first"));
        agenda.errs = false;
        agenda.next_run().await;
        let (engine, movers) = agenda.pass(agenda.folder()).await;
        assert_eq!(
            (agenda.owing(&movers).await, agenda.standing().len()),
            ((0, 0, 0), 1),
            "it was looked for and found"
        );
        assert_eq!(engine.rerender(agenda.project(), &movers).await.unwrap(), 1);
        let (_, movers) = agenda.pass(agenda.folder()).await;
        assert_eq!((agenda.owing(&movers).await, agenda.standing()), ((0, 0, 0), vec![event("first", "red")]));
    }
}
