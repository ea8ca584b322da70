//! Where drives and sites are undocumented, contradict what tools met, or misbehave at times.

use serde::{Deserialize, Serialize};

/// The switches of drives and sites.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSwitches {
    /// What listings say of files that is not true of their bytes.
    pub lies: Lies,
    /// Files in personal drives tell a SHA-1, too, as they did until 2023 (abraunegg/onedrive#2433).
    pub sha1_hashes: bool,
    /// `@microsoft.graph.downloadUrl` stands on first pages only (onedrive-api-docs#433).
    pub urls_on_first_page_only: bool,
    /// Seconds for which `@microsoft.graph.downloadUrl` serves.
    pub url_lifetime_s: i64,
    /// Seconds for which the address that `/content` leads to serves.
    pub redirect_lifetime_s: i64,
    /// `tempauth` of such an address looks like a JWT; else it has four parts.
    pub tempauth_jwt: bool,
    /// What becomes of `Range` on such an address.
    pub ranges: Ranges,
    /// A `Range` without `Accept: */*` is answered 416, as a backup tool met it.
    pub ranges_need_accept: bool,
    /// What a file that is taken for malware answers.
    pub malware: Malware,
    /// Sections of notebooks answer 503 however often one asks.
    pub notebooks_unavailable: bool,
    /// What somebody without a drive answers.
    pub no_drive: NoDrive,
    /// What a site that is locked or archived answers.
    pub locked_site: LockedSite,
    /// Rows of change tracking bring the folders that a changed item lies in, up to the root.
    pub delta_parents: bool,
    /// `$top` decides the size of a page of change tracking.
    pub delta_top: bool,
    /// What lay in a folder that was deleted is told as deleted, too.
    pub deleted_folders_tell_all: bool,
    /// Changes of sharing in libraries are not tracked (microsoft-graph-docs#7254).
    pub libraries_omit_sharing: bool,
    /// What is to be done after 410.
    pub resync: Resync,
    /// 410 tells that as its error code, as documented; else as the finer one inside `resyncRequired`, as met.
    pub resync_as_code: bool,
    /// The address that 410 gives answers 500 (onedrive-api-docs#249).
    pub resync_location_fails: bool,
    /// Folders of so many entries cannot be listed (rclone#2707); 0 for any number.
    pub folder_entries_most: usize,
    /// Permissions say what they are inherited from: the documentation contradicts itself.
    pub inherited_from: bool,
    /// Drives with retention-labelled files list nothing without `Sites.FullControl.All` (microsoft-graph-docs#11561).
    pub labels_need_full_control: bool,
    /// Answers tell of the limit before it is reached; some met 429 first.
    pub rate_limit_foretold: bool,
    /// The status of answers above the limit: 429, or 503.
    pub throttled_as: u16,
    /// Fetching from a pre-signed address costs a resource unit; else only what leads there does.
    pub presigned_units: bool,
}

impl Default for FileSwitches {
    fn default() -> Self {
        Self {
            lies: Lies::default(),
            sha1_hashes: false,
            urls_on_first_page_only: false,
            url_lifetime_s: 3600,
            redirect_lifetime_s: 300,
            tempauth_jwt: false,
            ranges: Ranges::Honoured,
            ranges_need_accept: true,
            malware: Malware::Detected,
            notebooks_unavailable: false,
            no_drive: NoDrive::NotFound,
            locked_site: LockedSite::NotAllowed,
            delta_parents: true,
            delta_top: true,
            deleted_folders_tell_all: true,
            libraries_omit_sharing: false,
            resync: Resync::ApplyDifferences,
            resync_as_code: false,
            resync_location_fails: false,
            folder_entries_most: 100_000,
            inherited_from: false,
            labels_need_full_control: false,
            rate_limit_foretold: true,
            throttled_as: 429,
            presigned_units: false,
        }
    }
}

/// What listings say of files that is not true (rclone#2599, onedrive-api-docs#1066, #1704).
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lies {
    pub about: LiedAbout,
    /// So many bytes more than there are.
    pub size: u64,
    pub hash: HashTold,
    /// Libraries write their columns into a file when it is fetched: what arrives is longer than what was stored.
    pub rewritten: bool,
}

/// Which files are lied about.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiedAbout {
    /// Documents of Office, and photos in HEIC.
    #[default]
    Office,
    All,
}

/// The hash that listings tell of those.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashTold {
    #[default]
    True,
    Wrong,
    Missing,
    /// None until somebody fetched the content.
    AfterReading,
}

/// What a pre-signed address does with `Range`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranges {
    #[default]
    Honoured,
    /// Everything comes, with 200.
    Ignored,
    /// 416 whatever is asked for.
    Refused,
}

/// What the content of an infected file answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malware {
    /// 403 `malwareDetected`.
    #[default]
    Detected,
    /// 403 `virusSuspicious`.
    Suspicious,
    /// The bytes come, with `X-Virus-Infected: true`.
    Header,
}

/// What somebody without a drive answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoDrive {
    /// 404 `User's mysite not found.`
    #[default]
    NotFound,
    /// 400 `Unable to retrieve user's mysite URL.`
    NoAddress,
    /// 400 `Tenant does not have a SPO license.`
    NoLicence,
}

/// What a site that is locked or archived answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedSite {
    /// 423 `notAllowed`.
    #[default]
    NotAllowed,
    /// 423 `resourceLocked`.
    ResourceLocked,
    /// 403 `accessDenied`.
    AccessDenied,
}

/// What a client whose token died is told to do (Microsoft Graph docs: driveItem delta).
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resync {
    #[default]
    ApplyDifferences,
    UploadDifferences,
}

impl Resync {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::ApplyDifferences => "resyncChangesApplyDifferences",
            Self::UploadDifferences => "resyncChangesUploadDifferences",
        }
    }
}
