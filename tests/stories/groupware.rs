//! Calendars, contacts and tasks into a real CalDAV and CardDAV server.

use crate::setting::{Story, login};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use transhume_servers::{Cyrus, CyrusOptions, DavKind, DavOptions, DavServer, RawDav};
use transhume_simulators::{dump::Entry, seed::Recipe};

fn logins(recipe: &Recipe) -> Vec<String> {
    (1..=recipe.accounts as usize).map(login).collect()
}

/// A Radicale with a login for each account, and a project that moves calendars, contacts and tasks into it.
pub fn groupware(recipe: &Recipe) -> (Story, DavServer) {
    let logins = logins(recipe);
    let logins: Vec<_> = logins.iter().map(String::as_str).collect();
    let server = DavServer::start(DavOptions::with_accounts(DavKind::Radicale, &logins)).unwrap();
    (project(recipe, &server.url()), server)
}

/// A project that moves calendars, contacts and tasks to this server, whose passwords are all `secret`.
pub fn project(recipe: &Recipe, url: &str) -> Story {
    let (story, logins) = (Story::new(recipe), logins(recipe));
    let lines: String = logins.iter().map(|login| format!("{login},secret\n")).collect();
    story.write("passwords.csv", format!("login,password\n{lines}"));
    let target =
        format!("connector = \"dav\"\nurl = \"{url}\"\nauthentication = \"password\"\npasswords = \"passwords.csv\"\n");
    let targets = ["calendar", "contacts", "tasks"].map(|workload| format!("[target.{workload}]\n{target}\n")).concat();
    story.reconfigure("[target.mail]\nconnector = \"folder\"\npath = \"mail\"\n", &targets);
    story
}

pub fn recipe(hostile: bool) -> Recipe {
    Recipe { accounts: 2, messages: 1, events: 12, contacts: 8, tasks: 6, hostile, ..Recipe::default() }
}

/// The first account's event of that subject, as the tenant has it.
pub fn event(story: &Story, subject: &str) -> Value {
    let entries = story.simulator.tenant().entries.into_iter();
    let mut events = entries.filter(|entry| entry.kind == "event" && entry.user.as_ref() == Some(&story.addresses[0]));
    events.find(|entry| entry.resource["subject"] == subject).unwrap().resource
}

/// The paths of what differs between two looks.
pub fn changed(before: &[(PathBuf, Vec<u8>)], after: &[(PathBuf, Vec<u8>)]) -> Vec<PathBuf> {
    let one_of = |all: &[(PathBuf, Vec<u8>)], one: &(PathBuf, Vec<u8>)| all.contains(one);
    let new = after.iter().filter(|one| !one_of(before, one)).map(|(path, _)| path.clone());
    let old = before.iter().filter(|one| !one_of(after, one)).map(|(path, _)| path.clone());
    new.chain(old).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Every object that stands in the server, with its bytes.
pub fn standing(server: &DavServer) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![server.dir().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            match entry.file_type().unwrap().is_dir() {
                true if !name.starts_with(".Radicale.cache") => folders.push(path),
                false if name.ends_with(".ics") || name.ends_with(".vcf") => {
                    all.push((path.clone(), std::fs::read(&path).unwrap()));
                }
                _ => {}
            }
        }
    }
    all.sort();
    all
}

#[test]
fn calendars_contacts_and_tasks_arrive_once_and_are_proven() {
    let (story, server) = groupware(&recipe(false));
    story.run(&["check"]).ok();
    story.run(&["plan", "--sample", "5"]).tells(0, &["calendar", "contacts", "tasks"]);
    let first = story.run(&["run", "--json"]).summary();
    assert_eq!((&first["owed"], &first["quarantined"]), (&json!(0), &json!(0)), "{first}");
    let there = standing(&server);
    assert_eq!(Some(there.len() as u64), first["placed"].as_u64());
    assert!(there.len() >= 2 * (12 + 8 + 6), "{}", there.len());
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences."]);
    story.run(&["run"]).tells(0, &["nothing moved: nothing is new at the source"]);
    assert_eq!(standing(&server), there, "a second run writes nothing");
    story.run(&["run", "--only", "contacts"]).tells(0, &["nothing moved"]);
    story.run(&["run", "--only", "mail"]).complains(2, &["no [target.mail] stands in transhume.toml"]);
}

#[test]
fn a_hostile_tenant_arrives_and_what_stands_there_says_what_its_originals_say() {
    let (story, server) = groupware(&recipe(true));
    arrives_whole(&story, &[]);
    assert!(standing(&server).len() > 100);
}

#[test]
fn a_hostile_tenant_arrives_at_xandikos_too() {
    let (story, _xandikos) = at_xandikos(&recipe(true));
    arrives_whole(&story, &[]);
}

/// Into a Xandikos, which has one account.
fn at_xandikos(recipe: &Recipe) -> (Story, DavServer) {
    let server = DavServer::start(DavOptions::with_accounts(DavKind::Xandikos, &[&login(1)])).unwrap();
    (project(&Recipe { accounts: 1, ..recipe.clone() }, &server.url()), server)
}

#[test]
fn a_hostile_tenant_arrives_at_cyrus_too() {
    let (story, _cyrus) = at_cyrus(&recipe(true));
    story.run(&["check", "--canary"]).tells(0, &["reached nobody"]);
    arrives_whole(&story, &of_one_uid(&story));
}

/// What can stand nowhere, with the cause, by what the tenant itself holds: what the service cannot give, and what no
/// calendar can say.
fn impossible(story: &Story) -> Vec<(String, String)> {
    let cause = |kind: &str, resource: &Value| match () {
        () if resource["_sim"]["fails"] == "ErrorCorruptData" => Some("corrupt_at_source"),
        () if kind == "event" && is_no_event(resource) => Some("unrenderable"),
        () => None,
    };
    let moved = moved(story).into_iter();
    moved.filter_map(|(kind, resource)| Some((cause(&kind, &resource)?.to_owned(), title(&resource)))).collect()
}

/// Events, contacts and tasks of those who move; a series once.
fn moved(story: &Story) -> Vec<(String, Value)> {
    let entries = story.simulator.tenant().entries.into_iter();
    let own = entries.filter(|entry| entry.user.as_ref().is_some_and(|user| story.addresses.contains(user)));
    let own = own.filter(|entry| ["event", "contact", "todoTask"].contains(&entry.kind.as_str()));
    own.filter(|entry| entry.resource["type"] != "exception").map(|entry| (entry.kind, entry.resource)).collect()
}

fn title(resource: &Value) -> String {
    let told = ["subject", "title", "displayName"].iter().find_map(|name| resource[*name].as_str());
    told.unwrap_or_default().to_owned()
}

/// No start, no pattern that anybody knows, or no day on which it takes place.
fn is_no_event(event: &Value) -> bool {
    let start = event["start"]["dateTime"].as_str().unwrap_or_default();
    let (pattern, range) = (event["recurrence"]["pattern"]["type"].as_str(), &event["recurrence"]["range"]);
    let known = ["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"];
    let ends_before = range["type"] == "endDate" && range["endDate"].as_str() < range["startDate"].as_str();
    let cancelled = event["cancelledOccurrences"].as_array().map_or(0, Vec::len) as u64;
    let all_cancelled = cancelled > 0 && range["numberOfOccurrences"].as_u64() == Some(cancelled);
    let unknown = pattern.is_some_and(|pattern| !known.contains(&pattern));
    start.parse::<jiff::civil::DateTime>().is_err() || unknown || ends_before || all_cancelled
}

/// Cyrus takes a UID once for each account: the titles of events that share theirs.
pub fn of_one_uid(story: &Story) -> Vec<Vec<String>> {
    let mut by_uid: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for entry in story.simulator.tenant().entries.iter().filter(|entry| entry.resource["type"] != "exception") {
        let uid = entry.resource["iCalUId"].as_str().filter(|_| entry.kind == "event");
        let own = entry.user.as_ref().filter(|user| story.addresses.contains(user));
        if let Some((uid, user)) = uid.zip(own) {
            by_uid.entry((user.clone(), uid.to_owned())).or_default().push(title(&entry.resource));
        }
    }
    by_uid.into_values().filter(|titles| titles.len() > 1).collect()
}

/// What is in quarantine, with the cause and by its title.
pub fn quarantined(story: &Story) -> Vec<(String, String)> {
    let items =
        story.run(&["status", "--items", "--json"]).events().into_iter().filter(|event| event["type"] == "item");
    let told = items.filter_map(|item| {
        let cause = item["standing"]["quarantined"].as_str()?.to_owned();
        Some((cause, item["subject"].as_str().unwrap_or_default().to_owned()))
    });
    told.collect()
}

/// All arrives but what can stand nowhere, and of each of these groups all but one; nothing is owed, and what stands there
/// says what its originals say.
fn arrives_whole(story: &Story, of_one_uid: &[Vec<String>]) {
    let first = story.run(&["run", "--json"]);
    let (code, summary) = (first.code, first.summary());
    let all = quarantined(story);
    assert_eq!((code, summary["quarantined"].as_u64()), (Some(3), Some(all.len() as u64)), "{}", first.err);
    let (twice, mut found): (Vec<_>, Vec<_>) = all.into_iter().partition(|(cause, _)| cause == "duplicate_uid");
    let mut kept = impossible(story);
    found.sort();
    kept.sort();
    assert!(kept.len() > 4, "{kept:?}");
    assert_eq!(found, kept);
    assert_eq!(twice.len(), of_one_uid.iter().map(|group| group.len() - 1).sum::<usize>(), "{twice:?}");
    for group in of_one_uid {
        assert_eq!(twice.iter().filter(|(_, title)| group.contains(title)).count(), group.len() - 1, "{twice:?}");
    }
    assert_eq!(summary["owed"], json!(0), "{summary}\n{}", story.run(&["status", "--items"]).out);
    assert!(summary["placed"].as_u64().unwrap() > 100, "{summary}");
    let verified = story.run(&["verify", "--depth", "content"]);
    assert!(verified.out.contains(" 0 differences"), "exit {:?}\n{}\n{}", verified.code, verified.out, verified.err);
    let again = story.run(&["run", "--json"]).summary();
    let done = ["fetched", "placed", "amended", "relocated", "replaced", "withdrawn"].map(|verb| again[verb].clone());
    assert_eq!(done, [0; 6].map(|none| json!(none)), "a second run does nothing: {again}");
}

/// The same into a Cyrus.
pub fn at_cyrus(recipe: &Recipe) -> (Story, Cyrus) {
    let names = logins(recipe);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let cyrus = Cyrus::start(CyrusOptions { dav: true, ..CyrusOptions::with_accounts(&names) }).unwrap();
    (project(recipe, &cyrus.dav_url().unwrap()), cyrus)
}

/// The series that these stories change.
const SERIES: &str = "daily without end";

#[test]
fn an_edited_day_of_a_series_is_brought_in_place() {
    let (story, server) = groupware(&recipe(true));
    edited_in_place(&story, &|| standing(&server));
}

#[test]
fn an_edited_day_of_a_series_is_brought_in_place_at_xandikos() {
    let (story, server) = at_xandikos(&recipe(true));
    edited_in_place(&story, &|| standing(&server));
}

#[test]
fn an_edited_day_of_a_series_is_brought_in_place_at_cyrus() {
    let (story, cyrus) = at_cyrus(&recipe(true));
    story.run(&["check", "--canary"]).ok();
    let raw = RawDav::new(&cyrus.dav_url().unwrap(), &login(1), "secret");
    let home = format!("/dav/calendars/user/{}/", login(1));
    let objects = || story.wait(raw.objects(&home)).unwrap();
    edited_in_place(&story, &|| objects().into_iter().map(|(path, text)| (path.into(), text.into_bytes())).collect());
}

/// One object is written, and no other.
fn edited_in_place(story: &Story, look: &dyn Fn() -> Vec<(PathBuf, Vec<u8>)>) {
    story.run(&["run", "--only", "calendar"]);
    let (before, series) = (look(), event(story, SERIES));
    let day = json!([{ "op": "edit_occurrence", "user": story.addresses[0], "event": series["id"],
        "date": "2026-12-01", "set": { "subject": "moved by hand" } }]);
    story.mutate(day);
    let second = story.run(&["run", "--only", "calendar", "--json"]).summary();
    assert_eq!((&second["owed"], &second["changes_owed"]), (&json!(0), &json!(0)), "{second}");
    assert_eq!((&second["replaced"], &second["withdrawn"]), (&json!(1), &json!(0)), "{second}");
    let after = look();
    let changed = changed(&before, &after);
    assert_eq!((before.len(), changed.len()), (after.len(), 1), "{changed:?}");
    let text = after.into_iter().find(|(path, _)| *path == changed[0]).map(|(_, bytes)| bytes).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("SUMMARY:moved by hand") && text.contains("RECURRENCE-ID"), "{text}");
    let verified = story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    assert!(verified.out.contains(" 0 differences"), "{}\n{}", verified.out, verified.err);
}

#[test]
fn what_people_changed_there_stays_and_the_newer_one_is_owed() {
    let (story, server) = groupware(&recipe(true));
    story.run(&["run", "--only", "calendar"]);
    let (path, bytes) = standing(&server)
        .into_iter()
        .find(|(_, bytes)| String::from_utf8_lossy(bytes).contains(&format!("SUMMARY:{SERIES}")))
        .unwrap();
    let theirs = String::from_utf8(bytes).unwrap().replace(&format!("SUMMARY:{SERIES}"), "SUMMARY:theirs");
    std::fs::write(&path, &theirs).unwrap();
    let verified = story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    assert_eq!(verified.code, Some(4), "{}", verified.out);
    assert!(verified.out.contains("theirs"), "{}", verified.out);
    let edit = json!([{ "op": "edit_event", "user": story.addresses[0], "event": event(&story, SERIES)["id"],
        "set": { "subject": "as the source has it now" } }]);
    story.mutate(edit);
    let second = story.run(&["run", "--only", "calendar", "--json"]);
    assert_eq!((second.code, &second.summary()["changes_owed"]), (Some(3), &json!(1)), "{}", second.err);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), theirs);
    let status = story.run(&["status", "--items"]);
    // What people wrote is a difference, too.
    status.tells(4, &["1 change owed: conflict, seen at the target", "owed (conflict) at the target"]);
    let refused = second.events().into_iter().find(|event| event["fault"]["what"] == "conflict");
    assert!(refused.is_some(), "{}", second.out);
    story
        .run(&["explain", "as the source has it now"])
        .tells(0, &["owed (conflict) at the target", "`transhume push --repair`"]);
}

#[test]
fn a_task_ticked_off_a_contact_removed_and_an_event_moved_are_followed() {
    let (story, server) = groupware(&recipe(false));
    story.run(&["run"]).ok();
    let before = standing(&server);
    let user = &story.addresses[0];
    let churn = |op: &str| json!({ "op": op, "user": user, "seed": 7, "count": 20 });
    story.mutate(json!(["churn_events", "churn_contacts", "churn_tasks"].map(churn)));
    let second = story.run(&["run", "--json"]).summary();
    assert_eq!((&second["owed"], &second["changes_owed"]), (&json!(0), &json!(0)), "{second}");
    assert!(!changed(&before, &standing(&server)).is_empty());
    let verified = story.run(&["verify", "--depth", "content"]);
    assert!(verified.out.contains(" 0 differences"), "{}\n{}", verified.out, verified.err);
    story.run(&["run"]).tells(0, &["nothing moved"]);
}

#[test]
fn a_server_that_could_mail_people_gets_no_calendar_before_it_was_seen_to_keep_quiet() {
    let (story, _cyrus) = at_cyrus(&recipe(false));
    let words = ["BLOCKER 2 accounts: nobody has proven yet", "transhume check --canary", "; 1 blocker to mend first."];
    story.run(&["plan"]).tells(3, &words);
    let refused = story.run(&["run"]);
    refused.tells(3, &["nobody has proven yet that this server mails nobody", "transhume check --canary"]);
    let only = |workload: &str| story.run(&["run", "--only", workload, "--json"]).summary()["owed"].clone();
    assert_eq!((only("contacts"), only("tasks")), (json!(0), json!(0)), "the rest has moved");
    story.run(&["check", "--canary"]).tells(0, &["a trial meeting from account1 to account2 reached nobody"]);
    story.run(&["plan"]).tells(0, &["; nothing blocks."]);
    let moved = story.run(&["run", "--only", "calendar", "--json"]).ok().summary();
    assert!(moved["placed"].as_u64().unwrap() >= 24, "{moved}");
    let verified = story.run(&["verify", "--only", "calendar", "--depth", "content"]);
    assert!(verified.out.contains(" 0 differences"), "{}\n{}", verified.out, verified.err);
}

#[test]
fn all_that_happened_to_an_event_a_contact_and_a_task_is_told() {
    let (story, _server) = groupware(&recipe(false));
    story.run(&["run"]).ok();
    for (kind, name, workload) in
        [("event", "subject", "calendar"), ("contact", "displayName", "contacts"), ("todoTask", "title", "tasks")]
    {
        let own = |entry: &&Entry| entry.kind == kind && entry.user.as_ref() == Some(&story.addresses[0]);
        let tenant = story.simulator.tenant();
        let title = tenant.entries.iter().find(own).unwrap().resource[name].as_str().unwrap().to_owned();
        story.run(&["explain", &title, "--account", &story.addresses[0]]).tells(0, &[&title, workload, "placed"]);
    }
}

/// Name and colour of each calendar that stands in the server.
fn calendars(server: &DavServer) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut folders = vec![server.dir().to_path_buf()];
    while let Some(folder) = folders.pop() {
        let told =
            std::fs::read(folder.join(".Radicale.props")).ok().map(|text| serde_json::from_slice(&text).unwrap());
        let said = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
        all.extend(told.map(|told: Value| (said(&told, "D:displayname"), said(&told, "ICAL:calendar-color"))));
        let within = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(within.filter(|path| path.is_dir()));
    }
    all
}

#[test]
fn a_corrected_table_is_followed_by_what_it_speaks_of() {
    let (story, server) = groupware(&recipe(true));
    story.run(&["run", "--only", "calendar"]);
    let colour = |name: &str| calendars(&server).into_iter().find(|(known, _)| known == name).map(|(_, colour)| colour);
    assert!(colour("Archives").unwrap().starts_with("#038387"), "{:?}", calendars(&server));
    assert_eq!(colour("Anniversaires"), None, "the target fills its own");
    let before = standing(&server);
    std::fs::create_dir(story.project().join("tables")).unwrap();
    story.write("tables/zones.toml", "[special]\n\"Mars Standard Time\" = \"Europe/Rome\"\n");
    story.reconfigure("[source]\n", "tables = \"tables\"\n\n[source]\n");
    story.run(&["push", "--rerender", "--only", "calendar"]);
    let changed = changed(&before, &standing(&server));
    assert!(!changed.is_empty() && changed.len() < 10, "{changed:?}");
    for path in changed {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("TZID=Europe/Rome"), "{text}");
    }
    story.write("tables/calendar.toml", "[well_known]\n\"Anniversaires\" = \"\"\n");
    story.run(&["run", "--only", "calendar"]);
    assert!(colour("Anniversaires").is_some(), "{:?}", calendars(&server));
}
