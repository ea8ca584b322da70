//! The catalogue: status, code, what was seen, what is done about it, and where that is known from.

use transhume_contract::What;

/// How far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// As far as what was asked for.
    Asked,
    Account,
    Run,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The road asks again, a few times; then it is left owed.
    Transient,
    Throttled,
    /// Throttled for being too many at the same time: a lane is given up.
    Crowded,
    /// A fresh token, once.
    Token,
    /// Left owed.
    Later,
    Corrupt,
    NotConvertible,
    Ask(&'static str),
    Report,
}

/// One line of the catalogue. Status 0 stands for any.
#[derive(Debug)]
pub struct Known {
    pub status: u16,
    /// The code, or for the tables of words a part of the message, or for the table of statuses nothing.
    pub code: &'static str,
    pub what: What,
    pub span: Span,
    pub act: Act,
    /// What a person reads.
    pub seen: &'static str,
    /// Where it is known from. For readers of this table.
    pub source: &'static str,
}

macro_rules! catalogue {
    ($name:ident: $($status:literal $code:literal $what:ident $span:ident $act:expr, $seen:expr, $source:literal;)+) => {
        pub static $name: &[Known] = &[$(Known {
            status: $status, code: $code, what: What::$what, span: Span::$span, act: $act, seen: $seen, source: $source,
        }),+];
    };
}

const SCOPE: &str = "grant the application Mail.Read (Calendars.Read for calendars, Contacts.Read for contacts), or add this \
                     mailbox to its scope in Exchange (RBAC for Applications or application access policy); a change \
                     takes up to two hours to be seen";
const DIRECTORY: &str = "grant the application the missing permission in Entra and give admin consent; `transhume check` \
                         names it";
const MAILBOX: &str = "leave this account out, or give it a licence and an Exchange Online mailbox";
const TODO: &str = "grant the application Tasks.Read.All with admin consent; where it has that, To Do of this tenant is closed to \
                    applications: leave tasks out, or move them by signing in as each person (device sign-in)";
const LAPSED: &str = "renew the tenant's Exchange Online subscription: until then no mailbox can be read";

/// What is said of a folder that refuses delta; the listing then goes on without.
pub const NOT_TRACKED: &str = "this folder cannot be tracked by delta";

// Messages that say more than their code does.
catalogue! { WORDS:
    0 "subscription within the tenant has lapsed" Forbidden Run Act::Ask(LAPSED),
        "the tenant's subscription has lapsed", "corso, services/m365/api/graph/errors.go";
    403 "Access to OData is disabled" Forbidden Account Act::Ask(SCOPE),
        "the application is not allowed into this mailbox", "Graph docs: limit mailbox access";
    403 "Blocked by tenant configured AppOnly AccessPolicy" Forbidden Account Act::Ask(SCOPE),
        "the application is not allowed into this mailbox", "seen in the field; wording of Exchange Online";
    0 "IO error during request payload read" Unreachable Asked Act::Transient,
        "the service lost its own connection", "corso, services/m365/api/graph/middleware.go";
    0 "over its MailboxConcurrency limit" Throttled Account Act::Crowded,
        "too many requests at the same time for this mailbox", "Graph docs: throttling limits, Outlook; Q&A 1660054";
    0 "'DeltaToken' not supported" Unsupported Asked Act::Later,
        NOT_TRACKED, "corso, services/m365/api/graph/errors.go";
    500 "Error while processing response" Malformed Asked Act::Later,
        "an item in the answer cannot be read by the service", "microsoft-graph-docs#2913";
}

catalogue! { CODES:
    400 "ErrorInvalidIdMalformed" Malformed Asked Act::Report, "the id is not one of this service", "Graph docs: errors";
    0 "InefficientFilter" Unsupported Asked Act::Report, "the query is too complex", "Graph docs: list messages";
    0 "RequestBroker--ParseUri" Unsupported Asked Act::Report, "the query is not understood", "Graph docs: errors";
    400 "invalidRequest" Unsupported Asked Act::Report, "the request is not supported", "Graph docs: errors";
    400 "BadRequest" Unsupported Asked Act::Report, "the request is not supported", "Graph docs: errors";
    400 "Request_BadRequest" Unsupported Asked Act::Report, "the request is not supported", "Graph docs: errors";
    405 "ErrorInvalidRequest" Unsupported Asked Act::Report, "the address does not exist",
        "microsoft-graph-docs-contrib#5546";
    0 "NotImplemented" Unsupported Asked Act::Report, "a property is kept outside the directory", "Graph docs: list users";

    401 "InvalidAuthenticationToken" Unauthenticated Run Act::Token, "the token is not accepted", "Graph docs: errors";
    401 "unauthenticated" Unauthenticated Run Act::Token, "the token is not accepted", "OneDrive API docs: errors";
    401 "UnknownError" Forbidden Account Act::Ask(TODO), "To Do does not open to this application",
        "wisecom-oy/atlas#148";
    0 "ErrorIncorrectRoutingHint" Forbidden Account Act::Ask(TODO), "To Do of another person does not open",
        "microsoft-graph-toolkit#1620";
    0 "AuthenticationError" Forbidden Account Act::Ask(MAILBOX), "there is no mailbox that can be reached",
        "corso, services/m365/api/graph/errors.go";
    403 "Authorization_RequestDenied" Forbidden Asked Act::Ask(DIRECTORY), "a directory permission is missing",
        "Graph docs: errors";
    403 "ErrorAccessDenied" Forbidden Account Act::Ask(SCOPE), "access to this mailbox is denied",
        "Graph docs: limit mailbox access";
    403 "extensionError" Forbidden Account Act::Ask(SCOPE), "access to this mailbox is denied", "Graph docs: errors";
    403 "accessDenied" Forbidden Asked Act::Ask(DIRECTORY), "access is denied", "OneDrive API docs: errors";
    403 "notAllowed" Forbidden Asked Act::Later, "the place is locked", "corso, services/m365/api/graph/errors.go";
    0 "resourceLocked" Forbidden Asked Act::Later, "the place is locked", "corso, services/m365/api/graph/errors.go";

    404 "ErrorItemNotFound" Vanished Asked Act::Later, "it is gone", "Graph docs: errors";
    404 "itemNotFound" Vanished Asked Act::Later, "it is gone", "OneDrive API docs: errors";
    404 "ErrorSyncFolderNotFound" Vanished Asked Act::Later, "the folder is gone", "Graph docs: errors";
    404 "ErrorFolderNotFound" Vanished Asked Act::Later, "the folder is gone", "Exchange ResponseCodeType";
    404 "MailboxNotEnabledForRESTAPI" Vanished Account Act::Ask(MAILBOX), "there is no Exchange Online mailbox",
        "microsoft-graph-docs#17826";
    404 "ResourceNotFound" Vanished Account Act::Ask(MAILBOX), "there is no mailbox here",
        "microsoft-graph-docs-contrib#6519";
    404 "Request_ResourceNotFound" Vanished Account Act::Ask("check the account: the directory does not know it"),
        "the directory does not know this account", "Graph docs: errors";
    0 "ErrorInvalidUser" Vanished Account Act::Ask(MAILBOX), "there is no mailbox behind this account",
        "corso, services/m365/api/graph/errors.go";
    0 "ErrorNonExistentMailbox" Vanished Account Act::Ask(MAILBOX), "there is no mailbox behind this account",
        "Exchange ResponseCodeType";

    0 "SyncStateNotFound" CursorExpired Asked Act::Later, "the service forgot where we were", "microsoft-graph-docs#2350";
    0 "SyncStateInvalid" CursorExpired Asked Act::Later, "the service forgot where we were",
        "corso, services/m365/api/graph/errors.go";
    0 "resyncRequired" CursorExpired Asked Act::Later, "the service wants a fresh start", "Graph docs: driveItem delta";
    416 "invalidRange" Malformed Asked Act::Later, "the range does not exist", "OneDrive API docs: errors";

    0 "ApplicationThrottled" Throttled Account Act::Throttled, "too many requests", "Graph docs: throttling limits, Outlook";
    0 "TooManyRequests" Throttled Asked Act::Throttled, "too many requests", "Graph docs: throttling";
    0 "activityLimitReached" Throttled Asked Act::Throttled, "too many requests", "OneDrive API docs: errors";
    0 "ErrorServerBusy" Throttled Asked Act::Throttled, "the service is busy", "Exchange ResponseCodeType";

    0 "ErrorContentConversionFailed" Malformed Asked Act::NotConvertible, "the service cannot convert this item",
        "microsoft-graph-docs#2913";
    0 "ErrorCorruptData" Malformed Asked Act::Corrupt, "this item is damaged in the mailbox",
        "corso, services/m365/api/graph/errors.go";
    0 "ErrorInvalidRecipients" Malformed Asked Act::Corrupt, "this item's recipients are damaged",
        "corso, services/m365/api/graph/errors.go";
    0 "ErrorCannotOpenFileAttachment" Malformed Asked Act::NotConvertible, "an attachment cannot be opened by the service",
        "corso, services/m365/api/graph/errors.go";
    0 "ErrorTooManyObjectsOpened" Unsupported Asked Act::Later, "too many attachments at once", "corso, changelog";
    500 "InternalServerError" Unreachable Asked Act::Transient, "the service failed", "Graph docs: errors";
    500 "ErrorInternalServerError" Unreachable Asked Act::Transient, "the service failed", "Graph docs: errors";
    500 "generalException" Unreachable Asked Act::Transient, "the service failed", "OneDrive API docs: errors";
    0 "serviceNotAvailable" Unreachable Asked Act::Transient, "the service is not available", "Graph docs: errors";
    0 "ErrorMailboxMoveInProgress" Unreachable Account Act::Transient, "the mailbox is being moved",
        "Exchange ResponseCodeType";
    0 "ErrorMailboxStoreUnavailable" Unreachable Account Act::Transient, "the mailbox store is not available",
        "Exchange ResponseCodeType";
    0 "ErrorQuotaExceeded" Full Account Act::Ask("free some space in this mailbox or raise its quota: it is full"),
        "the mailbox is full", "corso, changelog";
    507 "quotaLimitReached" Full Asked Act::Ask("free some space: the quota is reached"), "the quota is reached",
        "OneDrive API docs: errors";
}

// What a status means by itself: bodies may be empty (503 and 404 with no content, seen by corso).
catalogue! { STATUSES:
    400 "" Unsupported Asked Act::Report, "the request is not understood", "Graph docs: errors";
    401 "" Unauthenticated Run Act::Token, "the token is not accepted", "Graph docs: errors";
    403 "" Forbidden Asked Act::Ask(DIRECTORY), "access is denied", "Graph docs: errors";
    404 "" Vanished Asked Act::Later, "it is not there", "Graph docs: errors";
    405 "" Unsupported Asked Act::Report, "the address does not exist", "Graph docs: errors";
    408 "" Unreachable Asked Act::Transient, "the service took too long", "RFC 9110 section 15.5.9";
    410 "" CursorExpired Asked Act::Later, "the service wants a fresh start", "Graph docs: delta query";
    413 "" TooLarge Asked Act::Later, "it is too large", "RFC 9110 section 15.5.14";
    423 "" Forbidden Asked Act::Later, "the place is locked", "Graph docs: errors";
    429 "" Throttled Asked Act::Throttled, "too many requests", "Graph docs: throttling";
    501 "" Unsupported Asked Act::Report, "the service does not offer this", "Graph docs: errors";
    507 "" Full Asked Act::Ask("free some space: the quota is reached"), "the quota is reached", "Graph docs: errors";
    509 "" Throttled Asked Act::Throttled, "the bandwidth cap is reached", "Graph docs: errors";
}

static OTHER_FAILURE: Known = Known {
    status: 0,
    code: "",
    what: What::Unreachable,
    span: Span::Asked,
    act: Act::Transient,
    seen: "the service failed",
    source: "RFC 9110 section 15.6",
};

static OTHER_REFUSAL: Known = Known {
    status: 0,
    code: "",
    what: What::Unsupported,
    span: Span::Asked,
    act: Act::Report,
    seen: "for a reason this version does not know",
    source: "RFC 9110 section 15.5",
};

fn fits(known: &Known, status: u16) -> bool {
    known.status == 0 || known.status == status
}

pub fn by_words(status: u16, message: &str) -> Option<&'static Known> {
    let message = message.to_ascii_lowercase();
    WORDS.iter().find(|known| fits(known, status) && message.contains(&known.code.to_ascii_lowercase()))
}

pub fn by_code(status: u16, code: &str) -> Option<&'static Known> {
    CODES.iter().find(|known| fits(known, status) && known.code.eq_ignore_ascii_case(code))
}

pub fn by_status(status: u16) -> &'static Known {
    let listed = STATUSES.iter().find(|known| known.status == status);
    listed.unwrap_or(if status >= 500 { &OTHER_FAILURE } else { &OTHER_REFUSAL })
}
