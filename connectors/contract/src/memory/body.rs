use crate::{Body, Digest, Fault};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncRead;

/// A body held in memory.
pub struct HeldBody {
    bytes: Bytes,
    digest: Digest,
}

impl HeldBody {
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }
}

#[async_trait]
impl Body for HeldBody {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn digest(&self) -> Digest {
        self.digest
    }
    fn at_hand(&self) -> Option<Bytes> {
        Some(self.bytes.clone())
    }
    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault> {
        Ok(Box::new(std::io::Cursor::new(self.bytes.clone())))
    }
}
