//! Throw-away certificates, for clients that refuse plain http.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// A certificate authority that lives as long as this value, and one server certificate of it.
#[derive(Clone)]
pub struct SelfSigned {
    authority: String,
    config: Arc<ServerConfig>,
}

/// Certificates could not be made.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot use the certificate that was just made: {0}")]
    Config(#[from] rustls::Error),
}

impl SelfSigned {
    /// For `localhost`, `127.0.0.1`, `::1` and the names given.
    ///
    /// # Errors
    /// What the certificate library refuses, such as a name that is none.
    pub fn new(names: &[&str]) -> Result<Self, TlsError> {
        let (authority, issuer) = authority()?;
        let mut subject: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        subject.extend(names.iter().map(ToString::to_string));
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(subject)?.signed_by(&key, &issuer)?;
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)?;
        Ok(Self { authority, config: Arc::new(config) })
    }

    /// The certificate of the authority in PEM, for clients to trust.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "transhume simulator, throw-away");
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(params, key)))
}
