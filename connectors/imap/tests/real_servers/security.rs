//! TLS in its forms.

use crate::setting::{OnePassword, anna, secured, wanted};
use transhume_contract::{Reach, Role, Severity, Target, What};
use transhume_imap::{ImapTarget, Security};
use transhume_servers::{Dovecot, DovecotOptions, Tls};

fn server() -> Dovecot {
    Dovecot::start(DovecotOptions { tls: Tls::On, ..DovecotOptions::with_accounts(&["anna"]) }).unwrap()
}

#[tokio::test]
async fn tls_and_starttls_work_with_the_authority_named() {
    let server = server();
    for (port, security) in [(server.imaps_port(), Security::Tls), (server.imap_port(), Security::StartTls)] {
        let config = secured(port, security, server.ca_path());
        let target = ImapTarget::new(config, OnePassword::new("secret")).unwrap();
        assert!(target.ensure(&wanted(&["Safe"], Role::Ordinary)).await.is_ok(), "{security:?}");
        assert_eq!(target.check(None).await.unwrap().worst(), None);
        assert_eq!(target.check(Some(&anna())).await.unwrap().worst(), None);
    }
}

#[tokio::test]
async fn an_unknown_authority_stops_the_run_before_any_password() {
    let (server, other) = (server(), self::server());
    for ca in [None, other.ca_path()] {
        let secret = OnePassword::new("secret");
        let target = ImapTarget::new(secured(server.imaps_port(), Security::Tls, ca), secret).unwrap();
        let fault = target.ensure(&wanted(&["Safe"], Role::Ordinary)).await.unwrap_err();
        assert_eq!((fault.what, fault.reach), (What::Untrusted, Reach::Run));
        assert!(fault.sentence.contains("certificate"), "{fault}");
        assert!(fault.next_step().unwrap().contains("ca_file"));
        let found = target.check(Some(&anna())).await.unwrap();
        assert_eq!((found.findings[0].code.as_str(), found.worst()), ("tls", Some(Severity::Blocker)));
    }
}

#[tokio::test]
async fn an_expired_certificate_and_one_for_another_name_are_refused() {
    for tls in [Tls::Expired, Tls::OtherHost] {
        let server = Dovecot::start(DovecotOptions { tls, ..DovecotOptions::with_accounts(&["anna"]) }).unwrap();
        let config = secured(server.imaps_port(), Security::Tls, server.ca_path());
        let target = ImapTarget::new(config, OnePassword::new("secret")).unwrap();
        let fault = target.ensure(&wanted(&["A"], Role::Ordinary)).await.unwrap_err();
        assert!(fault.sentence.contains("certificate"), "{fault}");
        assert!(fault.next_step().unwrap().contains("host name"));
    }
}

#[tokio::test]
async fn tls_to_a_plain_port_says_so() {
    let server = server();
    let config = secured(server.imap_port(), Security::Tls, server.ca_path());
    let target = ImapTarget::new(config, OnePassword::new("secret")).unwrap();
    let fault = target.ensure(&wanted(&["A"], Role::Ordinary)).await.unwrap_err();
    assert!(fault.next_step().unwrap().contains("starttls"), "{fault}");
}

#[test]
fn a_bad_file_of_authorities_is_named() {
    let path = std::path::Path::new("/nonexistent/ca.pem");
    let refused = ImapTarget::new(secured(1, Security::Tls, Some(path)), OnePassword::new("secret")).err().unwrap();
    assert!(refused.sentence.contains("/nonexistent/ca.pem"));
}
