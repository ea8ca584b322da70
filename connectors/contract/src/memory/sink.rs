use crate::{Fault, OriginalSink, Part, What};
use async_trait::async_trait;
use bytes::Bytes;

/// One part of an original held in memory.
#[derive(Clone)]
pub struct HeldPart {
    pub part: Part,
    pub bytes: Vec<u8>,
    pub whole: bool,
}

/// An original held in memory: what a sink must do with the calls of a `fetch`.
#[derive(Clone, Default)]
pub struct HeldOriginal {
    pub parts: Vec<HeldPart>,
    open: Option<usize>,
}

impl HeldOriginal {
    /// The bytes of a whole part.
    pub fn part(&self, name: &str) -> Option<&[u8]> {
        self.parts.iter().find(|held| held.whole && held.part.name == name).map(|held| held.bytes.as_slice())
    }

    fn opened(&mut self) -> Result<&mut HeldPart, Fault> {
        let none_open = || Fault::new(What::StoreBroken, "a part was written before it was opened").report();
        self.open.and_then(|index| self.parts.get_mut(index)).ok_or_else(none_open)
    }
}

#[async_trait]
impl OriginalSink for HeldOriginal {
    async fn open(&mut self, part: Part) -> Result<u64, Fault> {
        let index = self.parts.iter().position(|held| held.part.name == part.name).unwrap_or_else(|| {
            self.parts.push(HeldPart { part, bytes: Vec::new(), whole: false });
            self.parts.len() - 1
        });
        self.open = Some(index);
        Ok(self.opened()?.bytes.len() as u64)
    }
    async fn write(&mut self, bytes: Bytes) -> Result<(), Fault> {
        self.opened()?.bytes.extend_from_slice(&bytes);
        Ok(())
    }
    async fn restart(&mut self) -> Result<(), Fault> {
        let held = self.opened()?;
        held.bytes.clear();
        held.whole = false;
        Ok(())
    }
    async fn close(&mut self) -> Result<(), Fault> {
        self.opened()?.whole = true;
        self.open = None;
        Ok(())
    }
    async fn clear(&mut self) -> Result<(), Fault> {
        *self = Self::default();
        Ok(())
    }
}
