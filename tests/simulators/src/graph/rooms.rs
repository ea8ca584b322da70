//! What collections of all kinds share: pages of rows, filters and orders, ids that name nothing.

use parking_lot::RwLock;
use serde_json::{Map, Value};

use super::list::{Window, outlook_page};
use super::messages::Order;
use super::shape::{Look, listable};
use super::{Answer, Scene};
use crate::tenant::{Item, Mailbox, RoomKind, looks_like_an_id};
use crate::wire::{Filter, Refusal, Reply};

/// A page of rows that were all put together; small collections, or such as must be computed anyway.
pub(super) fn page(scene: &Scene<'_>, context: &str, rows: Vec<Value>, window: Window) -> Answer {
    let total = rows.len();
    let shown = rows.into_iter().skip(window.skip).take(window.size).collect();
    let more = total > window.skip.saturating_add(window.size);
    let mut page = outlook_page(scene.call, window, context, shown, more);
    if scene.call.query.is_true("$count") {
        page.insert("@odata.count".to_owned(), total.into());
    }
    Ok(Reply::json(page))
}

/// `$filter` and `$orderby`, if a request has them.
pub(super) struct Sieve {
    filter: Option<Filter>,
    orders: Vec<Order>,
}

impl Sieve {
    /// # Errors
    /// 400 for a filter that is none, and for `$search`, which these collections do not take.
    pub fn of(scene: &Scene<'_>, what: &str) -> Result<Self, Refusal> {
        let query = &scene.call.query;
        if query.get("$search").is_some() {
            let message = format!("The query parameter '$search' is not supported for '{what}'.");
            return Err(Refusal::new(400, "ErrorInvalidUrlQuery", message));
        }
        let filter = query.get("$filter").map(Filter::parse).transpose()?;
        Ok(Self { filter, orders: query.get("$orderby").map(Order::parse).unwrap_or_default() })
    }

    pub fn is_idle(&self) -> bool {
        self.filter.is_none() && self.orders.is_empty()
    }

    /// Things with their whole resources, sifted and in order.
    pub fn sift<T>(&self, mut rows: Vec<(T, Map<String, Value>)>) -> Vec<T> {
        let holds = |row: &Map<String, Value>| {
            self.filter.as_ref().is_none_or(|filter| filter.holds(&Value::Object(row.clone())))
        };
        rows.retain(|(_, row)| holds(row));
        for order in self.orders.iter().rev() {
            rows.sort_by_cached_key(|(_, row)| order.key(row));
            if order.descends() {
                rows.reverse();
            }
        }
        rows.into_iter().map(|(thing, _)| thing).collect()
    }
}

/// A page of what lies in a collection.
pub(super) struct Listing<'a> {
    pub scene: &'a Scene<'a>,
    pub mailbox: &'a Mailbox,
    pub kind: RoomKind,
    pub collection: u32,
    pub of: &'static str,
}

impl Listing<'_> {
    /// # Errors
    /// As for [`Sieve::of`].
    pub fn slots(&self) -> Result<Vec<u32>, Refusal> {
        let sieve = Sieve::of(self.scene, self.of)?;
        let items = self.mailbox.room(self.kind).items_of(self.collection);
        if sieve.is_idle() {
            return Ok(items.map(|(slot, _)| slot).collect());
        }
        Ok(sieve.sift(items.map(|(slot, item)| (slot, item.resource())).collect()))
    }

    /// # Errors
    /// 500 if one of them spoils the page, and as for [`Sieve::of`].
    pub fn page(
        &self,
        context: &str,
        window: Window,
        look: &Look,
        row: impl Fn(&Item) -> Map<String, Value>,
    ) -> Answer {
        let slots = self.slots()?;
        let mut rows = Vec::new();
        for slot in slots.iter().skip(window.skip).take(window.size) {
            let Some(item) = self.mailbox.room(self.kind).item(*slot) else { continue };
            listable(item, look.is_light())?;
            rows.push(row(item).into());
        }
        let more = slots.len() > window.skip.saturating_add(window.size);
        let mut page = outlook_page(self.scene.call, window, context, rows, more);
        if self.scene.call.query.is_true("$count") {
            page.insert("@odata.count".to_owned(), slots.len().into());
        }
        Ok(Reply::json(page))
    }
}

/// A thing of a room by either id, inside a collection if one is named.
///
/// # Errors
/// 404 for what is absent or lies elsewhere, 400 for what cannot be an id.
pub(super) fn item_at(
    scene: &Scene<'_>,
    mailbox: &Mailbox,
    kind: RoomKind,
    collection: Option<u32>,
    key: &str,
) -> Result<u32, Refusal> {
    well_formed(scene, key)?;
    let room = mailbox.room(kind);
    let slot = room.item_named(key, &mailbox.ids).ok_or_else(Refusal::item_not_found)?;
    let lies_there = collection.is_none_or(|at| room.item(slot).is_some_and(|item| item.collection == at));
    if lies_there { Ok(slot) } else { Err(Refusal::item_not_found()) }
}

/// # Errors
/// 400 for what cannot be an id, or is one in a form that was not asked for.
pub(super) fn well_formed(scene: &Scene<'_>, key: &str) -> Result<(), Refusal> {
    let strict = scene.world.knobs().switches.strict_immutable_ids;
    let odd = key.starts_with("AAkA") && strict && !scene.call.prefer().immutable_ids;
    if odd || !looks_like_an_id(key) { Err(Refusal::malformed_id()) } else { Ok(()) }
}

/// A collection by id, or by the name of the default one.
///
/// # Errors
/// 404 for what is absent, 400 for what cannot be an id.
pub(super) fn collection_at(mailbox: &Mailbox, kind: RoomKind, name: &str, key: &str) -> Result<u32, Refusal> {
    if key.eq_ignore_ascii_case(name) {
        return mailbox.default_of(kind).ok_or_else(Refusal::item_not_found);
    }
    if !looks_like_an_id(key) {
        return Err(Refusal::malformed_id());
    }
    mailbox.room(kind).named(key).ok_or_else(Refusal::item_not_found)
}

/// Deletes a thing that is marked to vanish when it is first read.
///
/// # Errors
/// 404 if it did.
pub(super) fn vanishing(mailbox: &RwLock<Mailbox>, kind: RoomKind, slot: u32) -> Result<(), Refusal> {
    let marked = mailbox.read().room(kind).item(slot).is_some_and(|item| item.marks().vanishes);
    if !marked {
        return Ok(());
    }
    let mut mailbox = mailbox.write();
    let (room, mut pen) = mailbox.room_mut(kind);
    room.remove_item(slot, &mut pen);
    Err(Refusal::item_not_found())
}
