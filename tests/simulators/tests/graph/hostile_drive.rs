//! The seeded drive of every odd thing, served: nothing of it is lost on the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use transhume_simulators::dump::{Dump, Entry};
use transhume_simulators::seed::{Recipe, tenant};

use crate::client::{Client, calm};
use crate::drive::{fetch, switch};

const EMILIE: &str = "emilie.lefevre@valmont.example";
const KINDS: [&str; 6] = ["site", "drive", "driveItem", "driveItemVersion", "permission", "channel"];

fn hostile() -> Dump {
    let recipe =
        Recipe { accounts: 2, messages: 0, files: 30, hostile: true, largest_file: 5 << 20, ..Recipe::default() };
    tenant(&recipe)
}

fn own(dump: &Dump, kind: &str) -> Vec<Entry> {
    let own = |entry: &&Entry| entry.kind == kind && entry.user.as_deref() == Some(EMILIE);
    dump.entries.iter().filter(own).cloned().collect()
}

#[tokio::test]
async fn what_is_loaded_can_be_unloaded() {
    let dump = hostile();
    let client = Client::with(dump.clone(), calm()).await;
    let files = |dump: Dump| {
        let kept = dump.entries.into_iter().filter(|entry| KINDS.contains(&entry.kind.as_str()));
        let key = |entry: &Entry| (entry.kind.clone(), entry.parent.clone(), entry.resource["id"].to_string());
        kept.map(|entry| (key(&entry), entry)).collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (files(dump), files(client.running.tenant()));
    assert!(before.len() > 500, "{}", before.len());
    for (key, entry) in &before {
        let found = after.get(key).unwrap_or_else(|| panic!("{key:?}"));
        assert_eq!((&found.resource, &found.user), (&entry.resource, &entry.user), "{key:?}");
        assert!(found.content == entry.content, "{key:?}");
    }
    assert_eq!(after.len(), before.len(), "and nothing comes that was not there");
}

#[tokio::test]
async fn every_item_is_found_by_delta_and_by_its_path() {
    let dump = hostile();
    let client = Client::with(dump.clone(), calm()).await;
    let (rows, _) = client.walk(&format!("/v1.0/users/{EMILIE}/drive/root/delta"), &[]).await;
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    let items = own(&dump, "driveItem");
    assert_eq!(ids.len(), items.len());
    let mut seen = BTreeSet::new();
    for item in &items {
        let resource = &item.resource;
        let name = resource["name"].as_str().unwrap();
        let path = resource["parentReference"]["path"].as_str();
        let Some((_, above)) = path.and_then(|path| path.split_once("root:")) else { continue };
        if !name.is_ascii() || name.contains(['%', '#', '?', ' ', '+']) {
            let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let row = client.json(&format!("/v1.0/users/{EMILIE}/drive/root:{above}/{encoded}")).await;
            assert_eq!((&row["id"], &row["name"]), (&resource["id"], &resource["name"]), "{name}");
            seen.insert(name);
        }
    }
    assert!(seen.len() > 90, "{}", seen.len());
}

/// What can be fetched is what the dump holds; what cannot is refused for its reason.
#[tokio::test]
async fn contents_are_those_of_the_dump() {
    let dump = hostile();
    let mut options = calm();
    options.knobs.limits.resource_units = 100_000;
    let client = Client::with(dump.clone(), options).await;
    let mut refused = BTreeMap::new();
    for item in own(&dump, "driveItem").iter().filter(|item| item.resource.get("root").is_none()) {
        let path = format!("/v1.0/users/{EMILIE}/drive/items/{}/content", item.resource["id"].as_str().unwrap());
        let answer = client.get(&path).await;
        if answer.status() != 302 {
            let body: Value = answer.json().await.unwrap();
            *refused.entry(body["error"]["code"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            continue;
        }
        let url = answer.headers()["location"].to_str().unwrap().to_owned();
        let bytes = fetch(&client, &url, &[]).await.bytes().await.unwrap();
        assert!(bytes == item.content.as_ref().unwrap().to_bytes(), "{}", item.resource["name"]);
    }
    let without = own(&dump, "driveItem").iter().filter(|item| item.content.is_none()).count() - 1;
    let wanted = [
        ("malwareDetected", 1),
        ("resourceLocked", 1),
        ("accessDenied", 1),
        ("generalException", 1),
        ("itemNotFound", without + 1),
    ];
    assert_eq!(refused, wanted.map(|(code, count)| (code.to_owned(), count)).into());
}

#[tokio::test]
async fn what_is_hard_to_read_is_refused_and_the_rest_goes_on() {
    let client = Client::with(hostile(), calm()).await;
    let sites = client.all("/v1.0/sites/getAllSites").await;
    let mut statuses = BTreeMap::new();
    for site in &sites {
        let path = format!("/v1.0/sites/{}/drives", site["id"].as_str().unwrap());
        let name = site["displayName"].as_str().unwrap_or_default().to_owned();
        statuses.insert(name, client.get(&path).await.status().as_u16());
    }
    assert_eq!((statuses["Site verrouillé"], statuses["Archivé"], statuses["Ressources humaines"]), (423, 423, 403));
    assert_eq!((statuses["Conseil municipal"], statuses["Commissions"]), (200, 200));
    let group = client.all("/v1.0/groups").await[0]["id"].as_str().unwrap().to_owned();
    let drives = client.all(&format!("/v1.0/groups/{group}/drives")).await;
    assert_eq!(crate::calendars::values(&drives, "name"), ["Documents", "Archives"]);
    assert_eq!(
        client.all(&format!("/v1.0/groups/{group}/drives?$select=name,system")).await.len(),
        3,
        "one of the system"
    );
    let mut folders = BTreeMap::new();
    for channel in client.all(&format!("/v1.0/teams/{group}/channels")).await {
        let path = format!("/v1.0/teams/{group}/channels/{}/filesFolder", channel["id"].as_str().unwrap());
        folders.insert(channel["displayName"].as_str().unwrap().to_owned(), client.get(&path).await.status().as_u16());
    }
    assert_eq!(folders.values().filter(|status| **status == 200).count(), 4);
    assert_eq!(folders["Jamais ouvert"], 404);
    for (who, status) in [("paul.ancien", 200), ("nouvel.arrivant", 404), ("salle.conseil", 404)] {
        let path = format!("/v1.0/users/{who}@valmont.example/drive");
        assert_eq!(client.get(&path).await.status(), status, "{who}");
    }
}

#[tokio::test]
async fn a_busy_day_in_the_hostile_drive_is_told_by_delta() {
    let client = Client::with(hostile(), calm()).await;
    switch(&client, json!({"delta_parents": false})).await;
    let (rows, link) = client.walk(&format!("/v1.0/users/{EMILIE}/drive/root/delta?$top=100"), &[]).await;
    client.mutate(json!({"op": "churn_files", "user": EMILIE, "seed": 9, "count": 100})).await;
    let (changes, _) = client.walk(&link.unwrap(), &[]).await;
    let mut present: BTreeMap<String, Value> = BTreeMap::new();
    for row in rows.into_iter().chain(changes.iter().cloned()) {
        let id = row["id"].as_str().unwrap().to_owned();
        match row.get("deleted") {
            Some(_) => drop(present.remove(&id)),
            None => drop(present.insert(id, row)),
        }
    }
    let truth = own(&client.running.tenant(), "driveItem");
    assert_eq!(present.len(), truth.len());
    for item in &truth {
        let row = &present[item.resource["id"].as_str().unwrap()];
        assert_eq!(
            (&row["name"], &row["parentReference"]["id"]),
            (&item.resource["name"], &item.resource["parentReference"]["id"])
        );
    }
    assert!(changes.len() < 200, "in proportion to the changes: {}", changes.len());
}
