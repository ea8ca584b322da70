//! A token is for the hosts of its service, whatever a link or a redirect says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use async_trait::async_trait;
use axum::{Router, http::HeaderMap as Headers, routing::get as on_get};
use std::sync::{Arc, Mutex};
use support::{config, get, mailbox, road_with, serve, wire};
use transhume_contract::{Fault, Reach, Remedy, What};
use transhume_http::{Bearer, HeaderValue, Method, Request, Road, RoadConfig, Tokens, Url, header};

struct Always;

#[async_trait]
impl Tokens for Always {
    async fn bearer(&self) -> Result<Bearer, Fault> {
        Ok(Bearer { token: "the-token".into(), serial: 1 })
    }
    async fn refused(&self, _: &Bearer) {}
}

type Seen = Arc<Mutex<Vec<Headers>>>;

async fn noting() -> (Url, Seen) {
    let seen = Seen::default();
    let note = seen.clone();
    let answer = move |headers: Headers| async move { note.lock().unwrap().push(headers) };
    (serve(Router::new().fallback(on_get(answer.clone()).post(answer))).await, seen)
}

fn forbidden(fault: &Fault) -> bool {
    (fault.what, fault.reach, &fault.remedy) == (What::Forbidden, Reach::Run, &Remedy::Report)
}

#[tokio::test]
async fn the_token_goes_to_its_own_host_and_only_when_asked_for() {
    let (url, seen) = noting().await;
    let road = road_with(&url, Arc::new(Always));
    road.send(get(&url, "/")).await.unwrap();
    road.send(get(&url, "/").anonymous()).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0]["authorization"], "Bearer the-token");
    assert!(!seen[1].contains_key("authorization"));
}

#[tokio::test]
async fn a_request_with_the_token_to_a_foreign_host_never_leaves() {
    let ((ours, _), (theirs, seen)) = (noting().await, noting().await);
    let road = road_with(&ours, Arc::new(Always));
    assert!(forbidden(&road.send(get(&theirs, "/next?$skiptoken=x")).await.unwrap_err()));
    let own = get(&theirs, "/").anonymous().header(header::AUTHORIZATION, HeaderValue::from_static("Bearer mine"));
    assert!(forbidden(&road.whole(own, 10).await.unwrap_err()));
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(road.counters().requests, 0);
    assert_eq!(road.send(get(&theirs, "/").anonymous()).await.unwrap().status, 200);
}

#[tokio::test]
async fn plain_http_and_passwords_in_addresses_are_refused() {
    let road = Road::new(wire(), RoadConfig::new(vec![transhume_http::HostRule::parse("a.example").unwrap()]), None);
    for address in ["http://a.example/", "ftp://a.example/", "https://me:pass@a.example/"] {
        let request = Request::get(address.parse().unwrap(), mailbox());
        let fault = road.send(request.anonymous()).await.unwrap_err();
        assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Run), "{address}");
        assert!(!fault.sentence.contains("pass@"), "{}", fault.sentence);
    }
}

#[tokio::test]
async fn a_redirect_to_a_foreign_host_drops_token_and_headers() {
    let ((ours, _), (theirs, seen)) = (noting().await, noting().await);
    let road = road_with(&ours, Arc::new(Always));
    let from = get(&ours, "/content")
        .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer mine"))
        .header(header::COOKIE, HeaderValue::from_static("session=1"))
        .header(header::RANGE, HeaderValue::from_static("bytes=10-"));
    let to = road.follow(&from, theirs.join("/download?sig=abc#top").unwrap().as_str()).unwrap();
    assert!(!to.auth && to.url.query() == Some("sig=abc") && to.url.fragment().is_none());
    road.send(to).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(!seen[0].contains_key("authorization") && !seen[0].contains_key("cookie"));
    assert_eq!(seen[0]["range"], "bytes=10-");
}

#[tokio::test]
async fn a_redirect_within_the_service_keeps_the_token() {
    let (ours, seen) = noting().await;
    let road = road_with(&ours, Arc::new(Always));
    let to = road.follow(&get(&ours, "/a/b"), "../c").unwrap();
    assert_eq!(to.url.path(), "/c");
    road.send(to).await.unwrap();
    assert_eq!(seen.lock().unwrap()[0]["authorization"], "Bearer the-token");
}

#[tokio::test]
async fn redirects_lead_neither_to_plain_http_nor_anywhere_from_a_write() {
    let secure: Url = "https://graph.example/".parse().unwrap();
    let road = Road::new(wire(), config(&secure), Some(Arc::new(Always)));
    for location in ["http://graph.example/", "http://127.0.0.1:9/", "file:///etc/passwd", "https://u:p@x.example/"] {
        assert!(forbidden(&road.follow(&get(&secure, "/"), location).unwrap_err()), "{location}");
    }
    let post = Request::new(Method::POST, secure.clone(), mailbox());
    assert!(forbidden(&road.follow(&post, "https://graph.example/there").unwrap_err()));
}
