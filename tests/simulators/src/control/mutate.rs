//! Changes to the tenant while it is being read: what people do to their mail between two passes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::RwLock;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{churn, files, rooms};
use crate::dump::Content;
use crate::tenant::{Folder, Mailbox, outlook_time, resource_of};
use crate::world::World;

#[derive(Deserialize)]
struct Operation {
    /// The mailbox, by address or id. `churn` without one stirs every mailbox.
    user: Option<String>,
    #[serde(flatten)]
    what: What,
}

/// Messages are named by either id or by `internetMessageId`, folders by id, well-known name or path from the root.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum What {
    /// Sets members of a message's resource.
    Edit {
        message: String,
        set: Map<String, Value>,
    },
    /// Replied to (102), to all (103) or forwarded (104).
    Reply {
        message: String,
        verb: u32,
    },
    /// New bytes and the resource they show, for a draft.
    Rewrite {
        message: String,
        mime: String,
    },
    Move {
        message: String,
        to: String,
    },
    /// Into Deleted Items, or for good.
    Delete {
        message: String,
        #[serde(default)]
        hard: bool,
    },
    /// A message arrives; `mime` is base64.
    NewMessage {
        folder: String,
        mime: String,
        #[serde(default)]
        set: Map<String, Value>,
    },
    CreateFolder {
        parent: Option<String>,
        name: String,
        #[serde(default)]
        hidden: bool,
    },
    RenameFolder {
        folder: String,
        name: String,
    },
    MoveFolder {
        folder: String,
        to: String,
    },
    DeleteFolder {
        folder: String,
    },
    /// So many small changes that a seed decides.
    Churn {
        seed: u64,
        count: u32,
    },
}

/// Does one operation, or a list of them in order, and answers what each of them made.
pub(crate) fn mutate(world: &World, operations: Value) -> Result<Value, String> {
    let operations = match operations {
        Value::Array(several) => several,
        one => vec![one],
    };
    let operations = operations.into_iter().map(Wish::read).collect::<Result<Vec<_>, _>>()?;
    let done: Result<Vec<Value>, String> = operations.iter().map(|operation| operation.apply(world)).collect();
    Ok(json!({"done": done?}))
}

/// An operation on mail, on calendars, contacts and tasks, or on drives.
enum Wish {
    Mail(Operation),
    Room(rooms::Operation),
    Files(files::Operation),
}

impl Wish {
    fn read(operation: Value) -> Result<Self, String> {
        let name = operation["op"].as_str().unwrap_or_default();
        let read = if rooms::OPS.contains(&name) {
            serde_json::from_value(operation).map(Self::Room)
        } else if files::OPS.contains(&name) {
            serde_json::from_value(operation).map(Self::Files)
        } else {
            serde_json::from_value(operation).map(Self::Mail)
        };
        read.map_err(|why| format!("Not an operation: {why}. Each has \"op\", \"user\" and the members of its op."))
    }

    fn apply(&self, world: &World) -> Result<Value, String> {
        match self {
            Self::Mail(operation) => operation.apply(world),
            Self::Room(operation) => operation.apply(world),
            Self::Files(operation) => operation.apply(world),
        }
    }
}

impl Operation {
    fn apply(&self, world: &World) -> Result<Value, String> {
        match (&self.user, &self.what) {
            (None, What::Churn { seed, count }) => {
                let stirred =
                    world.tenant.mailboxes().map(|(user, mailbox)| churn::stir(world, user, mailbox, *seed, *count));
                Ok(stirred.collect::<Vec<Value>>().into())
            }
            (None, _) => Err("Name the \"user\" whose mailbox is meant.".to_owned()),
            (Some(name), What::Churn { seed, count }) => {
                let user = world.tenant.any_address(name).ok_or_else(|| format!("There is no user {name}."))?;
                let mailbox = user.mailbox.as_ref().ok_or_else(|| format!("{name} has no mailbox."))?;
                Ok(churn::stir(world, user, mailbox, *seed, *count))
            }
            (Some(name), what) => what.apply(world, mailbox(world, name)?),
        }
    }
}

pub(super) fn mailbox<'a>(world: &'a World, name: &str) -> Result<&'a RwLock<Mailbox>, String> {
    let user = world.tenant.any_address(name).ok_or_else(|| format!("There is no user {name}."))?;
    user.mailbox.as_ref().ok_or_else(|| format!("{name} has no mailbox."))
}

impl What {
    fn apply(&self, world: &World, mailbox: &RwLock<Mailbox>) -> Result<Value, String> {
        let mut mailbox = mailbox.write();
        let now = outlook_time(world.now());
        match self {
            Self::Edit { message, set } => {
                let slot = message_at(&mailbox, message)?;
                edit(world, &mut mailbox, slot, set)
            }
            Self::Reply { message, verb } => {
                let slot = message_at(&mailbox, message)?;
                replied(&mut mailbox, slot, *verb, &now);
                Ok(shown(&mailbox, slot))
            }
            Self::Rewrite { message, mime } => rewrite(world, &mut mailbox, message, mime),
            Self::Move { message, to } => {
                let (slot, to) = (message_at(&mailbox, message)?, folder_at(&mailbox, to)?);
                mailbox.move_message(slot, to);
                Ok(shown(&mailbox, slot))
            }
            Self::Delete { message, hard } => {
                let slot = message_at(&mailbox, message)?;
                delete(&mut mailbox, slot, *hard)
            }
            Self::NewMessage { folder, mime, set } => arrive(world, &mut mailbox, folder, mime, set),
            Self::CreateFolder { parent, name, hidden } => create(&mut mailbox, parent.as_deref(), name, *hidden),
            Self::RenameFolder { folder, name } => {
                let at = folder_at(&mailbox, folder)?;
                mailbox.rename_folder(at, name);
                Ok(folder_shown(&mailbox, at))
            }
            Self::MoveFolder { folder, to } => {
                let (at, to) = (folder_at(&mailbox, folder)?, folder_at(&mailbox, to)?);
                if std::iter::successors(Some(to), |&above| mailbox.folder(above).parent).any(|above| above == at) {
                    return Err(format!("{folder} cannot be moved into itself or below itself."));
                }
                mailbox.move_folder(at, to);
                Ok(folder_shown(&mailbox, at))
            }
            Self::DeleteFolder { folder } => {
                let at = folder_at(&mailbox, folder)?;
                mailbox.remove_folder(at);
                Ok(folder_shown(&mailbox, at))
            }
            Self::Churn { .. } => Err("A churn is no change of a single thing.".to_owned()),
        }
    }
}

fn shown(mailbox: &Mailbox, slot: u32) -> Value {
    let message = mailbox.message(slot);
    message.map_or(
        Value::Null,
        |message| json!({"id": &*message.id, "immutableId": mailbox.immutable_id(message.first_id())}),
    )
}

fn folder_shown(mailbox: &Mailbox, at: u32) -> Value {
    json!({"id": &*mailbox.folder(at).id})
}

fn message_at(mailbox: &Mailbox, name: &str) -> Result<u32, String> {
    let by_internet_id = || {
        let named = |slot: &u32| {
            mailbox
                .message(*slot)
                .is_some_and(|message| message.resource().get("internetMessageId").is_some_and(|id| id == name))
        };
        mailbox.all.from(0).find(named)
    };
    mailbox.message_named(name).or_else(by_internet_id).ok_or_else(|| format!("There is no message {name}."))
}

/// A folder by id, well-known name, or a path like `/Inbox/Projects`.
fn folder_at(mailbox: &Mailbox, name: &str) -> Result<u32, String> {
    let found = mailbox.folder_named(name).or_else(|| by_path(mailbox, name));
    found.ok_or_else(|| format!("There is no folder {name}."))
}

fn by_path(mailbox: &Mailbox, path: &str) -> Option<u32> {
    let names = path.strip_prefix('/')?.split('/');
    names.into_iter().try_fold(mailbox.root()?, |at, name| {
        let children = mailbox.visible_children(mailbox.folder(at), true);
        children.into_iter().find(|child| mailbox.folder(*child).name == name)
    })
}

/// Sets members. Read marks alone do not move `lastModifiedDateTime`, as tools met it.
pub(super) fn edit(world: &World, mailbox: &mut Mailbox, slot: u32, set: &Map<String, Value>) -> Result<Value, String> {
    if let Some(fixed) = set.keys().find(|name| ["id", "parentFolderId", "changeKey"].contains(&name.as_str())) {
        return Err(format!("{fixed} cannot be set; use move for folders."));
    }
    let only_read = set.keys().all(|name| name == "isRead");
    let modified = !only_read || world.knobs().switches.read_moves_modified;
    let mut fields: Vec<&str> = set.keys().map(String::as_str).collect();
    if modified {
        fields.extend(["lastModifiedDateTime", "changeKey"]);
    }
    let now = outlook_time(world.now());
    mailbox.edit_message(slot, &fields, |message, change_key| {
        let mut resource = message.resource();
        resource.extend(set.clone());
        resource.insert("changeKey".to_owned(), change_key.into());
        if modified {
            resource.insert("lastModifiedDateTime".to_owned(), now.as_str().into());
        }
        message.keep(&resource);
    });
    Ok(shown(mailbox, slot))
}

/// Answering a message sets two extended properties and touches it.
pub(super) fn replied(mailbox: &mut Mailbox, slot: u32, verb: u32, now: &str) {
    let fields = ["singleValueExtendedProperties", "lastModifiedDateTime", "changeKey"];
    mailbox.edit_message(slot, &fields, |message, change_key| {
        let mut resource = message.resource();
        let stated = resource.entry("singleValueExtendedProperties").or_insert_with(|| json!([]));
        if let Some(stated) = stated.as_array_mut() {
            stated.retain(|one| !matches!(one["id"].as_str(), Some("Integer 0x1081")));
            stated.push(json!({"id": "Integer 0x1081", "value": verb.to_string()}));
        }
        resource.insert("changeKey".to_owned(), change_key.into());
        resource.insert("lastModifiedDateTime".to_owned(), now.into());
        message.keep(&resource);
    });
}

fn decoded(mime: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(mime).map_err(|why| format!("The mime is not base64: {why}."))
}

fn rewrite(world: &World, mailbox: &mut Mailbox, name: &str, mime: &str) -> Result<Value, String> {
    let mime = decoded(mime)?;
    let slot = message_at(mailbox, name)?;
    let shows = resource_of(&mime, world.now());
    let kept =
        ["createdDateTime", "receivedDateTime", "isRead", "isDraft", "flag", "categories", "inferenceClassification"];
    let changed: Vec<(String, Value)> = shows.into_iter().filter(|(name, _)| !kept.contains(&name.as_str())).collect();
    let mut fields: Vec<&str> = changed.iter().map(|(name, _)| name.as_str()).collect();
    fields.push("changeKey");
    mailbox.edit_message(slot, &fields, |message, change_key| {
        let mut resource = message.resource();
        resource.shift_remove("attachments");
        resource.extend(changed.clone());
        resource.insert("changeKey".to_owned(), change_key.into());
        message.content = Some(Content::Bytes(mime.into()));
        message.keep(&resource);
    });
    Ok(shown(mailbox, slot))
}

/// A soft deletion is a move to Deleted Items; one from there is for good.
pub(super) fn delete(mailbox: &mut Mailbox, slot: u32, hard: bool) -> Result<Value, String> {
    let from = mailbox.message(slot).map(|message| message.folder);
    let bin = mailbox.folder_named("deleteditems");
    match bin.filter(|bin| !hard && Some(*bin) != from) {
        Some(bin) => {
            mailbox.move_message(slot, bin);
            Ok(shown(mailbox, slot))
        }
        None => {
            let gone = shown(mailbox, slot);
            mailbox.remove_message(slot);
            Ok(gone)
        }
    }
}

fn arrive(
    world: &World,
    mailbox: &mut Mailbox,
    folder: &str,
    mime: &str,
    set: &Map<String, Value>,
) -> Result<Value, String> {
    let mime = decoded(mime)?;
    let folder = folder_at(mailbox, folder)?;
    let slot = deliver(world, mailbox, folder, mime, set.clone());
    Ok(shown(mailbox, slot))
}

/// Puts a new message into a folder.
pub(super) fn deliver(
    world: &World,
    mailbox: &mut Mailbox,
    folder: u32,
    mime: Vec<u8>,
    set: Map<String, Value>,
) -> u32 {
    let mut resource = resource_of(&mime, world.now());
    let step = mailbox.trail.head() + 1;
    resource.insert("changeKey".to_owned(), mailbox.ids.change_key(step).into());
    let topic = resource.get("subject").and_then(Value::as_str).unwrap_or_default().to_owned();
    resource.insert("conversationId".to_owned(), mailbox.ids.conversation(&topic).into());
    resource.extend(set);
    mailbox.add_message(folder, resource, Content::Bytes(mime.into()))
}

fn create(mailbox: &mut Mailbox, parent: Option<&str>, name: &str, hidden: bool) -> Result<Value, String> {
    let parent = match parent {
        Some(parent) => folder_at(mailbox, parent)?,
        None => mailbox.root().ok_or("The mailbox has no root.")?,
    };
    let taken =
        mailbox.visible_children(mailbox.folder(parent), true).iter().any(|at| mailbox.folder(*at).name == name);
    if taken {
        return Err(format!("A folder {name} is there already."));
    }
    let mut folder = Folder::new(&mailbox.ids.folder(mailbox.trail.head() + 1), name);
    folder.parent = Some(parent);
    folder.rest.insert("isHidden".to_owned(), hidden.into());
    let at = mailbox.add_folder(folder);
    Ok(folder_shown(mailbox, at))
}
