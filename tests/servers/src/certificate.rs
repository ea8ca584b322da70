//! A throw-away certificate authority and a certificate of `localhost`.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};

use crate::{StartError, at};

/// What a server shows to clients that ask for TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// No TLS, no STARTTLS.
    #[default]
    Off,
    /// A certificate of `localhost` and `127.0.0.1`, valid for whoever trusts the throw-away authority.
    On,
    /// As `On`, but it expired in 2020.
    Expired,
    /// As `On`, but made out to `elsewhere.example`.
    OtherHost,
}

/// PEM files: the authority to trust, the server's chain, its key.
#[derive(Clone, Debug)]
pub(crate) struct CertificateFiles {
    pub authority: PathBuf,
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// Writes the files into `dir`, or keeps those of an earlier run.
pub(crate) fn write(dir: &Path, tls: Tls) -> Result<CertificateFiles, StartError> {
    let files =
        CertificateFiles { authority: dir.join("ca.pem"), chain: dir.join("cert.pem"), key: dir.join("key.pem") };
    if files.key.exists() && files.chain.exists() && files.authority.exists() {
        return Ok(files);
    }
    let authority_key = KeyPair::generate()?;
    let authority = authority_params().self_signed(&authority_key)?;
    let issuer = Issuer::new(authority_params(), authority_key);
    let key = KeyPair::generate()?;
    let leaf = leaf_params(tls)?.signed_by(&key, &issuer)?;
    for (path, text) in
        [(&files.authority, authority.pem()), (&files.chain, leaf.pem()), (&files.key, key.serialize_pem())]
    {
        fs::write(path, text).map_err(at(path))?;
    }
    Ok(files)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "transhume test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params(tls: Tls) -> Result<CertificateParams, rcgen::Error> {
    let names = match tls {
        Tls::OtherHost => vec!["elsewhere.example".to_owned()],
        Tls::Off | Tls::On | Tls::Expired => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
    };
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "transhume test server");
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(if tls == Tls::Expired { 2020 } else { 2090 }, 1, 1);
    Ok(params)
}
