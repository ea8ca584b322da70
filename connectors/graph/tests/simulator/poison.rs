//! Messages that spoil the pages they stand on, at every place of every page: exactly they are refused, everything
//! else is listed with its facts.

use crate::stage::{Round, Stage, plain};
use serde_json::{Value, json};
use transhume_contract::{Account, Cause, Fault, Feed, Next, Remedy, Source, What};
use transhume_simulators::dump::Dump;

const MESSAGES: usize = 19;
const PAGES: [u32; 4] = [1, 3, 8, 50];

fn mark(dump: &mut Dump, victims: &[usize], marks: &Value) {
    let messages = dump.entries.iter_mut().filter(|entry| entry.kind == "message");
    for (_, message) in messages.enumerate().filter(|(at, _)| victims.contains(at)) {
        message.resource["_sim"] = marks.clone();
    }
}

/// A tenant whose messages at these places carry these marks; over its quota, it refuses delta.
async fn spoilt(victims: &[usize], marks: &Value, page_size: u32, over_quota: bool) -> (Stage, Account, Feed) {
    let mut dump = plain(1, MESSAGES as u32);
    mark(&mut dump, victims, marks);
    let mut stage = Stage::of(dump).await;
    stage.again(|config| config.page_size = page_size);
    let account = stage.first().await;
    stage.sim.faults(json!({"mailboxes": {&account.address: {"over_quota": over_quota}}})).unwrap();
    let inbox = stage.inbox(&account).await;
    (stage, account, inbox)
}

/// Exactly the victims are missing among the listed, each refused once and for good.
fn only_the_victims_are_missing(round: &Round, victims: &[usize], cause: Cause, case: &str) {
    let expected: Vec<String> =
        (0..MESSAGES).filter(|at| !victims.contains(at)).map(|at| format!("File {at} of the registry")).collect();
    let mut listed: Vec<_> = round.listed.values().map(|one| one.facts.subject.clone().unwrap()).collect();
    let number = |subject: &String| subject.split(' ').nth(1).unwrap().parse::<usize>().unwrap();
    listed.sort_by_key(number);
    assert_eq!(listed, expected, "{case}");
    assert!(round.listed.values().all(|one| one.facts.read.is_some() && one.facts.size.is_some()), "{case}");
    assert_eq!(round.refused.len(), victims.len(), "{case}: {:?}", round.refused);
    assert!(round.refused.values().all(|fault| fault.remedy == Remedy::Skip(cause)), "{case}: {:?}", round.refused);
    assert!(round.done.is_some(), "{case}");
}

async fn each_alone(marks: Value, cause: Cause) {
    for over_quota in [false, true] {
        for page_size in PAGES {
            for victim in 0..MESSAGES {
                let case = format!("row {victim}, pages of {page_size}, without delta: {over_quota}");
                let (stage, _, inbox) = spoilt(&[victim], &marks, page_size, over_quota).await;
                let round = stage.walk(&inbox, None).await.unwrap_or_else(|fault| panic!("{case}: {fault}"));
                only_the_victims_are_missing(&round, &[victim], cause, &case);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_facts_spoil_its_page_is_the_only_one_refused() {
    each_alone(json!({"poisons": true, "fails": "ErrorContentConversionFailed"}), Cause::NotConvertible).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_spoils_even_pages_of_ids_is_the_only_one_stepped_over() {
    each_alone(json!({"poisons_ids": true, "fails": "ErrorCorruptData"}), Cause::CorruptAtSource).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_spoil_pages_of_ids_side_by_side_are_all_stepped_over() {
    let marks = json!({"poisons_ids": true});
    for page_size in PAGES {
        for victims in [vec![0, 1, 2], vec![7, 8], vec![3, 9, 17, 18], (0..MESSAGES - 3).collect()] {
            let (stage, _, inbox) = spoilt(&victims, &marks, page_size, false).await;
            let case = format!("rows {victims:?}, pages of {page_size}");
            let round = stage.walk(&inbox, None).await.unwrap();
            only_the_victims_are_missing(&round, &victims, Cause::CorruptAtSource, &case);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_without_a_known_code_is_damaged_where_its_id_is_still_given() {
    let marks = json!({"poisons": true, "fails": "InternalServerError", "spares_id": true});
    let (stage, _, inbox) = spoilt(&[5], &marks, 8, false).await;
    let round = stage.walk(&inbox, None).await.unwrap();
    only_the_victims_are_missing(&round, &[5], Cause::CorruptAtSource, "spared");
}

/// Walks until the first fault, and in another process from its last cursor once the trouble is over.
async fn interrupted(stage: &mut Stage, inbox: &Feed) -> (Fault, Round) {
    let (mut round, mut cursor) = (Round::default(), None);
    loop {
        match stage.source.changes(inbox, cursor.as_ref()).await {
            Ok(page) => {
                round.take(page.changes);
                let Next::More(more) = page.next else { panic!("nothing failed") };
                cursor = Some(more);
            }
            Err(fault) => {
                stage.sim.faults(json!({"rules": []})).unwrap();
                stage.again(|config| config.page_size = 5);
                let rest = stage.walk(inbox, cursor).await.unwrap();
                round.listed.extend(rest.listed);
                round.refused.extend(rest.refused);
                return (fault, Round { done: rest.done, ..round });
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_may_pass_fails_the_page_and_the_next_pass_reads_it_again() {
    let trouble = [
        json!({"kind": "status", "code": 503, "empty": true}),
        json!({"kind": "status", "code": 500}),
        json!({"kind": "reset"}),
        json!({"kind": "truncate", "after": 60}),
        json!({"kind": "status", "code": 429, "retry_after": 7200.0}),
    ];
    let marks = json!({"poisons": true, "fails": "ErrorContentConversionFailed"});
    for fault in trouble {
        let (mut stage, _, inbox) = spoilt(&[4], &marks, 5, false).await;
        // Messages asked for by themselves fail from the ninth on, their ids included.
        let alone = "/messages/[^/?]+[?]";
        let first = json!({"path": alone, "times": 8, "fault": {"kind": "latency", "ms": 0}});
        let then = json!({"path": alone, "fault": fault});
        stage.sim.faults(json!({"rules": [first, then]})).unwrap();
        let (met, round) = interrupted(&mut stage, &inbox).await;
        assert!(matches!(met.what, What::Unreachable | What::Throttled | What::Malformed), "{fault}: {met:?}");
        only_the_victims_are_missing(&round, &[4], Cause::NotConvertible, &fault.to_string());
    }
}
