//! A row of a listing of tasks, as a change.
//!
//! A task is read by its list and its own id, and the id alone names the item, since it stays the same in another list.
//! So the list stands in the version: a task that moved has a new one.

use crate::{
    listing::{Family, row},
    wire::Task,
};
use serde::Deserialize;
use serde_json::Value;
use transhume_contract::{Change, CollectionId, Content, Facts, Fault, Listed, Membership, Version};

/// How tasks are listed.
pub const TASKS: Family = Family {
    all: |user, list| format!("/users/{user}/todo/lists/{list}/tasks"),
    one: |user, list, task| format!("/users/{user}/todo/lists/{list}/tasks/{task}"),
    select: "id,title,status,lastModifiedDateTime",
    expand: "",
    filter: "",
    change,
    page: "a page of tasks",
    item: "a task",
};

fn change(row: &Value, list: &CollectionId) -> Result<Change, Fault> {
    let id = row::id(row).ok_or_else(row::nameless)?;
    if row::is_tombstone(row) {
        return Ok(Change::Gone(id, Some(list.clone())));
    }
    let task = match Task::deserialize(row) {
        Ok(task) => task,
        Err(error) => return Ok(row::refused(id, list, "a task", &error)),
    };
    Ok(Change::Listed(Box::new(Listed {
        id,
        version: Version::new(format!("{} {}", list.as_str(), row::version(row).as_str())),
        content: Some(Content::FollowsVersion),
        facts: Facts { subject: task.title, class: Some("todoTask".into()), ..Facts::default() },
        membership: Membership::Joined(list.clone()),
        parent: None,
        name: None,
    })))
}

/// The list that a task stood in when it was listed.
pub fn list_in(version: &Version) -> &str {
    version.as_str().split_once(' ').map_or("", |(list, _)| list)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    #[test]
    fn the_version_of_a_task_tells_its_list() {
        let row = json!({"id": "t", "title": "Bins out", "@odata.etag": "W/\"K1\""});
        let version = |list: &str| match change(&row, &CollectionId::new(list)).unwrap() {
            Change::Listed(listed) => listed.version,
            other => panic!("{other:?}"),
        };
        assert_eq!(list_in(&version("AQM=")), "AQM=");
        assert_ne!(version("AQM="), version("AQN="), "a task that moved is read where it is now");
    }
}
