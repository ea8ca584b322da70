//! The contact folders of a mailbox. The list shows some mailboxes' default folder and hides that of others, so it is
//! asked for by its name, and each is counted once (Graph docs: list contactFolders; seen by corso).

use crate::{endpoint::segment, faults::no_mailbox, service::Service, wire::ContactFolder};
use std::collections::HashSet;
use transhume_contract::{Account, Appearance, Collection, CollectionId, Fault, Reach, Role, Size, What, Workload};

const NAMED: &str = "the list of contact folders";
const FOLDER: &str = "a contact folder";
/// The name by which the default folder goes, whatever its owner's language calls it.
const DEFAULT: &str = "contacts";
/// Deeper than any mailbox goes.
const DEEPEST: usize = 310;

/// Every contact folder of an account, the default one first, parents before children.
pub async fn all(service: &Service, account: &Account) -> Result<Vec<Collection>, Fault> {
    let default = default(service, account).await?;
    let base = base(account);
    let mut level = service.rows(account.id.as_str(), &base, NAMED).await?;
    let (mut all, mut seen): (Vec<ContactFolder>, HashSet<String>) = (Vec::new(), HashSet::new());
    if let Some(folder) = &default {
        level.insert(0, folder.clone());
    }
    for _ in 0..DEEPEST {
        level.retain(|folder: &ContactFolder| seen.insert(folder.id.clone()));
        if level.is_empty() {
            break;
        }
        let parents: Vec<_> = level.iter().map(|folder| folder.id.clone()).collect();
        all.append(&mut level);
        for parent in parents {
            level.extend(children(service, account, &parent).await?);
        }
    }
    Ok(collections(account, all, default.as_ref()))
}

fn base(account: &Account) -> String {
    format!("/users/{}/contactFolders", segment(account.id.as_str()))
}

/// A folder that was removed since it was listed has no children any more.
async fn children(service: &Service, account: &Account, parent: &str) -> Result<Vec<ContactFolder>, Fault> {
    let path = format!("{}/{}/childFolders", base(account), segment(parent));
    match service.rows(account.id.as_str(), &path, NAMED).await {
        Err(fault) if fault.what == What::Vanished && no_mailbox(&fault).is_none() => Ok(Vec::new()),
        other => other,
    }
}

/// The default folder by its name; where that is not understood, the folder of whatever contact is listed without one.
async fn default(service: &Service, account: &Account) -> Result<Option<ContactFolder>, Fault> {
    match by_id(service, account, DEFAULT).await? {
        Some(folder) => Ok(Some(folder)),
        None => match first_parent(service, account).await? {
            Some(parent) => by_id(service, account, &parent).await,
            None => Ok(None),
        },
    }
}

async fn by_id(service: &Service, account: &Account, id: &str) -> Result<Option<ContactFolder>, Fault> {
    let path = format!("{}/{}", base(account), segment(id));
    match service.item(account.id.as_str(), &path, &[], FOLDER).await {
        Ok((folder, _)) => Ok(Some(folder)),
        Err(fault) if fault.reach >= Reach::Account => Err(fault),
        Err(fault) if matches!(fault.what, What::Vanished | What::Unsupported | What::Malformed) => Ok(None),
        Err(fault) => Err(fault.reaching(Reach::Account)),
    }
}

async fn first_parent(service: &Service, account: &Account) -> Result<Option<String>, Fault> {
    let path = format!("/users/{}/contacts?$select=parentFolderId&$top=1", segment(account.id.as_str()));
    let page = service.first(account.id.as_str(), &path, "the contacts of a mailbox").await?;
    Ok(page.value.first().and_then(|row| row.get("parentFolderId")?.as_str()).map(str::to_owned))
}

/// Folders that people make stand beside the default one in Outlook, although they lie in it.
fn collections(account: &Account, folders: Vec<ContactFolder>, default: Option<&ContactFolder>) -> Vec<Collection> {
    let default = default.map(|folder| folder.id.as_str());
    let known: HashSet<String> = folders.iter().map(|folder| folder.id.clone()).collect();
    let collection = |folder: ContactFolder| {
        let role = if Some(folder.id.as_str()) == default { Role::Default } else { Role::Ordinary };
        let parent = folder.parent_folder_id.filter(|id| known.contains(id) && Some(id.as_str()) != default);
        Collection {
            account: account.id.clone(),
            workload: Workload::Contacts,
            id: CollectionId::new(folder.id),
            parent: parent.map(CollectionId::new),
            name: folder.display_name.unwrap_or_default(),
            role,
            hidden: false,
            expected: Size::default(),
            appearance: Appearance::default(),
        }
    };
    folders.into_iter().map(collection).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    use transhume_contract::{AccountId, AccountKind};

    #[test]
    fn folders_stand_beside_the_default_one_and_below_their_own_parents() {
        let account = Account {
            id: AccountId::new("u1"),
            address: "anna@town.example".into(),
            name: "Anna".into(),
            kind: AccountKind::Person,
            aliases: Vec::new(),
            enabled: true,
            workloads: Vec::new(),
        };
        let folders: Vec<ContactFolder> = serde_json::from_value(json!([
            {"id": "d", "displayName": "Kontakte", "parentFolderId": "root"},
            {"id": "a", "displayName": "Council", "parentFolderId": "d"},
            {"id": "b", "displayName": "Old", "parentFolderId": "a"}
        ]))
        .unwrap();
        let all = collections(&account, folders.clone(), folders.first());
        let told: Vec<_> =
            all.iter().map(|one| (one.id.as_str(), one.role, one.parent.as_ref().map(CollectionId::as_str))).collect();
        assert_eq!(told, [("d", Role::Default, None), ("a", Role::Ordinary, None), ("b", Role::Ordinary, Some("a"))]);
    }
}
