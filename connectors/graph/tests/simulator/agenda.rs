//! Calendars and what stands in them: which there are, what is listed, and what an original holds.

use crate::stage::{Round, Stage, full};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{
    Account, Cause, Collection, CollectionId, Listed, Presence, Reach, Remedy, Role, Source, Workload,
    memory::HeldOriginal,
};
use transhume_simulators::dump::Entry;

/// The first account, which has every odd event.
pub async fn agenda() -> (Stage, Account) {
    let stage = Stage::of(full(1, 10)).await;
    let account = stage.first().await;
    (stage, account)
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Single events and masters in the calendars that are the account's own, by calendar and title.
pub fn expected(stage: &Stage, account: &Account, collections: &[Collection]) -> Vec<(String, String)> {
    let own: BTreeSet<&str> =
        collections.iter().filter(|one| one.role != Role::Internal).map(|one| one.id.as_str()).collect();
    let events = stage.truth(account, "event").into_iter().filter(|entry| entry.resource["seriesMasterId"].is_null());
    let placed = events.map(|entry| (entry.parent.clone().unwrap(), text(&entry.resource, "subject").to_owned()));
    let mut all: Vec<_> = placed.filter(|(calendar, _)| own.contains(calendar.as_str())).collect();
    all.sort();
    all
}

pub fn told(rounds: &BTreeMap<CollectionId, Round>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (calendar, round) in rounds {
        let titles = round.listed.values().map(|one| one.facts.subject.clone().unwrap_or_default());
        all.extend(titles.map(|title| (calendar.as_str().to_owned(), title)));
    }
    all.sort();
    all
}

pub fn part(original: &HeldOriginal, name: &str) -> Value {
    original.part(name).map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap())
}

fn ids(array: &Value) -> BTreeSet<String> {
    array.as_array().into_iter().flatten().map(|one| text(one, "id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_calendar_is_told_of_with_its_colour_and_whose_it_is() {
    let (stage, account) = agenda().await;
    let calendars = stage.source.collections(&account, Workload::Calendar).await.unwrap();
    let truth = stage.truth(&account, "calendar");
    let shown: Vec<&Entry> = truth.iter().filter(|entry| entry.resource["_sim"]["hidden"] != true).collect();
    assert_eq!(calendars.len(), shown.len(), "those of every group, each once");
    assert_eq!(calendars[0].role, Role::Default);
    let named = |name: &str| calendars.iter().filter(|one| one.name == name).collect::<Vec<_>>();
    let colours: Vec<_> = named("Projets").iter().map(|one| one.appearance.colour.as_deref().unwrap()).collect();
    assert_eq!(colours, ["#0078d4", "lightRed"]);
    assert_eq!(named("Anniversaires")[0].role, Role::ReadOnly);
    let shared = named("Jürgen Groß")[0];
    assert_eq!(shared.role, Role::Internal);
    let feeds = stage.source.feeds(&account, &calendars).await.unwrap();
    assert_eq!(feeds.len(), calendars.len() - 1);
    assert!(feeds.iter().all(|feed| feed.collection.as_ref() != Some(&shared.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_tells_of_calendars_contacts_and_tasks() {
    let stage = Stage::of(full(1, 3)).await;
    let of = |account: &Account| -> Vec<(Workload, bool)> {
        account.workloads.iter().map(|(workload, presence, _)| (*workload, *presence == Presence::Present)).collect()
    };
    let all = |open: bool| Workload::ALL[..4].iter().map(|workload| (*workload, open)).collect::<Vec<_>>();
    for account in stage.accounts().await {
        let has_mail = account.workloads[0].1 == Presence::Present;
        assert_eq!(of(&account), all(has_mail), "{}", account.address);
    }
    stage.switch(json!({"todo_app_only": false}));
    let first = stage.first().await;
    let Presence::Denied(why) = &first.workloads[3].1 else { panic!("{:?}", first.workloads) };
    assert!(why.contains("To Do"), "{why}");
    stage.switch(json!({"todo_app_only": true, "cloud": "china"}));
    assert!(matches!(stage.first().await.workloads[3].1, Presence::Absent(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_closes_its_room_alone() {
    let mut stage = Stage::of(full(1, 3)).await;
    stage
        .sim
        .faults(json!({"roles": ["User.Read.All", "Mail.Read", "MailboxSettings.Read", "Contacts.Read"]}))
        .unwrap();
    stage.again(|_| {});
    let account = stage.first().await;
    let open: Vec<_> = account.workloads.iter().filter(|(_, presence, _)| *presence == Presence::Present).collect();
    assert_eq!(open.iter().map(|(workload, ..)| *workload).collect::<Vec<_>>(), [Workload::Mail, Workload::Contacts]);
    let access = stage.source.check(None).await.unwrap();
    for permission in ["Calendars.Read", "Tasks.Read.All"] {
        assert!(access.findings.iter().any(|one| one.sentence.contains(permission)), "{:?}", access.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn to_do_that_opens_to_no_application_is_found_before_anything_moves() {
    let stage = Stage::of(full(1, 3)).await;
    let found = |access: &transhume_contract::Access| access.findings.iter().any(|one| one.code == "todo_denied");
    assert!(!found(&stage.source.check(None).await.unwrap()));
    stage.switch(json!({"todo_app_only": false}));
    assert!(found(&stage.source.check(None).await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_agenda_is_listed_to_the_last_event() {
    for event_delta in ["answers", "bad_request", "not_found"] {
        for limited in [true, false] {
            let (stage, account) = agenda().await;
            stage.switch(json!({"event_delta": event_delta, "event_delta_limited": limited}));
            let calendars = stage.source.collections(&account, Workload::Calendar).await.unwrap();
            let rounds = stage.whole_of(&account, Workload::Calendar).await;
            assert_eq!(told(&rounds), expected(&stage, &account, &calendars), "{event_delta}");
            assert!(rounds.values().all(|round| round.refused.is_empty() && round.done.is_some()));
            let listed = || rounds.values().flat_map(|round| round.listed.values());
            assert!(listed().count() > 80, "the agenda is not hostile");
            assert!(listed().filter(|one| one.facts.class.as_deref() == Some("seriesMaster")).count() > 30);
            assert_eq!(stage.sim.stats().concurrency_breaches, 0);
        }
    }
}

/// What a series holds beyond its master, by the title of the master.
fn beyond(stage: &Stage, account: &Account) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let events = stage.truth(account, "event");
    let masters = events.iter().filter(|entry| entry.resource["recurrence"].is_object());
    let each = masters.map(|master| {
        let id = text(&master.resource, "id");
        let changed = events.iter().filter(|entry| text(&entry.resource, "seriesMasterId") == id);
        let changed = changed.map(|entry| text(&entry.resource, "originalStart").to_owned()).collect();
        let cancelled = master.resource["cancelledOccurrences"].as_array().into_iter().flatten();
        let days = cancelled.map(|day| day.as_str().unwrap().rsplit('.').next().unwrap().to_owned()).collect();
        (text(&master.resource, "subject").to_owned(), (changed, days))
    });
    each.collect()
}

fn series(rounds: &BTreeMap<CollectionId, Round>) -> Vec<&Listed> {
    let all = rounds.values().flat_map(|round| round.listed.values());
    all.filter(|one| one.facts.class.as_deref() == Some("seriesMaster")).collect()
}

fn changed_in(original: &HeldOriginal) -> BTreeSet<String> {
    let (event, apart) = (part(original, "event"), part(original, "exceptions"));
    let lists = [&event["exceptionOccurrences"], &apart];
    let all = lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
    all.map(|one| text(one, "originalStart").to_owned()).collect()
}

fn cancelled_in(original: &HeldOriginal) -> BTreeSet<String> {
    let event = part(original, "event");
    let days = event["cancelledOccurrences"].as_array().expect("a list of cancelled days");
    days.iter().map(|day| day.as_str().unwrap().rsplit('.').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_comes_with_its_changed_and_cancelled_days_however_they_are_told() {
    for by in ["expand", "select_and_expand", "either"] {
        for drops in [false, true] {
            let (stage, account) = agenda().await;
            stage.switch(json!({"occurrences_by": by, "mixed_select_drops_exceptions": drops}));
            let rounds = stage.whole_of(&account, Workload::Calendar).await;
            let truth = beyond(&stage, &account);
            for listed in series(&rounds) {
                let (original, _) = stage.fetch_of(&account, listed, Workload::Calendar).await.unwrap();
                let title = listed.facts.subject.clone().unwrap();
                let (changed, cancelled) = &truth[&title];
                assert_eq!((&changed_in(&original), &cancelled_in(&original)), (changed, cancelled), "{title}, {by}");
                assert!(original.part("instances").is_none(), "{title}: both lists were told");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_without_lists_gives_the_days_themselves() {
    let (stage, account) = agenda().await;
    stage.switch(json!({"cloud": "us_gov"}));
    let rounds = stage.whole_of(&account, Workload::Calendar).await;
    let (truth, mut gaps) = (beyond(&stage, &account), 0);
    for listed in series(&rounds) {
        let (original, _) = stage.fetch_of(&account, listed, Workload::Calendar).await.unwrap();
        let title = listed.facts.subject.clone().unwrap();
        let (changed, cancelled) = &truth[&title];
        assert_eq!(&changed_in(&original), changed, "{title}");
        let days = part(&original, "instances");
        assert!(days.is_array(), "{title}: {}", part(&original, "event"));
        let plain = days.as_array().unwrap().iter().filter(|day| day["type"] == "occurrence");
        let starts: BTreeSet<String> = plain.map(|day| text(&day["start"], "dateTime")[..10].to_owned()).collect();
        assert_eq!(ids(&days).len(), days.as_array().unwrap().len(), "{title}: each day once");
        let zoned = part(&original, "event");
        if text(&zoned, "originalStartTimeZone") == "Romance Standard Time" {
            assert!(cancelled.is_disjoint(&starts), "{title}: a cancelled day is a gap");
            gaps += cancelled.len();
        }
    }
    assert!(gaps > 3, "only {gaps} cancelled days");
    let title = truth.keys().find(|title| title.contains("thirty")).unwrap_or_else(|| panic!("{:?}", truth.keys()));
    let listed = series(&rounds).into_iter().find(|one| one.facts.subject.as_ref() == Some(title)).unwrap();
    let (original, _) = stage.fetch_of(&account, listed, Workload::Calendar).await.unwrap();
    let (changed, cancelled) = &truth[title];
    let days = part(&original, "instances").as_array().unwrap().len();
    assert_eq!(days + cancelled.len(), 1566, "{} of them changed", changed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_kept_as_it_was_told_with_its_attachments() {
    let (stage, account) = agenda().await;
    let rounds = stage.whole_of(&account, Workload::Calendar).await;
    let (mut files, mut damaged) = (0, 0);
    for listed in rounds.values().flat_map(|round| round.listed.values()) {
        let original = match stage.fetch_of(&account, listed, Workload::Calendar).await {
            Ok((original, _)) => original,
            Err(fault) => {
                assert_eq!(
                    (fault.reach, &fault.remedy),
                    (Reach::Item, &Remedy::Skip(Cause::CorruptAtSource)),
                    "{fault}"
                );
                damaged += 1;
                continue;
            }
        };
        let event = part(&original, "event");
        assert_eq!(event["id"], listed.id.as_str());
        assert_eq!(event["iCalUId"].as_str().filter(|uid| !uid.is_empty()), listed.facts.message_id.as_deref());
        assert_eq!(event["start"]["timeZone"], "UTC");
        let attachments = part(&original, "attachments");
        for (n, entry) in attachments.as_array().into_iter().flatten().enumerate() {
            let meta = &entry["attachment"];
            let link = text(meta, "@odata.type").ends_with("referenceAttachment");
            let same = meta["transhume.same"].as_u64().map(|same| original.part(&format!("attachment/{same}")));
            assert!(same.is_none_or(|part| part.is_some()), "{meta}");
            assert_eq!(original.part(&format!("attachment/{n}")).is_none(), link || same.is_some(), "{meta}");
            assert!(meta["contentBytes"].is_null());
            let own = text(entry, "event");
            assert!(own == listed.id.as_str() || changed_ids(&original).contains(own), "{own}");
            files += 1;
        }
        let promised = event["hasAttachments"] == true;
        assert!(!promised || attachments.is_array(), "{}", event["subject"]);
    }
    assert!(files > 3 && damaged == 1, "only {files} attachments, {damaged} damaged");
}

/// An exception shows the files of its series under other ids.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_series_is_fetched_once_however_many_of_its_days_show_it() {
    let (stage, account) = agenda().await;
    let rounds = stage.whole_of(&account, Workload::Calendar).await;
    let listed = titled(&rounds, "exceptions of every kind");
    let (original, _) = stage.fetch_of(&account, listed, Workload::Calendar).await.unwrap();
    let attachments = part(&original, "attachments");
    let all = attachments.as_array().unwrap();
    let taken: Vec<_> = (0..all.len()).filter(|n| original.part(&format!("attachment/{n}")).is_some()).collect();
    let names: Vec<_> = taken.iter().map(|n| text(&all[*n]["attachment"], "name")).collect();
    assert_eq!(names, ["ordre.txt", "annexe.txt"], "{attachments}");
    assert!(all.len() >= 10, "{attachments}");
    assert!(
        all.iter().all(|one| one["attachment"]["name"] == "annexe.txt"
            || one["event"] == listed.id.as_str()
            || one["attachment"]["transhume.same"] == 0),
        "{attachments}"
    );
    // One that was changed since may be another of the same name and size.
    stage.switch(json!({"exceptions_touch_master": false}));
    let day = json!([{"op": "edit_occurrence", "user": account.address, "event": listed.id.as_str(),
        "date": "2026-04-05", "set": {"subject": "plus tard"}}]);
    stage.mutate(day);
    let (later, _) = stage.fetch_of(&account, listed, Workload::Calendar).await.unwrap();
    let parts = later.parts.iter().filter(|one| one.part.name.starts_with("attachment/")).count();
    assert_eq!(parts, taken.len() + 1, "{}", part(&later, "attachments"));
}

fn titled<'a>(rounds: &'a BTreeMap<CollectionId, Round>, title: &str) -> &'a Listed {
    let mut all = rounds.values().flat_map(|round| round.listed.values());
    all.find(|one| one.facts.subject.as_deref() == Some(title)).unwrap_or_else(|| panic!("{title} is not listed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_changed_in_ten_years_is_seen_where_the_days_tell_of_themselves() {
    let (stage, account) = agenda().await;
    stage.switch(json!({"cloud": "us_gov", "exceptions_touch_master": false}));
    let before = stage.whole_of(&account, Workload::Calendar).await;
    let series = titled(&before, "daily without end").clone();
    let user = account.address.as_str();
    stage.mutate(json!([
        {"op": "cancel_occurrence", "user": user, "event": series.id.as_str(), "date": "2036-05-02"},
        {"op": "edit_occurrence", "user": user, "event": series.id.as_str(), "date": "2036-05-04", "set": {"subject": "un jour"}},
    ]));
    let after = stage.whole_of(&account, Workload::Calendar).await;
    let later = titled(&after, "daily without end");
    assert_ne!(later.version, series.version, "both changes stand in no list");
    let (original, _) = stage.fetch_of(&account, later, Workload::Calendar).await.unwrap();
    let days = part(&original, "instances");
    let kind = |day: &str| {
        let starts = |one: &&Value| text(&one["start"], "dateTime").starts_with(day);
        days.as_array().unwrap().iter().find(starts).map(|one| text(one, "type").to_owned())
    };
    let told = ["2036-05-01", "2036-05-02", "2036-05-03", "2036-05-04"].map(kind);
    assert_eq!(
        told.each_ref().map(Option::as_deref),
        [Some("occurrence"), None, Some("occurrence"), Some("exception")]
    );
    assert!(text(&part(&original, "listed"), "until") > "2043", "{}", part(&original, "listed"));
}

fn changed_ids(original: &HeldOriginal) -> BTreeSet<String> {
    let (event, apart) = (part(original, "event"), part(original, "exceptions"));
    &ids(&event["exceptionOccurrences"]) | &ids(&apart)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_calendars_are_captured() {
    let (stage, account) = agenda().await;
    let mut held = HeldOriginal::default();
    stage.source.settings(&account, Workload::Calendar, &mut held).await.unwrap();
    assert!(part(&held, "mailboxSettings")["timeZone"].is_string());
    assert!(part(&held, "masterCategories")["value"].as_array().unwrap().len() > 1);
    assert_eq!(part(&held, "calendarGroups").as_array().unwrap().len(), 2);
    let calendars = part(&held, "calendars");
    let shown = calendars.as_array().unwrap();
    assert_eq!(shown.len(), stage.source.collections(&account, Workload::Calendar).await.unwrap().len());
    let at = |name: &str| shown.iter().position(|one| text(one, "name").contains(name)).unwrap();
    let permissions = part(&held, &format!("calendarPermissions/{}", at("تقويم")));
    let roles: BTreeSet<_> = permissions["value"].as_array().unwrap().iter().map(|one| text(one, "role")).collect();
    assert!(roles.is_superset(&BTreeSet::from(["freeBusyRead", "custom"])), "{permissions}");
    assert!(held.part(&format!("calendarPermissions/{}", at("Jürgen"))).is_none(), "not ours to tell");
}
