//! What belongs to a file: versions, permissions, columns, labels.

use reqwest::Method;
use serde_json::{Value, json};

use crate::calendars::values;
use crate::client::{Client, calm, patched};
use crate::drive::{DRIVE, LIBRARY, PERSONAL, TEAM_SITE, client, fetch, id, item_at, location, office, part, switch};

#[tokio::test]
async fn versions_come_newest_first_and_the_present_one_is_refused() {
    let client = client().await;
    let versions = client.all(&item_at("anna.txt", "/versions")).await;
    assert_eq!(values(&versions, "id"), ["3.0", "2.0", "1.0"]);
    assert_eq!((&versions[0]["size"], &versions[1]["size"], &versions[2]["size"]), (&json!(10), &json!(8), &json!(5)));
    assert_eq!(versions[1]["lastModifiedDateTime"], "2024-01-15T00:00:00Z");
    assert!(versions.iter().all(|version| version.get("@microsoft.graph.downloadUrl").is_none()));
    assert_eq!(client.json(&item_at("anna.txt", "/versions/2.0")).await["size"], 8);
    let url = location(&client, &item_at("anna.txt", "/versions/2.0/content")).await;
    assert_eq!(fetch(&client, &url, &[]).await.text().await.unwrap(), "hello an");
    let refused = client.get(&item_at("anna.txt", "/versions/3.0/content")).await;
    assert_eq!(refused.status(), 400);
    let error = refused.json::<Value>().await.unwrap()["error"].clone();
    assert_eq!(error["code"], "invalidRequest");
    assert_eq!(error["message"], "You cannot get the content of the current version.");
    assert_eq!(client.refusal(&item_at("anna.txt", "/versions/9.0/content")).await, (404, "itemNotFound".to_owned()));
    assert_eq!(client.all(&item_at("empty.txt", "/versions")).await.len(), 1);
    assert_eq!(client.refusal(&item_at("Docs", "/versions")).await.0, 400);
    assert_eq!(client.refusal(&item_at("anna.txt", "/versions?$orderby=id")).await.0, 400);
}

#[tokio::test]
async fn what_is_written_over_becomes_a_version() {
    let client = client().await;
    let before = client.json(&item_at("anna.txt", "")).await;
    for text in ["b25l", "dHdv"] {
        client.mutate(json!({"op": "write_file", "drive": DRIVE, "item": "/Docs/anna.txt", "content": text})).await;
    }
    let versions = client.all(&item_at("anna.txt", "/versions")).await;
    assert_eq!(values(&versions, "id"), ["5.0", "4.0", "3.0", "2.0", "1.0"]);
    let url = location(&client, &item_at("anna.txt", "/versions/3.0/content")).await;
    assert_eq!(fetch(&client, &url, &[]).await.text().await.unwrap(), "hello anna");
    let after = client.json(&item_at("anna.txt", "")).await;
    assert_eq!(after["size"], 3);
    let number = |row: &Value, tag: &str| {
        row[tag].as_str().unwrap().trim_end_matches('"').rsplit(',').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!((number(&before, "cTag"), number(&after, "cTag")), (2, 4));
    assert_eq!((number(&before, "eTag"), number(&after, "eTag")), (4, 6));
    client
        .mutate(json!({"op": "edit_item", "drive": DRIVE, "item": "/Docs/anna.txt", "set": {"description": "x"}}))
        .await;
    let edited = client.json(&item_at("anna.txt", "")).await;
    assert_eq!((number(&edited, "cTag"), number(&edited, "eTag")), (4, 7), "the content is the same");
}

#[tokio::test]
async fn permissions_are_those_of_an_item_and_of_what_lies_above() {
    let client = client().await;
    let own = client.all(&item_at("anna.txt", "/permissions")).await;
    assert_eq!(values(&own, "id"), ["p2", "p1"]);
    assert!(own.iter().all(|permission| permission.get("inheritedFrom").is_none()));
    assert!(
        own[0].get("shareId").is_none() && own[0]["link"].get("webUrl").is_none(),
        "secrets of those who could share"
    );
    assert_eq!(own[0]["link"]["scope"], "organization");
    assert_eq!(
        own[1]["grantedTo"],
        json!({"user": {"displayName": "Bob"}}),
        "the deprecated member repeats what it can"
    );
    assert_eq!(own[1]["grantedToV2"]["siteUser"]["id"], "7");
    assert_eq!(client.json(&item_at("anna.txt", "/permissions/p1")).await["roles"], json!(["write"]));
    assert_eq!(client.refusal(&item_at("anna.txt", "/permissions/p9")).await.0, 404);
    assert!(client.all(&item_at("empty.txt", "/permissions")).await.is_empty());
    switch(&client, json!({"inherited_from": true})).await;
    let told = client.all(&item_at("letter.docx", "/permissions")).await;
    assert_eq!(
        told[0]["inheritedFrom"],
        json!({"driveId": DRIVE, "id": id("Docs"), "path": format!("/drives/{DRIVE}/root:/Docs")})
    );
}

#[tokio::test]
async fn secrets_of_shares_come_to_those_who_may_share() {
    let mut options = calm();
    options.knobs.roles.push("Files.ReadWrite.All".to_owned());
    let client = Client::with(office(), options).await;
    let own = client.all(&item_at("anna.txt", "/permissions")).await;
    assert_eq!((&own[0]["shareId"], &own[0]["link"]["webUrl"]), (&json!("u!x"), &json!("https://secret")));
}

#[tokio::test]
async fn an_item_may_not_inherit() {
    let mut dump = office();
    for entry in dump.entries.iter_mut().filter(|entry| entry.resource["id"] == id("letter.docx")) {
        *entry = patched(entry.clone(), json!({"_sim": {"unique": true}}));
    }
    dump.entries.push(part("permission", "letter.docx", json!({"id": "p3", "roles": []}), None));
    let client = Client::with(dump, calm()).await;
    assert_eq!(values(&client.all(&item_at("letter.docx", "/permissions")).await, "id"), ["p3"]);
}

#[tokio::test]
async fn sharing_and_unsharing_move_the_facet() {
    let client = client().await;
    let facet = async || client.json(&item_at("empty.txt", "")).await.get("shared").cloned();
    let share = |scope: &str| json!({"op": "share_item", "drive": DRIVE, "item": "/empty.txt", "permission": {"id": scope, "roles": ["read"], "link": {"scope": scope}}});
    assert_eq!(facet().await, None);
    client.mutate(json!([share("organization"), share("anonymous")])).await;
    assert_eq!(facet().await, Some(json!({"scope": "anonymous"})));
    let unshare = |permission: Value| json!({"op": "unshare_item", "drive": DRIVE, "item": "/empty.txt", "permission": permission});
    client.mutate(unshare(json!("anonymous"))).await;
    assert_eq!(facet().await, Some(json!({"scope": "organization"})));
    client.mutate(unshare(Value::Null)).await;
    assert_eq!(facet().await, None);
}

#[tokio::test]
async fn libraries_are_lists_with_columns() {
    let client = client().await;
    let lists = client.all(&format!("/v1.0/sites/{TEAM_SITE}/lists")).await;
    assert_eq!((lists.len(), &lists[0]["list"]["template"]), (1, &json!("documentLibrary")));
    let list = lists[0]["id"].as_str().unwrap();
    let columns = client.all(&format!("/v1.0/sites/{TEAM_SITE}/lists/{list}/columns")).await;
    assert!(values(&columns, "name").iter().any(|name| name == "FileLeafRef"));
    assert_eq!(client.all(&format!("/v1.0/drives/{LIBRARY}/list/columns")).await, columns);
    assert_eq!(
        client.json(&format!("/v1.0/sites/{TEAM_SITE}/lists/{list}/drive/root")).await["id"],
        id(&format!("root{LIBRARY}"))
    );
    let item = format!("/v1.0/drives/{LIBRARY}/items/{}/listItem", id("contract.pdf"));
    let bare = client.json(&item).await;
    assert!(bare.get("fields").is_none() && bare["contentType"]["name"] == "Document");
    let fields = client.json(&format!("{item}?$expand=fields")).await["fields"].clone();
    assert_eq!((&fields["Amount"], &fields["FileLeafRef"]), (&json!(1250.5), &json!("contract.pdf")));
    let some = client.json(&format!("{item}?expand=fields(select=Clerk)")).await["fields"].clone();
    assert_eq!(some, json!({"Clerk": "Anna"}));
    assert_eq!(client.refusal(&format!("{item}?$expand=wife")).await.0, 400);
    let personal = format!("/v1.0/drives/{PERSONAL}/items/{}/listItem", id("p.txt"));
    assert_eq!(client.refusal(&personal).await, (400, "notSupported".to_owned()));
}

#[tokio::test]
async fn labels_can_be_read() {
    let client = client().await;
    assert_eq!(client.json(&item_at("deed.pdf", "/retentionLabel")).await["name"], "Deeds");
    assert_eq!(client.refusal(&item_at("anna.txt", "/retentionLabel")).await.0, 404);
    let extract = async |name: &str| {
        let answer = client.send(Method::POST, &item_at(name, "/extractSensitivityLabels"), &[]).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = extract("deed.pdf").await;
    assert_eq!((status, &body["value"]["labels"][0]["sensitivityLabelId"]), (200, &json!("s")));
    assert_eq!(extract("anna.txt").await.1["value"]["labels"], json!([]));
    assert_eq!(client.refusal(&item_at("deed.pdf", "/extractSensitivityLabels")).await.0, 405);
    assert_eq!(client.running.stats().writes, 0, "it writes nothing anybody would miss");
}

#[tokio::test]
async fn some_files_are_locked_for_the_extraction_of_labels() {
    let mut dump = office();
    for entry in dump.entries.iter_mut().filter(|entry| entry.resource["id"] == id("deed.pdf")) {
        *entry = patched(entry.clone(), json!({"_sim": {"label_fails": "fileDoubleKeyEncrypted"}}));
    }
    let client = Client::with(dump, calm()).await;
    let answer = client.send(Method::POST, &item_at("deed.pdf", "/extractSensitivityLabels"), &[]).await;
    assert_eq!(answer.status(), 423);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "fileDoubleKeyEncrypted");
}
