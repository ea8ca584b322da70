//! Microsoft 365 makes MIME anew at every call, with other boundaries and other header fields: what was fetched once is
//! known by its id, not by its bytes, also when the service has forgotten where we stood.

use crate::{
    place::{Server, logins},
    project::Project,
    stage,
    standing::{assert_same, messages, standing},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const PEOPLE: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mime_that_is_never_the_same_moves_once() {
    let simulator = stage::office(PEOPLE as u32, 60, 11).await;
    simulator.faults(json!({ "switches": { "regenerate_mime": true } })).unwrap();
    let (people, login) = (stage::people(&simulator, PEOPLE), logins("r", PEOPLE));
    stage::add_twins(&simulator, &people[0]);
    let server = Server::dovecot(&login);
    let project = Project::new(&simulator, &people, &login, server.port(), "");
    let first = project.call(&["run"]).await;
    assert_eq!(first.code, 0, "{}", first.stderr);
    let before = standing(server.port(), &login);
    let all: usize = before.iter().map(|lines| messages(lines)).sum();
    assert_eq!(first.summary()["placed"], all, "all of it is there, and once");

    simulator.faults(json!({ "expire_delta_tokens": true })).unwrap();
    simulator.reset_stats();
    let again = project.call(&["run"]).await;
    assert_eq!(again.code, 0, "{}", again.stderr);
    let stats = simulator.stats();
    let refused: u64 = stats.requests.values().filter_map(|statuses| statuses.get(&410)).sum();
    assert!(refused >= PEOPLE as u64, "the service forgot nothing: {:?}", stats.requests);
    assert_eq!(stats.bodies, 0, "no body is fetched twice");
    let moved = ["fetched", "placed", "amended", "relocated", "replaced", "withdrawn"]
        .map(|verb| again.summary()[verb].clone());
    assert_eq!(Value::from(moved.to_vec()), json!([0, 0, 0, 0, 0, 0]), "everything is listed again, and nothing moves");
    assert_same(&standing(server.port(), &login), &before, "listed anew");

    simulator.faults(json!({ "expire_delta_tokens": true })).unwrap();
    let mime = STANDARD.encode("Message-ID: <late@example.org>\r\nSubject: late\r\n\r\nhi\r\n");
    simulator.mutate(json!({ "op": "new_message", "user": people[0], "folder": "inbox", "mime": mime })).unwrap();
    let third = project.call(&["run"]).await;
    assert_eq!((third.code, &third.summary()["fetched"], &third.summary()["placed"]), (0, &json!(1), &json!(1)));
    let verified = project.call(&["verify", "--depth", "content"]).await;
    assert_eq!((verified.code, &verified.summary()["differences"]), (0, &json!(0)), "{}", verified.stderr);
    assert_eq!(verified.summary()["compared"], all + 1);
}
