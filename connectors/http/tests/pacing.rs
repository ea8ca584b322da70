//! The road waits when it is told to, and stays below limits by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use axum::{Router, http::StatusCode as Status, response::IntoResponse, routing::get as on_get};
use futures::future::join_all;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};
use support::{config, get, mailbox, road, serve, wire};
use transhume_contract::{Remedy, What};
use transhume_http::{LaneKey, Limit, Limits, Reading, Request, Road, StatusCode, Url, Verdict, Window};

/// Refuses the first request with this Retry-After and notes when each request arrived.
async fn refusing_once(
    status: u16,
    retry_after: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> (Url, Arrivals) {
    let arrivals: Arrivals = Arrivals::default();
    let seen = arrivals.clone();
    let answer = move || async move {
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        match seen.len() {
            1 => (Status::from_u16(status).unwrap(), [("retry-after", retry_after())]).into_response(),
            _ => "fine".into_response(),
        }
    };
    (serve(Router::new().route("/", on_get(answer))).await, arrivals)
}

type Arrivals = Arc<Mutex<Vec<Instant>>>;

#[tokio::test]
async fn no_request_leaves_before_its_retry_after_in_any_form() {
    let date = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    let forms: [(fn() -> String, f64); 3] = [(|| "1".into(), 1.0), (|| "0.7".into(), 0.7), (date, 1.0)];
    for status in [429, 503] {
        let waits = forms.iter().map(|(form, seconds)| async move {
            let (url, arrivals) = refusing_once(status, *form).await;
            let road = road(&url);
            let answer = road.whole(get(&url, "/"), 10).await.unwrap();
            assert_eq!(&answer.body[..], b"fine");
            let arrivals = arrivals.lock().unwrap();
            let waited = (arrivals[1] - arrivals[0]).as_secs_f64();
            assert!(waited >= *seconds && waited < seconds + 3.0, "{status}: {waited} for {seconds}");
            assert_eq!(road.counters().throttled + road.counters().refused, 1);
        });
        join_all(waits).await;
    }
}

#[tokio::test]
async fn a_request_that_is_not_worth_the_wait_gives_up_and_holds_no_other_key() {
    let (url, arrivals) = refusing_once(429, || "5".into()).await;
    let road = road(&url);
    let report = || Request::get(url.clone(), [LaneKey::new("report", "usage")]).within(Duration::from_secs(2));
    let began = Instant::now();
    let fault = road.whole(report(), 10).await.unwrap_err();
    assert_eq!(fault.what, What::Throttled);
    assert!(matches!(fault.remedy, Remedy::Wait(pause) if pause > Duration::from_secs(4)), "{fault:?}");
    assert_eq!(road.whole(get(&url, "/"), 10).await.unwrap().status, 200);
    assert_eq!(road.whole(report(), 10).await.unwrap_err().what, What::Throttled, "the pause is kept");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(arrivals.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn the_pause_of_one_request_holds_back_all_others_of_its_key_and_no_other() {
    let (url, arrivals) = refusing_once(429, || "1".into()).await;
    let road = road(&url);
    let began = Instant::now();
    let first = road.send(get(&url, "/"));
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let others = (0..5).map(|_| road.whole(get(&url, "/"), 10));
        let stranger = Request::get(url.clone(), [LaneKey::new("mailbox", "bert")]);
        road.send(stranger).await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(900), "another mailbox does not wait");
        join_all(others).await
    };
    let (first, later) = tokio::join!(first, later);
    assert!(first.is_ok() && later.iter().all(Result::is_ok));
    let arrivals = arrivals.lock().unwrap();
    assert_eq!(arrivals.len(), 8);
    let early = arrivals.iter().filter(|at| **at - arrivals[0] < Duration::from_secs(1)).count();
    assert_eq!(early, 2, "the refused one and the other mailbox's");
}

#[tokio::test]
async fn a_pause_longer_than_patience_is_handed_back() {
    let (url, _) = refusing_once(429, || "7200".into()).await;
    let road = road(&url);
    for _ in 0..2 {
        let fault = road.send(get(&url, "/")).await.unwrap_err();
        assert_eq!(fault.what, What::Throttled);
        let Remedy::Wait(time) = fault.remedy else { panic!("{:?}", fault.remedy) };
        assert!(time > Duration::from_secs(7190));
    }
    assert_eq!(road.counters().requests, 1, "nothing is sent into the pause");
}

#[tokio::test]
async fn without_retry_after_the_pauses_grow() {
    let arrivals = Arrivals::default();
    let seen = arrivals.clone();
    let answer = move || async move {
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        if seen.len() < 6 { Status::TOO_MANY_REQUESTS } else { Status::OK }
    };
    let url = serve(Router::new().route("/", on_get(answer))).await;
    let mut config = config(&url);
    config.patience.pause = Duration::from_millis(40);
    config.patience.pause_max = Duration::from_secs(5);
    Road::new(wire(), config, None).send(get(&url, "/")).await.unwrap();
    let arrivals = arrivals.lock().unwrap();
    let gap = |at: usize| arrivals[at + 1] - arrivals[at];
    assert!(gap(0) >= Duration::from_millis(20) && gap(4) >= Duration::from_millis(320), "{:?}", *arrivals);
}

/// How many requests are under way, and the most there ever were.
#[derive(Default)]
struct Crowd {
    now: usize,
    most: usize,
}

fn crowded(allowed: usize) -> (Router, Arc<Mutex<Crowd>>) {
    let crowd = Arc::new(Mutex::new(Crowd::default()));
    let seen = crowd.clone();
    let answer = move || async move {
        let over = {
            let mut seen = seen.lock().unwrap();
            seen.now += 1;
            seen.most = seen.most.max(seen.now);
            seen.now > allowed
        };
        tokio::time::sleep(Duration::from_millis(10)).await;
        seen.lock().unwrap().now -= 1;
        if over { (Status::TOO_MANY_REQUESTS, "MailboxConcurrency") } else { (Status::OK, "") }
    };
    (Router::new().route("/", on_get(answer)), crowd)
}

#[tokio::test]
async fn no_more_than_its_lanes_are_under_way_per_key() {
    let (router, crowd) = crowded(100);
    let url = serve(router).await;
    let road = road(&url);
    let all = join_all((0..30).map(|_| road.whole(get(&url, "/"), 10))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(crowd.lock().unwrap().most, 3);
    assert!(road.counters().waited > Duration::ZERO);
    assert_eq!(road.counters().in_flight, 0);
}

#[tokio::test]
async fn a_body_that_is_still_read_keeps_its_lane() {
    let url = serve(Router::new().route("/", on_get(|| async { "body" }))).await;
    let road = road(&url);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(road.send(get(&url, "/")).await.unwrap());
    }
    let fourth = road.send(get(&url, "/"));
    assert!(tokio::time::timeout(Duration::from_millis(100), fourth).await.is_err());
    assert_eq!(road.lane(&mailbox()[0]).unwrap().in_flight, 3);
    assert_eq!(&held.pop().unwrap().bytes(10).await.unwrap()[..], b"body");
    assert_eq!(road.send(get(&url, "/")).await.unwrap().status, 200);
}

#[tokio::test]
async fn lanes_step_down_when_the_service_is_crowded() {
    fn classify(status: StatusCode, _: &transhume_http::HeaderMap, body: &[u8]) -> Reading {
        match (status.as_u16(), body) {
            (429, b"MailboxConcurrency") => Reading::new(Verdict::Crowded(Some("mailbox")), Some("Crowd".into())),
            _ => Reading::new(Verdict::Final, None),
        }
    }
    let (router, _) = crowded(1);
    let url = serve(router).await;
    let mut config = config(&url);
    config.classify = classify;
    config.limits = Limits::default().with("mailbox", Limit { lanes: 4, window: None });
    let road = Road::new(wire(), config, None);
    let all = join_all((0..20).map(|_| road.whole(get(&url, "/"), 10))).await;
    assert!(all.iter().all(|answer| answer.as_ref().unwrap().status == 200));
    assert_eq!(road.lane(&mailbox()[0]).unwrap().lanes, 1);
    assert!(road.counters().throttled >= 3);
}

#[tokio::test]
async fn the_window_is_kept_at_the_servers_door() {
    let arrivals = Arc::new(Mutex::new(HashMap::<String, Vec<Instant>>::new()));
    let seen = arrivals.clone();
    let answer = move |uri: axum::http::Uri| async move {
        seen.lock().unwrap().entry(uri.path().to_owned()).or_default().push(Instant::now());
    };
    let url = serve(Router::new().fallback(answer)).await;
    let mut config = config(&url);
    let window = Some(Window { requests: 20, per: Duration::from_millis(1500) });
    config.limits = Limits::default()
        .with("mailbox", Limit { lanes: 3, window })
        .with("app", Limit { lanes: 100, window: Some(Window { requests: 50, per: Duration::from_millis(1500) }) });
    let road = Road::new(wire(), config, None);
    let all = (0..180).map(|at| {
        let of = format!("m{}", at % 3);
        let keys = [LaneKey::new("mailbox", of.as_str()), LaneKey::new("app", "one")];
        road.whole(Request::get(url.join(&of).unwrap(), keys), 10)
    });
    let began = Instant::now();
    assert!(join_all(all).await.iter().all(Result::is_ok));
    // 60 per mailbox at 20 per 1.5 s: at least two windows must have passed, and little more is needed.
    let took = began.elapsed();
    assert!(took > Duration::from_millis(3000) && took < Duration::from_millis(9000), "{took:?}");
    let arrivals = arrivals.lock().unwrap();
    for times in arrivals.values() {
        assert!(most_within(times.clone(), Duration::from_millis(1300)) <= 20);
    }
    assert!(most_within(arrivals.values().flatten().copied().collect(), Duration::from_millis(1300)) <= 50);
}

/// The most arrivals in any stretch of this length; a little shorter than the window, for the way takes its time.
fn most_within(mut times: Vec<Instant>, stretch: Duration) -> usize {
    times.sort();
    let within = |from: &Instant| times.iter().filter(|at| **at >= *from && **at - *from < stretch).count();
    times.iter().map(within).max().unwrap_or(0)
}
