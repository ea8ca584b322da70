//! Calendars, contacts and tasks: the conformance suite, and what stays whose.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use tempfile::TempDir;
use transhume_contract::memory::HeldBody;
use transhume_contract::{
    AccountId, Appearance, Cause, Collection, Depth, Digest, Facts, Fault, Handle, IntentId, NaturalKey, Observed,
    Placed, Placement, Placing, Reach, Remedy, Role, Severity, Target, Wanted, What, Workload, conformance,
};
use transhume_folder::Vdir;

pub const OBJECTS: [Workload; 3] = [Workload::Calendar, Workload::Contacts, Workload::Tasks];

/// A vdir target with one account.
pub struct Subject {
    pub root: TempDir,
    pub target: Vdir,
    pub workload: Workload,
}

pub fn event(uid: &str, text: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20250101T000000Z\r\n\
         DTSTART:20250303T100000Z\r\nDTEND:20250303T110000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nSUMMARY:{text}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

pub fn placing(intent: &str, uid: &str, text: &str) -> Placing {
    let body = Arc::new(HeldBody::new(text.to_owned()));
    let (intent, key) = (IntentId::new(intent), Some(uid.to_owned()));
    Placing { intent, facts: Facts::default(), name: None, key, instead: None, body }
}

impl Subject {
    pub fn new(workload: Workload) -> Self {
        let root = tempfile::Builder::new().prefix("thv").tempdir_in("/tmp").unwrap();
        let target = Vdir::open(root.path(), workload).unwrap();
        Self { root, target, workload }
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        let plural = if self.workload == Workload::Calendar { "calendars" } else { self.workload.name() };
        self.root.path().join("ada").join(plural).join(name)
    }

    pub fn want(&self, path: &[&str]) -> Wanted {
        Wanted {
            account: AccountId::new("ada"),
            workload: self.workload,
            path: path.iter().map(|&name| name.to_owned()).collect(),
            parent: None,
            role: Role::Ordinary,
            known: None,
            adopt: false,
            claimed: std::sync::Arc::default(),
            appearance: Appearance { colour: Some("#ff8800".to_owned()), order: None },
        }
    }

    pub async fn ensure(&self, path: &[&str]) -> Collection {
        self.target.ensure(&self.want(path)).await.unwrap()
    }

    pub async fn place(&self, at: &Collection, placing: Placing) -> Result<Placed, Fault> {
        let mut answers: Vec<_> = self.target.place(at, vec![placing]).collect().await;
        assert_eq!(answers.len(), 1);
        answers.remove(0).1
    }

    async fn placement(&self, at: &Collection, uid: &str, text: &str) -> Placement {
        let text = event(uid, text);
        let placed = self.place(at, placing(uid, uid, &text)).await.unwrap();
        let (handle, version) = (placed.handle.unwrap(), placed.version);
        Placement { at: at.clone(), handle, version, digest: Digest::of(text.as_bytes()), facts: Facts::default() }
    }

    async fn replace(&self, old: &Placement, uid: &str, text: &str) -> Result<Placed, Fault> {
        let instead = Some(old.clone());
        self.place(&old.at, Placing { instead, ..placing("again", uid, &event(uid, text)) }).await
    }

    async fn observe(&self, at: &Collection, depth: Depth) -> Vec<Observed> {
        self.target.observe(at, depth.into()).map(Result::unwrap).collect().await
    }
}

/// Everything in a folder but what is hidden on purpose, sorted.
fn listed(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != ".transhume-folder").collect();
    names.sort();
    names
}

#[tokio::test]
async fn it_conforms_with_events_contacts_and_tasks_in_one_folder() {
    let root = tempfile::tempdir().unwrap();
    for workload in OBJECTS {
        let target = Vdir::open(root.path(), workload).unwrap();
        let report = conformance::objects(&target, &AccountId::new("ada@example.org"), workload).await;
        assert!(report.passed(), "{workload}\n{report}");
        assert!(!report.to_string().contains("left out"), "{report}");
    }
    let homes = listed(&root.path().join("ada@example.org"));
    assert_eq!(homes, ["calendars", "contacts", "tasks"]);
}

#[tokio::test]
async fn each_workload_opens_what_it_needs_and_mail_is_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let ada = AccountId::new("ada");
    for workload in [Workload::Mail, Workload::Calendar, Workload::Contacts, Workload::Tasks] {
        let target = transhume_folder::open(root.path(), workload).unwrap();
        let traits = target.traits(&ada).await.unwrap();
        assert_eq!((traits.workloads, traits.replaces), (vec![workload], workload != Workload::Mail));
        assert_eq!(traits.profile.objects.is_some(), workload != Workload::Mail);
        let want = Wanted { workload, ..Subject::new(Workload::Calendar).want(&["One"]) };
        target.ensure(&want).await.unwrap();
    }
    assert_eq!(listed(&root.path().join("ada")), ["Maildir", "calendars", "contacts", "tasks"]);
    let fault = transhume_folder::open(root.path(), Workload::Files).err().unwrap();
    assert_eq!((fault.what, fault.reach), (What::Unsupported, Reach::Run));
}

#[tokio::test]
async fn a_calendar_is_a_folder_with_its_name_its_colour_and_a_file_for_each_series() {
    let on = Subject::new(Workload::Calendar);
    let at = on.ensure(&["Team", "R&D"]).await;
    assert_eq!((at.name.as_str(), at.appearance.colour.as_deref()), ("Team / R&D", Some("#ff8800")));
    on.placement(&at, "040000008200E0", "Standup").await;
    let folder = fs::read_dir(on.folder("")).unwrap().flatten().next().unwrap().path();
    assert_eq!(listed(&folder), ["040000008200E0.ics", "color", "displayname"]);
    assert_eq!(fs::read_to_string(folder.join("color")).unwrap(), "#ff8800");
    assert_eq!(fs::read_to_string(folder.join("displayname")).unwrap(), "Team / R&D");
    assert_eq!(fs::read_to_string(folder.join("040000008200E0.ics")).unwrap(), event("040000008200E0", "Standup"));
    for file in ["040000008200E0.ics", "color", "."] {
        let mode = fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: a calendar is nobody else's");
    }
}

#[tokio::test]
async fn a_calendar_that_stands_keeps_its_name_its_colour_and_what_is_in_it() {
    let on = Subject::new(Workload::Calendar);
    fs::create_dir_all(on.folder("Home")).unwrap();
    fs::write(on.folder("Home").join("color"), "#0000FF\n").unwrap();
    fs::write(on.folder("Home").join("one.ics"), event("one", "theirs")).unwrap();
    let at = on.ensure(&["Home"]).await;
    assert_eq!((at.name.as_str(), at.appearance.colour.as_deref()), ("Home", Some("#0000ff")));
    let fault = on.place(&at, placing("one", "one", &event("one", "ours"))).await.unwrap_err();
    assert_eq!(
        (fault.what, fault.reach, &fault.remedy),
        (What::Exists, Reach::Item, &Remedy::Skip(Cause::DuplicateUid))
    );
    assert!(fault.sentence.contains("one.ics"), "{fault}");
    assert_eq!(fs::read_to_string(on.folder("Home").join("one.ics")).unwrap(), event("one", "theirs"));
    assert_eq!(listed(&on.folder("Home")), ["color", "one.ics"]);
    assert_eq!(on.target.holdings(&AccountId::new("ada"), Workload::Calendar, 5).await.unwrap().keys, ["one"]);
}

#[tokio::test]
async fn a_calendar_they_renamed_is_followed_and_its_old_name_is_free() {
    let on = Subject::new(Workload::Calendar);
    let at = on.ensure(&["Old"]).await;
    fs::rename(on.folder("Old"), on.folder("New")).unwrap();
    let placement = on.placement(&at, "one", "x").await;
    assert!(on.folder("New").join("one.ics").exists());
    let again = on.target.ensure(&Wanted { known: Some(at.id.clone()), ..on.want(&["Old"]) }).await.unwrap();
    assert_eq!(again.id, at.id);
    let other = on.ensure(&["Old"]).await;
    assert_ne!(other.id, at.id);
    assert!(on.folder("Old").is_dir());
    // Renamed at the source: it stays where it is; who then gets its name stands apart.
    on.target.ensure(&Wanted { known: Some(other.id.clone()), ..on.want(&["Later"]) }).await.unwrap();
    let third = on.ensure(&["Old"]).await;
    assert!(third.id != other.id && third.id != at.id);
    fs::remove_dir_all(on.folder("New")).unwrap();
    let fault = on.target.withdraw(&placement).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Vanished, Reach::Collection));
}

#[tokio::test]
async fn what_people_wrote_is_never_replaced_moved_over_or_removed() {
    let on = Subject::new(Workload::Calendar);
    let (at, to) = (on.ensure(&["At"]).await, on.ensure(&["To"]).await);
    let old = on.placement(&at, "one", "as placed").await;
    let file = on.folder("At").join("one.ics");
    // As long as before: only the bytes tell.
    let theirs = event("one", "AS PLACED");
    fs::write(&file, &theirs).unwrap();
    for fault in [on.replace(&old, "one", "newer").await.unwrap_err(), on.target.withdraw(&old).await.unwrap_err()] {
        assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Item));
    }
    let shape = on.observe(&at, Depth::Shape).await.remove(0);
    assert!(shape.version != old.version && shape.length == Some(theirs.len() as u64));
    // It moves as they left it, and stays theirs there.
    let moved = on.target.relocate(&old, &to, None).await.unwrap();
    let there = Placement { at: to.clone(), handle: moved.handle.unwrap(), version: moved.version, ..old.clone() };
    assert_eq!(on.replace(&there, "one", "newer").await.unwrap_err().what, What::Forbidden);
    assert_eq!(fs::read_to_string(on.folder("To").join("one.ics")).unwrap(), theirs);
    let second = on.placement(&at, "one", "second").await;
    let fault = on.target.relocate(&second, &to, None).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Exists, Reach::Item));
    assert!(file.exists() && fs::read_to_string(on.folder("To").join("one.ics")).unwrap() == theirs);
    assert_eq!(listed(&on.folder("At")), ["color", "displayname", "one.ics"]);
}

#[tokio::test]
async fn what_another_program_wrote_anew_is_found_by_its_uid_and_told_with_its_bytes() {
    let on = Subject::new(Workload::Calendar);
    let at = on.ensure(&["Found"]).await;
    let text = event("one", "x");
    on.placement(&at, "one", "x").await;
    let anew = text.replace("\r\n", "\n");
    fs::rename(on.folder("Found").join("one.ics"), on.folder("Found").join("random.ics")).unwrap();
    fs::write(on.folder("Found").join("random.ics"), &anew).unwrap();
    fs::write(on.folder("Found").join("copy.ics"), &text).unwrap();
    fs::write(on.folder("Found").join("other.ics"), event("other", "x")).unwrap();
    let (intent, length) = (IntentId::new("i"), text.len() as u64);
    let key = NaturalKey { intent, key: Some("one".into()), digest: Digest::of(text.as_bytes()), length, name: None };
    let found = on.target.find(&at, &[key]).await.unwrap();
    let told: Vec<_> = found.iter().map(|found| (found.handle.as_str(), found.content.as_deref())).collect();
    assert_eq!(told, [("copy.ics", None), ("random.ics", Some(anew.as_bytes()))]);
}

#[tokio::test]
async fn what_a_crash_left_is_finished_or_swept_and_readers_never_saw_it() {
    let on = Subject::new(Workload::Calendar);
    fs::create_dir_all(on.folder(".transhume-half.tmp")).unwrap();
    let (at, to) = (on.ensure(&["At"]).await, on.ensure(&["To"]).await);
    assert_eq!(listed(&on.folder("")), ["At", "To"]);
    fs::write(on.folder("At").join(".transhume-0123.tmp"), "BEGIN:VCAL").unwrap();
    assert!(on.observe(&at, Depth::Content).await.is_empty());
    let placement = on.placement(&at, "one", "x").await;
    // A move that was cut after its first half, and one that was cut before its answer.
    fs::hard_link(on.folder("At").join("one.ics"), on.folder("To").join("one.ics")).unwrap();
    for _ in 0..2 {
        let moved = on.target.relocate(&placement, &to, None).await.unwrap();
        assert_eq!((moved.handle, moved.version), (Some(Handle::new("one.ics")), placement.version.clone()));
        assert_eq!(
            (on.observe(&at, Depth::Presence).await.len(), on.observe(&to, Depth::Presence).await.len()),
            (0, 1)
        );
    }
    on.target.settle(&at).await.unwrap();
    assert_eq!(listed(&on.folder("At")), ["color", "displayname"]);
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_refused_and_leaves_nothing() {
    let on = Subject::new(Workload::Contacts);
    let at = on.ensure(&["Broken"]).await;
    let old = on.placement(&at, "one", "x").await;
    let torn = Placing { key: Some("two".into()), ..crate::subject::torn("torn") };
    for instead in [None, Some(old)] {
        let fault = on.place(&at, Placing { instead, ..torn.clone() }).await.unwrap_err();
        assert_eq!((fault.what, fault.remedy), (What::StoreBroken, Remedy::Report));
    }
    assert_eq!(listed(&on.folder("Broken")), ["color", "displayname", "one.vcf"]);
    assert_eq!(fs::read_to_string(on.folder("Broken").join("one.vcf")).unwrap(), event("one", "x"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_blocker_with_a_next_step() {
    let on = Subject::new(Workload::Tasks);
    assert_eq!(on.target.check(None).await.unwrap().worst(), None);
    fs::remove_dir(on.root.path()).unwrap();
    assert_eq!(on.target.check(None).await.unwrap().worst(), None, "it can be made");
    fs::write(on.root.path(), b"").unwrap();
    let access = on.target.check(None).await.unwrap();
    assert_eq!(access.worst(), Some(Severity::Blocker));
    assert!(!access.findings[0].fix.is_empty());
    fs::remove_file(on.root.path()).unwrap();
    fs::create_dir(on.root.path()).unwrap();
}
