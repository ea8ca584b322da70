//! Every other place a secret comes from: a list of passwords, a token, a private key, a command's output. It works, and
//! it stays where it was.

use crate::certificate::Pair;
use crate::secrets::{clean_of, clean_project_of};
use crate::setting::{Said, Story, ordinary, server};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};
use transhume_servers::{Dovecot, DovecotOptions, Login, Proxy, Script};
use transhume_simulators::Options;
use transhume_simulators::seed::tenant;

const OWN: &str = "Yw7+unmistakable+own+password+3Rt";
const OTHER: &str = "Bp5+unmistakable+other+password+8Ls";
const MASTER: &str = "Hd2+unmistakable+master+password+6Vn";
const CLIENT: &str = "Jk9~unmistakable~client~secret~4Mq";

/// A tenant of one account with these ways to sign in, and a server with these logins.
fn story(options: Options, dovecot: DovecotOptions) -> Story {
    Story::of(tenant(&ordinary(1, 6)), 1, options, Some(Dovecot::start(dovecot).unwrap()))
}

/// A command that prints this, whatever its arguments, unless it is to fail.
fn command(story: &Story, name: &str, prints: &str, code: u8) -> String {
    let path = story.beside(name);
    std::fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' '{prints}'\necho '{prints}' >&2\nexit {code}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{{ command = [\"{}\"] }}", path.display())
}

/// Runs a verb with everything told, and looks for the words wherever they might have gone. Secrets lie beside the project.
fn searched(story: &Story, words: &[&str], secrets: &[&str]) -> Said {
    let mut told = words.to_vec();
    told.push("-vvv");
    let output = story.command(&told).env("TRANSHUME_LOG", "trace").env("RUST_BACKTRACE", "full").output().unwrap();
    for (what, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        clean_of(what, bytes, secrets);
    }
    assert!(output.stderr.len() > 500, "there is a log to look at");
    clean_project_of(&story.project(), secrets);
    story.said(&output)
}

#[test]
fn a_list_of_passwords() {
    let accounts = vec![Login::new("account1", OWN), Login::new("account2", OTHER)];
    let story = story(Options::default(), DovecotOptions { accounts, ..server(1) });
    let list = story.beside("passwords.csv");
    let master = "authentication = \"master\"\nmaster = \"migrator\"\npassword = { env = \"STORY_PASSWORD\" }";
    story.reconfigure(master, &format!("authentication = \"password\"\npasswords = \"{}\"", list.display()));
    std::fs::write(&list, format!("login,password\naccount1,{OWN}\naccount2,{OTHER}\n")).unwrap();
    let sasl = crate::setting::base64(&format!("\0account1\0{OWN}"));
    let secrets = [OWN, OTHER, sasl.as_str()];
    searched(&story, &["check"], &secrets).ok();
    searched(&story, &["run"], &secrets).ok();
    searched(&story, &["verify", "--depth", "content"], &secrets).tells(0, &["0 differences"]);
    std::fs::write(&list, format!("login,password\naccount1,{OTHER}\n")).unwrap();
    searched(&story, &["run"], &secrets).tells(3, &["refused the login of account1", "stopped at the target"]);
    std::fs::write(&list, format!("login,password\naccount2,{OTHER}\n")).unwrap();
    searched(&story, &["run"], &secrets)
        .tells(3, &["there is no password for the login account1", "with the columns login,password."]);
    std::fs::write(&list, format!("login,password\naccount1,{OWN},{OTHER}\n")).unwrap();
    searched(&story, &["run"], &secrets)
        .complains(2, &["a line has another number of columns than the first", "Write the columns login,password"]);
}

const KEY: &str = "bm90IGEgc2VjcmV0IGF0IGFsbCwganVzdCBhIHRlc3Q=";

/// A token that Dovecot takes for this login, valid for so many seconds from now.
fn token(login: &str, seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = serde_json::json!({ "sub": login, "iat": now - 7200, "exp": now + seconds });
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_base64_secret(KEY).unwrap()).unwrap()
}

#[test]
fn a_token_of_a_command() {
    let story = story(Options::default(), DovecotOptions { token_key: Some(KEY.into()), ..server(1) });
    // A server as Microsoft's and Google's are, with XOAUTH2 only.
    let port = story.dovecot.as_ref().unwrap().imap_port();
    let proxy = Proxy::start(port, Script::without(&["AUTH=OAUTHBEARER"])).unwrap();
    story.reconfigure(&format!("port = {port}"), &format!("port = {}", proxy.port()));
    let (right, wrong) = (token("account1", 600), token("nobody", 600));
    let from = command(&story, "token-for", &right, 0);
    let master = "authentication = \"master\"\nmaster = \"migrator\"\npassword = { env = \"STORY_PASSWORD\" }";
    story.reconfigure(master, &format!("authentication = \"xoauth2\"\ntoken = {from}"));
    let sasl = |token: &str| crate::setting::base64(&format!("user=account1\x01auth=Bearer {token}\x01\x01"));
    let (said, refused) = (sasl(&right), sasl(&wrong));
    let signature = right.rsplit('.').next().unwrap();
    let secrets = [right.as_str(), wrong.as_str(), said.as_str(), refused.as_str(), signature];
    searched(&story, &["run"], &secrets).ok();
    assert!(proxy.count("AUTHENTICATE") > 0 && !crate::mailbox::look(&story, 1).is_empty());
    command(&story, "token-for", &wrong, 0);
    searched(&story, &["run"], &secrets).tells(3, &["refused the OAuth token of account1", "valid now"]);
    command(&story, "token-for", &right, 7);
    let failed = searched(&story, &["run"], &secrets);
    failed.tells(
        3,
        &[
            "the secret command `",
            "failed: exit status: 7",
            "Run it by hand; it must print the secret and exit with 0.",
        ],
    );
}

#[test]
fn a_private_key() {
    let (known, other) = (Pair::lasting(), Pair::lasting());
    let options = Options { certificates: vec![known.certificate.clone()], client_secret: None, ..Options::default() };
    let story = story(options, server(1));
    let file = story.beside("application.pem");
    let named = format!("certificate = \"{}\"", file.display());
    story.reconfigure("client_secret = { env = \"STORY_SECRET\" }", &named);
    let lines = |pair: &Pair| pair.key.lines().filter(|line| line.len() == 64).map(str::to_owned).collect::<Vec<_>>();
    let (right, wrong) = (lines(&known), lines(&other));
    let secrets: Vec<_> = right.iter().chain(&wrong).map(String::as_str).chain(["PRIVATE KEY"]).collect();
    assert!(secrets.len() > 20, "a key has many lines");
    std::fs::write(&file, format!("{}{}", known.key, known.certificate)).unwrap();
    searched(&story, &["run"], &secrets).ok();
    std::fs::write(&file, format!("{}{}", other.key, other.certificate)).unwrap();
    searched(&story, &["check"], &secrets).tells(1, &["is not registered for this application"]);
    std::fs::write(&file, format!("{}{}", other.key, known.certificate)).unwrap();
    searched_early(&story, "check", &secrets).complains(1, &["the private key does not belong to the certificate"]);
    std::fs::write(&file, &known.key[..known.key.len() / 2]).unwrap();
    assert_ne!(searched_early(&story, "check", &secrets).code, Some(0), "half a key is none");
}

/// Whoever writes the secret itself into `transhume.toml`, with its quotes or without, reads nothing of it on a screen or
/// in a log.
#[test]
fn the_configuration_itself() {
    let story = story(Options::default(), server(1));
    let (named, step) = ("{ env = \"STORY_SECRET\" }", "Mend that line; `transhume init`");
    let (plain, half, odd) = ("abc~Q8unmistakable7Gx", "unmistakable]half\"7Gx", "7unmistakable=Gx==");
    for (written, secret) in [
        (plain.to_owned(), plain),
        (format!("{plain}  # of the portal"), plain),
        (half.to_owned(), half),
        (odd.to_owned(), odd),
        (format!("\"{plain}"), plain),
        (format!("\"{plain}\""), plain),
        (format!("{{ env = {plain} }}"), plain),
        (format!("{{ value = \"{plain}\" }}"), plain),
    ] {
        story.reconfigure(&format!("client_secret = {named}"), &format!("client_secret = {written}"));
        for verb in ["check", "run"] {
            // It stands in transhume.toml: the project is not looked through.
            let output = story.command(&[verb, "-vvv"]).env("TRANSHUME_LOG", "trace").output().unwrap();
            let parts = [secret, "unmistakable", "client_secret = \""];
            clean_of("stdout", &output.stdout, &parts);
            clean_of("stderr", &output.stderr, &parts);
            story.said(&output).complains(2, &["PROJECT/transhume.toml, line ", step]);
        }
        story.reconfigure(&format!("client_secret = {written}"), &format!("client_secret = {named}"));
    }
    story.reconfigure(named, plain);
    story.run(&["run"]).complains(
        2,
        &["line 5, column 17: a secret is only named here, e.g. { env = \"NAME\" }; what stands here is not repeated"],
    );
}

#[test]
fn the_output_of_a_command() {
    let options = Options { client_secret: Some(CLIENT.into()), ..Options::default() };
    let master = Some(Login::new("migrator", MASTER));
    let story = story(options, DovecotOptions { master, ..server(1) });
    story.reconfigure("{ env = \"STORY_SECRET\" }", &command(&story, "client-secret", CLIENT, 0));
    story.reconfigure("{ env = \"STORY_PASSWORD\" }", &command(&story, "master-password", MASTER, 0));
    let secrets = [CLIENT, MASTER];
    searched(&story, &["run"], &secrets).ok();
    assert!(!crate::mailbox::look(&story, 1).is_empty());
    command(&story, "client-secret", CLIENT, 3);
    searched_early(&story, "run", &secrets).complains(
        2,
        &[
            "the secret command `DIR/client-secret` failed: exit status: 3",
            "Run it by hand; it must print the secret and exit with 0.",
        ],
    );
    command(&story, "client-secret", "", 0);
    searched_early(&story, "run", &secrets).complains(
        2,
        &["the secret from the command `DIR/client-secret` is empty", "copy the secret's Value, not its ID."],
    );
    std::fs::remove_file(story.beside("client-secret")).unwrap();
    searched_early(&story, "run", &secrets)
        .complains(2, &["the secret command `DIR/client-secret` failed: No such file or directory"]);
}

/// As [`searched`], for what ends before there is much to log.
fn searched_early(story: &Story, verb: &str, secrets: &[&str]) -> Said {
    let output = story.command(&[verb, "-vvv"]).env("TRANSHUME_LOG", "trace").output().unwrap();
    clean_of("stdout", &output.stdout, secrets);
    clean_of("stderr", &output.stderr, secrets);
    clean_project_of(&story.project(), secrets);
    story.said(&output)
}

/// No thread can have a stack of this size, so the first one that is asked for is a panic.
#[test]
fn a_panic_with_every_backtrace() {
    let options = Options { client_secret: Some(CLIENT.into()), ..Options::default() };
    let story = story(options, DovecotOptions { master: Some(Login::new("migrator", MASTER)), ..server(1) });
    let story = Story { secret: CLIENT.into(), password: MASTER.into(), ..story };
    let mut run = story.command(&["run", "-vvv", "--json"]);
    run.env("RUST_MIN_STACK", (1_u64 << 62).to_string()).env("RUST_BACKTRACE", "full").env("TRANSHUME_LOG", "trace");
    let output = run.output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("panicked at"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    clean_of("stdout", &output.stdout, &[CLIENT, MASTER]);
    clean_of("stderr", &output.stderr, &[CLIENT, MASTER]);
    clean_project_of(&story.project(), &[CLIENT, MASTER]);
    story.run(&["run"]).ok();
}
