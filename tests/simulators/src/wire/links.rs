//! Opaque, signed tokens for links. The key comes from the tenant, so that a link outlives the process that made it, as
//! it would outlive a server of the service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use super::Refusal;

type Mark = Hmac<Sha256>;
const MARK_LENGTH: usize = 32;

/// Makes tokens and reads its own again.
#[derive(Clone)]
pub(crate) struct Seal {
    key: Vec<u8>,
}

impl Seal {
    pub fn of(tenant: &str) -> Self {
        Self { key: format!("links of tenant {tenant}").into_bytes() }
    }

    pub fn seal(&self, what: &impl Serialize) -> String {
        let mut text = serde_json::to_vec(what).unwrap_or_default();
        let mark = self.mark(&text);
        text.extend_from_slice(&mark);
        URL_SAFE_NO_PAD.encode(text)
    }

    /// # Errors
    /// 400 for a token that was edited, cut, or is of another kind.
    pub fn open<T: DeserializeOwned>(&self, token: &str) -> Result<T, Refusal> {
        self.text(token)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| Refusal::new(400, "BadRequest", "The token in the request is badly formed or was altered."))
    }

    fn text(&self, token: &str) -> Option<Vec<u8>> {
        let mut text = URL_SAFE_NO_PAD.decode(token).ok()?;
        let mark = text.split_off(text.len().checked_sub(MARK_LENGTH)?);
        (self.mark(&text) == mark).then_some(text)
    }

    fn mark(&self, text: &[u8]) -> Vec<u8> {
        Mark::new_from_slice(&self.key).map_or_else(
            |_| Vec::new(), // HMAC takes keys of any length
            |mut mark| {
                mark.update(text);
                mark.finalize().into_bytes().to_vec()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_edited_token_is_refused() {
        let seal = Seal::of("t");
        let token = seal.seal(&("a", 1));
        assert_eq!(seal.open::<(String, u32)>(&token).unwrap(), ("a".to_owned(), 1));
        let edited = token.replacen('W', "X", 1);
        assert_eq!(seal.open::<(String, u32)>(&edited).unwrap_err().status, 400);
        assert!(Seal::of("u").open::<(String, u32)>(&token).is_err());
    }
}
