//! By what a token is obtained.

use crate::{TokenFaults, Wire};
use secrecy::SecretString;
use std::{path::Path, time::Duration};
use transhume_contract::{Fault, What};
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

/// How an assertion is signed and its certificate named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Signature {
    /// PS256, `x5t#S256`: Entra docs, certificate credentials (2025).
    #[default]
    Ps256,
    /// RS256, `x5t` (SHA-1): the older form.
    Rs256,
}

/// An RSA certificate with its private key. It has no `Debug`.
#[derive(Clone)]
pub struct Certificate {
    _private: (),
}

impl Certificate {
    /// From PEM files; both may be the same file. The key is PKCS#8 or PKCS#1.
    pub fn from_files(certificate: &Path, key: &Path, signature: Signature) -> Result<Self, Fault> {
        let _ = (certificate, key, signature);
        Err(Fault::new(What::Unsupported, "not yet"))
    }
    /// The SHA-256 thumbprint of the certificate in hexadecimal, as portals show it.
    pub fn thumbprint(&self) -> String {
        String::new()
    }
}

/// A sign-in by device code (RFC 8628): a person types a code on another screen.
pub struct DeviceSignIn {
    _private: (),
}

/// What to show to that person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePrompt {
    pub user_code: String,
    pub verification_uri: String,
    pub expires_in: Duration,
}

impl DeviceSignIn {
    /// Asks for a code.
    pub async fn start(
        wire: Wire,
        device_url: Url,
        token_url: Url,
        client_id: &str,
        scopes: &[&str],
        faults: TokenFaults,
    ) -> Result<(Self, DevicePrompt), Fault> {
        let _ = (wire, device_url, token_url, client_id, scopes, faults);
        Err(Fault::new(What::Unsupported, "not yet"))
    }
    /// Waits until the person has answered. The grant holds the refresh token (ask for the scope `offline_access`).
    pub async fn wait(self) -> Result<Grant, Fault> {
        Err(Fault::new(What::Unsupported, "not yet"))
    }
}
