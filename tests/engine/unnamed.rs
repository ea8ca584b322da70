//! A target that tells no handles, and people who move a message before its handle is found.

use crate::{
    proof::{kinds, opened},
    wires::{Behind, Fate, Wire},
    world::{Ear, LOGIN, World, project},
};
use std::sync::Arc;
use tempfile::TempDir;
use transhume::{
    engine::{Engine, Event, Half, Mover, Policy},
    store::{Project, Setback, Standing as Owed},
};
use transhume_contract::{AccountId, Depth, Facts, ItemId, Workload, memory::Standing};

const PUSH: Half = Half::Push { repair: false };

fn five() -> ItemId {
    ItemId::new("m05")
}

fn login() -> AccountId {
    AccountId::new(LOGIN)
}

fn take_five(world: &World) -> Standing {
    let mut taken = None;
    world.target.by_hand(&login(), |_, message| {
        let meant = message.bytes.starts_with(b"Subject: 5");
        taken = taken.take().or_else(|| meant.then(|| message.clone()));
        (!meant).then(|| message.clone())
    });
    taken.unwrap()
}

fn put(world: &World, name: &str, message: Standing) {
    let path = vec![name.to_owned()];
    world.target.make_by_hand(&login(), &path);
    world.target.put_by_hand(&login(), &path, message);
}

struct Unnamed {
    world: World,
    _dir: TempDir,
    project: Project,
    engine: Engine,
    movers: Vec<Mover>,
    ear: Arc<Ear>,
    /// What they took away.
    five: Standing,
}

impl Unnamed {
    /// People took a message away in the moment it came.
    async fn new() -> Self {
        let (world, dir, ear) = (Arc::new(World::new(false)), project().await, Arc::new(Ear::default()));
        let taken = Arc::new(std::sync::Mutex::new(None));
        let (takes, keeps) = (world.clone(), taken.clone());
        let placed = move |facts: &Facts| {
            if facts.message_id.as_deref() == Some("<m5@example.org>") {
                *keeps.lock().unwrap() = Some(take_five(&takes));
            }
        };
        let wire = Behind(Wire { target: world.target.clone(), fate: |_: &Facts| Fate::Arrives, placed });
        let engine = world.engine_with(world.source.clone(), Arc::new(wire), ear.clone());
        let project = opened(&dir).await;
        let movers = world.pass(&engine, &project).await.unwrap();
        let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
        let five = taken.lock().unwrap().take().unwrap();
        let world = World {
            source: world.source.clone(),
            target: world.target.clone(),
            account: world.account.clone(),
            inbox: world.inbox.clone(),
            archive: world.archive.clone(),
        };
        Self { world, _dir: dir, project, engine, movers, ear, five }
    }

    async fn pass(&self) {
        self.world.pass(&self.engine, &self.project).await.unwrap();
    }

    async fn push(&self) {
        self.engine.pass(&self.project, &self.movers, PUSH).await.unwrap();
    }

    async fn verify(&self) -> (u64, u64) {
        let found = self.engine.verify(&self.project, &self.movers, Depth::Content).await.unwrap().remove(0);
        (found.differences, found.moved)
    }

    async fn setbacks(&self) -> Vec<Setback> {
        let store = self.project.open_account(&self.world.account.id).await.unwrap();
        store.setbacks(Workload::Mail, None, 10).await.unwrap()
    }

    async fn ready(&self) -> u64 {
        let store = self.project.open_account(&self.world.account.id).await.unwrap();
        store.collection_totals(Workload::Mail).await.unwrap().iter().map(|one| one.stages.ready.items).sum()
    }

    async fn is_owed_with_its_reason(&self) {
        let owed = self.setbacks().await;
        let [only] = owed.as_slice() else { panic!("{owed:#?}") };
        assert_eq!((only.id.as_str(), only.standing), ("m05", Owed::Owed));
        assert!(only.fault.sentence.contains("not found"), "{}", only.fault.sentence);
        assert!(only.fault.next_step().unwrap().contains("transhume verify"));
    }

    fn told(&self) -> usize {
        let heard = self.ear.0.lock().unwrap();
        heard.iter().filter(|event| matches!(event, Event::Refused { quarantined: false, .. })).count()
    }

    /// A flag changes at the source, or the message is moved there.
    fn change(&self, moves: bool) {
        let (source, account) = (&self.world.source, &self.world.account.id);
        match moves {
            true => source.shift(account, &five(), &self.world.archive),
            false => source.edit(account, &five(), &Facts { read: Some(true), ..Facts::default() }),
        }
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_brought_to_it_is_owed_and_says_why() {
    for moves in [false, true] {
        let unnamed = Unnamed::new().await;
        assert_eq!(unnamed.setbacks().await, [], "nothing is due yet");
        unnamed.change(moves);
        unnamed.pass().await;
        unnamed.is_owed_with_its_reason().await;
        assert_eq!(unnamed.told(), 1, "moves: {moves}");
        unnamed.push().await;
        unnamed.is_owed_with_its_reason().await;
        // They put it back: it gets its handle, and the change is brought to it in the same pass.
        unnamed.world.target.put_by_hand(&login(), &["Inbox".to_owned()], unnamed.five.clone());
        unnamed.push().await;
        assert_eq!(unnamed.setbacks().await, []);
        let standing = unnamed.world.standing();
        let now = standing.iter().find(|line| line.contains("Subject: 5")).unwrap();
        assert_eq!(now.starts_with("Inbox>Archive/2019 "), moves, "{now}");
        assert_eq!(now.contains("Some(true)"), !moves, "{now}");
        assert_eq!((standing.len(), unnamed.ready().await, unnamed.verify().await), (7, 0, (0, 0)));
    }
}

#[tokio::test]
async fn what_they_moved_is_theirs_once_it_is_recognised() {
    for moves in [false, true] {
        let unnamed = Unnamed::new().await;
        put(&unnamed.world, "Customers", unnamed.five.clone());
        unnamed.change(moves);
        unnamed.pass().await;
        unnamed.is_owed_with_its_reason().await;
        assert_eq!(unnamed.verify().await, (0, 1));
        let before = unnamed.world.standing();
        for _ in 0..2 {
            unnamed.push().await;
            assert_eq!((unnamed.setbacks().await, unnamed.ready().await), (Vec::new(), 0), "moves: {moves}");
            assert_eq!(unnamed.world.standing(), before);
            assert_eq!(unnamed.verify().await, (0, 1));
            assert_eq!(kinds(&unnamed.project, &unnamed.world).await, ["changed_there"]);
        }
    }
}

#[tokio::test]
async fn what_stands_nowhere_comes_back_by_a_repair() {
    for moves in [false, true] {
        let unnamed = Unnamed::new().await;
        unnamed.change(moves);
        unnamed.pass().await;
        assert_eq!(unnamed.verify().await, (1, 0));
        unnamed.engine.pass(&unnamed.project, &unnamed.movers, Half::Push { repair: true }).await.unwrap();
        assert_eq!((unnamed.setbacks().await, unnamed.ready().await), (Vec::new(), 0), "moves: {moves}");
        assert_eq!((unnamed.world.standing().len(), unnamed.verify().await), (7, (0, 0)));
    }
}

#[tokio::test]
async fn what_is_due_no_longer_is_owed_no_longer() {
    let unnamed = Unnamed::new().await;
    unnamed.change(true);
    unnamed.pass().await;
    unnamed.is_owed_with_its_reason().await;
    unnamed.world.source.shift(&unnamed.world.account.id, &five(), &unnamed.world.inbox);
    unnamed.pass().await;
    assert_eq!(unnamed.setbacks().await, []);
}

/// Its deletion at the source is to be followed.
#[tokio::test]
async fn a_withdrawal_that_cannot_be_done_is_owed() {
    let mut unnamed = Unnamed::new().await;
    unnamed.engine.policy = Policy { withdraw_deleted: true, ..Policy::default() };
    unnamed.world.source.remove(&unnamed.world.account.id, &five());
    unnamed.pass().await;
    unnamed.is_owed_with_its_reason().await;
}
