//! A tenant in which every event, contact and task is known.

use bytes::Bytes;
use serde_json::{Value, json};
use transhume_simulators::dump::{Content, Dump, Entry};

use crate::client::{ANNA, BOB, entry, id, patched, tenant};

pub const UID: &str = "040000008200E00074C5B7101A82E0080000000040A1B2C3D4E5D601000000000000000010000000AA";

pub fn time(clock: &str) -> Value {
    json!({"dateTime": format!("{clock}.0000000"), "timeZone": "UTC"})
}

/// An event as the service answers it, with the members that tests look at.
pub fn event(name: &str, calendar: &str, start: &str, end: &str) -> Entry {
    let resource = json!({
        "@odata.etag": "W/\"CQAAABYAAAB\"", "id": id(name), "createdDateTime": "2025-01-05T10:00:00.1234567Z",
        "lastModifiedDateTime": "2025-01-06T10:00:00.1234567Z", "changeKey": "CQAAABYAAAB", "categories": [],
        "originalStartTimeZone": "W. Europe Standard Time", "originalEndTimeZone": "W. Europe Standard Time",
        "iCalUId": format!("{UID}{name}"), "hasAttachments": false, "subject": name, "bodyPreview": "text",
        "sensitivity": "normal", "isAllDay": false, "isCancelled": false, "seriesMasterId": null, "showAs": "busy",
        "type": "singleInstance", "isOnlineMeeting": false, "recurrence": null, "onlineMeeting": null,
        "body": {"contentType": "html", "content": "<p>text</p>"}, "start": time(start), "end": time(end),
        "attendees": [], "organizer": {"emailAddress": {"name": "A", "address": ANNA}},
    });
    entry("event", ANNA, resource, Some(&id(calendar)))
}

/// A weekly series on Mondays at nine in Berlin, twelve times, across the end of summer time.
pub fn standup() -> Vec<Entry> {
    let recurrence = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 12,
            "recurrenceTimeZone": "W. Europe Standard Time"},
    });
    let file = |name: &str| {
        json!({"@odata.type": "#microsoft.graph.fileAttachment", "id": id(&format!("att{name}")), "name": name,
            "contentType": "text/plain", "isInline": false, "contentBytes": "Ym9uam91cg=="})
    };
    let master = patched(
        event("standup", "Calendar", "2026-09-21T07:00:00", "2026-09-21T07:30:00"),
        json!({
            "type": "seriesMaster", "recurrence": recurrence, "hasAttachments": true, "attachments": [file("agenda.txt")],
            "cancelledOccurrences": [format!("OID.{}.2026-10-05", id("standup"))],
        }),
    );
    let exception = |name: &str, original: &str, start: &str, end: &str| {
        let own = json!({
            "type": "exception", "seriesMasterId": id("standup"), "originalStart": original, "subject": name,
        });
        patched(event(name, "Calendar", start, end), own)
    };
    let later = exception("later", "2026-09-28T07:00:00Z", "2026-09-28T12:00:00", "2026-09-28T12:30:00");
    let far = exception("far", "2026-10-26T08:00:00Z", "2026-12-30T08:00:00", "2026-12-30T08:30:00");
    let far = patched(far, json!({"attachments": [file("agenda.txt"), file("minutes.txt")], "hasAttachments": true}));
    vec![master, later, far]
}

fn calendar(name: &str, members: Value) -> Entry {
    let resource = json!({
        "id": id(name), "name": name, "color": "auto", "hexColor": "", "isDefaultCalendar": false, "changeKey": "CQ==",
        "canShare": true, "canViewPrivateItems": true, "canEdit": true, "isRemovable": true,
        "isTallyingResponses": false, "owner": {"name": "Anna", "address": ANNA},
    });
    patched(entry("calendar", ANNA, resource, None), members)
}

fn calendars() -> Vec<Entry> {
    let permission = json!({"id": "p1", "role": "read", "isRemovable": true, "isInsideOrganization": true,
        "allowedRoles": ["read"], "emailAddress": {"name": "Bob", "address": BOB}});
    let mut other = calendar("Twin", json!({"id": id("Twin2"), "name": "Twin"}));
    other.parent = Some(id("Others"));
    let class = "0006f0b7-0000-0000-c000-000000000046";
    vec![
        entry("calendarGroup", ANNA, json!({"id": id("Mine"), "name": "My Calendars", "classId": class}), None),
        entry("calendarGroup", ANNA, json!({"id": id("Others"), "name": "Others", "classId": "x"}), None),
        calendar(
            "Calendar",
            json!({"isDefaultCalendar": true, "hexColor": "#0078d4", "color": "lightBlue", "calendarPermissions": [permission]}),
        ),
        calendar("Twin", json!({})),
        other,
        calendar("Shared", json!({"owner": {"name": "Bob", "address": BOB}, "canEdit": false})),
        calendar("Secret", json!({"_sim": {"hidden": true}})),
        calendar("Slow", json!({"_sim": {"delta_most": 10}})),
    ]
}

pub fn contact(name: &str, folder: &str) -> Entry {
    let resource = json!({
        "id": id(name), "changeKey": "CQ==", "createdDateTime": "2025-01-05T10:00:00Z",
        "lastModifiedDateTime": "2025-01-06T10:00:00Z", "parentFolderId": id(folder), "categories": [],
        "birthday": "1980-05-01T11:59:00Z", "displayName": name, "givenName": "", "surname": null, "homeAddress": {},
        "emailAddresses": [{"name": name, "address": format!("{name}@x")}, null], "primaryEmailAddress": {},
    });
    entry("contact", ANNA, resource, None)
}

fn contacts() -> Vec<Entry> {
    let folder = |name: &str, parent: &str, role: Option<&str>| {
        let resource = json!({"id": id(name), "displayName": name, "parentFolderId": id(parent)});
        entry("contactFolder", ANNA, resource, role)
    };
    let photo = Content::Bytes(Bytes::from_static(b"\x89PNG\r\n\x1a\nrest"));
    vec![
        folder("Contacts", "Root", Some("contacts")),
        folder("Club", "Contacts", None),
        folder("Board", "Club", None),
        Entry { content: Some(photo), ..contact("jane", "Contacts") },
        contact("john", "Contacts"),
        contact("kim", "Board"),
    ]
}

fn tasks() -> Vec<Entry> {
    let list = |name: &str, role: &str| {
        let resource =
            json!({"id": id(name), "displayName": name, "isOwner": true, "isShared": false, "wellknownListName": role});
        entry("todoTaskList", ANNA, resource, None)
    };
    let task = json!({
        "id": id("buy"), "title": "buy", "status": "notStarted", "importance": "normal", "isReminderOn": true,
        "hasAttachments": true, "categories": [], "createdDateTime": "2025-01-01T00:00:00.0000000Z",
        "lastModifiedDateTime": "2025-01-01T00:00:00.0000000Z", "body": {"content": "", "contentType": "text"},
        "dueDateTime": time("2025-02-01T00:00:00"), "reminderDateTime": time("2025-02-01T08:00:00"),
        "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
            "range": {"type": "noEnd", "startDate": "2025-02-01"}},
        "checklistItems": [{"id": "c1", "displayName": "milk", "isChecked": false, "createdDateTime": "2025-01-01T00:00:00Z"}],
        "linkedResources": [{"id": "l1", "webUrl": "https://x", "applicationName": "X", "displayName": "x", "externalId": "1"}],
        "attachments": [{"@odata.type": "#microsoft.graph.taskFileAttachment", "id": "a1", "name": "a.txt",
            "contentType": "text/plain", "size": 7, "contentBytes": "Ym9uam91cg=="}],
    });
    vec![
        list("Tasks", "defaultList"),
        list("Flagged", "flaggedEmails"),
        list("Garden", "none"),
        entry("todoTask", ANNA, task, Some(&id("Garden"))),
    ]
}

/// The tenant of the other tests, with things in Anna's rooms.
pub fn diary() -> Dump {
    let mut dump = tenant();
    dump.entries.extend(calendars());
    dump.entries.extend(standup());
    let whole_day = json!({"isAllDay": true});
    let birthday = event("birthday", "Calendar", "2026-10-01T00:00:00", "2026-10-02T00:00:00");
    dump.entries.extend([
        event("lunch", "Calendar", "2026-10-01T10:00:00", "2026-10-01T11:00:00"),
        patched(birthday, whole_day),
        event("twin", "Twin2", "2026-10-01T10:00:00", "2026-10-01T11:00:00"),
    ]);
    dump.entries.extend(contacts());
    dump.entries.extend(tasks());
    dump
}
