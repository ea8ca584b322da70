//! The seeded tenant: the same on every run, and whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use transhume_simulators::dump::{Dump, Entry};
use transhume_simulators::seed::{Recipe, hostile_mails, tenant};

/// The first account of a hostile tenant, and nothing else.
fn hostile() -> Recipe {
    Recipe { accounts: 1, messages: 0, hostile: true, ..Recipe::default() }
}

fn small() -> Recipe {
    Recipe { accounts: 2, messages: 20, hostile: false, ..Recipe::default() }
}

fn digest(dump: &Dump) -> String {
    let mut hash = Sha256::new();
    dump.to_jsonl(&mut hash).unwrap();
    format!("{:x}", hash.finalize())
}

fn of<'a>(dump: &'a Dump, kind: &'a str) -> impl Iterator<Item = &'a Entry> {
    dump.entries.iter().filter(move |entry| entry.kind == kind)
}

#[test]
fn the_same_recipe_makes_the_same_bytes() {
    assert_eq!(digest(&tenant(&small())), digest(&tenant(&small())));
    assert_ne!(digest(&tenant(&small())), digest(&tenant(&Recipe { seed: 2, ..small() })));
}

#[test]
fn a_tenant_survives_saving() {
    let dump = tenant(&small());
    let dir = TempDir::new().unwrap();
    dump.save(dir.path()).unwrap();
    assert_eq!(Dump::load(dir.path()).unwrap(), dump);
}

#[test]
fn ids_are_unique_and_messages_stand_in_folders_of_their_mailbox() {
    let dump = tenant(&Recipe { accounts: 3, ..Recipe::default() });
    let key = |entry: &Entry, field: &str| (entry.user.clone(), entry.resource[field].as_str().unwrap().to_owned());
    let folders: BTreeSet<_> = of(&dump, "mailFolder").map(|folder| key(folder, "id")).collect();
    let messages: BTreeSet<_> = of(&dump, "message").map(|message| key(message, "id")).collect();
    assert_eq!(folders.len(), of(&dump, "mailFolder").count());
    assert_eq!(messages.len(), of(&dump, "message").count());
    assert!(of(&dump, "message").all(|message| folders.contains(&key(message, "parentFolderId"))));
}

#[test]
fn benchmark_mails_have_their_size_and_differ() {
    let dump = tenant(&Recipe { messages: 50, message_bytes: Some(8192), ..small() });
    let sizes: Vec<u64> = of(&dump, "message").map(|mail| mail.content.as_ref().unwrap().len()).collect();
    assert_eq!(sizes.len(), 100);
    assert!(sizes.iter().all(|size| size.abs_diff(8192) < 80), "{sizes:?}");
    let bodies: BTreeSet<_> = of(&dump, "message").map(|mail| mail.content.as_ref().unwrap().to_bytes()).collect();
    assert_eq!(bodies.len(), 100);
}

#[test]
fn nobody_without_a_mailbox_has_things_in_one() {
    let dump = tenant(&small());
    let with: BTreeSet<_> = of(&dump, "mailboxSettings").map(|entry| entry.user.clone().unwrap()).collect();
    let users: BTreeSet<_> = of(&dump, "user").map(|entry| entry.user.clone().unwrap()).collect();
    let without: Vec<_> = users.difference(&with).cloned().collect();
    assert_eq!(without, ["stagiaire@valmont.example", "zoe_partner.example#EXT#@valmont.onmicrosoft.com"]);
}

const FIRST: &str = "emilie.lefevre@valmont.example";

/// The folders of the first account, by id.
fn folders(dump: &Dump) -> BTreeMap<String, &Entry> {
    let own = of(dump, "mailFolder").filter(|folder| folder.user.as_deref() == Some(FIRST));
    own.map(|folder| (folder.resource["id"].as_str().unwrap().to_owned(), folder)).collect()
}

/// From the root to the folder.
fn path(folders: &BTreeMap<String, &Entry>, folder: &Entry) -> Vec<String> {
    let above = folders.get(folder.resource["parentFolderId"].as_str().unwrap());
    let mut path = above.map(|above| path(folders, above)).unwrap_or_default();
    path.push(folder.resource["displayName"].as_str().unwrap().to_owned());
    path
}

fn messages(dump: &Dump) -> impl Iterator<Item = &Entry> {
    of(dump, "message").filter(|message| message.user.as_deref() == Some(FIRST))
}

#[test]
fn every_hostile_shape_stands_in_the_first_account_once() {
    let dump = tenant(&hostile());
    for shape in hostile_mails() {
        let equal = messages(&dump).filter(|message| message.content.as_ref() == Some(&shape.mime)).count();
        let wanted = if shape.name.starts_with("identical-twice") { 2 } else { 1 };
        assert_eq!(equal, wanted, "{}", shape.name);
    }
}

#[test]
fn shared_message_ids_stand_where_their_names_say() {
    let dump = tenant(&hostile());
    let folder_of = |name: &str| {
        let mime = hostile_mails().into_iter().find(|shape| shape.name == name).unwrap().mime;
        let found = messages(&dump).find(|message| message.content.as_ref() == Some(&mime)).unwrap();
        found.resource["parentFolderId"].clone()
    };
    assert_eq!(folder_of("same-message-id-first"), folder_of("same-message-id-second"));
    assert_ne!(folder_of("same-message-id-first"), folder_of("same-message-id-elsewhere"));
}

#[test]
fn folders_are_deep_many_and_oddly_named() {
    let dump = tenant(&hostile());
    let folders = folders(&dump);
    let paths: BTreeSet<_> = folders.values().map(|folder| path(&folders, folder)).collect();
    assert!(folders.len() > 300, "{}", folders.len());
    assert_eq!(paths.len(), folders.len(), "no two have one path");
    assert_eq!(paths.iter().filter(|path| path.last().unwrap() == "Niveau 12").map(Vec::len).max(), Some(13));
    let names: BTreeSet<_> = paths.iter().filter_map(|path| path.last()).map(String::as_str).collect();
    for name in
        ["Budget/Finances", ".", "..", "cur", "INBOX", "Inbox", "Re\u{301}union", "R\u{e9}union", " espace devant"]
    {
        assert!(names.contains(name), "{name}");
    }
    for part in ["/", ".", "~", "%", "&", "é", "日本", "📁"] {
        assert!(names.iter().any(|name| name.contains(part)), "{part}");
    }
    assert_eq!(names.iter().filter(|name| name.len() > 250).count(), 3);
}

#[test]
fn folders_count_what_they_hold() {
    let dump = tenant(&Recipe { accounts: 2, ..Recipe::default() });
    for folder in of(&dump, "mailFolder") {
        let id = &folder.resource["id"];
        let held: Vec<_> = of(&dump, "message").filter(|message| &message.resource["parentFolderId"] == id).collect();
        let unread = held.iter().filter(|message| message.resource["isRead"] == false).count();
        let below = of(&dump, "mailFolder").filter(|child| &child.resource["parentFolderId"] == id);
        let visible = below.filter(|child| child.resource["isHidden"] == false).count();
        assert_eq!(folder.resource["totalItemCount"], held.len());
        assert_eq!(folder.resource["unreadItemCount"], unread);
        assert_eq!(folder.resource["childFolderCount"], visible);
    }
}

#[test]
fn each_odd_folder_holds_mail_and_some_folders_are_none() {
    let dump = tenant(&hostile());
    let folders = folders(&dump);
    let holds = |folder: &Entry| folder.resource["totalItemCount"].as_u64().unwrap() > 0;
    for name in ["..", "cur", "tmp", "&AOk-", "PROJETS 2026", "Niveau 12", "TeamsMessagesData"] {
        let named: Vec<_> = folders.values().filter(|folder| folder.resource["displayName"] == name).collect();
        assert!(!named.is_empty() && named.iter().all(|folder| holds(folder)), "{name}");
    }
    let searches =
        folders.values().filter(|folder| folder.resource["@odata.type"] == "#microsoft.graph.mailSearchFolder");
    assert_eq!(searches.filter(|folder| !holds(folder)).count(), 2);
    let roles: BTreeSet<_> = folders.values().filter_map(|folder| folder.parent.as_deref()).collect();
    for role in [
        "msgfolderroot",
        "inbox",
        "outbox",
        "archive",
        "conversationhistory",
        "syncissues",
        "recoverableitemsdeletions",
    ] {
        assert!(roles.contains(role), "{role}");
    }
}

#[test]
fn the_recoverable_items_hang_outside_the_visible_tree() {
    let dump = tenant(&hostile());
    let folders = folders(&dump);
    for role in ["recoverableitemsdeletions", "searchfolders", "msgfolderroot"] {
        let folder = folders.values().find(|folder| folder.parent.as_deref() == Some(role)).unwrap();
        assert!(!folders.contains_key(folder.resource["parentFolderId"].as_str().unwrap()), "{role}");
    }
}

#[test]
fn marks_and_dates_of_every_kind_are_there() {
    let dump = tenant(&hostile());
    let field =
        |name: &str| messages(&dump).filter_map(|message| message.resource[name].as_str()).collect::<BTreeSet<_>>();
    let flags: BTreeSet<_> =
        messages(&dump).filter_map(|message| message.resource["flag"]["flagStatus"].as_str()).collect();
    assert_eq!(flags, BTreeSet::from(["notFlagged", "flagged", "complete"]));
    assert_eq!(field("importance"), BTreeSet::from(["low", "normal", "high"]));
    assert_eq!(
        field("meetingMessageType"),
        BTreeSet::from([
            "meetingRequest",
            "meetingCancelled",
            "meetingAccepted",
            "meetingTenativelyAccepted",
            "meetingDeclined"
        ])
    );
    let received = field("receivedDateTime");
    assert_eq!(*received.first().unwrap(), "0001-01-01T00:00:00Z");
    assert_eq!(*received.last().unwrap(), "4501-01-01T00:00:00Z");
    let properties =
        messages(&dump).flat_map(|message| message.resource["singleValueExtendedProperties"].as_array().unwrap());
    let verbs: BTreeSet<_> = properties
        .filter(|property| property["id"] == "Integer 0x1081")
        .map(|property| property["value"].as_str().unwrap())
        .collect();
    assert_eq!(verbs, BTreeSet::from(["102", "103", "104"]));
}

#[test]
fn some_categories_are_gone_from_the_master_list() {
    let dump = tenant(&hostile());
    let master: BTreeSet<_> =
        of(&dump, "masterCategory").map(|of| of.resource["displayName"].as_str().unwrap()).collect();
    let used: BTreeSet<_> = messages(&dump)
        .flat_map(|message| message.resource["categories"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(used.intersection(&master).count() > 2);
    assert!(used.difference(&master).count() > 2);
}

#[test]
fn some_items_fail_for_ever() {
    let dump = tenant(&hostile());
    let notes: BTreeSet<_> =
        messages(&dump).filter_map(|message| message.resource.get("_sim")).map(ToString::to_string).collect();
    let failing: Vec<_> = notes.iter().filter(|note| note.contains("fails")).collect();
    assert_eq!(
        failing,
        [
            r#"{"fails":"ErrorContentConversionFailed","poisons":true}"#,
            r#"{"fails":"ErrorCorruptData"}"#,
            r#"{"fails":"ErrorInvalidRecipients"}"#
        ]
    );
}

/// Microsoft Graph docs: message resource type, without what only `$select` brings.
#[test]
fn a_message_has_every_field_of_the_service() {
    let dump = tenant(&small());
    let message = of(&dump, "message").next().unwrap();
    let mut fields: Vec<_> = message.resource.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields.join(" "),
        "@odata.etag bccRecipients body bodyPreview categories ccRecipients changeKey conversationId conversationIndex \
         createdDateTime flag from hasAttachments id importance inferenceClassification internetMessageId \
         isDeliveryReceiptRequested isDraft isRead isReadReceiptRequested lastModifiedDateTime parentFolderId \
         receivedDateTime replyTo sender sentDateTime singleValueExtendedProperties subject toRecipients webLink"
    );
}

#[test]
fn people_are_as_a_directory_has_them() {
    let dump = tenant(&Recipe { accounts: 12, messages: 1, hostile: false, ..Recipe::default() });
    let purposes: BTreeSet<_> =
        of(&dump, "mailboxSettings").map(|of| of.resource["userPurpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, BTreeSet::from(["user", "shared", "room", "equipment"]));
    let users: Vec<_> = of(&dump, "user").map(|user| &user.resource).collect();
    assert!(users.iter().any(|user| user["accountEnabled"] == false && user["userType"].is_null()));
    assert!(users.iter().any(|user| user["mail"].is_null()));
    assert!(
        users
            .iter()
            .any(|user| user["userType"] == "Guest" && user["userPrincipalName"].as_str().unwrap().contains("#EXT#"))
    );
    assert!(of(&dump, "group").all(|group| group.resource["groupTypes"][0] == "Unified"));
    let room = "salle.conseil@valmont.example";
    assert_eq!(of(&dump, "message").filter(|message| message.user.as_deref() == Some(room)).count(), 0);
}

#[test]
fn accounts_do_not_shift_when_others_are_added() {
    let of_first = |dump: &Dump| -> Vec<_> {
        dump.entries
            .iter()
            .filter(|entry| entry.user.as_deref() == Some(FIRST) && entry.kind == "message")
            .cloned()
            .collect()
    };
    let more = tenant(&Recipe { accounts: 3, ..small() });
    assert_eq!(of_first(&tenant(&small())), of_first(&more));
}

/// The JSON view is in Unicode, whatever the bytes are in.
#[test]
fn subjects_and_bodies_are_decoded() {
    let dump = tenant(&hostile());
    for (name, text) in [
        ("charset-iso-2022-jp", "会議のお知らせ"),
        ("charset-shift-jis", "表示と能力"),
        ("charset-euc-kr", "키스의"),
        ("charset-gb18030", "窗外有蓝天"),
        ("charset-big5", "許功蓋"),
        ("charset-koi8-r", "чащах"),
    ] {
        let id = format!("<{name}@hostile.valmont.example>");
        let message = messages(&dump).find(|message| message.resource["internetMessageId"] == id).unwrap();
        assert!(message.resource["subject"].as_str().unwrap().contains(text), "{name}");
        assert!(message.resource["body"]["content"].as_str().unwrap().contains(text), "{name}");
    }
}

/// The first account of a tenant whose rooms are full.
fn rooms(hostile: bool) -> Dump {
    let (accounts, messages, events, contacts, tasks) = (2, 0, 90, 50, 40);
    tenant(&Recipe { accounts, messages, events, contacts, tasks, hostile, ..Recipe::default() })
}

#[test]
fn rooms_are_seeded_when_asked_for_and_change_no_mail() {
    let plain = tenant(&Recipe { accounts: 2, messages: 0, hostile: true, ..Recipe::default() });
    assert_eq!(of(&plain, "event").count() + of(&plain, "calendar").count() + of(&plain, "contact").count(), 0);
    let full = rooms(true);
    let mail = |dump: &Dump| of(dump, "message").cloned().collect::<Vec<_>>();
    assert!(mail(&plain) == mail(&full), "a room more does not shift the dice of mail");
    assert_eq!(digest(&rooms(true)), digest(&rooms(true)));
    for (kind, least) in [("contact", 100), ("todoTask", 80)] {
        assert_eq!(of(&full, kind).count(), least, "{kind}");
    }
    let masters = of(&full, "event").filter(|event| event.resource["type"] != "exception");
    assert!(masters.count() >= 180);
}

#[test]
fn exceptions_belong_to_series_and_ids_of_rooms_are_unique() {
    let dump = rooms(true);
    for kind in ["calendar", "event", "contactFolder", "contact", "todoTaskList", "todoTask"] {
        let ids: BTreeSet<_> = of(&dump, kind).map(|entry| entry.resource["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), of(&dump, kind).count(), "{kind}");
    }
    let ids = |kind: &'static str| {
        of(&dump, kind).map(|entry| entry.resource["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let (calendars, events) = (ids("calendar"), ids("event"));
    assert!(of(&dump, "event").all(|event| calendars.contains(event.parent.as_deref().unwrap())));
    let mut exceptions = of(&dump, "event").filter(|event| event.resource["type"] == "exception");
    assert!(exceptions.all(|event| events.contains(event.resource["seriesMasterId"].as_str().unwrap())));
}

#[test]
fn the_thirty_years_have_forty_exceptions_and_the_rest_is_odd_in_every_way() {
    let dump = rooms(true);
    let named = |subject: &str| of(&dump, "event").find(|event| event.resource["subject"] == subject).unwrap();
    let series = named("thirty years of tuesdays");
    let exceptions = of(&dump, "event").filter(|event| event.resource["seriesMasterId"] == series.resource["id"]);
    assert_eq!(exceptions.count(), 40);
    assert_eq!(series.resource["cancelledOccurrences"].as_array().unwrap().len(), 12);
    assert_eq!(named("five hundred attendees").resource["attendees"].as_array().unwrap().len(), 500);
    assert!(named("html of two megabytes").resource["body"]["content"].as_str().unwrap().len() > 2_000_000);
    assert_eq!(named("custom zone").resource["originalStartTimeZone"], "tzone://Microsoft/Custom");
    assert!(named("before 1970").resource["start"]["dateTime"].as_str().unwrap().starts_with("1965-07-14T09:00"));
    let names: BTreeSet<_> = of(&dump, "calendar").map(|one| one.resource["name"].as_str().unwrap()).collect();
    assert!(names.len() < of(&dump, "calendar").count(), "two of one name");
}

fn files(files: u32, hostile: bool) -> Recipe {
    Recipe { accounts: 2, messages: 3, events: 2, files, hostile, largest_file: 1 << 20, ..Recipe::default() }
}

#[test]
fn files_are_seeded_when_asked_for_and_change_nothing_else() {
    let (without, with) = (tenant(&files(0, true)), tenant(&files(50, true)));
    assert!(
        with.entries[..without.entries.len()] == without.entries,
        "what was there stays as it was, and where it was"
    );
    let kinds: BTreeSet<_> = with.entries[without.entries.len()..].iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["site", "drive", "driveItem", "driveItemVersion", "permission", "channel"]));
    assert_eq!(digest(&with), digest(&tenant(&files(50, true))));
    assert_ne!(digest(&with), digest(&tenant(&Recipe { seed: 2, ..files(50, true) })));
}

#[test]
fn each_person_has_so_many_files_and_shared_mailboxes_have_none() {
    let dump = tenant(&Recipe { accounts: 4, ..files(120, false) });
    let count = |who: &str| {
        of(&dump, "driveItem")
            .filter(|item| item.user.as_deref() == Some(who) && item.resource.get("file").is_some())
            .count()
    };
    assert_eq!((count(FIRST), count("juergen.gross@valmont.example"), count("accueil@valmont.example")), (120, 120, 0));
    let odd = tenant(&files(1, true));
    let odd =
        of(&odd, "driveItem").filter(|item| item.user.as_deref() == Some(FIRST) && item.resource.get("file").is_some());
    assert!(odd.count() > 400, "the odd ones are there however few were asked for");
}

#[test]
fn files_tell_the_truth_but_for_those_that_lie() {
    let dump = tenant(&files(10, true));
    let liars: Vec<_> = of(&dump, "driveItem")
        .filter(|item| item.content.as_ref().is_some_and(|content| item.resource["size"] != content.len()))
        .map(|item| item.resource["name"].as_str().unwrap())
        .collect();
    assert_eq!(liars, ["taille fausse.docx", "tout faux.pptx", "photo.heic", "Section annoncée trop petite.one"]);
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for item in of(&dump, "driveItem").filter(|item| item.resource.get("folder").is_none()) {
        let drive = item.resource["parentReference"]["driveId"].as_str().unwrap();
        *bytes.entry(drive.to_owned()).or_default() += item.resource["size"].as_u64().unwrap();
    }
    for drive in of(&dump, "drive") {
        let held = bytes.get(drive.resource["id"].as_str().unwrap()).copied().unwrap_or_default();
        assert_eq!(drive.resource["quota"]["used"], held, "{}", drive.resource["webUrl"]);
    }
}

#[test]
fn sizes_reach_as_far_as_they_are_wanted() {
    let sizes = |largest_file: u64| {
        let dump = tenant(&Recipe { accounts: 1, largest_file, ..files(1, true) });
        let sizes = of(&dump, "driveItem").filter_map(|item| Some(item.content.as_ref()?.len()));
        sizes.max().unwrap()
    };
    assert_eq!((sizes(5 << 20), sizes(64 << 20)), (5 << 20, 64 << 20));
}

#[test]
fn benchmark_files_are_alike_and_differ() {
    let dump = tenant(&Recipe { file_bytes: Some(10_240), ..files(250, false) });
    let own = of(&dump, "driveItem").filter(|item| item.user.as_deref() == Some(FIRST));
    let contents: Vec<_> = own.filter_map(|item| item.content.clone()).collect();
    assert!(contents.len() == 250 && contents.iter().all(|content| content.len() == 10_240));
    let different: BTreeSet<_> =
        contents.iter().map(|content| content.range(0..32).flatten().collect::<Vec<u8>>()).collect();
    assert_eq!(different.len(), 250);
}
