use crate::stage::{Stage, hostile, plain};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::collections::BTreeSet;
use transhume_contract::{Cause, FlagState, Remedy, Role, Source, What, Workload, conformance};
use transhume_simulators::Options;

#[tokio::test(flavor = "multi_thread")]
async fn the_source_conforms() {
    let stage = Stage::of(plain(2, 40)).await;
    let report = conformance::source(&stage.source, &stage.first().await).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_tenant_is_listed_to_the_last_message() {
    let stage = Stage::of(hostile(4, 30)).await;
    let mut total = 0;
    for account in stage.accounts().await {
        let told = matches!(account.workloads[0].1, transhume_contract::Presence::Present);
        if !told {
            continue;
        }
        let rounds = stage.whole(&account).await;
        let mut seen = BTreeSet::new();
        for round in rounds.values() {
            let ids = round.listed.keys().chain(round.refused.keys());
            ids.for_each(|id| assert!(seen.insert(id.clone()), "{id:?} stands in two folders"));
        }
        assert_eq!(seen.len(), stage.messages(&account).len(), "{}", account.address);
        total += seen.len();
    }
    assert!(total > 150, "only {total} messages: the tenant is not hostile");
    assert_eq!(stage.sim.stats().concurrency_breaches, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_whole_with_roles_and_without_searches() {
    let stage = Stage::of(hostile(1, 10)).await;
    let account = stage.first().await;
    let tree = stage.source.collections(&account, Workload::Mail).await.unwrap();
    let with = |role: Role| tree.iter().filter(|one| one.role == role).count();
    for role in
        [Role::Inbox, Role::Sent, Role::Drafts, Role::Deleted, Role::Junk, Role::Archive, Role::RecoverableItems]
    {
        assert_eq!(with(role), 1, "{role:?}");
    }
    assert!(with(Role::Internal) >= 2, "folders for contacts and journals are not for mail");
    assert!(tree.iter().all(|one| one.name != "Non lus" && !one.name.contains("(recherche)")));
    assert!(tree.iter().any(|one| one.hidden && one.name == "TeamsMessagesData"));
    let depth = |mut at: Option<transhume_contract::CollectionId>| {
        let mut depth = 0;
        while let Some(id) = at {
            at = tree.iter().find(|one| one.id == id).unwrap().parent.clone();
            depth += 1;
        }
        depth
    };
    assert!(tree.iter().map(|one| depth(Some(one.id.clone()))).max() >= Some(12));
    let counted: u64 = tree.iter().filter_map(|one| one.expected.items).sum();
    assert_eq!(counted, stage.messages(&account).len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn later_rounds_tell_what_changed() {
    let stage = Stage::of(plain(1, 60)).await;
    let account = stage.first().await;
    let inbox = stage.inbox(&account).await;
    let first = stage.walk(&inbox, None).await.unwrap();
    let ids: Vec<_> = first.listed.keys().cloned().collect();
    let (read, flagged, moved, deleted) = (&ids[0], &ids[1], &ids[2], &ids[3]);
    let user = account.address.as_str();
    let was_read = first.listed[read].facts.read.unwrap();
    stage.mutate(json!([
        {"op": "edit", "user": user, "message": read.as_str(), "set": {"isRead": !was_read}},
        {"op": "edit", "user": user, "message": flagged.as_str(), "set": {"flag": {"flagStatus": "flagged"}, "categories": ["Red"]}},
        {"op": "reply", "user": user, "message": flagged.as_str(), "verb": 103},
        {"op": "move", "user": user, "message": moved.as_str(), "to": "archive"},
        {"op": "delete", "user": user, "message": deleted.as_str(), "hard": true},
        {"op": "new_message", "user": user, "folder": "inbox", "mime": STANDARD.encode("Subject: new\r\n\r\nhello\r\n")},
    ]));
    stage.sim.reset_stats();
    let later = stage.walk(&inbox, first.done.clone()).await.unwrap();
    assert_eq!(later.listed[read].facts.read, Some(!was_read));
    let facts = &later.listed[flagged].facts;
    assert_eq!((facts.flag, facts.answered), (Some(FlagState::Flagged), Some(true)));
    assert_eq!(facts.categories.as_deref(), Some(&["Red".to_owned()][..]));
    assert!(later.gone.contains(moved) && later.gone.contains(deleted));
    let new: Vec<_> = later.listed.keys().filter(|id| !first.listed.contains_key(*id)).collect();
    assert_eq!(new.len(), 1);
    assert!(stage.sim.stats().total <= 2, "a later round costs what changed");
    let rounds = stage.whole(&account).await;
    assert_eq!(
        rounds.values().filter(|round| round.listed.contains_key(moved)).count(),
        1,
        "the moved one keeps its id"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sync_state_lists_again() {
    let stage = Stage::of(plain(1, 30)).await;
    let account = stage.first().await;
    let inbox = stage.inbox(&account).await;
    let first = stage.walk(&inbox, None).await.unwrap();
    stage.sim.faults(json!({"expire_delta_tokens": true})).unwrap();
    let fault = stage.walk(&inbox, first.done).await.unwrap_err();
    assert_eq!(fault.what, What::CursorExpired, "{fault}");
    let again = stage.walk(&inbox, None).await.unwrap();
    assert_eq!(again.listed.keys().collect::<Vec<_>>(), first.listed.keys().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_is_listed_all_the_same() {
    let stage = Stage::of(plain(1, 250)).await;
    let account = stage.first().await;
    let inbox = stage.inbox(&account).await;
    let usual = stage.walk(&inbox, None).await.unwrap();
    stage.sim.faults(json!({"mailboxes": {&account.address: {"over_quota": true}}})).unwrap();
    let later = stage.walk(&inbox, usual.done.clone()).await.unwrap_err();
    assert_eq!(later.what, What::CursorExpired, "{later}");
    let full = stage.walk(&inbox, None).await.unwrap();
    assert_eq!(full.listed.keys().collect::<Vec<_>>(), usual.listed.keys().collect::<Vec<_>>());
    assert_eq!(full.listed.values().next().unwrap().facts, usual.listed.values().next().unwrap().facts);
    assert_eq!(stage.walk(&inbox, full.done).await.unwrap_err().what, What::CursorExpired);
    stage.sim.faults(json!({"mailboxes": {&account.address: {"over_quota": false}}})).unwrap();
    assert_eq!(stage.walk(&inbox, None).await.unwrap().listed.len(), usual.listed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_page_costs_one_item() {
    let mut dump = plain(1, 200);
    let victims: Vec<_> = dump.entries.iter_mut().filter(|entry| entry.kind == "message").step_by(90).collect();
    let count = victims.len();
    for victim in victims {
        victim.resource["_sim"] = json!({"poisons": true, "fails": "ErrorContentConversionFailed"});
    }
    let mut stage = Stage::of(dump).await;
    stage.again(|config| config.page_size = 50);
    let account = stage.first().await;
    let rounds = stage.whole(&account).await;
    let refused: Vec<_> = rounds.values().flat_map(|round| round.refused.values()).collect();
    let listed: usize = rounds.values().map(|round| round.listed.len()).sum();
    assert_eq!((listed, refused.len()), (200 - count, count));
    assert!(refused.iter().all(|fault| fault.remedy == Remedy::Skip(Cause::NotConvertible)), "{refused:?}");
    let facts = &rounds.values().flat_map(|round| round.listed.values()).next().unwrap().facts;
    assert!(facts.read.is_some() && facts.size.is_some());
    for feed in stage.feeds(&account).await {
        let round = &rounds[feed.collection.as_ref().unwrap()];
        let later = stage.walk(&feed, round.done.clone()).await.unwrap();
        assert!(later.listed.is_empty() && later.gone.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_json_is_read() {
    let mut options = Options::default();
    options.knobs.switches.raw_control_characters = true;
    options.knobs.switches.folder_sizes = true;
    let stage = Stage::with(hostile(1, 10), options).await;
    let account = stage.first().await;
    let rounds = stage.whole(&account).await;
    let seen: usize = rounds.values().map(|round| round.listed.len() + round.refused.len()).sum();
    assert_eq!(seen, stage.messages(&account).len());
}
