//! What the project directory refuses.

use crate::setting::{Said, Story, ordinary};
use std::process::Command;
use transhume_simulators::Options;
use transhume_simulators::seed::tenant;

fn story() -> Story {
    Story::new(&ordinary(1, 4))
}

#[test]
fn a_store_of_another_tenant() {
    let mut story = story();
    story.run(&["run"]).ok();
    let tenant_id = "00000000-1111-4222-8333-444444444444".into();
    let other = Options { tenant_id, tenant_name: "fabrikam".into(), ..Options::default() };
    story.reconfigure("\"contoso\"", "\"fabrikam\"");
    story.move_in(tenant(&ordinary(1, 4)), other);
    story.run(&["run"]).is(
        1,
        "this project belongs to the source ID (graph), but the configuration now names ID (graph)\n\
         put the old name back in transhume.toml, or start a new project with `transhume init`",
    );
}

#[test]
fn a_tenant_is_the_same_by_every_name_it_has() {
    let story = story();
    story.run(&["run"]).ok();
    let mut name = "contoso".to_owned();
    for other in ["Contoso.onmicrosoft.com", "6BABCAAD-604b-40ac-a9d7-9fd97c0b779f"] {
        story.reconfigure(&format!("\"{name}\""), &format!("\"{other}\""));
        story.run(&["run"]).tells(0, &["nothing moved: nothing is new at the source"]);
        name = other.to_owned();
    }
}

#[test]
fn what_was_pulled_is_pushed_when_nobody_answers_for_the_tenant_any_more() {
    let story = story();
    story.run(&["pull"]).ok();
    // A port where nothing listens.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    story.reconfigure(&story.simulator.base_url(), &format!("http://{nobody}"));
    story.run(&["push"]).ok();
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

#[test]
fn a_store_from_a_newer_version() {
    let story = story();
    story.run(&["run"]).ok();
    let project = rusqlite::Connection::open(story.project().join("project.db")).unwrap();
    project.pragma_update(None, "user_version", 99).unwrap();
    drop(project);
    for verb in ["run", "status"] {
        story.run(&[verb]).is(1, "PROJECT/project.db was written by a newer transhume (store version 99; this one knows 2)\nrun the newer transhume: stores are never taken back to an older version");
    }
}

#[test]
fn a_file_that_is_no_store() {
    let story = story();
    for left in ["project.db-wal", "project.db-shm"] {
        let _may_be_gone_already = std::fs::remove_file(story.project().join(left));
    }
    story.write("project.db", "this is no database, but it is long enough to be looked at".repeat(100));
    story.run(&["run"]).is(1, "PROJECT/project.db is damaged: file is not a database\nput that account's folder back from a backup, or move the folder aside and pull the account again");
}

/// Runs the binary in a mount namespace of its own, after `first` has mounted something.
fn mounted(story: &Story, first: &str, words: &[&str]) -> Said {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-ec", &format!("{first}\nshift\n\"$@\""), "sh"]);
    command.arg(story.project()).arg(env!("CARGO_BIN_EXE_transhume"));
    story.said(&story.wrapped(command, words).output().unwrap())
}

const READ_ONLY: &str = "mount --bind \"$1\" \"$1\"\nmount -o remount,bind,ro \"$1\"";

#[test]
fn a_read_only_project() {
    let story = story();
    mounted(&story, READ_ONLY, &["run"]).is(1, "PROJECT/transhume.lock cannot be written\nmake the project directory writable for this user (is the disk mounted read-only?), then run the same command again");
    story.run(&["run"]).ok();
    mounted(&story, READ_ONLY, &["run"]).is(1, "PROJECT/transhume.lock cannot be written\nmake the project directory writable for this user (is the disk mounted read-only?), then run the same command again");
    mounted(&story, READ_ONLY, &["status"]).tells(0, &["1 account"]);
}

/// Fills the disk under a run, frees it, and runs again, on one small disk.
const FULL: &str = "mkdir \"$1.copy\"\ncp -r \"$1/.\" \"$1.copy\"\nmount -t tmpfs -o size=1m none \"$1\"\n\
                    cp -r \"$1.copy/.\" \"$1\"\ndir=$1\nset +e\nif [ -n \"$AGAIN\" ]; then \"$2\" \"$3\" --project \"$dir\" >/dev/null 2>&1\n\
                    mount -o remount,size=100m \"$dir\"; fi";

#[test]
fn a_full_disk_and_the_same_with_room_again() {
    let story = Story::new(&ordinary(1, 200));
    mounted(&story, FULL, &["pull"]).complains(
        1,
        &[" is full\nfree space there and run the same command again: everything recorded so far is kept"],
    );
    std::fs::remove_dir_all(story.beside("project.copy")).unwrap();
    let again = mounted(&story, &format!("AGAIN=1\n{FULL}"), &["pull"]);
    again.tells(0, &["200"]);
}
