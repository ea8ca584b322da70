//! One token for everybody, fetched once and ahead of its expiry.

use crate::{Grant, TokenFaults, Wire};
use async_trait::async_trait;
use secrecy::SecretString;
use std::sync::Arc;
use transhume_contract::{AccountId, Credential, Fault, Secret, What};

/// A token that was handed out. It has no `Debug`.
#[derive(Clone)]
pub struct Bearer {
    pub token: SecretString,
    /// Which of the tokens of this process it is.
    pub serial: u64,
}

/// Where the road gets its token.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token that is valid now and for some time to come.
    async fn bearer(&self) -> Result<Bearer, Fault>;
    /// The service refused this token: the next `bearer` gives a newer one.
    async fn refused(&self, bearer: &Bearer);
}

/// Keeps the token of one grant: refreshed ahead of expiry, by one request at a time however many ask.
/// A refusal of the grant itself is kept too, and not asked for again in this process.
pub struct TokenCache {
    _wire: Wire,
    _grant: Grant,
    _faults: TokenFaults,
}

impl TokenCache {
    pub fn new(wire: Wire, grant: Grant, faults: TokenFaults) -> Arc<Self> {
        Arc::new(Self { _wire: wire, _grant: grant, _faults: faults })
    }
}

#[async_trait]
impl Tokens for TokenCache {
    async fn bearer(&self) -> Result<Bearer, Fault> {
        Err(Fault::new(What::Unsupported, "not yet"))
    }
    async fn refused(&self, _: &Bearer) {}
}

/// An IMAP server's XOAUTH2 takes the same token; the account's id is the login.
#[async_trait]
impl Credential for TokenCache {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        Ok(Secret::Bearer { user: account.as_str().to_owned(), token: self.bearer().await?.token })
    }
}
