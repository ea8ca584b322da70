//! Messages, listed and single (Microsoft Graph docs: list messages; get message).

use parking_lot::RwLock;
use serde_json::{Map, Value, json};

use super::access::{READ_BASIC_MAIL, folder_at, message_at};
use super::list::{Window, outlook_page};
use super::view::View;
use super::{Answer, Scene};
use crate::tenant::{Mailbox, Marks};
use crate::wire::{Filter, Refusal, Reply};

pub(super) fn list(scene: &Scene<'_>, user: &str, folder: Option<&str>) -> Answer {
    let query = &scene.call.query;
    if query.get("$search").is_some() {
        return Err(Refusal::not_simulated("$search"));
    }
    let view = View::of_messages(scene, query.select(), query.get("$expand"))?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    let folder_at = folder.map(|folder| folder_at(&mailbox, folder)).transpose()?;
    let found = Found::of(scene, &mailbox, folder_at, window)?;
    let mut rows: Vec<Value> = Vec::with_capacity(found.page.len());
    for message in found.page.iter().filter_map(|slot| mailbox.message(*slot)) {
        rows.push(view.listed(&mailbox, message)?.into());
    }
    let place = folder.map(|folder| format!("/mailFolders('{folder}')")).unwrap_or_default();
    let context = format!("users('{user}'){place}/messages");
    let mut page = outlook_page(scene.call, window, &context, rows, found.more);
    if query.is_true("$count") {
        page.insert("@odata.count".to_owned(), found.total.into());
    }
    Ok(Reply::json(page))
}

/// The slots of a page, and what it is a page of.
struct Found {
    page: Vec<u32>,
    more: bool,
    total: usize,
}

impl Found {
    fn of(scene: &Scene<'_>, mailbox: &Mailbox, folder: Option<u32>, window: Window) -> Result<Self, Refusal> {
        let listing = folder.map_or(&mailbox.all, |folder| &mailbox.folder(folder).listing);
        let query = &scene.call.query;
        let filter = query.get("$filter").map(Filter::parse).transpose()?;
        let order = query.get("$orderby").map(Order::parse);
        efficient(filter.as_ref(), order.as_deref())?;
        if filter.is_none() && order.as_deref().is_none_or(Order::is_usual) {
            let page: Vec<u32> = listing.from(window.skip).take(window.size).collect();
            return Ok(Self { page, more: listing.len() > window.skip + window.size, total: listing.len() });
        }
        let slots = sifted(mailbox, listing.from(0).collect(), filter.as_ref(), order.as_deref().unwrap_or_default());
        let page: Vec<u32> = slots.iter().skip(window.skip).take(window.size).copied().collect();
        Ok(Self { page, more: slots.len() > window.skip + window.size, total: slots.len() })
    }
}

/// One property of `$orderby`.
pub(super) struct Order {
    path: String,
    descending: bool,
}

impl Order {
    pub fn parse(text: &str) -> Vec<Self> {
        let one = |part: &str| {
            let (path, direction) = part.trim().split_once(' ').unwrap_or((part.trim(), "asc"));
            Self { path: path.to_owned(), descending: direction.trim().eq_ignore_ascii_case("desc") }
        };
        text.split(',').map(one).collect()
    }

    /// What a row is sorted by: the value at a path, as text.
    pub fn key(&self, row: &Map<String, Value>) -> String {
        let mut steps = self.path.split('/');
        let first = steps.next().and_then(|name| row.get(name));
        let found = steps.fold(first, |at, name| at?.get(name));
        found.map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    pub fn descends(&self) -> bool {
        self.descending
    }

    /// Newest first is how listings stand anyway.
    fn is_usual(orders: &[Self]) -> bool {
        matches!(orders, [one] if one.path == "receivedDateTime" && one.descending)
    }
}

/// Properties of `$orderby` must stand first in `$filter`, in the same order (Microsoft Graph docs: list messages).
fn efficient(filter: Option<&Filter>, orders: Option<&[Order]>) -> Result<(), Refusal> {
    let (Some(filter), Some(orders)) = (filter, orders) else { return Ok(()) };
    let paths = filter.paths();
    let kept = orders
        .iter()
        .zip(paths.iter().map(Some).chain(std::iter::repeat(None)))
        .all(|(order, path)| path.is_some_and(|path| *path == order.path));
    let message = "The restriction or sort order is too complex for this operation.";
    if kept { Ok(()) } else { Err(Refusal::new(400, "InefficientFilter", message)) }
}

/// Filtering and foreign orders read every message: the service does not promise them to be quick either.
fn sifted(mailbox: &Mailbox, slots: Vec<u32>, filter: Option<&Filter>, orders: &[Order]) -> Vec<u32> {
    let resource =
        |slot: u32| Value::Object(mailbox.message(slot).map(crate::tenant::Message::resource).unwrap_or_default());
    let mut rows: Vec<(u32, Value)> = slots.into_iter().map(|slot| (slot, resource(slot))).collect();
    rows.retain(|(_, row)| filter.is_none_or(|filter| filter.holds(row)));
    for order in orders.iter().rev() {
        let key = |row: &Value| row[order.path.as_str()].as_str().unwrap_or_default().to_owned();
        rows.sort_by_cached_key(|(_, row)| key(row));
        if order.descending {
            rows.reverse();
        }
    }
    rows.into_iter().map(|(slot, _)| slot).collect()
}

pub(super) fn count(scene: &Scene<'_>, user: &str, folder: Option<&str>) -> Answer {
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    let folder = folder.map(|folder| folder_at(&mailbox, folder)).transpose()?;
    let everything = Window { skip: 0, size: usize::MAX / 2 };
    Ok(Reply::text(Found::of(scene, &mailbox, folder, everything)?.total.to_string()))
}

pub(super) fn one(scene: &Scene<'_>, user: &str, folder: Option<&str>, key: &str) -> Answer {
    let query = &scene.call.query;
    let view = View::of_messages(scene, query.select(), query.get("$expand"))?;
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?;
    let slot = message_at(scene, &mailbox.read(), folder, key)?;
    let spared = view.is_light() && mailbox.read().message(slot).is_some_and(|message| message.marks().spares_id);
    let slot = if spared { slot } else { opened(scene, mailbox, folder, key)? };
    let mailbox = mailbox.read();
    let message = mailbox.message(slot).ok_or_else(Refusal::item_not_found)?;
    let mut row = Map::new();
    let context = format!("users('{user}')/messages/$entity");
    row.insert("@odata.context".to_owned(), json!(scene.call.context(&context)));
    row.extend(view.row(&mailbox, message));
    Ok(Reply::json(row))
}

/// A message that is read for itself: those that are marked fail or vanish now.
///
/// # Errors
/// What the mark says, and as for [`message_at`].
pub(super) fn opened(
    scene: &Scene<'_>,
    mailbox: &RwLock<Mailbox>,
    folder: Option<&str>,
    key: &str,
) -> Result<u32, Refusal> {
    let slot = message_at(scene, &mailbox.read(), folder, key)?;
    let marks = mailbox.read().message(slot).and_then(|message| message.marks.as_deref().cloned()).unwrap_or_default();
    if marks.vanishes {
        mailbox.write().remove_message(slot);
        return Err(Refusal::item_not_found());
    }
    failure(&marks).map_or(Ok(slot), Err)
}

/// Failures that no retry heals, with the words that tools met.
pub(super) fn failure(marks: &Marks) -> Option<Refusal> {
    let code = marks.fails.as_deref()?;
    let (status, message) = match code {
        "ErrorContentConversionFailed" => (500, "Content conversion failed."),
        "ErrorCorruptData" => (500, "Data is corrupt.,Invalid global object ID: some ID"),
        "ErrorInvalidRecipients" => (400, "At least one recipient is not valid."),
        "ErrorCannotOpenFileAttachment" => (500, "OLE conversion failed for an attachment."),
        "ErrorItemNotFound" => return Some(Refusal::item_not_found()),
        _ => (500, "An internal server error occurred. The operation failed."),
    };
    Some(Refusal::new(marks.status.unwrap_or(status), code, message))
}
