//! Which collections are pushed, and where they stand at the target.

use serde::Deserialize;
use std::collections::BTreeMap;
use transhume_contract::{Collection, CollectionId, Role};

/// What is done about mail that stands at a target before anything was placed there, where some of it is mail that is to
/// be moved: what a former migration left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// Stop the account and ask: placing everything would double that mail.
    #[default]
    Ask,
    /// Take for placed what is there byte for byte in the same folder (of events, contacts and tasks: what says the
    /// same), and place the rest.
    Adopt,
    /// Place everything.
    Add,
}

/// What is done about an event whose UID stands in another calendar of its account already, at a target that takes a UID
/// once for each account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateUid {
    /// It is kept in quarantine: nothing tells which of the two people want.
    #[default]
    Quarantine,
    /// It is placed with a UID of its own. Updates that its organiser sends find only the other one.
    Derive,
}

/// What is pushed beside ordinary collections. Everything is listed, counted and kept in the store whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    pub deleted: bool,
    pub junk: bool,
    pub drafts: bool,
    pub archive: bool,
    pub outbox: bool,
    pub conversation_history: bool,
    pub sync_issues: bool,
    pub recoverable_items: bool,
    /// Other collections that the service hides from its own users.
    pub hidden: bool,
    /// Withdraw at the target what was deleted at the source, if it is ours and unchanged there.
    pub withdraw_deleted: bool,
    /// What is done where mail that is to be moved stands at the target already.
    pub existing: Existing,
    /// What is done where an event's UID stands in another calendar already.
    pub duplicate_uid: DuplicateUid,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deleted: true,
            junk: true,
            drafts: true,
            archive: true,
            outbox: false,
            conversation_history: false,
            sync_issues: false,
            recoverable_items: false,
            hidden: false,
            withdraw_deleted: false,
            existing: Existing::Ask,
            duplicate_uid: DuplicateUid::Quarantine,
        }
    }
}

/// Where a collection stands in its tree, and whether it is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Names from the top.
    pub path: Vec<String>,
    pub pushed: bool,
    /// Why not, in two words, where it is not.
    pub reason: Option<&'static str>,
}

/// Computes the standing of every collection of an account. A collection inherits the refusal of what it is in.
pub fn standing(collections: &[Collection], policy: &Policy) -> BTreeMap<CollectionId, Standing> {
    let by_id: BTreeMap<_, _> = collections.iter().map(|collection| (&collection.id, collection)).collect();
    let of_one = |collection: &Collection| {
        let line = ancestry(collection, &by_id);
        let reason = line.iter().find_map(|ancestor| refusal(ancestor, policy));
        let path = line.iter().rev().map(|ancestor| ancestor.name.clone()).collect();
        (collection.id.clone(), Standing { path, pushed: reason.is_none(), reason })
    };
    collections.iter().map(of_one).collect()
}

/// The collection and all it stands in, from the inside out. A cycle, which no honest source tells, ends the line.
fn ancestry<'a>(collection: &'a Collection, by_id: &BTreeMap<&CollectionId, &'a Collection>) -> Vec<&'a Collection> {
    let mut line = vec![collection];
    while let Some(parent) = line.last().and_then(|last| last.parent.as_ref()).and_then(|id| by_id.get(id)) {
        if line.len() > by_id.len() {
            break;
        }
        line.push(parent);
    }
    line
}

fn refusal(collection: &Collection, policy: &Policy) -> Option<&'static str> {
    let (wanted, reason) = match collection.role {
        Role::Ordinary | Role::Default | Role::ReadOnly | Role::Inbox | Role::Sent => {
            (!collection.hidden || policy.hidden, "hidden folder")
        }
        Role::Drafts => (policy.drafts, "drafts"),
        Role::Deleted => (policy.deleted, "deleted items"),
        Role::Junk => (policy.junk, "junk mail"),
        Role::Archive => (policy.archive, "archive folder"),
        Role::Outbox => (policy.outbox, "outbox"),
        Role::ConversationHistory => (policy.conversation_history, "conversation history"),
        Role::SyncIssues => (policy.sync_issues, "sync issues"),
        Role::RecoverableItems => (policy.recoverable_items, "recoverable items"),
        Role::Internal => (policy.hidden, "internal folder"),
    };
    (!wanted).then_some(reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Policy, standing};
    use transhume_contract::{AccountId, Appearance, Collection, CollectionId, Role, Size, Workload};

    fn collection(id: &str, parent: Option<&str>, name: &str, role: Role, hidden: bool) -> Collection {
        Collection {
            account: AccountId::new("ada"),
            workload: Workload::Mail,
            id: CollectionId::new(id),
            parent: parent.map(CollectionId::new),
            name: name.into(),
            role,
            hidden,
            expected: Size::default(),
            appearance: Appearance::default(),
        }
    }

    #[test]
    fn a_folder_shares_the_fate_of_what_it_is_in() {
        let tree = [
            collection("1", None, "Deleted Items", Role::Deleted, false),
            collection("2", Some("1"), "2019/a", Role::Ordinary, false),
            collection("3", None, "Sync Issues", Role::SyncIssues, false),
            collection("4", Some("3"), "Conflicts", Role::Ordinary, false),
            collection("5", None, "Hidden", Role::Ordinary, true),
        ];
        let standing = standing(&tree, &Policy::default());
        let of = |id: &str| standing.get(&CollectionId::new(id)).unwrap();
        assert_eq!(of("2").path, ["Deleted Items", "2019/a"]);
        assert!(of("2").pushed);
        assert_eq!(of("4").reason, Some("sync issues"));
        assert_eq!(of("5").reason, Some("hidden folder"));
    }

    #[test]
    fn a_cycle_ends() {
        let tree = [
            collection("1", Some("2"), "a", Role::Ordinary, false),
            collection("2", Some("1"), "b", Role::Ordinary, false),
        ];
        assert_eq!(standing(&tree, &Policy::default()).len(), 2);
    }
}
