//! Folders that one side refuses as a whole: which, why, and the next step; and nothing of it once it is mended.

use crate::mailbox::{done, look, open};
use crate::setting::{Story, base64, ordinary, server};
use serde_json::{Value, json};
use transhume_servers::{Act, Deed, Proxy};

const STEP: &str = "Give the login the right to write into that mailbox on the mail server, then run again.";

/// A project in place, whose target takes no new folder from now on.
fn closed_to_new_folders() -> (Story, Proxy) {
    let story = Story::with_server(&ordinary(1, 4), server(1));
    let proxy = story.through_proxy();
    story.run(&["run"]).ok();
    let refusal = Act::Answer("NO [NOPERM] Permission denied".into());
    proxy.tell(|script| script.add(Deed::new("CREATE", 1, refusal).every(1)));
    proxy.reset_counts();
    (story, proxy)
}

fn add_folder(story: &Story, name: &str) -> Value {
    let made = story.mutate(json!([{ "op": "create_folder", "user": story.addresses[0], "name": name }]));
    made["done"][0]["id"].clone()
}

fn add_message(story: &Story, folder: &Value) {
    let mime = "TWVzc2FnZS1JRDogPGFAYj4NCg0KeA0K";
    let user = &story.addresses[0];
    story.mutate(json!({ "op": "new_message", "user": user, "folder": folder, "mime": mime }));
}

/// Messages that take seconds to arrive, so that pushing has many rounds.
fn add_slow_mail(story: &Story, folder: &Value) {
    for number in 0..24 {
        let mime = base64(&format!("Message-ID: <slow{number}@x>\r\n\r\nx\r\n"));
        story.mutate(json!({ "op": "new_message", "user": story.addresses[0], "folder": folder, "mime": mime }));
    }
    story.simulator.faults(json!({ "latency_ms": 300 })).unwrap();
}

fn folders(story: &Story) -> String {
    done(&mut open(story, 1), "LIST \"\" *").concat()
}

#[test]
fn a_folder_with_mail_that_the_target_refuses_is_named_with_the_reason_until_it_is_taken() {
    let (story, proxy) = closed_to_new_folders();
    let user = story.addresses[0].clone();
    add_message(&story, &add_folder(&story, "Vault"));
    let said = format!("folder Vault of {user} is not taken by the target: The IMAP server HOST:PORT");
    let why = "refused the mailbox `Vault`: Permission denied";
    let run = story.run(&["run"]);
    run.tells(3, &[&said, why, STEP, "1 owed", "1 folder refused at the target"]);
    assert_eq!(proxy.count("CREATE"), 1, "what waits for a person is asked for once a pass");
    story.run(&["status"]).tells(3, &[&said, why, STEP, "1 folder refused at the target, 0 accounts stopped."]);
    let items = format!("{user}, folder Vault: is not taken by the target, since ");
    story.run(&["status", "--items"]).tells(3, &[&items, why, STEP]);
    story.run(&["explain", "a@b"]).tells(0, &["what stops its folder", "Vault is not taken by the target", why, STEP]);
    story.run(&["run", "--dry-run"]).tells(0, &[&said]);

    proxy.tell(|script| script.deeds.clear());
    story.run(&["run"]).ok();
    assert_eq!(look(&story, 1).iter().filter(|mail| mail.id == "a@b" && mail.folder == "Vault").count(), 1);
    let after = story.run(&["status", "--items"]);
    assert!(!after.out.contains("Vault"), "{}", after.out);
    let explained = story.run(&["explain", "a@b"]);
    assert!(!explained.out.contains("what stops its folder"), "{}", explained.out);
    story.run(&["verify"]).tells(0, &["0 differences"]);
}

#[test]
fn an_empty_folder_that_the_target_refuses_is_not_missing_in_silence() {
    let (story, proxy) = closed_to_new_folders();
    let user = story.addresses[0].clone();
    add_folder(&story, "Hollow");
    let said = format!("folder Hollow of {user} is not taken by the target: ");
    story.run(&["run"]).tells(3, &[&said, STEP, "0 owed", "1 folder refused at the target"]);
    story.run(&["status"]).tells(3, &[&said, STEP]);
    story.run(&["verify"]).tells(3, &["0 differences; 1 folder refused at the target"]);
    let summary = story.run(&["run", "--json"]);
    assert_eq!((summary.code, summary.summary()["refused_folders"].clone()), (Some(3), json!(1)), "{summary:?}");
    assert!(!folders(&story).contains("Hollow"));

    proxy.tell(|script| script.deeds.clear());
    story.run(&["run"]).ok();
    assert!(folders(&story).contains("Hollow"));
    assert!(!story.run(&["status"]).out.contains("Hollow"));
}

#[test]
fn a_folder_that_stands_and_takes_no_mail_is_tried_once_a_pass() {
    let story = Story::with_server(&ordinary(1, 4), server(1));
    let proxy = story.through_proxy();
    let vault = add_folder(&story, "Vault");
    story.run(&["run"]).ok();
    let refusal = Act::Answer("NO [NOPERM] Permission denied".into());
    proxy.tell(|script| script.add(Deed::new("APPEND", 1, refusal).every(1)));
    // A folder that stands since an earlier pass, and one that this pass makes.
    for (folder, folders) in [(vault, "1 folder refused"), (add_folder(&story, "Safe"), "2 folders refused")] {
        add_slow_mail(&story, &folder);
        proxy.reset_counts();
        let run = story.run(&["run"]);
        run.tells(3, &[STEP, &format!("{folders} at the target")]);
        story.simulator.faults(json!({ "clear": true })).unwrap();
        assert_eq!(proxy.count("APPEND"), if folders.starts_with('1') { 1 } else { 2 }, "one batch a folder");
    }
    story.run(&["status"]).tells(3, &["2 folders of ", STEP]);
    let raw = story.run(&["explain", "slow0@x", "--json"]).out;
    assert!(raw.matches("\"not_placed\"").count() <= 2, "a row a pass: {raw}");

    proxy.tell(|script| script.deeds.clear());
    story.run(&["run"]).ok();
    let arrived = |name: &str| look(&story, 1).iter().filter(|mail| mail.folder == name).count();
    assert_eq!((arrived("Vault"), arrived("Safe")), (24, 24));
}

#[test]
fn a_refused_folder_is_not_asked_for_again_by_those_in_it() {
    let (story, proxy) = closed_to_new_folders();
    let user = story.addresses[0].clone();
    let attic = add_folder(&story, "Attic");
    for name in ["Box", "Chest", "Trunk"] {
        let inner = json!([{ "op": "create_folder", "user": user, "name": name, "parent": attic }]);
        add_message(&story, &story.mutate(inner)["done"][0]["id"]);
    }
    add_slow_mail(&story, &json!("inbox"));
    let run = story.run(&["run"]);
    story.simulator.faults(json!({ "clear": true })).unwrap();
    run.tells(3, &[STEP, "refused the mailbox `Attic`: Permission denied", "4 folders refused at the target"]);
    assert_eq!(proxy.count("CREATE"), 1, "neither a round nor a folder within asks again");

    proxy.tell(|script| script.deeds.clear());
    story.run(&["run"]).ok();
    for name in ["Attic/Box", "Attic/Chest", "Attic/Trunk"] {
        assert!(folders(&story).contains(name), "{}", folders(&story));
    }
    assert_eq!(look(&story, 1).iter().filter(|mail| mail.id == "a@b").count(), 3);
}

#[test]
fn many_folders_with_one_cause_are_one_matter() {
    let (story, _proxy) = closed_to_new_folders();
    for number in 10..22 {
        add_folder(&story, &format!("Room {number}"));
    }
    let run = story.run(&["run"]);
    run.tells(
        3,
        &[
            &format!("12 folders of {}, each of which is not taken by the target; the first: ", story.addresses[0]),
            "Room 10, Room 11, ",
            "Room 19 and 2 more (`transhume status --items`",
        ],
    );
    assert_eq!(run.out.matches("Permission denied").count(), 1, "{}", run.out);
}

#[test]
fn a_folder_that_the_source_does_not_list_is_named_with_the_reason() {
    let story = Story::new(&ordinary(1, 4));
    let user = story.addresses[0].clone();
    let folder = add_folder(&story, "Vault");
    add_message(&story, &folder);
    let id = folder.as_str().unwrap();
    let path = format!("mailFolders/{}/messages", regex::escape(id).replace('=', "(=|%3D)"));
    let fault = json!({ "kind": "status", "code": 403, "error": "notAllowed" });
    story.simulator.faults(json!({ "rules": [{ "path": path, "fault": fault }] })).unwrap();
    let said = format!("folder Vault of {user} could not be listed to its end: ");
    let (why, step) = ("the place is locked", "The next run tries it again");
    for verb in ["pull", "run"] {
        story.run(&[verb]).tells(3, &[&said, why, step, "1 account with folders not listed to the end"]);
    }
    story.run(&["status", "--items"]).tells(3, &["folder Vault: could not be listed to its end", why, step]);
    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
    assert!(!story.run(&["status", "--items"]).out.contains("Vault"));
}

#[test]
fn a_run_is_not_said_to_go_on_with_a_folder_that_waits_for_a_person() {
    let story = Story::new(&ordinary(1, 4));
    let folder = add_folder(&story, "Vault");
    let path = format!("mailFolders/{}/messages", regex::escape(folder.as_str().unwrap()).replace('=', "(=|%3D)"));
    let fault = json!({ "kind": "status", "code": 403, "error": "accessDenied" });
    story.simulator.faults(json!({ "rules": [{ "path": path, "fault": fault }] })).unwrap();
    for verb in ["run", "status"] {
        let said = story.run(&[verb]);
        said.tells(3, &["folder Vault of ", "could not be listed to its end: ", "access is denied"]);
        assert!(!said.out.contains("goes on with them"), "{verb}: {}", said.out);
    }
}
