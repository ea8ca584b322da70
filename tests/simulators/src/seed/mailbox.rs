//! One mailbox while it is being filled: its folders with their counts, and its messages.

use serde_json::{Value, json};

use super::dice::Dice;
use super::locale::{Locale, ROLES};
use crate::dump::{Content, Entry};

/// A folder and what stands in it.
struct Folder {
    id: String,
    name: String,
    above: String,
    role: Option<&'static str>,
    kind: Kind,
    total: u64,
    unread: u64,
    bytes: u64,
}

/// How a folder deviates from an ordinary mail folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mail,
    /// Listed only with `includeHiddenFolders=true`.
    Hidden,
    /// A saved query over the inbox; holds nothing of its own.
    Search,
    /// Holds another class of items, `IPF.Contact` for instance.
    Other(&'static str),
}

pub(super) struct Mailbox {
    pub user: String,
    folders: Vec<Folder>,
    messages: Vec<Entry>,
}

impl Mailbox {
    /// With the well-known folders of its language, all empty.
    pub(super) fn new(user: &str, locale: &Locale, dice: &mut Dice) -> Self {
        let mut mailbox = Self { user: user.to_owned(), folders: Vec::new(), messages: Vec::new() };
        for (role, name) in ROLES.into_iter().zip(locale.folders) {
            let above = match role {
                "conflicts" | "localfailures" | "serverfailures" => mailbox.id_of("syncissues"),
                "msgfolderroot" | "searchfolders" => dice.outlook_id("AQMkAG", 120), // outside the visible tree
                _ => mailbox.id_of("msgfolderroot"),
            };
            mailbox.add(&above, name, Some(role), Kind::Mail, dice);
        }
        let dumpster = dice.outlook_id("AQMkAG", 120); // "Recoverable Items" itself is not reachable
        mailbox.add(&dumpster, "Deletions", Some("recoverableitemsdeletions"), Kind::Hidden, dice);
        mailbox
    }

    /// A further folder; answers its id.
    pub(super) fn folder(&mut self, above: &str, name: &str, kind: Kind, dice: &mut Dice) -> String {
        self.add(above, name, None, kind, dice)
    }

    fn add(&mut self, above: &str, name: &str, role: Option<&'static str>, kind: Kind, dice: &mut Dice) -> String {
        let id = dice.outlook_id("AQMkAG", 120);
        let (name, above) = (name.to_owned(), above.to_owned());
        self.folders.push(Folder { id: id.clone(), name, above, role, kind, total: 0, unread: 0, bytes: 0 });
        id
    }

    /// The id of a well-known folder; empty if the mailbox has none of that role.
    pub(super) fn id_of(&self, role: &str) -> String {
        self.folders.iter().find(|folder| folder.role == Some(role)).map(|folder| folder.id.clone()).unwrap_or_default()
    }

    /// How many messages it holds.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// Puts a message where its `parentFolderId` says.
    pub(super) fn push(&mut self, resource: Value, content: Content) {
        let unread = resource["isRead"] == false;
        if let Some(folder) = self.folders.iter_mut().find(|folder| resource["parentFolderId"] == folder.id.as_str()) {
            folder.total += 1;
            folder.unread += u64::from(unread);
            folder.bytes += content.len();
        }
        let user = Some(self.user.clone());
        self.messages.push(Entry { kind: "message".to_owned(), user, resource, parent: None, content: Some(content) });
    }

    /// The lines of folders and messages, folders first and parents before children.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        let folders: Vec<Entry> = self.folders.iter().map(|folder| self.line(folder)).collect();
        folders.into_iter().chain(self.messages).collect()
    }

    fn line(&self, folder: &Folder) -> Entry {
        Entry {
            kind: "mailFolder".to_owned(),
            user: Some(self.user.clone()),
            resource: self.resource(folder),
            parent: folder.role.map(str::to_owned),
            content: None,
        }
    }

    fn resource(&self, folder: &Folder) -> Value {
        let children =
            self.folders.iter().filter(|child| child.above == folder.id && child.kind != Kind::Hidden).count();
        let mut resource = json!({
            "id": folder.id,
            "displayName": folder.name,
            "parentFolderId": folder.above,
            "childFolderCount": children,
            "unreadItemCount": folder.unread,
            "totalItemCount": folder.total,
            "isHidden": folder.kind == Kind::Hidden,
            "singleValueExtendedProperties": [
                { "id": "String 0x3613", "value": class(folder.kind) },
                { "id": "Long 0x0E08", "value": folder.bytes.to_string() },
            ],
        });
        if folder.kind == Kind::Search {
            resource["@odata.type"] = json!("#microsoft.graph.mailSearchFolder");
            resource["isSupported"] = json!(true);
            resource["includeNestedFolders"] = json!(true);
            resource["sourceFolderIds"] = json!([self.id_of("inbox")]);
            resource["filterQuery"] = json!("isRead eq false");
        }
        resource
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Other(class) => class,
        Kind::Mail | Kind::Hidden | Kind::Search => "IPF.Note",
    }
}
