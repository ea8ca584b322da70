//! Who is let in, and who is said to be at fault.

use crate::setting::{OnePassword, anna, plain, wanted};
use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::SecretString;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use transhume_contract::{AccountId, Credential, Fault, Reach, Remedy, Role, Secret, Target, Wanted, What};
use transhume_imap::ImapTarget;
use transhume_servers::{Cyrus, CyrusOptions, Dovecot, DovecotOptions, Login, Proxy, Script};

const KEY: &str = "bm90IGEgc2VjcmV0IGF0IGFsbCwganVzdCBhIHRlc3Q=";

/// A token for somebody, valid for so many seconds from now, or so many ago.
struct Tokens {
    sub: &'static str,
    seconds: i64,
}

impl Tokens {
    fn token(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        let claims = std::collections::BTreeMap::from([
            ("sub", serde_json::Value::from(self.sub)),
            ("iat", (now - 7200).into()),
            ("exp", (now + self.seconds).into()),
        ]);
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_base64_secret(KEY).unwrap()).unwrap()
    }
}

#[async_trait]
impl Credential for Tokens {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        Ok(Secret::Bearer { user: account.as_str().to_owned(), token: SecretString::from(self.token()) })
    }
}

fn of(account: &str) -> Wanted {
    Wanted { account: AccountId::new(account), ..wanted(&["A"], Role::Ordinary) }
}

/// By XOAUTH2 where the server offers nothing better, as Microsoft's and Google's do.
#[tokio::test]
async fn a_token_logs_in_and_an_expired_one_is_named() {
    let options = DovecotOptions { token_key: Some(KEY.into()), ..DovecotOptions::with_accounts(&["anna"]) };
    let server = Dovecot::start(options).unwrap();
    for (hidden, mechanism) in [(&["AUTH=OAUTHBEARER"][..], "XOAUTH2"), (&[], "OAUTHBEARER")] {
        let proxy = Proxy::start(server.imap_port(), Script::without(hidden)).unwrap();
        let target = |sub, seconds| ImapTarget::new(plain(proxy.port()), Arc::new(Tokens { sub, seconds })).unwrap();
        target("anna", 600).ensure(&of("anna")).await.unwrap();
        let (_, used) = server.log().rsplit_once("method=").map(|(head, tail)| (head.len(), tail.to_owned())).unwrap();
        assert!(used.starts_with(mechanism), "{used}");
        for wrong in [target("anna", -60), target("bert", 600)] {
            let fault = wrong.ensure(&of("anna")).await.unwrap_err();
            assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Account), "{fault}");
            assert!(fault.sentence.contains("refused the OAuth token of anna"), "{fault}");
            assert!(fault.next_step().unwrap().contains("valid now"), "{:?}", fault.remedy);
            assert!(!format!("{fault:?}").contains("eyJ"), "no part of a token is told");
        }
    }
}

fn master(port: u16, password: &'static str) -> ImapTarget {
    ImapTarget::new(plain(port), OnePassword::acting("migrator", password)).unwrap()
}

fn dovecot() -> Dovecot {
    let master = Some(Login::new("migrator", "secret"));
    Dovecot::start(DovecotOptions { master, ..DovecotOptions::with_accounts(&["anna", "bert"]) }).unwrap()
}

async fn refused(target: &ImapTarget, account: &str) -> (Fault, String) {
    let fault = target.ensure(&of(account)).await.unwrap_err();
    let Remedy::Ask(step) = fault.remedy.clone() else { panic!("{fault:?}") };
    (fault, step)
}

#[tokio::test]
async fn once_an_administrator_was_let_in_the_account_is_at_fault() {
    let server = dovecot();
    let target = master(server.imap_port(), "secret");
    target.ensure(&of("anna")).await.unwrap();
    for (account, word) in [("o'brien", "`'`"), ("nobody", "nobody exists"), ("d'arc", "`'`"), ("n'other", "`'`")] {
        let (fault, step) = refused(&target, account).await;
        assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Account), "{fault}");
        assert!(fault.sentence.contains(account) && !step.contains("password"), "{fault} {step}");
        assert!(step.contains(word), "{step}");
    }
    target.ensure(&of("bert")).await.expect("wrong names do not lock out the right ones");
}

#[tokio::test]
async fn an_administrators_wrong_password_is_looked_for_first() {
    let server = dovecot();
    let (fault, step) = refused(&master(server.imap_port(), "wrong"), "anna").await;
    assert!(fault.sentence.contains("migrator acting for anna"), "{fault}");
    assert!(step.starts_with("Check the name and password of migrator first"), "{step}");
    let (_, step) = refused(&master(server.imap_port(), "secret"), "o'brien").await;
    assert!(step.contains("password of migrator") && step.contains("`'`"), "{step}");
    let (fault, step) = refused(&master(server.imap_port(), "secret"), "nobody").await;
    assert!(fault.sentence.contains("did not open the account nobody"), "{fault}");
    assert!(step.contains("does not know"), "{step}");
}

#[tokio::test]
async fn cyrus_says_no_more_than_no() {
    let master_login = Some(Login::new("migrator", "secret"));
    let server = Cyrus::start(CyrusOptions { master: master_login, ..CyrusOptions::with_accounts(&["anna"]) }).unwrap();
    let target = master(server.imap_port(), "secret");
    target.ensure(&of(anna().as_str())).await.unwrap();
    let (fault, step) = refused(&target, "o%b").await;
    assert!(fault.sentence.contains("but not for o%b"), "{fault}");
    assert!(step.contains("`%`"), "{step}");
}
