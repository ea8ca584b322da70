//! A server that never says in which version it stored something: what is ours is found out by reading it.

use crate::{
    groupware::{event, project, recipe},
    setting::login,
};
use serde_json::json;
use transhume_servers::{DavKind, DavOptions, DavServer, RawDav, Wire, Words};
use transhume_simulators::seed::Recipe;

const NO_ETAG: Words = &[("ETag: ", "XTag: "), ("Etag: ", "Xtag: ")];
const SERIES: &str = "daily without end";

#[test]
fn what_nobody_touched_is_replaced_though_its_version_was_never_told() {
    let recipe = Recipe { accounts: 1, ..recipe(true) };
    let server = DavServer::start(DavOptions::with_accounts(DavKind::Xandikos, &[&login(1)])).unwrap();
    let wire = Wire::start(server.port(), &[], NO_ETAG).unwrap();
    let story = project(&recipe, &wire.url());
    let raw = RawDav::new(&server.url(), &login(1), "secret");
    let named = |subject: &str| {
        let all = story.runtime.block_on(raw.objects(&format!("/{}/calendars/", login(1)))).unwrap();
        let subject = format!("SUMMARY:{subject}");
        all.into_iter().find(|(_, text)| text.contains(&subject))
    };
    story.run(&["run", "--only", "calendar"]);
    let id = event(&story, SERIES)["id"].clone();
    let rename = |subject: &str| {
        let set = json!({ "subject": subject });
        story.mutate(json!([{ "op": "edit_event", "user": story.addresses[0], "event": id, "set": set }]));
        let said = story.run(&["run", "--only", "calendar", "--json"]);
        let owed = said.summary()["changes_owed"].clone();
        (owed, said.err)
    };
    let (owed, told) = rename("ours");
    assert_eq!(owed, json!(0), "{told}");
    let (path, text) = named("ours").unwrap();
    let theirs = text.replace("SUMMARY:ours", "SUMMARY:theirs");
    story.runtime.block_on(raw.send("PUT", &path, &theirs)).unwrap();
    let (owed, told) = rename("newer");
    assert_eq!(owed, json!(1), "{told}");
    assert!(named("theirs").is_some() && named("newer").is_none(), "people's change is gone");
}
