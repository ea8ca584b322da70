//! What Microsoft 365 refuses, and the sentence a user reads.

use crate::setting::{SECRET, Story, ordinary};
use serde_json::json;
use transhume_simulators::Options;
use transhume_simulators::seed::tenant;

fn story() -> Story {
    Story::new(&ordinary(1, 4))
}

#[test]
fn a_wrong_secret() {
    let story = Story { secret: "wrong".into(), ..story() };
    story.run(&["run"]).is(1, "?wrong_secret");
    assert!(story.simulator.stats().total <= 4, "a refused secret is not tried again and again");
}

#[test]
fn an_expired_secret() {
    let options =
        Options { expired_secrets: vec![SECRET.into()], client_secret: Some("new".into()), ..Options::default() };
    let story = Story::of(tenant(&ordinary(1, 2)), 1, options, None);
    story.run(&["run"]).is(1, "?expired_secret");
}

#[test]
fn a_wrong_tenant() {
    let story = story();
    story.reconfigure("\"contoso\"", "\"fabrikam.example\"");
    story.run(&["check"]).is(1, "?wrong_tenant");
}

#[test]
fn a_permission_nobody_granted() {
    let story = story();
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    story.run(&["check"]).tells(1, &["?permission check"]);
    story.run(&["run"]).tells(3, &["?permission run"]);
}

#[test]
fn a_permission_that_is_taken_back_between_two_runs() {
    let story = story();
    story.run(&["run"]).ok();
    story.mutate(json!({ "op": "churn", "user": story.addresses[0], "seed": 1, "count": 5 }));
    story.simulator.faults(json!({ "roles": ["MailboxSettings.Read"] })).unwrap();
    story.run(&["run"]).tells(3, &["?revoked run"]);
    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
}

#[test]
fn a_service_that_nobody_answers_for() {
    let story = story();
    story.reconfigure(&story.simulator.base_url(), "http://127.0.0.1:1");
    story.run(&["run"]).is(1, "?nobody answers");
}

#[test]
fn an_account_without_a_mailbox() {
    let story = story();
    let address = "stagiaire@valmont.example";
    story.write("accounts.csv", format!("source,target\n{},a\n{address},b\n", story.addresses[0]));
    story.run(&["check"]).tells(1, &["?mailbox check"]);
    story.run(&["run"]).tells(3, &["?mailbox run"]);
}

#[test]
fn a_mailbox_that_claims_mail_and_lists_none() {
    let mut dump = tenant(&ordinary(1, 6));
    dump.entries.retain(|entry| entry.kind != "message");
    let story = Story::of(dump, 1, Options::default(), None);
    story.run(&["run"]).tells(3, &["?empty"]);
}

#[test]
fn a_clock_that_is_wrong() {
    let story = story();
    story.simulator.faults(json!({ "clock_offset_s": 7200 })).unwrap();
    story.run(&["check"]).tells(0, &["?clock"]);
}

#[test]
fn a_clock_that_is_too_wrong_for_a_certificate() {
    let story = story();
    let pem = certificate(&story);
    let options = Options { certificates: vec![pem], ..Options::default() };
    let mut story = story;
    story.reconfigure("client_secret = { env = \"STORY_SECRET\" }", "certificate = \"app.pem\"");
    story.move_in(tenant(&ordinary(1, 2)), options);
    story.run(&["run"]).ok();
    story.simulator.faults(json!({ "clock_offset_s": 7200 })).unwrap();
    story.run(&["run"]).is(1, "?clock certificate");
}

/// Makes a key with its certificate, as the README tells, and answers the certificate.
fn certificate(story: &Story) -> String {
    let (key, certificate) = (story.beside("key.pem"), story.beside("certificate.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=story", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let read = |path| std::fs::read_to_string(path).unwrap();
    let certificate = read(certificate);
    story.write("app.pem", read(key) + &certificate);
    certificate
}
