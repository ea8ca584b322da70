//! Signing in with a certificate, and the sentences where it goes wrong.

use crate::setting::{Story, ordinary};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use transhume_simulators::Options;
use transhume_simulators::seed::tenant;

pub struct Pair {
    pub key: String,
    pub certificate: String,
}

impl Pair {
    /// A fresh RSA key and a certificate for it, valid until then.
    fn until((year, month, day): (i32, u8, u8)) -> Self {
        let secret = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        let key = secret.to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
        let mut wanted = CertificateParams::new(vec!["transhume".to_owned()]).unwrap();
        wanted.not_after = date_time_ymd(year, month, day);
        let certificate = wanted.self_signed(&KeyPair::from_pem(&key).unwrap()).unwrap().pem();
        Self { key, certificate }
    }

    pub fn lasting() -> Self {
        Self::until((2099, 1, 1))
    }
}

/// A tenant that knows this certificate and no secret, `clock` seconds ahead, and a project that names `file`.
fn story(known: &Pair, file: &str, clock: i64) -> Story {
    let certificates = vec![known.certificate.clone()];
    let mut options = Options { certificates, client_secret: None, ..Options::default() };
    options.knobs.clock_offset_s = clock;
    let story = Story::of(tenant(&ordinary(1, 3)), 1, options, None);
    story.reconfigure("client_secret = { env = \"STORY_SECRET\" }", "certificate = \"application.pem\"");
    story.write("application.pem", file);
    story
}

fn both(pair: &Pair) -> String {
    format!("{}{}", pair.key, pair.certificate)
}

#[test]
fn a_registered_certificate_signs_in_with_either_signature() {
    let pair = Pair::lasting();
    let story = story(&pair, &both(&pair), 0);
    story.run(&["check"]).tells(0, &["1 account checked on both sides; ready: nothing blocks."]);
    story.reconfigure("certificate = ", "legacy_assertion = true\ncertificate = ");
    story.run(&["check"]).tells(0, &["ready: nothing blocks."]);
    story.run(&["run"]).ok();
    assert!(story.simulator.stats().tokens >= 3);
}

#[test]
fn a_certificate_that_nobody_registered() {
    let (known, other) = (Pair::lasting(), Pair::lasting());
    story(&known, &both(&other), 0).run(&["check"]).is(
        1,
        "Microsoft refused the sign-in: the certificate is not registered for this application (AADSTS700027)\n\
         upload the certificate (its public half) in Entra under Certificates & secrets, and check that it is this one\n\
         (service code AADSTS700027, request ID)",
    );
}

#[test]
fn a_key_of_another_certificate() {
    let (known, other) = (Pair::lasting(), Pair::lasting());
    let story = story(&known, &format!("{}{}", other.key, known.certificate), 0);
    story.run(&["check"]).complains(
        1,
        &["the private key does not belong to the certificate\nname the certificate and the key that were made together"],
    );
    assert_eq!(story.simulator.stats().tokens, 0);
}

#[test]
fn an_expired_certificate_is_told_before_anybody_is_asked() {
    let pair = Pair::until((2021, 3, 4));
    let story = story(&pair, &both(&pair), 0);
    story.run(&["check"]).complains(
        1,
        &["the certificate expired on 2021-03-04\nmake a new one, upload its public half in Entra (App registrations, \
           Certificates & secrets) and name it in transhume.toml"],
    );
    assert_eq!(story.simulator.stats().total, 0);
}

#[test]
fn a_certificate_that_only_the_service_finds_expired() {
    let pair = Pair::lasting();
    let century = 100 * 365 * 86_400;
    story(&pair, &both(&pair), century).run(&["check"]).complains(
        1,
        &["Microsoft refused the sign-in: the certificate has expired (AADSTS700027)\nmake a new certificate, "],
    );
}

#[test]
fn a_clock_that_is_an_hour_behind() {
    let pair = Pair::lasting();
    story(&pair, &both(&pair), 3600).run(&["check"]).complains(
        1,
        &[
            "Microsoft refused the sign-in: the sign-in lies outside its time window, by 3",
            "(AADSTS700024)\nset this machine's clock right (NTP)",
        ],
    );
}
