//! Secrets stay where they were given.

use crate::setting::{Story, files, ordinary, server};
use std::path::Path;
use std::process::Child;
use transhume_servers::Login;
use transhume_simulators::Options;
use transhume_simulators::seed::tenant;

const SECRET: &str = "qZ8~unmistakable.client.secret.7Gx";
const PASSWORD: &str = "kV3_unmistakable_master_password_9Qw";

fn story(right: &str) -> Story {
    let options = Options { client_secret: Some(right.into()), ..Options::default() };
    let master = Some(Login::new("migrator", PASSWORD));
    let dovecot = transhume_servers::Dovecot::start(transhume_servers::DovecotOptions { master, ..server(1) }).unwrap();
    let story = Story::of(tenant(&ordinary(1, 10)), 1, options, Some(dovecot));
    Story { secret: SECRET.into(), password: PASSWORD.into(), ..story }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word)
}

/// The secrets as they are, and as they would look in a form or in SASL.
fn words() -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text).into_bytes();
    let sasl = base64(&format!("account1\0migrator\0{PASSWORD}"));
    vec![SECRET.into(), PASSWORD.into(), sasl, base64(SECRET), b"eyJ0eXAi".to_vec(), b"eyJhbGci".to_vec()]
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    for word in words() {
        assert!(!holds(bytes, &word), "{what} holds {}", String::from_utf8_lossy(&word));
    }
}

fn clean_below(dir: &Path) {
    let files = files(dir);
    assert!(files.len() > 3, "there is something to look at: {files:?}");
    for file in files {
        clean(&file.display().to_string(), &std::fs::read(&file).unwrap_or_default());
    }
}

/// The same for secrets of a test's own, and for JSON Web Tokens, whose heads all look alike.
#[track_caller]
pub fn clean_of(what: &str, bytes: &[u8], secrets: &[&str]) {
    for secret in secrets.iter().chain(&["eyJ0eXAi", "eyJhbGci"]) {
        assert!(!holds(bytes, secret.as_bytes()), "{what} holds {secret}");
    }
}

#[track_caller]
pub fn clean_project_of(dir: &Path, secrets: &[&str]) {
    let files = files(dir);
    assert!(files.len() > 1, "there is something to look at: {files:?}");
    files
        .iter()
        .for_each(|file| clean_of(&file.display().to_string(), &std::fs::read(file).unwrap_or_default(), secrets));
}

/// The words of the process's command line, while it runs.
fn command_line(child: &Child) -> Vec<u8> {
    std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap()
}

#[test]
fn a_run_that_tells_all_it_knows_tells_no_secret() {
    let story = story(SECRET);
    for words in [["run", "-vv", "--json"], ["run", "-vvv", "--no-progress"], ["check", "-vv", "--json"]] {
        let child = story.start(&words);
        clean("the command line", &command_line(&child));
        let said = story.finish(child);
        said.ok();
        clean("stdout", said.out.as_bytes());
        clean("stderr", said.err.as_bytes());
        clean_below(&story.project());
    }
    let everything = story.command(&["verify", "--depth", "content"]).env("TRANSHUME_LOG", "trace").output().unwrap();
    assert!(everything.status.success());
    clean("the log of every library", &everything.stdout);
    clean("the log of every library", &everything.stderr);
    assert!(everything.stderr.len() > 1000, "there is a log to look at");
}

#[test]
fn a_refusal_names_no_secret() {
    for (right, password) in [("another", PASSWORD), (SECRET, "another")] {
        let story = Story { password: PASSWORD.into(), ..story(right) };
        if password != PASSWORD {
            story.reconfigure("\"migrator\"", "\"nobody\"");
        }
        for words in [["run", "-vv", "--json"], ["run", "-vv", "--no-progress"], ["check", "-vv", "--json"]] {
            let said = story.run(&words);
            assert!(matches!(said.code, Some(1 | 3)), "{said:?}");
            clean("stdout", said.out.as_bytes());
            clean("stderr", said.err.as_bytes());
        }
        clean_below(&story.project());
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let story = story(SECRET);
    story.reconfigure("{ env = \"STORY_SECRET\" }", &format!("\"{SECRET}\""));
    let said = story.run(&["run"]);
    assert_eq!(said.code, Some(2));
    clean("stderr", said.err.as_bytes());
}
