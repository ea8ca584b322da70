//! A small world in memory: a source with mail, a target, and a project on disk.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Mutex},
};
use transhume::{
    engine::{
        Audience, Engine, Event, Half, Handover, Lanes, Meaning, Mover, Observer, Original, Policy, Render, Rendered,
        Setting, Stop, Wish, discover, muster,
    },
    store::{NotOpened, Opening, Project, StoreOptions},
};
use transhume_contract::{
    Account, CollectionId, Content, Digest, Facts, Fault, FlagState, ItemId, Loss, Profile, Role, Source, Target,
    Timestamp, Workload,
    memory::{MemorySource, MemoryTarget},
};

/// That of every rendering.
pub const MESSAGE_ID: &str = "<verbatim@example.org>";

/// Gives originals as they are, all of them under this natural key.
pub struct Verbatim(pub &'static str);

impl Render for Verbatim {
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
        _: &Audience,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault> {
        let mut mime = original.open("mime").unwrap();
        std::io::copy(&mut mime, out).unwrap();
        Ok(Rendered { losses: Vec::new(), same_as: Some("mime".into()), natural_key: Some(self.0.into()) })
    }
    fn facts(&self, _: Workload, facts: &Facts, _: &Profile) -> (Facts, Vec<Loss>) {
        (facts.clone(), Vec::new())
    }
    fn handover(&self, _: Workload, _: &dyn Original, _: &dyn Fn(&str) -> Option<String>) -> Vec<Handover> {
        Vec::new()
    }
}

impl Meaning for Verbatim {
    fn differences(
        &self,
        _: Workload,
        _: &dyn Original,
        _: &Setting,
        _: &mut dyn Read,
        _: &[Loss],
    ) -> std::io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Remembers what it heard.
#[derive(Default)]
pub struct Ear(pub Mutex<Vec<Event>>);

impl Observer for Ear {
    fn hear(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// Both sides. They outlive every run, as real services do.
pub struct World {
    pub source: Arc<MemorySource>,
    pub target: Arc<MemoryTarget>,
    pub account: Account,
    pub inbox: CollectionId,
    pub archive: CollectionId,
}

pub const LOGIN: &str = "ada";

impl World {
    /// A mailbox with mail in two folders, one of them inside the other, with twins among them.
    pub fn new(tells_handle: bool) -> Self {
        let source = Arc::new(MemorySource::new(3));
        let account = source.add_account("ada@example.org");
        let inbox = CollectionId::new("folder-0");
        let archive = source.add_collection(&account.id, Some(&inbox), "Archive/2019", Role::Ordinary);
        source.add_collection(&account.id, None, "Empty", Role::Ordinary);
        let world = Self { source, target: Arc::new(MemoryTarget::new(tells_handle)), account, inbox, archive };
        for n in 0..7 {
            let place = if n % 3 == 0 { world.archive.clone() } else { world.inbox.clone() };
            // Numbers 1 and 2 are twins: the same bytes, twice in one folder.
            world.put(&place, n, &format!("Subject: {}\r\n\r\nbody\r\n", n.max(2)));
        }
        world
    }

    pub fn put(&self, at: &CollectionId, n: u32, text: &str) -> ItemId {
        let facts = Facts {
            read: Some(n.is_multiple_of(2)),
            flag: Some(FlagState::None),
            received: Timestamp::from_second(1_700_000_000 + i64::from(n)).ok(),
            message_id: Some(format!("<m{n}@example.org>")),
            ..Facts::default()
        };
        self.source.put(&self.account.id, at, &format!("m{n:02}"), Content::Fixed, facts, text.to_owned())
    }

    pub fn engine(&self) -> Engine {
        self.engine_with(self.source.clone(), self.target.clone(), Arc::new(Ear::default()))
    }

    pub fn engine_with(&self, source: Arc<dyn Source>, target: Arc<dyn Target>, observer: Arc<dyn Observer>) -> Engine {
        let conversions = Arc::new(Verbatim(MESSAGE_ID));
        let lanes = Lanes { accounts: 2, bodies: 3 };
        Engine { observer, lanes, ..engine(source, (Workload::Mail, target), conversions.clone(), conversions) }
    }

    /// One whole `run` of the program: open, discover, move, close.
    pub async fn run(&self, engine: &Engine, dir: &Path, options: StoreOptions) -> Result<u64, Fault> {
        let opening = Opening::Running { verb: "run".into() };
        let project = Project::open(dir, opening, options).await.map_err(fault)?;
        let commits = self.pass(engine, &project).await.map(|_| project.commits());
        drop(project);
        commits
    }

    pub async fn pass(&self, engine: &Engine, project: &Project) -> Result<Vec<Mover>, Fault> {
        pass(engine, project).await
    }

    /// Every placement that stands as the store knows it: where, of which item, and with which losses.
    pub async fn placements(&self, dir: &Path) -> Vec<String> {
        let project = Project::open(dir, Opening::Reading, StoreOptions::default()).await.unwrap();
        let store = project.open_account(&self.account.id).await.unwrap();
        let mut lines = Vec::new();
        for (key, at) in store.target_collections(Workload::Mail).await.unwrap() {
            for placement in store.placements_at(key, None, 1000).await.unwrap() {
                lines.push(format!("{} {} {:?}", at.name, placement.item_id.as_str(), placement.losses));
            }
        }
        lines.sort();
        lines
    }

    /// What stands at the target, sorted, as text: path, flags, bytes.
    pub fn standing(&self) -> Vec<String> {
        let own = transhume_contract::AccountId::new(LOGIN);
        let line = |(path, message): (Vec<String>, transhume_contract::memory::Standing)| {
            let facts = &message.facts;
            format!("{} {:?} {:?} {:?} {:?}", path.join(">"), facts.read, facts.flag, facts.received, message.bytes)
        };
        let mut lines: Vec<_> = self.target.standing(&own).into_iter().map(line).collect();
        lines.sort();
        lines
    }
}

/// One account and one body at a time, heard by nobody.
pub fn engine(
    source: Arc<dyn Source>,
    target: (Workload, Arc<dyn Target>),
    render: Arc<dyn Render>,
    meaning: Arc<dyn Meaning>,
) -> Engine {
    Engine {
        source,
        targets: BTreeMap::from([target]),
        render,
        meaning,
        observer: Arc::new(Ear::default()),
        policy: Policy::default(),
        lanes: Lanes { accounts: 1, bodies: 1 },
        stop: Stop::default(),
        rehearsing: false,
        people: Arc::default(),
        proven: Arc::default(),
    }
}

/// Finds the one account and moves what is new of it.
pub async fn pass(engine: &Engine, project: &Project) -> Result<Vec<Mover>, Fault> {
    engine.bind(project).await?;
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    discover(&*engine.source, project, &*engine.observer, &engine.stop).await?;
    let (movers, unknown) = muster(project, &wishes).await?;
    assert_eq!(unknown, Vec::<String>::new());
    engine.pass(project, &movers, Half::Both).await?;
    Ok(movers)
}

/// What an original says, and what a rendering of it says.
pub fn texts(original: &dyn Original, rendering: &mut dyn Read) -> std::io::Result<[String; 2]> {
    let (mut told, mut said) = (String::new(), String::new());
    original.open("mime")?.read_to_string(&mut told)?;
    rendering.read_to_string(&mut said)?;
    Ok([told, said])
}

pub fn fault(refusal: NotOpened) -> Fault {
    match refusal {
        NotOpened::Fault(fault) => fault,
        NotOpened::Locked { .. } => panic!("{refusal}"),
    }
}

/// A fresh project directory.
pub async fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    Project::create(dir.path(), StoreOptions::default()).await.unwrap();
    dir
}
