//! A target that was mistyped in `transhume.toml` and corrected later: by the same project, as long as nothing was begun
//! at the wrong one.

use crate::mailbox::look;
use crate::setting::{Story, ordinary, server};
use std::net::TcpListener;

const ANOTHER: &str = "this project belongs to the target PROJECT/mail (folder), but the configuration now names \
    PROJECT/mial (folder)\nput the old name back in transhume.toml, or start a new project with `transhume init`";

#[test]
fn a_mistyped_folder_is_told_by_check_made_by_nobody_and_corrected() {
    let story = Story::new(&ordinary(1, 3));
    story.reconfigure("path = \"mail\"", "path = \"mial\"");
    let told = "the folder PROJECT/mial holds no messages of this project yet: the first push begins there";
    story.run(&["check"]).tells(0, &[told]);
    for words in [&["plan"][..], &["pull"], &["push", "--dry-run"]] {
        story.run(words).ok();
    }
    assert!(!story.project().join("mial").exists(), "nobody was to write there");
    story.reconfigure("path = \"mial\"", "path = \"mail\"");
    let instead =
        "nothing of mail was ever begun at the target PROJECT/mial (folder); it goes to PROJECT/mail (folder) instead";
    story.run(&["run"]).complains(0, &[instead]);
    story.run(&["verify"]).tells(0, &["0 differences"]);
    story.reconfigure("path = \"mail\"", "path = \"mial\"");
    for verb in ["check", "plan", "pull", "push", "run", "verify"] {
        story.run(&[verb]).is(1, ANOTHER);
    }
    assert!(!story.project().join("mial").exists());
}

#[test]
fn a_plan_alone_ties_a_project_to_no_target() {
    let story = Story::new(&ordinary(1, 3));
    story.reconfigure("path = \"mail\"", "path = \"mial\"");
    story.run(&["plan"]).ok();
    story.reconfigure("path = \"mial\"", "path = \"mail\"");
    let run = story.run(&["run"]);
    assert!(!run.ok().err.contains("mial"), "{}", run.err);
}

/// An earlier version tied a project to its target by `plan` already.
#[test]
fn a_project_that_an_earlier_plan_tied_to_a_mistyped_target_goes_on() {
    let story = Story::new(&ordinary(2, 3));
    story.run(&["plan"]).ok();
    let project = rusqlite::Connection::open(story.project().join("project.db")).unwrap();
    project.execute("INSERT INTO identity VALUES ('target', 1, 'folder', '/srv/mial')", []).unwrap();
    drop(project);
    story.run(&["run"]).complains(0, &["nothing of mail was ever begun at the target /srv/mial (folder)"]);
    let project = rusqlite::Connection::open(story.project().join("project.db")).unwrap();
    project.execute("UPDATE identity SET place = '/srv/mial' WHERE side = 'target'", []).unwrap();
    drop(project);
    story.run(&["run"]).complains(1, &["this project belongs to the target /srv/mial (folder)"]);
}

#[test]
fn a_mistyped_server_that_a_run_spoke_to_in_vain_is_corrected() {
    let story = Story::with_server(&ordinary(1, 4), server(1));
    let port = story.dovecot.as_ref().unwrap().imap_port();
    // A port where nothing listens.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (right, wrong) = (format!("port = {port}\n"), format!("port = {closed}\n"));
    story.reconfigure(&right, &wrong);
    story.run(&["run"]).complains(1, &["No connection to the IMAP server HOST:PORT"]);
    story.reconfigure(&wrong, &right);
    story.run(&["run"]).complains(0, &["nothing of mail was ever begun at the target HOST:PORT (imap)"]);
    assert!(look(&story, 1).len() >= 4);
    let status = story.run(&["status"]);
    assert!(!status.ok().out.contains("stopped at"), "{}", status.out);
    story.reconfigure(&right, &wrong);
    story.run(&["run"]).complains(1, &["this project belongs to the target HOST:PORT (imap)"]);
}
