//! What a plan says of calendars, contacts and tasks before anything moves.

use crate::groupware::{at_cyrus, groupware};
use serde_json::Value;
use transhume_simulators::seed::Recipe;

fn recipe() -> Recipe {
    Recipe { accounts: 2, messages: 1, events: 60, contacts: 30, tasks: 10, hostile: false, ..Recipe::default() }
}

/// The plan of one workload of every account, summed up: requests for the originals, and of each further pass.
fn requests(plans: &[Value], workload: &str) -> (u64, u64) {
    let of = plans.iter().filter(|plan| plan["standing"]["workload"] == workload);
    let figures = of.map(|plan| (plan["requests"].as_u64().unwrap(), plan["requests_again"].as_u64().unwrap()));
    figures.fold((0, 0), |(all, again), (requests, more)| (all + requests - more, again + more))
}

#[test]
fn a_plan_counts_what_series_and_photos_cost_and_a_run_takes_about_that() {
    let (story, _server) = groupware(&recipe());
    let mut plans = story.run(&["plan", "--json"]).ok().events();
    let summary = plans.pop().unwrap();
    let plans: Vec<Value> = plans.into_iter().filter(|event| event["type"] == "plan").collect();
    let tenant = story.simulator.tenant();
    let moved = |user: &Option<String>| user.as_ref().is_some_and(|user| story.addresses.contains(user));
    let held = |kind: &str, class: Option<&str>| {
        let all = tenant.entries.iter().filter(|entry| entry.kind == kind && moved(&entry.user));
        all.filter(|entry| class.is_none_or(|class| entry.resource["type"] == class)).count() as u64
    };
    let (series, singles) = (held("event", Some("seriesMaster")), held("event", Some("singleInstance")));
    let (originals, again) = requests(&plans, "calendar");
    assert!(series > 0 && singles > 0);
    assert_eq!(originals, singles + 2 * series, "a series is read with its lists");
    assert!(again > series && again < series + 20, "{again} for {series} series, and the calendars");
    assert_eq!(requests(&plans, "contacts").0, 2 * held("contact", None), "each with its photo");
    assert_eq!(requests(&plans, "tasks").0, held("todoTask", None));
    story.simulator.reset_stats();
    story.run(&["run"]).ok();
    let (planned, took) = (summary["requests"].as_u64().unwrap(), story.simulator.stats().total);
    assert!(took * 10 > planned * 8 && took * 10 < planned * 15, "{planned} planned, {took} taken");
    story.simulator.reset_stats();
    story.run(&["run"]).ok();
    let (planned, took) = (summary["requests_again"].as_u64().unwrap(), story.simulator.stats().total);
    assert!(
        took >= planned && took < planned + 60,
        "{planned} planned of a pass in which nothing changed, {took} taken"
    );
}

#[test]
fn what_silence_costs_after_the_cut_over_is_foretold_without_a_sample() {
    let told = "will not do so later either";
    let (story, _cyrus) = at_cyrus(&recipe());
    let plan = story.run(&["plan"]);
    assert!(plan.out.contains(told) && plan.out.contains("scheduling_left_to_client"), "{}\n{}", plan.out, plan.err);
    let only_contacts = story.run(&["plan", "--only", "contacts"]);
    assert!(!only_contacts.out.contains(told), "{}", only_contacts.out);
    let (story, _radicale) = groupware(&recipe());
    let silent = story.run(&["plan"]);
    assert!(!silent.out.contains(told), "{}", silent.out);
}
