//! By what a token is obtained.

use crate::Certificate;
use secrecy::SecretString;
use url::Url;

/// What a token is asked for with. It has no `Debug`.
#[derive(Clone)]
pub struct Grant {
    pub token_url: Url,
    pub client_id: String,
    pub scopes: Vec<String>,
    pub proof: Proof,
}

/// What proves to the token endpoint who asks.
#[derive(Clone)]
pub enum Proof {
    /// Client credentials (RFC 6749 section 4.4).
    Secret(SecretString),
    /// Client credentials with a signed assertion (RFC 7523 section 2.2).
    Certificate(Certificate),
    /// A refresh token, as a device sign-in leaves it. A newer one in an answer replaces it.
    Refresh(SecretString),
}
