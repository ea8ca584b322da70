//! Whom the road believes, and what it says when it does not.

use rustls::{CertificateError, ClientConfig, RootCertStore, pki_types::CertificateDer};
use std::{error::Error, io, path::Path, sync::Arc};
use transhume_contract::{Fault, Reach, What};

/// TLS 1.2 and 1.3 with ring. The provider is named here, not installed for the process: a library leaves that be.
pub(crate) fn client_config(extra_ca: Option<&Path>) -> Result<ClientConfig, Fault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::new(What::Unsupported, format!("TLS cannot start: {error}")).reaching(Reach::Run))?
        .with_root_certificates(roots(extra_ca)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The system's authorities and the extra ones. A system without any is no fault here: a service on loopback needs
/// none, and any other will fail with a sentence that says so.
fn roots(extra_ca: Option<&Path>) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!("a certificate authority of the system cannot be read: {error}");
    }
    let (kept, _) = roots.add_parsable_certificates(native.certs);
    tracing::debug!("{kept} certificate authorities of the system are trusted");
    for authority in extra_ca.map(read_authorities).transpose()?.unwrap_or_default() {
        roots.add(authority).map_err(|error| unreadable(extra_ca, &error.to_string()))?;
    }
    Ok(roots)
}

fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(Some(path), &error.to_string()))?;
    let found: Result<Vec<_>, _> = rustls_pemfile::certs(&mut bytes.as_slice()).collect();
    let found = found.map_err(|error| unreadable(Some(path), &error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable(Some(path), "it holds no PEM certificate"));
    }
    Ok(found)
}

fn unreadable(path: Option<&Path>, why: &str) -> Fault {
    let path = path.unwrap_or(Path::new("")).display();
    Fault::new(What::Malformed, format!("the file of certificate authorities {path} cannot be used: {why}"))
        .reaching(Reach::Run)
        .ask("name a readable PEM file that begins with -----BEGIN CERTIFICATE-----")
}

/// The TLS refusal inside an error, if that is what it was. I/O errors hide theirs from `source`, so they are opened.
pub(crate) fn refusal_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// A certificate that is not believed, or a handshake that failed, as a person reads it.
pub(crate) fn distrust(host: &str, error: &rustls::Error) -> Fault {
    let (why, step) = match error {
        rustls::Error::InvalidCertificate(why) => in_words(why),
        other => (format!("the handshake failed: {other}"), "check the address, the port and any proxy in between"),
    };
    Fault::new(What::Unreachable, format!("no secure connection to {host}: {why}")).reaching(Reach::Run).ask(step)
}

fn in_words(why: &CertificateError) -> (String, &'static str) {
    use CertificateError as E;
    match why {
        E::Expired | E::ExpiredContext { .. } => (
            "its certificate has expired".into(),
            "renew the certificate on that server, and check that the clock of this machine is right",
        ),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            ("its certificate is not valid yet".into(), "check the clock of this machine")
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => (
            "its certificate is for another name".into(),
            "write the host name as the certificate has it, or have a certificate issued for this name",
        ),
        // Two authorities of one name, of which ours is the other one, show as a bad signature.
        E::UnknownIssuer | E::BadSignature => (
            "its certificate is signed by an authority this machine does not know".into(),
            "install the system's ca-certificates, or name the authority's PEM file as extra_ca in transhume.toml",
        ),
        E::Revoked => ("its certificate was revoked".into(), "have a new certificate issued for that server"),
        other => (format!("its certificate is not acceptable ({other})"), "have a valid certificate issued for it"),
    }
}
