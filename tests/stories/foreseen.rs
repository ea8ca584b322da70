//! What `plan` says that nobody can mend later: what is out of reach, what is too large, who cannot be read, and how long
//! it takes. And a run does not list again what the plan listed.

use crate::setting::{Story, ordinary, server};
use serde_json::{Value, json};
use transhume_servers::{Proxy, Script};
use transhume_simulators::Options;
use transhume_simulators::seed::{Recipe, tenant};

#[test]
fn what_no_later_step_can_rescue_is_named_with_the_step_that_does() {
    let mut dump = tenant(&ordinary(2, 3));
    let first = dump.entries.iter_mut().find(|entry| entry.kind == "user").unwrap();
    first.resource["_sim"] = json!({ "archive": true });
    let unified = |entry: &&mut transhume_simulators::dump::Entry| entry.kind == "group";
    dump.entries.iter_mut().find(unified).unwrap().resource["_sim"] = json!({ "conversations": 23 });
    let story = Story::of(dump, 2, Options::default(), None);
    let owner = &story.addresses[0];
    let archive = format!(
        "OUT OF REACH in place archive (an unknown number of items): The online archive of {owner} has no API: before \
         the tenant closes, move its mail back into the mailbox"
    );
    let words = [
        archive.as_str(),
        "OUT OF REACH group conversations (23 items): The conversations of the group conseil@valmont.example are no \
         mailbox, and its calendar opens to no application: export both to PST with Purview eDiscovery",
        "OUT OF REACH public folders (an unknown number of items): Public folders, if the tenant has any",
        "copy them into a shared mailbox or export them to PST before the tenant closes",
    ];
    story.run(&["plan"]).tells(0, &words);
    let events = story.run(&["plan", "--json"]).events();
    let kinds: Vec<_> =
        events.iter().filter(|event| event["type"] == "unreachable").map(|event| &event["kind"]).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

/// One message of 40 kB among small ones, and a server that takes no more than this many bytes.
fn too_large(limit: u64) -> (Story, Proxy) {
    let story = Story::with_server(&Recipe { message_bytes: Some(2000), ..ordinary(1, 5) }, server(1));
    let text =
        format!("Message-ID: <large@example.org>\r\nSubject: a large one\r\n\r\n{}", "0123456789abcd\r\n".repeat(2500));
    let mime = crate::setting::base64(&text);
    story.mutate(json!({ "op": "new_message", "user": story.addresses[0], "folder": "inbox", "mime": mime }));
    let port = story.dovecot.as_ref().unwrap().imap_port();
    let script = Script { advertise: vec![format!("APPENDLIMIT={limit}")], ..Script::default() };
    let proxy = Proxy::start(port, script).unwrap();
    story.reconfigure(&format!("port = {port}"), &format!("port = {}", proxy.port()));
    (story, proxy)
}

#[test]
fn what_is_too_large_is_foreseen_kept_and_placed_once_the_limit_is_raised() {
    let (story, proxy) = too_large(20_000);
    let sentence = "1 item is larger than the target accepts (20000 bytes); raise its limit of one message";
    story.run(&["plan"]).tells(3, &["BLOCKER", sentence, "1 blocker to mend first"]);
    story.run(&["run"]).tells(
        3,
        &[
            "0 owed, 1 in quarantine.",
            "1 item in quarantine: over target limit, seen at the target",
            "run --retry-quarantined",
        ],
    );
    let placed = crate::mailbox::look(&story, 1);
    assert!(placed.len() >= 5 && placed.iter().all(|mail| mail.id != "large@example.org"), "the others are there");
    story.run(&["status", "--items"]).tells(
        3,
        &[
            "in quarantine (over target limit) at the target; in ",
            "\"a large one\"",
            "are more than the target accepts (20000)",
        ],
    );
    assert_eq!(story.run(&["run"]).code, Some(3));
    assert_eq!(story.run(&["run", "--retry-quarantined"]).code, Some(3), "the limit is as it was");
    proxy.tell(|script| script.advertise = vec!["APPENDLIMIT=200000".into()]);
    assert_eq!(story.run(&["run"]).code, Some(3), "nobody asked to try it again");
    let bodies = story.bodies();
    story.run(&["run", "--retry-quarantined"]).ok();
    assert_eq!((story.bodies(), bodies > 0), (0, true), "it is in the store already");
    let large = |mail: &&crate::mailbox::Mail| mail.id == "large@example.org";
    assert_eq!(crate::mailbox::look(&story, 1).iter().filter(large).count(), 1);
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

#[test]
fn who_has_no_mailbox_or_may_not_be_read_is_a_blocker() {
    let story = Story::new(&ordinary(2, 3));
    story.write("accounts.csv", format!("source,target\n{},a\nstagiaire@valmont.example,b\n", story.addresses[0]));
    story.run(&["plan"]).tells(
        3,
        &[
            "BLOCKER stagiaire@valmont.example: ",
            "has no mail that can be read: ",
            "MailboxNotEnabledForRESTAPI",
            "Remove the line from accounts.csv, or mend it at the source and run `transhume survey` again.",
            "1 blocker to mend first",
        ],
    );
    story.write("accounts.csv", format!("source,target\n{},a\n{},b\n", story.addresses[0], story.addresses[1]));
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    let plan = story.run(&["plan"]);
    plan.tells(3, &["BLOCKER", "access to this mailbox is denied", "grant the application Mail.Read"]);
    assert_eq!(story.run(&["plan", "--json"]).summary()["blockers"], 2);
}

#[test]
fn the_hours_are_those_of_the_limits() {
    let story = Story::new(&ordinary(1, 120));
    let plan = |requests: u64, window: u64| {
        let text = std::fs::read_to_string(story.project().join("transhume.toml")).unwrap();
        let text = text.split("\n[limits]").next().unwrap().to_owned();
        story.write("transhume.toml", format!("{text}\n[limits]\nrequests = {requests}\nwindow_seconds = {window}\n"));
        story.run(&["plan", "--json"]).ok().summary()
    };
    let [slow, fast] = [plan(240, 3600), plan(10_000, 600)];
    let of = |summary: &Value, name: &str| summary[name].as_u64().unwrap();
    let (requests, items) = (of(&slow, "requests"), of(&slow, "to_fetch"));
    assert!(items >= 120 && requests > items, "bodies, and the listing: {slow}");
    let hours = |summary: &Value| of(summary, "seconds") as f64 / 3600.0;
    let expected = requests as f64 / 240.0;
    assert!(hours(&slow) >= expected * 0.99 && hours(&slow) <= expected * 1.3, "{slow}, {expected} h");
    assert!(of(&fast, "seconds") <= of(&fast, "requests") * 600 / 10_000 * 13 / 10 + 1, "{fast}");
    let words = format!("{} requests to the source: at least ", of(&fast, "requests"));
    story.run(&["plan"]).tells(0, &[&words, " under its limits, 8 accounts side by side; nothing blocks."]);
}

/// The requests that listed mail.
fn listing(story: &Story) -> u64 {
    let stats = story.simulator.stats();
    story.simulator.reset_stats();
    let delta = stats.requests.iter().filter(|(endpoint, _)| endpoint.ends_with("/messages/delta"));
    delta.flat_map(|(_, statuses)| statuses.values()).sum()
}

#[test]
fn the_run_after_a_plan_asks_only_for_what_changed_since() {
    let mut options = Options::default();
    (options.knobs.switches.empty_pages, options.knobs.switches.repeat_rows) = (0, 0);
    let story = Story::of(tenant(&ordinary(1, 60)), 1, options, None);
    story.run(&["plan"]).ok();
    assert!(listing(&story) > 0);
    let mime = crate::setting::base64("Message-ID: <late@example.org>\r\nSubject: late\r\n\r\nhi\r\n");
    story.mutate(json!({ "op": "new_message", "user": story.addresses[0], "folder": "inbox", "mime": mime }));
    let pull = story.run(&["pull", "--json"]);
    let second = listing(&story);
    let listed = pull.ok().events().into_iter().filter(|event| event["type"] == "listed");
    assert_eq!(listed.filter_map(|event| event["items"].as_u64()).sum::<u64>(), 1, "what came since the plan");
    story.run(&["pull"]).ok();
    assert_eq!(listing(&story), second, "one request a folder, as when nothing is new");
}
