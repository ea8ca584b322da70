//! Limits of a mailbox.

use futures::future::join_all;
use serde_json::json;

use crate::client::{ANNA, BOB, Client, calm, tenant};

fn folders(of: &str) -> String {
    format!("/v1.0/users/{of}/mailFolders")
}

#[tokio::test]
async fn a_fifth_request_at_the_same_time_is_refused() {
    let mut options = calm();
    options.knobs.latency_ms = 300;
    options.knobs.switches.fractional_retry_after = true;
    options.knobs.limits.retry_after_s = 2.128;
    let client = Client::with(tenant(), options).await;
    let (anna, bob) = (folders(ANNA), folders(BOB));
    let answers = join_all((0..5).map(|_| client.get(&anna)).chain((0..4).map(|_| client.get(&bob)))).await;
    let mut refused: Vec<_> = answers.into_iter().filter(|answer| answer.status() == 429).collect();
    assert_eq!(refused.len(), 1, "four at once, for each mailbox");
    let refused = refused.remove(0);
    assert_eq!(refused.headers()["retry-after"], "2.128");
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "ApplicationThrottled");
    assert!(body["error"]["message"].as_str().unwrap().contains("MailboxConcurrency"), "{body}");
    let stats = client.running.stats();
    assert_eq!((stats.concurrency_breaches, stats.window_breaches), (1, 0));
    assert_eq!(stats.peak_concurrency.values().copied().collect::<Vec<u32>>(), [5, 4]);
}

#[tokio::test]
async fn a_lane_is_taken_until_the_last_byte() {
    let client = Client::with(tenant(), calm()).await;
    client.control("faults", json!({"limits": {"concurrency": 1}})).await;
    for _ in 0..20 {
        assert_eq!(client.get(&folders(ANNA)).await.bytes().await.map(|body| body.is_empty()).ok(), Some(false));
    }
    assert_eq!(client.running.stats().concurrency_breaches, 0, "one after the other is never too many");
}

#[tokio::test]
async fn a_window_holds_so_many_requests() {
    let mut options = calm();
    (options.knobs.limits.requests, options.knobs.limits.window_s) = (5, 1.0);
    let client = Client::with(tenant(), options).await;
    for _ in 0..5 {
        assert_eq!(client.get(&folders(ANNA)).await.status(), 200);
    }
    let refused = client.get(&folders(ANNA)).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "ApplicationThrottled");
    assert_eq!(client.get(&folders(BOB)).await.status(), 200, "another mailbox has its own window");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(client.get(&folders(ANNA)).await.status(), 200);
    assert_eq!(client.running.stats().window_breaches, 1);
}
