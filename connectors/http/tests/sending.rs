//! What the road does with answers: final ones, transient ones, broken ones, compressed ones, redirects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use axum::{
    Router,
    http::{HeaderMap as Headers, StatusCode as Status},
    response::IntoResponse,
    routing::{get as on_get, post as on_post},
};
use futures::StreamExt;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use support::{get, mailbox, road, serve, serve_raw};
use transhume_contract::{Outcome, Reach, Remedy, What};
use transhume_http::{Method, Request};

/// Fails so often with these answers, then succeeds.
fn stumbling(times: u32, status: Status) -> (Router, Arc<AtomicU32>) {
    let seen = Arc::new(AtomicU32::new(0));
    let count = seen.clone();
    let answer = move || {
        let count = count.clone();
        async move {
            match count.fetch_add(1, Ordering::SeqCst) {
                before if before < times => (status, "trouble").into_response(),
                _ => "fine".into_response(),
            }
        }
    };
    (Router::new().route("/", on_get(answer.clone()).post(answer)), seen)
}

#[tokio::test]
async fn a_final_answer_is_handed_over_whatever_its_status() {
    let url = serve(Router::new()).await;
    let answer = road(&url).whole(get(&url, "/nothing"), 1000).await.unwrap();
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn transient_refusals_are_tried_again() {
    for status in [408, 500, 502, 503, 504, 509] {
        let (router, seen) = stumbling(2, Status::from_u16(status).unwrap());
        let url = serve(router).await;
        let road = road(&url);
        let answer = road.whole(get(&url, "/"), 1000).await.unwrap();
        assert_eq!((&answer.body[..], seen.load(Ordering::SeqCst)), (&b"fine"[..], 3), "{status}");
        assert_eq!((road.counters().requests, road.counters().refused), (3, 2));
    }
}

#[tokio::test]
async fn patience_ends_with_a_fault_that_names_code_and_request() {
    let answer = || async { (Status::BAD_GATEWAY, [("request-id", "r-17")], "") };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    let fault = road(&url).send(get(&url, "/?secret=cursor")).await.unwrap_err();
    assert_eq!((fault.what, fault.reach, &fault.remedy), (What::Unreachable, Reach::Item, &Remedy::Later));
    assert_eq!((fault.code.as_deref(), fault.request_id.as_deref()), (Some("HTTP 502"), Some("r-17")));
    assert!(!fault.sentence.contains("cursor"), "{}", fault.sentence);
}

#[tokio::test]
async fn a_write_is_not_repeated_blindly() {
    let (router, seen) = stumbling(1, Status::BAD_GATEWAY);
    let url = serve(router).await;
    let post = Request::new(Method::POST, url.clone(), mailbox()).body("text/plain", "x");
    let fault = road(&url).send(post.clone()).await.unwrap_err();
    assert_eq!((fault.outcome, seen.load(Ordering::SeqCst)), (Outcome::Unknown, 1));
    assert_eq!(road(&url).whole(post.repeatable(), 10).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_write_that_was_throttled_was_not_done_and_is_repeated() {
    let (router, seen) = stumbling(1, Status::TOO_MANY_REQUESTS);
    let url = serve(router).await;
    let post = Request::new(Method::POST, url.clone(), mailbox());
    assert_eq!(road(&url).send(post).await.unwrap().status, 200);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_write_whose_connection_breaks_has_an_unknown_outcome() {
    let url = serve_raw(vec![Vec::new()]).await;
    let fault = road(&url).send(Request::new(Method::POST, url.clone(), mailbox())).await.unwrap_err();
    assert_eq!((fault.what, fault.outcome), (What::Unreachable, Outcome::Unknown));
}

#[tokio::test]
async fn a_service_that_was_never_reached_is_given_up_soon() {
    let url = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap()
    };
    let road = road(&url);
    let fault = road.send(get(&url, "/")).await.unwrap_err();
    assert_eq!((fault.what, fault.reach, fault.outcome), (What::Unreachable, Reach::Run, Outcome::NotDone));
    assert!(fault.sentence.contains("nothing listens there"), "{}", fault.sentence);
    assert_eq!(road.counters().requests, 3);
}

const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
const CUT_CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull";

#[tokio::test]
async fn a_body_that_ends_early_is_a_fault_and_never_an_end() {
    for early in [SHORT, CUT_CHUNK] {
        let url = serve_raw(vec![early.to_vec()]).await;
        let answer = road(&url).send(get(&url, "/")).await.unwrap();
        let pieces: Vec<_> = answer.stream().collect().await;
        let fault = pieces.last().unwrap().as_ref().unwrap_err();
        assert_eq!(fault.what, What::Unreachable);
        assert!(fault.sentence.contains("broke off"), "{}", fault.sentence);
        assert_eq!(pieces[0].as_deref().unwrap(), b"half");
    }
}

#[tokio::test]
async fn a_gzip_body_that_ends_early_is_a_fault() {
    let zipped = gzip(b"the quick brown fox");
    let cut = &zipped[..zipped.len() - 6];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", cut.len());
    let url = serve_raw(vec![[head.as_bytes(), cut].concat()]).await;
    let answer = road(&url).send(get(&url, "/")).await.unwrap();
    assert_eq!(answer.bytes(1000).await.unwrap_err().what, What::Unreachable);
}

#[tokio::test]
async fn a_broken_body_is_asked_for_again_when_it_is_wanted_whole() {
    let url = serve_raw(vec![SHORT.to_vec(), CUT_CHUNK.to_vec(), WHOLE.to_vec()]).await;
    let road = road(&url);
    assert_eq!(&road.whole(get(&url, "/"), 100).await.unwrap().body[..], b"full");
    assert_eq!(road.counters().requests, 3);
}

#[tokio::test]
async fn a_body_larger_than_its_limit_is_refused_without_reading_on() {
    let url = serve(Router::new().route("/", on_get(|| async { "x".repeat(1000) }))).await;
    assert_eq!(road(&url).whole(get(&url, "/"), 999).await.unwrap_err().what, What::TooLarge);
    assert_eq!(road(&url).whole(get(&url, "/"), 1000).await.unwrap().body.len(), 1000);
}

#[tokio::test]
async fn answers_are_asked_for_and_read_compressed() {
    let answer = |headers: Headers| async move {
        assert!(headers["accept-encoding"].to_str().unwrap().contains("gzip"));
        ([("content-encoding", "gzip")], gzip(b"the quick brown fox"))
    };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    assert_eq!(&road(&url).whole(get(&url, "/"), 1000).await.unwrap().body[..], b"the quick brown fox");
}

/// A gzip stream of one stored block (RFC 1951 section 3.2.4), so that no compressor is needed to make it.
fn gzip(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut crc = u32::MAX;
    for byte in text {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(text);
    bytes.extend((!crc).to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

/// Connectors are async traits whose futures move between threads.
#[tokio::test]
async fn requests_may_be_sent_from_any_thread() {
    let url = serve(Router::new().route("/", on_get(|| async { "fine" }))).await;
    let road = Arc::new(road(&url));
    let (sending, whole) = (road.clone(), road.clone());
    let (one, two) = (get(&url, "/"), get(&url, "/"));
    let sent = tokio::spawn(async move { sending.send(one).await.map(|answer| answer.status) });
    let read = tokio::spawn(async move { whole.whole(two, 10).await.map(|answer| answer.status) });
    assert_eq!((sent.await.unwrap().unwrap().as_u16(), read.await.unwrap().unwrap().as_u16()), (200, 200));
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let answer = || async { (Status::FOUND, [("location", "/there")]) };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    let answer = road(&url).send(get(&url, "/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.location()), (302, Some("/there")));
}

#[tokio::test]
async fn cookies_are_neither_kept_nor_sent() {
    let answer = |headers: Headers| async move {
        assert!(!headers.contains_key("cookie"));
        [("set-cookie", "a=b")]
    };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    let road = road(&url);
    for _ in 0..2 {
        assert_eq!(road.whole(get(&url, "/"), 10).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn every_attempt_has_its_own_client_request_id() {
    let ids = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = ids.clone();
    let answer = move |headers: Headers| async move {
        let mut seen = seen.lock().unwrap();
        seen.push(headers["client-request-id"].to_str().unwrap().to_owned());
        if seen.len() < 3 { Status::SERVICE_UNAVAILABLE } else { Status::OK }
    };
    let url = serve(Router::new().route("/", on_post(answer.clone()).get(answer))).await;
    road(&url).send(get(&url, "/")).await.unwrap();
    let ids = ids.lock().unwrap();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids.iter().all(|id| id.len() == 36));
}

#[tokio::test]
async fn connections_are_used_again() {
    let ports = Arc::new(std::sync::Mutex::new(std::collections::HashSet::new()));
    let seen = ports.clone();
    let answer = move |axum::extract::ConnectInfo(from): axum::extract::ConnectInfo<std::net::SocketAddr>| async move {
        seen.lock().unwrap().insert(from.port());
    };
    let router = Router::new().route("/", on_get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: transhume_http::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let road = road(&url);
    for _ in 0..5 {
        road.whole(get(&url, "/"), 10).await.unwrap();
    }
    assert_eq!(ports.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_servers_clock_is_compared_with_ours() {
    let answer = || async {
        let there = std::time::SystemTime::now() + std::time::Duration::from_secs(600);
        [("date", httpdate::fmt_http_date(there))]
    };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    let road = road(&url);
    assert_eq!(road.clock_skew(), None);
    road.send(get(&url, "/")).await.unwrap();
    assert!((597..=600).contains(&road.clock_skew().unwrap()));
}

#[tokio::test]
async fn a_silent_service_is_a_timeout_in_plain_words() {
    let answer = || async { tokio::time::sleep(std::time::Duration::from_secs(60)).await };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    let silence = std::time::Duration::from_millis(100);
    let wire = transhume_http::Wire::new(&transhume_http::WireConfig { silence, ..Default::default() }).unwrap();
    let mut config = support::config(&url);
    config.patience.broken = 1;
    let fault = transhume_http::Road::new(wire, config, None).send(get(&url, "/")).await.unwrap_err();
    assert_eq!(fault.what, What::Unreachable);
    assert!(fault.sentence.contains("no answer for"), "{}", fault.sentence);
}
