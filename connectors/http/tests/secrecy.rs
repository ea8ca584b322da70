//! What must never be read is in no log, no `Debug` and no fault.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use axum::{Json, Router, http::StatusCode as Status, response::IntoResponse, routing::post};
use serde_json::json;
use std::{
    io,
    sync::{Arc, Mutex},
};
use support::{get, patience, road_with, serve, wire};
use transhume_http::{Grant, HeaderValue, Method, Proof, Request, TokenCache, header, rfc6749};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const SECRETS: [&str; 6] =
    ["client-s3cret", "access-t0ken", "refresh-t0ken", "cursor-t0ken", "body-s3cret", "answer-s3cret"];

#[tokio::test]
async fn no_secret_is_logged_shown_or_told() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let token = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "access-t0ken", "refresh_token": "refresh-t0ken"});
    let refuse = || async { (Status::BAD_GATEWAY, "answer-s3cret").into_response() };
    let url = serve(Router::new().route("/token", post(|| async { Json(token) })).fallback(refuse)).await;
    let proof = Proof::Secret("client-s3cret".into());
    let grant = Grant { token_url: url.join("/token").unwrap(), client_id: "app".into(), scopes: vec![], proof };
    let road = road_with(&url, TokenCache::with_patience(wire(), grant, rfc6749, patience()));
    let request = Request::new(Method::PUT, url.join("/?$skiptoken=cursor-t0ken").unwrap(), [])
        .header(header::ETAG, HeaderValue::from_static("x"))
        .body("text/plain", "body-s3cret");
    let fault = road.send(request.clone()).await.unwrap_err();
    let answer = road.send(get(&url, "/missing")).await.map(|answer| format!("{answer:?}"));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("answered") && text.contains("status=502"), "the log works: {text}");
    let shown = format!("{text}{request:?}{fault:?}{fault}{answer:?}");
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
