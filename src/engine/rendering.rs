//! Rendering: from an original in the store to a rendering in the store, off the async threads. What is small is made
//! in memory; what is large passes through, so memory does not grow with a message.

use super::{Engine, Original, Render, Rendered};
use crate::store::{
    AccountStore, BlobWriter, ItemKey, NewRendering, Original as StoredOriginal, OriginalKey, Rendering, Shape, Stored,
    StoredBody,
};
use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read, Write},
    sync::Arc,
};
use tokio::runtime::Handle;
use tokio_util::io::SyncIoBridge;
use transhume_contract::{Body, Digest, Fault, Part, Profile, Reach, TargetTraits, What, Workload};

/// An original up to this size is rendered in memory.
const SMALL: u64 = 256 << 10;

/// For whom renderings are made: part of each rendering's identity.
#[derive(Clone)]
pub(super) struct Audience {
    pub profile: Profile,
    pub digest: Digest,
}

impl Audience {
    pub fn of(profile: Profile) -> Result<Self, Fault> {
        let text = serde_json::to_vec(&profile);
        let text =
            text.map_err(|error| Fault::new(What::Unmappable, format!("a profile has no form: {error}")).report())?;
        Ok(Self { profile, digest: Digest::of(&text) })
    }
}

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

/// A rendering that is kept, with its bytes where making it had them in reach.
#[derive(Clone)]
pub(super) struct Made {
    pub rendering: Rendering,
    pub body: Option<StoredBody>,
}

/// A rendering that is not kept yet.
struct Fresh {
    rendering: NewRendering,
    body: Option<StoredBody>,
}

/// One item's rendering, or why there is none.
type Outcome = (ItemKey, Result<Fresh, Fault>);

/// What one rendering is made with; sent to a thread that may block.
struct Maker {
    store: AccountStore,
    render: Arc<dyn Render>,
    workload: Workload,
    audience: Audience,
}

impl Engine {
    /// The renderings of a page: those made before, and those made now, kept in one commit. What cannot be rendered
    /// comes with its fault.
    pub(super) async fn renderings_of(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        page: &[(ItemKey, OriginalKey)],
    ) -> Result<BTreeMap<ItemKey, Result<Made, Fault>>, Fault> {
        let (edition, tables) = (self.render.edition(workload), self.render.tables());
        let originals = page.iter().map(|(_, original)| *original).collect();
        let known = store.renderings(originals, edition, tables, audience.digest).await?;
        let made = |rendering: Rendering, body| (rendering.item, Ok(Made { rendering, body }));
        let mut all: BTreeMap<_, _> = known.into_iter().map(|rendering| made(rendering, None)).collect();
        let missing: Vec<_> = page.iter().filter(|(item, _)| !all.contains_key(item)).collect();
        if missing.is_empty() {
            return Ok(all);
        }
        let keys = missing.iter().map(|(_, original)| *original).collect();
        let loaded = store.load_originals(keys).await?;
        let loaded =
            missing.iter().zip(loaded).map(|((item, _), (original, bodies))| Loaded::new(*item, original, bodies));
        let (good, bad) = apart(self.render_all(store, workload, audience, loaded.collect()).await?)?;
        let (good, bodies): (Vec<_>, Vec<_>) = good.into_iter().map(|fresh| (fresh.rendering, fresh.body)).unzip();
        let kept = store.record_renderings(good).await?;
        all.extend(kept.into_iter().zip(bodies).map(|(rendering, body)| made(rendering, body)));
        all.extend(bad.into_iter().map(|(item, fault)| (item, Err(fault))));
        Ok(all)
    }

    /// Renders what the store holds and nobody placed yet, which tells its losses. Answers how many there are.
    pub(super) async fn render_ahead(
        &self,
        store: &AccountStore,
        workload: Workload,
        traits: &TargetTraits,
    ) -> Result<u64, Fault> {
        let (audience, mut rendered) = (Audience::of(traits.profile.clone())?, 0);
        for row in store.collections(workload).await? {
            let mut after = None;
            loop {
                self.stop.check()?;
                let page = store.items_to_place(row.key, after, traits.batch.items.max(1)).await?;
                let Some(last) = page.last().map(|item| item.mark) else { break };
                let page: Vec<_> = page.iter().map(|item| (item.item, item.original)).collect();
                rendered += self.renderings_of(store, workload, &audience, &page).await?.len() as u64;
                after = Some(last);
            }
        }
        Ok(rendered)
    }

    /// Renders originals for an audience. Nothing is kept yet: the caller records what it got, in one commit.
    async fn render_all(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        originals: Vec<Loaded>,
    ) -> Result<Vec<Outcome>, Fault> {
        let (store, render, audience) = (store.clone(), Arc::clone(&self.render), audience.clone());
        let maker = Maker { store, render, workload, audience };
        let work = move || {
            let of_items = originals.iter().filter_map(|loaded| Some((loaded.item?, loaded)));
            of_items.map(|(item, loaded)| (item, maker.make(item, loaded))).collect()
        };
        let lost = |_| Fault::new(What::StoreBroken, "rendering was cut short").reaching(Reach::Run);
        tokio::task::spawn_blocking(work).await.map_err(lost)
    }
}

impl Maker {
    fn make(&self, item: ItemKey, loaded: &Loaded) -> Result<Fresh, Fault> {
        let (rendered, shape) = if loaded.length() <= SMALL { self.in_memory(loaded)? } else { self.passing(loaded)? };
        let body = rendered.same_as.as_deref().and_then(|name| loaded.body(name)).cloned();
        let rendering = NewRendering {
            item,
            original: loaded.original.key,
            edition: self.render.edition(self.workload),
            tables: self.render.tables(),
            profile: self.audience.digest,
            shape,
            losses: rendered.losses,
            message_id: rendered.natural_key,
        };
        Ok(Fresh { rendering, body })
    }

    fn in_memory(&self, loaded: &Loaded) -> Result<(Rendered, Shape), Fault> {
        let mut bytes = Vec::with_capacity(usize::try_from(loaded.length()).unwrap_or(0) + 1024);
        let rendered = self.render.render(self.workload, loaded, &self.audience.profile, &mut bytes)?;
        let shape = match same_as(&rendered, loaded) {
            Some(stored) => Shape::Held(stored),
            None => Shape::Bytes(bytes.into()),
        };
        Ok((rendered, shape))
    }

    /// Twice through a large original: once to learn whether anything changes, and again only if it does.
    fn passing(&self, loaded: &Loaded) -> Result<(Rendered, Shape), Fault> {
        let profile = &self.audience.profile;
        let rendered = self.render.render(self.workload, loaded, profile, &mut io::sink())?;
        if let Some(stored) = same_as(&rendered, loaded) {
            return Ok((rendered, Shape::Held(stored)));
        }
        let mut writer = self.store.blob_writer();
        let mut pour = Pour { into: &mut writer, handle: &loaded.handle };
        let rendered = self.render.render(self.workload, loaded, profile, &mut pour)?;
        let stored = loaded.handle.block_on(writer.finish())?;
        Ok((rendered, Shape::Held(stored)))
    }
}

/// An item without a rendering, and why.
type Unrendered = (ItemKey, Fault);

/// Renderings, and the items that have none. A fault that reaches further than its item is nobody's in particular.
fn apart(made: Vec<Outcome>) -> Result<(Vec<Fresh>, Vec<Unrendered>), Fault> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (item, made) in made {
        match made {
            Ok(rendering) => good.push(rendering),
            Err(fault) if fault.reach >= Reach::Account => return Err(fault),
            Err(fault) => bad.push((item, fault)),
        }
    }
    Ok((good, bad))
}

fn same_as(rendered: &Rendered, loaded: &Loaded) -> Option<Stored> {
    rendered.same_as.as_deref().and_then(|name| loaded.stored(name))
}
