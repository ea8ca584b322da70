//! The folder tree.

use serde_json::json;

use crate::client::{ANNA, Client, calm, folder, id, patched, tenant};

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/mailFolders{path}")
}

#[tokio::test]
async fn a_listing_shows_one_level_and_hides_the_hidden() {
    let client = Client::with(tenant(), calm()).await;
    let names = async |path: &str| {
        let rows = client.all(&at(path)).await;
        rows.iter().map(|row| row["displayName"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(names("").await, ["Boîte", "Papierkorb"]);
    assert_eq!(names("?includeHiddenFolders=true").await, ["Boîte", "Papierkorb", "Quiet"]);
    assert_eq!(names(&format!("/{}/childFolders", id("Boîte"))).await, ["Projects"]);
    let inbox = client.json(&at("/inbox")).await;
    assert_eq!(inbox["id"], id("Boîte"));
    let counts = ["childFolderCount", "totalItemCount", "unreadItemCount"].map(|name| inbox[name].as_u64().unwrap());
    assert_eq!(counts, [1, 25, 25]);
    assert_eq!(client.json(&at("/msgfolderroot")).await["displayName"], "Root");
    assert_eq!(client.json(&at("/recoverableitemsdeletions")).await["parentFolderId"], id("above"));
    assert_eq!(client.refusal(&at("/clutter")).await, (404, "ErrorItemNotFound".to_owned()));
    assert_eq!(client.refusal(&at("/x!y")).await, (400, "ErrorInvalidIdMalformed".to_owned()));
    let lower = id("Projects").to_lowercase();
    assert_eq!(client.refusal(&at(&format!("/{lower}"))).await.0, 404, "ids are case-sensitive");
}

#[tokio::test]
async fn pages_hold_ten_unless_told_otherwise() {
    let mut dump = tenant();
    dump.entries.extend((0..300).map(|number| folder(ANNA, &format!("f{number:03}"), "Root", None)));
    let client = Client::with(dump, calm()).await;
    let first = client.json(&at("")).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 10);
    assert!(first["@odata.nextLink"].as_str().unwrap().contains("%24skip=10"));
    assert_eq!(client.all(&at("")).await.len(), 302);
    let prefer = [("prefer", "odata.maxpagesize=999")];
    let answer = client.send(reqwest::Method::GET, &at(""), &prefer).await;
    assert_eq!(answer.headers()["preference-applied"], "odata.maxpagesize=999");
    assert_eq!(client.json_with(&at(""), &prefer).await["value"].as_array().unwrap().len(), 302);
}

#[tokio::test]
async fn deep_trees_and_search_folders() {
    let mut dump = tenant();
    let mut parent = "Root".to_owned();
    for depth in 0..12 {
        let name = format!("deep{depth}");
        dump.entries.push(folder(ANNA, &name, &parent, None));
        parent = name;
    }
    let search = json!({"@odata.type": "#microsoft.graph.mailSearchFolder", "isSupported": true,
        "includeNestedFolders": false, "sourceFolderIds": [id("Boîte")], "filterQuery": "isRead eq false"});
    dump.entries.push(patched(folder(ANNA, "Unread", "Root", None), search));
    let client = Client::with(dump, calm()).await;
    let mut depth = 0;
    let mut next = id("deep0");
    while let Some(child) = client.all(&at(&format!("/{next}/childFolders"))).await.first() {
        next = child["id"].as_str().unwrap().to_owned();
        depth += 1;
    }
    assert_eq!(depth, 11);
    let rows = client.all(&at("")).await;
    let search = rows.iter().find(|row| row["displayName"] == "Unread").unwrap();
    assert_eq!(search["@odata.type"], "#microsoft.graph.mailSearchFolder");
    let twice = client.all(&at(&format!("/{}/messages", id("Unread")))).await;
    assert_eq!(twice.len(), 25, "who walks a search folder finds every message twice");
}

#[tokio::test]
async fn folder_delta_is_flat_and_tells_what_changed() {
    let client = Client::with(tenant(), calm()).await;
    let (rows, link) = client.walk(&at("/delta"), &[]).await;
    let names: Vec<&str> = rows.iter().map(|row| row["displayName"].as_str().unwrap()).collect();
    assert!(names.contains(&"Projects") && !names.contains(&"Quiet") && !names.contains(&"Root"), "{names:?}");
    client.mutate(json!({"op": "rename_folder", "user": ANNA, "folder": "/Boîte/Projects", "name": "Done"})).await;
    client.mutate(json!({"op": "create_folder", "user": ANNA, "name": "New"})).await;
    client.mutate(json!({"op": "move_folder", "user": ANNA, "folder": "/New", "to": "inbox"})).await;
    let (rows, link) = client.walk(&link.unwrap(), &[]).await;
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["displayName"].as_str().unwrap(), row["parentFolderId"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, [("Done", &*id("Boîte")), ("New", &*id("Boîte"))]);
    client.mutate(json!({"op": "delete_folder", "user": ANNA, "folder": "/Boîte/Done"})).await;
    let (rows, _) = client.walk(&link.unwrap(), &[]).await;
    let gone = rows.iter().find(|row| row["id"] == id("Projects")).unwrap();
    assert_eq!(gone["@removed"]["reason"], "deleted");
}

#[tokio::test]
async fn extended_properties_of_folders() {
    let client = Client::with(tenant(), calm()).await;
    let expand = "$expand=singleValueExtendedProperties($filter=id eq 'Long 0x0E08' or id eq 'String 0x3613')";
    let inbox = client.json(&at(&format!("/inbox?{expand}"))).await;
    let found = &inbox["singleValueExtendedProperties"];
    assert_eq!(found[1], json!({"id": "String 0x3613", "value": "IPF.Note"}));
    assert_eq!(found[0]["id"], "Long 0xe08");
    assert!(found[0]["value"].as_str().unwrap().parse::<u64>().unwrap() > 1000);
}
