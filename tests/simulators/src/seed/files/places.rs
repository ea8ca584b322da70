//! Sites: those of people, of the group with its team and channels, and in a hostile tenant those that cannot be read.

use serde_json::{Value, json};

use super::shelf::{Address, Shelf, TOP};
use super::{ordinary, shares};
use crate::dump::Entry;
use crate::seed::Recipe;
use crate::seed::dice::Dice;
use crate::seed::directory::Member;
use crate::tenant::sharepoint::DriveKind;

const HOST: &str = "valmont.sharepoint.com";
const PERSONAL: &str = "valmont-my.sharepoint.com";

/// A site, with an id of three parts.
struct Place {
    id: String,
    url: String,
    line: Entry,
}

fn place(dice: &mut Dice, host: &str, path: &str, title: &str, more: Value) -> Place {
    let id = format!("{host},{},{}", dice.guid(), dice.guid());
    let url = format!("https://{host}{path}");
    let mut resource = json!({
        "id": id, "name": path.rsplit('/').next(), "displayName": title, "description": "", "webUrl": url, "root": {},
        "createdDateTime": "2019-09-02T07:30:00Z", "lastModifiedDateTime": "2026-06-30T10:00:00Z",
        "isPersonalSite": host == PERSONAL, "siteCollection": { "hostname": host },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        resource[name.as_str()] = value.clone();
    }
    let line = Entry { kind: "site".to_owned(), user: None, resource, parent: None, content: None };
    Place { id, url, line }
}

/// The drive of a person, still empty, and the line of the site it lies in.
pub(super) fn of_person(recipe: &Recipe, member: &Member) -> (Entry, Shelf) {
    let mut dice = Dice::named(recipe.seed, &format!("{} files", member.upn));
    let plain: String = member.upn.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '_' }).collect();
    let mut place = place(&mut dice, PERSONAL, &format!("/personal/{plain}"), &member.name, json!({}));
    place.line.user = Some(member.upn.clone());
    let owner = json!({ "user": { "id": member.id, "displayName": member.name, "email": member.upn } });
    let at = Address {
        user: Some(member.upn.clone()),
        owner,
        site: place.id,
        url: place.url,
        kind: DriveKind::Business,
        name: "OneDrive".to_owned(),
        library: "Documents".to_owned(),
    };
    let mut shelf = Shelf::new(at, dice);
    shares::of_owner(&mut shelf);
    (place.line, shelf)
}

fn library(place: &Place, group: &Value, name: &str, dice: Dice) -> Shelf {
    let at = Address {
        user: None,
        owner: json!({ "group": { "id": group["id"], "displayName": group["displayName"], "email": group["mail"] } }),
        site: place.id.clone(),
        url: place.url.clone(),
        kind: DriveKind::Library,
        name: name.to_owned(),
        library: if name == "Documents" { "Shared Documents".to_owned() } else { name.to_owned() },
    };
    let mut shelf = Shelf::new(at, dice);
    shares::of_root(&mut shelf, group["displayName"].as_str().unwrap_or_default());
    shelf
}

/// The team site of a group with its libraries and channels, and what lies around it.
pub(super) fn of_group(recipe: &Recipe, group: &Entry) -> Vec<Entry> {
    let named = |what: &str| Dice::named(recipe.seed, &format!("group files {what}"));
    let dice = &mut named("sites");
    let about = &group.resource;
    let id = about["id"].as_str().unwrap_or_default();
    let below = |mut place: Place, parent: &str| {
        place.line.parent = Some(parent.to_owned());
        place
    };
    let team = below(place(dice, HOST, "/sites/conseil", "Conseil municipal", json!({})), id);
    let secret = below(place(dice, HOST, "/sites/conseil-Bureau", "Conseil municipal-Bureau", json!({})), &team.id);
    let count = (recipe.files / 10).clamp(5, 500);
    let (mut documents, mut bureau) =
        (library(&team, about, "Documents", named("documents")), library(&secret, about, "Documents", named("bureau")));
    let mut channels = Channels { group: id, dice: &mut *dice, lines: Vec::new() };
    for (name, folder) in [("General", "General"), ("Séances / 2026", "Séances _ 2026"), ("Élus 🏛", "Élus 🏛")]
    {
        let spot = documents.folder(TOP, folder);
        let content = documents.bytes(700);
        documents.file(spot, "Ordre du jour.docx", content, json!({}));
        let at = json!({ "id": documents.id_of(spot), "name": folder, "parentReference": { "driveId": documents.id, "driveType": "documentLibrary" } });
        channels.add(name, "standard", at);
    }
    let own = json!({ "id": bureau.root_id(), "name": "root", "parentReference": { "driveId": bureau.id, "driveType": "documentLibrary" } });
    channels.add("Bureau", "private", own);
    channels.add("Jamais ouvert", "standard", Value::Null);
    let lines = channels.lines;
    ordinary::fill(&mut documents, count);
    ordinary::fill(&mut bureau, 3);
    let mut archive = library(&team, about, "Archives", named("archives"));
    columns(&mut archive);
    let mut entries = vec![team.line.clone(), secret.line];
    let mut shelves = vec![documents, archive, bureau];
    if recipe.hostile {
        let (more, hard) = hard_to_read(dice, about, &team, named);
        entries.extend(more);
        shelves.extend(hard);
    }
    entries.extend(shelves.into_iter().flat_map(Shelf::into_entries));
    entries.extend(lines);
    entries
}

struct Channels<'a> {
    group: &'a str,
    dice: &'a mut Dice,
    lines: Vec<Entry>,
}

impl Channels<'_> {
    fn add(&mut self, name: &str, membership: &str, folder: Value) {
        let id = format!("19:{}@thread.tacv2", self.dice.hex(16));
        let mut resource = json!({
            "id": id, "displayName": name, "description": null, "membershipType": membership, "email": "", "isArchived": false,
            "createdDateTime": "2020-07-05T09:00:00Z", "webUrl": format!("https://teams.microsoft.com/l/channel/{id}"),
        });
        if folder.is_object() {
            resource["filesFolder"] = folder;
        }
        let parent = Some(self.group.to_owned());
        self.lines.push(Entry { kind: "channel".to_owned(), user: None, resource, parent, content: None });
    }
}

/// A library whose columns hold what a folder elsewhere has no place for.
fn columns(shelf: &mut Shelf) {
    let column = |name: &str, display: &str, kind: &str| {
        let mut column = json!({ "id": format!("99ddcf45-e2f7-4f17-82b0-{:012}", name.len()), "name": name, "displayName": display, "hidden": false, "readOnly": false, "required": false, "indexed": false });
        column[kind] = json!({});
        column
    };
    shelf.tell(json!({ "list": {
        "list": { "contentTypesEnabled": true, "hidden": false, "template": "documentLibrary" },
        "columns": [
            column("Title", "Titre", "text"), column("Montant", "Montant (€)", "currency"), column("Ech_x00e9_ance", "Échéance", "dateTime"),
            column("Responsable", "Responsable", "personOrGroup"), column("Statut", "Statut", "choice"), column("Lien", "Lien", "hyperlinkOrPicture"),
            column("Th_x00e8_me", "Thème", "term"),
        ],
    } }));
    for number in 0..3 {
        let fields = json!({
            "Title": format!("Marché {number}"), "Montant": 1250.5 * f64::from(number), "Ech_x00e9_ance": "2026-07-01T00:00:00Z",
            "ResponsableLookupId": "17", "Statut": "Clos", "Lien": { "Description": "Avis", "Url": "https://partner.example/avis" },
            "Th_x00e8_me": { "Label": "Voirie", "TermGuid": "7f2b", "WssId": 3 }, "ContentType": "Marché public",
        });
        let content = shelf.bytes(900);
        shelf.file(TOP, &format!("marché {number}.pdf"), content, json!({ "listItem": { "fields": fields } }));
    }
}

/// Sites that are locked, forbidden, archived, nameless, below others; and a library of the system.
fn hard_to_read(
    dice: &mut Dice,
    group: &Value,
    team: &Place,
    named: impl Fn(&str) -> Dice,
) -> (Vec<Entry>, Vec<Shelf>) {
    let archived = json!({ "siteCollection": { "hostname": HOST, "archivalDetails": { "archiveStatus": "fullyArchived" } }, "_sim": { "locked": true } });
    let plans = [
        ("/sites/verrouille", "Site verrouillé", json!({ "_sim": { "locked": true } })),
        ("/sites/interdit", "Ressources humaines", json!({ "_sim": { "forbidden": true } })),
        ("/sites/archive", "Archivé", archived),
        ("/sites/conseil/commissions", "Commissions", json!({})),
    ];
    let (mut lines, mut shelves) = (Vec::new(), Vec::new());
    for (path, title, more) in plans {
        let mut place = place(dice, HOST, path, title, more);
        if path.starts_with("/sites/conseil/") {
            place.line.parent = Some(team.id.clone());
        }
        let mut shelf = library(&place, group, "Documents", named(path));
        ordinary::fill(&mut shelf, 2);
        shelves.push(shelf);
        lines.push(place.line);
    }
    lines.push(place(dice, HOST, "", "Valmont", json!({ "name": "" })).line);
    let mut search = place(dice, HOST, "/search", "", json!({})).line;
    for name in ["displayName", "name"] {
        search.resource.as_object_mut().and_then(|site| site.shift_remove(name));
    }
    lines.push(search);
    let mut system = library(team, group, "Style Library", named("system"));
    system.tell(json!({ "system": {} }));
    shelves.push(system);
    (lines, shelves)
}
