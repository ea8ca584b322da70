//! Corrections after the fact, at a real Radicale: what was placed for other people, by an earlier edition or with other
//! tables is told, and only what comes out otherwise is replaced, whether or not the source still answers.

use crate::groupware::{changed, groupware, standing};
use crate::setting::{Said, Story};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use transhume_servers::DavServer;
use transhume_simulators::seed::Recipe;

fn recipe(accounts: u32, hostile: bool) -> Recipe {
    Recipe { accounts, messages: 1, events: 12, contacts: 2, tasks: 2, hostile, ..Recipe::default() }
}

/// Objects that say something, folds undone and lines parted by a bare LF.
fn saying(server: &DavServer, what: &str) -> Vec<PathBuf> {
    let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\r', "").replace("\n ", "").contains(what);
    standing(server).into_iter().filter(|(_, bytes)| says(bytes)).map(|(path, _)| path).collect()
}

fn verified(story: &Story) -> Said {
    story.run(&["verify", "--wave", "1", "--only", "calendar", "--depth", "content"])
}

/// A single event of the first account.
fn single(story: &Story) -> Value {
    let entries = story.simulator.tenant().entries.into_iter();
    let own = entries.filter(|entry| entry.kind == "event" && entry.user.as_ref() == Some(&story.addresses[0]));
    own.map(|entry| entry.resource).find(|event| event["type"] == "singleInstance").unwrap()
}

/// Three accounts, of whom the third moves later, to this address; the first invited them.
fn with_a_guest(address: &str) -> (Story, DavServer) {
    let (story, server) = groupware(&recipe(3, false));
    third_moves_to(&story, address);
    let guest = json!([{ "type": "required", "status": { "response": "none", "time": "0001-01-01T00:00:00Z" },
        "emailAddress": { "name": "The third", "address": story.addresses[2] } }]);
    story.mutate(json!([{ "op": "edit_event", "user": story.addresses[0], "event": single(&story)["id"],
        "set": { "attendees": guest } }]));
    (story, server)
}

fn third_moves_to(story: &Story, address: &str) {
    let [first, second, third] = &story.addresses[..] else { panic!() };
    let lines = format!("{first},account1,1\n{second},account2,1\n{third},{address},2\n");
    story.write("accounts.csv", format!("source,target,wave\n{lines}"));
}

#[test]
fn what_names_an_address_that_changed_is_outdated_and_alone_replaced() {
    let (story, server) = with_a_guest("third@first.example");
    story.run(&["run", "--wave", "1"]).ok();
    let (before, old) = (standing(&server), saying(&server, "mailto:third@first.example"));
    assert!(!old.is_empty());
    third_moves_to(&story, "third@second.example");
    let outdated = verified(&story);
    outdated.tells(0, &["; 0 differences", " outdated, ", "`transhume push --rerender`"]);
    // What people write into it meanwhile is a difference all the same.
    let ours = std::fs::read(&old[0]).unwrap();
    std::fs::write(&old[0], String::from_utf8(ours.clone()).unwrap().replace("SUMMARY:", "SUMMARY:theirs ")).unwrap();
    verified(&story).tells(4, &["; 1 difference;", "is altered: the summary was", "outdated"]);
    std::fs::write(&old[0], ours).unwrap();
    story.run(&["run", "--wave", "1"]).tells(0, &["nothing moved"]);
    story.run(&["push", "--rerender", "--wave", "1"]).ok();
    let after = standing(&server);
    assert_eq!((changed(&before, &after), after.len()), (old.clone(), before.len()), "in place, and nothing else");
    assert_eq!((saying(&server, "third@first.example"), saying(&server, "mailto:third@second.example")), (vec![], old));
    let done = verified(&story);
    done.tells(0, &["; 0 differences"]);
    assert!(!done.out.contains("outdated"), "{}", done.out);
}

/// As if an earlier edition had rendered everything.
fn rendered_by_an_earlier_edition(project: &Path) {
    for account in std::fs::read_dir(project.join("accounts")).unwrap() {
        let store = rusqlite::Connection::open(account.unwrap().path().join("store.db")).unwrap();
        store.execute("UPDATE rendering SET edition = edition - 1", []).unwrap();
    }
}

#[test]
fn another_edition_replaces_only_what_differs_while_the_source_is_switched_off() {
    let (story, server) = groupware(&recipe(2, true));
    story.run(&["run", "--only", "calendar"]);
    let (before, red) = (standing(&server), saying(&server, "\nCOLOR:red\n"));
    assert!(!red.is_empty(), "the colours of categories come from the account's own list of them");
    rendered_by_an_earlier_edition(&story.project());
    std::fs::create_dir(story.project().join("tables")).unwrap();
    story.write("tables/calendar.toml", "[category_colours]\n\"preset0\" = \"crimson\"\n");
    story.reconfigure("[source]\n", "tables = \"tables\"\n\n[source]\n");
    story.reconfigure(&story.simulator.base_url(), "http://127.0.0.1:9");
    let asked = story.simulator.stats().total;
    story.run(&["verify", "--only", "calendar"]).tells(3, &["; 0 differences", " outdated, "]);
    let pushed = story.run(&["push", "--rerender", "--only", "calendar", "--json"]).summary();
    assert_eq!((&pushed["owed"], &pushed["changes_owed"], &pushed["fetched"]), (&json!(0), &json!(0), &json!(0)));
    let after = standing(&server);
    assert_eq!((changed(&before, &after), after.len()), (red.clone(), before.len()));
    assert_eq!(saying(&server, "\nCOLOR:crimson\n"), red);
    let verified = story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    verified.tells(3, &["; 0 differences"]);
    assert!(!verified.out.contains("outdated"), "{}", verified.out);
    assert_eq!(story.simulator.stats().total, asked, "the source was not asked for anything");
}
