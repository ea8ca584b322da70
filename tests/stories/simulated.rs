//! `simulate`: only the simulated services, as an integrator starts them.

use crate::asking::{asked, json, token};
use crate::certificate::Pair;
use crate::setting::{Story, ordinary};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SECRET: &str = "client_secret=secret";

fn simulate(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transhume"));
    command.arg("simulate").args(words).env_remove("TRANSHUME_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(words: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = simulate(words).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

/// One that serves, until it is dropped or asked to stop.
struct Serving {
    child: Child,
    /// What stood on stdout before the port.
    before: String,
    port: u16,
}

impl Serving {
    fn start(words: &[&str]) -> Self {
        let mut child = simulate(words).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut before = String::new();
        let port = loop {
            let line = lines.next().expect("it ended before it served").unwrap();
            match line.parse() {
                Ok(port) => break port,
                Err(_) => before += &format!("{line}\n"),
            }
        };
        Self { child, before, port }
    }

    fn bearer(&self) -> String {
        let (status, answer) = token(self.port, SECRET);
        assert_eq!(status, 200, "{answer}");
        format!("Authorization: Bearer {}", answer["access_token"].as_str().unwrap())
    }

    fn users(&self) -> Vec<Value> {
        let answer = json(self.port, "GET", "/v1.0/users?$top=100", &[&self.bearer()], "");
        answer["value"].as_array().unwrap().clone()
    }

    /// The present tenant, line by line.
    fn tenant(&self) -> Vec<Value> {
        let (status, text) = asked(self.port, "GET", "/_sim/tenant", &[], "");
        assert_eq!(status, 200, "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Ctrl-C.
    fn interrupted(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

#[test]
fn the_port_is_told_and_whoever_signs_in_is_served() {
    let serving = Serving::start(&["--accounts", "2", "--messages", "3", "--seed", "7"]);
    assert_eq!(serving.before, "", "the port stands alone on stdout");
    let (status, refused) = token(serving.port, "client_secret=wrong");
    assert_eq!((status, &refused["error_codes"][0]), (401, &json!(7_000_215)));
    assert_eq!(asked(serving.port, "GET", "/v1.0/users", &[], "").0, 401, "nobody is served without a token");
    let users = serving.users();
    let names: Vec<_> = users.iter().filter_map(|user| user["userPrincipalName"].as_str()).collect();
    assert!(names.contains(&"emilie.lefevre@valmont.example"), "{names:?}");
    let of_users = serving.tenant().iter().filter(|line| line["kind"] == "user").count();
    assert_eq!(users.len(), of_users, "the ground truth is what is served");
    assert_eq!(serving.interrupted(), Some(0), "Ctrl-C is how it ends");
}

#[test]
fn the_control_surface_counts_breaks_and_changes() {
    let serving = Serving::start(&["--accounts", "1", "--messages", "3"]);
    let (port, bearer) = (serving.port, serving.bearer());
    json(port, "POST", "/_sim/stats/reset", &[], "");
    let rule = json!({ "rules": [{ "path": "/users", "times": 1, "fault": { "kind": "status", "code": 503 } }] });
    json(port, "POST", "/_sim/faults", &[], &rule.to_string());
    assert_eq!(asked(port, "GET", "/v1.0/users", &[&bearer], "").0, 503);
    assert_eq!(asked(port, "GET", "/v1.0/users", &[&bearer], "").0, 200);
    let (status, why) = asked(port, "POST", "/_sim/faults", &[], "{\"rulez\": []}");
    assert!(status == 400 && why.contains("Not a fault script"), "{why}");
    let folder = json!([{ "op": "create_folder", "user": "emilie.lefevre@valmont.example", "name": "Made by a test" }]);
    json(port, "POST", "/_sim/mutate", &[], &folder.to_string());
    let made = |line: &Value| line["resource"]["displayName"] == "Made by a test";
    assert!(serving.tenant().iter().any(made), "the change is in the ground truth");
    let stats = json(port, "GET", "/_sim/stats", &[], "");
    assert_eq!(stats["requests"]["GET /users"], json!({ "200": 1, "503": 1 }), "{stats}");
    assert_eq!((&stats["total"], &stats["faults"]["status"]), (&json!(2), &json!(1)), "only the services are counted");
}

#[test]
fn files_are_made_when_asked_for_and_changed_like_the_rest() {
    let serving = Serving::start(&["--accounts", "1", "--messages", "1", "--files", "6"]);
    let (port, bearer, user) = (serving.port, serving.bearer(), "emilie.lefevre@valmont.example");
    let file = json!([{ "op": "new_file", "user": user, "name": "made.txt", "content": "bWFkZQ==" }]);
    json(port, "POST", "/_sim/mutate", &[], &file.to_string());
    let of = |path: &str| json(port, "GET", &format!("/v1.0/users/{user}/drive/root{path}"), &[&bearer], "");
    assert_eq!((&of(":/made.txt")["size"], &of(":/made.txt")["file"]["mimeType"]), (&json!(4), &json!("text/plain")));
    assert!(of("/delta")["value"].as_array().unwrap().len() > 6, "the root, its folders, the files");
    let bare = Serving::start(&["--accounts", "1", "--messages", "1"]);
    assert!(bare.tenant().iter().all(|line| line["kind"] != "driveItem"), "none unless they are asked for");
}

fn bytes(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all: Vec<_> = crate::setting::files(dir)
        .into_iter()
        .map(|path| (path.strip_prefix(dir).unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_dump_is_the_tenant_byte_for_byte_and_can_be_served() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let words = ["--accounts", "2", "--messages", "4", "--seed", "9"];
    for name in ["first", "second"] {
        let (code, said) = ended(&[&words[..], &["--dump", &at(name)]].concat());
        assert!(code == Some(0) && said.contains(" entries to "), "{said}");
    }
    let first = bytes(&dir.path().join("first"));
    assert!(first.len() > 4, "a tenant and its bodies: {}", first.len());
    assert!(first == bytes(&dir.path().join("second")), "the same seed gives the same bytes");
    let (seeded, dumped) = (Serving::start(&words), Serving::start(&["--tenant", &at("first")]));
    assert_eq!(dumped.tenant(), seeded.tenant(), "what was dumped is what is served");
    assert_eq!(dumped.users(), seeded.users());
    let (code, _) = ended(&["--tenant", &at("first"), "--dump", &at("third")]);
    assert_eq!((code, bytes(&dir.path().join("third")) == first), (Some(0), true), "there and back");
}

#[test]
fn a_secret_of_ones_own_is_the_only_one_that_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "one-of-my-own\n").unwrap();
    let serving =
        Serving::start(&["--accounts", "1", "--messages", "1", "--client-secret-file", file.to_str().unwrap()]);
    assert_eq!(token(serving.port, "client_secret=one-of-my-own").0, 200);
    assert_eq!(token(serving.port, SECRET).0, 401);
}

/// The program itself signs in with the key of the certificate that the simulator was given.
#[test]
fn a_registered_certificate_signs_in_there_too() {
    let (known, other) = (Pair::lasting(), Pair::lasting());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("certificate.pem");
    std::fs::write(&file, &known.certificate).unwrap();
    let words = ["--accounts", "1", "--messages", "2", "--certificate", file.to_str().unwrap()];
    let serving = Serving::start(&words);
    let story = Story::new(&ordinary(1, 2));
    story.reconfigure(&story.simulator.base_url(), &format!("http://127.0.0.1:{}", serving.port));
    story.reconfigure("client_secret = { env = \"STORY_SECRET\" }", "certificate = \"application.pem\"");
    story.write("application.pem", format!("{}{}", other.key, other.certificate));
    story.run(&["check"]).complains(1, &["the certificate is not registered for this application (AADSTS700027)"]);
    story.write("application.pem", format!("{}{}", known.key, known.certificate));
    story.run(&["check"]).tells(0, &["ready: nothing blocks."]);
    story.run(&["run"]).ok();
    assert_eq!(story.simulator.stats().total, 0, "it was the other simulator");
}

#[test]
fn https_comes_with_the_authority_to_trust() {
    let serving = Serving::start(&["--accounts", "1", "--messages", "1", "--tls", "self"]);
    assert!(serving.before.starts_with("-----BEGIN CERTIFICATE-----\n"), "{}", serving.before);
    let story = Story::new(&ordinary(1, 1));
    story.write("authority.pem", &serving.before);
    story.reconfigure(&story.simulator.base_url(), &format!("https://localhost:{}", serving.port));
    story.run(&["check"]).complains(1, &["certificate"]);
    story.reconfigure("tenant = \"contoso\"", "tenant = \"contoso\"\nca_file = \"authority.pem\"");
    story.run(&["check"]).tells(0, &["ready: nothing blocks."]);
}

#[test]
fn what_it_cannot_do_is_said_with_the_next_step() {
    let cases: [(&[&str], &str); 4] = [
        (&["--listen", "0.0.0.0:0"], "the simulator listens on loopback only\nUse --listen 127.0.0.1:PORT."),
        (&["--tenant", "/nowhere"], "Name a folder that `transhume simulate --dump DIR` wrote."),
        (&["--client-secret-file", "/nowhere"], "Name a file that this user can read."),
        (&["--certificate", "/nowhere"], "Name a file that this user can read."),
    ];
    for (words, sentence) in cases {
        let (code, said) = ended(words);
        assert!(code == Some(2) && said.contains(sentence), "{words:?}: {code:?} {said}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, said) = ended(&["--accounts", "1", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert!(code == Some(1) && said.contains("--listen"), "{code:?} {said}");
}
