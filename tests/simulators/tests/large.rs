//! A mailbox of two hundred thousand messages and a drive of a hundred thousand files are served in time and in bounded
//! memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)] // it prints what it measured

use std::time::{Duration, Instant};

use serde_json::Value;
use transhume_simulators::seed::{Recipe, tenant};
use transhume_simulators::{Options, Running, Simulator};

const MESSAGES: u32 = 200_000;
const FILES: u32 = 100_000;

/// The resident set of this process, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn signed_in(running: &Running) -> (reqwest::Client, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let form = "grant_type=client_credentials&client_id=app&client_secret=secret&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let token =
        http.post(format!("{}/contoso/oauth2/v2.0/token", running.login_url())).body(form).send().await.unwrap();
    let token = token.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    (http, token)
}

#[tokio::test]
#[ignore = "takes half a minute: part of the long tier"]
async fn a_hundred_thousand_files() {
    let recipe = Recipe {
        accounts: 1,
        messages: 0,
        files: FILES,
        hostile: false,
        file_bytes: Some(10_240),
        ..Recipe::default()
    };
    let began = Instant::now();
    let dump = tenant(&recipe);
    let (made, seeded) = (began.elapsed(), resident());
    let user = dump.entries.iter().find(|entry| entry.kind == "drive").unwrap().user.clone().unwrap();
    let mut options = Options::default();
    options.knobs.limits.resource_units = 1_000_000;
    let began = Instant::now();
    let running = Simulator::start(dump, options).await.unwrap();
    let started = began.elapsed();
    let (http, token) = signed_in(&running).await;
    let (began, mut found, mut pages, mut slowest) = (Instant::now(), 0, 0, Duration::ZERO);
    let mut next = format!("{}/v1.0/users/{user}/drive/root/delta?$top=500", running.base_url());
    loop {
        let asked = Instant::now();
        let page: Value = http.get(&next).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        slowest = slowest.max(asked.elapsed());
        found += page["value"].as_array().unwrap().len();
        pages += 1;
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        next = link.to_owned();
    }
    let walked = began.elapsed();
    eprintln!(
        "made {made:.1?}, start {started:.1?}, walk {walked:.1?} in {pages} pages (slowest {slowest:.0?}), resident {seeded} MiB \
         seeded, {} MiB served",
        resident()
    );
    assert!(found > FILES as usize, "{found}");
    assert!(walked < Duration::from_secs(120));
}

#[tokio::test]
#[ignore = "takes a minute: part of the long tier"]
async fn two_hundred_thousand_messages() {
    let recipe =
        Recipe { accounts: 1, messages: MESSAGES, hostile: false, message_bytes: Some(8192), ..Recipe::default() };
    let dump = tenant(&recipe);
    let user = dump.entries.iter().find(|entry| entry.kind == "message").unwrap().user.clone().unwrap();
    let seeded = resident();
    let mut options = Options::default();
    options.knobs.limits.requests = 1_000_000;
    let began = Instant::now();
    let running = Simulator::start(dump, options).await.unwrap();
    let started = began.elapsed();
    let (http, token) = signed_in(&running).await;
    let began = Instant::now();
    let base = format!("{}/v1.0/users/{user}/mailFolders", running.base_url());
    let get = async |url: &str| {
        let request =
            http.get(url).bearer_auth(&token).header("prefer", "odata.maxpagesize=500, IdType=\"ImmutableId\"");
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let (mut found, mut pages, mut slowest) = (0, 0, Duration::ZERO);
    for folder in get(&base).await["value"].as_array().unwrap() {
        let mut next =
            format!("{base}/{}/messages/delta?$select=isRead,flag,receivedDateTime", folder["id"].as_str().unwrap());
        loop {
            let asked = Instant::now();
            let page = get(&next).await;
            slowest = slowest.max(asked.elapsed());
            found += page["value"].as_array().unwrap().len();
            pages += 1;
            let Some(link) = page["@odata.nextLink"].as_str() else { break };
            next = link.to_owned();
        }
    }
    let walked = began.elapsed();
    eprintln!(
        "start {started:.1?}, walk {walked:.1?} in {pages} pages (slowest {slowest:.0?}), resident {seeded} MiB seeded, {} MiB served",
        resident()
    );
    assert!(found >= MESSAGES as usize, "{found}");
    assert!(walked < Duration::from_secs(120));
}
