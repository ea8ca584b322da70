//! Where a target's secrets come from, as the configuration names them.

use crate::config::{Authentication, ConfigError, Login, SecretError, SecretRef};
use async_trait::async_trait;
use secrecy::SecretString;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use transhume_contract::{AccountId, Credential, Fault, Reach, Secret, What};

/// The credential a target asks for.
pub fn of(login: Login<'_>) -> Result<Arc<dyn Credential>, ConfigError> {
    let missing = || ConfigError::Sense("a target names no way to log in".into());
    Ok(match login.authentication {
        Authentication::Password => {
            let file = login.passwords.ok_or_else(missing)?;
            Arc::new(Passwords { by_login: read_passwords(file)?, file: file.display().to_string() })
        }
        Authentication::Master => {
            let (authority, password) = login.master.zip(login.password).ok_or_else(missing)?;
            Arc::new(Master { authority: authority.to_owned(), password: password.clone() })
        }
        Authentication::Xoauth2 => Arc::new(Token { from: login.token.cloned().ok_or_else(missing)? }),
    })
}

/// Each account's own password.
struct Passwords {
    by_login: BTreeMap<String, SecretString>,
    file: String,
}

/// One administrator's password for everybody.
struct Master {
    authority: String,
    password: SecretRef,
}

/// An OAuth token per account.
struct Token {
    from: SecretRef,
}

fn unreadable(reach: Reach) -> impl Fn(SecretError) -> Fault {
    move |error| {
        let text = error.to_string();
        let (sentence, step) = text.split_once('\n').unwrap_or((&text, ""));
        Fault::new(What::Unauthenticated, sentence).reaching(reach).ask(step)
    }
}

#[async_trait]
impl Credential for Passwords {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        let user = account.as_str().to_owned();
        let password = self.by_login.get(&user).cloned().ok_or_else(|| {
            Fault::new(What::Unauthenticated, format!("there is no password for the login {user}"))
                .reaching(Reach::Account)
                .ask(format!("Add a line for it to {}, with the columns login,password.", self.file))
        })?;
        Ok(Secret::Password { user, password })
    }
}

#[async_trait]
impl Credential for Master {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        let password = self.password.clone();
        let read = tokio::task::spawn_blocking(move || password.read(None));
        let broken = |_| Fault::new(What::Unauthenticated, "the password command was interrupted").reaching(Reach::Run);
        let password = read.await.map_err(broken)?.map_err(unreadable(Reach::Run))?;
        Ok(Secret::Acting { user: account.as_str().to_owned(), authority: self.authority.clone(), password })
    }
}

#[async_trait]
impl Credential for Token {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        let (from, user) = (self.from.clone(), account.as_str().to_owned());
        let read = move || from.read(Some(&user)).map(|token| Secret::Bearer { user, token });
        let broken =
            |_| Fault::new(What::Unauthenticated, "the token command was interrupted").reaching(Reach::Account);
        tokio::task::spawn_blocking(read).await.map_err(broken)?.map_err(unreadable(Reach::Account))
    }
}

fn read_passwords(file: &Path) -> Result<BTreeMap<String, SecretString>, ConfigError> {
    let shown = file.display();
    let fail = |why: String| {
        ConfigError::Sense(format!("{shown}: {why}\nWrite the columns login,password, one account a line."))
    };
    let mut reader = csv::Reader::from_path(file).map_err(|error| fail(error.to_string()))?;
    let headers = reader.headers().map_err(|error| fail(error.to_string()))?.clone();
    let column = |name: &str| headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name));
    let (login, password) =
        column("login").zip(column("password")).ok_or_else(|| fail("a column is missing".into()))?;
    let mut passwords = BTreeMap::new();
    for record in reader.records() {
        // A malformed line may hold a password: its content is not repeated.
        let record = record.map_err(|_| fail("a line has another number of columns than the first".into()))?;
        let field = |index: usize| record.get(index).unwrap_or_default();
        passwords.insert(field(login).trim().to_owned(), SecretString::from(field(password)));
    }
    Ok(passwords)
}
