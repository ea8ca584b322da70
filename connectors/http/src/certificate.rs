//! A certificate that proves who asks for a token, by signing an assertion.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use transhume_contract::{Fault, Reach, Timestamp, What};
use url::Url;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// Entra docs, certificate credentials: 5 to 10 minutes after `nbf` are advised.
const LIFETIME_SECONDS: u64 = 600;
/// The `nbf` lies a little back, for a server whose clock is behind ours.
const BACKDATED_SECONDS: u64 = 60;

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
pub struct Certificate(Arc<Pair>);

struct Pair {
    der: Vec<u8>,
    key: EncodingKey,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

impl Certificate {
    /// From PEM files; both may be the same file. The key is PKCS#8 or PKCS#1, not encrypted, and must belong to the
    /// certificate, which must be valid now. Faults are `Malformed`, reach the run and say what to do.
    pub fn from_files(certificate: &Path, key: &Path, signature: Signature) -> Result<Self, Fault> {
        let certificate = SecretString::from(read(certificate)?);
        let key = SecretString::from(read(key)?);
        Self::from_pem(certificate.expose_secret(), &key, signature)
    }

    /// From PEM texts, as [`Self::from_files`].
    pub fn from_pem(certificate: &str, key: &SecretString, signature: Signature) -> Result<Self, Fault> {
        let found = rustls_pemfile::certs(&mut certificate.as_bytes()).next();
        let Some(Ok(der)) = found else {
            return Err(bad("the certificate's PEM file holds no certificate")
                .ask("name the file that begins with -----BEGIN CERTIFICATE-----"));
        };
        in_time(&der, Timestamp::now().as_second())?;
        let key = EncodingKey::from_rsa_pem(key_block(key.expose_secret())?.as_bytes())
            .map_err(|_| bad("the private key is no RSA key in PEM form").ask("use an RSA key of 2048 bits or more"))?;
        let made = Self(Arc::new(Pair { der: der.to_vec(), key, signature }));
        made.belongs(certificate)?;
        Ok(made)
    }

    /// The SHA-1 thumbprint in capitals, as portals show it, so that a person can compare.
    pub fn thumbprint(&self) -> String {
        Sha1::digest(&self.0.der).iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// An assertion for one token request (RFC 7523 section 3): each has its own `jti`.
    pub(crate) fn assertion(&self, client_id: &str, token_url: &Url) -> Result<SecretString, Fault> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Claims {
            aud: token_url.as_str().to_owned(),
            iss: client_id.to_owned(),
            sub: client_id.to_owned(),
            jti: uuid::Uuid::new_v4().to_string(),
            nbf: now.saturating_sub(BACKDATED_SECONDS),
            iat: now,
            exp: now + LIFETIME_SECONDS,
        };
        let signed = jsonwebtoken::encode(&self.header(), &claims, &self.0.key);
        signed
            .map(SecretString::from)
            .map_err(|_| bad("the private key cannot sign").ask("use an RSA key of 2048 bits"))
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm());
        match self.0.signature {
            Signature::Ps256 => header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0.der))),
            Signature::Rs256 => header.x5t = Some(URL_SAFE_NO_PAD.encode(Sha1::digest(&self.0.der))),
        }
        header
    }

    fn algorithm(&self) -> Algorithm {
        match self.0.signature {
            Signature::Ps256 => Algorithm::PS256,
            Signature::Rs256 => Algorithm::RS256,
        }
    }

    /// A trial signature, checked with the certificate: the service would only say that it cannot verify.
    fn belongs(&self, pem: &str) -> Result<(), Fault> {
        let wrong = || {
            bad("the private key does not belong to the certificate")
                .ask("name the certificate and the key that were made together")
        };
        let address = Url::parse("https://localhost/").map_err(|_| wrong())?;
        let signed = self.assertion("trial", &address)?;
        let block = block(pem, "CERTIFICATE").unwrap_or_default();
        let key = DecodingKey::from_rsa_pem(block.as_bytes())
            .map_err(|_| bad("the certificate holds no RSA key").ask("make a certificate with an RSA key"))?;
        let mut checks = Validation::new(self.algorithm());
        checks.validate_aud = false;
        jsonwebtoken::decode::<Claims>(signed.expose_secret(), &key, &checks).map(|_| ()).map_err(|_| wrong())
    }
}

/// The service would only say that it does not know an expired certificate (AADSTS700027).
fn in_time(der: &[u8], now: i64) -> Result<(), Fault> {
    let unreadable = |_| bad("the certificate cannot be read").ask("make a certificate with an RSA key, in PEM form");
    let (_, certificate) = X509Certificate::from_der(der).map_err(unreadable)?;
    let validity = certificate.validity();
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let clock = format!("if it should be good now, set this machine's clock right (it says {})", day(now));
    if now > until {
        return Err(bad(format!("the certificate expired on {}", day(until))).ask(format!(
            "make a new one, upload its public half in Entra (App registrations, Certificates & secrets) and name it \
             in transhume.toml; {clock}"
        )));
    }
    if now < from {
        return Err(bad(format!("the certificate is not valid before {}", day(from))).ask(format!("wait, or {clock}")));
    }
    Ok(())
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "an unknown day".into(), |at| at.strftime("%Y-%m-%d").to_string())
}

fn read(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error| {
        bad(format!("{} cannot be read: {error}", path.display())).ask("name a readable PEM file in the configuration")
    })
}

/// The private key's block: a file may hold the certificate as well, in any order.
fn key_block(pem: &str) -> Result<&str, Fault> {
    if let Some(found) = ["PRIVATE KEY", "RSA PRIVATE KEY"].iter().find_map(|label| block(pem, label)) {
        return Ok(found);
    }
    if pem.contains("ENCRYPTED") {
        return Err(bad("the private key is encrypted")
            .ask("decrypt it into a file only you can read: openssl pkey -in key.pem -out plain.pem"));
    }
    Err(bad("the key's PEM file holds no private key")
        .ask("name the file that begins with -----BEGIN PRIVATE KEY-----"))
}

fn block<'a>(pem: &'a str, label: &str) -> Option<&'a str> {
    let end = format!("-----END {label}-----");
    let from = pem.find(&format!("-----BEGIN {label}-----"))?;
    let length = pem[from..].find(&end)? + end.len();
    let found = &pem[from..from + length];
    (!found.contains("ENCRYPTED")).then_some(found)
}

fn bad(sentence: impl Into<String>) -> Fault {
    Fault::new(What::Malformed, sentence).reaching(Reach::Run)
}
