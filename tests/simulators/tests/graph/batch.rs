//! Batches.

use serde_json::{Value, json};

use crate::client::{ANNA, Client, calm, id, tenant};

async fn batch(client: &Client, requests: Value) -> (u16, Value) {
    let request = client.http.post(client.url("/v1.0/$batch")).bearer_auth(&client.token);
    let answer = request.body(json!({"requests": requests}).to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn get(name: &str, url: &str) -> Value {
    json!({"id": name, "method": "GET", "url": url})
}

#[tokio::test]
async fn inner_requests_are_answered_each_for_itself() {
    let client = Client::with(tenant(), calm()).await;
    let value = format!("users/{ANNA}/messages/{}/$value", id("in00"));
    let mut later = get("d", "/users");
    later["dependsOn"] = json!(["c"]);
    let mut fine = get("e", "/users");
    fine["dependsOn"] = json!(["a"]);
    let requests =
        json!([get("a", &format!("/users/{ANNA}")), get("b", &value), get("c", "/users/nobody@x"), later, fine]);
    let (status, body) = batch(&client, requests).await;
    assert_eq!(status, 200);
    let responses = body["responses"].as_array().unwrap();
    let of = |name: &str| responses.iter().find(|response| response["id"] == name).unwrap();
    let statuses = ["a", "b", "c", "d", "e"].map(|name| of(name)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 200, 404, 424, 200]);
    assert_eq!(of("a")["body"]["userPrincipalName"], ANNA);
    let mime =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, of("b")["body"].as_str().unwrap()).unwrap();
    assert!(mime.starts_with(b"Subject: in00\r\n"));
}

#[tokio::test]
async fn inner_requests_are_throttled_each_for_itself() {
    let client = Client::with(tenant(), calm()).await;
    client.control("faults", json!({"limits": {"requests": 6}})).await;
    let requests: Vec<Value> = (0..8).map(|at| get(&at.to_string(), &format!("/users/{ANNA}/mailFolders"))).collect();
    let (status, body) = batch(&client, requests.into()).await;
    let refused: Vec<&Value> =
        body["responses"].as_array().unwrap().iter().filter(|inner| inner["status"] == 429).collect();
    assert_eq!((status, refused.len()), (200, 2));
    assert!(refused[0]["headers"]["retry-after"].is_string());
}

#[tokio::test]
async fn wrong_batches_are_refused_whole() {
    let client = Client::with(tenant(), calm()).await;
    let many: Vec<Value> = (0..21).map(|at| get(&at.to_string(), "/users")).collect();
    let mut typed = json!({"id": "1", "method": "POST", "url": "/users", "body": {}});
    for wrong in [json!(many), json!([get("a", "/users"), get("A", "/users")]), json!([typed.clone()]), json!([])] {
        assert_eq!(batch(&client, wrong).await.0, 400);
    }
    typed["headers"] = json!({"Content-Type": "application/json"});
    assert_eq!(batch(&client, json!([typed])).await.1["responses"][0]["status"], 403);
}
