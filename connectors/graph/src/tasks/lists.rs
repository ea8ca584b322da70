//! The lists of Microsoft To Do. The one of flagged mail mirrors what moves with the mail: it is told of, as the
//! service's own, and has no feed. A list that somebody else shares moves with each who has it: nothing tells whose it is,
//! and its owner may be outside the tenant.

use crate::{endpoint::segment, service::Service, wire::TaskList};
use std::collections::HashSet;
use transhume_contract::{Account, Appearance, Collection, CollectionId, Fault, Role, Size, Workload};

/// Every list of an account, the default one first.
pub async fn all(service: &Service, account: &Account) -> Result<Vec<Collection>, Fault> {
    let path = format!("/users/{}/todo/lists", segment(account.id.as_str()));
    let lists: Vec<TaskList> = service.rows(account.id.as_str(), &path, "the lists of To Do").await?;
    Ok(collections(account, lists))
}

fn collections(account: &Account, lists: Vec<TaskList>) -> Vec<Collection> {
    let mut seen = HashSet::new();
    let each = lists.into_iter().filter(|list| seen.insert(list.id.clone()));
    let collection = |list: TaskList| Collection {
        account: account.id.clone(),
        workload: Workload::Tasks,
        role: role(&list),
        id: CollectionId::new(list.id),
        parent: None,
        name: list.display_name.unwrap_or_default(),
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    };
    let mut all: Vec<_> = each.map(collection).collect();
    all.sort_by_key(|one| one.role != Role::Default);
    all
}

/// Graph docs: todoTaskList, `wellknownListName`. A name this version does not know is a list like any other.
fn role(list: &TaskList) -> Role {
    match list.wellknown_list_name.as_deref() {
        Some("defaultList") => Role::Default,
        Some("flaggedEmails") => Role::Internal,
        _ => Role::Ordinary,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn the_list_of_flagged_mail_is_told_of_and_not_moved() {
        let told = |list: serde_json::Value| role(&serde_json::from_value(list).unwrap());
        assert_eq!(told(json!({"id": "a", "wellknownListName": "defaultList", "isOwner": true})), Role::Default);
        assert_eq!(told(json!({"id": "a", "wellknownListName": "flaggedEmails", "isOwner": true})), Role::Internal);
        assert_eq!(told(json!({"id": "a", "wellknownListName": "none", "isOwner": false})), Role::Ordinary);
        assert_eq!(told(json!({"id": "a", "wellknownListName": "unknownFutureValue"})), Role::Ordinary);
    }
}
