//! Access tokens: signed when granted, checked when used.

use std::collections::HashMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use parking_lot::Mutex;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::wire::{Caller, Refusal};

/// The key that signs tokens could not be made.
#[derive(Debug, Error)]
#[error("cannot make a key to sign tokens with: {0}")]
pub struct KeyError(String);

/// What an access token says.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub aud: String,
    pub iss: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub appid: String,
    pub tid: String,
    pub oid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scp: Option<String>,
    /// Makes two tokens of one second differ.
    pub uti: String,
}

pub(crate) struct Doorkeeper {
    signing: EncodingKey,
    checking: DecodingKey,
    keys: Value,
    /// Tokens whose signature was found good: checking one costs more than answering most requests.
    known: Mutex<HashMap<String, Claims>>,
}

/// One key for all simulators of a process, since making one takes a while.
struct Key {
    secret: Vec<u8>,
    modulus: String,
    exponent: String,
}

const KEY_NAME: &str = "simulated-1";

fn key() -> Result<&'static Key, KeyError> {
    static KEY: OnceLock<Result<Key, KeyError>> = OnceLock::new();
    KEY.get_or_init(make_key).as_ref().map_err(|KeyError(why)| KeyError(why.clone()))
}

fn make_key() -> Result<Key, KeyError> {
    let secret = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).map_err(|why| KeyError(why.to_string()))?;
    let der = secret.to_pkcs1_der().map_err(|why| KeyError(why.to_string()))?;
    Ok(Key {
        secret: der.as_bytes().to_vec(),
        modulus: URL_SAFE_NO_PAD.encode(secret.n().to_bytes_be()),
        exponent: URL_SAFE_NO_PAD.encode(secret.e().to_bytes_be()),
    })
}

impl Doorkeeper {
    /// # Errors
    /// When no key can be made, which is when the system has no randomness.
    pub fn new() -> Result<Self, KeyError> {
        let key = key()?;
        let checking =
            DecodingKey::from_rsa_components(&key.modulus, &key.exponent).map_err(|why| KeyError(why.to_string()))?;
        let keys = json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_NAME,
            "n": key.modulus, "e": key.exponent}]});
        Ok(Self { signing: EncodingKey::from_rsa_der(&key.secret), checking, keys, known: Mutex::default() })
    }

    pub fn key_set(&self) -> Value {
        self.keys.clone()
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header { kid: Some(KEY_NAME.to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.signing).unwrap_or_default()
    }

    /// Whom a token stands for, at a time in seconds since 1970.
    ///
    /// # Errors
    /// 401 `InvalidAuthenticationToken` in the words that tell why.
    pub fn admit(&self, token: Option<&str>, audiences: &[String], now: i64) -> Result<Caller, Refusal> {
        let token = token.ok_or_else(|| Refusal::unauthenticated("Access token is empty."))?;
        let claims = self.claims(token)?;
        if !audiences.contains(&claims.aud) {
            return Err(Refusal::unauthenticated("Access token validation failure. Invalid audience."));
        }
        if now >= claims.exp || now + CLOCK_LEEWAY < claims.nbf {
            return Err(Refusal::unauthenticated(EXPIRED));
        }
        Ok(caller(claims))
    }

    fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        if let Some(known) = self.known.lock().get(token) {
            return Ok(known.clone());
        }
        let claims = self.verified(token)?;
        self.known.lock().insert(token.to_owned(), claims.clone());
        Ok(claims)
    }

    fn verified(&self, token: &str) -> Result<Claims, Refusal> {
        let mut rules = Validation::new(Algorithm::RS256);
        (rules.validate_exp, rules.validate_aud) = (false, false);
        rules.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.checking, &rules);
        decoded.map(|decoded| decoded.claims).map_err(|why| match why.kind() {
            ErrorKind::InvalidSignature => {
                Refusal::unauthenticated("Access token validation failure. Invalid signature.")
            }
            _ => Refusal::unauthenticated("CompactToken parsing failed with error code: 80049217"),
        })
    }
}

/// The words for a token that is not valid now.
pub(crate) const EXPIRED: &str = "Lifetime validation failed, the token is expired.";
/// Clocks may differ by this many seconds.
const CLOCK_LEEWAY: i64 = 300;

fn caller(claims: Claims) -> Caller {
    let delegated = claims.scp.is_some();
    let scopes = claims.scp.unwrap_or_default();
    let scopes = scopes.split_whitespace().map(str::to_owned);
    Caller {
        app: claims.appid,
        grants: claims.roles.unwrap_or_default().into_iter().chain(scopes).collect(),
        person: delegated.then_some(claims.oid),
    }
}
