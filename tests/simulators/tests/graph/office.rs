//! The seeded tenant, served.

use serde_json::Value;
use transhume_simulators::dump::Dump;
use transhume_simulators::seed::{Recipe, tenant};
use transhume_simulators::{Options, SelfSigned, Simulator};

use crate::client::{Client, calm};

fn small() -> Dump {
    tenant(&Recipe { accounts: 2, messages: 30, ..Recipe::default() })
}

#[tokio::test]
async fn every_message_of_the_dump_is_served_as_it_is() {
    let dump = small();
    let client = Client::with(dump.clone(), calm()).await;
    let mut served = 0;
    for entry in dump.entries.iter().filter(|entry| entry.kind == "message") {
        let (user, id) = (entry.user.as_deref().unwrap(), entry.resource["id"].as_str().unwrap());
        if entry.resource["_sim"]["fails"].is_string() {
            continue;
        }
        let path = format!("/v1.0/users/{user}/messages/{}", id.replace('=', "%3D"));
        let row = client.json(&path).await;
        assert_eq!(row["subject"], entry.resource["subject"]);
        let mime = client.get(&format!("{path}/$value")).await.bytes().await.unwrap();
        assert_eq!(mime, entry.content.as_ref().unwrap().to_bytes());
        let expected = transhume_simulators::seed::mime_view::attachments(&mime).len();
        let noted = entry.resource["_sim"]["attachments"].as_array().map_or(0, Vec::len);
        let found = client.json(&format!("{path}/attachments?$select=id")).await;
        assert_eq!(found["value"].as_array().unwrap().len(), expected + noted);
        served += 1;
    }
    assert!(served > 100);
}

#[tokio::test]
async fn delta_over_all_folders_finds_the_whole_dump() {
    let dump = small();
    let client = Client::with(dump.clone(), Options::default()).await;
    let prefer = [("prefer", "odata.maxpagesize=50")];
    for user in client.all("/v1.0/users?$select=userPrincipalName").await {
        let name = user["userPrincipalName"].as_str().unwrap().replace('#', "%23");
        let base = format!("/v1.0/users/{name}/mailFolders");
        if client.get(&base).await.status() != 200 {
            continue;
        }
        let of_user = |entry: &&transhume_simulators::dump::Entry| {
            entry.kind == "message" && entry.user.as_deref() == user["userPrincipalName"].as_str()
        };
        let mut expected: Vec<&str> =
            dump.entries.iter().filter(of_user).map(|entry| entry.resource["id"].as_str().unwrap()).collect();
        let mut folders = client.walk(&format!("{base}/delta?includeHiddenFolders=true"), &prefer).await.0;
        folders.retain(|folder| folder["@odata.type"].is_null());
        let recoverable = client.get(&format!("{base}/recoverableitemsdeletions")).await;
        if recoverable.status() == 200 {
            folders.push(recoverable.json::<Value>().await.unwrap());
        }
        let mut found = Vec::new();
        for folder in folders {
            let path = format!("{base}/{}/messages/delta?$select=id", folder["id"].as_str().unwrap());
            let rows = client.walk(&path, &prefer).await.0;
            found.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        }
        found.sort_unstable();
        found.dedup();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test]
async fn https_is_served_with_an_authority_to_trust() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options { tls: Some(SelfSigned::new(&[]).unwrap()), ..calm() };
    let running = Simulator::start(small(), options).await.unwrap();
    let authority = reqwest::Certificate::from_pem(running.authority_pem().unwrap().as_bytes()).unwrap();
    let trusting = reqwest::Client::builder().tls_certs_only([authority]).build().unwrap();
    let url = format!("https://localhost:{}/contoso/v2.0/.well-known/openid-configuration", running.port());
    let found: Value = trusting.get(&url).send().await.unwrap().json().await.unwrap();
    assert!(found["token_endpoint"].as_str().unwrap().starts_with("https://localhost:"));
    let distrusting = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(distrusting.get(&url).send().await.is_err());
}

#[tokio::test]
async fn links_follow_the_proxy_and_stopping_stops() {
    let client = Client::with(small(), calm()).await;
    let headers = [("x-forwarded-host", "graph.town.example"), ("x-forwarded-proto", "https")];
    let forged = client.send(reqwest::Method::GET, "/v1.0/users?$top=1", &headers).await;
    let page: Value = forged.json().await.unwrap();
    assert!(page["@odata.nextLink"].as_str().unwrap().starts_with("https://graph.town.example/v1.0/users?"));
    let url = client.url("/_sim/stats");
    client.running.stop().await;
    assert!(client.http.get(&url).send().await.is_err());
}
