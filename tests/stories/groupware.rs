//! Calendars, contacts and tasks into a real CalDAV and CardDAV server.

use crate::setting::{Story, login};
use serde_json::json;
use std::path::PathBuf;
use transhume_servers::{DavKind, DavOptions, DavServer};
use transhume_simulators::seed::Recipe;

/// A Radicale with a login for each account, and a project that moves calendars, contacts and tasks into it.
fn groupware(recipe: &Recipe) -> (Story, DavServer) {
    let logins: Vec<_> = (1..=recipe.accounts as usize).map(login).collect();
    let logins: Vec<_> = logins.iter().map(String::as_str).collect();
    let server = DavServer::start(DavOptions::with_accounts(DavKind::Radicale, &logins)).unwrap();
    let story = Story::new(recipe);
    let lines: String = logins.iter().map(|login| format!("{login},secret\n")).collect();
    story.write("passwords.csv", format!("login,password\n{lines}"));
    let target = format!(
        "connector = \"dav\"\nurl = \"{}\"\nauthentication = \"password\"\npasswords = \"passwords.csv\"\n",
        server.url()
    );
    let targets = ["calendar", "contacts", "tasks"].map(|workload| format!("[target.{workload}]\n{target}\n")).concat();
    story.reconfigure("[target.mail]\nconnector = \"folder\"\npath = \"mail\"\n", &targets);
    (story, server)
}

fn recipe(hostile: bool) -> Recipe {
    Recipe { accounts: 2, messages: 1, events: 12, contacts: 8, tasks: 6, hostile, ..Recipe::default() }
}

/// Every object that stands in the server, with its bytes.
fn standing(server: &DavServer) -> Vec<(PathBuf, Vec<u8>)> {
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
    let first = story.run(&["run", "--json"]);
    let (code, summary) = (first.code, first.summary());
    assert!(matches!(code, Some(0 | 3)), "{code:?}\n{}", first.err);
    assert_eq!(summary["owed"], json!(0), "{summary}\n{}", story.run(&["status", "--items"]).out);
    assert!(standing(&server).len() > 100, "{summary}");
    let verified = story.run(&["verify", "--depth", "content"]);
    assert!(verified.out.contains(" 0 differences"), "exit {:?}\n{}\n{}", verified.code, verified.out, verified.err);
}
