//! A server that says no and not why: what it refuses is owed, until it was refused in three passes.

use crate::{
    place::{Server, before, logins},
    project::{Ended, Project},
    stage,
    standing::{messages, standing},
};
use transhume_servers::{Act, Deed};

/// Messages owed, and in quarantine.
fn left(status: &Ended) -> (u64, u64) {
    let standing = status.of_type("standing").next().unwrap();
    let barred = standing["quarantined"].as_array().unwrap().iter().map(|one| one["items"].as_u64().unwrap());
    (standing["owed"]["items"].as_u64().unwrap(), barred.sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_without_a_reason_is_owed_until_the_third_pass() {
    let simulator = stage::office(1, 5, 3).await;
    let (people, login) = (stage::people(&simulator, 1), logins("r", 1));
    let server = Server::dovecot(&login);
    let proxy = before(&server, &[]);
    let project = Project::new(&simulator, &people, &login, proxy.port(), "");
    let no = Act::Answer("NO the stars do not permit it".into());
    proxy.tell(|script| script.add(Deed::new("APPEND", 1, no).every(1)));
    let mut seen = Vec::new();
    for _ in 0..3 {
        assert_eq!(project.call(&["run"]).await.code, 3);
        seen.push(left(&project.call(&["status"]).await));
    }
    let all = seen[0].0;
    assert!(all > 0);
    assert_eq!(seen, [(all, 0), (all, 0), (0, all)]);
    crate::place::cut_nothing(&proxy);
    project.call(&["run", "--retry-quarantined"]).await;
    assert_eq!(left(&project.call(&["status"]).await), (0, 0));
    assert_eq!(messages(&standing(server.port(), &login)[0]) as u64, all);
}
