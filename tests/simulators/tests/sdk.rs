//! Microsoft's official Python SDK, unpatched, against the simulator: whoever the simulator can fool, it should be them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};
use transhume_simulators::dump::{Dump, Entry};
use transhume_simulators::seed::{Recipe, tenant};
use transhume_simulators::{Options, SelfSigned, Simulator};

fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

/// The Python of the environment that `scripts/install-test-servers sdk` makes once for these requirements, outside the
/// build directory and outside any test, which would be given up while it downloads.
fn python() -> PathBuf {
    let digest = Sha256::digest(std::fs::read(sdk().join("requirements.txt")).unwrap());
    let name: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let homes: Vec<_> = caches().map(|cache| cache.join(format!("sdk-{name}"))).collect();
    let whole = homes.iter().find(|home| home.join("complete").exists());
    whole
        .unwrap_or_else(|| panic!("none of {homes:?} is whole; run scripts/install-test-servers sdk"))
        .join("bin/python")
}

/// Where that script may have put it.
fn caches() -> impl Iterator<Item = PathBuf> {
    let given = std::env::var_os("TRANSHUME_CACHE").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).map(|cache| cache.join("transhume"));
    given.into_iter().chain([PathBuf::from("/var/cache/transhume")]).chain(own)
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?} cannot be run: {why}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn messages<'a>(dump: &'a Dump, user: &'a str) -> impl Iterator<Item = &'a Entry> {
    dump.entries.iter().filter(move |entry| entry.kind == "message" && entry.user.as_deref() == Some(user))
}

/// What a script of the SDK saw of a tenant.
async fn driven(script: &'static str, dump: Dump) -> Value {
    driven_with(script, dump, Options::default()).await
}

async fn driven_with(script: &'static str, dump: Dump, options: Options) -> Value {
    let tls = SelfSigned::new(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, tls.authority_pem()).unwrap();
    let options = Options { tls: Some(tls), ..options };
    let guid = options.tenant_id.clone();
    let running = Simulator::start(dump, options).await.unwrap();
    let url = format!("https://localhost:{}", running.port());
    let seen = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python());
        command.arg(sdk().join(script)).env("SIMULATOR", url).env("SIMULATOR_TENANT", guid);
        done(command.env("SSL_CERT_FILE", &authority).env("REQUESTS_CA_BUNDLE", &authority))
    })
    .await
    .unwrap();
    let stats = running.stats();
    assert_eq!((stats.concurrency_breaches, stats.window_breaches, stats.writes), (0, 0, 0));
    serde_json::from_slice(&seen.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_finds_its_way() {
    let dump = tenant(&Recipe { accounts: 2, messages: 20, ..Recipe::default() });
    compare(&dump, &driven("drive.py", dump.clone()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_reads_calendars_contacts_and_tasks() {
    let (accounts, messages, events, contacts, tasks) = (2, 1, 120, 60, 40);
    let recipe = Recipe { accounts, messages, events, contacts, tasks, hostile: true, ..Recipe::default() };
    let dump = tenant(&recipe);
    let seen = driven("rooms.py", dump.clone()).await;
    let rooms = seen.as_object().unwrap();
    assert!(rooms.len() >= 2);
    rooms.iter().for_each(|(user, seen)| compare_rooms(&dump, user, seen));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_reads_drives_and_sites() {
    let dump = tenant(&Recipe {
        accounts: 2,
        messages: 1,
        files: 20,
        largest_file: 1 << 20,
        hostile: true,
        ..Recipe::default()
    });
    let mut options = Options::default();
    options.knobs.limits.resource_units = 100_000;
    let seen = driven_with("files.py", dump.clone(), options).await;
    let drives = seen["drives"].as_object().unwrap();
    assert_eq!(drives.len(), 3);
    drives.iter().for_each(|(user, seen)| compare_drive(&dump, user, seen));
    let sites = seen["sites"].as_object().unwrap();
    assert_eq!(sites["Conseil municipal"], serde_json::json!(["Documents", "Archives"]));
    assert_eq!(
        (&sites["Site verrouillé"], &sites["Ressources humaines"]),
        (&"notAllowed".into(), &"accessDenied".into())
    );
    let channels = seen["channels"].as_object().unwrap();
    assert_eq!((&channels["General"], &channels["Bureau"]), (&"General".into(), &"root".into()));
    assert_eq!(channels["Jamais ouvert"], "NotFound");
    let without = dump.entries.iter().filter(|entry| entry.kind == "user").count() - 3;
    assert_eq!(seen["none"].as_array().unwrap().len(), without);
}

/// Every item is found twice, by its changes and by its folder; every content that can be fetched is whole.
fn compare_drive(dump: &Dump, user: &str, seen: &Value) {
    let own = |kind: &'static str| {
        dump.entries.iter().filter(move |entry| entry.kind == kind && entry.user.as_deref() == Some(user))
    };
    let items: Vec<&Entry> = own("driveItem").collect();
    assert_eq!((&seen["items"], &seen["listed"]), (&items.len().into(), &(items.len() - 1).into()), "{user}");
    let files: Vec<&Entry> = items.into_iter().filter(|entry| entry.resource["file"].is_object()).collect();
    let closed = |entry: &Entry| {
        let marks = &entry.resource["_sim"];
        entry.resource.get("malware").is_some() || marks["fails"].is_string() || marks["vanishes"] == true
    };
    let (shut, open): (Vec<&Entry>, Vec<&Entry>) = files.into_iter().partition(|entry| closed(entry));
    assert_eq!(seen["fetched"], open.len(), "{user}");
    let refused: u64 = seen["refused"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(refused, shut.len() as u64, "{user}");
    let length = |entry: &&Entry| entry.content.as_ref().unwrap().len();
    assert_eq!(seen["bytes"], open.iter().map(length).sum::<u64>(), "{user}");
    let honest = open.iter().filter(|entry| entry.resource["size"] == length(entry)).count();
    assert_eq!(seen["as_told"], honest, "{user}");
    let versions: usize = if seen["versions"] == 0 { 0 } else { own("driveItemVersion").count() + 2 };
    assert_eq!((&seen["versions"], &seen["again"]), (&versions.into(), &0.into()), "{user}");
    assert_eq!(seen["kind"], "business");
    let hostile = own("driveItemVersion").count() > 0;
    assert_eq!(
        (seen["versions"].as_u64().unwrap() > 0, seen["oldest"].as_u64().unwrap() > 0),
        (hostile, hostile),
        "{user}"
    );
    assert!(!hostile || seen["permissions"].as_u64().unwrap() >= own("permission").count() as u64, "{user}");
}

/// Every master, single, exception, cancelled day, contact, photo and task is found, but what can never be read.
fn compare_rooms(dump: &Dump, user: &str, seen: &Value) {
    let own = |kind: &'static str| {
        dump.entries.iter().filter(move |entry| entry.kind == kind && entry.user.as_deref() == Some(user))
    };
    let readable = |entry: &&Entry| !entry.resource["_sim"]["fails"].is_string();
    let hidden = |id: &Option<String>| {
        own("calendar").any(|one| {
            Some(one.resource["id"].as_str().unwrap()) == id.as_deref() && one.resource["_sim"]["hidden"] == true
        })
    };
    let events: Vec<&Entry> = own("event").filter(|entry| !hidden(&entry.parent)).collect();
    let (exceptions, listed): (Vec<&Entry>, Vec<&Entry>) =
        events.into_iter().partition(|entry| entry.resource["type"] == "exception");
    assert_eq!(seen["listed"], listed.len(), "{user}");
    assert_eq!(seen["tracked"], listed.len(), "{user}");
    assert_eq!(seen["read"], listed.iter().copied().filter(readable).count(), "{user}");
    assert_eq!(seen["exceptions"], exceptions.len(), "{user}");
    let cancelled = |entry: &&Entry| entry.resource["cancelledOccurrences"].as_array().map_or(0, Vec::len);
    assert_eq!(seen["cancelled"], listed.iter().map(cancelled).sum::<usize>(), "{user}");
    assert_eq!(seen["contacts"], own("contact").count(), "{user}");
    let photos = own("contact").filter(readable).filter(|entry| entry.content.is_some()).count();
    assert_eq!(seen["photos"], photos, "{user}");
    assert_eq!(seen["tasks"], own("todoTask").count(), "{user}");
    let steps = |entry: &Entry| entry.resource["checklistItems"].as_array().map_or(0, Vec::len);
    assert_eq!(seen["steps"], own("todoTask").map(steps).sum::<usize>(), "{user}");
    assert_eq!(seen["again"], 0, "a second round brings nothing");
    assert!(seen["days"].as_u64().unwrap() > 0 || own("event").count() == 0);
}

fn compare(dump: &Dump, seen: &Value) {
    let users = dump.entries.iter().filter(|entry| entry.kind == "user").count();
    assert_eq!(seen["users"].as_array().unwrap().len(), users);
    assert!(seen["no_mailbox"].as_object().unwrap().values().all(|code| code == "MailboxNotEnabledForRESTAPI"));
    assert_eq!(seen["nobody"], serde_json::json!([404, "Request_ResourceNotFound", true]));
    assert_eq!(seen["nothing"], serde_json::json!([404, "ErrorItemNotFound", true]));
    assert_eq!(seen["wrong_secret"], true);
    let boxes = seen["mailboxes"].as_object().unwrap();
    assert!(boxes.len() >= 2);
    boxes.iter().for_each(|(user, seen)| compare_mailbox(dump, user, seen));
}

/// Everything below the root is found and read, but what the dump says can never be read.
fn compare_mailbox(dump: &Dump, user: &str, seen: &Value) {
    let root = folder_id(dump, user, "msgfolderroot");
    let beside = |entry: &&Entry| !hangs_below(dump, user, &entry.resource["parentFolderId"], &root);
    let all: Vec<&Entry> = messages(dump, user).filter(|entry| !beside(entry)).collect();
    let found = seen["messages"].as_u64().unwrap();
    let searched = searched(dump, user, &root);
    assert_eq!(found, all.len() as u64 + searched, "{user}");
    assert_eq!(seen["again"], 0, "a second round brings nothing");
    let sum = |name: &str| seen["read"].as_array().unwrap().iter().map(|one| one[name].as_u64().unwrap()).sum::<u64>();
    let readable = all.iter().filter(|entry| !entry.resource["_sim"]["fails"].is_string());
    let bytes: u64 = readable.map(|entry| entry.content.as_ref().unwrap().len()).sum();
    assert!(sum("bytes") >= bytes, "{user}: {} of {bytes}", sum("bytes"));
    let refused: usize =
        seen["read"].as_array().unwrap().iter().map(|one| one["refused"].as_array().unwrap().len()).sum();
    assert!(refused >= all.iter().filter(|entry| entry.resource["_sim"]["fails"].is_string()).count());
}

fn folder_id(dump: &Dump, user: &str, role: &str) -> Value {
    let named = |entry: &&Entry| entry.user.as_deref() == Some(user) && entry.parent.as_deref() == Some(role);
    dump.entries.iter().find(named).unwrap().resource["id"].clone()
}

fn hangs_below(dump: &Dump, user: &str, folder: &Value, root: &Value) -> bool {
    let own = |entry: &&Entry| entry.kind == "mailFolder" && entry.user.as_deref() == Some(user);
    let find = |id: &Value| dump.entries.iter().filter(own).find(|entry| entry.resource["id"] == *id);
    std::iter::successors(find(folder), |entry| find(&entry.resource["parentFolderId"]))
        .any(|entry| entry.resource["id"] == *root)
}

/// What search folders show a second time, where the tree shows them.
fn searched(dump: &Dump, user: &str, root: &Value) -> u64 {
    let own = |entry: &&Entry| entry.kind == "mailFolder" && entry.user.as_deref() == Some(user);
    let shown = |entry: &&Entry| hangs_below(dump, user, &entry.resource["parentFolderId"], root);
    let folders = dump.entries.iter().filter(own).filter(shown);
    let sources = folders.flat_map(|entry| entry.resource["sourceFolderIds"].as_array().into_iter().flatten());
    let lies =
        |source: &Value| messages(dump, user).filter(|entry| entry.resource["parentFolderId"] == *source).count();
    sources.map(|source| lies(source) as u64).sum()
}
