//! Calendar servers that hold something already, take nothing or break off: a clear sentence, and nothing is lost, doubled
//! or written over.

use crate::{
    groupware::{at_cyrus, changed, event, groupware, of_one_uid, project, quarantined, recipe, standing},
    setting::{Story, login},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use transhume_servers::{Cyrus, DavServer, RawDav, RawImap};
use transhume_simulators::seed::Recipe;

fn policy(story: &Story, line: &str) {
    let file = story.project().join("transhume.toml");
    let text = fs::read_to_string(&file).unwrap();
    story.write("transhume.toml", format!("{text}\n[policy]\n{line}\n"));
}

#[test]
fn a_second_project_doubles_nothing_and_adopts_what_is_there() {
    let (first, server) = groupware(&recipe(false));
    first.run(&["run"]).ok();
    let before = standing(&server);
    let second = project(&recipe(false), &server.url());
    second.run(&["run"]).tells(3, &["would stand there twice", "existing"]);
    assert_eq!(standing(&server), before);
    policy(&second, "existing = \"adopt\"");
    let adopted = second.run(&["run", "--json"]).ok().summary();
    assert_eq!((&adopted["placed"], &adopted["owed"]), (&json!(0), &json!(0)), "{adopted}");
    assert_eq!(standing(&server), before);
    second.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

/// One decision is asked for once, however many workloads wait for it.
#[test]
fn what_decides_for_calendars_contacts_and_tasks_is_said_once() {
    let recipe = Recipe { accounts: 1, ..recipe(false) };
    let (first, server) = groupware(&recipe);
    first.run(&["run"]).ok();
    let second = project(&recipe, &server.url());
    let (plan, check) = (second.run(&["plan"]), second.run(&["check"]));
    for (code, said) in [(3, plan), (1, check)] {
        said.tells(code, &["are events that are to be", "are contacts that are to be", "are tasks that are to be"]);
        assert_eq!(said.out.matches("set `existing` under [policy]").count(), 1, "{}", said.out);
    }
}

#[test]
fn one_wrong_password_is_one_blocker_and_keeps_nobody_else_out() {
    let (story, _server) = groupware(&recipe(false));
    story.write("passwords.csv", format!("login,password\n{},wrong\n{},secret\n", login(1), login(2)));
    let plan = story.run(&["plan"]);
    plan.tells(3, &["refused the login of account1", "; 1 blocker to mend first."]);
    assert!(!plan.out.contains("was not tried"), "{}", plan.out);
}

/// A calendar that people made at Radicale, with one entry of theirs.
fn theirs(server: &DavServer, name: &str) -> PathBuf {
    let folder = server.dir().join("data/collection-root").join(login(1)).join("ours-since-1999");
    fs::create_dir_all(&folder).unwrap();
    let properties = json!({ "tag": "VCALENDAR", "D:displayname": name });
    fs::write(folder.join(".Radicale.props"), properties.to_string()).unwrap();
    let event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//people//\r\nBEGIN:VEVENT\r\nUID:theirs@example.org\r\n\
        DTSTAMP:20200101T000000Z\r\nDTSTART:20200101T100000Z\r\nSUMMARY:theirs\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let file = folder.join("theirs.ics");
    fs::write(&file, event).unwrap();
    file
}

#[test]
fn a_calendar_of_that_name_with_other_content_is_left_as_it_is() {
    let (story, server) = groupware(&recipe(true));
    let file = theirs(&server, "Archives");
    let before = fs::read(&file).unwrap();
    let moved = story.run(&["run", "--only", "calendar", "--json"]).summary();
    assert_eq!(moved["owed"], json!(0), "{moved}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(objects_in(file.parent().unwrap()), 1, "nothing of ours stands beside theirs");
    assert!(named(&server, "Archives (2)").is_some_and(|folder| objects_in(&folder) > 0));
    proven(&story);
}

/// The calendars and address books of the first account, with the names that people see.
fn collections(server: &DavServer) -> Vec<(String, PathBuf)> {
    let home = server.dir().join("data/collection-root").join(login(1));
    let folders = fs::read_dir(home).unwrap().flatten().map(|entry| entry.path());
    let read = |folder: PathBuf| {
        let properties = fs::read_to_string(folder.join(".Radicale.props")).ok()?;
        let properties: serde_json::Value = serde_json::from_str(&properties).unwrap();
        Some((properties["D:displayname"].as_str()?.to_owned(), folder))
    };
    folders.filter_map(read).collect()
}

fn named(server: &DavServer, name: &str) -> Option<PathBuf> {
    collections(server).into_iter().find(|(own, _)| own == name).map(|(_, folder)| folder)
}

fn objects_in(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|name| name == "ics")).count()
}

#[track_caller]
fn proven(story: &Story) {
    let verified = story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    assert!(verified.out.contains(" 0 differences"), "{}\n{}", verified.out, verified.err);
}

#[test]
fn two_calendars_of_one_name_stay_two() {
    let (story, server) = groupware(&recipe(true));
    story.run(&["run", "--only", "calendar"]);
    let twins: Vec<_> = collections(&server).into_iter().filter(|(name, _)| name.starts_with("Projets")).collect();
    let mut names: Vec<_> = twins.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Projets", "Projets (2)"]);
    assert!(twins.iter().all(|(_, folder)| objects_in(folder) > 0), "{twins:?}");
    let before = standing(&server);
    story.run(&["run", "--only", "calendar"]);
    assert_eq!(standing(&server), before);
    proven(&story);
}

/// A calendar program writes an event anew when people move it to another calendar.
#[test]
fn what_people_moved_to_another_calendar_is_not_brought_back() {
    let (story, server) = groupware(&recipe(true));
    story.run(&["run", "--only", "calendar"]);
    let (from, to) = (named(&server, "Projets").unwrap(), named(&server, "Archives").unwrap());
    let event = fs::read_dir(&from)
        .unwrap()
        .flatten()
        .find(|entry| entry.path().is_file() && entry.path().extension().is_some_and(|name| name == "ics"))
        .unwrap();
    let text = fs::read_to_string(event.path()).unwrap();
    let anew = text.replace("VERSION:2.0\r\n", "VERSION:2.0\r\nX-WRITTEN-BY:a calendar program\r\n");
    assert_ne!(anew, text);
    fs::write(to.join(event.file_name()), &anew).unwrap();
    fs::remove_file(event.path()).unwrap();
    let before = standing(&server);
    story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    let repaired = story.run(&["push", "--repair", "--only", "calendar", "--json"]).summary();
    assert_eq!((&repaired["placed"], standing(&server) == before), (&json!(0), true), "{repaired}");
}

#[test]
fn what_one_server_proved_says_nothing_of_another() {
    let (story, first) = at_cyrus(&recipe(false));
    story.run(&["check", "--canary"]).tells(0, &["reached nobody"]);
    let (_, second) = at_cyrus(&recipe(false));
    let places = [&first, &second].map(|cyrus| cyrus.dav_url().unwrap());
    let file = story.project().join("transhume.toml");
    story.write("transhume.toml", fs::read_to_string(&file).unwrap().replace(&places[0], &places[1]));
    story.run(&["run", "--only", "calendar"]).tells(3, &["nobody has proven yet that this server mails nobody"]);
}

#[test]
fn a_calendar_that_takes_nothing_keeps_its_events_owed_and_the_others_move() {
    let (story, cyrus) = at_cyrus(&recipe(false));
    story.run(&["check", "--canary"]).ok();
    let mut person = RawImap::login(cyrus.imap_port(), &login(1), "secret").unwrap();
    let calendar = "\"#calendars/Default\"";
    let mut rights = |rights: &str| {
        let reply = person.command(&format!("SETACL {calendar} {} {rights}", login(1))).unwrap();
        assert!(reply.is_ok(), "{}", reply.text());
    };
    rights("lrsa");
    let refused = story.run(&["run", "--only", "calendar"]);
    refused.tells(3, &["owed", ", 1 calendar refused at the target"]);
    rights("lrsaitexkwd");
    story.run(&["run", "--only", "calendar"]).ok();
    proven(&story);
}

/// The calendars of the first account at Cyrus, with all that stands in them.
fn objects(story: &Story, cyrus: &Cyrus) -> Vec<(PathBuf, Vec<u8>)> {
    let raw = RawDav::new(&cyrus.dav_url().unwrap(), &login(1), "secret");
    let all = story.wait(raw.objects(&format!("/dav/calendars/user/{}/", login(1)))).unwrap();
    all.into_iter().map(|(path, text)| (path.into(), text.into_bytes())).collect()
}

/// The lines of UIDs of the events with such a subject, and their calendars.
fn uids(all: &[(PathBuf, Vec<u8>)], subject: &str) -> Vec<(String, PathBuf)> {
    let of = |(path, text): &(PathBuf, Vec<u8>)| {
        let text = String::from_utf8(text.clone()).unwrap().replace("\r\n ", "");
        text.contains(&format!("SUMMARY:{subject}\r\n")).then(|| {
            let uid = text.lines().find_map(|line| line.strip_prefix("UID:")).unwrap();
            (uid.to_owned(), path.parent().unwrap().to_owned())
        })
    };
    all.iter().filter_map(of).collect()
}

#[test]
fn a_meeting_in_two_calendars_of_cyrus_is_in_quarantine_or_gets_a_uid_of_its_own() {
    let (story, cyrus) = at_cyrus(&recipe(true));
    story.run(&["check", "--canary"]).ok();
    story.run(&["run", "--only", "calendar"]);
    let refused = || {
        let all = quarantined(&story).into_iter();
        all.filter(|(cause, _)| cause == "duplicate_uid").map(|(_, title)| title).collect::<Vec<_>>()
    };
    let (groups, waiting) = (of_one_uid(&story), refused());
    assert!(groups.iter().all(|group| group.len() == 2) && !groups.is_empty(), "{groups:?}");
    assert_eq!(waiting.len(), groups.len());
    // By its number: one title begins as the other does.
    let told = story.run(&["status", "--items", "--json"]).events().into_iter();
    let number = told.filter(|told| told["subject"] == *waiting[0]).find_map(|told| told["item"].as_u64()).unwrap();
    policy(&story, "duplicate_uid = \"derive\"");
    let derived = story.run(&["run", "--only", "calendar", "--json"]);
    assert_eq!((derived.summary()["placed"].as_u64(), refused()), (Some(groups.len() as u64), Vec::new()));
    proven(&story);
    let there = objects(&story, &cyrus);
    let pair: Vec<_> = groups[0].iter().flat_map(|title| uids(&there, title)).collect();
    let [(one, at), (other, beside)] = pair.as_slice() else { panic!("{pair:?}") };
    assert!(one != other && at != beside, "{pair:?}");
    assert_eq!(pair.iter().filter(|(uid, _)| uid.starts_with("transhume-")).count(), 1, "{pair:?}");
    let explained = story.run(&["explain", &number.to_string(), "--account", &story.addresses[0]]);
    explained.tells(0, &["uid_derived", "stands in another calendar of the account"]);
    story.run(&["run", "--only", "calendar", "--json"]);
    assert_eq!(objects(&story, &cyrus), there, "another run writes nothing");
    // What changes later is brought where it stands.
    let edit = json!([{ "op": "edit_event", "user": story.addresses[0], "event": event(&story, &waiting[0])["id"],
        "set": { "subject": "held elsewhere" } }]);
    story.mutate(edit);
    story.run(&["run", "--only", "calendar"]);
    let after = objects(&story, &cyrus);
    let (old, new) = (uids(&there, &waiting[0]), uids(&after, "held elsewhere"));
    assert_eq!((after.len(), changed(&there, &after).len(), new.len()), (there.len(), 1, 1));
    assert!(old.contains(&new[0]), "the UID it was given: {new:?}, {old:?}");
    proven(&story);
}
