//! Contacts and tasks: folders and lists, rounds, originals.

use crate::{
    agenda::{part, text},
    stage::{Round, Stage, full},
};
use serde_json::json;
use std::collections::BTreeMap;
use transhume_contract::{
    Account, Cause, CollectionId, Fault, Listed, Presence, Reach, Remedy, Role, Source, What, Workload, conformance,
    memory::HeldOriginal,
};

async fn stage() -> (Stage, Account) {
    let stage = Stage::of(full(1, 10)).await;
    let account = stage.first().await;
    (stage, account)
}

fn all(rounds: &BTreeMap<CollectionId, Round>) -> Vec<&Listed> {
    rounds.values().flat_map(|round| round.listed.values()).collect()
}

/// Every original; those that cannot be read are damaged for good, and reach no further.
async fn originals(stage: &Stage, account: &Account, workload: Workload) -> (Vec<HeldOriginal>, usize) {
    let rounds = stage.whole_of(account, workload).await;
    let (mut held, mut damaged) = (Vec::new(), 0);
    for listed in all(&rounds) {
        match stage.fetch_of(account, listed, workload).await {
            Ok((original, _)) => held.push(original),
            Err(fault) => {
                assert_eq!(
                    (fault.reach, &fault.remedy),
                    (Reach::Item, &Remedy::Skip(Cause::CorruptAtSource)),
                    "{fault}"
                );
                damaged += 1;
            }
        }
    }
    (held, damaged)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_contact_is_listed_in_its_folder_with_the_default_one_listed_or_not() {
    for listed in [false, true] {
        let (stage, account) = stage().await;
        stage.switch(json!({"default_contacts_listed": listed}));
        let folders = stage.source.collections(&account, Workload::Contacts).await.unwrap();
        let truth = stage.truth(&account, "contactFolder");
        assert_eq!(folders.len(), truth.len());
        assert_eq!(folders[0].role, Role::Default);
        let named = |name: &str| folders.iter().filter(|one| one.name == name).collect::<Vec<_>>();
        let club = named("Élus / Club: \"amis\"")[0];
        assert_eq!(club.parent, None, "beside the default one");
        let boards = named("Bureau");
        assert_eq!(boards.iter().filter(|one| one.parent.as_ref() == Some(&club.id)).count(), 1);
        let rounds = stage.whole_of(&account, Workload::Contacts).await;
        assert_eq!(rounds.len(), folders.len());
        assert_eq!(all(&rounds).len(), stage.truth(&account, "contact").len(), "nameless ones, too");
        assert!(all(&rounds).iter().any(|one| one.facts.subject.is_none()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_comes_whole_with_its_photo() {
    let (stage, account) = stage().await;
    let (held, damaged) = originals(&stage, &account, Workload::Contacts).await;
    let truth = stage.truth(&account, "contact");
    assert_eq!((held.len() + damaged, damaged), (truth.len(), 1));
    let photos = held.iter().filter(|one| one.part("photo").is_some()).count();
    assert_eq!(photos, truth.iter().filter(|entry| entry.content.is_some()).count());
    assert!(photos > 0);
    for original in &held {
        let contact = part(original, "contact");
        let known = truth.iter().find(|entry| entry.resource["personalNotes"] == contact["personalNotes"]);
        assert!(known.is_some() && contact["id"].is_string());
        let photo = original.parts.iter().find(|held| held.part.name == "photo");
        assert!(photo.is_none_or(|held| held.part.media_type.starts_with("image/")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_cannot_be_read_is_told_of_and_its_contact_comes() {
    let (stage, account) = stage().await;
    let rounds = stage.whole_of(&account, Workload::Contacts).await;
    let refusal = json!({"kind": "status", "code": 500, "error": "ErrorCorruptData"});
    stage.sim.faults(json!({"rules": [{"path": "/photo/", "fault": refusal}]})).unwrap();
    let (mut come, mut damaged) = (0, 0);
    for listed in all(&rounds) {
        let Ok((original, _)) = stage.fetch_of(&account, listed, Workload::Contacts).await else {
            damaged += 1;
            continue;
        };
        assert_eq!(part(&original, "contact")["id"], listed.id.as_str());
        assert!(original.part("photo").is_none());
        assert_eq!(part(&original, "photoError")["code"], "ErrorCorruptData");
        come += 1;
    }
    assert!(come > 5 && damaged == 1, "{come} came, {damaged} are damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_moved_and_deleted_contacts_are_told_of() {
    let (stage, account) = stage().await;
    let first = stage.whole_of(&account, Workload::Contacts).await;
    let folders = stage.source.collections(&account, Workload::Contacts).await.unwrap();
    let (default, other) = (&folders[0].id, &folders[1].id);
    let ids: Vec<_> = first[default].listed.keys().cloned().collect();
    let user = account.address.as_str();
    stage.mutate(json!([
        {"op": "edit_contact", "user": user, "contact": ids[0].as_str(), "set": {"displayName": "Autre Nom"}},
        {"op": "move_contact", "user": user, "contact": ids[1].as_str(), "to": other.as_str()},
        {"op": "delete_contact", "user": user, "contact": ids[2].as_str()},
        {"op": "create_contact", "user": user, "set": {"displayName": "Neuf"}},
    ]));
    let mut later = BTreeMap::new();
    for feed in stage.feeds_of(&account, Workload::Contacts).await {
        let id = feed.collection.clone().unwrap();
        later.insert(id.clone(), stage.walk(&feed, first[&id].done.clone()).await.unwrap());
    }
    let changed = &later[default].listed[&ids[0]];
    assert_eq!(changed.facts.subject.as_deref(), Some("Autre Nom"));
    assert_ne!(changed.version, first[default].listed[&ids[0]].version);
    assert!(later[default].gone.contains(&ids[1]) && later[default].gone.contains(&ids[2]));
    assert!(later[other].listed.contains_key(&ids[1]));
    assert_eq!(later.values().map(|round| round.listed.len()).sum::<usize>(), 3);
    stage.sim.faults(json!({"expire_delta_tokens": true})).unwrap();
    for feed in stage.feeds_of(&account, Workload::Contacts).await {
        let done = later[feed.collection.as_ref().unwrap()].done.clone();
        assert_eq!(stage.walk(&feed, done).await.unwrap_err().what, What::CursorExpired);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_task_is_listed_but_those_that_mirror_flagged_mail() {
    let (stage, account) = stage().await;
    let lists = stage.source.collections(&account, Workload::Tasks).await.unwrap();
    assert_eq!(lists[0].role, Role::Default);
    assert_eq!(lists.iter().filter(|one| one.role == Role::Internal).count(), 1);
    let rounds = stage.whole_of(&account, Workload::Tasks).await;
    assert_eq!(rounds.len(), lists.len() - 1);
    assert_eq!(all(&rounds).len(), stage.truth(&account, "todoTask").len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_comes_whole_however_its_parts_are_told() {
    for inline in [true, false] {
        let (stage, account) = stage().await;
        stage.switch(json!({"task_parts_inline": inline}));
        let (held, damaged) = originals(&stage, &account, Workload::Tasks).await;
        let truth = stage.truth(&account, "todoTask");
        assert_eq!((held.len() + damaged, damaged), (truth.len(), 1));
        let count =
            |name: &str| truth.iter().filter_map(|entry| entry.resource[name].as_array()).map(Vec::len).sum::<usize>();
        let told =
            |name: &str| held.iter().filter_map(|one| part(one, "task")[name].as_array().map(Vec::len)).sum::<usize>();
        assert!(told("checklistItems") > 3 && told("linkedResources") > 0);
        assert_eq!(
            (told("checklistItems"), told("linkedResources")),
            (count("checklistItems"), count("linkedResources"))
        );
        let files: usize = held.iter().filter_map(|one| part(one, "attachments").as_array().map(Vec::len)).sum();
        assert_eq!(files, count("attachments"));
        let bytes = held.iter().flat_map(|one| &one.parts).filter(|held| held.part.name.starts_with("attachment/"));
        assert!(files > 0 && bytes.count() == files);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_moved_is_read_where_it_is() {
    let (stage, account) = stage().await;
    let first = stage.whole_of(&account, Workload::Tasks).await;
    let lists = stage.source.collections(&account, Workload::Tasks).await.unwrap();
    let own: Vec<_> = lists.iter().filter(|one| one.role != Role::Internal).collect();
    let (from, to) = (&own[0].id, &own[1].id);
    let task = first[from].listed.values().next().unwrap();
    stage.mutate(json!({"op": "move_task", "user": account.address, "task": task.id.as_str(), "to": to.as_str()}));
    let feeds = stage.feeds_of(&account, Workload::Tasks).await;
    let feed = |id: &CollectionId| feeds.iter().find(|feed| feed.collection.as_ref() == Some(id)).unwrap();
    let left = stage.walk(feed(from), first[from].done.clone()).await.unwrap();
    assert!(left.gone.contains(&task.id));
    let came = stage.walk(feed(to), first[to].done.clone()).await.unwrap();
    let (original, _) = stage.fetch_of(&account, &came.listed[&task.id], Workload::Tasks).await.unwrap();
    assert_eq!(text(&part(&original, "task"), "id"), task.id.as_str());
    let fault: Fault = stage.fetch_of(&account, task, Workload::Tasks).await.map(drop).unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Vanished, Reach::Item));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_do_that_does_not_open_stops_tasks_alone() {
    let (stage, account) = stage().await;
    stage.switch(json!({"todo_app_only": false}));
    let fault = stage.source.collections(&account, Workload::Tasks).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Account));
    assert!(fault.next_step().unwrap().contains("Tasks.Read.All"));
    assert!(!stage.whole_of(&account, Workload::Contacts).await.is_empty());
    let denied = stage.first().await;
    assert!(matches!(denied.workloads[3].1, Presence::Denied(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_workload_conforms() {
    let (stage, account) = stage().await;
    for workload in stage.source.traits().workloads {
        let report = conformance::source_of(&stage.source, &account, workload).await;
        assert!(report.passed(), "{workload}: {report}");
    }
}

/// Items that spoil the pages they stand on cost themselves and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_spoilt_item_costs_itself_in_every_room() {
    for (workload, kind) in
        [(Workload::Calendar, "event"), (Workload::Contacts, "contact"), (Workload::Tasks, "todoTask")]
    {
        for page_size in [3, 50] {
            let mut dump = full(1, 40);
            let plain = |kind: &str| kind.to_owned();
            let mut of_kind: Vec<_> = dump
                .entries
                .iter_mut()
                .filter(|entry| entry.kind == plain(kind) && entry.resource["_sim"].is_null())
                .filter(|entry| kind != "event" || entry.resource["type"] == "singleInstance")
                .collect();
            of_kind[4].resource["_sim"] = json!({"poisons": true, "fails": "ErrorCorruptData"});
            let mut stage = Stage::of(dump).await;
            stage.again(|config| config.page_size = page_size);
            let account = stage.first().await;
            let rounds = stage.whole_of(&account, workload).await;
            let refused: Vec<_> = rounds.values().flat_map(|round| round.refused.values()).collect();
            // One that cannot be read at all shows only where each is asked for by itself.
            assert!((1..=2).contains(&refused.len()), "{workload}, pages of {page_size}: {refused:?}");
            assert!(refused.iter().all(|fault| matches!(fault.remedy, Remedy::Skip(_))), "{refused:?}");
            let calendars = stage.source.collections(&account, workload).await.unwrap();
            let expected = match workload {
                Workload::Calendar => crate::agenda::expected(&stage, &account, &calendars).len(),
                _ => stage.truth(&account, kind).len(),
            };
            assert_eq!(all(&rounds).len() + refused.len(), expected, "{workload}, pages of {page_size}");
        }
    }
}

/// Throttling, failures and cut answers leave nothing out.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_read_under_faults() {
    let (stage, account) = stage().await;
    let mut calm = Vec::new();
    for workload in [Workload::Calendar, Workload::Contacts, Workload::Tasks] {
        calm.push(stage.whole_of(&account, workload).await);
    }
    let rule = |fault: serde_json::Value| json!({"rate": 0.03, "fault": fault});
    let script = json!({"seed": 7, "rules": [
        rule(json!({"kind": "throttle", "retry_after": 0.1, "form": "fractional"})),
        rule(json!({"kind": "status", "code": 503, "empty": true})),
        rule(json!({"kind": "reset", "after": 300})),
        rule(json!({"kind": "truncate", "after": 300})),
        rule(json!({"kind": "token_expired"})),
        rule(json!({"kind": "duplicate_page"})),
    ]});
    stage.sim.faults(script).unwrap();
    for (workload, calm) in [Workload::Calendar, Workload::Contacts, Workload::Tasks].into_iter().zip(calm) {
        let stormy = stage.whole_of(&account, workload).await;
        for (collection, round) in &calm {
            let again = &stormy[collection];
            assert!(round.listed.iter().all(|(id, one)| again.listed[id].version == one.version), "{workload}");
            assert_eq!(again.listed.len(), round.listed.len(), "{workload}");
        }
    }
    assert!(stage.sim.stats().faults.len() >= 4, "{:?}", stage.sim.stats().faults);
}
