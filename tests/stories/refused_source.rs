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
    story.run(&["run"]).is(1, "Microsoft refused the sign-in: the client secret is wrong (AADSTS7000215)\ncopy the secret's Value from Entra (App registrations, Certificates & secrets), not its Secret ID\n(service code AADSTS7000215, request ID)");
    assert!(story.simulator.stats().total <= 4, "a refused secret is not tried again and again");
}

#[test]
fn an_expired_secret() {
    let options =
        Options { expired_secrets: vec![SECRET.into()], client_secret: Some("new".into()), ..Options::default() };
    let story = Story::of(tenant(&ordinary(1, 2)), 1, options, None);
    story.run(&["run"]).is(1, "Microsoft refused the sign-in: the client secret has expired (AADSTS7000222)\nmake a new secret in Entra (App registrations, Certificates & secrets), or better, use a certificate\n(service code AADSTS7000222, request ID)");
}

#[test]
fn a_wrong_tenant() {
    let story = story();
    story.reconfigure("\"contoso\"", "\"fabrikam.example\"");
    story.run(&["check"]).is(1, "Microsoft refused the sign-in: there is no such tenant (AADSTS90002)\ncheck the tenant: its id (a GUID) or one of its verified domains, in the right cloud\n(service code AADSTS90002, request ID)");
}

#[test]
fn a_permission_nobody_granted() {
    let story = story();
    story.simulator.faults(json!({ "roles": ["User.Read.All", "MailboxSettings.Read"] })).unwrap();
    story.run(&["check"]).tells(1, &["BLOCKER  source  everybody: the permission Mail.Read is missing: no mailbox can be read\n                 add the application permission Mail.Read in Entra (API permissions) and grant admin consent"]);
    story.run(&["run"]).tells(
        3,
        &[
            "stopped at the source: Microsoft Graph refused",
            "access to this mailbox is denied",
            "grant the application Mail.Read",
            "1 account stopped",
        ],
    );
}

#[test]
fn a_permission_that_is_taken_back_between_two_runs() {
    let story = story();
    story.run(&["run"]).ok();
    story.mutate(json!({ "op": "churn", "user": story.addresses[0], "seed": 1, "count": 5 }));
    story.simulator.faults(json!({ "roles": ["MailboxSettings.Read"] })).unwrap();
    story.run(&["run"]).tells(
        3,
        &[
            "stopped at the source: Microsoft Graph refused a mail folder: access to this mailbox is denied",
            "grant the application Mail.Read",
        ],
    );
    story.simulator.faults(json!({ "clear": true })).unwrap();
    story.run(&["run"]).ok();
}

#[test]
fn a_service_that_nobody_answers_for() {
    let story = story();
    story.reconfigure(&story.simulator.base_url(), "http://127.0.0.1:1");
    story.run(&["run"]).is(1, "http://HOST:PORT/contoso/oauth2/v2.0/token: the connection was refused: nothing listens there\ncheck that this machine reaches that host (name, port, proxy, firewall), then run the same command again");
}

#[test]
fn an_account_without_a_mailbox() {
    let story = story();
    let address = "stagiaire@valmont.example";
    story.write("accounts.csv", format!("source,target\n{},a\n{address},b\n", story.addresses[0]));
    story.run(&["check"]).tells(1, &["BLOCKER  source  stagiaire@valmont.example: stagiaire@valmont.example has no Exchange Online mailbox (MailboxNotEnabledForRESTAPI)\n                 leave this account out, or give it a mailbox", "1 blocker"]);
    story.run(&["run"]).tells(3, &["stagiaire@valmont.example stopped at the source: ", "1 account stopped"]);
}

#[test]
fn a_body_that_cannot_be_had_now_is_owed_by_a_pull_too() {
    let story = story();
    let fault = json!({ "kind": "status", "code": 403, "error": "notAllowed" });
    story.simulator.faults(json!({ "rules": [{ "path": "/[$]value", "times": 1, "fault": fault }] })).unwrap();
    story.run(&["pull"]).tells(3, &["0 in quarantine, 1 item not pulled yet (run again)."]);
    let again = story.run(&["pull", "--json"]);
    assert_eq!((again.code, &again.summary()["to_fetch"]), (Some(0), &json!(0)), "{}", again.out);
    assert!(
        again.summary()["owed"].as_u64() > Some(0),
        "what only waits to be pushed does not count for its exit code"
    );
}

#[test]
fn a_mailbox_that_claims_mail_and_lists_none() {
    let mut dump = tenant(&ordinary(1, 6));
    dump.entries.retain(|entry| entry.kind != "message");
    let story = Story::of(dump, 1, Options::default(), None);
    story.run(&["run"]).tells(3, &["stopped at the source: the source says this account holds 6 items of mail, but lists none of them\n    Check the application's permissions", "run: nothing moved, in"]);
}

/// A room's mailbox: no mail, and contacts that the service counts in a folder of its own class.
#[test]
fn what_is_no_mail_makes_no_mailbox_implausible() {
    let mut dump = tenant(&ordinary(1, 6));
    dump.entries.retain(|entry| entry.kind != "message");
    let folders = || dump.entries.iter().filter(|entry| entry.kind == "mailFolder");
    let mut cards = folders().find(|entry| entry.parent.as_deref() == Some("inbox")).unwrap().clone();
    dump.entries.iter_mut().for_each(|entry| {
        if entry.kind == "mailFolder" {
            entry.resource["totalItemCount"] = json!(0);
        }
    });
    cards.parent = None;
    cards.resource["id"] = json!("cards");
    cards.resource["displayName"] = json!("Cards");
    cards.resource["totalItemCount"] = json!(30);
    cards.resource["singleValueExtendedProperties"] = json!([{ "id": "String 0x3613", "value": "IPF.Contact" }]);
    dump.entries.push(cards);
    let story = Story::of(dump, 1, Options::default(), None);
    story.run(&["run"]).ok();
}

#[test]
fn a_clock_that_is_wrong() {
    let story = story();
    story.simulator.faults(json!({ "clock_offset_s": 7200 })).unwrap();
    story.run(&["check"]).tells(
        0,
        &[
            "this machine's clock is ",
            "the service's\n                 set the clock right (NTP): sign-ins will be refused otherwise",
        ],
    );
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
    story
        .run(&["run"])
        .complains(1, &["the sign-in lies outside its time window, by 7", "set this machine's clock right (NTP)"]);
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
