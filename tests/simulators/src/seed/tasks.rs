//! To Do: ordinary tasks, and for the first account of a hostile tenant every odd one.

use serde_json::{Value, json};

use super::Recipe;
use super::dice::Dice;
use super::directory::Member;
use crate::dump::Entry;

/// The lists of an account and what stands in them; none unless the recipe asks for tasks.
pub(super) fn account(recipe: &Recipe, place: usize, member: &Member) -> Vec<Entry> {
    if recipe.tasks == 0 {
        return Vec::new();
    }
    let dice = &mut Dice::named(recipe.seed, &format!("{} tasks", member.upn));
    let mut pad = Pad { user: &member.upn, entries: Vec::new(), count: 0 };
    let default = pad.list(dice, "Tâches", "defaultList", true);
    pad.list(dice, "Courrier marqué", "flaggedEmails", true);
    if recipe.hostile && place == 0 {
        let garden = pad.list(dice, "Jardin / \"potager\" 🥕", "none", true);
        let shared = pad.list(dice, "Jardin / \"potager\" 🥕", "none", false);
        for (number, task) in odd().into_iter().enumerate() {
            let list = [&default, &garden, &shared][number % 3];
            pad.task(dice, list, task);
        }
    }
    while pad.count < recipe.tasks {
        let task = ordinary(pad.count, dice);
        pad.task(dice, &default, task);
    }
    pad.entries
}

struct Pad<'a> {
    user: &'a str,
    entries: Vec<Entry>,
    count: u32,
}

impl Pad<'_> {
    fn list(&mut self, dice: &mut Dice, name: &str, role: &str, own: bool) -> String {
        let id = dice.outlook_id("AQMkAG", 120);
        let resource =
            json!({ "id": id, "displayName": name, "isOwner": own, "isShared": !own, "wellknownListName": role });
        self.push("todoTaskList", resource, None);
        id
    }

    fn push(&mut self, kind: &str, resource: Value, parent: Option<&str>) {
        let (kind, user, parent) = (kind.to_owned(), Some(self.user.to_owned()), parent.map(str::to_owned));
        self.entries.push(Entry { kind, user, resource, parent, content: None });
    }

    fn task(&mut self, dice: &mut Dice, list: &str, own: Value) {
        let mut resource = json!({
            "id": dice.outlook_id("AAMkAG", 152), "title": "", "status": "notStarted", "importance": "normal",
            "isReminderOn": false, "hasAttachments": false, "categories": [],
            "createdDateTime": "2025-01-01T08:00:00.1234567Z", "lastModifiedDateTime": "2025-01-02T08:00:00.7654321Z",
            "bodyLastModifiedDateTime": "2025-01-02T08:00:00.7654321Z", "body": { "content": "", "contentType": "text" },
            "dueDateTime": null, "startDateTime": null, "reminderDateTime": null, "completedDateTime": null,
            "recurrence": null, "linkedResources": [], "checklistItems": [],
        });
        for (name, value) in own.as_object().into_iter().flatten() {
            resource[name.as_str()] = value.clone();
        }
        self.push("todoTask", resource, Some(list));
        self.count += 1;
    }
}

fn on(date: &str) -> Value {
    json!({ "dateTime": format!("{date}T00:00:00.0000000"), "timeZone": "UTC" })
}

fn ordinary(number: u32, dice: &mut Dice) -> Value {
    let day = format!("2026-{:02}-{:02}", 1 + dice.below(12), 1 + dice.below(28));
    json!({ "title": format!("À faire n° {number}"), "dueDateTime": on(&day), "importance": *dice.pick(&["low", "normal", "high"]) })
}

fn steps(count: usize) -> Vec<Value> {
    let step = |number: usize| {
        let done = number.is_multiple_of(3);
        json!({ "id": format!("8c1d3f60-0000-4000-8000-{number:012}"), "displayName": format!("Étape {number} ✓"), "isChecked": done,
            "createdDateTime": "2025-01-01T08:00:00.0000000Z", "checkedDateTime": if done { json!("2025-01-02T08:00:00Z") } else { Value::Null } })
    };
    (0..count).map(step).collect()
}

fn odd() -> Vec<Value> {
    let states = ["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred", "procrastinated"];
    let mut all: Vec<Value> =
        states.iter().map(|status| json!({ "title": format!("état {status}"), "status": status })).collect();
    let patterns = [
        json!({ "type": "daily", "interval": 2 }),
        json!({ "type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"], "firstDayOfWeek": "monday" }),
        json!({ "type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31 }),
        json!({ "type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last" }),
        json!({ "type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2 }),
    ];
    all.extend(patterns.into_iter().enumerate().map(|(number, pattern)| {
        json!({ "title": format!("répétée {number}"), "dueDateTime": on("2026-01-30"),
            "recurrence": { "pattern": pattern, "range": { "type": "noEnd", "startDate": "2026-01-30", "recurrenceTimeZone": "Romance Standard Time" } } })
    }));
    all.extend([
        json!({ "title": "cent étapes", "checklistItems": steps(100) }),
        json!({ "title": "terminée", "status": "completed", "completedDateTime": on("2025-06-01"), "dueDateTime": on("2025-05-01"), "startDateTime": on("2025-04-01") }),
        json!({ "title": "rappel", "isReminderOn": true, "reminderDateTime": { "dateTime": "2026-10-25T00:30:00.0000000", "timeZone": "UTC" }, "dueDateTime": on("2026-10-25") }),
        json!({ "title": "liens", "linkedResources": [{ "id": "f9cddce2-dce2-f9cd-e2dc-cdf9e2dccdf9", "webUrl": "https://partner.example/?a=b&c=d", "applicationName": "Partner", "displayName": "Dossier n° 1", "externalId": "dossier/1" }] }),
        json!({ "title": "pièces jointes", "hasAttachments": true, "attachments": [
            { "@odata.type": "#microsoft.graph.taskFileAttachment", "id": "AAMkAGattachmentoftask1=", "name": "été.txt", "contentType": "text/plain", "size": 7, "lastModifiedDateTime": "2025-01-02T08:00:00Z", "contentBytes": "Ym9uam91cg==" }] }),
        json!({ "title": "corps", "body": { "content": "<html><body><b>gras</b>&nbsp;🥕</body></html>", "contentType": "html" }, "importance": "high" }),
        json!({ "title": "🥕\u{1}\u{202b}גזר\u{202c}", "categories": ["Élus", "catégorie disparue"] }),
        json!({ "title": "" }),
        json!({ "title": null, "body": null }),
        json!({ "title": "avant 1970", "dueDateTime": on("1969-12-31") }),
        json!({ "title": "après 2100", "dueDateTime": on("2150-01-01") }),
        json!({ "title": "fin avant le début", "startDateTime": on("2026-05-02"), "dueDateTime": on("2026-05-01") }),
        json!({ "title": "échéance avec une heure", "dueDateTime": { "dateTime": "2026-02-01T10:00:00.0000000", "timeZone": "UTC" } }),
        json!({ "title": "illisible", "_sim": { "fails": "ErrorCorruptData" } }),
    ]);
    all
}
