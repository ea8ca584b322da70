//! The vocabulary: accounts, workloads, collections, feeds, and what a check found.

use crate::{AccountId, CollectionId, Cursor, FeedId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One kind of data an account owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    Mail,
    Calendar,
    Contacts,
    Tasks,
    Files,
}

impl Workload {
    pub const ALL: [Self; 5] = [Self::Mail, Self::Calendar, Self::Contacts, Self::Tasks, Self::Files];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Calendar => "calendar",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
            Self::Files => "files",
        }
    }

    /// What people call one of its items.
    pub const fn item(self) -> &'static str {
        match self {
            Self::Mail => "message",
            Self::Calendar => "event",
            Self::Contacts => "contact",
            Self::Tasks => "task",
            Self::Files => "file",
        }
    }

    /// What people call one of its collections.
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Mail | Self::Files => "folder",
            Self::Calendar => "calendar",
            Self::Contacts => "address book",
            Self::Tasks => "task list",
        }
    }

    /// `1 event`, `3 events`.
    pub fn items(self, number: u64) -> String {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {}{plural}", self.item())
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name() == name)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who a connector speaks to. A store remembers both of its sides and refuses to mix two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The connector: `graph`, `imap`, `folder`.
    pub connector: String,
    /// What makes two of them different: a tenant id, a host and port, a directory. No secret, no user. Empty where
    /// it cannot be told now (a sign-in host that does not answer).
    pub place: String,
}

/// What owns data on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Person,
    Shared,
    Room,
    Equipment,
    Guest,
    Group,
    Site,
    SharedDrive,
    /// The provider named a kind this version does not know; the account is listed, and moved if asked for.
    Unknown,
}

/// Whether an account has data of a workload at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Present,
    /// There is none, in one sentence: "no Exchange Online mailbox (MailboxNotEnabledForRESTAPI)".
    Absent(String),
    /// It may exist, but the credentials do not reach it, in one sentence.
    Denied(String),
}

/// How much there is, as far as the provider told without listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub items: Option<u64>,
    pub bytes: Option<u64>,
}

/// One owner of data on a side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    /// The address people know it by; unique on its side, compared without case.
    pub address: String,
    pub name: String,
    pub kind: AccountKind,
    /// Other addresses of the same owner (proxy addresses), without the first.
    pub aliases: Vec<String>,
    pub enabled: bool,
    pub workloads: Vec<(Workload, Presence, Size)>,
}

/// Data that no later step of a migration can reach, and the step that rescues it while the source still lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    /// `in_place_archive`, `group_conversations`, `public_folders`, `rights_protected_mail`: stable, for scripts.
    pub kind: String,
    /// Whose, or `None` for the tenant's own.
    pub account: Option<AccountId>,
    pub size: Size,
    /// What the administrator does about it, one sentence.
    pub rescue: String,
}

/// One page of discovery.
#[derive(Clone, Debug, Default)]
pub struct AccountPage {
    pub accounts: Vec<Account>,
    pub unreachable: Vec<Unreachable>,
    pub next: Option<Cursor>,
}

/// What a collection is for, whatever its owner's language calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Ordinary,
    /// The account's own first calendar, address book or task list.
    Default,
    Inbox,
    Sent,
    Drafts,
    Deleted,
    Junk,
    Archive,
    Outbox,
    ConversationHistory,
    SyncIssues,
    RecoverableItems,
    /// Its owner may not write into it: the service fills it, or somebody elsewhere. What its name says decides whether it
    /// is ordinary, or the service's own.
    ReadOnly,
    /// Kept by the service for itself.
    Internal,
}

/// How people see a collection among the others, where its workload shows such things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    /// `#rrggbb`, in small letters. Of a source also its own word for a colour.
    pub colour: Option<String>,
    /// Its place among the others, from the top.
    pub order: Option<u32>,
}

/// A mail folder, calendar, address book, task list or drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    pub account: AccountId,
    pub workload: Workload,
    pub id: CollectionId,
    /// `None` at the top. Paths are computed from ids by the engine.
    pub parent: Option<CollectionId>,
    /// The name as people see it: one path segment, unescaped, any characters.
    pub name: String,
    pub role: Role,
    /// The service hides it from its own users.
    pub hidden: bool,
    /// How much the service says it holds. An implausible emptiness is found against it.
    pub expected: Size,
    #[serde(default)]
    pub appearance: Appearance,
}

/// What a source's cursor speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    pub account: AccountId,
    pub workload: Workload,
    pub id: FeedId,
    /// The collection it lists, where it lists just one.
    pub collection: Option<CollectionId>,
}

/// How much a finding of `check` matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// The migration runs, but something will be missing or slow.
    Warning,
    /// Nothing will run until it is mended.
    Blocker,
}

/// One thing `check` found, in a sentence, and the next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// Stable, for scripts: `missing_permission`, `clock_skew`, `quota`, [`LOGIN_REFUSED`](Self::LOGIN_REFUSED).
    pub code: String,
    pub sentence: String,
    /// What to do about it; empty for a note.
    pub fix: String,
}

impl Finding {
    /// The code of a finding that an account's secret was refused: whoever checks many accounts stops after a few.
    pub const LOGIN_REFUSED: &str = "login_refused";
}

/// What a check of one side, or of one account of it, found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub findings: Vec<Finding>,
    /// Free and total bytes of the account's quota, where the side tells.
    pub quota: Option<(u64, u64)>,
}

impl Access {
    /// The worst severity found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
