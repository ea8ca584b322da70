//! What can be chosen when a simulator starts, and the part of it that can be changed while it runs.

mod files;

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

pub use files::{FileSwitches, HashTold, LiedAbout, Lies, LockedSite, Malware, NoDrive, Ranges, Resync};

use crate::tls::SelfSigned;

/// How a simulator is started. [`Options::default`] is the tenant `contoso` with client `app` and secret `secret` on a
/// free loopback port, every read permission granted.
#[derive(Clone)]
pub struct Options {
    /// Where sign-in, Graph and the control surface listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    pub client_id: String,
    /// The one secret that is right; none if the application has certificates only.
    pub client_secret: Option<String>,
    /// Secrets that were right once: they are answered with AADSTS7000222.
    pub expired_secrets: Vec<String>,
    /// PEM certificates whose keys may sign client assertions.
    pub certificates: Vec<String>,
    /// A name under which the tenant signs in, beside its GUID and `<name>.onmicrosoft.com`.
    pub tenant_name: String,
    pub tenant_id: String,
    /// Resources a token may be asked for, beside the simulator's own origin: the Graph host of the simulated cloud.
    pub resources: Vec<String>,
    /// Serves https with these throw-away certificates; plain http otherwise.
    pub tls: Option<SelfSigned>,
    /// Decides everything that looks random: which pages repeat rows, the order of batch answers.
    pub seed: u64,
    pub knobs: Knobs,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client_id: "app".to_owned(),
            client_secret: Some("secret".to_owned()),
            expired_secrets: Vec::new(),
            certificates: Vec::new(),
            tenant_name: "contoso".to_owned(),
            tenant_id: "6babcaad-604b-40ac-a9d7-9fd97c0b779f".to_owned(),
            resources: vec!["https://graph.microsoft.com".to_owned()],
            tls: None,
            seed: 1,
            knobs: Knobs::default(),
        }
    }
}

/// What `POST /_sim/faults` can change at any time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Lifetime of access tokens in seconds; the service's are about an hour.
    pub token_lifetime_s: f64,
    /// Every answer waits this long, in milliseconds.
    pub latency_ms: u64,
    /// The simulator's clock runs this many seconds ahead of the machine's.
    pub clock_offset_s: i64,
    pub limits: Limits,
    pub switches: Switches,
    /// Application permissions an administrator consented to.
    pub roles: Vec<String>,
}

impl Default for Knobs {
    fn default() -> Self {
        let roles = [
            "User.Read.All",
            "Group.Read.All",
            "Organization.Read.All",
            "Mail.Read",
            "MailboxSettings.Read",
            "Calendars.Read",
            "Contacts.Read",
            "Tasks.Read.All",
            "Files.Read.All",
            "Sites.Read.All",
            "Team.ReadBasic.All",
            "Channel.ReadBasic.All",
            "Reports.Read.All",
            "ReportSettings.Read.All",
        ];
        Self {
            token_lifetime_s: 3599.0,
            latency_ms: 0,
            clock_offset_s: 0,
            limits: Limits::default(),
            switches: Switches::default(),
            roles: roles.map(str::to_owned).to_vec(),
        }
    }
}

/// The limits of Outlook resources per application and mailbox, those of reports (Microsoft Graph docs: service-specific
/// throttling limits), and those of SharePoint per application in a tenant of up to a thousand licences (SharePoint docs:
/// avoid throttling).
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests within a window.
    pub requests: u32,
    pub window_s: f64,
    /// Requests at the same time.
    pub concurrency: u32,
    /// `Retry-After` of an answer that refuses for concurrency, in seconds.
    pub retry_after_s: f64,
    /// Requests for one report within ten minutes.
    pub reports: u32,
    /// Resource units of SharePoint within a minute, or what is given for it.
    pub resource_units: u32,
    pub resource_window_s: f64,
    /// Resource units of SharePoint within a day, or what is given for it.
    pub resource_units_day: u32,
    pub resource_day_s: f64,
    /// Answers tell of the first of these limits once this share of it is spent.
    pub rate_limit_from: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 10_000,
            window_s: 600.0,
            concurrency: 4,
            retry_after_s: 1.0,
            reports: 14,
            resource_units: 1250,
            resource_window_s: 60.0,
            resource_units_day: 1_200_000,
            resource_day_s: 86_400.0,
            rate_limit_from: 0.8,
        }
    }
}

/// Where the service's documentation is silent or contradicts what tools met, and where it misbehaves at times.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// A changed row of a delta round holds its id and the changed fields; else the whole row comes.
    pub partial_rows: bool,
    /// Marking a message read moves its `lastModifiedDateTime`.
    pub read_moves_modified: bool,
    /// One delta page in so many repeats a row; 0 for never.
    pub repeat_rows: u32,
    /// One delta page in so many is empty though more follows; 0 for never.
    pub empty_pages: u32,
    /// A delta nextLink dies once its folder has finished this many later rounds; 0 for never.
    pub stale_after_rounds: u64,
    /// `$top` above the maximum answers 400; else it is clamped.
    pub reject_large_top: bool,
    /// `Retry-After` as a fraction (`2.128`), as the documented sample shows it; else as an integer.
    pub fractional_retry_after: bool,
    /// MIME is made anew at each call: other boundaries, another `X-MS-Exchange-*` header.
    pub regenerate_mime: bool,
    /// MIME above a size breaks off.
    pub cut_mime: Option<MimeCut>,
    /// Extended properties come back under their normalised id (`Integer 0xe08` for `Integer 0x0E08`), as the service
    /// writes it; else as they were asked for.
    pub normalised_property_ids: bool,
    /// Ids in the immutable form are refused in requests without `Prefer: IdType="ImmutableId"`.
    pub strict_immutable_ids: bool,
    /// More attachments than this, asked for with their bytes, answer `ErrorTooManyObjectsOpened`.
    pub attachments_at_once: usize,
    /// The list of attachments comes in pages of so many, though nobody has seen that; 0 for whole.
    pub attachments_page: usize,
    /// Raw control characters stand in JSON strings.
    pub raw_control_characters: bool,
    /// Objects that are not narrowed by `$select` carry fields that no documentation names.
    pub extra_fields: bool,
    /// Folders carry `sizeInBytes`, which the schema lacks and people report.
    pub folder_sizes: bool,
    /// Usage reports conceal users behind hashes.
    pub concealed_names: bool,
    /// Usage reports lack the two columns that the documented sample lacks.
    pub short_reports: bool,
    /// Refusal of a mailbox outside the application's scope is worded `[RAOP] : Blocked by tenant configured ...`.
    pub raop_wording: bool,
    /// Mailboxes that are absent answer 404 `ResourceNotFound`; else `MailboxNotEnabledForRESTAPI`.
    pub resource_not_found_wording: bool,
    /// Seconds a device code client must leave between polls.
    pub device_interval_s: u64,
    /// Whose schema is served.
    pub cloud: Cloud,
    /// Change tracking of all events of a calendar, which v1.0 binds and documents for beta only.
    pub event_delta: EventDelta,
    /// Its rows hold little beyond id, type, start and end, as documented for beta; else they are whole.
    pub event_delta_limited: bool,
    /// Above this page size it answers 503 with an empty body, as some calendars do; 0 for never.
    pub event_delta_most: usize,
    /// What brings `cancelledOccurrences` and `exceptionOccurrences` of a series.
    pub occurrences_by: OccurrencesBy,
    /// `exceptionOccurrences` vanish if other members are selected beside them (microsoft-graph-docs#9887).
    pub mixed_select_drops_exceptions: bool,
    /// `exceptionOccurrences` come in pages of so many, as OData allows for what is expanded; 0 for whole.
    pub exceptions_page: usize,
    /// Changing or cancelling one day of a series moves the change key and `lastModifiedDateTime` of its master.
    pub exceptions_touch_master: bool,
    /// The most days between the bounds of `calendarView` and `instances`; 0 for any number.
    pub view_days_most: i64,
    /// Whole days are matched with a window as days of UTC; else as days of the zone they were made in.
    pub all_day_in_utc: bool,
    /// Most rows of a list of Outlook things, whatever was asked for: not all maxima are documented; 0 for 1000.
    pub list_page_most: usize,
    /// A contact without a photo answers `ImageNotFound`; else `ErrorItemNotFound`.
    pub photo_missing_as_image: bool,
    /// Another photo moves the change key and `lastModifiedDateTime` of its contact.
    pub photo_touches_contact: bool,
    /// The default contact folder stands among `/contactFolders`.
    pub default_contacts_listed: bool,
    /// Applications may read To Do at all; else they get 401 `UnknownError` whatever they were granted.
    pub todo_app_only: bool,
    /// Applications see only the list that mirrors flagged mail (microsoft-graph-explorer-v4#3960).
    pub todo_flagged_only: bool,
    /// Tasks show their checklist and links unasked; else only expanded.
    pub task_parts_inline: bool,
    /// An application without a permission for tasks gets 401 `UnknownError`; else 403 `ErrorAccessDenied`.
    pub todo_missing_is_401: bool,
    /// Drives, sites, and what lies in them.
    pub files: FileSwitches,
}

/// The clouds by what their v1.0 schema lacks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    #[default]
    Global,
    /// GCC High and DoD: no lists of occurrences, no three addresses of contacts.
    UsGov,
    /// As US government, and no To Do and no master categories.
    China,
    /// Bleu and Delos: as US government, and no To Do.
    Bleu,
}

impl Cloud {
    /// `event.cancelledOccurrences` and `event.exceptionOccurrences`, and `contact.primaryEmailAddress` and siblings.
    pub(crate) fn is_global(self) -> bool {
        self == Self::Global
    }

    pub(crate) fn has_todo(self) -> bool {
        matches!(self, Self::Global | Self::UsGov)
    }

    pub(crate) fn has_categories(self) -> bool {
        self != Self::China
    }
}

/// How `events/delta` answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventDelta {
    #[default]
    Answers,
    /// 400: change tracking is not supported (msgraph-metadata#608).
    BadRequest,
    NotFound,
}

/// What a read of a series must ask for to be told of its exceptions and cancelled days: the documentation of beta and
/// the practice of tools differ.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OccurrencesBy {
    /// `$expand=exceptionOccurrences` brings both; `$select=cancelledOccurrences` brings those too.
    Expand,
    /// Cancelled ones must be selected, exceptions selected and expanded (Microsoft Graph docs: event).
    #[default]
    SelectAndExpand,
    /// Either brings either.
    Either,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            partial_rows: true,
            read_moves_modified: false,
            repeat_rows: 16,
            empty_pages: 16,
            stale_after_rounds: 4,
            reject_large_top: false,
            fractional_retry_after: false,
            regenerate_mime: false,
            cut_mime: None,
            normalised_property_ids: true,
            strict_immutable_ids: false,
            attachments_at_once: 250,
            attachments_page: 0,
            raw_control_characters: false,
            extra_fields: true,
            folder_sizes: false,
            concealed_names: false,
            short_reports: false,
            raop_wording: false,
            resource_not_found_wording: false,
            device_interval_s: 5,
            cloud: Cloud::Global,
            event_delta: EventDelta::Answers,
            event_delta_limited: true,
            event_delta_most: 0,
            occurrences_by: OccurrencesBy::SelectAndExpand,
            mixed_select_drops_exceptions: true,
            exceptions_page: 0,
            exceptions_touch_master: true,
            view_days_most: 1825,
            all_day_in_utc: false,
            list_page_most: 0,
            photo_missing_as_image: false,
            photo_touches_contact: true,
            default_contacts_listed: false,
            todo_app_only: true,
            todo_flagged_only: false,
            task_parts_inline: false,
            todo_missing_is_401: true,
            files: FileSwitches::default(),
        }
    }
}

/// Where a big message breaks off. People see it above about 25 MB of attachments (microsoft-graph-docs#18439).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MimeCut {
    /// Messages longer than this are cut after this many bytes.
    pub above: u64,
    /// The answer ends as if it were whole, only the closing boundary is missing; else the connection breaks.
    #[serde(default)]
    pub clean: bool,
}
