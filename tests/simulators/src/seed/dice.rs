//! Chance without a clock: the same seed and name always throw the same.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// One stream of chance. Every mailbox has its own, so that a change in one does not shift the others.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn named(seed: u64, name: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(name).finalize();
        Self(ChaCha8Rng::from_seed(digest.into()))
    }

    /// Some number from 0 on, below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end.max(1))
    }

    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of a table, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(super) fn hex(&mut self, bytes: usize) -> String {
        self.bytes(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn guid(&mut self) -> String {
        let bytes = self.bytes(16);
        uuid::Builder::from_slice(&bytes)
            .map(|builder| builder.with_version(uuid::Version::Random).into_uuid().to_string())
            .unwrap_or_default()
    }

    /// An id as Outlook shapes them: `prefix`, then the URL-safe alphabet up to `length`, the last one `=`.
    pub(super) fn outlook_id(&mut self, prefix: &str, length: usize) -> String {
        let text = URL_SAFE.encode(self.bytes(length));
        format!("{prefix}{}=", &text[..length - prefix.len() - 1])
    }
}
