//! The seeded tenant: the same on every run, and whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use transhume_simulators::dump::{Dump, Entry};
use transhume_simulators::seed::{Recipe, tenant};

fn small() -> Recipe {
    Recipe { accounts: 2, messages: 20, hostile: false, ..Recipe::default() }
}

fn digest(dump: &Dump) -> String {
    let mut hash = Sha256::new();
    dump.to_jsonl(&mut hash).unwrap();
    format!("{:x}", hash.finalize())
}

fn of<'a>(dump: &'a Dump, kind: &'a str) -> impl Iterator<Item = &'a Entry> {
    dump.entries.iter().filter(move |entry| entry.kind == kind)
}

#[test]
fn the_same_recipe_makes_the_same_bytes() {
    assert_eq!(digest(&tenant(&small())), digest(&tenant(&small())));
    assert_ne!(digest(&tenant(&small())), digest(&tenant(&Recipe { seed: 2, ..small() })));
}

#[test]
fn a_tenant_survives_saving() {
    let dump = tenant(&small());
    let dir = TempDir::new().unwrap();
    dump.save(dir.path()).unwrap();
    assert_eq!(Dump::load(dir.path()).unwrap(), dump);
}

#[test]
fn ids_are_unique_and_messages_stand_in_folders_of_their_mailbox() {
    let dump = tenant(&Recipe { accounts: 3, ..Recipe::default() });
    let key = |entry: &Entry, field: &str| (entry.user.clone(), entry.resource[field].as_str().unwrap().to_owned());
    let folders: BTreeSet<_> = of(&dump, "mailFolder").map(|folder| key(folder, "id")).collect();
    let messages: BTreeSet<_> = of(&dump, "message").map(|message| key(message, "id")).collect();
    assert_eq!(folders.len(), of(&dump, "mailFolder").count());
    assert_eq!(messages.len(), of(&dump, "message").count());
    assert!(of(&dump, "message").all(|message| folders.contains(&key(message, "parentFolderId"))));
}

#[test]
fn benchmark_mails_have_their_size_and_differ() {
    let dump = tenant(&Recipe { messages: 50, message_bytes: Some(8192), ..small() });
    let sizes: Vec<u64> = of(&dump, "message").map(|mail| mail.content.as_ref().unwrap().len()).collect();
    assert_eq!(sizes.len(), 100);
    assert!(sizes.iter().all(|size| size.abs_diff(8192) < 80), "{sizes:?}");
    let bodies: BTreeSet<_> = of(&dump, "message").map(|mail| mail.content.as_ref().unwrap().to_bytes()).collect();
    assert_eq!(bodies.len(), 100);
}

#[test]
fn nobody_without_a_mailbox_has_things_in_one() {
    let dump = tenant(&small());
    let with: BTreeSet<_> = of(&dump, "mailboxSettings").map(|entry| entry.user.clone().unwrap()).collect();
    let users: BTreeSet<_> = of(&dump, "user").map(|entry| entry.user.clone().unwrap()).collect();
    let without: Vec<_> = users.difference(&with).cloned().collect();
    assert_eq!(without, ["stagiaire@valmont.example", "zoe_partner.example#EXT#@valmont.onmicrosoft.com"]);
}
