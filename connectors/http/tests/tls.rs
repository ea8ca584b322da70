//! Whom the road believes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use std::{path::Path, sync::Arc};
use support::{config, get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};
use transhume_contract::{Fault, Reach, What};
use transhume_http::{Road, Url, Wire, WireConfig};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }
    /// Serves https on loopback with a certificate for this name that ends in this year.
    async fn serve(&self, name: &str, ends: i32) -> Url {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(ends, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
        tokio::spawn(answer(listener, TlsAcceptor::from(Arc::new(config))));
        url
    }
}

async fn answer(listener: TcpListener, acceptor: TlsAcceptor) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let Ok(mut socket) = acceptor.accept(socket).await else { continue };
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine").await;
        let _ = socket.shutdown().await;
    }
}

fn wire(extra_ca: &Path) -> Result<Wire, Fault> {
    Wire::new(&WireConfig { extra_ca: Some(extra_ca.to_owned()), ..WireConfig::default() })
}

#[tokio::test]
async fn an_extra_authority_is_believed() {
    let authority = Authority::new("known");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, authority.issuer.pem()).unwrap();
    let url = authority.serve("localhost", 2090).await;
    let answer = Road::new(wire(&path).unwrap(), config(&url), None).whole(get(&url, "/"), 10).await.unwrap();
    assert_eq!(&answer.body[..], b"fine");
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_is_a_sentence_with_a_next_step() {
    let (known, unknown, namesake) = (Authority::new("known"), Authority::new("unknown"), Authority::new("known"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, known.issuer.pem()).unwrap();
    for (url, told, step) in [
        (unknown.serve("localhost", 2090).await, "an authority this machine does not know", "extra_ca"),
        (namesake.serve("localhost", 2090).await, "an authority this machine does not know", "extra_ca"),
        (known.serve("other.example", 2090).await, "is for another name", "host name"),
        (known.serve("localhost", 2002).await, "has expired", "renew"),
    ] {
        let road = Road::new(wire(&path).unwrap(), config(&url), None);
        let fault = road.send(get(&url, "/")).await.unwrap_err();
        assert_eq!((fault.what, fault.reach), (What::Unreachable, Reach::Run));
        assert!(fault.sentence.contains("localhost") && fault.sentence.contains(told), "{}", fault.sentence);
        assert!(fault.next_step().unwrap().contains(step), "{:?}", fault.next_step());
        assert_eq!(road.counters().requests, 1, "it is not tried again");
    }
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_used_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    for path in [empty, directory.path().join("absent.pem")] {
        let fault = wire(&path).err().unwrap();
        assert_eq!((fault.what, fault.reach), (What::Malformed, Reach::Run));
        assert!(fault.sentence.contains(path.to_str().unwrap()) && fault.next_step().is_some());
    }
}
