//! Tokens: asked for once, ahead of time, with every proof, and refused in plain words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap as Headers, StatusCode as Status},
    response::{IntoResponse, Response},
    routing::{get as on_get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Digest;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{get, patience, road_with, serve, wire};
use transhume_contract::{AccountId, Credential, Fault, Reach, Secret, What};
use transhume_http::{
    Certificate, DeviceSignIn, Grant, Proof, Refusal, Signature, TokenCache, TokenFaults, Tokens, Url, rfc6749,
};

type Fields = HashMap<String, String>;

/// A token endpoint that answers with the next of its answers (the last again and again), and a service at `/api`
/// that takes only the tokens that are good.
#[derive(Clone, Default)]
struct Office {
    asked: Arc<Mutex<Vec<Fields>>>,
    answers: Arc<Mutex<Vec<(u16, Value)>>>,
    /// Tokens the service refuses.
    bad: Arc<Mutex<Vec<String>>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Office {
    fn answering(answers: Vec<(u16, Value)>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }
    async fn open(&self) -> Url {
        let router = Router::new()
            .route("/token", post(Self::token))
            .route("/device", post(Self::token))
            .route("/api", on_get(Self::api))
            .with_state(self.clone());
        serve(router).await
    }
    async fn token(State(office): State<Self>, Form(form): Form<Fields>) -> Response {
        tokio::time::sleep(Duration::from_millis(30)).await;
        office.asked.lock().unwrap().push(form);
        let mut answers = office.answers.lock().unwrap();
        let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        (Status::from_u16(status).unwrap(), Json(body)).into_response()
    }
    async fn api(State(office): State<Self>, headers: Headers) -> Status {
        let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        let bad = office.bad.lock().unwrap().contains(&token);
        office.calls.lock().unwrap().push(token);
        if bad { Status::UNAUTHORIZED } else { Status::OK }
    }
    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn granted(token: &str, seconds: u64) -> (u16, Value) {
    (200, json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}))
}

fn refused(error: &str, code: u64) -> (u16, Value) {
    let description = format!("AADSTS{code}: no. Trace ID: t-1");
    (401, json!({"error": error, "error_description": description, "error_codes": [code], "trace_id": "t-1"}))
}

fn grant(url: &Url, proof: Proof) -> Grant {
    let token_url = url.join("/token").unwrap();
    Grant { token_url, client_id: "app".into(), scopes: vec!["https://graph.example/.default".into()], proof }
}

fn cache(url: &Url, proof: Proof, faults: TokenFaults) -> Arc<TokenCache> {
    TokenCache::with_patience(wire(), grant(url, proof), faults, patience())
}

fn by_secret(url: &Url) -> Arc<TokenCache> {
    cache(url, Proof::Secret("s3cret&=+".into()), rfc6749)
}

#[tokio::test]
async fn a_secret_is_sent_in_the_form() {
    let office = Office::answering(vec![granted("one", 3599)]);
    let tokens = by_secret(&office.open().await);
    assert_eq!(tokens.bearer().await.unwrap().token.expose_secret(), "one");
    let asked = &office.asked.lock().unwrap()[0];
    let field = |name: &str| asked[name].as_str();
    assert_eq!((field("grant_type"), field("client_id")), ("client_credentials", "app"));
    assert_eq!((field("client_secret"), field("scope")), ("s3cret&=+", "https://graph.example/.default"));
}

#[tokio::test]
async fn fifty_requests_at_once_ask_for_one_token() {
    let office = Office::answering(vec![granted("one", 3599)]);
    let url = office.open().await;
    let road = road_with(&url, by_secret(&url));
    let all = join_all((0..50).map(|_| road.whole(get(&url, "/api"), 10))).await;
    assert!(all.iter().all(|answer| answer.as_ref().unwrap().status == 200));
    assert_eq!((office.times_asked(), office.calls.lock().unwrap().len()), (1, 50));
}

#[tokio::test]
async fn fifty_requests_with_a_dead_token_share_one_renewal() {
    let office = Office::answering(vec![granted("one", 3599), granted("two", 3599)]);
    let url = office.open().await;
    let road = road_with(&url, by_secret(&url));
    road.whole(get(&url, "/api"), 10).await.unwrap();
    office.bad.lock().unwrap().push("one".into());
    let all = join_all((0..50).map(|_| road.whole(get(&url, "/api"), 10))).await;
    assert!(all.iter().all(|answer| answer.as_ref().unwrap().status == 200));
    assert_eq!(office.times_asked(), 2);
}

#[tokio::test]
async fn a_second_refusal_stops_the_run() {
    let office = Office::answering(vec![granted("one", 3599)]);
    let url = office.open().await;
    office.bad.lock().unwrap().push("one".into());
    let fault = road_with(&url, by_secret(&url)).send(get(&url, "/api")).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Run));
    assert!(fault.next_step().is_some());
    assert_eq!((office.times_asked(), office.calls.lock().unwrap().len()), (2, 2));
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end_and_never_used_after() {
    let office = Office::answering(vec![granted("one", 3), granted("two", 3599)]);
    let tokens = by_secret(&office.open().await);
    assert_eq!(tokens.bearer().await.unwrap().token.expose_secret(), "one");
    tokio::time::sleep(Duration::from_millis(2450)).await;
    // Ageing: one renews, the others are served at once with the token that is still good.
    let (renewing, other) = tokio::join!(tokens.bearer(), tokens.bearer());
    assert_eq!(renewing.unwrap().token.expose_secret(), "two");
    assert_eq!(other.unwrap().token.expose_secret(), "one");
    assert_eq!(tokens.bearer().await.unwrap().token.expose_secret(), "two");
    assert_eq!(office.times_asked(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_ahead_of_time_goes_unnoticed() {
    let office = Office::answering(vec![granted("one", 3), (503, json!({}))]);
    let tokens = by_secret(&office.open().await);
    tokens.bearer().await.unwrap();
    tokio::time::sleep(Duration::from_millis(2450)).await;
    assert_eq!(tokens.bearer().await.unwrap().token.expose_secret(), "one");
}

#[tokio::test]
async fn a_refused_secret_is_not_tried_again() {
    let office = Office::answering(vec![refused("invalid_client", 7_000_215), granted("one", 3599)]);
    let url = office.open().await;
    let road = road_with(&url, by_secret(&url));
    let all = join_all((0..20).map(|_| road.send(get(&url, "/api")))).await;
    for answer in all {
        let fault = answer.unwrap_err();
        assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Run));
        assert_eq!((fault.code.as_deref(), fault.request_id.as_deref()), (Some("7000215"), Some("t-1")));
    }
    assert_eq!(office.times_asked(), 1);
}

#[tokio::test]
async fn the_connector_reads_refusals_in_its_own_way() {
    fn entra(refusal: &Refusal) -> Fault {
        assert_eq!((refusal.status, refusal.error.as_str()), (401, "invalid_client"));
        assert!(refusal.description.starts_with("AADSTS7000222") && refusal.clock_skew.is_some());
        Fault::new(What::Unauthenticated, "the secret has expired").ask("make a new one")
    }
    let office = Office::answering(vec![refused("invalid_client", 7_000_222)]);
    let fault = cache(&office.open().await, Proof::Secret("x".into()), entra).bearer().await.err().unwrap();
    assert_eq!((fault.sentence.as_str(), fault.next_step()), ("the secret has expired", Some("make a new one")));
}

#[tokio::test]
async fn a_sign_in_service_that_stumbles_is_asked_again() {
    let office = Office::answering(vec![(503, json!({})), (429, json!({})), granted("one", 3599)]);
    let tokens = by_secret(&office.open().await);
    assert_eq!(tokens.bearer().await.unwrap().token.expose_secret(), "one");
    assert_eq!(office.times_asked(), 3);
}

#[tokio::test]
async fn those_who_wait_share_a_failure() {
    let office = Office::answering(vec![(503, json!({}))]);
    let tokens = by_secret(&office.open().await);
    let all = join_all((0..20).map(|_| tokens.bearer())).await;
    assert!(all.iter().all(|answer| answer.as_ref().is_err_and(|fault| fault.what == What::Unreachable)));
    assert_eq!(office.times_asked(), 6, "one conversation with its five repetitions");
}

#[tokio::test]
async fn something_that_is_no_token_endpoint_is_said_to_be_none() {
    for (status, body) in [(404, json!("not here")), (200, json!({"hello": "world"}))] {
        let office = Office::answering(vec![(status, body)]);
        let fault = by_secret(&office.open().await).bearer().await.err().unwrap();
        assert_eq!((fault.what, fault.reach), (What::Malformed, Reach::Run));
        assert!(fault.next_step().unwrap().contains("sign-in host"));
    }
}

#[tokio::test]
async fn a_newer_refresh_token_replaces_the_first() {
    let mut first = granted("one", 0);
    first.1["refresh_token"] = json!("r2");
    let office = Office::answering(vec![first, granted("two", 3599)]);
    let tokens = cache(&office.open().await, Proof::Refresh("r1".into()), rfc6749);
    tokens.bearer().await.unwrap();
    tokens.bearer().await.unwrap();
    let asked = office.asked.lock().unwrap();
    assert_eq!((asked[0]["refresh_token"].as_str(), asked[1]["refresh_token"].as_str()), ("r1", "r2"));
    assert_eq!(asked[0]["grant_type"], "refresh_token");
}

#[tokio::test]
async fn the_token_serves_imap_too() {
    let office = Office::answering(vec![granted("one", 3599)]);
    let tokens = by_secret(&office.open().await);
    let Secret::Bearer { user, token } = tokens.secret(&AccountId::new("anna@example.org")).await.unwrap() else {
        panic!("no bearer")
    };
    assert_eq!((user.as_str(), token.expose_secret()), ("anna@example.org", "one"));
}

/// An RSA key and a certificate for it, as PEM.
fn key_and_certificate() -> (String, String) {
    use rsa::pkcs8::EncodePrivateKey;
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let key = key.to_pkcs8_pem(rsa::pkcs8::LineEnding::LF).unwrap().to_string();
    let pair = rcgen::KeyPair::from_pem_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["transhume".into()]).unwrap().self_signed(&pair).unwrap();
    (key, certificate.pem())
}

#[tokio::test]
async fn an_assertion_is_signed_and_names_its_certificate() {
    let (key, pem) = key_and_certificate();
    let der = rustls_pemfile::certs(&mut pem.as_bytes()).next().unwrap().unwrap();
    for (signature, algorithm) in
        [(Signature::Ps256, jsonwebtoken::Algorithm::PS256), (Signature::Rs256, jsonwebtoken::Algorithm::RS256)]
    {
        let office = Office::answering(vec![granted("one", 3599)]);
        let url = office.open().await;
        let certificate = Certificate::from_pem(&pem, &SecretString::from(key.clone()), signature).unwrap();
        cache(&url, Proof::Certificate(certificate), rfc6749).bearer().await.unwrap();
        let asked = office.asked.lock().unwrap().remove(0);
        assert_eq!(asked["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!asked.contains_key("client_secret"));
        let assertion = &asked["client_assertion"];
        let head = jsonwebtoken::decode_header(assertion).unwrap();
        assert_eq!((head.alg, head.typ.as_deref()), (algorithm, Some("JWT")));
        match signature {
            Signature::Ps256 => {
                assert_eq!(head.x5t_s256.unwrap(), URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&der)))
            }
            Signature::Rs256 => assert_eq!(head.x5t.unwrap(), URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(&der))),
        }
        let mut checks = jsonwebtoken::Validation::new(algorithm);
        checks.set_audience(&[url.join("/token").unwrap()]);
        checks.set_issuer(&["app"]);
        let public = jsonwebtoken::DecodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        let claims = jsonwebtoken::decode::<Value>(assertion, &public, &checks).unwrap().claims;
        let time = |name: &str| claims[name].as_u64().unwrap();
        assert_eq!((claims["sub"].as_str(), claims["jti"].as_str().unwrap().len()), (Some("app"), 36));
        assert!(time("exp") - time("iat") == 600 && time("nbf") <= time("iat"));
    }
}

#[tokio::test]
async fn certificate_files_that_cannot_serve_are_told_apart() {
    let ((key, pem), (other, _)) = (key_and_certificate(), key_and_certificate());
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let both = file("both.pem", &format!("{key}{pem}"));
    let thumbprint = Certificate::from_files(&both, &both, Signature::Ps256).unwrap().thumbprint();
    assert!(thumbprint.len() == 40 && thumbprint.chars().all(|digit| digit.is_ascii_hexdigit()));
    let (key, pem, other) = (file("key.pem", &key), file("certificate.pem", &pem), file("other.pem", &other));
    let encrypted =
        file("enc.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n");
    for (certificate, key, told) in [
        (&pem, &other, "does not belong"),
        (&key, &key, "holds no certificate"),
        (&pem, &pem, "holds no private key"),
        (&pem, &encrypted, "is encrypted"),
        (&pem, &directory.path().join("absent.pem"), "cannot be read"),
    ] {
        let fault = Certificate::from_files(certificate, key, Signature::Ps256).err().unwrap();
        assert!(fault.sentence.contains(told) && fault.next_step().is_some(), "{}", fault.sentence);
        assert_eq!((fault.what, fault.reach), (What::Malformed, Reach::Run));
    }
}

fn device_code() -> (u16, Value) {
    (
        200,
        json!({"device_code": "d-1", "user_code": "ABCD", "verification_uri": "https://login.example/device",
               "expires_in": 3, "interval": 1, "message": "go there"}),
    )
}

async fn device(office: &Office) -> Result<Grant, Fault> {
    let url = office.open().await;
    let (device, token) = (url.join("/device").unwrap(), url.join("/token").unwrap());
    let scopes = ["Mail.Read", "offline_access"];
    let (sign_in, prompt) = DeviceSignIn::start(wire(), device, token, "app", &scopes, rfc6749).await.unwrap();
    assert_eq!((prompt.user_code.as_str(), prompt.expires_in), ("ABCD", Duration::from_secs(3)));
    sign_in.wait().await
}

#[tokio::test]
async fn a_device_sign_in_ends_in_a_grant() {
    let mut last = granted("one", 3599);
    last.1["refresh_token"] = json!("r1");
    let office = Office::answering(vec![device_code(), refused("authorization_pending", 70_016), last]);
    let grant = device(&office).await.unwrap();
    assert!(matches!(&grant.proof, Proof::Refresh(token) if token.expose_secret() == "r1"));
    let asked = office.asked.lock().unwrap();
    assert_eq!(asked[0]["scope"], "Mail.Read offline_access");
    assert_eq!(asked[1]["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!((asked[2]["device_code"].as_str(), asked.len()), ("d-1", 3));
}

#[tokio::test]
async fn a_device_sign_in_that_cannot_end_says_why() {
    let waits = [
        (refused("authorization_declined", 1), "accept"),
        (refused("bad_verification_code", 2), "check"),
        (refused("expired_token", 3), "in time"),
        (refused("authorization_pending", 70_016), "in time"),
        (granted("without-refresh", 3599), "offline_access"),
    ]
    .map(|(answer, step)| async move {
        let fault = device(&Office::answering(vec![device_code(), answer])).await.err().unwrap();
        assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Run));
        assert!(fault.next_step().unwrap().contains(step), "{:?}", fault.next_step());
    });
    join_all(waits).await;
}
