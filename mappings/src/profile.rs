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

/// How a calendar target is kept from mailing the people of a meeting that is only being moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// Nothing needs to stand in the event: the target does not schedule, or a request header keeps it silent
    /// (Nextcloud since the end of 2024, seen with 32.0.1).
    Unneeded,
    /// `SCHEDULE-AGENT=CLIENT` on every attendee but the owner, and on an organiser who is not the owner. `NONE` is
    /// ignored by servers built on sabre/dav (seen with Baikal 0.12.1, Nextcloud 32.0.1), `CLIENT` on the organiser
    /// alone by Cyrus 3.6.1 too.
    ByClient,
    /// Neither ORGANIZER nor ATTENDEE: SOGo 5.8.0 mails whatever the parameters say, and one of those invited even where
    /// nobody organises.
    NoOrganizer,
}

/// What a calendar target stores without changing or refusing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarProfile {
    pub scheduling: Scheduling,
    /// Events that end when they begin. Cyrus refuses them (seen with 3.6.1), SOGo invents an hour.
    pub zero_length: bool,
    /// The UID that the service told. Cyrus refuses one that stands in another calendar of the account (seen with 3.6.1):
    /// the event then gets one of its own, always the same.
    pub own_uid: bool,
    /// Most bytes of one attachment carried inside the event; 0 where none are.
    pub attachment_max: u64,
    /// Most bytes of the whole object. Attachments are left out, the largest first, until it fits; texts never are.
    pub object_max: u64,
}

impl CalendarProfile {
    /// Accepts only what every server seen accepts.
    pub const fn strict() -> Self {
        Self {
            scheduling: Scheduling::ByClient,
            zero_length: false,
            own_uid: true,
            attachment_max: 5_000_000,
            object_max: 10_000_000,
        }
    }

    /// Accepts everything: a plain folder.
    pub const fn lenient() -> Self {
        Self {
            scheduling: Scheduling::Unneeded,
            zero_length: true,
            own_uid: true,
            attachment_max: u64::MAX,
            object_max: u64::MAX,
        }
    }
}

/// The version of vCard a target wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VCardForm {
    /// RFC 2426. Radicale 3.9, Cyrus 3.6.1 and SOGo 5.8.0 destroy photos of 4.0 cards.
    V3,
    /// RFC 6350.
    V4,
}

/// What a contact target stores without changing or refusing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactProfile {
    pub form: VCardForm,
    /// Most bytes of a photo. Nextcloud refuses cards above 5 MiB (seen with 32.0.1).
    pub photo_max: u64,
}

impl ContactProfile {
    /// What every server seen takes and gives back.
    pub const fn strict() -> Self {
        Self { form: VCardForm::V3, photo_max: 3_500_000 }
    }

    /// A plain folder.
    pub const fn lenient() -> Self {
        Self { form: VCardForm::V4, photo_max: u64::MAX }
    }
}
