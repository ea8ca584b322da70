//! A source that refuses, breaks and lies at every twentieth request: the result is that of a calm day, and the source
//! is never asked too much, too early or too often at once.

use crate::{
    place::{Server, logins},
    project::Project,
    stage,
    standing::{assert_same, standing},
};
use serde_json::json;
use std::collections::BTreeMap;
use transhume_simulators::Running;

const PEOPLE: usize = 3;
/// What a script can do to a request that the program must get over.
const KINDS: [&str; 6] = ["duplicate_page", "reset", "status", "throttle", "token_expired", "truncate"];

/// Twentieths of all requests, shared by the kinds of trouble.
fn trouble(simulator: &Running, seed: u64) {
    let rule = |rate: f64, path: &str, fault| json!({ "rate": rate, "path": path, "fault": fault });
    let graph = "^/v1.0/";
    let rules = [
        rule(0.01, graph, json!({ "kind": "throttle", "retry_after": 0.4, "form": "fractional" })),
        rule(0.005, graph, json!({ "kind": "throttle", "retry_after": 1.0, "form": "date" })),
        rule(0.005, graph, json!({ "kind": "throttle", "retry_after": 0.0, "form": "absent" })),
        rule(0.005, graph, json!({ "kind": "status", "code": 500 })),
        rule(0.005, graph, json!({ "kind": "status", "code": 503, "retry_after": 1.0 })),
        rule(0.005, graph, json!({ "kind": "reset" })),
        rule(0.005, graph, json!({ "kind": "reset", "after": 300 })),
        // Bodies cut short with their connection, and bodies closed as if they were whole. Of a text that is closed so
        // just at the end of a line nothing tells: those are spared.
        rule(0.01, "value", json!({ "kind": "reset", "after": 400 })),
        rule(0.02, "value", json!({ "kind": "truncate", "after": 400, "tellable": true })),
        rule(0.02, "value", json!({ "kind": "truncate", "after": 1600, "tellable": true })),
        rule(0.005, graph, json!({ "kind": "token_expired" })),
        rule(0.05, "delta", json!({ "kind": "duplicate_page" })),
    ];
    // Chance may spare a kind, so each strikes once for certain.
    let once = |nth: u64, path: &str, fault| json!({ "nth": nth, "path": path, "fault": fault });
    let certain = [
        once(3, "/messages/delta", json!({ "kind": "throttle", "retry_after": 0.4, "form": "fractional" })),
        once(5, "/messages/delta", json!({ "kind": "status", "code": 500 })),
        once(7, "/messages/delta", json!({ "kind": "duplicate_page" })),
        once(9, "/messages/delta", json!({ "kind": "token_expired" })),
        once(2, "value", json!({ "kind": "reset", "after": 40 })),
        once(4, "value", json!({ "kind": "truncate", "after": 40, "tellable": true })),
    ];
    let rules: Vec<_> = certain.into_iter().chain(rules).collect();
    simulator.faults(json!({ "rules": rules, "seed": seed, "token_lifetime_s": 330.0 })).unwrap();
}

fn calm(simulator: &Running) {
    simulator.faults(json!({ "clear": true, "switches": { "regenerate_mime": false } })).unwrap();
}

/// Four at once, nothing before its time, no full window.
fn assert_polite(simulator: &Running, case: &str) {
    let stats = simulator.stats();
    let peak = stats.peak_concurrency.values().max().copied().unwrap_or_default();
    assert!(peak <= 4, "{case}: {peak} requests at once in one mailbox");
    assert_eq!(stats.early_retries, 0, "{case}: the same request came again before its Retry-After");
    assert_eq!(stats.early_calls, 0, "{case}: requests came to a mailbox that had said to wait");
    assert_eq!((stats.window_breaches, stats.concurrency_breaches), (0, 0), "{case}");
    assert_eq!(stats.writes, 0, "{case}: something was written at the source");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_at_every_twentieth_request_changes_nothing() {
    let seed = crate::kills::seed();
    let case = format!("TRANSHUME_TORTURE_SEED={seed}");
    let simulator = stage::office(PEOPLE as u32, 150, seed).await;
    let people = stage::people(&simulator, PEOPLE);
    stage::add_twins(&simulator, &people[0]);
    let (a, b) = (logins("a", PEOPLE), logins("b", PEOPLE));
    let server = Server::dovecot(&[a.clone(), b.clone()].concat());
    let undisturbed = Project::new(&simulator, &people, &a, server.port(), "");
    let troubled = Project::new(&simulator, &people, &b, server.port(), "");
    let mut struck = BTreeMap::<String, u64>::new();
    for day in 0..2 {
        calm(&simulator);
        if day > 0 {
            stage::churn(&simulator, seed, 60);
        }
        assert_eq!(undisturbed.run_until_done(1).await.code, 0, "{case}");
        trouble(&simulator, seed + day);
        simulator.reset_stats();
        let done = troubled.run_until_done(6).await;
        assert_eq!(done.code, 0, "{case}, day {day}: {}\n{:?}", done.stderr, done.events);
        let stats = simulator.stats();
        assert!(stats.faults.values().sum::<u64>() > 3, "{case}: hardly any trouble: {:?}", stats.faults);
        stats.faults.into_iter().for_each(|(kind, times)| *struck.entry(kind).or_default() += times);
        assert_polite(&simulator, &case);
        assert_same(&standing(server.port(), &b), &standing(server.port(), &a), &case);
    }
    let kinds: Vec<_> = struck.keys().map(String::as_str).collect();
    assert_eq!(kinds, KINDS, "{case}: each kind strikes, and no other: {struck:?}");
    calm(&simulator);
    let verified = troubled.call(&["verify", "--depth", "content"]).await;
    assert_eq!(verified.code, 0, "{case}: {:?}", verified.events);
}
