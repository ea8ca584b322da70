//! A small tenant in which every file is known.

use bytes::Bytes;
use reqwest::Response;
use serde_json::{Value, json};
use transhume_simulators::dump::{Content, Dump, Entry};

use crate::client::{ANNA, BOB, Client, calm, entry, patched, tenant};

pub const DRIVE: &str = "b!annasdrive";
pub const LIBRARY: &str = "b!councildocuments";
pub const SECRET: &str = "b!boarddocuments";
pub const LOCKED: &str = "b!lockeddocuments";
/// Of a consumer account, as no tenant has them: for what they do differently.
pub const PERSONAL: &str = "0123456789abcdef";
pub const GROUP: &str = "00000000-0000-4000-9000-000000000001";
pub const TEAM_SITE: &str =
    "contoso.sharepoint.com,11111111-0000-4000-8000-000000000001,11111111-0000-4000-8000-00000000000a";

/// An id of an item with a name in it, so that failures can be read.
pub fn id(name: &str) -> String {
    let plain: String = name.to_uppercase().chars().filter(char::is_ascii_alphabetic).take(30).collect();
    format!("01{plain:A<32}")
}

fn line(kind: &str, user: Option<&str>, resource: Value, parent: Option<&str>) -> Entry {
    Entry { user: user.map(str::to_owned), ..entry(kind, "", resource, parent) }
}

pub fn drive(id: &str, kind: &str, user: Option<&str>, parent: Option<&str>) -> Entry {
    let name = if kind == "documentLibrary" { "Documents" } else { "OneDrive" };
    let resource = json!({
        "id": id, "driveType": kind, "name": name, "webUrl": format!("https://contoso.sharepoint.com/sites/{}/Shared%20Documents", &id[2..]),
        "createdDateTime": "2020-01-01T00:00:00Z", "owner": {"user": {"displayName": user}},
        "quota": {"deleted": 5, "total": 1000, "used": 950, "state": "nearing"},
    });
    line("drive", user, resource, parent)
}

pub fn root(drive: &str) -> Entry {
    let resource = json!({
        "id": id(&format!("root{drive}")), "name": "root", "root": {}, "folder": {}, "parentReference": {"driveId": drive},
        "createdDateTime": "2020-01-01T00:00:00Z", "lastModifiedDateTime": "2020-01-01T00:00:00Z",
    });
    line("driveItem", None, resource, None)
}

fn item(drive: &str, name: &str, parent: &str) -> Value {
    let above = if parent == "root" { id(&format!("root{drive}")) } else { id(parent) };
    json!({
        "id": id(name), "name": name, "eTag": format!("\"{{{}}},4\"", id(name)), "cTag": format!("\"c:{{{}}},2\"", id(name)),
        "createdDateTime": "2024-01-01T00:00:00Z", "lastModifiedDateTime": "2024-02-02T10:00:00Z",
        "createdBy": {"user": {"displayName": "Anna"}}, "lastModifiedBy": {"user": {"displayName": "Bob"}},
        "fileSystemInfo": {"createdDateTime": "2023-12-31T00:00:00Z", "lastModifiedDateTime": "2024-02-02T09:00:00Z"},
        "parentReference": {"driveId": drive, "id": above},
    })
}

pub fn folder(drive: &str, name: &str, parent: &str) -> Entry {
    let mut resource = item(drive, name, parent);
    resource["folder"] = json!({});
    line("driveItem", None, resource, None)
}

pub fn file(drive: &str, name: &str, parent: &str, text: &str) -> Entry {
    let mut resource = item(drive, name, parent);
    resource["file"] = json!({"mimeType": "text/plain"});
    Entry { content: Some(Content::Bytes(Bytes::from(text.to_owned()))), ..line("driveItem", None, resource, None) }
}

/// What belongs to an item.
pub fn part(kind: &str, of: &str, resource: Value, text: Option<&str>) -> Entry {
    let content = text.map(|text| Content::Bytes(Bytes::from(text.to_owned())));
    Entry { content, ..line(kind, None, resource, Some(&id(of))) }
}

fn site(site: &str, path: &str, title: &str, parent: Option<&str>, more: Value) -> Entry {
    let resource = json!({
        "id": site, "name": path.rsplit('/').next(), "displayName": title, "webUrl": format!("https://contoso.sharepoint.com{path}"),
        "siteCollection": {"hostname": "contoso.sharepoint.com"},
    });
    patched(line("site", None, resource, parent), more)
}

fn channel(name: &str, folder: Value) -> Entry {
    let resource = json!({"id": format!("19:{name}@thread.tacv2"), "displayName": name, "membershipType": "standard", "filesFolder": folder});
    line("channel", None, resource, Some(GROUP))
}

fn sites() -> Vec<Entry> {
    let at = |number: u32| {
        format!("contoso.sharepoint.com,11111111-0000-4000-8000-{number:012},22222222-0000-4000-8000-{number:012}")
    };
    let group = json!({
        "id": GROUP, "displayName": "Council", "groupTypes": ["Unified"], "resourceProvisioningOptions": ["Team"],
        "mail": "council@contoso.example",
    });
    let in_drive = |drive: &str, folder: &str| json!({"id": id(folder), "parentReference": {"driveId": drive}});
    vec![
        line("group", None, group, None),
        site(&at(2), "", "Contoso", None, json!({})),
        site(TEAM_SITE, "/sites/council", "Town council", Some(GROUP), json!({})),
        site(&at(3), "/sites/council-board", "Board", Some(TEAM_SITE), json!({})),
        site(&at(4), "/sites/locked", "Locked", None, json!({"_sim": {"locked": true}})),
        site(&at(5), "/personal/anna", "Anna", None, json!({"isPersonalSite": true})),
        patched(site(&at(6), "/search", "", None, json!({})), json!({"name": null, "displayName": null})),
        drive(LIBRARY, "documentLibrary", None, Some(TEAM_SITE)),
        root(LIBRARY),
        folder(LIBRARY, "General", "root"),
        file(LIBRARY, "agenda.docx", "General", "the agenda"),
        patched(
            file(LIBRARY, "contract.pdf", "root", "a contract"),
            json!({
                "listItem": {"fields": {"Amount": 1250.5, "Clerk": "Anna"}}, "sharepointIds": {"listItemId": "12"},
            }),
        ),
        drive(SECRET, "documentLibrary", None, Some(&at(3))),
        root(SECRET),
        drive(LOCKED, "documentLibrary", None, Some(&at(4))),
        root(LOCKED),
        channel("General", in_drive(LIBRARY, "General")),
        channel("Board", json!({"id": id(&format!("root{SECRET}")), "parentReference": {"driveId": SECRET}})),
        channel("Unopened", Value::Null),
    ]
}

/// Anna has a drive with one thing of each kind, Bob a consumer's, the group a team site with a library and channels.
pub fn office() -> Dump {
    let mut dump = tenant();
    let personal = patched(file(PERSONAL, "p.txt", "root", "abc"), json!({"description": "mine"}));
    dump.entries.extend(sites());
    dump.entries.extend([
        drive(DRIVE, "business", Some(ANNA), None),
        root(DRIVE),
        folder(DRIVE, "Docs", "root"),
        folder(DRIVE, "Deep", "Docs"),
        file(DRIVE, "anna.txt", "Docs", "hello anna"),
        file(DRIVE, "bottom.txt", "Deep", "at the bottom"),
        file(DRIVE, "letter.docx", "Docs", "a letter"),
        file(DRIVE, "odd (x) #%+é.txt", "Docs", "odd"),
        file(DRIVE, "f('y').txt", "Docs", "function"),
        file(DRIVE, "empty.txt", "root", ""),
        patched(file(DRIVE, "virus.com", "root", "infected"), json!({"malware": {"description": "EICAR"}})),
        patched(file(DRIVE, "held.docx", "root", "held"), json!({"_sim": {"fails": "resourceLocked"}})),
        patched(file(DRIVE, "ghost.txt", "root", "boo"), json!({"_sim": {"vanishes": true}})),
        patched(file(DRIVE, "deed.pdf", "root", "deed"), json!({"retentionLabel": {"name": "Deeds"}, "_sim": {"sensitivityLabels": [{"sensitivityLabelId": "s"}]}})),
        patched(folder(DRIVE, "Notebook", "root"), json!({"package": {"type": "oneNote"}})),
        file(DRIVE, "section.one", "Notebook", "a section"),
        patched(folder(DRIVE, "Shortcut", "root"), json!({"folder": null, "remoteItem": {"id": "01REMOTE", "parentReference": {"driveId": "b!else"}}})),
        part("driveItemVersion", "anna.txt", json!({"id": "2.0", "lastModifiedDateTime": "2024-01-15T00:00:00Z"}), Some("hello an")),
        part("driveItemVersion", "anna.txt", json!({"id": "1.0", "lastModifiedDateTime": "2024-01-02T00:00:00Z"}), Some("hello")),
        part("permission", "Docs", json!({"id": "p1", "roles": ["write"], "grantedToV2": {"user": {"displayName": "Bob"}, "siteUser": {"id": "7"}}}), None),
        part("permission", "anna.txt", json!({"id": "p2", "roles": ["read"], "shareId": "u!x", "link": {"type": "view", "scope": "organization", "webUrl": "https://secret"}}), None),
        patched(drive(PERSONAL, "personal", Some(BOB), None), json!({"quota": null})),
        root(PERSONAL),
        personal,
    ]);
    for entry in &mut dump.entries {
        let named = |name: &str| entry.resource["id"] == id(name);
        if named("Docs") || named("anna.txt") {
            entry.resource["shared"] = json!({"scope": if named("Docs") { "users" } else { "organization" }});
        }
    }
    dump
}

pub async fn client() -> Client {
    Client::with(office(), calm()).await
}

/// Below Anna's drive.
pub fn at(path: &str) -> String {
    format!("/v1.0/drives/{DRIVE}/{path}")
}

pub fn item_at(name: &str, path: &str) -> String {
    at(&format!("items/{}{path}", id(name)))
}

/// A GET without a token, as pre-signed addresses want it.
pub async fn fetch(client: &Client, url: &str, headers: &[(&'static str, &str)]) -> Response {
    let mut request = client.http.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// Where `/content` leads.
pub async fn location(client: &Client, path: &str) -> String {
    let answer = client.get(path).await;
    assert_eq!(answer.status(), 302, "{path}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

pub async fn switch(client: &Client, files: Value) {
    client.control("faults", json!({"switches": {"files": files}})).await;
}
