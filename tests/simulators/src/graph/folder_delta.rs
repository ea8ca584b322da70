//! Folder delta: the tree, flat (Microsoft Graph docs: mailFolder delta).

use serde_json::{Map, Value};

use super::access::READ_BASIC_MAIL;
use super::delta::{Round, given, over_quota, tombstone};
use super::folders::FolderView;
use super::list::{OUTLOOK_DEFAULT, OUTLOOK_MOST};
use super::{Answer, Scene};
use crate::tenant::{Folder, Mailbox};
use crate::wire::Reply;

pub(super) fn answer(scene: &Scene<'_>, user: &str) -> Answer {
    let view = FolderView::of(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    if mailbox.over_quota {
        return Err(over_quota());
    }
    let mut round = match given(scene)? {
        Some(token) => Round::open(scene, &mailbox, user, "", &token)?,
        None => Round::begin(scene, &mailbox, user, "")?,
    };
    round.stale(scene, 0, mailbox.generation)?;
    let size = scene.call.prefer().page_size.unwrap_or(OUTLOOK_DEFAULT).min(OUTLOOK_MOST);
    let changes = changes(scene, &mailbox, &round);
    let more = changes.len() > size;
    let shown = &changes[..size.min(changes.len())];
    let rows: Vec<Value> = shown.iter().map(|(_, change)| change.row(&view, &mailbox)).collect();
    let (name, link) = if more {
        round.at = shown.last().map_or(round.at, |(step, _)| *step);
        round.digest = mailbox.trail.digest(round.at).unwrap_or_default();
        ("@odata.nextLink", round.link(scene, "$skiptoken"))
    } else {
        let next = round.next(&mailbox, mailbox.trail.head(), 0);
        ("@odata.deltaLink", next.link(scene, "$deltatoken"))
    };
    let mut page = Map::new();
    page.insert("@odata.context".to_owned(), scene.call.context("Collection(mailFolder)").into());
    page.insert("value".to_owned(), rows.into());
    page.insert(name.to_owned(), link.into());
    Ok(Reply::json(page))
}

enum Change<'a> {
    Here(&'a Folder),
    Gone(&'a str),
}

impl Change<'_> {
    fn row(&self, view: &FolderView, mailbox: &Mailbox) -> Value {
        match self {
            Self::Here(folder) => view.row(mailbox, folder).into(),
            Self::Gone(id) => tombstone("#microsoft.graph.mailFolder", id),
        }
    }
}

/// Changes after a round's place in the order in which they happened. Counts change with the messages, so a folder
/// that got mail is a changed folder. What lies beside the root is not part of the tree.
fn changes<'a>(scene: &Scene<'_>, mailbox: &'a Mailbox, round: &Round) -> Vec<(u64, Change<'a>)> {
    let hidden = scene.call.query.is_true("includeHiddenFolders");
    let shown = |folder: &Folder| folder.parent.is_some() && (hidden || !folder.is_hidden());
    let here = mailbox.living_folders().filter(|(_, folder)| folder.changed > round.at && shown(folder));
    let mut changes: Vec<(u64, Change<'a>)> = here.map(|(_, folder)| (folder.changed, Change::Here(folder))).collect();
    if round.since > 0 {
        let gone = mailbox.gone_folders.iter().filter(|(step, _)| *step > round.at);
        changes.extend(gone.map(|(step, id)| (*step, Change::Gone(id))));
    }
    changes.sort_by_key(|(step, _)| *step);
    changes
}
