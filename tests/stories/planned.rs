//! What a plan foresees of the target, and what is said when mail stands there already.

use crate::mailbox::look;
use crate::setting::{Story, ordinary, server};
use serde_json::json;
use transhume_servers::{DovecotOptions, Login};

#[test]
fn a_mailbox_that_is_too_small_is_a_blocker() {
    let accounts = vec![Login::new("account1", "own").quota(20_000)];
    let story = Story::with_server(&ordinary(1, 30), DovecotOptions { accounts, ..server(1) });
    story.run(&["plan"]).tells(0, &["BLOCKER", "the mailbox at the target has", "raise its quota"]);
}

#[test]
fn a_login_that_is_refused_is_a_blocker() {
    let story = Story { password: "wrong".into(), ..Story::with_server(&ordinary(1, 4), server(1)) };
    story.run(&["plan"]).tells(0, &["BLOCKER", "refused the login of migrator acting for account1"]);
}

#[test]
fn sums_renames_and_the_ground_of_each_figure_are_told() {
    let story = Story::with_server(&ordinary(2, 6), server(2));
    let user = &story.addresses[0];
    story.mutate(json!([{ "op": "create_folder", "user": user, "name": "a/b" }]));
    story.mutate(json!([{ "op": "create_folder", "user": user, "name": "~odd" }]));
    story.run(&["plan", "--sample", "3"]).tells(
        0,
        &[
            "2 accounts",
            "a/b will stand as a_b",
            "~odd may be refused",
            "will stand as Sent",
            "Items are counted, sizes as the source states them",
            "losses: none in 6 messages sampled",
        ],
    );
    assert_eq!(look(&story, 1), [], "a plan writes nothing");
}

/// A second project into the same mailboxes would double everything.
#[test]
fn a_second_project_into_the_same_mailboxes_asks_first_and_may_adopt() {
    let first = Story::with_server(&ordinary(1, 10), server(1));
    first.run(&["run"]).ok();
    let before = look(&first, 1);
    let (project, second) = (first.project(), first.beside("first"));
    std::fs::create_dir(&second).unwrap();
    for name in ["project.db", "accounts"] {
        std::fs::rename(project.join(name), second.join(name)).unwrap();
    }
    for name in ["project.db-wal", "project.db-shm"] {
        // They stand only where the last process could not close the database.
        std::fs::rename(project.join(name), second.join(name)).ok();
    }
    first.run(&["init"]).ok();
    for verb in ["plan", "run"] {
        let said = first.run(&[verb]);
        assert!(said.out.contains("it would stand there twice"), "{verb}: {}\n{}", said.out, said.err);
        assert!(said.out.contains("set `existing` under [policy]"), "{verb}: {}", said.out);
        assert_eq!(look(&first, 1), before, "{verb} doubled mail");
    }
    first.run(&["check"]).tells(1, &["BLOCKER", "it would stand there twice"]);
    let text = std::fs::read_to_string(first.project().join("transhume.toml")).unwrap();
    first.write("transhume.toml", format!("{text}\n[policy]\nexisting = \"adopt\"\n"));
    first.run(&["run"]).ok();
    assert_eq!(look(&first, 1), before, "what was there is taken for placed");
    first.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

/// A typing error in a login is corrected after mail went to the wrong mailbox.
#[test]
fn another_login_for_an_account_that_was_moved_is_refused_by_every_verb() {
    let story = Story::with_server(&ordinary(1, 6), server(2));
    story.run(&["run"]).ok();
    let before = look(&story, 1);
    story.write("accounts.csv", format!("source,target\n{},account2\n", story.addresses[0]));
    let said = "placed in the mailbox account1, and accounts.csv now says account2";
    let step = "Write account1 back into the column target";
    story.run(&["check"]).tells(1, &["BLOCKER", said, step]);
    story.run(&["plan"]).tells(0, &["BLOCKER", said, step]);
    story.run(&["run"]).tells(3, &["stopped at the target", said, step]);
    story.run(&["verify"]).tells(1, &[said, step]);
    assert_eq!((look(&story, 1), look(&story, 2)), (before, Vec::new()));
    story.write("accounts.csv", format!("source,target\n{},account1\n", story.addresses[0]));
    story.run(&["run"]).ok();
    story.run(&["verify"]).tells(0, &["0 differences"]);
}
