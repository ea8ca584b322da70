//! The tenant dump: what a simulated tenant holds, as one folder of JSON Lines and blobs.
//!
//! `tenant.jsonl` begins with `{"format": "tenant-dump/1", "provider": "graph"}`; every other line is one thing of the
//! tenant (`kind`, `user`, `resource`, `parent`, `content`). Bodies are files named by the line, or base64 within it.
//! The frame is read strictly and the resources leniently: real tenants hold fields that nobody expected.
//!
//! Beside the kinds that Microsoft's own resources name, a graph dump may hold `masterCategory` (one entry of
//! `/outlook/masterCategories`, with the mailbox as `user`). A user has a mailbox if a line of anything that lies in
//! mailboxes names them. The tree of a mailbox hangs from the `mailFolder` whose `parent` is `msgfolderroot`;
//! a folder whose `parentFolderId` leads elsewhere (`recoverableitemsdeletions`) is reached by its name or id only.
//!
//! A `calendarGroup` is one entry of `/calendarGroups`; the `parent` of a `calendar` may name one, and is the first
//! group otherwise. Permissions of a calendar stand in its resource as `calendarPermissions`, attachments of an event in
//! `attachments`, what belongs to a task in `checklistItems`, `linkedResources` and `attachments`, as `$expand` shows
//! them. The `content` of a contact is its photo. The `contactFolder` whose `parent` is `contacts` is the default one.
//!
//! A key that begins with `_` in a resource is a note to the simulator and is never served. `_sim` may hold `fails`
//! (the error code that every read of this item answers), `poisons` (true if one such item turns the whole list page
//! into an error) and `attachments` (those that the MIME does not hold, links to shared files, listed after those that
//! it does). On a series, `zone` names the IANA zone in which it takes place where its own name says nothing
//! (`tzone://Microsoft/Custom`). On a calendar, `hidden` keeps it out of lists, and `delta_most` is the page size above
//! which its change tracking answers 503.
//!
//! A `drive` belongs to its `user`, or to the site or group that its `parent` names; a `site` to the group or site above
//! it that its `parent` names. A `driveItem` says in `parentReference` which drive it lies in and below what; one that
//! says nothing lies in the first drive of its `user`. Where it has content and says neither `size` nor `file.hashes`,
//! both are counted from the content; what it does say is served, true or not, until it changes. Its columns stand in
//! `listItem`, its retention label in `retentionLabel`, as `$expand` shows them, and the columns of a library in
//! `list.columns` of its `drive`. Two kinds are added: a `driveItemVersion` (parent: the item) is a former version with
//! the content it had; a `channel` (parent: the group) is a channel of a team, with its `filesFolder`.
//!
//! `_sim` of a `driveItem` may hold `fails` and `status` (what reading its content answers), `vanishes` (true: it is
//! deleted when somebody first reads it by itself), `unique` (true: it does not inherit permissions) and
//! `sensitivityLabels` with `label_fails` (what the extraction of labels answers). `_sim` of a `drive` or a `site` may
//! hold `locked`, `forbidden`, `missing` and `hidden`; that of a `site` also `selected` (true: `Sites.Selected` opens it).

mod content;
mod error;
mod read;
mod write;

use std::io;
use std::path::Path;

pub use content::Content;
pub use error::{Complaint, DumpError};
use serde::{Deserialize, Serialize};

/// The name of the file of lines in a dump's folder.
pub const LINES: &str = "tenant.jsonl";
/// The folder of bodies beside it.
pub const BLOBS: &str = "blobs";
/// The only format this version writes and reads.
pub const FORMAT: &str = "tenant-dump/1";

/// Whose tenant it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Graph,
    Google,
}

/// A whole tenant, in the order of its lines: what is referred to stands before what refers to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dump {
    pub provider: Provider,
    pub entries: Vec<Entry>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// One of [`Provider::kinds`].
    pub kind: String,
    /// The source address the thing belongs to: the `userPrincipalName`, for graph.
    pub user: Option<String>,
    /// As the API would answer it with every field and no `Prefer` header.
    pub resource: serde_json::Value,
    /// What holds it, where the resource does not say so: for a `mailFolder` its well-known name.
    pub parent: Option<String>,
    /// Its bytes.
    pub content: Option<Content>,
}

impl Provider {
    /// Every kind a line of this provider's dump may have.
    #[must_use]
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Graph => GRAPH_KINDS,
            Self::Google => GOOGLE_KINDS,
        }
    }
}

/// Kinds of graph things that cannot stand without a mailbox.
#[rustfmt::skip]
const OF_A_MAILBOX: &[&str] = &[
    "mailFolder", "message", "messageRule", "mailboxSettings", "masterCategory", "calendarGroup", "contactFolder",
    "contact", "todoTaskList", "todoTask",
];

#[rustfmt::skip]
const GRAPH_KINDS: &[&str] = &[
    "user", "group", "member", "mailFolder", "message", "messageRule", "mailboxSettings", "masterCategory",
    "calendarGroup", "calendar", "event", "contactFolder", "contact", "todoTaskList", "todoTask", "drive", "driveItem", "permission",
    "site", "driveItemVersion", "channel",
];

#[rustfmt::skip]
const GOOGLE_KINDS: &[&str] = &[
    "user", "group", "member", "label", "message", "filter", "sendAs", "vacation", "calendarListEntry", "event",
    "aclRule", "contactGroup", "person", "taskList", "task", "drive", "file", "permission",
];

impl Dump {
    /// Reads a folder.
    ///
    /// # Errors
    /// The first thing wrong with the frame, with file and line: an unreadable file, a first line that is not one,
    /// an unknown kind, a body that is absent, outside the folder, or not what `size` and `sha256` say.
    pub fn load(dir: &Path) -> Result<Self, DumpError> {
        read::folder(dir)
    }

    /// Writes a folder, bodies first and the lines last, so that a folder with lines is whole. Equal bodies are
    /// stored once. A dump already there is replaced; blobs that no line names any more stay.
    ///
    /// # Errors
    /// What the file system answered, with the file.
    pub fn save(&self, dir: &Path) -> Result<(), DumpError> {
        write::folder(self, dir)
    }

    /// Writes the lines alone, with bodies as base64 in them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn to_jsonl(&self, out: &mut impl io::Write) -> io::Result<()> {
        write::lines(self, out)
    }
}
