//! To Do: lists and tasks (Microsoft Graph docs: todoTaskList, todoTask). Whether applications may read them at all is in
//! dispute, hence a switch.

use jiff::tz::TimeZone;
use parking_lot::RwLock;
use serde_json::{Map, Value, json};

use super::access::{READ_OWN_TASKS, READ_TASKS};
use super::calendars::entity;
use super::changes::{Shelves, Tracked};
use super::event_delta::untaken;
use super::event_row::{pad, shown_time, wanted_zone};
use super::expand::Expand;
use super::list::Window;
use super::rooms::{Listing, item_at, page, vanishing};
use super::shape::{Look, Shape, readable};
use super::{Answer, Scene, flagged, task_parts};
use crate::tenant::{Item, Mailbox, RoomKind, looks_like_an_id};
use crate::wire::Refusal;

const LIST: Shape = Shape {
    name: "todoTaskList",
    members: &["id", "displayName", "isOwner", "isShared", "wellknownListName"],
    apart: &["changeKey"],
};
#[rustfmt::skip]
pub(super) const TASK: Shape = Shape {
    name: "todoTask",
    members: &[
        "id", "body", "bodyLastModifiedDateTime", "categories", "completedDateTime", "createdDateTime", "dueDateTime",
        "hasAttachments", "importance", "isReminderOn", "lastModifiedDateTime", "recurrence", "reminderDateTime",
        "startDateTime", "status", "title",
    ],
    apart: &["attachments", "checklistItems", "linkedResources", "changeKey"],
};
/// How many rows a page has is not documented.
const USUAL: usize = 100;
/// The list that mirrors flagged mail.
const FLAGGED: &str = "flaggedEmails";

pub(super) fn answer(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    if !scene.world.knobs().switches.cloud.has_todo() {
        return Err(Refusal::no_such_segment("todo"));
    }
    match rest {
        ["lists"] => lists(scene, user),
        ["lists", "delta"] => list_delta(scene, user),
        ["lists", list] => one_list(scene, user, list),
        ["lists", list, "tasks"] => tasks(scene, user, list),
        ["lists", list, "tasks", "delta"] => task_delta(scene, user, list),
        ["lists", list, "tasks", task] => one(scene, user, list, task),
        ["lists", list, "tasks", task, rest @ ..] => task_parts::answer(scene, user, list, task, rest),
        ["lists", _, other, ..] | [other, ..] => Err(Refusal::no_such_segment(other)),
        [] => Err(Refusal::odata_unsupported()),
    }
}

/// The mailbox, for those who may read tasks.
///
/// # Errors
/// 401 `UnknownError` for applications that may not, as it was measured; 403 by a switch.
pub(super) fn mailbox<'a>(scene: &Scene<'a>, user: &str) -> Result<&'a RwLock<Mailbox>, Refusal> {
    if scene.caller.person.is_some() {
        return scene.mailbox(user, READ_OWN_TASKS);
    }
    let switches = scene.world.knobs().switches.clone();
    let missing = !scene.granted(READ_TASKS) && switches.todo_missing_is_401;
    if missing || !switches.todo_app_only { Err(Refusal::unknown_error()) } else { scene.mailbox(user, READ_TASKS) }
}

/// # Errors
/// 404 for what is absent, 400 for what cannot be an id.
fn list_at(mailbox: &Mailbox, key: &str) -> Result<u32, Refusal> {
    if !looks_like_an_id(key) {
        return Err(Refusal::malformed_id());
    }
    mailbox.tasks.named(key).ok_or_else(Refusal::item_not_found)
}

fn is_flagged(mailbox: &Mailbox, list: u32) -> bool {
    mailbox.tasks.collection(list).text("wellknownListName") == FLAGGED
}

fn lists(scene: &Scene<'_>, user: &str) -> Answer {
    let look = Look::of(scene, &LIST)?;
    let window = Window::of_size(scene, USUAL)?;
    let mailbox = mailbox(scene, user)?.read();
    let only_flagged = scene.world.knobs().switches.todo_flagged_only && scene.caller.person.is_none();
    let lists =
        mailbox.tasks.living().filter(|(at, list)| !list.is_hidden() && (!only_flagged || is_flagged(&mailbox, *at)));
    let rows = lists.map(|(_, list)| look.row(&list.id, list.resource.clone()).into()).collect();
    page(scene, &format!("users('{user}')/todo/lists"), rows, window)
}

fn list_delta(scene: &Scene<'_>, user: &str) -> Answer {
    untaken(scene, "TodoTaskLists")?;
    let look = Look::of(scene, &LIST)?;
    let mailbox = mailbox(scene, user)?.read();
    let kind = RoomKind::Tasks;
    let shelves = Shelves { scene, mailbox: &mailbox, user, kind, place: "lists", of: "todoTaskList" };
    shelves.page(|at| {
        let list = mailbox.tasks.collection(at);
        (!list.is_hidden()).then(|| look.row(&list.id, list.resource.clone()))
    })
}

fn one_list(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    let look = Look::of(scene, &LIST)?;
    let mailbox = mailbox(scene, user)?.read();
    let list = mailbox.tasks.collection(list_at(&mailbox, key)?);
    Ok(entity(scene, &format!("users('{user}')/todo/lists/$entity"), look.row(&list.id, list.resource.clone())))
}

/// How tasks are shown.
struct TaskRow {
    look: Look,
    expand: Expand,
    zone: Option<(String, TimeZone)>,
    parts_inline: bool,
}

impl TaskRow {
    fn of(scene: &Scene<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            look: Look::of(scene, &TASK)?,
            expand: Expand::parse(scene.call.query.get("$expand"), "todoTask")?,
            zone: wanted_zone(scene)?,
            parts_inline: scene.world.knobs().switches.task_parts_inline,
        })
    }

    fn dressed(&self, mut task: Map<String, Value>) -> Map<String, Value> {
        for name in ["dueDateTime", "startDateTime", "reminderDateTime", "completedDateTime"] {
            if let Some(shown) = task.get(name).and_then(|time| shown_time(time, false, self.zone.as_ref())) {
                task.insert(name.to_owned(), shown);
            }
        }
        task.get_mut("recurrence").filter(|recurrence| recurrence.is_object()).into_iter().for_each(pad);
        task
    }

    fn row(&self, id: &str, task: Map<String, Value>) -> Map<String, Value> {
        let part = |name: &str| task.get(name).cloned().unwrap_or_else(|| json!([]));
        let mut parts = Map::new();
        for name in ["checklistItems", "linkedResources"] {
            let asked = self.expand.parts.iter().any(|one| one.eq_ignore_ascii_case(name));
            if asked || (self.parts_inline && self.look.select.is_none()) {
                parts.insert(name.to_owned(), part(name));
            }
        }
        if self.expand.attachments {
            parts.insert("attachments".to_owned(), task_parts::without_bytes(part("attachments")));
        }
        let mut row = self.look.row(id, self.dressed(task));
        row.extend(parts);
        row
    }
}

fn tasks(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    let row = TaskRow::of(scene)?;
    let window = Window::of_size(scene, USUAL)?;
    let mailbox = mailbox(scene, user)?.read();
    let collection = list_at(&mailbox, key)?;
    let context = format!("users('{user}')/todo/lists('{key}')/tasks");
    if is_flagged(&mailbox, collection) {
        let rows = flagged::all(&mailbox).map(|(id, task)| Value::Object(row.row(&id, task))).collect();
        return page(scene, &context, rows, window);
    }
    let listing = Listing { scene, mailbox: &mailbox, kind: RoomKind::Tasks, collection, of: "todoTask" };
    listing.page(&context, window, &row.look, |item| row.row(&row.look.id(item, &mailbox.ids), item.resource()))
}

fn task_delta(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    untaken(scene, "TodoTasks")?;
    let row = TaskRow::of(scene)?;
    let mailbox = mailbox(scene, user)?.read();
    let collection = list_at(&mailbox, key)?;
    let place = format!("tasks {}", mailbox.tasks.collection(collection).id);
    let kind = RoomKind::Tasks;
    let tracked = Tracked { scene, mailbox: &mailbox, user, kind, collection, place, of: "todoTask" };
    let round = tracked.round()?;
    let look = Look::choosing(scene, &TASK, round.select.clone())?;
    if is_flagged(&mailbox, collection) {
        return Ok(flagged::changes(&tracked, round, |id, task| look.row(id, row.dressed(task))));
    }
    tracked.things(round, &look, |item| row.dressed(item.resource()))
}

/// A task that is read for itself: those that are marked fail or vanish now.
///
/// # Errors
/// What the mark says; 404 for what is absent.
pub(super) fn opened(scene: &Scene<'_>, user: &str, list: &str, key: &str) -> Result<Item, Refusal> {
    let lock = mailbox(scene, user)?;
    let slot = {
        let mailbox = lock.read();
        let list = list_at(&mailbox, list)?;
        item_at(scene, &mailbox, RoomKind::Tasks, Some(list), key)?
    };
    vanishing(lock, RoomKind::Tasks, slot)?;
    let item = lock.read().tasks.item(slot).cloned().ok_or_else(Refusal::item_not_found)?;
    readable(&item)?;
    Ok(item)
}

fn one(scene: &Scene<'_>, user: &str, list: &str, key: &str) -> Answer {
    let row = TaskRow::of(scene)?;
    let context = format!("users('{user}')/todo/lists('{list}')/tasks/$entity");
    if let Some(task) = mirrored(scene, user, list, key)? {
        return Ok(entity(scene, &context, row.row(key, task)));
    }
    let item = opened(scene, user, list, key)?;
    let mailbox = mailbox(scene, user)?.read();
    Ok(entity(scene, &context, row.row(&row.look.id(&item, &mailbox.ids), item.resource())))
}

/// The task that stands for a flagged message.
fn mirrored(scene: &Scene<'_>, user: &str, list: &str, key: &str) -> Result<Option<Map<String, Value>>, Refusal> {
    let mailbox = mailbox(scene, user)?.read();
    let collection = list_at(&mailbox, list)?;
    let mut tasks = flagged::all(&mailbox).filter(|_| is_flagged(&mailbox, collection));
    Ok(tasks.find(|(id, _)| id == key).map(|(_, task)| task))
}
