//! A server that never says in which version it stored something: what is ours is found out by reading it.

use crate::{
    groupware::{at_cyrus, event, groupware, project, recipe, standing},
    setting::{Story, login},
};
use serde_json::{Value, json};
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

#[test]
fn what_is_told_is_not_asked_for_and_what_is_not_is_asked_for_many_at_once() {
    for (words, asks) in [(&[][..], false), (NO_ETAG, true)] {
        let recipe = Recipe { accounts: 1, ..recipe(false) };
        let server = DavServer::start(DavOptions::with_accounts(DavKind::Xandikos, &[&login(1)])).unwrap();
        let wire = Wire::start(server.port(), &[], words).unwrap();
        let story = project(&recipe, &wire.url());
        let placed = story.run(&["run", "--only", "contacts", "--json"]).ok().summary()["placed"].clone();
        assert!(placed.as_u64() >= Some(8) && wire.seen("PUT") >= 8, "{placed}");
        let asked = wire.seen("REPORT");
        assert!((asked > 0) == asks && asked * 2 <= wire.seen("PUT"), "asked {asked} times");
    }
}

#[test]
fn a_corrected_table_mends_what_stands_also_where_no_version_was_told() {
    let recipe = Recipe { accounts: 1, ..recipe(true) };
    let server = DavServer::start(DavOptions::with_accounts(DavKind::Xandikos, &[&login(1)])).unwrap();
    let wire = Wire::start(server.port(), &[], NO_ETAG).unwrap();
    let story = project(&recipe, &wire.url());
    let raw = RawDav::new(&server.url(), &login(1), "secret");
    let saying = |colour: &str| {
        let all = story.runtime.block_on(raw.objects(&format!("/{}/calendars/", login(1)))).unwrap();
        all.values().filter(|text| text.contains(&format!("COLOR:{colour}"))).count()
    };
    story.run(&["run", "--only", "calendar"]);
    let red = saying("red");
    assert!(red > 0);
    std::fs::create_dir(story.project().join("tables")).unwrap();
    story.write("tables/calendar.toml", "[category_colours]\n\"preset0\" = \"crimson\"\n");
    story.reconfigure("[source]\n", "tables = \"tables\"\n\n[source]\n");
    let pushed = story.run(&["push", "--rerender", "--only", "calendar", "--json"]);
    assert_eq!(pushed.summary()["changes_owed"], json!(0), "{}", pushed.err);
    assert_eq!((saying("red"), saying("crimson")), (0, red));
}

/// A meeting of the first account, with a code in its text, which is HTML.
fn meeting(story: &Story, subject: &str) -> String {
    let at = |hour: &str| json!({ "dateTime": format!("2026-10-01T{hour}:00:00"), "timeZone": "UTC" });
    let guest = json!([{ "type": "required", "status": { "response": "none", "time": "0001-01-01T00:00:00Z" },
        "emailAddress": { "name": "The second", "address": story.addresses[1] } }]);
    let set = json!({ "subject": subject, "start": at("10"), "end": at("11"), "attendees": guest,
        "body": { "contentType": "html", "content": "<p>Code 4711</p>" } });
    let made = story.mutate(json!([{ "op": "create_event", "user": story.addresses[0], "set": set }]));
    made["done"][0]["id"].as_str().unwrap().to_owned()
}

/// One digit of what is written beside the HTML, as a telephone would change it.
fn other_code(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    let other =
        |line: &str| if line.starts_with("DESCRIPTION") { line.replace("4711", "4712") } else { line.to_owned() };
    lines.map(other).collect()
}

#[test]
fn what_people_write_into_a_moved_meeting_stays_theirs_at_cyrus() {
    let (story, cyrus) = at_cyrus(&recipe(false));
    let (url, user) = (cyrus.dav_url().unwrap(), story.addresses[0].clone());
    let calendar =
        story.mutate(json!([{ "op": "create_calendar", "user": user, "name": "Moved" }]))["done"][0]["id"].clone();
    let ids = ["digit", "comment", "nobody"].map(|subject| (subject, meeting(&story, subject)));
    story.run(&["check", "--canary"]).ok();
    story.run(&["run", "--only", "calendar"]).ok();
    story.mutate(json!(
        ids.each_ref().map(|(_, id)| json!({ "op": "move_event", "user": user, "event": id, "to": calendar }))
    ));
    let moved = story.run(&["run", "--only", "calendar", "--json"]).ok().summary();
    assert_eq!(moved["relocated"], json!(3), "{moved}");
    let raw = RawDav::new(&url, &login(1), "secret");
    let all = || story.wait(raw.objects(&format!("/dav/calendars/user/{}/", login(1)))).unwrap();
    let named = |subject: &str| all().into_iter().find(|(_, text)| text.contains(&format!("SUMMARY:{subject}")));
    let (path, text) = named("digit").unwrap();
    story.wait(raw.send("PUT", &path, &other_code(&text))).unwrap();
    let (path, text) = named("comment").unwrap();
    story.wait(raw.send("PUT", &path, &text.replace("END:VEVENT", "COMMENT:theirs\r\nEND:VEVENT"))).unwrap();
    let later = |(subject, _): &(&str, String)| {
        let set = json!({ "subject": format!("newer {subject}") });
        json!({ "op": "edit_event", "user": user, "event": event(&story, subject)["id"], "set": set })
    };
    story.mutate(Value::Array(ids.iter().map(later).collect()));
    let said = story.run(&["run", "--only", "calendar", "--json"]);
    assert_eq!((said.code, &said.summary()["changes_owed"]), (Some(3), &json!(2)), "{}", said.err);
    assert!(named("newer nobody").is_some(), "what nobody changed is ours to replace");
    assert!(named("digit").unwrap().1.contains("DESCRIPTION:Code 4712"), "people's change is gone");
    assert!(named("comment").unwrap().1.contains("COMMENT:theirs"), "people's change is gone");
    story.run(&["status", "--items"]).tells(3, &["2 changes owed: conflict", "owed (conflict) at the target"]);
}

#[test]
fn one_digit_of_a_text_beside_its_html_is_a_difference() {
    let (story, server) = groupware(&recipe(false));
    meeting(&story, "code");
    story.run(&["run", "--only", "calendar"]).ok();
    let verify = || story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    verify().tells(0, &["0 differences"]);
    let with_code = |(_, bytes): &(_, Vec<u8>)| String::from_utf8_lossy(bytes).contains("SUMMARY:code");
    let (path, bytes) = standing(&server).into_iter().find(with_code).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("X-ALT-DESC") && other_code(&text) != text, "{text}");
    std::fs::write(path, other_code(&text)).unwrap();
    verify().tells(4, &["; 1 difference.", "the description was `Code 4711` and is `Code 4712`"]);
}
