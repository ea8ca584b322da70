//! Changes to calendars, contacts and tasks: what people do to them between two passes. Things are named by either id, by
//! `iCalUId`, or by what they are called; collections by id, by name, or as `calendar`, `contacts` or `tasks` for the
//! default one.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::hand::{Hand, Members, decoded, members};
use super::mutate::mailbox;
use super::{events, room_churn, tasks};
use crate::tenant::RoomKind;
use crate::tenant::agenda::stamp;
use crate::world::World;

/// The operations of this file, by name.
#[rustfmt::skip]
pub(super) const OPS: &[&str] = &[
    "create_calendar", "edit_calendar", "delete_calendar", "create_event", "edit_event", "edit_occurrence",
    "cancel_occurrence", "answer", "move_event", "delete_event", "create_contact_folder", "edit_contact_folder",
    "delete_contact_folder", "create_contact", "edit_contact", "set_photo", "move_contact", "delete_contact",
    "create_task_list", "edit_task_list", "delete_task_list", "create_task", "edit_task", "complete_task", "move_task", "delete_task",
    "churn_events", "churn_contacts", "churn_tasks",
];

#[derive(Deserialize)]
pub(super) struct Operation {
    /// The mailbox, by address or id.
    user: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum What {
    CreateCalendar {
        name: String,
        /// The id of a calendar group.
        group: Option<String>,
        #[serde(default)]
        set: Members,
    },
    EditCalendar {
        calendar: String,
        set: Members,
    },
    DeleteCalendar {
        calendar: String,
    },
    CreateEvent {
        calendar: Option<String>,
        set: Members,
    },
    EditEvent {
        event: String,
        set: Members,
    },
    /// Makes the day of a series an exception, or changes the one it is.
    EditOccurrence {
        event: String,
        date: Date,
        set: Members,
    },
    CancelOccurrence {
        event: String,
        date: Date,
    },
    /// Somebody who was asked answers: to a series, a single event or one day of a series.
    Answer {
        event: String,
        date: Option<Date>,
        /// The address of who answers.
        attendee: String,
        /// As Microsoft Graph names answers: `accepted`, `declined`, ...
        response: String,
    },
    MoveEvent {
        event: String,
        to: String,
    },
    DeleteEvent {
        event: String,
    },
    CreateContactFolder {
        name: String,
        parent: Option<String>,
    },
    EditContactFolder {
        folder: String,
        set: Members,
    },
    DeleteContactFolder {
        folder: String,
    },
    CreateContact {
        folder: Option<String>,
        set: Members,
        /// base64
        photo: Option<String>,
    },
    EditContact {
        contact: String,
        set: Members,
    },
    /// Takes the photo away if none is given.
    SetPhoto {
        contact: String,
        photo: Option<String>,
    },
    MoveContact {
        contact: String,
        to: String,
    },
    DeleteContact {
        contact: String,
    },
    CreateTaskList {
        name: String,
    },
    EditTaskList {
        list: String,
        set: Members,
    },
    DeleteTaskList {
        list: String,
    },
    CreateTask {
        list: Option<String>,
        set: Members,
    },
    EditTask {
        task: String,
        set: Members,
    },
    /// Ticks a task off; one that repeats comes again at its next day.
    CompleteTask {
        task: String,
    },
    MoveTask {
        task: String,
        to: String,
    },
    DeleteTask {
        task: String,
    },
    /// So many changes that a seed decides.
    ChurnEvents {
        seed: u64,
        count: u32,
    },
    ChurnContacts {
        seed: u64,
        count: u32,
    },
    ChurnTasks {
        seed: u64,
        count: u32,
    },
}

use RoomKind::{Calendars, Contacts, Tasks};

impl Operation {
    pub fn apply(&self, world: &World) -> Result<Value, String> {
        let mut mailbox = mailbox(world, &self.user)?.write();
        let switches = world.knobs().switches.clone();
        let (touches, photos_touch) = (switches.exceptions_touch_master, switches.photo_touches_contact);
        let owner = world.tenant.any_address(&self.user).map(|user| user.upn.clone()).unwrap_or_default();
        let mut hand = Hand { mailbox: &mut mailbox, now: stamp(world.now()), touches, photos_touch, owner };
        match &self.what {
            What::ChurnEvents { .. } | What::ChurnContacts { .. } | What::ChurnTasks { .. } => {
                self.what.churn(&mut hand)
            }
            What::CreateCalendar { .. } | What::CreateContactFolder { .. } | What::CreateTaskList { .. } => {
                self.what.collect(&mut hand)
            }
            What::CreateEvent { .. } | What::CreateContact { .. } | What::CreateTask { .. } => {
                self.what.create(&mut hand)
            }
            _ => self.what.change(&mut hand),
        }
    }
}

impl What {
    fn churn(&self, hand: &mut Hand<'_>) -> Result<Value, String> {
        let (kind, seed, count) = match self {
            Self::ChurnEvents { seed, count } => (Calendars, *seed, *count),
            Self::ChurnContacts { seed, count } => (Contacts, *seed, *count),
            Self::ChurnTasks { seed, count } => (Tasks, *seed, *count),
            _ => return Err("This is no churn.".to_owned()),
        };
        Ok(room_churn::stir(hand, kind, seed, count))
    }

    fn collect(&self, hand: &mut Hand<'_>) -> Result<Value, String> {
        match self {
            Self::CreateCalendar { name, group, set } => {
                let mut resource = hand.calendar(name);
                resource.extend(set.clone());
                hand.add_collection(Calendars, resource, group.clone())
            }
            Self::CreateContactFolder { name, parent } => {
                let parent = parent.as_deref().map(|parent| hand.collection_at(Contacts, parent)).transpose()?;
                let mut resource = members(json!({"displayName": name}));
                if let Some(parent) = parent {
                    let id = hand.mailbox.contacts.collection(parent).id.to_string();
                    resource.insert("parentFolderId".to_owned(), id.into());
                }
                hand.add_collection(Contacts, resource, None)
            }
            Self::CreateTaskList { name } => {
                let list =
                    json!({"displayName": name, "isOwner": true, "isShared": false, "wellknownListName": "none"});
                hand.add_collection(Tasks, members(list), None)
            }
            _ => Err("This makes no collection.".to_owned()),
        }
    }

    fn create(&self, hand: &mut Hand<'_>) -> Result<Value, String> {
        match self {
            Self::CreateEvent { calendar, set } => events::create(hand, calendar.as_deref(), set),
            Self::CreateContact { folder, set, photo } => {
                let photo = photo.as_deref().map(decoded).transpose()?;
                hand.create_contact(folder.as_deref(), set, photo)
            }
            Self::CreateTask { list, set } => tasks::create(hand, list.as_deref(), set),
            _ => Err("This makes nothing.".to_owned()),
        }
    }

    fn change(&self, hand: &mut Hand<'_>) -> Result<Value, String> {
        match self {
            Self::EditCalendar { calendar, set } => hand.edit_collection(Calendars, calendar, set),
            Self::EditContactFolder { folder, set } => hand.edit_collection(Contacts, folder, set),
            Self::EditTaskList { list, set } => hand.edit_collection(Tasks, list, set),
            Self::DeleteCalendar { calendar } => hand.delete_collection(Calendars, calendar),
            Self::DeleteContactFolder { folder } => hand.delete_collection(Contacts, folder),
            Self::DeleteTaskList { list } => hand.delete_collection(Tasks, list),
            Self::EditEvent { event, set } => events::edit(hand, event, set),
            Self::EditOccurrence { event, date, set } => events::edit_day(hand, event, *date, set),
            Self::CancelOccurrence { event, date } => events::cancel_day(hand, event, *date),
            Self::Answer { event, date, attendee, response } => events::answer(hand, event, *date, attendee, response),
            Self::EditContact { contact, set } => hand.edit(Contacts, contact, set),
            Self::EditTask { task, set } => tasks::edit(hand, task, set),
            Self::CompleteTask { task } => tasks::complete(hand, task),
            Self::SetPhoto { contact, photo } => hand.set_photo(contact, photo.as_deref()),
            Self::MoveEvent { event, to } => hand.shift(Calendars, event, to),
            Self::MoveContact { contact, to } => hand.shift(Contacts, contact, to),
            Self::MoveTask { task, to } => hand.shift(Tasks, task, to),
            Self::DeleteEvent { event } => events::delete(hand, event),
            Self::DeleteContact { contact } => hand.delete(Contacts, contact),
            Self::DeleteTask { task } => hand.delete(Tasks, task),
            _ => Err("This changes nothing.".to_owned()),
        }
    }
}
