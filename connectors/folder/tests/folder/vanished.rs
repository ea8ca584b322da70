//! A root, or all of one account, that is not there: not made yet, removed by hand, or on a disk that is not mounted.

use std::fs;
use std::path::Path;

use transhume_contract::{AccountId, Target, Workload};

use crate::subject::{Subject, facts, placing};
use crate::vdirs;

async fn mail(on: &Subject, account: Option<&AccountId>) -> Option<String> {
    on.target.not_there(account, Workload::Mail).await.unwrap()
}

fn shown(path: &Path) -> Option<String> {
    Some(format!(
        "the folder {}",
        fs::canonicalize(path.parent().unwrap()).unwrap().join(path.file_name().unwrap()).display()
    ))
}

#[tokio::test]
async fn a_maildir_is_there_once_a_folder_of_ours_stands_in_it_and_a_servers_own_is_not_it() {
    let on = Subject::new();
    let (ada, bob) = (on.account(), AccountId::new("bob"));
    assert_eq!(mail(&on, None).await, shown(on.root.path()));
    assert_eq!(mail(&on, Some(&ada)).await, Some(format!("the folder {}", on.target.maildir(&ada).display())));
    assert_eq!(fs::read_dir(on.root.path()).unwrap().count(), 0, "looking makes nothing");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(on.target.maildir(&ada).join(part)).unwrap();
    }
    assert!(mail(&on, Some(&ada)).await.is_some() && mail(&on, None).await.is_some(), "a mail server made that");
    let at = on.ensure(&["Ours"]).await;
    assert_eq!((mail(&on, Some(&ada)).await, mail(&on, None).await), (None, None));
    assert!(mail(&on, Some(&bob)).await.is_some());
    on.place(&at, vec![placing("one", "Subject: 1\r\n\r\n", facts())]).await.remove(0).unwrap();
    fs::remove_dir_all(on.folder("Ours")).unwrap();
    assert_eq!(mail(&on, Some(&ada)).await, None, "that folder was theirs to delete");
    fs::remove_dir_all(on.target.maildir(&ada)).unwrap();
    assert!(mail(&on, Some(&ada)).await.is_some() && mail(&on, None).await.is_some());
}

#[tokio::test]
async fn calendars_contacts_and_tasks_are_there_each_by_themselves() {
    for workload in vdirs::OBJECTS {
        let on = vdirs::Subject::new(workload);
        let ada = AccountId::new("ada");
        let look = async |account: Option<&AccountId>| on.target.not_there(account, workload).await.unwrap();
        assert_eq!(look(None).await, shown(on.root.path()));
        on.ensure(&["Ours"]).await;
        assert_eq!((look(None).await, look(Some(&ada)).await), (None, None));
        assert!(look(Some(&AccountId::new("bob"))).await.is_some());
        fs::remove_dir_all(on.folder("Ours")).unwrap();
        assert_eq!((look(None).await, look(Some(&ada)).await), (None, None), "that one was theirs to delete");
        fs::remove_dir_all(on.root.path().join("ada")).unwrap();
        assert!(look(None).await.is_some() && look(Some(&ada)).await.is_some());
    }
}

#[tokio::test]
async fn a_root_is_made_by_the_first_collection_and_not_by_looking() {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().join("disk/mail");
    for workload in [Workload::Mail, Workload::Calendar] {
        let target = transhume_folder::open(&root, workload).unwrap();
        let ada = AccountId::new("ada");
        target.check(Some(&ada)).await.unwrap();
        target.holdings(&ada, workload, 10).await.unwrap();
        assert!(target.others(&ada, workload, &[]).await.unwrap().is_empty());
    }
    assert!(!top.path().join("disk").exists());
    let target = transhume_folder::Folder::open(&root).unwrap();
    let on = Subject { root: top, target };
    on.ensure(&["Ours"]).await;
    assert!(root.join("ada/Maildir/.Ours/cur").is_dir());
}

/// Below a root that others use too (`/var/vmail`), a home may be shut: it is not ours, and hides nothing.
#[tokio::test]
async fn a_home_of_somebody_else_that_is_shut_hides_none_of_ours() {
    let on = Subject::new();
    on.ensure(&["Ours"]).await;
    for name in ["0", "zz"] {
        // No file where one is to be read: who runs the tests may be root, and reads what is only forbidden.
        fs::create_dir_all(on.root.path().join(name).join("Maildir/transhume-folder")).unwrap();
    }
    assert_eq!(mail(&on, None).await, None);
}
