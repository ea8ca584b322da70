//! What people do at their new server between two passes is theirs.

use crate::mailbox::{Mail, done, look, open, remove, to};
use crate::setting::{Story, base64, ordinary, server};
use serde_json::json;

fn story() -> Story {
    let story = Story::with_server(&ordinary(1, 20), server(1));
    story.run(&["run"]).ok();
    story
}

/// A message of a folder.
fn one_of(mails: &[Mail], folder: &str) -> Mail {
    mails.iter().find(|mail| mail.folder == folder).unwrap_or_else(|| panic!("nothing in {folder}: {mails:#?}")).clone()
}

fn find<'a>(mails: &'a [Mail], id: &str) -> Vec<&'a Mail> {
    mails.iter().filter(|mail| mail.id == id).collect()
}

/// A delta pass that has something else to do as well.
fn delta(story: &Story) -> Vec<Mail> {
    let mime = base64("From: a@example.org\r\nMessage-ID: <late@example.org>\r\nSubject: late\r\n\r\nhi\r\n");
    story.mutate(json!({ "op": "new_message", "user": story.addresses[0], "folder": "inbox", "mime": mime }));
    story.run(&["run"]).ok();
    let mails = look(story, 1);
    assert_eq!(find(&mails, "late@example.org").len(), 1, "what is new arrives");
    mails
}

#[test]
fn a_flag_they_changed_stays_though_the_source_changes_it_too() {
    let story = story();
    let mail = one_of(&look(&story, 1), "INBOX");
    let by_hand = if mail.flags.contains("\\Seen") { "-FLAGS (\\Seen)" } else { "+FLAGS (\\Seen)" };
    to(&story, &mail, &format!("UID STORE {{}} {by_hand}"));
    to(&story, &mail, "UID STORE {} +FLAGS (Mine)");
    let theirs = one_of(&find(&look(&story, 1), &mail.id).into_iter().cloned().collect::<Vec<_>>(), "INBOX").flags;
    let edit = json!({ "categories": ["Elsewhere"] });
    story.mutate(json!({ "op": "edit", "user": story.addresses[0], "message": format!("<{}>", mail.id), "set": edit }));
    let mails = delta(&story);
    let now = &find(&mails, &mail.id)[0].flags;
    assert_eq!(now.contains("\\Seen"), theirs.contains("\\Seen"), "{now}, not {theirs}");
    assert!(now.contains("Mine"), "{now}");
}

#[test]
fn what_they_deleted_or_moved_is_not_placed_again() {
    let story = story();
    let before = look(&story, 1);
    let (deleted, moved) =
        (one_of(&before, "INBOX"), before.iter().filter(|mail| mail.folder == "INBOX").nth(1).unwrap());
    remove(&story, &deleted);
    done(&mut open(&story, 1), "CREATE Mine");
    to(&story, moved, "UID MOVE {} Mine");
    for mail in [&deleted, moved] {
        let (user, message) = (&story.addresses[0], format!("<{}>", mail.id));
        story.mutate(json!({ "op": "edit", "user": user, "message": message, "set": { "isRead": true } }));
    }
    let after = delta(&story);
    assert_eq!(find(&after, &deleted.id), Vec::<&Mail>::new(), "it stays deleted");
    let places: Vec<_> = find(&after, &moved.id).into_iter().map(|mail| mail.folder.as_str()).collect();
    assert_eq!(places, ["Mine"], "it stays where they put it");
}

#[test]
fn a_folder_they_renamed_is_followed() {
    let story = story();
    let user = &story.addresses[0];
    story.mutate(json!([
        { "op": "create_folder", "user": user, "name": "Enquetes" },
    ]));
    let mime = |id: &str| base64(&format!("Message-ID: <{id}@example.org>\r\nSubject: x\r\n\r\nx\r\n"));
    story.mutate(json!({ "op": "new_message", "user": user, "folder": "/Enquetes", "mime": mime("first") }));
    story.run(&["run"]).ok();
    assert_eq!(find(&look(&story, 1), "first@example.org")[0].folder, "Enquetes");
    done(&mut open(&story, 1), "RENAME Enquetes Papiers");
    story.mutate(json!({ "op": "new_message", "user": user, "folder": "/Enquetes", "mime": mime("second") }));
    let after = delta(&story);
    for id in ["first@example.org", "second@example.org"] {
        let places: Vec<_> = find(&after, id).into_iter().map(|mail| mail.folder.as_str()).collect();
        assert_eq!(places, ["Papiers"], "{id}");
    }
    assert!(after.iter().all(|mail| mail.folder != "Enquetes"), "the old name does not come back");
    let summary = story.run(&["verify", "--depth", "content", "--json"]).ok().summary();
    let told = ["differences", "duplicates", "others"].map(|field| summary[field].as_u64());
    assert_eq!(told, [Some(0); 3], "one mailbox is compared once: {summary}");
}
