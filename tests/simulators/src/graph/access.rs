//! Who may see what: permissions by workload, each refused in its own dialect, and mailboxes that are absent or out of
//! the application's scope.

use parking_lot::RwLock;

use crate::tenant::{Mailbox, User, looks_like_an_id};
use crate::wire::{Call, Caller, Refusal};
use crate::world::World;

/// One call being answered.
pub(crate) struct Scene<'a> {
    pub world: &'a World,
    pub call: &'a Call,
    pub caller: &'a Caller,
}

pub(crate) const READ_USERS: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub(crate) const READ_GROUPS: &[&str] =
    &["Group.Read.All", "GroupMember.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub(crate) const READ_CONVERSATIONS: &[&str] = &["Group.Read.All", "Group.ReadWrite.All"];
pub(crate) const READ_ORGANISATION: &[&str] =
    &["Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "User.Read.All"];
pub(crate) const READ_SKUS: &[&str] = &["Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All"];
pub(crate) const READ_MAIL: &[&str] = &["Mail.Read", "Mail.ReadWrite"];
pub(crate) const READ_BASIC_MAIL: &[&str] = &["Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic.All", "Mail.ReadBasic"];
pub(crate) const READ_BASIC_CALENDARS: &[&str] = &["Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic.All"];
pub(crate) const READ_CALENDARS: &[&str] = &["Calendars.Read", "Calendars.ReadWrite"];
pub(crate) const READ_CONTACTS: &[&str] = &["Contacts.Read", "Contacts.ReadWrite"];
pub(crate) const READ_TASKS: &[&str] = &["Tasks.Read.All", "Tasks.ReadWrite.All"];
pub(crate) const READ_OWN_TASKS: &[&str] = &["Tasks.Read", "Tasks.ReadWrite"];
pub(crate) const READ_SETTINGS: &[&str] = &["MailboxSettings.Read", "MailboxSettings.ReadWrite"];
pub(crate) const READ_REPORTS: &[&str] = &["Reports.Read.All"];
pub(crate) const READ_REPORT_SETTINGS: &[&str] = &["ReportSettings.Read.All", "ReportSettings.ReadWrite.All"];

impl<'a> Scene<'a> {
    /// Whether the token holds one of these permissions and the administrator has not taken it back.
    pub fn granted(&self, any: &[&str]) -> bool {
        let still =
            |grant: &str| self.caller.person.is_some() || self.world.knobs().roles.iter().any(|role| role == grant);
        self.caller.grants.iter().any(|grant| any.contains(&grant.as_str()) && still(grant))
    }

    /// # Errors
    /// `Authorization_RequestDenied`.
    pub fn need_directory(&self, any: &[&str]) -> Result<(), Refusal> {
        if self.granted(any) { Ok(()) } else { Err(Refusal::directory_forbidden()) }
    }

    /// # Errors
    /// `ErrorAccessDenied`.
    pub fn need_exchange(&self, any: &[&str]) -> Result<(), Refusal> {
        if self.granted(any) { Ok(()) } else { Err(Refusal::exchange_forbidden()) }
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// 400 for an application, which is nobody.
    pub fn person(&self) -> Result<&'a str, Refusal> {
        let person = self.caller.person.as_deref();
        person.ok_or_else(|| Refusal::bad_query("/me request is only valid with delegated authentication flow."))
    }

    /// A user of the directory.
    ///
    /// # Errors
    /// 404 `Request_ResourceNotFound`.
    pub fn user(&self, key: &str) -> Result<&'a User, Refusal> {
        self.world.tenant.user(key).ok_or_else(|| Refusal::no_such_resource(key))
    }

    /// The mailbox of a user, for a caller with one of these permissions.
    ///
    /// # Errors
    /// What stands in the way, in the order in which the service finds it.
    pub fn mailbox(&self, key: &str, any: &[&str]) -> Result<&'a RwLock<Mailbox>, Refusal> {
        let user =
            self.world.tenant.user(key).ok_or_else(|| {
                Refusal::new(404, "ErrorInvalidUser", format!("The requested user '{key}' is invalid."))
            })?;
        self.need_exchange(any)?;
        if self.caller.person.as_deref().is_some_and(|person| person != user.id) {
            return Err(Refusal::exchange_forbidden());
        }
        let mailbox = user.mailbox.as_ref().filter(|mailbox| !mailbox.read().disabled);
        let mailbox = mailbox.ok_or_else(|| self.no_mailbox())?;
        if mailbox.read().scoped_out { Err(self.scoped_out()) } else { Ok(mailbox) }
    }

    fn no_mailbox(&self) -> Refusal {
        if self.world.knobs().switches.resource_not_found_wording {
            return Refusal::new(404, "ResourceNotFound", "Resource could not be discovered.");
        }
        let message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
        Refusal::new(404, "MailboxNotEnabledForRESTAPI", message)
    }

    fn scoped_out(&self) -> Refusal {
        let message = match self.world.knobs().switches.raop_wording {
            true => "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
            false => "Access to OData is disabled.",
        };
        Refusal::new(403, "ErrorAccessDenied", message)
    }
}

/// A folder by id or well-known name.
///
/// # Errors
/// 404 for what is absent, 400 for what cannot be an id.
pub(crate) fn folder_at(mailbox: &Mailbox, key: &str) -> Result<u32, Refusal> {
    mailbox.folder_named(key).ok_or_else(|| {
        let well_known = key.bytes().all(|byte| byte.is_ascii_lowercase()) || looks_like_an_id(key);
        if well_known { Refusal::item_not_found() } else { Refusal::malformed_id() }
    })
}

/// A message by either id, inside a folder if one is named.
///
/// # Errors
/// As for [`folder_at`].
pub(crate) fn message_at(
    scene: &Scene<'_>,
    mailbox: &Mailbox,
    folder: Option<&str>,
    key: &str,
) -> Result<u32, Refusal> {
    let folder = folder.map(|folder| folder_at(mailbox, folder)).transpose()?;
    if !looks_like_an_id(key) {
        return Err(Refusal::malformed_id());
    }
    let immutable = key.starts_with("AAkA") && scene.world.knobs().switches.strict_immutable_ids;
    if immutable && !scene.call.prefer().immutable_ids {
        return Err(Refusal::malformed_id());
    }
    let slot = mailbox.message_named(key).ok_or_else(Refusal::item_not_found)?;
    let lies_there = folder.is_none_or(|folder| mailbox.message(slot).is_some_and(|found| found.folder == folder));
    if lies_there { Ok(slot) } else { Err(Refusal::item_not_found()) }
}
