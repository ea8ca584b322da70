//! Faults on demand.

use serde_json::{Value, json};

use crate::client::{ANNA, Client, calm, id, tenant};

fn inbox() -> String {
    format!("/v1.0/users/{ANNA}/mailFolders/inbox/messages")
}

async fn with_rules(rules: Value) -> Client {
    let client = Client::with(tenant(), calm()).await;
    client.control("faults", json!({"rules": rules, "seed": 7})).await;
    client
}

#[tokio::test]
async fn refusals_strike_the_nth_call_and_so_many_times() {
    let client = with_rules(json!([
        {"path": "/mailFolders/inbox/", "nth": 2, "fault": {"kind": "status", "code": 503, "empty": true}},
        {"path": "/users\\?", "times": 1, "fault": {"kind": "status", "code": 500}},
        {"path": "/organization", "method": "POST", "fault": {"kind": "status", "code": 500}},
    ]))
    .await;
    assert_eq!(client.get(&inbox()).await.status(), 200);
    let empty = client.get(&inbox()).await;
    assert_eq!((empty.status().as_u16(), empty.headers()["content-length"].to_str().unwrap()), (503, "0"));
    assert_eq!(client.get(&inbox()).await.status(), 200);
    assert_eq!(client.refusal("/v1.0/users?$top=5").await, (500, "InternalServerError".to_owned()));
    assert_eq!(client.get("/v1.0/users?$top=5").await.status(), 200);
    assert_eq!(client.get("/v1.0/organization").await.status(), 200);
    assert_eq!(client.running.stats().faults["status"], 2);
}

/// What stands between the caller and the service answers too, and in a body of its own or none.
#[tokio::test]
async fn gateways_fail_in_their_own_ways() {
    let fault = |code: u16, empty: bool| json!({"times": 1, "fault": {"kind": "status", "code": code, "empty": empty}});
    let client = with_rules(json!([fault(502, false), fault(504, false), fault(502, true), fault(504, true)])).await;
    assert_eq!(client.refusal(&inbox()).await, (502, "BadGateway".to_owned()));
    assert_eq!(client.refusal(&inbox()).await, (504, "UnknownError".to_owned()));
    for code in [502, 504] {
        let empty = client.get(&inbox()).await;
        assert_eq!((empty.status().as_u16(), empty.bytes().await.unwrap().len()), (code, 0));
    }
    assert_eq!(client.get(&inbox()).await.status(), 200);
    assert_eq!(client.running.stats().faults["status"], 4);
}

#[tokio::test]
async fn rates_are_kept_and_seeds_repeat_them() {
    let struck = async |seed: u64| {
        let rule = json!([{"rate": 0.3, "fault": {"kind": "token_expired"}}]);
        let client = Client::with(tenant(), calm()).await;
        client.control("faults", json!({"rules": rule, "seed": seed})).await;
        let mut statuses = Vec::new();
        for _ in 0..60 {
            statuses.push(client.get("/v1.0/organization").await.status().as_u16());
        }
        statuses
    };
    let first = struck(5).await;
    let share = first.iter().filter(|status| **status == 401).count();
    assert!((8..30).contains(&share), "{share} of 60");
    assert_eq!(first, struck(5).await);
}

#[tokio::test]
async fn connections_break_before_and_within_answers() {
    let client = with_rules(json!([
        {"path": "/organization", "times": 1, "fault": {"kind": "reset"}},
        {"path": "/messages\\?", "times": 1, "fault": {"kind": "reset", "after": 20}},
        {"path": "/\\$value", "times": 1, "fault": {"kind": "truncate", "after": 10}},
    ]))
    .await;
    let request = client.http.get(client.url("/v1.0/organization")).bearer_auth(&client.token);
    assert!(request.send().await.is_err());
    let answer = client.get(&format!("{}?$top=2", inbox())).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    let cut = client.get(&format!("/v1.0/users/{ANNA}/messages/{}/$value", id("in00"))).await;
    assert_eq!(cut.bytes().await.unwrap().len(), 10);
    assert_eq!(client.get("/v1.0/organization").await.status(), 200);
}

#[tokio::test]
async fn times_to_wait_come_in_every_form_and_impatience_is_counted() {
    let rule = |form: &str| json!([{"path": "/users", "times": 1, "fault": {"kind": "throttle", "retry_after": 1.5, "form": form}}]);
    let client = Client::with(tenant(), calm()).await;
    for (form, expected) in [("integer", "2"), ("fractional", "1.500"), ("date", " GMT")] {
        client.control("faults", json!({"rules": rule(form)})).await;
        let answer = client.get(&inbox()).await;
        assert_eq!(answer.status(), 429);
        let told = answer.headers()["retry-after"].to_str().unwrap();
        assert!(told.ends_with(expected), "{told}");
        assert_eq!(client.get(&inbox()).await.status(), 200);
    }
    assert_eq!(client.running.stats().early_retries, 3);
    client.control("stats/reset", json!({})).await;
    client.control("faults", json!({"rules": rule("fractional")})).await;
    client.get(&inbox()).await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    client.get(&format!("/v1.0/users/{ANNA}/mailFolders")).await;
    tokio::time::sleep(std::time::Duration::from_millis(1150)).await;
    client.get(&inbox()).await;
    let stats = client.running.stats();
    assert_eq!((stats.early_retries, stats.early_calls), (0, 1), "the mailbox was called although it had said wait");
}

#[tokio::test]
async fn duplicated_pages_are_duplicates_and_the_walk_still_ends() {
    let client = with_rules(json!([{"path": "/delta", "times": 2, "fault": {"kind": "duplicate_page"}}])).await;
    let (rows, link) = client.walk(&format!("{}/delta?$select=id", inbox()), &[]).await;
    let mut ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(link.is_some() && ids.len() == 25 && rows.len() > 25);
}

#[tokio::test]
async fn spoilt_bytes_and_vanished_things() {
    let client = with_rules(json!([
        {"path": "/organization", "fault": {"kind": "corrupt"}},
        {"path": "/\\$value", "fault": {"kind": "corrupt", "at": 0}},
        {"path": "/attachments", "fault": {"kind": "vanish"}},
        {"path": "/mailboxSettings", "fault": {"kind": "latency", "ms": 200}},
    ]))
    .await;
    let text = client.get("/v1.0/organization").await.text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_err());
    let message = format!("/v1.0/users/{ANNA}/messages/{}", id("in00"));
    assert!(!client.get(&format!("{message}/$value")).await.text().await.unwrap().starts_with('S'));
    assert_eq!(client.refusal(&format!("{message}/attachments")).await, (404, "ErrorItemNotFound".to_owned()));
    let began = std::time::Instant::now();
    client.get(&format!("/v1.0/users/{ANNA}/mailboxSettings")).await;
    assert!(began.elapsed().as_millis() >= 200);
}

#[tokio::test]
async fn scripts_with_mistakes_are_refused_whole() {
    let client = Client::new().await;
    for script in [
        json!({"rulez": []}),
        json!({"rules": [{"fault": {"kind": "explode"}}]}),
        json!({"rules": [{"path": "(", "fault": {"kind": "reset"}}]}),
        json!({"switches": {"no_such": true}}),
        json!({"latency_ms": "soon"}),
        json!({"latency_ms": 5000, "mailboxes": {"nobody@x": {"over_quota": true}}}),
    ] {
        let request = client.http.post(client.url("/_sim/faults")).body(script.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{script}");
        let body: Value = answer.json().await.unwrap();
        assert!(body["error"].as_str().unwrap().ends_with('.'), "{body}");
    }
    let knobs = client.json("/_sim/faults").await;
    assert_eq!(knobs["latency_ms"], 0, "nothing of a wrong script applies");
}
