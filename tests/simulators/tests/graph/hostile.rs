//! The tenant of every odd thing, served: nothing of it is lost on the way, and its series are what they say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use transhume_simulators::dump::{Dump, Entry};
use transhume_simulators::seed::{Recipe, tenant};

use crate::calendars::values;
use crate::client::{Client, calm};

const EMILIE: &str = "emilie.lefevre@valmont.example";
const KINDS: [&str; 7] = ["calendarGroup", "calendar", "event", "contactFolder", "contact", "todoTaskList", "todoTask"];

fn hostile() -> Dump {
    tenant(&Recipe { accounts: 3, messages: 0, events: 1, contacts: 1, tasks: 1, hostile: true, ..Recipe::default() })
}

fn at(path: &str) -> String {
    format!("/v1.0/users/{EMILIE}/{path}")
}

fn named<'a>(dump: &'a Dump, subject: &str) -> &'a Entry {
    dump.entries.iter().find(|entry| entry.kind == "event" && entry.resource["subject"] == subject).unwrap()
}

fn id(entry: &Entry) -> &str {
    entry.resource["id"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_loaded_can_be_unloaded() {
    let dump = hostile();
    let client = Client::with(dump.clone(), calm()).await;
    let rooms = |dump: Dump| {
        let own = dump.entries.into_iter().filter(|entry| KINDS.contains(&entry.kind.as_str()));
        own.map(|entry| ((entry.kind.clone(), entry.user.clone(), id(&entry).to_owned()), entry))
            .collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (rooms(dump), rooms(client.running.tenant()));
    assert!(before.len() > 170, "{}", before.len());
    for (key, entry) in &before {
        let found = after.get(key).unwrap_or_else(|| panic!("{key:?}"));
        assert_eq!((&found.resource, &found.parent), (&entry.resource, &entry.parent), "{key:?}");
        assert!(found.content == entry.content, "{key:?}");
    }
    assert_eq!(after.len(), before.len(), "and nothing comes that was not there");
}

#[tokio::test]
async fn the_days_of_a_series_are_those_of_its_lists_and_of_its_zone() {
    let dump = hostile();
    let client = Client::with(dump.clone(), calm()).await;
    let lists = "$select=cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences";
    let window = "startDateTime=2025-12-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z";
    for (subject, begins, first) in [
        ("tokyo mornings", "T22:30:00.0000000", "2026-01-06"),
        ("new york evenings", "T02:30:00.0000000", "2026-01-06"),
        ("whole days in tokyo", "T00:00:00.0000000", "2026-01-06"),
        ("whole days in new york", "T00:00:00.0000000", "2026-01-06"),
    ] {
        let path = at(&format!("events/{}", id(named(&dump, subject))));
        let told = client.json(&format!("{path}?{lists}")).await;
        let cancelled = told["cancelledOccurrences"].as_array().unwrap();
        let cancelled: BTreeSet<&str> =
            cancelled.iter().map(|one| one.as_str().unwrap().rsplit('.').next().unwrap()).collect();
        assert_eq!(cancelled, BTreeSet::from(["2026-01-05", "2026-03-09", "2026-03-27"]), "{subject}");
        let originals = values(told["exceptionOccurrences"].as_array().unwrap(), "originalStart");
        let days = client.all(&format!("{path}/instances?{window}&$top=200")).await;
        let shown = values(&days, "originalStart");
        assert!(originals.len() == 2 && originals.iter().all(|one| shown.contains(one)), "{subject}: {originals:?}");
        assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len(), "each day once");
        assert!(days[0]["start"]["dateTime"].as_str().unwrap().ends_with(begins), "{subject}: {}", days[0]["start"]);
        let local = [("prefer", zone_of(subject))];
        let clocks = client.json_with(&format!("{path}/instances?{window}&$top=1"), &local).await;
        assert!(clocks["value"][0]["start"]["dateTime"].as_str().unwrap().starts_with(first), "{subject}");
    }
}

fn zone_of(subject: &str) -> &'static str {
    match subject.contains("tokyo") {
        true => "outlook.timezone=\"Tokyo Standard Time\"",
        false => "outlook.timezone=\"Eastern Standard Time\"",
    }
}

#[tokio::test]
async fn a_meeting_of_the_house_stands_with_everybody_under_one_uid() {
    let dump = hostile();
    let copies: Vec<&Entry> =
        dump.entries.iter().filter(|entry| entry.resource["subject"] == "meeting of the house").collect();
    let users: BTreeSet<_> = copies.iter().map(|entry| entry.user.clone()).collect();
    assert_eq!((copies.len(), users.len()), (3, 3));
    assert!(copies.iter().all(|copy| copy.resource["iCalUId"] == copies[0].resource["iCalUId"]));
    let organisers = copies.iter().filter(|copy| copy.resource["isOrganizer"] == true);
    assert_eq!(organisers.map(|copy| copy.user.as_deref().unwrap()).collect::<Vec<_>>(), [EMILIE]);
    assert!(copies.iter().all(|copy| copy.resource["organizer"]["emailAddress"]["address"] == EMILIE));
}

#[tokio::test]
async fn ids_with_dots_and_ids_that_differ_by_case_name_their_events() {
    let dump = hostile();
    let client = Client::with(dump.clone(), calm()).await;
    let immutable = [("prefer", "IdType=\"ImmutableId\"")];
    let mut seen = BTreeSet::new();
    for subject in ["dots in its id", "an id in one case", "and the same in the other case"] {
        let row = client.json_with(&at(&format!("events/{}", id(named(&dump, subject)))), &immutable).await;
        assert_eq!(row["subject"], subject);
        let again = client.json_with(&at(&format!("events/{}", row["id"].as_str().unwrap())), &immutable).await;
        assert_eq!((&again["subject"], &again["id"]), (&row["subject"], &row["id"]));
        seen.insert(row["id"].as_str().unwrap().to_lowercase());
    }
    assert_eq!(seen.len(), 2, "two of them are one in lower case");
}

#[tokio::test]
async fn owners_are_spelt_in_every_way() {
    let client = Client::with(hostile(), calm()).await;
    let mut owners = BTreeMap::new();
    for group in client.all(&at("calendarGroups")).await {
        for calendar in client.all(&at(&format!("calendarGroups/{}/calendars", group["id"].as_str().unwrap()))).await {
            let address = calendar["owner"]["address"].as_str().unwrap().to_owned();
            owners.entry(address).or_insert_with(Vec::new).push(calendar["name"].clone());
        }
    }
    let alone = |address: &str| owners[address].clone();
    assert_eq!(alone("EMILIE.LEFEVRE@VALMONT.EXAMPLE"), [json!("Projets")]);
    assert_eq!(alone("emilie.lefevre@valmont.onmicrosoft.com"), [json!("Archives")]);
    assert_eq!(alone("juergen.gross@valmont.example"), [json!("Jürgen Groß")], "and that one is not hers");
    assert!(owners[EMILIE].contains(&Value::from("Anniversaires")), "hers, though she cannot write there");
}
