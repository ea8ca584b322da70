//! Changes from outside, and the truth about them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use transhume_simulators::Simulator;

use crate::client::{ANNA, BOB, Client, calm, id, tenant};

async fn truth(client: &Client) -> Vec<Value> {
    let text = client.http.get(client.url("/_sim/tenant")).send().await.unwrap().text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_truth_is_a_dump_of_the_present() {
    let client = Client::with(tenant(), calm()).await;
    let lines = truth(&client).await;
    assert_eq!(lines[0], json!({"format": "tenant-dump/1", "provider": "graph"}));
    let before = lines.iter().filter(|line| line["kind"] == "message").count();
    assert_eq!(before, 28);
    client.mutate(json!({"op": "edit", "user": ANNA, "message": "<in01@x>", "set": {"isRead": true}})).await;
    client.mutate(json!({"op": "delete", "user": ANNA, "message": id("in02"), "hard": true})).await;
    let lines = truth(&client).await;
    let found = lines.iter().find(|line| line["resource"]["id"] == id("in01")).unwrap();
    assert_eq!(found["resource"]["isRead"], true);
    let mime = STANDARD.decode(found["content"]["base64"].as_str().unwrap()).unwrap();
    assert!(mime.starts_with(b"Subject: in01"));
    assert!(!lines.iter().any(|line| line["resource"]["id"] == id("in02")));
}

#[tokio::test]
async fn a_dump_that_is_served_again_is_the_same_tenant() {
    let client = Client::with(tenant(), calm()).await;
    client.mutate(json!({"op": "churn", "seed": 3, "count": 40})).await;
    let dump = client.running.tenant();
    let again = Simulator::start(dump.clone(), calm()).await.unwrap();
    assert_eq!(again.tenant(), dump);
}

#[tokio::test]
async fn messages_arrive_and_drafts_are_rewritten() {
    let client = Client::with(tenant(), calm()).await;
    let mime =
        "Subject: =?utf-8?q?d=C3=A9j=C3=A0?=\r\nFrom: A <a@x>\r\nTo: b@x, c@x\r\nMessage-ID: <n@x>\r\n\r\nbonjour\r\n";
    let draft = json!({"op": "new_message", "user": BOB, "folder": "inbox", "mime": STANDARD.encode(mime), "set": {"isDraft": true}});
    let made = client.mutate(draft).await;
    let path = format!("/v1.0/users/{BOB}/messages/{}", made["id"].as_str().unwrap());
    let row = client.json(&path).await;
    assert_eq!(
        (&row["subject"], &row["isDraft"], &row["internetMessageId"]),
        (&json!("déjà"), &json!(true), &json!("<n@x>"))
    );
    assert_eq!(row["toRecipients"].as_array().unwrap().len(), 2);
    assert_eq!(row["body"]["content"].as_str().unwrap().trim(), "bonjour");
    let (_, link) = client.walk(&format!("/v1.0/users/{BOB}/mailFolders/inbox/messages/delta"), &[]).await;
    let better = STANDARD.encode("Subject: better\r\n\r\nbonsoir\r\n");
    client.mutate(json!({"op": "rewrite", "user": BOB, "message": made["id"], "mime": better})).await;
    assert!(client.get(&format!("{path}/$value")).await.text().await.unwrap().ends_with("bonsoir\r\n"));
    let (rows, _) = client.walk(&link.unwrap(), &[]).await;
    assert_eq!((rows.len(), &rows[0]["subject"]), (1, &json!("better")));
    assert!(rows[0].get("isDraft").is_none(), "only what changed");
}

#[tokio::test]
async fn operations_that_cannot_be_done_say_why() {
    let client = Client::with(tenant(), calm()).await;
    for operation in [
        json!({"op": "explode", "user": ANNA}),
        json!({"op": "edit", "message": "x", "set": {}}),
        json!({"op": "edit", "user": "nobody@x", "message": "x", "set": {}}),
        json!({"op": "edit", "user": ANNA, "message": "x", "set": {}}),
        json!({"op": "edit", "user": ANNA, "message": id("in00"), "set": {"id": "y"}}),
        json!({"op": "move", "user": ANNA, "message": id("in00"), "to": "/Nowhere"}),
        json!({"op": "create_folder", "user": ANNA, "name": "Boîte"}),
    ] {
        let request = client.http.post(client.url("/_sim/mutate")).body(operation.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{operation}");
        assert!(answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().ends_with('.'));
    }
}

#[tokio::test]
async fn a_churn_is_the_same_for_the_same_seed_and_delta_tells_all_of_it() {
    let churned = async || {
        let client = Client::with(tenant(), calm()).await;
        let address = format!("/v1.0/users/{ANNA}/mailFolders");
        let mut links = Vec::new();
        for folder in client.all(&format!("{address}/delta?includeHiddenFolders=true")).await {
            let path = format!("{address}/{}/messages/delta", folder["id"].as_str().unwrap());
            links.push(client.walk(&path, &[]).await);
        }
        client.mutate(json!({"op": "churn", "user": ANNA, "seed": 11, "count": 120})).await;
        (client, links)
    };
    let (client, links) = churned().await;
    let mut present = std::collections::BTreeMap::new();
    let mut merge = |rows: &[Value]| {
        for row in rows {
            let id = row["id"].as_str().unwrap().to_owned();
            match row.get("@removed") {
                Some(_) => drop(present.remove(&id)),
                None => present
                    .entry(id)
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
                    .unwrap()
                    .extend(row.as_object().unwrap().clone()),
            }
        }
    };
    for (rows, link) in &links {
        merge(rows);
        merge(&client.walk(link.as_ref().unwrap(), &[]).await.0);
    }
    let members = ["isRead", "categories", "flag", "subject", "parentFolderId", "lastModifiedDateTime"];
    let mut compared = 0;
    for line in truth(&client).await.iter().filter(|line| line["kind"] == "message" && line["user"] == ANNA) {
        let seen = &present.remove(line["resource"]["id"].as_str().unwrap()).unwrap();
        members.iter().for_each(|name| assert_eq!(seen[name], line["resource"][name], "{name}"));
        compared += 1;
    }
    assert!(present.is_empty() && compared > 30);
    let subjects = |client: &Client| {
        let dump = client.running.tenant();
        dump.entries
            .iter()
            .filter(|entry| entry.kind == "message")
            .map(|entry| (entry.resource["subject"].clone(), entry.resource["parentFolderId"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(&client), subjects(&churned().await.0));
}
