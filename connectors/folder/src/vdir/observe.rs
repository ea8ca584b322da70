//! Everything that stands in a collection, as deep as asked.

use std::path::Path;

use tokio::sync::mpsc::Sender;
use transhume_contract::{Depth, Facts, Fault, Handle, Look, Observed, Workload};

use crate::vdir::item::{Item, names_in};

pub(super) type Seen = Result<Observed, Fault>;

/// Sends one observation after the other, until all are sent or nobody listens.
pub(super) fn observe(directory: &Path, workload: Workload, look: Look, to: &Sender<Seen>) {
    if let Err(fault) = tell(directory, workload, look, to) {
        let _ = to.blocking_send(Err(fault));
    }
}

fn tell(directory: &Path, workload: Workload, look: Look, to: &Sender<Seen>) -> Result<(), Fault> {
    for name in names_in(directory, workload)? {
        let handle = Handle::new(&*name);
        let path = directory.join(name);
        let seen = match look.depth_of(&handle) {
            Depth::Presence => Some(bare(handle)),
            Depth::Shape => Item::read(&path)?.map(|item| shape(handle, &item)),
            Depth::Content => Item::read(&path)?.map(|item| whole(handle, &item)),
        };
        // What a person removed while we looked is not there.
        if let Some(seen) = seen
            && to.blocking_send(Ok(seen)).is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}

fn bare(handle: Handle) -> Observed {
    Observed { handle, version: None, facts: Facts::default(), length: None, digest: None, content: None }
}

/// An event that somebody moved by an hour has the length it had: only its version tells.
fn shape(handle: Handle, item: &Item) -> Observed {
    Observed {
        version: Some(item.version()),
        facts: Facts { message_id: item.uid(), ..Facts::default() },
        length: Some(item.bytes.len() as u64),
        ..bare(handle)
    }
}

/// Nothing here rewrites an item, but the programs of people do, and mostly say the same in other words: the bytes are
/// told, for their meaning counts where they differ.
fn whole(handle: Handle, item: &Item) -> Observed {
    Observed { digest: Some(item.digest), content: Some(item.bytes.clone()), ..shape(handle, item) }
}
