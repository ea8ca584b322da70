//! Files and folders of every other odd kind: sizes at the edges, what lies about itself, what cannot be fetched, what is no
//! file at all.

use bytes::Bytes;
use serde_json::{Value, json};

use super::shelf::{Shelf, Spot, TOP};
use crate::dump::Content;
use crate::seed::Recipe;
use crate::seed::resource::object;
use crate::tenant::sharepoint::quick_xor;

const MIB: u64 = 1 << 20;

/// Around what clients read, hash and upload at once.
const SIZES: [u64; 16] = [
    0,
    1,
    159,
    160,
    161,
    4095,
    4096,
    65_535,
    65_536,
    65_537,
    MIB,
    5 * MIB - 1,
    5 * MIB,
    5 * MIB + 1,
    64 * MIB,
    3 << 30,
];

pub(super) fn fill(shelf: &mut Shelf, recipe: &Recipe) {
    sizes(shelf, recipe);
    liars(shelf);
    refused(shelf);
    dates(shelf);
    people(shelf);
    facets(shelf);
    notebooks(shelf);
    labels(shelf);
    versions(shelf);
    crowd(shelf);
}

fn sizes(shelf: &mut Shelf, recipe: &Recipe) {
    let folder = shelf.folder(TOP, "Tailles");
    for length in SIZES.into_iter().filter(|length| *length <= recipe.largest_file) {
        let content = shelf.bytes(length);
        shelf.file(folder, &format!("{length} octets.bin"), content, json!({}));
    }
    shelf.folder(folder, "Dossier vide");
    let twice = shelf.bytes(20_000);
    for name in ["identique 1.bin", "identique 2.bin"] {
        shelf.file(folder, name, twice.clone(), json!({}));
    }
    let text = Content::Repeat {
        head: Bytes::from_static(b"date;montant\r\n"),
        line: Bytes::from_static(b"2026-06-30;1 250,00\r\n"),
        times: 20_000,
        tail: Bytes::new(),
    };
    shelf.file(folder, "compressible.csv", text, json!({}));
}

/// What a file says of itself, given its bytes.
type Lie = fn(&Content) -> Value;

/// What Office, phones and OneNote were seen to do (rclone#2599, abraunegg/onedrive#2471, onedrive-api-docs#927, #1066, #1704).
const LIES: [(&str, u64, Lie); 7] = [
    ("taille fausse.docx", 9000, |content| json!({ "size": 12_345, "file": facet(&quick_xor(content)) })),
    ("empreinte fausse.docx", 9001, |_| json!({ "file": facet(OTHER) })),
    ("tout faux.pptx", 9002, |_| json!({ "size": 1, "file": facet(OTHER) })),
    ("photo.heic", 40_000, |content| json!({ "size": 52_000, "file": facet(&quick_xor(content)) })),
    ("sans empreinte.bin", 5000, |_| untold("application/octet-stream")),
    ("vide sans empreinte.txt", 0, |_| untold("text/plain")),
    ("Section annoncée trop petite.one", 100_000, |_| json!({ "size": 170 })),
];

/// The hash of other bytes.
const OTHER: &str = "YRDDGAAAAAAAAAAAAwAAAAAAAAA=";

fn facet(hash: &str) -> Value {
    let kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    json!({ "mimeType": kind, "hashes": { "quickXorHash": hash } })
}

fn untold(kind: &str) -> Value {
    json!({ "file": { "mimeType": kind, "hashes": {} } })
}

fn liars(shelf: &mut Shelf) {
    let folder = shelf.folder(TOP, "Menteurs");
    for (name, length, lie) in LIES {
        let content = shelf.bytes(length);
        let own = lie(&content);
        shelf.file(folder, name, content, own);
    }
}

/// What cannot be fetched, each for its reason.
fn refused(shelf: &mut Shelf) {
    let folder = shelf.folder(TOP, "Refusés");
    for (name, own) in [
        ("eicar.com", json!({ "malware": { "description": "DOS/EICAR_Test_File" } })),
        ("verrouillé.docx", json!({ "_sim": { "fails": "resourceLocked" } })),
        ("interdit.pdf", json!({ "_sim": { "fails": "accessDenied" } })),
        ("abîmé.bin", json!({ "_sim": { "fails": "generalException" } })),
        ("disparu.txt", json!({ "_sim": { "vanishes": true } })),
        (
            "extrait.xlsx",
            json!({ "publication": { "level": "checkout", "versionId": "1.1", "checkedOutBy": { "user": { "displayName": "Jürgen Groß" } } } }),
        ),
    ] {
        let content = shelf.bytes(3000);
        shelf.file(folder, name, content, own);
    }
    let elsewhere = json!({
        "id": "01ELSEWHERE234567ABCDEFGHIJKLMNOPQ", "name": "Projet partagé", "size": 70_000, "folder": { "childCount": 3 },
        "parentReference": { "driveId": "b!elsewhere", "driveType": "documentLibrary" },
        "webUrl": "https://partner.sharepoint.com/sites/projet/Shared%20Documents/Projet", "shared": { "scope": "users" },
    });
    shelf.item(folder, "Raccourci vers un dossier", object(json!({ "remoteItem": elsewhere, "size": 0 })), None);
    let remote = json!({
        "id": "01ELSEWHEREFILE67ABCDEFGHIJKLMNOPQ", "name": "partagé.docx", "size": 12_000, "file": { "mimeType": "text/plain" },
        "parentReference": { "driveId": "b!elsewhere", "driveType": "business" },
    });
    shelf.item(folder, "Raccourci vers un fichier.docx", object(json!({ "remoteItem": remote, "size": 0 })), None);
}

/// The times that clients told, and those of the service, which differ.
fn dates(shelf: &mut Shelf) {
    let folder = shelf.folder(TOP, "Dates");
    for (name, created, modified) in [
        ("avant Unix.txt", "1965-03-02T00:00:00Z", "1969-12-31T23:59:59Z"),
        ("zéro.txt", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("an 1.txt", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("1601.txt", "1601-01-01T00:00:00Z", "1601-01-01T00:00:00Z"),
        ("après 2038.txt", "2026-01-01T00:00:00Z", "2107-12-31T23:59:58Z"),
        ("fractions.txt", "2024-03-31T00:59:59.9999999Z", "2024-03-31T01:00:00.1234567Z"),
        ("heure double.txt", "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"),
        ("modifié avant d'être créé.txt", "2026-05-01T00:00:00Z", "2012-02-29T12:00:00Z"),
    ] {
        let content = shelf.bytes(10);
        let own = json!({ "fileSystemInfo": { "createdDateTime": created, "lastModifiedDateTime": modified } });
        shelf.file(folder, name, content, own);
    }
}

/// Who made a file: somebody who left, a program, nobody.
fn people(shelf: &mut Shelf) {
    let folder = shelf.folder(TOP, "Auteurs");
    for (name, who) in [
        ("parti.txt", json!({ "user": { "displayName": "Paul Ancien" } })),
        (
            "application.txt",
            json!({ "application": { "id": "00000003-0000-0ff1-ce00-000000000000", "displayName": "SharePoint" }, "user": { "displayName": "System Account" } }),
        ),
        (
            "appareil.txt",
            json!({ "device": { "id": "d1" }, "user": { "id": "u1", "displayName": "山田 太郎", "email": "taro.yamada@valmont.example" } }),
        ),
        ("personne.txt", json!({})),
        ("invité.txt", json!({ "user": { "email": "zoe@partner.example", "displayName": "" } })),
    ] {
        let content = shelf.bytes(10);
        shelf.file(folder, name, content, json!({ "createdBy": who, "lastModifiedBy": who }));
    }
}

/// Facets that files may have, and one that nobody has heard of.
fn facets(shelf: &mut Shelf) {
    let folder = shelf.folder_with(TOP, "Images", json!({ "specialFolder": { "name": "photos" } }));
    for (name, own) in [
        (
            "IMG_0001.jpg",
            json!({ "image": { "height": 3024, "width": 4032 }, "photo": { "cameraMake": "Apple", "takenDateTime": "2025-07-14T10:00:00Z", "exposureNumerator": 1.0 }, "location": { "latitude": 49.5, "longitude": 3.6, "altitude": 80.0 } }),
        ),
        ("film.mp4", json!({ "video": { "bitrate": 8_000_000, "duration": 60_000, "width": 1920, "height": 1080 } })),
        ("chanson.mp3", json!({ "audio": { "artist": "Inconnu", "title": "Sans titre" } })),
        (
            "en cours.bin",
            json!({ "pendingOperations": { "pendingContentUpdate": { "queuedDateTime": "2026-06-30T11:59:00Z" } } }),
        ),
        ("avenir.bin", json!({ "hologram": { "dimensions": 4 }, "description": "Une description\r\nen deux lignes" })),
    ] {
        let content = shelf.bytes(500);
        shelf.file(folder, name, content, own);
    }
}

/// As business drives have notebooks, and as older ones have them (wisecom-oy/atlas#72).
fn notebooks(shelf: &mut Shelf) {
    let notebook = shelf.folder_with(TOP, "Bloc-notes de l'équipe", json!({ "package": { "type": "oneNote" } }));
    for (name, length) in [("Nouvelle section 1.one", 30_000), ("Ouvrir le bloc-notes.onetoc2", 4_000)] {
        let content = shelf.bytes(length);
        shelf.file(notebook, name, content, json!({}));
    }
    let group = shelf.folder(notebook, "Groupe de sections");
    let content = shelf.bytes(8_000);
    shelf.file(group, "Section cachée.one", content, json!({}));
    shelf.item(TOP, "Ancien bloc-notes", object(json!({ "package": { "type": "oneNote" }, "size": 5000 })), None);
}

/// Retention, sensitivity, and what is encrypted and can be read by nobody once the tenant is gone.
fn labels(shelf: &mut Shelf) {
    let folder = shelf.folder(TOP, "Étiquettes");
    let retention = |name: &str, record: bool| {
        json!({
            "name": name, "isLabelAppliedExplicitly": true, "labelAppliedDateTime": "2025-12-22T10:18:23Z",
            "retentionSettings": {
                "behaviorDuringRetentionPeriod": if record { "retainAsRecord" } else { "retain" }, "isDeleteAllowed": false,
                "isRecordLocked": record, "isMetadataUpdateAllowed": !record, "isContentUpdateAllowed": !record,
                "isLabelUpdateAllowed": !record,
            },
            "labelAppliedBy": { "user": { "displayName": "Émilie Lefèvre" } },
        })
    };
    let sensitivity = |id: u32| json!([{ "sensitivityLabelId": format!("5feba255-812e-446a-ac59-{id:012}"), "assignmentMethod": "standard", "tenantId": "6babcaad-604b-40ac-a9d7-9fd97c0b779f" }]);
    let column = |name: &str, value: &str| json!({ "fields": { name: value } });
    for (name, own) in [
        (
            "délibération.pdf",
            json!({ "retentionLabel": retention("Délibérations (10 ans)", false), "listItem": column("_ComplianceTag", "Délibérations (10 ans)") }),
        ),
        (
            "acte verrouillé.pdf",
            json!({ "retentionLabel": retention("Actes", true), "listItem": column("_ComplianceTag", "Actes") }),
        ),
        (
            "interne.docx",
            json!({ "_sim": { "sensitivityLabels": sensitivity(1) }, "listItem": column("_DisplayName", "Interne") }),
        ),
        (
            "chiffré.docx",
            json!({ "_sim": { "sensitivityLabels": sensitivity(2) }, "listItem": column("_DisplayName", "Confidentiel – chiffré") }),
        ),
        (
            "deux clés.docx",
            json!({ "_sim": { "label_fails": "fileDoubleKeyEncrypted" }, "listItem": column("_DisplayName", "Très secret") }),
        ),
    ] {
        let content =
            if name.starts_with("chiffré") || name.starts_with("deux") { encrypted() } else { shelf.bytes(6000) };
        shelf.file(folder, name, content, own);
    }
}

/// A document that a label encrypted: a compound file with the streams of [MS-OFFCRYPTO].
fn encrypted() -> Content {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let head = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 504], &name].concat();
    Content::Repeat {
        head: head.into(),
        line: Bytes::from_static(b"\x93\x1f\x0e\xc7\x55"),
        times: 1500,
        tail: Bytes::new(),
    }
}

fn versions(shelf: &mut Shelf) {
    let folder = shelf.folder(TOP, "Versions");
    for (name, count) in [("cinq versions.docx", 5), ("quarante versions.txt", 40)] {
        let content = shelf.bytes(2000 + count);
        let item = shelf.file(folder, name, content, json!({}));
        for number in (1..count).rev() {
            let former = shelf.bytes(1000 + number);
            let day = 1 + number % 28;
            shelf.version(&item, number, former, &format!("2024-{:02}-{day:02}T08:00:00Z", 1 + number % 12));
        }
    }
}

/// More files in one folder than a page shows.
fn crowd(shelf: &mut Shelf) {
    let folder: Spot = shelf.folder(TOP, "Foule");
    for number in 0..230 {
        let content = shelf.bytes(number % 50);
        shelf.file(folder, &format!("{number:03}.txt"), content, json!({}));
    }
}
