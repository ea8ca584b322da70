//! Rounds of change.

use serde_json::{Value, json};
use transhume_simulators::{Options, Simulator};

use crate::client::{ANNA, BOB, Client, calm, id, tenant};

const SMALL: [(&str, &str); 1] = [("prefer", "odata.maxpagesize=10")];
const LARGE: [(&str, &str); 1] = [("prefer", "odata.maxpagesize=500")];

fn inbox(query: &str) -> String {
    format!("/v1.0/users/{ANNA}/mailFolders/inbox/messages/delta{query}")
}

fn ids(rows: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_first_round_finds_everything_once() {
    let client = Client::with(tenant(), calm()).await;
    let first = client.json(&inbox("")).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 10);
    assert!(first["@odata.nextLink"].as_str().unwrap().contains("%24skiptoken="));
    let (rows, link) = client.walk(&inbox("?$select=subject"), &SMALL).await;
    assert_eq!(rows.len(), 25);
    assert!(rows.iter().all(|row| row.get("isRead").is_none()), "the token remembers what was selected");
    let (rows, link) = client.walk(&link.unwrap(), &SMALL).await;
    assert!(rows.is_empty() && link.unwrap().contains("%24deltatoken="));
}

#[tokio::test]
async fn changes_come_as_partial_rows() {
    let client = Client::with(tenant(), calm()).await;
    let (_, link) = client.walk(&inbox(""), &LARGE).await;
    client.mutate(json!({"op": "edit", "user": ANNA, "message": id("in01"), "set": {"isRead": true}})).await;
    client.mutate(json!({"op": "edit", "user": ANNA, "message": id("in02"), "set": {"categories": ["Red"]}})).await;
    let (rows, link) = client.walk(&link.unwrap(), &LARGE).await;
    let names = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<String>>();
    assert_eq!(names(&rows[0]), ["@odata.etag", "id", "isRead"], "reading does not move lastModifiedDateTime");
    assert_eq!(names(&rows[1]), ["@odata.etag", "id", "categories", "changeKey", "lastModifiedDateTime"]);
    client.control("faults", json!({"switches": {"partial_rows": false}})).await;
    client.mutate(json!({"op": "edit", "user": ANNA, "message": id("in01"), "set": {"isRead": false}})).await;
    let (rows, _) = client.walk(&link.unwrap(), &LARGE).await;
    assert_eq!(rows[0]["subject"], "in01");
}

#[tokio::test]
async fn replies_change_extended_properties() {
    let client = Client::with(tenant(), calm()).await;
    let expand = "$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x1081')";
    let (_, link) = client.walk(&inbox(&format!("?$select=isRead,lastModifiedDateTime&{expand}")), &LARGE).await;
    client.mutate(json!({"op": "reply", "user": ANNA, "message": id("in05"), "verb": 104})).await;
    let (rows, _) = client.walk(&link.unwrap(), &LARGE).await;
    assert_eq!(rows[0]["singleValueExtendedProperties"], json!([{"id": "Integer 0x1081", "value": "104"}]));
}

#[tokio::test]
async fn a_move_is_a_tombstone_here_and_a_row_there() {
    let client = Client::with(tenant(), calm()).await;
    let prefer = [("prefer", "odata.maxpagesize=500, IdType=\"ImmutableId\"")];
    let bin = format!("/v1.0/users/{ANNA}/mailFolders/deleteditems/messages/delta");
    let (rows, here) = client.walk(&inbox(""), &prefer).await;
    let lasting = rows.iter().find(|row| row["subject"] == "in07").unwrap()["id"].clone();
    let (_, there) = client.walk(&bin, &prefer).await;
    client.mutate(json!({"op": "delete", "user": ANNA, "message": id("in07")})).await;
    client.mutate(json!({"op": "delete", "user": ANNA, "message": id("in08"), "hard": true})).await;
    let (gone, _) = client.walk(here.as_deref().unwrap(), &prefer).await;
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|row| row["@removed"]["reason"] == "deleted"));
    assert_eq!(gone[0]["id"], lasting);
    let (plain, _) = client.walk(here.as_deref().unwrap(), &LARGE).await;
    assert_eq!(ids(&plain), [id("in07"), id("in08")], "a link serves either form of id, and serves again");
    let (came, _) = client.walk(&there.unwrap(), &prefer).await;
    assert_eq!((came.len(), &came[0]["id"], &came[0]["subject"]), (1, &lasting, &json!("in07")));
}

#[tokio::test]
async fn top_caps_the_round_not_the_page() {
    let client = Client::with(tenant(), calm()).await;
    let first = client.json_with(&inbox("?$top=2"), &LARGE).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let second = client.json_with(first["@odata.nextLink"].as_str().unwrap(), &LARGE).await;
    assert!(second["value"].as_array().unwrap().is_empty());
    assert!(second["@odata.deltaLink"].is_string());
}

#[tokio::test]
async fn arrivals_during_a_walk_are_not_lost() {
    let client = Client::with(tenant(), calm()).await;
    for query in ["", "?$orderby=receivedDateTime desc"] {
        let first = client.json_with(&inbox(query), &SMALL).await;
        let mime = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "Subject: late\r\n\r\n");
        let made = client.mutate(json!({"op": "new_message", "user": ANNA, "folder": "inbox", "mime": mime})).await;
        let (mut rows, link) = client.walk(first["@odata.nextLink"].as_str().unwrap(), &SMALL).await;
        rows.extend(client.walk(&link.unwrap(), &SMALL).await.0);
        assert!(rows.iter().any(|row| row["id"] == made["id"]), "{query}");
    }
}

#[tokio::test]
async fn filters_orders_and_kinds_of_change() {
    let client = Client::with(tenant(), calm()).await;
    let (rows, _) = client.walk(&inbox("?$filter=receivedDateTime ge 2025-03-02T00:20:00Z"), &SMALL).await;
    assert_eq!(rows.len(), 5);
    assert_eq!(client.refusal(&inbox("?$filter=isRead eq true")).await.0, 400);
    assert_eq!(client.refusal(&inbox("?$orderby=subject")).await.0, 400);
    let (_, link) = client.walk(&inbox("?changeType=deleted"), &LARGE).await;
    client
        .mutate(json!([
            {"op": "edit", "user": ANNA, "message": id("in01"), "set": {"isRead": true}},
            {"op": "delete", "user": ANNA, "message": id("in02"), "hard": true},
        ]))
        .await;
    let (rows, _) = client.walk(&link.unwrap(), &LARGE).await;
    assert_eq!(ids(&rows), [id("in02")]);
}

#[tokio::test]
async fn pages_rest_and_repeat_now_and_then() {
    let mut options = Options::default();
    (options.knobs.switches.empty_pages, options.knobs.switches.repeat_rows) = (2, 2);
    let client = Client::with(tenant(), options).await;
    let mut pages = Vec::new();
    let mut next = inbox("?$select=id");
    loop {
        let page = client.json_with(&next, &[("prefer", "odata.maxpagesize=3")]).await;
        pages.push(page["value"].as_array().unwrap().clone());
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        next = link.to_owned();
    }
    assert!(pages[..pages.len() - 1].iter().any(Vec::is_empty), "an empty page with more behind it");
    let rows = pages.concat();
    let mut unique = ids(&rows);
    unique.dedup();
    assert!(unique.len() == 25 && rows.len() > 25, "a row twice");
}

#[tokio::test]
async fn links_are_opaque_signed_and_bound() {
    let client = Client::with(tenant(), calm()).await;
    let (_, link) = client.walk(&inbox(""), &LARGE).await;
    let link = link.unwrap();
    let (address, token) = link.split_once("deltatoken=").unwrap();
    let mut edited = token.to_owned();
    edited.replace_range(40..41, if &token[40..41] == "A" { "B" } else { "A" });
    assert_eq!(client.refusal(&format!("{address}deltatoken={edited}")).await.0, 400);
    let elsewhere = link.replace("inbox", "deleteditems");
    assert_eq!(client.refusal(&elsewhere).await.0, 400);
    assert_eq!(client.refusal(&link.replace(ANNA, BOB)).await.0, 400);
    assert_eq!(client.refusal(&inbox("?$deltatoken=latest")).await.0, 400);
}

/// Both know the same mailboxes and the same history; only the application differs.
#[tokio::test]
async fn links_are_bound_to_their_application() {
    let client = Client::with(tenant(), calm()).await;
    let first = client.json_with(&inbox(""), &SMALL).await;
    let (_, link) = client.walk(&inbox(""), &LARGE).await;
    let query = |link: &str| inbox(&format!("?{}", link.split_once('?').unwrap().1));
    let links = [query(first["@odata.nextLink"].as_str().unwrap()), query(&link.unwrap())];
    let mut other = Client::with(tenant(), Options { client_id: "other".to_owned(), ..calm() }).await;
    let answer = other.ask_token(&[("client_id", "other"), ("client_secret", "secret")]).await.1;
    other.token = answer["access_token"].as_str().unwrap().to_owned();
    let same = Client::with(tenant(), calm()).await;
    for link in &links {
        assert_eq!(same.get(link).await.status(), 200, "whoever asked for it may go on with it");
        assert_eq!(other.refusal(link).await, (400, "ErrorInvalidUrlQuery".to_owned()));
    }
}

#[tokio::test]
async fn sync_states_expire() {
    let client = Client::with(tenant(), calm()).await;
    let first = client.json_with(&inbox(""), &SMALL).await;
    let walking = first["@odata.nextLink"].as_str().unwrap().to_owned();
    let (_, link) = client.walk(&inbox(""), &LARGE).await;
    let link = link.unwrap();
    client.control("faults", json!({"expire_delta_tokens": [ANNA]})).await;
    for dead in [&walking, &link] {
        let answer = client.get(dead).await;
        assert_eq!(answer.status(), 410);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "SyncStateNotFound");
        assert!(body["error"]["message"].as_str().unwrap().contains("generation=149;[highest="));
    }
    assert_eq!(client.walk(&inbox(""), &LARGE).await.0.len(), 25);
}

#[tokio::test]
async fn a_walk_left_alone_goes_stale_after_some_rounds() {
    let client = Client::with(tenant(), calm()).await;
    let first = client.json_with(&inbox(""), &SMALL).await;
    let walking = first["@odata.nextLink"].as_str().unwrap();
    for _ in 0..3 {
        client.walk(&inbox(""), &LARGE).await;
    }
    assert_eq!(client.get(walking).await.status(), 200);
    client.walk(&inbox(""), &LARGE).await;
    assert_eq!(client.refusal(walking).await, (410, "SyncStateNotFound".to_owned()));
}

#[tokio::test]
async fn a_link_outlives_the_process_if_the_history_is_the_same() {
    let client = Client::with(tenant(), calm()).await;
    let (_, link) = client.walk(&inbox(""), &LARGE).await;
    let query = link.unwrap().split_once('?').unwrap().1.to_owned();
    client.mutate(json!({"op": "edit", "user": ANNA, "message": id("in01"), "set": {"isRead": true}})).await;
    let (_, later) = client.walk(&inbox(&format!("?{query}")), &LARGE).await;
    let later = later.unwrap().split_once('?').unwrap().1.to_owned();

    let again = Client::with(tenant(), calm()).await;
    assert_eq!(again.get(&inbox(&format!("?{query}"))).await.status(), 200);
    assert_eq!(
        again.refusal(&inbox(&format!("?{later}"))).await.0,
        410,
        "this one saw changes that never happened here"
    );
}

#[tokio::test]
async fn a_full_mailbox_has_no_room_for_sync_states() {
    let client = Client::with(tenant(), calm()).await;
    client.control("faults", json!({"mailboxes": {ANNA: {"over_quota": true}}})).await;
    assert_eq!(client.refusal(&inbox("")).await, (507, "ErrorQuotaExceeded".to_owned()));
    let plain = format!("/v1.0/users/{ANNA}/mailFolders/inbox/messages");
    assert_eq!(client.all(&plain).await.len(), 25);
}

#[tokio::test]
async fn immutable_ids_survive_a_dump_of_moved_messages() {
    let client = Client::with(tenant(), calm()).await;
    let moved = client.mutate(json!({"op": "move", "user": ANNA, "message": id("in00"), "to": "deleteditems"})).await;
    let again = Simulator::start(client.running.tenant(), calm()).await.unwrap();
    let client = Client { running: again, ..client };
    let token = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await.1;
    let client = Client { token: token["access_token"].as_str().unwrap().to_owned(), ..client };
    let path = format!("/v1.0/users/{ANNA}/messages/{}", moved["immutableId"].as_str().unwrap());
    assert_eq!(client.json(&path).await["id"], moved["id"]);
}
