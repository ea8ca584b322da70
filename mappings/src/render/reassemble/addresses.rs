//! `recipient` resources as RFC 5322 addresses.

use crate::loss::Losses;
use crate::render::words::{Token, is_printable, unstructured};
use serde_json::Value;

/// One `emailAddress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub name: &'a str,
    pub address: &'a str,
}

impl<'a> Address<'a> {
    /// From a `recipient`; none when it says nothing.
    pub fn of(recipient: &'a Value) -> Option<Self> {
        let said = |name: &str| recipient.get("emailAddress")?.get(name)?.as_str();
        let address = Self { name: said("name").unwrap_or("").trim(), address: said("address").unwrap_or("").trim() };
        (!address.name.is_empty() || !address.address.is_empty()).then_some(address)
    }

    /// It can stand in a field as it is: `addr-spec` without quoting, or with letters beyond ASCII in none of it.
    pub fn is_smtp(&self) -> bool {
        let plain = |c: char| c.is_ascii_graphic() && !"()<>[],;:\\\"".contains(c);
        self.address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && self.address.matches('@').count() == 1
            && !self.address.starts_with('/')
            && self.address.chars().all(plain)
    }

    fn tokens(&self, losses: &mut Losses) -> Vec<Token> {
        let mut tokens = name_tokens(self.name, self.address);
        if self.is_smtp() {
            tokens.push(Token::plain(" ", &format!("<{}>", self.address)));
        } else if self.address.is_empty() {
            losses.add("address_missing", format!("`{}` has no address; it stands as an empty group", self.name));
            tokens.push(Token::plain("", ":;"));
        } else {
            losses.add("address_not_smtp", format!("`{}` is no SMTP address; it stands encapsulated", self.address));
            tokens.push(Token::plain(" ", &format!("<{}>", encapsulated(self.address))));
        }
        tokens
    }
}

/// Tokens for a list of addresses.
pub(super) fn list(addresses: &[Address<'_>], losses: &mut Losses) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for address in addresses {
        if let Some(last) = tokens.last_mut() {
            last.text.push(',');
        }
        tokens.extend(address.tokens(losses));
    }
    tokens
}

/// A display name: plain atoms, a quoted string, or encoded words. A name that repeats the address is left out, as
/// Outlook fills it so when there was none.
fn name_tokens(name: &str, address: &str) -> Vec<Token> {
    if name.is_empty() || (name == address && !address.is_empty()) {
        return Vec::new();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '\'' | '_' | '+' | '&' | '/' | '!');
    if name.chars().all(plain) {
        unstructured(&format!(" {name}"))
    } else if is_printable(name) && name.len() <= 200 && !name.contains("=?") {
        vec![Token::plain(" ", &format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))]
    } else {
        vec![Token::encoded(" ", name)]
    }
}

/// Exchange's own form for an address of another system: `_` for `/`, `+HH` for what an address may not hold. The
/// domain is one that never exists (RFC 2606).
fn encapsulated(address: &str) -> String {
    let mut local = String::from(if address.starts_with('/') { "IMCEAEX-" } else { "IMCEAINVALID-" });
    for byte in address.bytes() {
        match byte {
            b'/' => local.push('_'),
            safe if safe.is_ascii_alphanumeric() || matches!(safe, b'=' | b'-') => local.push(char::from(safe)),
            other => local.push_str(&format!("+{other:02X}")),
        }
    }
    format!("{local}@exchange.invalid")
}
