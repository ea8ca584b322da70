//! Client assertions signed with a certificate's key (Entra docs: certificate credentials).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::Form;
use super::complaint::Complaint;
use crate::wire::Call;
use crate::world::World;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    jti: Option<String>,
}

pub(super) fn check(world: &World, call: &Call, form: &Form, text: &str, app: &str) -> Result<(), Complaint> {
    if form.need("client_assertion_type")? != ASSERTION_TYPE {
        return Err(Complaint::new("invalid_request", 900_144, "The client_assertion_type is not supported."));
    }
    let header = jsonwebtoken::decode_header(text).map_err(|_| malformed())?;
    let certificate = certificate(world, &header)?;
    let claims = signed_claims(text, &header, certificate)?;
    let problem = claims.problem(app, &endpoint(call), world.now().as_second());
    problem.map_or(Ok(()), Err)
}

fn malformed() -> Complaint {
    Complaint::new("invalid_client", 50_027, "JWT token is invalid or malformed.")
}

/// The certificate that the header names by its SHA-1 or SHA-256 thumbprint.
fn certificate<'a>(world: &'a World, header: &Header) -> Result<&'a str, Complaint> {
    let named = |pem: &&String| der(pem).is_some_and(|der| named_by(header, &der));
    let found = world.options.certificates.iter().find(named);
    let found = found.ok_or_else(|| {
        unverified(
            "The certificate with identifier used to sign the client assertion is not registered on application. \
             [Reason - The key was not found.]",
        )
    })?;
    let valid = der(found).is_some_and(|der| in_time(&der, world.now().as_second()));
    valid
        .then_some(found.as_str())
        .ok_or_else(|| unverified("Client assertion failed signature validation. [Reason - The key used is expired.]"))
}

fn unverified(text: &str) -> Complaint {
    Complaint::new("invalid_client", 700_027, text)
}

fn in_time(der: &[u8], now: i64) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| {
        let validity = certificate.validity();
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
    })
}

fn named_by(header: &Header, der: &[u8]) -> bool {
    let sha1 = || URL_SAFE_NO_PAD.encode(Sha1::digest(der));
    let sha256 = || URL_SAFE_NO_PAD.encode(Sha256::digest(der));
    header.x5t_s256.as_ref().is_some_and(|named| *named == sha256())
        || header.x5t.as_ref().is_some_and(|named| *named == sha1())
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let inner = pem.split("-----BEGIN CERTIFICATE-----").nth(1)?.split("-----END").next()?;
    let base64: String = inner.split_whitespace().collect();
    STANDARD.decode(base64).ok()
}

fn signed_claims(text: &str, header: &Header, certificate: &str) -> Result<Claims, Complaint> {
    let unverifiable = |_| {
        unverified(
            "The signature of the client assertion could not be verified. \
             [Reason - The key used to sign does not match the certificate.]",
        )
    };
    if !matches!(header.alg, Algorithm::PS256 | Algorithm::RS256) {
        return Err(malformed());
    }
    let key = DecodingKey::from_rsa_pem(certificate.as_bytes()).map_err(unverifiable)?;
    let mut rules = Validation::new(header.alg);
    (rules.validate_exp, rules.validate_aud) = (false, false);
    rules.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(text, &key, &rules);
    decoded.map(|decoded| decoded.claims).map_err(unverifiable)
}

/// The exact address of the token endpoint, which the assertion must be meant for.
fn endpoint(call: &Call) -> String {
    call.address()
}

impl Claims {
    fn problem(&self, app: &str, endpoint: &str, now: i64) -> Option<Complaint> {
        const SKEW: i64 = 300;
        if self.aud != endpoint {
            let text = format!("Client assertion audience claim does not match Realm issuer. Expected '{endpoint}'.");
            return Some(Complaint::new("invalid_client", 700_023, text));
        }
        if self.iss != app || self.sub != app {
            let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
            return Some(Complaint::new("invalid_client", 700_021, text));
        }
        let outside = now > self.exp + SKEW || self.nbf.is_some_and(|from| now + SKEW < from);
        if outside {
            let text = "Client assertion is not within its valid time range.";
            return Some(Complaint::new("invalid_client", 700_024, text));
        }
        self.jti.as_deref().unwrap_or_default().is_empty().then(malformed)
    }
}
