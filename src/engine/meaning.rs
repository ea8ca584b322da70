//! What is said, compared with what an original says: of renderings, and of what a target made of them.

use super::{
    Engine, Meaning, Setting, defect,
    rendering::{Loaded, blocking_reader},
};
use crate::store::{AccountStore, Rendering, RenderingKey, StoredBody};
use bytes::Bytes;
use std::{
    io::{Cursor, Read},
    sync::Arc,
};
use transhume_contract::{Digest, Fault, Loss, Reach, What, Workload};

/// Where to read what is said.
pub(super) enum Said {
    Rendered(StoredBody),
    AtTarget(Bytes),
}

/// Whose conversion it is, and of which workload.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub store: &'a AccountStore,
    pub workload: Workload,
    pub setting: &'a Setting,
}

/// Compares what stands at a target with what was sent there.
type Compare = fn(&dyn Meaning, Workload, &[u8], &[u8]) -> Vec<String>;

impl Engine {
    /// How it differs from the original beyond the losses named.
    pub(super) async fn differences(
        &self,
        of: Of<'_>,
        loaded: Loaded,
        said: Said,
        losses: Vec<Loss>,
    ) -> Result<Vec<String>, Fault> {
        let (meaning, workload, setting) = (Arc::clone(&self.meaning), of.workload, of.setting.clone());
        let handle = tokio::runtime::Handle::current();
        let work = move || {
            let mut reader: Box<dyn Read> = match &said {
                Said::Rendered(body) => blocking_reader(body, &handle)?,
                Said::AtTarget(bytes) => Box::new(Cursor::new(bytes.clone())),
            };
            meaning.differences(workload, &loaded, &setting, &mut *reader, &losses)
        };
        let broken = |error: std::io::Error| {
            Fault::new(What::StoreBroken, format!("an original could not be read: {error}")).reaching(Reach::Account)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| defect("a comparison was cut short"))?.map_err(broken)
    }

    /// How what stands at the target differs from the originals of these renderings, in their order; each with the losses
    /// of its placing.
    pub(super) async fn differences_there(
        &self,
        of: Of<'_>,
        there: Vec<(RenderingKey, Bytes, Vec<Loss>)>,
    ) -> Result<Vec<Vec<String>>, Fault> {
        let keys = there.iter().map(|(key, ..)| *key).collect();
        let renderings: Vec<Rendering> = of.store.renderings_placed(keys).await?;
        let originals = renderings.iter().map(|rendering| rendering.original).collect();
        let loaded = of.store.load_originals(originals).await?;
        let mut found = Vec::with_capacity(there.len());
        for ((rendering, (original, bodies)), (_, bytes, lost)) in renderings.into_iter().zip(loaded).zip(there) {
            self.stop.check()?;
            let loaded = Loaded::new(rendering.item, original, bodies);
            let losses = rendering.losses.into_iter().chain(lost).collect();
            found.push(self.differences(of, loaded, Said::AtTarget(bytes), losses).await?);
        }
        Ok(found)
    }

    /// How what stands at the target was changed since this rendering was sent there, by anybody but the target itself.
    pub(super) async fn changed_there(&self, of: Of<'_>, sent: &Digest, there: &Bytes) -> Result<Vec<String>, Fault> {
        if Digest::of(there) == *sent {
            return Ok(Vec::new());
        }
        self.beside_sent(of, sent, there, |meaning, workload, sent, there| meaning.changed(workload, sent, there)).await
    }

    /// How the texts that stand at the target read otherwise than they were sent there.
    pub(super) async fn reworded_there(&self, of: Of<'_>, sent: &Digest, there: &Bytes) -> Result<Vec<String>, Fault> {
        self.beside_sent(of, sent, there, |meaning, workload, sent, there| meaning.reworded(workload, sent, there))
            .await
    }

    async fn beside_sent(
        &self,
        of: Of<'_>,
        sent: &Digest,
        there: &Bytes,
        compare: Compare,
    ) -> Result<Vec<String>, Fault> {
        let (meaning, workload, there) = (Arc::clone(&self.meaning), of.workload, there.clone());
        let (body, handle) = (of.store.body(sent).await?, tokio::runtime::Handle::current());
        let work = move || {
            let mut bytes = Vec::new();
            blocking_reader(&body, &handle)?.read_to_end(&mut bytes)?;
            Ok(compare(&*meaning, workload, &bytes, &there))
        };
        let compared = tokio::task::spawn_blocking(work).await.map_err(|_| defect("a comparison was cut short"))?;
        compared.map_err(|error: std::io::Error| {
            let sentence = format!("a rendering could not be read: {error}");
            Fault::new(What::StoreBroken, sentence).reaching(Reach::Account)
        })
    }
}
