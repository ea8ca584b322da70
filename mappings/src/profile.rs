//! What a target accepts, as plain data.

/// What a mail target stores without changing or refusing it. A rendering changes only what the profile does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailProfile {
    /// NUL bytes. Cyrus refuses them, Dovecot stores 0x80 in their place (seen with Cyrus 3.6.1, Dovecot 2.3.19).
    pub nul: bool,
    /// Line ends other than CRLF. Cyrus refuses them, Dovecot stores CRLF.
    pub bare_lf: bool,
    /// Bytes above 0x7F in the message's own header. Cyrus replaces each by `X`.
    pub eight_bit_headers: bool,
    /// A message whose header has no field, or lines that are no field. Cyrus refuses both.
    pub headerless: bool,
    /// A message without a byte. Refused by Dovecot and Cyrus alike.
    pub empty: bool,
    /// First and last arrival date that are kept as sent, in seconds since 1970.
    /// Dovecot stores a wrong date without an error outside 1970-01-02 .. 2038-01-18.
    pub earliest: i64,
    pub latest: i64,
    /// Longest keyword in bytes; 0 where there are no keywords. Dovecot: 50, Cyrus: 1000.
    pub keyword_max_len: usize,
    /// Keywords may hold letters beyond ASCII.
    pub keyword_8bit: bool,
}

impl MailProfile {
    /// Accepts only what every server seen accepts.
    pub const fn strict() -> Self {
        Self {
            nul: false,
            bare_lf: false,
            eight_bit_headers: false,
            headerless: false,
            empty: false,
            earliest: 86_400,
            latest: 2_147_385_600,
            keyword_max_len: 50,
            keyword_8bit: false,
        }
    }

    /// Accepts everything: a plain folder.
    pub const fn lenient() -> Self {
        Self {
            nul: true,
            bare_lf: true,
            eight_bit_headers: true,
            headerless: true,
            empty: true,
            earliest: i64::MIN,
            latest: i64::MAX,
            keyword_max_len: 1000,
            keyword_8bit: true,
        }
    }

    /// The rendering need not look at the header at all.
    pub(crate) const fn takes_any_header(&self) -> bool {
        self.eight_bit_headers && self.headerless && self.empty
    }
}
