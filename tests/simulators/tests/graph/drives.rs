//! Finding drives, and what lies in them.

use serde_json::{Value, json};

use crate::calendars::values;
use crate::client::{ANNA, BOB, Client, HALL, calm, patched};
use crate::drive::{DRIVE, GROUP, LIBRARY, LOCKED, PERSONAL, at, client, file, folder, id, item_at, office, switch};

#[tokio::test]
async fn drives_are_found_by_whom_they_belong_to() {
    let client = client().await;
    let own = client.json(&format!("/v1.0/users/{ANNA}/drive")).await;
    assert_eq!((&own["id"], &own["driveType"]), (&json!(DRIVE), &json!("business")));
    assert_eq!(own["quota"]["used"], 950, "what the dump says");
    let all = client.all(&format!("/v1.0/users/{ANNA}/drives")).await;
    assert_eq!((all.len(), &all[0]["id"]), (1, &json!(DRIVE)));
    let group = client.json(&format!("/v1.0/groups/{GROUP}/drive")).await;
    assert_eq!((&group["id"], &group["driveType"]), (&json!(LIBRARY), &json!("documentLibrary")));
    assert_eq!(client.all(&format!("/v1.0/groups/{GROUP}/drives")).await.len(), 1, "not those of other sites");
    let personal = client.json(&format!("/v1.0/drives/{PERSONAL}")).await;
    assert_eq!((&personal["quota"]["used"], &personal["quota"]["total"]), (&json!(3), &json!(1_u64 << 40)));
    assert!(client.get(&at("")).await.headers().contains_key("sprequestguid"));
    assert_eq!(client.refusal("/v1.0/drives/b!nowhere").await, (404, "itemNotFound".to_owned()));
    assert_eq!(client.refusal("/v1.0/drives/what is this").await, (400, "invalidRequest".to_owned()));
    assert_eq!(client.refusal("/v1.0/users/nobody@x/drive").await.0, 404);
}

#[tokio::test]
async fn those_who_may_not_read_files_are_refused_as_sharepoint_refuses() {
    let client = client().await;
    client.control("faults", json!({"roles": ["User.Read.All", "Mail.Read"]})).await;
    for path in [format!("/v1.0/users/{ANNA}/drive"), at("root"), item_at("anna.txt", "/content")] {
        assert_eq!(client.refusal(&path).await, (403, "accessDenied".to_owned()), "{path}");
    }
    client.control("faults", json!({"roles": ["Files.Read.All"]})).await;
    assert_eq!(client.get(&at("root")).await.status(), 200);
    let answer = client.send(reqwest::Method::DELETE, &item_at("anna.txt", ""), &[]).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(client.running.stats().writes, 1);
}

#[tokio::test]
async fn a_drive_that_is_not_there_says_so_in_three_wordings() {
    let client = client().await;
    let path = format!("/v1.0/users/{HALL}/drive");
    for (how, status, text) in [
        ("not_found", 404, "User's mysite not found."),
        ("no_address", 400, "Unable to retrieve user's mysite URL."),
        ("no_licence", 400, "Tenant does not have a SPO license."),
    ] {
        switch(&client, json!({"no_drive": how})).await;
        let answer = client.get(&path).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["message"], text);
    }
    client.control("faults", json!({"drives": {ANNA: {"missing": true}}})).await;
    assert_eq!(client.refusal(&format!("/v1.0/users/{ANNA}/drives")).await.0, 400, "a drive can go later");
}

#[tokio::test]
async fn locked_and_forbidden_places_are_refused_and_the_others_go_on() {
    let client = client().await;
    let path = format!("/v1.0/drives/{LOCKED}/root/delta");
    for (how, status, code) in [
        ("not_allowed", 423, "notAllowed"),
        ("resource_locked", 423, "resourceLocked"),
        ("access_denied", 403, "accessDenied"),
    ] {
        switch(&client, json!({"locked_site": how})).await;
        assert_eq!(client.refusal(&path).await, (status, code.to_owned()));
    }
    client.control("faults", json!({"drives": {LIBRARY: {"forbidden": true}}})).await;
    assert_eq!(client.refusal(&format!("/v1.0/groups/{GROUP}/drive")).await, (403, "accessDenied".to_owned()));
    assert_eq!(client.get(&at("root")).await.status(), 200);
    client.control("faults", json!({"drives": {LIBRARY: {"forbidden": false}}})).await;
    assert_eq!(client.get(&format!("/v1.0/drives/{LIBRARY}")).await.status(), 200);
}

#[tokio::test]
async fn items_are_named_by_id_and_by_path() {
    let client = client().await;
    let odd = id("odd (x) #%+é.txt");
    for path in [
        format!("items/{odd}"),
        "root:/Docs/odd%20(x)%20%23%25+%C3%A9.txt".to_owned(),
        "root:/docs/ODD%20(X)%20%23%25+%C3%89.TXT:".to_owned(),
        "items/root:/Docs/odd%20(x)%20%23%25+%C3%A9.txt".to_owned(),
        format!("items/{}:/odd%20(x)%20%23%25+%C3%A9.txt:", id("Docs")),
        "items/root%3A%2FDocs%2Fodd%20(x)%20%23%25+%C3%A9.txt%3A".to_owned(),
    ] {
        assert_eq!(client.json(&at(&path)).await["id"], odd, "{path}");
    }
    assert_eq!(client.json(&at("root:/Docs/f('y').txt")).await["id"], id("f('y').txt"));
    assert_eq!(client.json(&format!("/v1.0/users/{ANNA}/drive/root:/Docs/Deep:")).await["id"], id("Deep"));
    assert_eq!(client.json(&format!("/v1.0/drives('{DRIVE}')/items('{odd}')")).await["id"], odd);
    assert_eq!(client.refusal(&at("root:/Docs/nothing.txt")).await, (404, "itemNotFound".to_owned()));
    assert_eq!(client.refusal(&at("items/01NOTHING")).await, (404, "itemNotFound".to_owned()));
    assert_eq!(client.refusal(&at("teapots")).await.0, 400);
    assert_eq!(client.refusal(&at("root/search(q='x')")).await, (501, "NotSimulated".to_owned()));
}

#[tokio::test]
async fn items_tell_where_they_lie_and_what_they_are() {
    let client = client().await;
    let root = client.json(&at("root")).await;
    assert_eq!(
        (&root["name"], root["root"].is_object(), &root["folder"]["childCount"]),
        (&json!("root"), true, &json!(8))
    );
    assert!(root["parentReference"].get("id").is_none());
    let file = client.json(&item_at("anna.txt", "")).await;
    let reference = &file["parentReference"];
    assert_eq!(reference["path"], format!("/drives/{DRIVE}/root:/Docs"));
    assert_eq!((&reference["name"], &reference["driveType"]), (&json!("Docs"), &json!("business")));
    assert_eq!(file["size"], 10);
    assert_eq!(file["file"]["hashes"], json!({"quickXorHash": "aCgDG9jwBhCEwQ1uAgMAAAAAAAA="}));
    let deep = client.json(&item_at("bottom.txt", "")).await;
    assert_eq!(deep["parentReference"]["path"], format!("/drives/{DRIVE}/root:/Docs/Deep"));
    let docs = client.json(&item_at("Docs", "")).await;
    assert!(docs.get("cTag").is_none() && docs["size"].as_u64().unwrap() > 30, "folders weigh what lies in them");
    let notebook = client.json(&item_at("Notebook", "")).await;
    assert!(notebook["folder"].is_object() && notebook["package"]["type"] == "oneNote");
    let shortcut = client.json(&item_at("Shortcut", "")).await;
    assert!(shortcut["remoteItem"]["id"] == "01REMOTE" && shortcut.get("file").is_none());
    assert_eq!(client.json(&item_at("virus.com", "")).await["malware"]["description"], "EICAR");
    assert!(file.get("_sim").is_none() && file.get("sharepointIds").is_none());
    let selected = format!("/v1.0/drives/{LIBRARY}/items/{}?$select=sharepointIds", id("contract.pdf"));
    assert_eq!(client.json(&selected).await["sharepointIds"]["listItemId"], "12");
}

/// Known answers of the algorithm stand beside it; here it is seen on the wire.
#[tokio::test]
async fn hashes_depend_on_the_kind_of_drive() {
    let client = client().await;
    let personal = format!("/v1.0/users/{BOB}/drive/root:/p.txt");
    let hashes = client.json(&personal).await["file"]["hashes"].clone();
    assert_eq!(hashes["quickXorHash"], "YRDDGAAAAAAAAAAAAwAAAAAAAAA=");
    assert!(hashes["sha256Hash"].as_str().unwrap().starts_with("BA7816BF8F01CFEA") && hashes.get("sha1Hash").is_none());
    switch(&client, json!({"sha1_hashes": true})).await;
    let hashes = client.json(&personal).await["file"]["hashes"].clone();
    assert_eq!(hashes["sha1Hash"], "A9993E364706816ABA3E25717850C26C9CD0D89D");
    let empty = client.json(&item_at("empty.txt", "")).await;
    assert_eq!(empty["size"], 0);
    assert_eq!(empty["file"]["hashes"], json!({"quickXorHash": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}));
}

#[tokio::test]
async fn children_come_in_pages_of_two_hundred() {
    let mut dump = office();
    dump.entries.push(folder(DRIVE, "Crowd", "root"));
    for number in 0..450_u32 {
        let name =
            format!("n{}", char::from(b'a' + u8::try_from(number % 26).unwrap())) + &"b".repeat(number as usize / 26);
        let own = json!({"size": number});
        dump.entries.push(patched(file(DRIVE, &name, "Crowd", "x"), own));
    }
    let client = Client::with(dump, calm()).await;
    let first = client.json(&item_at("Crowd", "/children")).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 200);
    assert_eq!(client.all(&item_at("Crowd", "/children")).await.len(), 450);
    let sizes = client.all(&item_at("Crowd", "/children?$top=999&$orderby=size desc&$select=size")).await;
    assert_eq!((sizes.len(), &sizes[0]["size"], &sizes[449]["size"]), (450, &json!(449), &json!(0)));
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(next.contains("%24skiptoken="));
    let elsewhere = next.replace(&id("Crowd"), &id("Docs"));
    assert_eq!(client.refusal(&elsewhere).await, (400, "invalidRequest".to_owned()), "a token serves one folder");
    for query in ["$top=0", "$top=x", "$skip=200", "$filter=size gt 3", "$orderby=colour"] {
        assert_eq!(client.refusal(&item_at("Crowd", &format!("/children?{query}"))).await.0, 400, "{query}");
    }
    assert_eq!(client.json(&item_at("Crowd", "/children?$top=5000")).await["value"].as_array().unwrap().len(), 450);
    client.control("faults", json!({"switches": {"reject_large_top": true}})).await;
    assert_eq!(client.refusal(&item_at("Crowd", "/children?$top=5000")).await.0, 400);
    switch(&client, json!({"folder_entries_most": 450})).await;
    assert_eq!(client.refusal(&item_at("Crowd", "/children")).await, (504, "UnknownError".to_owned()));
    assert_eq!(client.all(&item_at("Docs", "/children")).await.len(), 5);
}

/// microsoft-graph-docs#20212: the dollar sign costs the address of the content.
#[tokio::test]
async fn addresses_of_contents_come_only_to_those_who_ask_well() {
    let client = client().await;
    let url = "@microsoft.graph.downloadUrl";
    let has = async |query: &str| client.json(&item_at("anna.txt", query)).await.get(url).is_some();
    assert!(has("").await);
    assert!(!has("?$select=id,name").await);
    assert!(!has("?$select=id,@microsoft.graph.downloadUrl").await, "the at sign is lost");
    assert!(has("?select=id,@microsoft.graph.downloadUrl").await);
    assert!(has("?$select=id,content.downloadUrl").await);
    let row = client.json(&item_at("anna.txt", "?$select=name,nonsense")).await;
    assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), ["@odata.context", "id", "name"]);
    assert!(client.json(&item_at("Docs", "")).await.get(url).is_none(), "folders have none");
    let page = client.json(&item_at("Docs", "/children?$top=2")).await;
    assert!(page["value"][0].get(url).is_some() || page["value"][1].get(url).is_some());
    switch(&client, json!({"urls_on_first_page_only": true})).await;
    let second = client.json(page["@odata.nextLink"].as_str().unwrap()).await;
    assert!(second["value"].as_array().unwrap().iter().all(|row| row.get(url).is_none()));
}

#[tokio::test]
async fn some_things_can_be_expanded_and_permissions_cannot() {
    let client = client().await;
    let whole = client.json(&item_at("Docs", "?$expand=children")).await;
    assert_eq!(whole["children"].as_array().unwrap().len(), 5);
    let contract = format!("/v1.0/drives/{LIBRARY}/items/{}", id("contract.pdf"));
    let fields = client.json(&format!("{contract}?$expand=listItem($expand=fields($select=Amount,Clerk))")).await;
    assert_eq!(fields["listItem"]["fields"], json!({"Amount": 1250.5, "Clerk": "Anna"}));
    let label = client.json(&item_at("deed.pdf", "?$expand=retentionLabel")).await;
    assert_eq!(label["retentionLabel"]["name"], "Deeds");
    for path in [item_at("Docs", "?$expand=permissions"), at("root/delta?$expand=permissions")] {
        assert_eq!(client.refusal(&path).await, (400, "notSupported".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn what_listings_say_may_be_untrue() {
    let client = client().await;
    let truth = client.json(&item_at("letter.docx", "")).await;
    let lie = async |lies: Value| {
        client.control("faults", json!({"clear": true, "switches": {"files": {"lies": lies}}})).await;
        client.json(&item_at("letter.docx", "")).await
    };
    assert_eq!(lie(json!({"size": 7})).await["size"], 15);
    let wrong = lie(json!({"hash": "wrong"})).await;
    assert_ne!(wrong["file"]["hashes"], truth["file"]["hashes"]);
    assert_eq!(wrong["file"]["hashes"]["quickXorHash"].as_str().unwrap().len(), 28);
    assert!(lie(json!({"hash": "missing"})).await["file"].get("hashes").is_none());
    assert!(client.json(&item_at("anna.txt", "")).await["file"].get("hashes").is_some(), "only Office is lied about");
    lie(json!({"hash": "missing", "about": "all"})).await;
    assert!(client.json(&item_at("anna.txt", "")).await["file"].get("hashes").is_none());
    assert!(lie(json!({"hash": "after_reading"})).await["file"].get("hashes").is_none());
    let url = crate::drive::location(&client, &item_at("letter.docx", "/content")).await;
    crate::drive::fetch(&client, &url, &[]).await.bytes().await.unwrap();
    let row = client.json(&item_at("letter.docx", "")).await;
    assert_eq!(row["file"]["hashes"], truth["file"]["hashes"]);
}

#[tokio::test]
async fn an_item_can_be_gone_when_it_is_first_read() {
    let client = client().await;
    let names = values(&client.all(&at("root/children")).await, "name");
    assert!(names.iter().any(|name| name == "ghost.txt"));
    let rows = client.all(&at("root/children")).await;
    let ghost = rows.iter().find(|row| row["name"] == "ghost.txt").unwrap();
    let url = ghost["@microsoft.graph.downloadUrl"].as_str().unwrap();
    assert_eq!(crate::drive::fetch(&client, url, &[]).await.status(), 404);
    assert_eq!(client.refusal(&item_at("ghost.txt", "/content")).await, (404, "itemNotFound".to_owned()));
    let names = values(&client.all(&at("root/children")).await, "name");
    assert!(!names.iter().any(|name| name == "ghost.txt"));
}

#[tokio::test]
async fn a_person_reads_their_own_drive_only() {
    let client = client().await;
    let form = [("client_id", "app"), ("scope", "https://graph.microsoft.com/Files.Read offline_access")];
    let code = client.post_form("/organizations/oauth2/v2.0/devicecode", &form).await.1;
    client.control("device", json!({"outcome": "approve", "user": ANNA})).await;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "app"),
        ("device_code", code["device_code"].as_str().unwrap()),
    ];
    let token = client.post_form("/organizations/oauth2/v2.0/token", &form).await.1;
    let client = Client { token: token["access_token"].as_str().unwrap().to_owned(), ..client };
    assert_eq!(client.json("/v1.0/me/drive").await["id"], DRIVE);
    assert_eq!(client.json("/v1.0/me/drive/root/children").await["value"].as_array().unwrap().len(), 8);
    assert_eq!(client.refusal(&format!("/v1.0/drives/{LIBRARY}")).await, (403, "accessDenied".to_owned()));
}
