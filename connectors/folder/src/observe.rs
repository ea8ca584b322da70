//! Everything that stands in a folder, as deep as asked.

use std::io;
use std::path::Path;

use tokio::sync::mpsc::Sender;
use transhume_contract::{Depth, Facts, Fault, Handle, Look, Observed, Timestamp, What};

use crate::faults::on;
use crate::keywords::Keywords;
use crate::listing::{self, Entry};
use crate::message;

pub(crate) type Seen = Result<Observed, Fault>;

/// Sends one observation after the other, until all are sent or nobody listens.
pub(crate) fn observe(folder: &Path, look: Look, to: &Sender<Seen>) {
    if let Err(fault) = tell(folder, look, to) {
        let _ = to.blocking_send(Err(fault));
    }
}

fn tell(folder: &Path, look: Look, to: &Sender<Seen>) -> Result<(), Fault> {
    let keywords = Keywords::load(folder).map_err(on("read the keywords of", folder))?;
    for entry in listing::entries(folder)? {
        let mut entry = entry?;
        let seen = listing::with(folder, &mut entry, "read", |entry| observed(entry, look, &keywords));
        match seen {
            // A person removed it while we looked.
            Err(fault) if fault.what == What::Vanished => {}
            seen if to.blocking_send(seen.clone()).is_err() => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

fn observed(entry: &Entry, look: Look, keywords: &Keywords) -> io::Result<Observed> {
    let handle = Handle::new(&entry.name.base);
    let depth = look.depth_of(&handle);
    if depth == Depth::Presence {
        return Ok(Observed {
            handle,
            version: None,
            facts: Facts::default(),
            length: None,
            digest: None,
            content: None,
        });
    }
    let data = entry.path.metadata()?;
    let received = data.modified().ok().and_then(|date| Timestamp::try_from(date).ok());
    let (message_id, digest) = match depth {
        Depth::Presence | Depth::Shape => (message::read_message_id(&entry.path)?, None),
        Depth::Content => {
            let contents = message::read(&entry.path)?;
            (contents.message_id, Some(contents.digest))
        }
    };
    let facts = Facts { received, message_id, ..entry.name.facts(keywords) };
    Ok(Observed { handle, version: None, facts, length: Some(data.len()), digest, content: None })
}
