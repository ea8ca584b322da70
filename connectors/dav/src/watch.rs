//! Watching an account for a meeting that must not arrive in it.

use crate::{
    account::Link,
    collections::Shelf,
    homes::Home,
    lines,
    read::{Listed, Reader, windows},
};
use std::collections::HashSet;
use transhume_contract::{Fault, Reach, Workload};

const INBOX: &str = "its inbox";

/// One account, and what stood in it when it was last looked at: only what came since is read, whatever it holds.
pub struct Watch<'a> {
    link: &'a Link,
    home: &'a Home,
    /// What the UIDs of the trial's meetings begin with.
    uid: String,
    /// Paths with their ETags.
    seen: HashSet<String>,
    saw_inbox: bool,
}

impl<'a> Watch<'a> {
    /// Remembers what stands there before anything is sent.
    pub async fn begin(link: &'a Link, home: &'a Home, uid: String) -> Result<Self, Fault> {
        let mut watch = Self { link, home, uid, seen: HashSet::new(), saw_inbox: true };
        for (name, path) in watch.places().await? {
            watch.came(&name, &watch.reader(path)).await?;
        }
        Ok(watch)
    }

    /// Where the meeting is, if it came.
    pub async fn look(&mut self) -> Result<Option<String>, Fault> {
        for (name, path) in self.places().await? {
            let reader = self.reader(path);
            for window in windows(self.came(&name, &reader).await?) {
                let held = reader.contents(&window).await?;
                if held.iter().any(|held| lines::uid(&held.content).is_some_and(|uid| uid.starts_with(&self.uid))) {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }

    /// Whether the place where invitations arrive could be looked into.
    pub fn saw_inbox(&self) -> bool {
        self.saw_inbox && self.home.inbox.is_some()
    }

    fn reader(&self, path: String) -> Reader {
        Reader { link: self.link.clone(), path, workload: Workload::Calendar }
    }

    async fn places(&self) -> Result<Vec<(String, String)>, Fault> {
        let shelf = Shelf { link: self.link, home: self.home, workload: Workload::Calendar };
        let standing = shelf.list().await?.into_iter().filter(|standing| standing.fits);
        let inbox = self.home.inbox.clone().map(|path| (INBOX.to_owned(), path));
        Ok(standing.map(|standing| (standing.shown(), standing.path)).chain(inbox).collect())
    }

    /// What is new in a place, or was changed. What has no ETag may have changed each time.
    async fn came(&mut self, name: &str, reader: &Reader) -> Result<Vec<Listed>, Fault> {
        let mut listed = match reader.list().await {
            Ok((listed, _)) => listed,
            Err(fault) if name == INBOX && fault.reach < Reach::Account => {
                self.saw_inbox = false;
                return Ok(Vec::new());
            }
            Err(fault) => return Err(fault),
        };
        listed.retain(|one| match &one.etag {
            Some(etag) => self.seen.insert(format!("{}{} {etag}", reader.path, one.name)),
            None => true,
        });
        Ok(listed)
    }
}
