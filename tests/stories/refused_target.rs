//! What the new server refuses, and the sentence a user reads.

use crate::mailbox::look;
use crate::setting::{Story, ordinary, server};
use serde_json::json;
use transhume_servers::{DovecotOptions, Login, Tls};

/// How a distrusted certificate is reported.
const DISTRUST: (&str, &str) = (
    "The TLS certificate of localhost:",
    "Use the host name the certificate is made for, renew it, or name its authority with `ca_file` in the target's settings.",
);

fn story() -> Story {
    Story::with_server(&ordinary(1, 4), server(1))
}

#[test]
fn a_wrong_password() {
    let story = Story { password: "wrong".into(), ..story() };
    story.run(&["check"]).tells(
        1,
        &[
            "BLOCKER  target  account1: The IMAP server HOST:PORT refused the login of migrator acting for account1",
            "Check the name and password of migrator first, then its right to act for others, then that the account \
             account1 exists under exactly that name (column `target` of accounts.csv).",
            "1 account, none of them reached on both sides; 1 blocker to mend first.",
        ],
    );
    let summary = story.run(&["check", "--json"]).summary();
    assert_eq!(["accounts", "reached", "unreached"].map(|name| summary[name].as_u64()), [Some(1), Some(0), Some(1)]);
    story.run(&["run"]).tells(
        3,
        &[
            "stopped at the target: The IMAP server HOST:PORT refused the login of migrator acting for account1",
            "4 owed",
        ],
    );
    let mended = Story { password: crate::setting::MASTER_PASSWORD.into(), ..story };
    mended.run(&["check"]).tells(0, &["1 account checked on both sides; ready: nothing blocks."]);
    mended.run(&["run"]).ok();
}

#[test]
fn a_login_the_server_does_not_know() {
    let story = story();
    story.write("accounts.csv", format!("source,target\n{},nobody\n", story.addresses[0]));
    story.run(&["run"]).tells(
        3,
        &[
            "stopped at the target: The IMAP server HOST:PORT did not open the account nobody for migrator: [UNAVAILABLE]",
            "Check that the account nobody exists on the mail server (Dovecot answers so for one it does not know)",
            "4 owed",
        ],
    );
}

#[test]
fn a_full_mailbox() {
    let accounts = vec![Login::new("account1", "own").quota(20_000)];
    let story = Story::with_server(&ordinary(1, 30), DovecotOptions { accounts, ..server(1) });
    let run = story.run(&["run"]);
    run.tells(3, &["stopped at the target: The IMAP server HOST:PORT refused the messages: Quota exceeded (mailbox for user is full)", "Raise the account's quota on the mail server or free space in it, then run again."]);
}

#[test]
fn a_folder_name_the_server_refuses_is_mended() {
    let story = story();
    let user = &story.addresses[0];
    let made = story.mutate(json!([{ "op": "create_folder", "user": user, "name": "v1.2 ~ 50% / & co" }]));
    let folder = &made["done"][0]["id"];
    let mime = "TWVzc2FnZS1JRDogPGFAYj4NCg0KeA0K";
    story.mutate(json!({ "op": "new_message", "user": user, "folder": folder, "mime": mime }));
    let sentence = format!("{user}: the folder v1.2 ~ 50% / & co stands at the target as v1_2 _ 50_ _ & co");
    story.run(&["run"]).complains(0, &[&sentence]);
    let places: Vec<_> = look(&story, 1).into_iter().filter(|mail| mail.id == "a@b").map(|mail| mail.folder).collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert!(!places[0].contains('/'), "no level is made of a name's own slash: {places:?}");
}

/// A server that shows this certificate, asked for over TLS.
fn shown(tls: Tls, host: &str, trusted: bool) -> Story {
    let story = Story::with_server(&ordinary(1, 4), DovecotOptions { tls, ..server(1) });
    let dovecot = story.dovecot.as_ref().unwrap();
    story.reconfigure(&format!("port = {}", dovecot.imap_port()), &format!("port = {}", dovecot.imaps_port()));
    story.reconfigure("host = \"127.0.0.1\"", &format!("host = \"{host}\""));
    let trust = format!("security = \"tls\"\nca_file = \"{}\"", dovecot.ca_path().unwrap().display());
    story.reconfigure("security = \"plain\"", if trusted { &trust } else { "security = \"tls\"" });
    story
}

#[test]
fn a_good_certificate_is_taken() {
    let story = shown(Tls::On, "localhost", true);
    story.run(&["run"]).ok();
}

#[test]
fn a_certificate_for_another_host() {
    let story = shown(Tls::OtherHost, "localhost", true);
    story.run(&["check"]).tells(1, &["BLOCKER  target  everybody: The TLS certificate of localhost:"]);
    story.run(&["run"]).complains(1, &[DISTRUST.0, "certificate not valid for name \"localhost\"", DISTRUST.1]);
}

#[test]
fn an_expired_certificate() {
    shown(Tls::Expired, "localhost", true).run(&["run"]).complains(1, &[DISTRUST.0, "certificate expired", DISTRUST.1]);
}

#[test]
fn a_certificate_of_an_authority_nobody_knows() {
    shown(Tls::On, "localhost", false).run(&["run"]).complains(1, &[DISTRUST.0, "UnknownIssuer", DISTRUST.1]);
}

#[test]
fn a_plain_connection_beyond_this_machine() {
    let story = story();
    story.reconfigure("host = \"127.0.0.1\"", "host = \"192.0.2.1\"");
    story.run(&["run"]).complains(
        1,
        &[
            "without TLS would send passwords and mail in the clear.",
            "Set `security = \"tls\"` or \"starttls\"; if the network itself is trusted, say `allow_plain = true`.",
        ],
    );
}

#[test]
fn a_server_that_nobody_answers_for() {
    let mut story = story();
    story.dovecot = None;
    story.run(&["run"]).complains(
        1,
        &[
            "No connection to the IMAP server HOST:PORT: Connection refused",
            "Check that the server runs and that HOST:PORT is reachable from here, then run the same command again.",
        ],
    );
}
