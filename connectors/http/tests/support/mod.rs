//! Loopback services for the road's tests. Each stops when its test's runtime ends.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use axum::Router;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use transhume_http::{
    HostRule, LaneKey, Limit, Limits, Patience, Request, Road, RoadConfig, Tokens, Url, Wire, WireConfig,
};

/// Serves a router on a free loopback port and returns its address.
pub async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// Answers every connection with these bytes, the n-th with the n-th (the last again and again), then closes it.
pub async fn serve_raw(answers: Vec<Vec<u8>>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let mut next = 0;
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
                let count = socket.read(&mut buffer).await.unwrap_or(0);
                if count == 0 {
                    break;
                }
                seen.extend_from_slice(&buffer[..count]);
            }
            let _ = socket.write_all(&answers[next.min(answers.len() - 1)]).await;
            next += 1;
            let _ = socket.shutdown().await;
        }
    });
    url
}

/// A patience for tests: short pauses, otherwise the default budgets.
pub fn patience() -> Patience {
    let (pause, pause_max) = (Duration::from_millis(10), Duration::from_millis(50));
    Patience { total: Duration::from_secs(10), pause, pause_max, ..Patience::default() }
}

pub fn wire() -> Wire {
    Wire::new(&WireConfig { silence: Duration::from_secs(5), ..WireConfig::default() }).unwrap()
}

pub fn config(of: &Url) -> RoadConfig {
    let limits = Limits::default().with("mailbox", Limit { lanes: 3, window: None });
    RoadConfig { limits, patience: patience(), ..RoadConfig::new(vec![HostRule::of(of)]) }
}

pub fn road(of: &Url) -> Road {
    Road::new(wire(), config(of), None)
}

pub fn road_with(of: &Url, tokens: Arc<dyn Tokens>) -> Road {
    Road::new(wire(), config(of), Some(tokens))
}

pub fn mailbox() -> [LaneKey; 1] {
    [LaneKey::new("mailbox", "anna")]
}

pub fn get(of: &Url, path: &str) -> Request {
    Request::get(of.join(path).unwrap(), mailbox())
}
