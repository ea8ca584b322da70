//! Contents of files, from the second origin.

use reqwest::StatusCode;
use serde_json::{Value, json};
use transhume_simulators::dump::Content;

use crate::client::{Client, calm};
use crate::drive::{DRIVE, LIBRARY, at, client, fetch, file, id, item_at, location, office, switch};

const ANY: (&str, &str) = ("accept", "*/*");

#[tokio::test]
async fn content_is_a_redirect_to_an_address_that_refuses_tokens() {
    let client = client().await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    assert!(!url.starts_with(&client.running.base_url()), "another origin");
    assert!(url.contains("/_layouts/15/download.aspx?UniqueId=") && url.contains("&tempauth=v1."));
    assert_eq!(client.get(&url).await.status(), 401, "the address carries its own right");
    let answer = fetch(&client, &url, &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-length"], "10");
    assert_eq!(answer.headers()["etag"].to_str().unwrap(), format!("\"{{{}}},4\"", id("anna.txt")));
    assert!(answer.headers()["content-disposition"].to_str().unwrap().ends_with("UTF-8''anna.txt"));
    assert_eq!(answer.text().await.unwrap(), "hello anna");
    let row = client.json(&item_at("anna.txt", "")).await;
    let annotated = row["@microsoft.graph.downloadUrl"].as_str().unwrap();
    assert_eq!(fetch(&client, annotated, &[]).await.text().await.unwrap(), "hello anna");
    let by_path = location(&client, &at("root:/Docs/Deep/bottom.txt:/content")).await;
    assert_eq!(fetch(&client, &by_path, &[]).await.text().await.unwrap(), "at the bottom");
    switch(&client, json!({"tempauth_jwt": true})).await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    assert!(url.contains("&tempauth=eyJ"));
    assert_eq!(fetch(&client, &url, &[]).await.status(), 200);
    assert_eq!(
        fetch(&client, &url.replace("tempauth=eyJ", "tempauth=eyK"), &[]).await.status(),
        200,
        "only its middle counts"
    );
    let (before, after) = url.split_at(url.find("tempauth=").unwrap() + 60);
    let edited = format!("{before}{}{}", if after.starts_with('A') { "B" } else { "A" }, &after[1..]);
    assert_eq!(fetch(&client, &edited, &[]).await.status(), 401, "and that is signed");
    let stats = client.running.stats();
    assert_eq!(stats.requests["GET /_layouts/15/download.aspx"][&200], 5);
    assert_eq!(stats.downloads, 5);
}

#[tokio::test]
async fn addresses_expire_the_shorter_lived_ones_sooner() {
    let client = client().await;
    let short = location(&client, &item_at("anna.txt", "/content")).await;
    let row = client.json(&item_at("anna.txt", "")).await;
    let long = row["@microsoft.graph.downloadUrl"].as_str().unwrap();
    client.control("faults", json!({"clock_offset_s": 301})).await;
    let expired = fetch(&client, &short, &[]).await;
    assert_eq!(
        (expired.status(), expired.headers()["content-length"].to_str().unwrap()),
        (StatusCode::UNAUTHORIZED, "0")
    );
    assert_eq!(fetch(&client, long, &[]).await.status(), 200);
    client.control("faults", json!({"clock_offset_s": 3601})).await;
    assert_eq!(fetch(&client, long, &[]).await.status(), 401);
}

#[tokio::test]
async fn parts_can_be_fetched() {
    let client = client().await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    let part = async |headers: &[(&'static str, &str)]| {
        let answer = fetch(&client, &url, headers).await;
        let told = answer.headers().get("content-range").map(|told| told.to_str().unwrap().to_owned());
        (answer.status().as_u16(), told.unwrap_or_default(), answer.text().await.unwrap())
    };
    let got = |status: u16, told: &str, text: &str| (status, told.to_owned(), text.to_owned());
    assert_eq!(part(&[ANY, ("range", "bytes=0-4")]).await, got(206, "bytes 0-4/10", "hello"));
    assert_eq!(part(&[ANY, ("range", "bytes=6-")]).await, got(206, "bytes 6-9/10", "anna"));
    assert_eq!(part(&[ANY, ("range", "bytes=-3")]).await, got(206, "bytes 7-9/10", "nna"));
    assert_eq!(part(&[ANY, ("range", "bytes=0-1,3-4")]).await.0, 200, "several at once are ignored");
    assert_eq!(part(&[ANY, ("range", "bytes=10-")]).await.0, 416);
    assert_eq!(part(&[("accept", "text/plain"), ("range", "bytes=0-4")]).await.0, 416, "as a tool met it");
    let tag = format!("\"{{{}}},4\"", id("anna.txt"));
    assert_eq!(part(&[ANY, ("range", "bytes=6-"), ("if-range", &tag)]).await.0, 206);
    assert_eq!(part(&[ANY, ("range", "bytes=6-"), ("if-range", "\"older\"")]).await, got(200, "", "hello anna"));
    switch(&client, json!({"ranges": "ignored"})).await;
    assert_eq!(part(&[ANY, ("range", "bytes=6-")]).await, got(200, "", "hello anna"));
    switch(&client, json!({"ranges": "refused"})).await;
    let refused = fetch(&client, &url, &[ANY, ("range", "bytes=6-")]).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["content-range"].to_str().unwrap()), (416, "bytes */10"));
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "invalidRange");
}

#[tokio::test]
async fn an_address_opens_what_the_file_is_by_then() {
    let client = client().await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    let tag = format!("\"{{{}}},4\"", id("anna.txt"));
    client.mutate(json!({"op": "write_file", "drive": DRIVE, "item": "/Docs/anna.txt", "content": "c2luY2U="})).await;
    let resumed = fetch(&client, &url, &[ANY, ("range", "bytes=2-"), ("if-range", &tag)]).await;
    assert_eq!((resumed.status().as_u16(), resumed.text().await.unwrap().as_str()), (200, "since"));
    client.mutate(json!({"op": "delete_item", "drive": DRIVE, "item": id("anna.txt")})).await;
    assert_eq!(fetch(&client, &url, &[]).await.status(), 404);
}

/// Fifty gibibytes, none of them kept anywhere.
#[tokio::test]
async fn large_files_are_made_while_they_are_read() {
    let mut dump = office();
    let length: u64 = 50 << 30;
    let content = Content::Seeded { seed: 77, length };
    let mut large = file(DRIVE, "large.bin", "root", "");
    large.resource["file"]["hashes"] = json!({"quickXorHash": "not counted here"});
    large.content = Some(content.clone());
    dump.entries.push(large);
    let client = Client::with(dump, calm()).await;
    assert_eq!(client.json(&item_at("large.bin", "")).await["size"], length);
    let url = location(&client, &item_at("large.bin", "/content")).await;
    let begin = length - 1_000_003;
    let part = fetch(&client, &url, &[ANY, ("range", &format!("bytes={begin}-"))]).await;
    assert_eq!(part.status(), 206);
    let wanted: Vec<u8> = content.range(begin..length).flatten().collect();
    assert_eq!(part.bytes().await.unwrap(), wanted);
    let mut whole = fetch(&client, &url, &[]).await;
    assert_eq!(whole.headers()["content-length"].to_str().unwrap(), length.to_string());
    let first = whole.chunk().await.unwrap().unwrap();
    let wanted: Vec<u8> = content.range(0..first.len() as u64).flatten().collect();
    assert_eq!(first, wanted);
}

#[tokio::test]
async fn transfers_under_way_are_counted() {
    let mut dump = office();
    let mut large = file(DRIVE, "large.bin", "root", "");
    large.resource["file"]["hashes"] = json!({});
    large.content = Some(Content::Seeded { seed: 77, length: 64 << 20 });
    dump.entries.push(large);
    let client = Client::with(dump, calm()).await;
    let url = location(&client, &item_at("large.bin", "/content")).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(fetch(&client, &url, &[]).await);
    }
    drop(open);
    fetch(&client, &location(&client, &item_at("anna.txt", "/content")).await, &[]).await.bytes().await.unwrap();
    assert_eq!(client.running.stats().peak_transfers, 3);
}

#[tokio::test]
async fn what_is_no_file_has_no_content() {
    let client = client().await;
    for name in ["Docs", "Notebook", "Shortcut"] {
        assert_eq!(client.refusal(&item_at(name, "/content")).await, (404, "itemNotFound".to_owned()), "{name}");
    }
    assert_eq!(client.refusal(&item_at("held.docx", "/content")).await, (423, "resourceLocked".to_owned()));
    let held = client.json(&item_at("held.docx", "")).await;
    let url = held["@microsoft.graph.downloadUrl"].as_str().unwrap();
    assert_eq!(fetch(&client, url, &[]).await.status(), 423, "nor by the address that its row tells");
    let url = location(&client, &item_at("empty.txt", "/content")).await;
    let empty = fetch(&client, &url, &[]).await;
    assert_eq!((empty.status().as_u16(), empty.bytes().await.unwrap().len()), (200, 0));
    assert_eq!(client.refusal(&item_at("anna.txt", "/content?format=pdf")).await.0, 501);
    let section = item_at("section.one", "/content");
    assert_eq!(client.get(&section).await.status(), 302);
    switch(&client, json!({"notebooks_unavailable": true})).await;
    for _ in 0..3 {
        assert_eq!(client.get(&section).await.status(), 503);
    }
}

#[tokio::test]
async fn infected_files_are_refused_in_one_way_or_another() {
    let client = client().await;
    let path = item_at("virus.com", "/content");
    assert_eq!(client.refusal(&path).await, (403, "malwareDetected".to_owned()));
    assert!(client.json(&item_at("virus.com", "")).await.get("@microsoft.graph.downloadUrl").is_none());
    switch(&client, json!({"malware": "suspicious"})).await;
    assert_eq!(client.refusal(&path).await, (403, "virusSuspicious".to_owned()));
    switch(&client, json!({"malware": "header"})).await;
    let answer = fetch(&client, &location(&client, &path).await, &[]).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["x-virus-infected"].to_str().unwrap()), (200, "true"));
}

#[tokio::test]
async fn known_contents_need_not_be_fetched() {
    let client = client().await;
    let path = item_at("anna.txt", "/content");
    let tags = [format!("\"{{{}}},4\"", id("anna.txt")), format!("\"c:{{{}}},2\"", id("anna.txt"))];
    for tag in &tags {
        let answer = client.send(reqwest::Method::GET, &path, &[("if-none-match", tag)]).await;
        assert_eq!(answer.status(), 304, "{tag}");
    }
    let answer = client.send(reqwest::Method::GET, &path, &[("if-none-match", "\"other\"")]).await;
    assert_eq!(answer.status(), 302);
}

#[tokio::test]
async fn libraries_may_rewrite_documents_on_the_way() {
    let client = client().await;
    let path = format!("/v1.0/drives/{LIBRARY}/items/{}", id("agenda.docx"));
    switch(&client, json!({"lies": {"rewritten": true}})).await;
    let told = client.json(&path).await["size"].clone();
    let url = location(&client, &format!("{path}/content")).await;
    let answer = fetch(&client, &url, &[]).await;
    assert_ne!(answer.headers()["content-length"].to_str().unwrap(), told.to_string());
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("the agenda<!--"), "{text}");
    let again = fetch(&client, &url, &[ANY, ("range", "bytes=4-")]).await.text().await.unwrap();
    assert_eq!(again, text[4..], "it is the same at each time");
    let plain = location(&client, &format!("/v1.0/drives/{LIBRARY}/root:/contract.pdf:/content")).await;
    assert_eq!(fetch(&client, &plain, &[]).await.text().await.unwrap(), "a contract");
}

#[tokio::test]
async fn downloads_break_as_other_answers_do() {
    let client = client().await;
    let url = location(&client, &item_at("anna.txt", "/content")).await;
    let rules = json!([
        {"path": "download.aspx", "times": 1, "fault": {"kind": "reset"}},
        {"path": "download.aspx", "times": 1, "fault": {"kind": "reset", "after": 4}},
        {"path": "download.aspx", "times": 1, "fault": {"kind": "truncate", "after": 4}},
        {"path": "download.aspx", "times": 1, "fault": {"kind": "corrupt", "at": 0}},
        {"path": "download.aspx", "times": 1, "fault": {"kind": "throttle", "retry_after": 2}},
        {"path": "download.aspx", "times": 1, "fault": {"kind": "vanish"}},
        {"path": "/content", "times": 1, "fault": {"kind": "status", "code": 404}},
    ]);
    client.control("faults", json!({"rules": rules})).await;
    assert!(client.http.get(&url).send().await.is_err());
    assert!(fetch(&client, &url, &[]).await.bytes().await.is_err(), "broken off inside");
    assert_eq!(fetch(&client, &url, &[]).await.bytes().await.unwrap().len(), 4, "cut, and closed as if it were whole");
    assert_eq!(fetch(&client, &url, &[]).await.bytes().await.unwrap()[0], b'h' ^ 0x40);
    let throttled = fetch(&client, &url, &[]).await;
    assert_eq!((throttled.status().as_u16(), throttled.headers()["retry-after"].to_str().unwrap()), (429, "2"));
    let gone = fetch(&client, &url, &[]).await;
    assert_eq!(gone.json::<Value>().await.unwrap()["error"]["code"], "itemNotFound");
    assert_eq!(client.refusal(&item_at("anna.txt", "/content")).await, (404, "itemNotFound".to_owned()));
    assert_eq!(fetch(&client, &url, &[]).await.text().await.unwrap(), "hello anna");
    assert_eq!(client.running.stats().faults["reset"], 2);
}

#[tokio::test]
async fn batches_answer_with_the_address() {
    let client = client().await;
    let url = format!("drives/{DRIVE}/items/{}/content", id("anna.txt"));
    let body = json!({"requests": [{"id": "1", "method": "GET", "url": url}]});
    let request = client.http.post(client.url("/v1.0/$batch")).bearer_auth(&client.token).body(body.to_string());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let inner = &answer["responses"][0];
    assert_eq!(inner["status"], 302);
    let location = inner["headers"]["location"].as_str().unwrap();
    assert_eq!(fetch(&client, location, &[]).await.text().await.unwrap(), "hello anna");
}
