//! Who may read and write what: permissions of every shape (OneDrive API docs: permission; SharePoint groups as backup tools
//! met them).

use serde_json::{Value, json};

use super::shelf::{Shelf, TOP};

const NEVER: &str = "0001-01-01T00:00:00Z";

/// The groups of a site, on the root of each library.
pub(super) fn of_root(shelf: &mut Shelf, site: &str) {
    let root = shelf.root_id();
    for (number, role, name) in [(3, "owner", "Owners"), (4, "read", "Visitors"), (5, "write", "Members")] {
        let group = json!({ "id": number.to_string(), "displayName": format!("{site} {name}"), "loginName": format!("{site} {name}") });
        shelf.permission(
            &root,
            json!({ "id": format!("root-{number}"), "roles": [role], "grantedToV2": { "siteGroup": group } }),
        );
    }
}

/// The owner of a personal drive, on its root.
pub(super) fn of_owner(shelf: &mut Shelf) {
    let (root, owner) = (shelf.root_id(), shelf.at.owner.clone());
    shelf.permission(&root, json!({ "id": "owner", "roles": ["owner"], "grantedToV2": owner }));
}

fn person(id: &str, name: &str, address: &str) -> Value {
    let login = format!("i:0#.f|membership|{address}");
    json!({
        "user": { "id": id, "displayName": name, "email": address },
        "siteUser": { "id": "17", "displayName": name, "email": address, "loginName": login },
    })
}

fn link(kind: &str, scope: &str) -> Value {
    json!({ "type": kind, "scope": scope, "webUrl": format!("https://valmont-my.sharepoint.com/:w:/g/{kind}-{scope}"), "preventsDownload": false })
}

/// Every shape, each on a file of its own; and a shared folder whose contents inherit, but for one.
pub(super) fn fill(shelf: &mut Shelf) {
    let juergen = || person("11111111-0000-4000-8000-000000000001", "Jürgen Groß", "juergen.gross@valmont.example");
    let zoe = json!({ "user": { "email": "zoe@partner.example", "displayName": "zoe@partner.example" } });
    let group = json!({ "group": { "id": "22222222-0000-4000-8000-000000000002", "displayName": "Conseil municipal", "email": "conseil@valmont.example" } });
    let folder = shelf.folder(TOP, "Partages");
    #[rustfmt::skip]
    let shapes: Vec<(&str, &str, Value)> = vec![
        ("personne", "users", json!({ "roles": ["write"], "grantedToV2": juergen() })),
        ("personne en lecture", "users", json!({ "roles": ["read"], "grantedToV2": juergen() })),
        ("groupe", "users", json!({ "roles": ["read"], "grantedToV2": group })),
        ("vue restreinte", "users", json!({ "roles": [], "grantedToV2": juergen() })),
        ("niveau propre", "users", json!({ "roles": ["sp.Contribution limitée"], "grantedToV2": juergen() })),
        ("lien organisation", "organization", json!({ "roles": ["read"], "link": link("view", "organization"), "shareId": "u!aHR0cHM6Ly9vcmc", "hasPassword": false, "grantedToIdentitiesV2": [], "expirationDateTime": NEVER })),
        ("lien public", "anonymous", json!({ "roles": ["write"], "link": link("edit", "anonymous"), "shareId": "u!aHR0cHM6Ly9hbm9u", "expirationDateTime": NEVER })),
        ("lien public qui expire", "anonymous", json!({ "roles": ["read"], "link": link("view", "anonymous"), "shareId": "u!aHR0cHM6Ly9leHA", "expirationDateTime": "2026-12-31T23:00:00Z", "hasPassword": true })),
        ("lien public expiré", "anonymous", json!({ "roles": ["read"], "link": link("view", "anonymous"), "shareId": "u!aHR0cHM6Ly9vbGQ", "expirationDateTime": "2020-01-01T00:00:00Z" })),
        ("lien sans téléchargement", "organization", json!({ "roles": ["read"], "link": { "type": "view", "scope": "organization", "preventsDownload": true }, "shareId": "u!aHR0cHM6Ly9ub2Rs" })),
        ("lien pour des personnes", "users", json!({ "roles": ["write"], "link": link("edit", "users"), "shareId": "u!aHR0cHM6Ly91c2Vycw", "grantedToIdentitiesV2": [juergen(), zoe] })),
        ("accès existant", "users", json!({ "roles": ["read"], "link": link("view", "existingAccess"), "expirationDateTime": NEVER })),
        ("lien à insérer", "anonymous", json!({ "roles": ["read"], "link": { "type": "embed", "scope": "anonymous", "webHtml": "<iframe></iframe>" } })),
        ("lien d'avenir", "users", json!({ "roles": ["review"], "link": { "type": "review", "scope": "users" } })),
        ("invitation", "users", json!({ "roles": ["write"], "invitation": { "email": "zoe@partner.example", "signInRequired": true } })),
        ("application", "users", json!({ "roles": ["write"], "grantedToV2": { "application": { "id": "33333333-0000-4000-8000-000000000003", "displayName": "Numérisation" } } })),
    ];
    for (name, scope, permission) in shapes {
        let content = shelf.bytes(100);
        let item = shelf.file(folder, &format!("{name}.txt"), content, json!({ "shared": { "scope": scope } }));
        give(shelf, &item, permission);
    }
    let shared = shelf.folder_with(folder, "Dossier partagé", json!({ "shared": { "scope": "users" } }));
    let id = shelf.id_of(shared);
    give(shelf, &id, json!({ "roles": ["write"], "grantedToV2": juergen() }));
    let content = shelf.bytes(100);
    shelf.file(shared, "hérite.txt", content, json!({}));
    let own = json!({ "shared": { "scope": "users" }, "_sim": { "unique": true } });
    let content = shelf.bytes(100);
    let unique = shelf.file(shared, "n'hérite pas.txt", content, own);
    let owner = shelf.at.owner.clone();
    give(shelf, &unique, json!({ "roles": ["owner"], "grantedToV2": owner }));
}

fn give(shelf: &mut Shelf, item: &str, mut permission: Value) {
    permission["id"] = shelf.dice.hex(12).into();
    shelf.permission(item, permission);
}
