//! The folder tree: v1.0 lists one level at a time, hidden folders only when asked, names in the owner's language.
//!
//! Which folder plays which role is learned by asking for each well-known name and comparing ids: there is no
//! `wellKnownName` in v1.0. A `$batch` would ask for all at once, but the service then works on four of them at the
//! same time in one mailbox (Graph docs: throttling limits, Outlook), past what our own lanes allow.

use crate::{
    endpoint::{Endpoint, preferring, segment},
    faults::Asked,
    service::Service,
    wire::{MailFolder, Page, extended},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{HashMap, HashSet};
use transhume_contract::{AccountId, Appearance, Collection, CollectionId, Fault, Reach, Role, Size, What, Workload};
use transhume_http::Request;

const NAMED: &str = "the list of mail folders";
/// PidTagMessageSizeExtended of a folder.
const SIZE: u32 = 0x0E08;
/// PidTagContainerClass: `IPF.Note` and its like hold mail, `IPF.Contact`, `IPF.Journal` and others do not.
const CLASS: u32 = 0x3613;
const EXPAND: &str = "&$expand=singleValueExtendedProperties($filter=id%20eq%20'Long%200x0E08'%20or%20id%20eq%20\
                      'String%200x3613')";
const ROOT: &str = "msgfolderroot";
const SEARCHES: &str = "searchfolders";
/// Deeper than any mailbox goes; Exchange itself stops at 300 levels.
const DEEPEST: usize = 310;

/// Graph docs: mailFolder, well-known folder names.
const WELL_KNOWN: &[(&str, Role)] = &[
    (ROOT, Role::Ordinary),
    (SEARCHES, Role::Internal),
    ("inbox", Role::Inbox),
    ("sentitems", Role::Sent),
    ("drafts", Role::Drafts),
    ("deleteditems", Role::Deleted),
    ("junkemail", Role::Junk),
    ("archive", Role::Archive),
    ("outbox", Role::Outbox),
    ("conversationhistory", Role::ConversationHistory),
    ("syncissues", Role::SyncIssues),
    ("conflicts", Role::SyncIssues),
    ("localfailures", Role::SyncIssues),
    ("serverfailures", Role::SyncIssues),
    ("recoverableitemsdeletions", Role::RecoverableItems),
    ("scheduled", Role::Ordinary),
    ("clutter", Role::Ordinary),
];

/// Reads the folder tree of one mailbox.
pub struct Folders<'a> {
    pub service: &'a Service,
    pub account: &'a AccountId,
    pub lanes: usize,
}

impl Folders<'_> {
    /// Every folder that holds mail of its own, parents first.
    pub async fn tree(&self) -> Result<Vec<Collection>, Fault> {
        let known = self.well_known().await?;
        let listed = self.levels(&known).await?;
        Ok(collections(self.account, listed, &known))
    }

    async fn well_known(&self) -> Result<WellKnown, Fault> {
        let questions: Vec<_> = WELL_KNOWN.iter().map(|(name, _)| self.named(name)).collect();
        let found: Vec<_> = stream::iter(questions).buffered(self.lanes.max(1)).try_collect().await?;
        let named = found.into_iter().zip(WELL_KNOWN);
        Ok(WellKnown(named.filter_map(|(folder, (name, role))| Some((folder?, *name, *role))).collect()))
    }

    /// A folder by its well-known name. Most mailboxes lack some.
    async fn named(&self, name: &'static str) -> Result<Option<MailFolder>, Fault> {
        let request = by_name(&self.service.endpoint, self.account, name);
        match self.service.json(request, Asked::Folder, "a mail folder").await {
            Ok(folder) => Ok(Some(folder)),
            Err(fault) if fault.what == What::Vanished && fault.reach < Reach::Account => Ok(None),
            // A name this cloud does not know is a 400.
            Err(fault) if fault.what == What::Unsupported || fault.what == What::Malformed => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn levels(&self, known: &WellKnown) -> Result<Vec<MailFolder>, Fault> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        let mut level = self.below(None).await?;
        for _ in 0..DEEPEST {
            level.retain(|folder| !known.is_search(folder) && seen.insert(folder.id.clone()));
            let parents: Vec<String> =
                level.iter().filter(|f| f.child_folder_count != Some(0)).map(|f| f.id.clone()).collect();
            all.append(&mut level);
            if parents.is_empty() {
                break;
            }
            level = self.below_all(parents).await?;
        }
        Ok(all)
    }

    async fn below_all(&self, parents: Vec<String>) -> Result<Vec<MailFolder>, Fault> {
        let levels: Vec<Vec<MailFolder>> = stream::iter(parents)
            .map(|parent| async move { self.children(&parent).await })
            .buffered(self.lanes.max(1))
            .try_collect()
            .await?;
        Ok(levels.into_iter().flatten().collect())
    }

    /// A folder that was removed since its parent was listed has no children any more.
    async fn children(&self, parent: &str) -> Result<Vec<MailFolder>, Fault> {
        match self.below(Some(parent)).await {
            Err(fault) if fault.what == What::Vanished && fault.reach < Reach::Account => Ok(Vec::new()),
            other => other,
        }
    }

    /// One level, with sizes where the service gives them.
    async fn below(&self, parent: Option<&str>) -> Result<Vec<MailFolder>, Fault> {
        match self.walk(parent, true).await {
            Err(fault) if fault.what == What::Unsupported => self.walk(parent, false).await,
            other => other,
        }
    }

    async fn walk(&self, parent: Option<&str>, sized: bool) -> Result<Vec<MailFolder>, Fault> {
        let (mut folders, mut request) = (Vec::new(), level(&self.service.endpoint, self.account, parent, sized));
        loop {
            let mut page: Page = narrowed(self.service.json(request, Asked::Mailbox, NAMED).await, parent)?;
            let rows = page.rows::<MailFolder>(NAMED).map_err(|fault| fault.reaching(Reach::Account))?;
            folders.extend(rows);
            let Some(link) = &page.next_link else { return Ok(folders) };
            let url = self.service.endpoint.resumed(&self.service.endpoint.kept(link)?)?;
            request = paged(self.service.endpoint.mailbox(self.account.as_str(), url));
        }
    }
}

/// A child folder that vanished reaches itself alone, not the mailbox.
fn narrowed<T>(answer: Result<T, Fault>, parent: Option<&str>) -> Result<T, Fault> {
    answer.map_err(|fault| {
        let own = parent.is_some() && fault.what == What::Vanished && crate::faults::no_mailbox(&fault).is_none();
        if own { fault.reaching(Reach::Collection) } else { fault }
    })
}

fn paged(request: Request) -> Request {
    preferring(request, &["odata.maxpagesize=250"])
}

fn level(endpoint: &Endpoint, account: &AccountId, parent: Option<&str>, sized: bool) -> Request {
    let below = parent.map(|id| format!("/{}/childFolders", segment(id))).unwrap_or_default();
    let (user, expand) = (segment(account.as_str()), if sized { EXPAND } else { "" });
    let url = endpoint.at(&format!("/users/{user}/mailFolders{below}?includeHiddenFolders=true{expand}"));
    paged(endpoint.mailbox(account.as_str(), url))
}

fn by_name(endpoint: &Endpoint, account: &AccountId, name: &str) -> Request {
    let url = endpoint.at(&format!("/users/{}/mailFolders/{name}", segment(account.as_str())));
    endpoint.mailbox(account.as_str(), url)
}

/// The folders found by their well-known names.
struct WellKnown(Vec<(MailFolder, &'static str, Role)>);

impl WellKnown {
    fn role(&self, id: &str) -> Role {
        self.0.iter().find(|(folder, ..)| folder.id == id).map_or(Role::Ordinary, |(.., role)| *role)
    }
    fn id(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(_, own, _)| *own == name).map(|(folder, ..)| folder.id.as_str())
    }
    /// Search folders show the messages of other folders again.
    fn is_search(&self, folder: &MailFolder) -> bool {
        let kind = folder.odata_type.as_deref().is_some_and(|kind| kind.ends_with("mailSearchFolder"));
        let searches = self.id(SEARCHES);
        kind || searches == Some(folder.id.as_str())
            || (searches.is_some() && searches == folder.parent_folder_id.as_deref())
    }
}

/// Folders as collections. Well-known folders outside the visible tree (recoverable items) come last, at the top.
fn collections(account: &AccountId, listed: Vec<MailFolder>, known: &WellKnown) -> Vec<Collection> {
    let mut hidden: HashMap<String, bool> = HashMap::new();
    let mut all = Vec::with_capacity(listed.len());
    let inside: HashSet<String> = listed.iter().map(|folder| folder.id.clone()).collect();
    let outside =
        known.0.iter().filter(|(folder, name, _)| *name != ROOT && *name != SEARCHES && !inside.contains(&folder.id));
    let mut added: HashSet<String> = HashSet::new();
    let outside: Vec<MailFolder> =
        outside.map(|(folder, ..)| folder.clone()).filter(|folder| added.insert(folder.id.clone())).collect();
    for folder in listed.into_iter().chain(outside) {
        let role = role(&folder, known);
        let parent = folder.parent_folder_id.clone().filter(|parent| hidden.contains_key(parent));
        let inherited = parent.as_ref().and_then(|parent| hidden.get(parent)).copied().unwrap_or_default();
        let is_hidden = inherited || folder.is_hidden.unwrap_or_default() || role == Role::RecoverableItems;
        hidden.insert(folder.id.clone(), is_hidden);
        all.push(collection(account, &folder, parent, role, is_hidden));
    }
    all
}

/// A folder for something else than mail is the service's own, and whatever mail lies in it is listed all the same.
fn role(folder: &MailFolder, known: &WellKnown) -> Role {
    let class = extended(folder.single_value_extended_properties.as_ref(), "String", CLASS).unwrap_or_default();
    let class = class.to_ascii_lowercase();
    let for_mail = class.is_empty() || class.starts_with("ipf.note") || class.starts_with("ipf.imap");
    match known.role(&folder.id) {
        Role::Ordinary if !for_mail => Role::Internal,
        role => role,
    }
}

fn collection(
    account: &AccountId,
    folder: &MailFolder,
    parent: Option<String>,
    role: Role,
    hidden: bool,
) -> Collection {
    let told = extended(folder.single_value_extended_properties.as_ref(), "Long", SIZE);
    let bytes = folder.size_in_bytes.or_else(|| told.and_then(|bytes| bytes.parse().ok()));
    Collection {
        account: account.clone(),
        workload: Workload::Mail,
        id: CollectionId::new(folder.id.as_str()),
        parent: parent.map(CollectionId::new),
        name: folder.display_name.clone().unwrap_or_default(),
        role,
        hidden,
        expected: Size { items: folder.total_item_count, bytes },
        appearance: Appearance::default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn folders(rows: serde_json::Value) -> Vec<MailFolder> {
        serde_json::from_value(rows).unwrap()
    }

    fn known(rows: &[(&str, &'static str, Role)]) -> WellKnown {
        let folder = |id: &str| MailFolder { id: id.into(), display_name: Some(id.into()), ..MailFolder::default() };
        WellKnown(rows.iter().map(|(id, name, role)| (folder(id), *name, *role)).collect())
    }

    #[test]
    fn roles_come_from_ids_and_hiding_is_inherited() {
        let listed = folders(json!([
            {"id": "1", "displayName": "Boîte de réception", "parentFolderId": "root", "totalItemCount": 12},
            {"id": "2", "displayName": "Secret", "parentFolderId": "root", "isHidden": true},
            {"id": "3", "displayName": "a/b", "parentFolderId": "2", "sizeInBytes": 77},
        ]));
        let known = known(&[
            ("root", ROOT, Role::Ordinary),
            ("1", "inbox", Role::Inbox),
            ("9", "recoverableitemsdeletions", Role::RecoverableItems),
        ]);
        let all = collections(&AccountId::new("u"), listed, &known);
        let told: Vec<_> = all.iter().map(|c| (c.id.as_str(), c.role, c.hidden, c.parent.is_some())).collect();
        assert_eq!(
            told,
            [
                ("1", Role::Inbox, false, false),
                ("2", Role::Ordinary, true, false),
                ("3", Role::Ordinary, true, true),
                ("9", Role::RecoverableItems, true, false),
            ]
        );
        assert_eq!((all[0].expected.items, all[2].expected.bytes, all[2].name.as_str()), (Some(12), Some(77), "a/b"));
    }

    #[test]
    fn search_folders_are_left_out() {
        let rows = folders(json!([
            {"@odata.type": "#microsoft.graph.mailSearchFolder", "id": "1", "displayName": "Unread"},
            {"id": "s", "displayName": "Finder"}, {"id": "2", "parentFolderId": "s"}, {"id": "3", "parentFolderId": "x"},
        ]));
        let known = known(&[("s", SEARCHES, Role::Internal)]);
        let kept: Vec<_> = rows.iter().filter(|row| !known.is_search(row)).map(|row| row.id.as_str()).collect();
        assert_eq!(kept, ["3"]);
    }

    #[test]
    fn a_level_is_asked_for_with_hidden_folders() {
        let endpoint = Endpoint::new(&transhume_http::Url::parse("https://graph.example").unwrap(), "app");
        let request = level(&endpoint, &AccountId::new("u1"), Some("A="), false);
        let expected = "https://graph.example/v1.0/users/u1/mailFolders/A%3D/childFolders?includeHiddenFolders=true";
        assert_eq!(request.url.as_str(), expected);
        assert_eq!(request.headers["prefer"], "odata.maxpagesize=250");
    }
}
