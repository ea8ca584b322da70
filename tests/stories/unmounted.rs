//! A folder that mail or events were placed in and that is gone as a whole: its disk is not mounted, or somebody removed
//! it. Nothing is written in its place, and nobody is told that all is well.

use crate::setting::{Story, base64, files, ordinary};
use serde_json::json;
use std::fs;
use std::path::Path;

const STEP: &str = "Mount its disk or put it back, then run again: nothing was written.";

fn messages(dir: &Path) -> usize {
    files(dir).iter().filter(|path| path.parent().is_some_and(|folder| folder.ends_with("cur"))).count()
}

fn new_mail(story: &Story) {
    for (number, user) in story.addresses.iter().enumerate() {
        let mime = base64(&format!("Message-ID: <new{number}@x>\r\nSubject: new\r\n\r\nx\r\n"));
        story.mutate(json!([{ "op": "new_message", "user": user, "folder": "inbox", "mime": mime }]));
    }
}

#[test]
fn a_disk_that_is_not_mounted_stops_whatever_would_write_to_it() {
    let story = Story::new(&ordinary(2, 3));
    // The second wave has nothing there yet: only the first one knows that something is missing.
    story
        .write("accounts.csv", format!("source,target,wave\n{},a,1\n{},b,2\n", story.addresses[0], story.addresses[1]));
    story.run(&["run", "--wave", "1"]).ok();
    let (mail, disk) = (story.project().join("mail"), story.beside("disk"));
    let before = messages(&mail);
    fs::rename(&mail, &disk).unwrap();
    new_mail(&story);
    let said = "the folder PROJECT/mail, to which this project moves messages, is not there, or empty";
    for mount_point in [false, true] {
        if mount_point {
            fs::create_dir(&mail).unwrap();
        }
        for words in [&["plan"][..], &["push"], &["run"], &["run", "--wave", "2"], &["run", "--dry-run"]] {
            story.run(words).complains(1, &[said, STEP]);
        }
        story.run(&["check"]).tells(1, &["BLOCKER  target  everybody: the folder PROJECT/mail, ", STEP]);
        assert_eq!((mail.exists(), files(&mail).len()), (mount_point, 0));
    }
    fs::remove_dir(&mail).unwrap();
    fs::rename(&disk, &mail).unwrap();
    story.run(&["run"]).ok();
    assert!(messages(&mail) > before + 1, "the new mail of both, and all of the second");
    story.run(&["verify"]).tells(0, &["0 differences"]);
}

#[test]
fn one_account_whose_maildir_is_gone_stops_alone_and_comes_back_by_a_repair() {
    let story = Story::new(&ordinary(2, 3));
    story.run(&["run"]).ok();
    let (gone, other) = (story.project().join("mail/account1"), story.project().join("mail/account2"));
    let (lost, before) = (messages(&gone), messages(&other));
    fs::remove_dir_all(&gone).unwrap();
    new_mail(&story);
    let said = "the folder PROJECT/mail/account1/Maildir, which held ";
    story.run(&["run"]).tells(3, &["stopped at the target: ", said, " of this account, is not there", STEP]);
    assert_eq!((gone.exists(), messages(&other)), (false, before + 1), "the other one goes on");
    story.run(&["plan"]).tells(3, &["BLOCKER ", said]);
    story.run(&["check"]).tells(1, &["BLOCKER  target  account1: ", said]);
    story.run(&["push", "--repair"]).tells(3, &[said]);
    assert!(!gone.exists(), "nobody looked yet what is missing");
    story.run(&["verify"]).tells(4, &["`transhume push --repair`"]);
    story.run(&["push", "--repair"]).ok();
    assert_eq!(messages(&gone), lost + 1);
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

#[test]
fn a_folder_that_was_removed_for_good_is_placed_anew_by_a_repair() {
    let story = Story::new(&ordinary(1, 3));
    story.run(&["run"]).ok();
    let mail = story.project().join("mail");
    let before = messages(&mail);
    fs::remove_dir_all(&mail).unwrap();
    story.run(&["run"]).complains(1, &["`transhume verify` and then `transhume push --repair`"]);
    story.run(&["verify"]).tells(4, &[]);
    story.run(&["push", "--repair"]).ok();
    assert_eq!(messages(&mail), before);
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}
