//! Rendering: from an original in the store to a rendering in the store, off the async threads. What is small is made
//! in memory; what is large passes through, so memory does not grow with a message.

use super::{Audience, Engine, Original, Render, Rendered, standings::pushed};
use crate::store::{
    AccountStore, BlobWriter, ItemKey, NewRendering, Original as StoredOriginal, OriginalKey, Rendering, Sending,
    Shape, Stored, StoredBody, ToPlace,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor, Read, Write},
    sync::Arc,
};
use tokio::runtime::Handle;
use tokio_util::io::SyncIoBridge;
use transhume_contract::{Body, Digest, Fault, Part, Reach, TargetTraits, What, Workload};

/// An original up to this size is rendered in memory.
const SMALL: u64 = 256 << 10;

/// An original with its bytes in reach, readable without async.
pub(super) struct Loaded {
    item: Option<ItemKey>,
    original: StoredOriginal,
    parts: Vec<Part>,
    bodies: Vec<StoredBody>,
    handle: Handle,
}

impl Loaded {
    pub fn new(item: ItemKey, original: StoredOriginal, bodies: Vec<StoredBody>) -> Self {
        Self::with(Some(item), original, bodies)
    }

    /// An account's settings, which are no item.
    pub fn of_settings(original: StoredOriginal, bodies: Vec<StoredBody>) -> Self {
        Self::with(None, original, bodies)
    }

    fn with(item: Option<ItemKey>, original: StoredOriginal, bodies: Vec<StoredBody>) -> Self {
        let part = |part: &crate::store::StoredPart| Part {
            name: part.name.clone(),
            media_type: part.media_type.clone(),
            length: Some(part.length),
        };
        let parts = original.parts.iter().map(part).collect();
        Self { item, original, parts, bodies, handle: Handle::current() }
    }

    fn length(&self) -> u64 {
        self.original.parts.iter().map(|part| part.length).sum()
    }

    fn body(&self, name: &str) -> Option<&StoredBody> {
        self.bodies.get(self.parts.iter().position(|part| part.name == name)?)
    }

    /// Where the bytes of a part stand.
    fn stored(&self, name: &str) -> Option<Stored> {
        let part = self.original.parts.iter().find(|part| part.name == name)?;
        Some(Stored { digest: part.digest, length: part.length })
    }
}

impl Original for Loaded {
    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("the original has no part {name}"));
        blocking_reader(self.body(name).ok_or_else(missing)?, &self.handle)
    }
}

/// A body's bytes for code that is not async. Only for threads that may block.
pub(super) fn blocking_reader(body: &StoredBody, handle: &Handle) -> io::Result<Box<dyn Read>> {
    if let Some(bytes) = body.at_hand() {
        return Ok(Box::new(Cursor::new(bytes)));
    }
    let reader = handle.block_on(body.open()).map_err(io::Error::other)?;
    Ok(Box::new(SyncIoBridge::new_with_handle(reader, handle.clone())))
}

/// Writes into the store from code that is not async.
struct Pour<'a> {
    into: &'a mut BlobWriter,
    handle: &'a Handle,
}

impl Write for Pour<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.handle.block_on(self.into.write(bytes)).map_err(io::Error::other)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A rendering to send, with its bytes where making it had them in reach. One made now is kept when it is sent, in the
/// commit that writes down the intent.
pub(super) struct Made {
    pub sending: Sending,
    pub stored: Stored,
    pub body: Option<StoredBody>,
}

impl Made {
    fn kept(rendering: Rendering) -> (ItemKey, Self) {
        let (item, stored) = (rendering.item, rendering.stored);
        (item, Self { sending: Sending::Kept(rendering), stored, body: None })
    }

    fn fresh(rendering: NewRendering, original_body: Option<StoredBody>) -> Self {
        let (stored, body) = match &rendering.shape {
            Shape::Held(stored) => (*stored, original_body),
            Shape::Bytes(bytes) => {
                let body = StoredBody::of(bytes.clone());
                (body.stored(), Some(body))
            }
        };
        Self { sending: Sending::New(rendering), stored, body }
    }
}

/// An item whose original is to be rendered.
pub(super) struct ToRender {
    pub item: ItemKey,
    pub original: OriginalKey,
    /// By whatever edition and profile; else no rendering is looked for.
    pub rendered_before: bool,
    /// With a key of its own.
    pub apart: bool,
}

impl From<&ToPlace> for ToRender {
    fn from(what: &ToPlace) -> Self {
        Self { item: what.item, original: what.original, rendered_before: what.rendering.is_some(), apart: what.apart }
    }
}

/// What is not kept yet.
pub(super) fn unkept(made: impl IntoIterator<Item = Made>) -> Vec<NewRendering> {
    let new = |made: Made| match made.sending {
        Sending::New(rendering) => Some(rendering),
        Sending::Kept(_) => None,
    };
    made.into_iter().filter_map(new).collect()
}

/// One item's rendering, or why there is none.
type Outcome = (ItemKey, Result<Made, Fault>);

/// What one rendering is made with; sent to a thread that may block.
struct Maker {
    store: AccountStore,
    render: Arc<dyn Render>,
    workload: Workload,
    audience: Audience,
    edition: u32,
    /// Told once for all: working it out reads every table.
    tables: Digest,
}

impl Engine {
    /// The renderings of a page: those kept before, and those made now. What cannot be rendered comes with its fault; one
    /// that reaches further than its item is nobody's in particular.
    pub(super) async fn renderings_of(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        page: &[ToRender],
    ) -> Result<BTreeMap<ItemKey, Result<Made, Fault>>, Fault> {
        let (apart, own): (Vec<_>, Vec<_>) = page.iter().partition(|item| item.apart);
        let mut all = self.renderings_for(store, workload, audience, &own).await?;
        if !apart.is_empty() {
            all.extend(self.renderings_for(store, workload, &audience.of_one(true), &apart).await?);
        }
        Ok(all)
    }

    async fn renderings_for(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        page: &[&ToRender],
    ) -> Result<BTreeMap<ItemKey, Result<Made, Fault>>, Fault> {
        let (edition, tables) = (self.render.edition(workload), self.render.tables(workload));
        let rendered = page.iter().filter(|item| item.rendered_before).map(|item| item.original);
        let rendered: Vec<_> = rendered.collect();
        let known = match rendered.is_empty() {
            true => Vec::new(),
            false => store.renderings(rendered, edition, tables, audience.digest).await?,
        };
        let mut all: BTreeMap<_, _> = known.into_iter().map(Made::kept).map(|(item, made)| (item, Ok(made))).collect();
        let missing: Vec<_> = page.iter().filter(|item| !all.contains_key(&item.item)).collect();
        if missing.is_empty() {
            return Ok(all);
        }
        let keys = missing.iter().map(|item| item.original).collect();
        let loaded = store.load_originals(keys).await?;
        let loaded =
            missing.iter().zip(loaded).map(|(item, (original, bodies))| Loaded::new(item.item, original, bodies));
        for (item, made) in self.render_all(store, workload, audience, loaded.collect()).await? {
            match made {
                Err(fault) if fault.reach >= Reach::Account => return Err(fault),
                made => all.insert(item, made),
            };
        }
        Ok(all)
    }

    /// The same, kept at once.
    pub(super) async fn keep_renderings_of(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        page: &[ToRender],
    ) -> Result<BTreeMap<ItemKey, Result<Rendering, Fault>>, Fault> {
        let (mut all, mut new) = (BTreeMap::new(), Vec::new());
        for (item, made) in self.renderings_of(store, workload, audience, page).await? {
            match made.map(|made| made.sending) {
                Ok(Sending::New(rendering)) => new.push(rendering),
                Ok(Sending::Kept(rendering)) => drop(all.insert(item, Ok(rendering))),
                Err(fault) => drop(all.insert(item, Err(fault))),
            }
        }
        let kept = store.record_renderings(new).await?;
        all.extend(kept.into_iter().map(|rendering| (rendering.item, Ok(rendering))));
        Ok(all)
    }

    /// Renders what the store holds and nobody placed yet, which tells the losses of rendering it. Answers those that
    /// placing what the policy pushes will add, in items, by name.
    pub(super) async fn render_ahead(
        &self,
        store: &AccountStore,
        workload: Workload,
        traits: &TargetTraits,
    ) -> Result<BTreeMap<String, u64>, Fault> {
        let audience = self.audience(store, workload, traits.profile.clone()).await?;
        let mut foreseen = BTreeMap::new();
        let rows = store.collections(workload).await?;
        let pushed = pushed(&rows, &self.policy);
        for row in rows {
            let mut after = None;
            loop {
                self.stop.check()?;
                let page = store.items_to_place(row.key, after, traits.batch.items.max(1)).await?;
                let Some(last) = page.last().map(|item| item.mark) else { break };
                let of: Vec<_> = page.iter().map(ToRender::from).collect();
                let rendered = self.keep_renderings_of(store, workload, &audience, &of).await?;
                if pushed.get(&row.key) == Some(&true) {
                    self.foresee_losses(workload, &audience, &page, &rendered, &mut foreseen);
                }
                after = Some(last);
            }
        }
        Ok(foreseen)
    }

    /// What placing these will lose beyond what rendering them lost.
    fn foresee_losses(
        &self,
        workload: Workload,
        audience: &Audience,
        page: &[ToPlace],
        rendered: &BTreeMap<ItemKey, Result<Rendering, Fault>>,
        foreseen: &mut BTreeMap<String, u64>,
    ) {
        for item in page {
            // What cannot be rendered is not placed either.
            let Some(Ok(rendering)) = rendered.get(&item.item) else { continue };
            let (_, losses) = self.facts_there(workload, &audience.profile, &item.facts, None);
            let named: BTreeSet<_> = losses.into_iter().map(|loss| loss.name).collect();
            let new = named.into_iter().filter(|name| rendering.losses.iter().all(|loss| loss.name != *name));
            new.for_each(|name| *foreseen.entry(name).or_default() += 1);
        }
    }

    /// Renders originals for an audience. Nothing is kept yet.
    async fn render_all(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        originals: Vec<Loaded>,
    ) -> Result<Vec<Outcome>, Fault> {
        let (store, render, audience) = (store.clone(), Arc::clone(&self.render), audience.clone());
        let (edition, tables) = (render.edition(workload), render.tables(workload));
        let maker = Maker { store, render, workload, audience, edition, tables };
        let work = move || {
            let of_items = originals.iter().filter_map(|loaded| Some((loaded.item?, loaded)));
            of_items.map(|(item, loaded)| (item, maker.make(item, loaded))).collect()
        };
        let lost = |_| Fault::new(What::StoreBroken, "rendering was cut short").reaching(Reach::Run);
        tokio::task::spawn_blocking(work).await.map_err(lost)
    }
}

impl Maker {
    fn make(&self, item: ItemKey, loaded: &Loaded) -> Result<Made, Fault> {
        let (rendered, shape) = if loaded.length() <= SMALL { self.in_memory(loaded)? } else { self.passing(loaded)? };
        let body = rendered.same_as.as_deref().and_then(|name| loaded.body(name)).cloned();
        let rendering = NewRendering {
            item,
            original: loaded.original.key,
            edition: self.edition,
            tables: self.tables,
            profile: self.audience.digest,
            shape,
            losses: rendered.losses,
            message_id: rendered.natural_key,
        };
        Ok(Made::fresh(rendering, body))
    }

    fn in_memory(&self, loaded: &Loaded) -> Result<(Rendered, Shape), Fault> {
        let mut bytes = Vec::with_capacity(usize::try_from(loaded.length()).unwrap_or(0) + 1024);
        let rendered = self.render.render(self.workload, loaded, &self.audience, &mut bytes)?;
        let shape = match same_as(&rendered, loaded) {
            Some(stored) => Shape::Held(stored),
            None => Shape::Bytes(bytes.into()),
        };
        Ok((rendered, shape))
    }

    /// Twice through a large original: once to learn whether anything changes, and again only if it does.
    fn passing(&self, loaded: &Loaded) -> Result<(Rendered, Shape), Fault> {
        let rendered = self.render.render(self.workload, loaded, &self.audience, &mut io::sink())?;
        if let Some(stored) = same_as(&rendered, loaded) {
            return Ok((rendered, Shape::Held(stored)));
        }
        let mut writer = self.store.blob_writer();
        let mut pour = Pour { into: &mut writer, handle: &loaded.handle };
        let rendered = self.render.render(self.workload, loaded, &self.audience, &mut pour)?;
        let stored = loaded.handle.block_on(writer.finish())?;
        Ok((rendered, Shape::Held(stored)))
    }
}

fn same_as(rendered: &Rendered, loaded: &Loaded) -> Option<Stored> {
    rendered.same_as.as_deref().and_then(|name| loaded.stored(name))
}
