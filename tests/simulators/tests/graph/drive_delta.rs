//! Change tracking of drives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use transhume_simulators::{Options, Running};

use crate::client::{ANNA, BOB, Client, calm};
use crate::drive::{DRIVE, LIBRARY, PERSONAL, at, client, file, folder, id, office, switch};

const WORDS: &str = "deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges";

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter().find(|row| row["id"] == id(name)).unwrap_or_else(|| panic!("no {name} in {rows:?}"))
}

#[tokio::test]
async fn a_first_round_finds_everything_and_the_root() {
    let client = client().await;
    let (rows, link) = client.walk(&at("root/delta"), &[]).await;
    assert_eq!(rows.len(), 16);
    assert!(row(&rows, &format!("root{DRIVE}"))["root"].is_object());
    let file = row(&rows, "anna.txt");
    assert!(file["parentReference"].get("path").is_none(), "clients go by ids");
    assert_eq!(file["parentReference"]["id"], id("Docs"));
    assert!(file.get("cTag").is_none() && file.get("lastModifiedBy").is_none() && file["eTag"].is_string());
    let (rows, again) = client.walk(&link.unwrap(), &[]).await;
    assert!(rows.is_empty() && again.is_some());
}

#[tokio::test]
async fn what_lies_in_a_folder_may_come_before_it() {
    let mut dump = office();
    for number in 0..9_u8 {
        let name = format!("folder{}", char::from(b'a' + number));
        dump.entries.push(folder(DRIVE, &name, "root"));
        dump.entries.push(file(DRIVE, &format!("{name}file"), &name, "x"));
    }
    let client = Client::with(dump, calm()).await;
    let (rows, _) = client.walk(&at("root/delta"), &[]).await;
    let mut seen = BTreeSet::new();
    let mut early = 0;
    for row in &rows {
        let above = row["parentReference"]["id"].as_str();
        early += usize::from(above.is_some_and(|above| !seen.contains(above)));
        seen.insert(row["id"].as_str().unwrap());
    }
    assert!(early > 0, "children before their parents");
    let first = client.json(&at("root/delta?$top=20")).await;
    let on_page = ids(first["value"].as_array().unwrap());
    let apart = rows.iter().filter(|row| on_page.contains(row["id"].as_str().unwrap()));
    assert!(apart.filter_map(|row| row["parentReference"]["id"].as_str()).any(|above| !on_page.contains(above)));
}

#[tokio::test]
async fn later_rounds_tell_what_changed_with_the_folders_above() {
    let client = client().await;
    let (_, link) = client.walk(&at("root/delta"), &[]).await;
    client
        .mutate(json!([
            {"op": "write_file", "user": ANNA, "item": "/Docs/Deep/bottom.txt", "content": "bmV3"},
            {"op": "delete_item", "user": ANNA, "item": "/Docs/letter.docx"},
        ]))
        .await;
    let link = link.unwrap();
    let (rows, _) = client.walk(&link, &[]).await;
    let wanted = ["bottom.txt", "Deep", "Docs", &format!("root{DRIVE}"), "letter.docx"].map(id);
    assert_eq!(ids(&rows), BTreeSet::from(wanted));
    assert_eq!(row(&rows, "bottom.txt")["size"], 3);
    let gone = row(&rows, "letter.docx");
    assert_eq!(gone["deleted"], json!({"state": "deleted"}));
    assert!(gone.get("name").is_none() && gone["size"] == 0 && gone["file"].is_object());
    let (rows, _) = client.walk(&link, &[("deltaexcludeparent", "true")]).await;
    let wanted = ["bottom.txt", &format!("root{DRIVE}"), "letter.docx"].map(id);
    assert_eq!(ids(&rows), BTreeSet::from(wanted), "the root comes all the same");
    switch(&client, json!({"delta_parents": false})).await;
    assert_eq!(client.walk(&link, &[]).await.0.len(), 2);
}

#[tokio::test]
async fn renames_and_moves_keep_the_id_and_do_not_resend_what_lies_below() {
    let client = client().await;
    switch(&client, json!({"delta_parents": false})).await;
    let (_, link) = client.walk(&at("root/delta"), &[]).await;
    client
        .mutate(json!([
            {"op": "rename_item", "user": ANNA, "item": id("Docs"), "name": "Papers"},
            {"op": "move_item", "user": ANNA, "item": id("Deep"), "to": "/Notebook"},
        ]))
        .await;
    let (rows, _) = client.walk(&link.unwrap(), &[]).await;
    assert_eq!(ids(&rows), BTreeSet::from(["Docs", "Deep"].map(id)));
    assert_eq!(row(&rows, "Docs")["name"], "Papers");
    assert_eq!(row(&rows, "Deep")["parentReference"]["id"], id("Notebook"));
    let file = client.json(&at(&format!("items/{}", id("bottom.txt")))).await;
    assert_eq!(file["parentReference"]["path"], format!("/drives/{DRIVE}/root:/Notebook/Deep"));
}

#[tokio::test]
async fn a_deleted_folder_goes_with_all_that_lay_in_it() {
    let client = client().await;
    let (_, link) = client.walk(&at("root/delta"), &[]).await;
    client.mutate(json!({"op": "delete_item", "user": ANNA, "item": "/Docs"})).await;
    let link = link.unwrap();
    let gone = |rows: &[Value]| rows.iter().filter(|row| row.get("deleted").is_some()).count();
    let (rows, _) = client.walk(&link, &[]).await;
    assert_eq!(gone(&rows), 7);
    assert!(row(&rows, "Docs")["folder"].is_object());
    switch(&client, json!({"deleted_folders_tell_all": false})).await;
    let (rows, _) = client.walk(&link, &[]).await;
    assert_eq!((gone(&rows), &rows[0]["id"]), (1, &json!(id("Docs"))), "the folder alone");
}

#[tokio::test]
async fn personal_drives_leave_out_other_things() {
    let client = client().await;
    let path = format!("/v1.0/drives/{PERSONAL}/root/delta");
    let (rows, link) = client.walk(&path, &[]).await;
    let file = row(&rows, "p.txt");
    assert!(file["cTag"].is_string() && file["lastModifiedBy"].is_object() && file["description"] == "mine");
    client.mutate(json!({"op": "delete_item", "user": BOB, "item": "/p.txt"})).await;
    let (rows, _) = client.walk(&link.unwrap(), &[]).await;
    let gone = row(&rows, "p.txt");
    assert!(gone["name"] == "p.txt" && gone.get("size").is_none() && gone["deleted"].is_object());
    assert_eq!(client.refusal(&format!("{path}?token=2024-01-01T00:00:00Z")).await.0, 400, "no times here");
}

#[tokio::test]
async fn latest_and_times_stand_in_place_of_tokens() {
    let client = client().await;
    let latest = client.json(&at("root/delta?token=latest")).await;
    assert!(latest["value"].as_array().unwrap().is_empty());
    let link = latest["@odata.deltaLink"].as_str().unwrap();
    client.mutate(json!({"op": "edit_item", "user": ANNA, "item": "/empty.txt", "set": {"description": "x"}})).await;
    let (rows, _) = client.walk(link, &[]).await;
    assert_eq!(ids(&rows), BTreeSet::from([id("empty.txt"), id(&format!("root{DRIVE}"))]));
    let since = async |when: &str| client.walk(&at(&format!("root/delta?token={when}")), &[]).await.0;
    assert_eq!(since("2024-02-02T09:59:59Z").await.len(), 15, "all but the root, which is older");
    assert_eq!(
        ids(&since("2024-02-02T10:00:00Z").await),
        BTreeSet::from([id("empty.txt")]),
        "what was modified after that"
    );
    let tomorrow =
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert!(since(&tomorrow).await.is_empty());
    assert_eq!(since("2024-02-02T18:00:00%2B8:00").await.len(), 1, "an offset may lack its zero");
}

#[tokio::test]
async fn pages_hold_two_hundred_or_what_was_asked_for() {
    let mut dump = office();
    for number in 0..600_u32 {
        let name =
            format!("n{}", char::from(b'a' + u8::try_from(number % 26).unwrap())) + &"b".repeat(number as usize / 26);
        dump.entries.push(file(DRIVE, &name, "root", "x"));
    }
    let client = Client::with(dump, calm()).await;
    let size =
        async |query: &str| client.json(&at(&format!("root/delta{query}"))).await["value"].as_array().unwrap().len();
    assert_eq!((size("").await, size("?$top=50").await, size("?$top=9999").await), (200, 50, 500));
    switch(&client, json!({"delta_top": false})).await;
    assert_eq!(size("?$top=50").await, 200, "others saw it ignored");
    let (rows, link) = client.walk(&at("root/delta?$select=name"), &[]).await;
    assert_eq!(ids(&rows).len(), 616);
    assert!(rows.iter().all(|row| row.get("size").is_none()), "the token remembers what was selected");
    assert!(link.unwrap().contains("/root/delta?token="));
    let first = client.json(&at("root/delta")).await;
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(next.contains("/root/delta(token='"), "{next}");
    let other = next.replace("delta(token='", "delta?token=").replace("')", "");
    assert_eq!(client.json(&other).await, client.json(next).await, "both forms serve");
}

#[tokio::test]
async fn rows_repeat_and_pages_rest_now_and_then() {
    let mut options = Options::default();
    (options.knobs.switches.empty_pages, options.knobs.switches.repeat_rows) = (2, 2);
    let client = Client::with(office(), options).await;
    let (mut pages, mut next) = (Vec::new(), at("root/delta?$top=2"));
    loop {
        let page = client.json(&next).await;
        pages.push(page["value"].as_array().unwrap().clone());
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        next = link.to_owned();
    }
    assert!(pages[..pages.len() - 1].iter().any(Vec::is_empty), "an empty page with more behind it");
    let rows = pages.concat();
    assert!(ids(&rows).len() == 16 && rows.len() > 16, "a row twice");
}

#[tokio::test]
async fn sharing_is_told_as_it_is_asked_for() {
    let client = client().await;
    let (rows, link) = client.walk(&at("root/delta"), &[]).await;
    assert_eq!(row(&rows, "letter.docx")["shared"], json!({"scope": "users"}), "what it inherits");
    assert_eq!(row(&rows, "anna.txt")["shared"], json!({"scope": "organization"}));
    assert!(row(&rows, "empty.txt").get("shared").is_none());
    let (rows, _) = client.walk(&at("root/delta"), &[("prefer", "hierarchicalsharing")]).await;
    assert!(row(&rows, "letter.docx").get("shared").is_none());
    assert_eq!(
        row(&rows, &format!("root{DRIVE}"))["shared"],
        json!({}),
        "the hierarchy begins here, and is not shared"
    );
    let plain = client.json(&at(&format!("items/{}", id("letter.docx")))).await;
    assert!(plain.get("shared").is_none());
    client
        .mutate(json!([
            {"op": "share_item", "user": ANNA, "item": "/empty.txt", "permission": {"roles": ["read"], "link": {"scope": "anonymous", "type": "view"}}},
            {"op": "write_file", "user": ANNA, "item": "/deed.pdf", "content": "bmV3"},
        ]))
        .await;
    let marked = async |words: &str| {
        let answer = client.send(reqwest::Method::GET, link.as_deref().unwrap(), &[("prefer", words)]).await;
        let applied = answer.headers().get("preference-applied").map(|applied| applied.to_str().unwrap().to_owned());
        let rows = answer.json::<Value>().await.unwrap()["value"].as_array().unwrap().clone();
        let mark = |name: &str| row(&rows, name).get("@microsoft.graph.sharedChanged").cloned();
        (mark("empty.txt"), mark("deed.pdf"), applied.unwrap_or_default())
    };
    assert_eq!(marked(WORDS).await, (Some(json!("True")), None, WORDS.to_owned()));
    assert_eq!(marked("deltashowsharingchanges").await.0, None, "it needs the two others");
    let (rows, _) = client.walk(link.as_deref().unwrap(), &[]).await;
    assert_eq!(row(&rows, "empty.txt")["shared"]["scope"], "anonymous");
}

#[tokio::test]
async fn libraries_may_keep_silent_about_links() {
    let client = client().await;
    let path = format!("/v1.0/drives/{LIBRARY}/root/delta?token=latest");
    let link = client.json(&path).await["@odata.deltaLink"].as_str().unwrap().to_owned();
    let share =
        json!({"op": "share_item", "drive": LIBRARY, "item": "/contract.pdf", "permission": {"roles": ["read"]}});
    client.mutate(share).await;
    assert_eq!(client.walk(&link, &[]).await.0.len(), 2, "the file and the root");
    switch(&client, json!({"libraries_omit_sharing": true})).await;
    assert!(client.walk(&link, &[]).await.0.is_empty());
}

#[tokio::test]
async fn tokens_are_opaque_and_bound() {
    let client = client().await;
    let (_, link) = client.walk(&at("root/delta"), &[]).await;
    let link = link.unwrap();
    assert_eq!(client.refusal(&link.replace(DRIVE, LIBRARY)).await, (400, "invalidRequest".to_owned()));
    let (address, token) = link.split_once("token=").unwrap();
    let edited = format!("{address}token={}{}", &token[..40], token[40..].replacen(|_: char| true, "_", 1));
    assert_eq!(client.refusal(&edited).await.0, 400);
    assert_eq!(client.refusal(&at(&format!("items/{}/delta", id("Docs")))).await, (400, "invalidRequest".to_owned()));
}

async fn with(running: Running, client: Client) -> Client {
    let client = Client { running, ..client };
    let token = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await.1;
    Client { token: token["access_token"].as_str().unwrap().to_owned(), ..client }
}

#[tokio::test]
async fn tokens_survive_a_restart_and_not_another_history() {
    let client = client().await;
    let (_, link) = client.walk(&at("root/delta"), &[]).await;
    let query = link.unwrap().split_once('?').unwrap().1.to_owned();
    client.mutate(json!({"op": "rename_item", "user": ANNA, "item": "/Docs", "name": "Papers"})).await;
    let (_, later) = client.walk(&at(&format!("root/delta?{query}")), &[]).await;
    let later = later.unwrap().split_once('?').unwrap().1.to_owned();
    let again = with(transhume_simulators::Simulator::start(office(), calm()).await.unwrap(), client).await;
    assert_eq!(again.get(&at(&format!("root/delta?{query}"))).await.status(), 200);
    assert_eq!(
        again.refusal(&at(&format!("root/delta?{later}"))).await.0,
        410,
        "this one saw what never happened here"
    );
}

#[tokio::test]
async fn dead_tokens_lead_to_a_fresh_start() {
    let client = client().await;
    let walking = client.json(&at("root/delta?$top=2")).await["@odata.nextLink"].as_str().unwrap().to_owned();
    let (_, link) = client.walk(&at("root/delta"), &[]).await;
    let link = link.unwrap();
    client.control("faults", json!({"expire_delta_tokens": [DRIVE]})).await;
    for dead in [&walking, &link] {
        let answer = client.get(dead).await;
        assert_eq!(answer.status(), 410);
        let fresh = answer.headers()["location"].to_str().unwrap().to_owned();
        let error = answer.json::<Value>().await.unwrap()["error"].clone();
        assert_eq!(
            (&error["code"], &error["innerError"]["code"]),
            (&json!("resyncRequired"), &json!("resyncChangesApplyDifferences"))
        );
        assert!(error["message"].as_str().unwrap().starts_with("Resync required. Replace any local items"));
        assert_eq!(ids(&client.walk(&fresh, &[]).await.0).len(), 16);
    }
    switch(&client, json!({"resync": "upload_differences", "resync_as_code": true, "resync_location_fails": true}))
        .await;
    let answer = client.get(&link).await;
    let fresh = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "resyncChangesUploadDifferences");
    assert_eq!(client.refusal(&fresh).await, (500, "generalException".to_owned()));
    assert_eq!(client.walk(&at("root/delta"), &[]).await.0.len(), 16, "without a token it begins all the same");
    client.control("faults", json!({"expire_delta_tokens": [ANNA]})).await;
}

#[tokio::test]
async fn a_walk_left_alone_goes_stale_after_some_rounds() {
    let client = client().await;
    let walking = client.json(&at("root/delta?$top=2")).await["@odata.nextLink"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        client.walk(&at("root/delta"), &[]).await;
    }
    assert_eq!(client.get(&walking).await.status(), 200);
    client.walk(&at("root/delta"), &[]).await;
    assert_eq!(client.refusal(&walking).await, (410, "resyncRequired".to_owned()));
}

#[tokio::test]
async fn labelled_libraries_may_need_more_than_reading() {
    let client = client().await;
    switch(&client, json!({"labels_need_full_control": true})).await;
    for path in ["root/delta", "root/children"] {
        assert_eq!(client.refusal(&at(path)).await, (403, "accessDenied".to_owned()));
    }
    let library = format!("/v1.0/drives/{LIBRARY}/root/delta");
    assert_eq!(client.get(&library).await.status(), 200, "nothing is labelled there");
}

/// Whatever happens while it is walked, and between the rounds: merged by id, delta tells the present.
#[tokio::test]
async fn merged_rounds_are_the_present() {
    let mut options = Options::default();
    options.knobs.switches.extra_fields = false;
    let client = Client::with(office(), options).await;
    let mut present: BTreeMap<String, Value> = BTreeMap::new();
    let mut next = at("root/delta?$top=3&$select=name,parentReference,size,deleted,eTag");
    for round in 0..6 {
        loop {
            let page = client.json(&next).await;
            for row in page["value"].as_array().unwrap() {
                let id = row["id"].as_str().unwrap().to_owned();
                match row.get("deleted") {
                    Some(_) => drop(present.remove(&id)),
                    None => drop(present.insert(id, row.clone())),
                }
            }
            client.mutate(json!({"op": "churn_files", "user": ANNA, "seed": round, "count": 4})).await;
            let Some(link) = page["@odata.nextLink"].as_str() else {
                next = page["@odata.deltaLink"].as_str().unwrap().to_owned();
                break;
            };
            next = link.to_owned();
        }
    }
    for row in client.walk(&next, &[]).await.0 {
        let id = row["id"].as_str().unwrap().to_owned();
        match row.get("deleted") {
            Some(_) => drop(present.remove(&id)),
            None => drop(present.insert(id, row)),
        }
    }
    let truth = client.running.tenant();
    let own = truth
        .entries
        .iter()
        .filter(|entry| entry.kind == "driveItem" && entry.resource["parentReference"]["driveId"] == DRIVE);
    let truth: BTreeMap<String, &Value> =
        own.map(|entry| (entry.resource["id"].as_str().unwrap().to_owned(), &entry.resource)).collect();
    assert_eq!(present.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>());
    for (id, row) in &present {
        let resource = truth[id];
        assert_eq!(
            (&row["name"], &row["parentReference"]["id"]),
            (&resource["name"], &resource["parentReference"]["id"]),
            "{id}"
        );
        if resource.get("file").is_some() {
            assert_eq!((&row["size"], &row["eTag"]), (&resource["size"], &resource["eTag"]), "{id}");
        }
    }
}
