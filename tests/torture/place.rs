//! Servers to move to: Dovecot or Cyrus, perhaps with something in between.

use transhume_servers::{Act, Cyrus, CyrusOptions, Deed, Dovecot, DovecotOptions, Proxy, Script};

/// A real server; it stops when dropped.
#[allow(dead_code, reason = "held for its life")]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Server {
    Dovecot(Dovecot),
    Cyrus(Cyrus),
}

impl Server {
    pub fn dovecot(logins: &[String]) -> Self {
        Self::Dovecot(Dovecot::start(DovecotOptions::with_accounts(&borrowed(logins))).unwrap())
    }

    pub fn cyrus(logins: &[String]) -> Self {
        Self::Cyrus(Cyrus::start(CyrusOptions::with_accounts(&borrowed(logins))).unwrap())
    }

    pub fn port(&self) -> u16 {
        match self {
            Self::Dovecot(dovecot) => dovecot.imap_port(),
            Self::Cyrus(cyrus) => cyrus.imap_port(),
        }
    }
}

fn borrowed(logins: &[String]) -> Vec<&str> {
    logins.iter().map(String::as_str).collect()
}

/// Logins `<stem>0`, `<stem>1`...
pub fn logins(stem: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{stem}{number}")).collect()
}

/// A proxy that hides these capabilities; `None` where there is nothing to hide or cut.
pub fn before(server: &Server, hidden: &[&str]) -> Proxy {
    Proxy::start(server.port(), Script::without(hidden)).unwrap()
}

/// Cuts connections at random commands, sometimes before and sometimes after their answer, from now on.
pub fn cut_at_random(proxy: &Proxy, dice: &mut fastrand::Rng) {
    proxy.tell(|script| {
        script.deeds.clear();
        for verb in ["APPEND", "APPEND", "UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE"] {
            let act = match dice.u8(..4) {
                0 => Act::CutAfter,
                1 => Act::CutMidway,
                _ => Act::CutBefore,
            };
            script.add(Deed::new(verb, dice.u64(1..8), act).every(dice.u64(5..20)));
        }
    });
}

/// Lets everything pass again.
pub fn cut_nothing(proxy: &Proxy) {
    proxy.tell(|script| script.deeds.clear());
}
