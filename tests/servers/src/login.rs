//! Who may log in to a started server.

use crate::Store;

/// A mailbox owner with a password, and what differs for this one user.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: String,
    /// Bytes the mailbox may hold; `None` is without limit. Dovecot only.
    pub quota: Option<u64>,
    /// Another store than the server's. Dovecot only.
    pub store: Option<Store>,
}

impl Login {
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into(), quota: None, store: None }
    }

    pub fn quota(self, bytes: u64) -> Self {
        Self { quota: Some(bytes), ..self }
    }

    pub fn store(self, store: Store) -> Self {
        Self { store: Some(store), ..self }
    }
}

impl From<(&str, &str)> for Login {
    fn from((user, password): (&str, &str)) -> Self {
        Self::new(user, password)
    }
}
