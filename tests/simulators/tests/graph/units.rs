//! Throttling of SharePoint by resource units.

use reqwest::Response;
use serde_json::{Value, json};

use crate::client::{ANNA, Client};
use crate::drive::{at, client, fetch, item_at, location, switch};

fn told(answer: &Response) -> Option<(u32, u32, u32)> {
    let number = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<u32>().ok();
    Some((number("ratelimit-limit")?, number("ratelimit-remaining")?, number("ratelimit-reset")?))
}

async fn limited(limits: Value) -> Client {
    let client = client().await;
    client.control("faults", json!({"limits": limits})).await;
    client
}

#[tokio::test]
async fn answers_tell_of_the_limit_once_most_of_it_is_spent() {
    let client = limited(json!({"resource_units": 20})).await;
    for path in ["root/children", "root/children", "root/delta"] {
        assert_eq!(told(&client.get(&at(path)).await), None);
    }
    assert_eq!(told(&client.get(&item_at("Docs", "/permissions")).await), None, "eleven of twenty");
    let near = client.get(&item_at("Docs", "/permissions")).await;
    let (limit, left, reset) = told(&near).unwrap();
    assert!(near.status() == 200 && (limit, left) == (20, 4) && (1..=60).contains(&reset));
    for left in (0..4).rev() {
        assert_eq!(told(&client.get(&at("root")).await).unwrap().1, left);
    }
    let refused = client.get(&at("root")).await;
    let (_, left, reset) = told(&refused).unwrap();
    assert_eq!((refused.status().as_u16(), left), (429, 0));
    assert_eq!(refused.headers()["retry-after"].to_str().unwrap(), reset.to_string());
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "activityLimitReached");
    assert_eq!(
        client.get(&format!("/v1.0/users/{ANNA}/mailFolders")).await.status(),
        200,
        "Outlook has limits of its own"
    );
    let stats = client.running.stats();
    assert_eq!((stats.resource_units, stats.unit_breaches, stats.concurrency_breaches), (21, 1, 0));
}

#[tokio::test]
async fn a_window_passes_and_impatience_is_counted() {
    let client = limited(json!({"resource_units": 2, "resource_window_s": 1.5})).await;
    assert_eq!(client.get(&at("root/children")).await.status(), 200);
    assert_eq!(client.get(&at("root")).await.status(), 429);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(client.get(&at("root/children")).await.status(), 429);
    let url = item_at("anna.txt", "/content");
    assert_eq!(client.get(&url).await.status(), 429);
    assert_eq!(client.running.stats().early_calls, 1, "what follows a refusal at once was on its way");
    tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
    assert_eq!(client.get(&url).await.status(), 302);
}

#[tokio::test]
async fn other_limits_are_not_told_of() {
    let client = limited(json!({"resource_units_day": 3, "resource_day_s": 1.0})).await;
    assert_eq!(client.get(&at("root/children")).await.status(), 200);
    let refused = client.get(&at("root/children")).await;
    assert_eq!((refused.status().as_u16(), told(&refused)), (429, None));
    assert_eq!(refused.headers()["retry-after"], "1");
}

#[tokio::test]
async fn some_meet_the_limit_unwarned_and_others_as_503() {
    let client = limited(json!({"resource_units": 5})).await;
    switch(&client, json!({"rate_limit_foretold": false, "throttled_as": 503})).await;
    assert_eq!(told(&client.get(&item_at("Docs", "/permissions")).await), None);
    let refused = client.get(&at("root")).await;
    assert_eq!(refused.status(), 503);
    assert!(told(&refused).is_some() && refused.headers().contains_key("retry-after"));
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "serviceNotAvailable");
}

#[tokio::test]
async fn inner_requests_of_a_batch_are_charged_each_for_itself() {
    let client = limited(json!({"resource_units": 4})).await;
    let url = at("root/children");
    let requests: Vec<Value> =
        (0..3).map(|number| json!({"id": number.to_string(), "method": "GET", "url": &url["/v1.0".len()..]})).collect();
    let request = client.http.post(client.url("/v1.0/$batch")).bearer_auth(&client.token);
    let body = json!({"requests": requests}).to_string();
    let answer: Value = request.body(body).send().await.unwrap().json().await.unwrap();
    let refused: Vec<&Value> =
        answer["responses"].as_array().unwrap().iter().filter(|inner| inner["status"] == 429).collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0]["headers"]["retry-after"].is_string());
}

#[tokio::test]
async fn fetching_costs_nothing_more_unless_a_switch_says_so() {
    let client = limited(json!({"resource_units": 3})).await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    for _ in 0..5 {
        assert_eq!(fetch(&client, &url, &[]).await.status(), 200);
    }
    assert_eq!(client.running.stats().resource_units, 1);
    switch(&client, json!({"presigned_units": true})).await;
    assert_eq!(fetch(&client, &url, &[]).await.status(), 200);
    assert!(told(&fetch(&client, &url, &[]).await).is_some());
    assert_eq!(fetch(&client, &url, &[]).await.status(), 429);
}

/// After a refusal all requests to SharePoint pause, those for contents among them (OneDrive API docs: scan guidance).
#[tokio::test]
async fn whoever_is_told_to_wait_waits_with_downloads_too() {
    let client = client().await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    let rule = json!([{"path": "/root$", "times": 1, "fault": {"kind": "throttle", "retry_after": 2}}]);
    client.control("faults", json!({"rules": rule})).await;
    assert_eq!(client.get(&at("root")).await.status(), 429);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(fetch(&client, &url, &[]).await.status(), 200);
    assert_eq!(client.running.stats().early_calls, 1);
}
