//! What the new server refuses, and the sentence a user reads.

use crate::mailbox::look;
use crate::setting::{Story, ordinary, server};
use serde_json::json;
use transhume_servers::{DovecotOptions, Login, Tls};

fn story() -> Story {
    Story::with_server(&ordinary(1, 4), server(1))
}

#[test]
fn a_wrong_password() {
    let story = Story { password: "wrong".into(), ..story() };
    story.run(&["check"]).tells(1, &["?password check"]);
    story.run(&["run"]).tells(3, &["?password run"]);
    let mended = Story { password: crate::setting::MASTER_PASSWORD.into(), ..story };
    mended.run(&["run"]).ok();
}

#[test]
fn a_login_the_server_does_not_know() {
    let story = story();
    story.write("accounts.csv", format!("source,target\n{},nobody\n", story.addresses[0]));
    story.run(&["run"]).tells(3, &["?no such login"]);
}

#[test]
fn a_full_mailbox() {
    let accounts = vec![Login::new("account1", "own").quota(20_000)];
    let story = Story::with_server(&ordinary(1, 30), DovecotOptions { accounts, ..server(1) });
    let run = story.run(&["run"]);
    run.tells(3, &["?full"]);
}

#[test]
fn a_folder_name_the_server_refuses_is_mended_and_said() {
    let story = story();
    let user = &story.addresses[0];
    story.mutate(json!([
        { "op": "create_folder", "user": user, "name": "v1.2 ~ 50% / & co" },
        { "op": "new_message", "user": user, "folder": "/v1.2 ~ 50% / & co", "mime": "TWVzc2FnZS1JRDogPGFAYj4NCg0KeA0K" },
    ]));
    let run = story.run(&["run"]);
    run.tells(0, &["?folder name"]);
    assert!(look(&story, 1).iter().any(|mail| mail.id == "a@b"));
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
    story.run(&["check"]).tells(1, &["?other host check"]);
    story.run(&["run"]).tells(3, &["?other host"]);
}

#[test]
fn an_expired_certificate() {
    shown(Tls::Expired, "localhost", true).run(&["run"]).tells(3, &["?expired"]);
}

#[test]
fn a_certificate_of_an_authority_nobody_knows() {
    shown(Tls::On, "localhost", false).run(&["run"]).tells(3, &["?unknown authority"]);
}

#[test]
fn a_plain_connection_beyond_this_machine() {
    let story = story();
    story.reconfigure("host = \"127.0.0.1\"", "host = \"192.0.2.1\"");
    story.run(&["run"]).is(2, "?plain");
}

#[test]
fn a_server_that_nobody_answers_for() {
    let mut story = story();
    story.dovecot = None;
    story.run(&["run"]).tells(3, &["?no server"]);
}
