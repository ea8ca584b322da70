//! How a connector without HTTP of its own obtains a secret for an account.

use crate::{AccountId, Fault};
use async_trait::async_trait;
use secrecy::SecretString;

/// What proves to a server who speaks. It has no `Debug`.
#[derive(Clone)]
pub enum Secret {
    /// The account's own password.
    Password { user: String, password: SecretString },
    /// An administrator's password, acting for `user` (SASL PLAIN with an authorisation identity).
    Acting { user: String, authority: String, password: SecretString },
    /// An OAuth bearer token (XOAUTH2).
    Bearer { user: String, token: SecretString },
}

/// Supplies the secret of an account at the moment it is needed, so that tokens are fresh and nothing is kept.
#[async_trait]
pub trait Credential: Send + Sync {
    /// A refused secret is not to be asked for again: the connector reports `Unauthenticated` and stops.
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault>;
}
