//! Changes to drives from outside, and the truth about them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use transhume_simulators::Simulator;
use transhume_simulators::dump::{Content, Dump, Entry};

use crate::client::{ANNA, Client, calm};
use crate::drive::{DRIVE, GROUP, LIBRARY, TEAM_SITE, at, client, fetch, id, item_at, location, office};

fn items<'a>(dump: &'a Dump, drive: &'a str) -> impl Iterator<Item = &'a Entry> {
    dump.entries
        .iter()
        .filter(move |entry| entry.kind == "driveItem" && entry.resource["parentReference"]["driveId"] == drive)
}

#[tokio::test]
async fn files_come_and_are_told_of() {
    let client = client().await;
    let made = client
        .mutate(json!({"op": "new_file", "user": ANNA, "folder": "/Docs", "name": "né.txt", "content": STANDARD.encode("né"),
            "set": {"fileSystemInfo": {"createdDateTime": "2001-01-01T00:00:00Z", "lastModifiedDateTime": "2002-02-02T00:00:00Z"}}}))
        .await;
    let row = client.json(&at(&format!("items/{}", made["id"].as_str().unwrap()))).await;
    assert_eq!(
        (&row["name"], &row["size"], &row["file"]["mimeType"]),
        (&json!("né.txt"), &json!(3), &json!("text/plain"))
    );
    assert_eq!(row["fileSystemInfo"]["lastModifiedDateTime"], "2002-02-02T00:00:00Z");
    assert_eq!(row["file"]["hashes"]["quickXorHash"].as_str().unwrap().len(), 28);
    let url = location(&client, &at("root:/Docs/n%C3%A9.txt:/content")).await;
    assert_eq!(fetch(&client, &url, &[]).await.text().await.unwrap(), "né");
    for drive in [json!({"group": GROUP}), json!({"site": TEAM_SITE}), json!({"drive": LIBRARY})] {
        let mut operation = json!({"op": "new_drive_folder", "name": format!("from {}", drive.as_object().unwrap().keys().next().unwrap())});
        operation.as_object_mut().unwrap().extend(drive.as_object().unwrap().clone());
        let made = client.mutate(operation).await;
        assert_eq!(
            client.json(&format!("/v1.0/drives/{LIBRARY}/items/{}", made["id"].as_str().unwrap())).await["id"],
            made["id"]
        );
    }
    let large = json!({"op": "new_file", "user": ANNA, "name": "large.bin", "size": 3_u64 << 20, "body_seed": 4});
    let made = client.mutate(large).await;
    let row = client.json(&at(&format!("items/{}", made["id"].as_str().unwrap()))).await;
    assert_eq!(row["size"], 3 << 20);
}

#[tokio::test]
async fn sizes_of_folders_and_the_quota_follow() {
    let client = client().await;
    let size = async |path: &str| client.json(&at(path)).await["size"].as_u64().unwrap();
    let used = async || client.json(&format!("/v1.0/drives/{DRIVE}")).await["quota"]["used"].as_u64().unwrap();
    let (root, docs, deep) = (size("root").await, size("root:/Docs").await, size("root:/Docs/Deep").await);
    client.mutate(json!({"op": "write_file", "user": ANNA, "item": id("bottom.txt"), "size": 1013})).await;
    assert_eq!(
        (size("root").await, size("root:/Docs").await, size("root:/Docs/Deep").await),
        (root + 1000, docs + 1000, deep + 1000)
    );
    assert_eq!(used().await, 1950);
    client.mutate(json!({"op": "move_item", "user": ANNA, "item": "/Docs/Deep", "to": "/Notebook"})).await;
    assert_eq!((size("root").await, size("root:/Docs").await), (root + 1000, docs - deep));
    client.mutate(json!({"op": "delete_item", "user": ANNA, "item": "/Notebook/Deep"})).await;
    assert_eq!(size("root").await, root - deep);
    assert_eq!(client.refusal(&item_at("bottom.txt", "")).await.0, 404, "it went with its folder");
}

#[tokio::test]
async fn operations_that_cannot_be_done_say_why() {
    let client = client().await;
    for operation in [
        json!({"op": "new_file", "name": "a.txt", "content": ""}),
        json!({"op": "new_file", "user": ANNA, "drive": DRIVE, "name": "a.txt", "content": ""}),
        json!({"op": "new_file", "user": ANNA, "name": "a.txt"}),
        json!({"op": "new_file", "user": ANNA, "name": "a.txt", "content": "?"}),
        json!({"op": "new_file", "user": ANNA, "name": "a:b.txt", "content": ""}),
        json!({"op": "new_file", "user": ANNA, "name": "EMPTY.TXT", "content": ""}),
        json!({"op": "new_file", "user": ANNA, "folder": "/empty.txt", "name": "a.txt", "content": ""}),
        json!({"op": "new_drive_folder", "user": ANNA, "name": "dot."}),
        json!({"op": "rename_item", "user": ANNA, "item": "/Docs", "name": "Notebook"}),
        json!({"op": "move_item", "user": ANNA, "item": "/Docs", "to": "/Docs/Deep"}),
        json!({"op": "delete_item", "user": ANNA, "item": "/"}),
        json!({"op": "edit_item", "user": ANNA, "item": "/Docs", "set": {"size": 1}}),
        json!({"op": "write_file", "user": ANNA, "item": "/Docs", "content": ""}),
        json!({"op": "unshare_item", "user": ANNA, "item": "/empty.txt"}),
        json!({"op": "delete_item", "user": "hall@contoso.example", "item": "/x"}),
    ] {
        let request = client.http.post(client.url("/_sim/mutate")).body(operation.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{operation}");
        let said = answer.json::<Value>().await.unwrap()["error"].clone();
        assert!(said.as_str().unwrap().ends_with('.'), "{said}");
    }
    let rename = json!({"op": "rename_item", "user": ANNA, "item": "/empty.txt", "name": "Empty.txt"});
    assert_eq!(client.mutate(rename).await["name"], "Empty.txt", "another case is no other file's name");
}

#[tokio::test]
async fn the_truth_is_a_dump_of_the_present() {
    let client = client().await;
    client.mutate(json!({"op": "rename_item", "user": ANNA, "item": "/Docs", "name": "Papers é"})).await;
    client.mutate(json!({"op": "write_file", "user": ANNA, "item": id("anna.txt"), "content": "bmV3"})).await;
    let text = client.http.get(client.url("/_sim/tenant")).send().await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = |name: &str| lines.iter().find(|line| line["resource"]["id"] == id(name)).unwrap();
    let file = found("anna.txt");
    assert_eq!(file["resource"]["parentReference"]["path"], format!("/drives/{DRIVE}/root:/Papers%20%C3%A9"));
    assert_eq!((&file["content"]["base64"], &file["content"]["size"]), (&json!("bmV3"), &json!(3)));
    assert_eq!(file["resource"]["size"], 3);
    assert_eq!(found("Docs")["resource"]["folder"]["childCount"], 5);
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((of("drive"), of("site"), of("channel"), of("permission"), of("driveItemVersion")), (5, 6, 3, 2, 3));
    let version =
        lines.iter().find(|line| line["kind"] == "driveItemVersion" && line["resource"]["id"] == "3.0").unwrap();
    assert_eq!(
        (&version["parent"], &version["content"]["base64"]),
        (&json!(id("anna.txt")), &json!(STANDARD.encode("hello anna")))
    );
}

#[tokio::test]
async fn a_dump_that_is_served_again_is_the_same_tenant() {
    let client = client().await;
    client.mutate(json!({"op": "churn_files", "user": ANNA, "seed": 3, "count": 60})).await;
    let dump = client.running.tenant();
    let again = Simulator::start(dump.clone(), calm()).await.unwrap();
    assert!(again.tenant() == dump);
}

#[tokio::test]
async fn what_a_dump_says_is_served_though_it_is_not_true() {
    let mut dump = office();
    let liar = dump.entries.iter_mut().find(|entry| entry.resource["id"] == id("letter.docx")).unwrap();
    liar.resource["size"] = json!(99);
    liar.resource["file"] =
        json!({"mimeType": "text/plain", "hashes": {"quickXorHash": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}});
    liar.resource["hologram"] = json!({"nobody": "expected it"});
    let client = Client::with(dump, calm()).await;
    let row = client.json(&item_at("letter.docx", "")).await;
    assert_eq!((&row["size"], &row["hologram"]["nobody"]), (&json!(99), &json!("expected it")));
    let url = location(&client, &item_at("letter.docx", "/content")).await;
    assert_eq!(fetch(&client, &url, &[]).await.bytes().await.unwrap().len(), 8);
    client.mutate(json!({"op": "write_file", "user": ANNA, "item": id("letter.docx"), "content": "bmV3"})).await;
    let row = client.json(&item_at("letter.docx", "")).await;
    assert_eq!(row["size"], 3, "until it changes");
    assert_ne!(row["file"]["hashes"]["quickXorHash"], "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
}

#[tokio::test]
async fn a_churn_is_the_same_for_the_same_seed() {
    let churned = async |seed: u64| {
        let client = client().await;
        let tally = client.mutate(json!({"op": "churn_files", "user": ANNA, "seed": seed, "count": 80})).await;
        (tally, client.running.tenant())
    };
    let shape = |dump: &Dump| -> Vec<(Value, Value, Option<Content>)> {
        items(dump, DRIVE)
            .map(|item| {
                (item.resource["name"].clone(), item.resource["parentReference"]["id"].clone(), item.content.clone())
            })
            .collect()
    };
    let ((first, one), (again, two)) = (churned(5).await, churned(5).await);
    assert_eq!(first, again);
    assert!(shape(&one) == shape(&two));
    assert!(first.as_object().unwrap().len() > 6, "{first}");
    assert!(shape(&churned(6).await.1) != shape(&one));
}

/// Lenient where a tenant holds what nobody expected: parents that are missing or that lie in their own children.
#[tokio::test]
async fn items_without_a_place_lie_in_the_root() {
    let mut dump = office();
    let mut lost = crate::drive::file(DRIVE, "lost.txt", "nowhere", "x");
    lost.resource["parentReference"]["id"] = json!("01NOWHERE");
    dump.entries.push(lost);
    dump.entries.push(crate::drive::folder(DRIVE, "snake", "tail"));
    dump.entries.push(crate::drive::folder(DRIVE, "tail", "snake"));
    let mut drifting = crate::drive::file("b!unknown", "drifting.txt", "nowhere", "x");
    drifting.user = Some("hall@contoso.example".to_owned());
    dump.entries.push(drifting);
    let client = Client::with(dump, calm()).await;
    assert_eq!(client.json(&at("root:/lost.txt")).await["id"], id("lost.txt"));
    let (rows, _) = client.walk(&at("root/delta"), &[]).await;
    assert!(["snake", "tail"].iter().all(|name| rows.iter().any(|row| row["id"] == id(name))));
    let made_up = client.json("/v1.0/users/hall@contoso.example/drive/root/children").await;
    assert_eq!(made_up["value"][0]["name"], "drifting.txt", "a drive that no line describes is its owner's");
}
