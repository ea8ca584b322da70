//! Discovery: who is there, who has a mailbox and of what kind, and what no later step can reach.
//!
//! Whether a user has a mailbox is not in the directory: neither a licence (shared mailboxes have none) nor a mail
//! address proves one. Each is asked for its mailbox settings, which also tell what it is for.

use crate::{
    endpoint::{Endpoint, preferring, segment},
    faults::{Asked, no_mailbox},
    reach::{Permissions, beside_mail},
    rescue::{conversations, in_place_archive, public_folders, unknown_archives, unknown_groups},
    service::Service,
    usage::{Missing, Usage, UsageRow},
    wire::{Group, MailboxSettings, Page, User},
};
use futures::{StreamExt, TryStreamExt, stream};
use transhume_contract::{
    Account, AccountId, AccountKind, AccountPage, Cursor, Fault, Presence, Reach, Unreachable, What, Workload,
};
use transhume_http::Request;

/// Mailboxes asked at the same time; each has lanes of its own.
const AT_ONCE: usize = 12;
/// Conversations of one group are counted up to here.
const COUNTED: u64 = 100_000;
const USERS: &str = "/users?$select=id,displayName,userPrincipalName,mail,userType,accountEnabled,proxyAddresses,\
                     onPremisesSyncEnabled&$top=999";
const GROUPS: &str = "/groups?$filter=groupTypes/any(c:c%20eq%20'Unified')&$select=id,displayName,mail&$top=999";

/// Discovery of one tenant.
pub struct Discovery<'a> {
    pub service: &'a Service,
    pub usage: &'a Usage,
    pub permissions: &'a Permissions,
}

/// Where discovery stands: users first, then groups.
enum Stage {
    Users(Option<String>),
    Groups(Option<String>),
}

impl Stage {
    fn of(cursor: Option<&Cursor>) -> Self {
        let text = cursor.map_or("users ", Cursor::as_str);
        let (stage, link) = text.split_once(' ').unwrap_or((text, ""));
        let link = (!link.is_empty()).then(|| link.to_owned());
        if stage == "groups" { Self::Groups(link) } else { Self::Users(link) }
    }
}

impl Discovery<'_> {
    pub async fn page(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault> {
        match Stage::of(from) {
            Stage::Users(link) => self.users(link).await,
            Stage::Groups(link) => self.groups(link).await,
        }
    }

    async fn users(&self, link: Option<String>) -> Result<AccountPage, Fault> {
        let mut page = self.listed(USERS, link, "the list of users").await?;
        let found: Vec<_> = stream::iter(page.rows::<User>("the list of users")?)
            .map(|user| self.account(user))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let (accounts, archives): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let mut unreachable: Vec<Unreachable> = archives.into_iter().flatten().collect();
        let next = self.link(page.next_link.as_deref(), "users")?;
        if next.is_none() {
            unreachable.extend(self.archives_unknown().await?);
        }
        Ok(AccountPage { accounts, unreachable, next: Some(next.unwrap_or_else(|| Cursor::new("groups "))) })
    }

    /// Without a usage report that names accounts, nothing tells who has an online archive.
    async fn archives_unknown(&self) -> Result<Option<Unreachable>, Fault> {
        let report = self.usage.report(self.service).await?;
        Ok(match &report.missing {
            Some(Missing::Refused(code)) => Some(unknown_archives(code)),
            Some(Missing::NotNow(why)) => Some(unknown_archives(why)),
            None if report.concealed => Some(unknown_archives("the tenant conceals names in its reports")),
            None => None,
        })
    }

    async fn listed(&self, first: &str, link: Option<String>, named: &str) -> Result<Page, Fault> {
        let endpoint = &self.service.endpoint;
        let url = match link {
            Some(link) => endpoint.resumed(&link)?,
            None => endpoint.at(first),
        };
        self.service.json(endpoint.directory(url), Asked::Directory, named).await
    }

    fn link(&self, link: Option<&str>, stage: &str) -> Result<Option<Cursor>, Fault> {
        let Some(link) = link else { return Ok(None) };
        Ok(Some(Cursor::new(format!("{stage} {}", self.service.endpoint.kept(link)?))))
    }

    async fn account(&self, user: User) -> Result<(Account, Option<Unreachable>), Fault> {
        let (presence, purpose) = self.mailbox(&user).await?;
        let row = self.usage.of(self.service, &addresses(&user)).await?;
        let size = row.as_ref().map(UsageRow::size).unwrap_or_default();
        let beside = beside_mail(self.service, self.permissions, &user.id, &presence).await?;
        let account = Account {
            id: AccountId::new(user.id.as_str()),
            address: address(&user),
            name: user.display_name.clone().unwrap_or_default(),
            kind: kind(&user, purpose.as_deref()),
            aliases: aliases(&user),
            enabled: user.account_enabled.unwrap_or(true),
            workloads: [vec![(Workload::Mail, presence, size)], beside].concat(),
        };
        let archive = row.filter(|row| row.has_archive).map(|_| in_place_archive(&account));
        Ok((account, archive))
    }

    /// Whether there is a mailbox, and what it is for. Asked again through mail where the settings are not ours to read.
    async fn mailbox(&self, user: &User) -> Result<(Presence, Option<String>), Fault> {
        if is_guest(user) {
            return Ok((Presence::Absent("a guest: the mailbox is in another tenant".into()), None));
        }
        let request = settings(&self.service.endpoint, &user.id);
        match self.service.json::<MailboxSettings>(request, Asked::Mailbox, "the settings of a mailbox").await {
            Ok(settings) => Ok((Presence::Present, settings.user_purpose)),
            Err(fault) => match told(fault)? {
                Presence::Denied(_) => Ok((self.probe(&user.id).await?, None)),
                other => Ok((other, None)),
            },
        }
    }

    /// Whether this application reads the mail of one account.
    pub async fn probe(&self, user: &str) -> Result<Presence, Fault> {
        let request = inbox(&self.service.endpoint, user);
        match self.service.whole(request, Asked::Mailbox, "the inbox").await {
            Ok(_) => Ok(Presence::Present),
            Err(fault) => told(fault),
        }
    }

    async fn groups(&self, link: Option<String>) -> Result<AccountPage, Fault> {
        let mut page = match self.listed(GROUPS, link, "the list of groups").await {
            Ok(page) => page,
            Err(fault) if tolerable(&fault) => {
                return Ok(AccountPage {
                    unreachable: vec![unknown_groups(&fault), public_folders()],
                    ..AccountPage::default()
                });
            }
            Err(fault) => return Err(fault),
        };
        let groups: Vec<_> = stream::iter(page.rows::<Group>("the list of groups")?)
            .map(|group| self.group(group))
            .buffered(4)
            .try_collect()
            .await?;
        let mut unreachable: Vec<Unreachable> = groups.into_iter().flatten().collect();
        let next = self.link(page.next_link.as_deref(), "groups")?;
        if next.is_none() {
            unreachable.push(public_folders());
        }
        Ok(AccountPage { accounts: Vec::new(), unreachable, next })
    }

    /// A group's conversations, counted. One without any is not worth a line.
    async fn group(&self, group: Group) -> Result<Option<Unreachable>, Fault> {
        let count = match self.conversations(&group.id).await {
            Ok(count) => Some(count),
            Err(fault) if tolerable(&fault) || fault.what == What::Vanished => None,
            Err(fault) => return Err(fault),
        };
        Ok((count != Some(0)).then(|| conversations(&group, count)))
    }

    async fn conversations(&self, group: &str) -> Result<u64, Fault> {
        let first = format!("/groups/{}/conversations?$select=id&$top=999", segment(group));
        let (mut count, mut link) = (0, None);
        loop {
            let page: Page = self.listed(&first, link, "the conversations of a group").await?;
            count += page.value.len() as u64;
            match page.next_link {
                Some(next) if count < COUNTED => link = Some(self.service.endpoint.kept(&next)?),
                _ => return Ok(count),
            }
        }
    }
}

/// What a refusal says of a mailbox; anything that is no answer to the question stays a fault.
fn told(fault: Fault) -> Result<Presence, Fault> {
    if let Some(reason) = no_mailbox(&fault) {
        return Ok(Presence::Absent(reason));
    }
    match fault.what {
        What::Forbidden if fault.reach <= Reach::Account => Ok(Presence::Denied(fault.sentence)),
        What::Vanished => {
            Ok(Presence::Absent(format!("no Exchange Online mailbox ({})", fault.code.unwrap_or_default())))
        }
        _ => Err(fault),
    }
}

/// A question whose answer is welcome, and not needed.
fn tolerable(fault: &Fault) -> bool {
    matches!(fault.what, What::Forbidden | What::Unsupported | What::Vanished)
}

fn settings(endpoint: &Endpoint, user: &str) -> Request {
    endpoint.mailbox(user, endpoint.at(&format!("/users/{}/mailboxSettings", segment(user))))
}

fn inbox(endpoint: &Endpoint, user: &str) -> Request {
    let url = endpoint.at(&format!("/users/{}/mailFolders/inbox?$select=id,totalItemCount", segment(user)));
    preferring(endpoint.mailbox(user, url), &[crate::endpoint::IMMUTABLE])
}

/// Accounts synchronised from a local directory may be marked as guests and still own a mailbox (seen by corso).
fn is_guest(user: &User) -> bool {
    let typed = user.user_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Guest"));
    let named = user.user_principal_name.as_deref().is_some_and(|name| name.contains("#EXT#"));
    (typed || named) && user.on_premises_sync_enabled != Some(true)
}

/// Graph docs: mailboxSettings, userPurpose.
fn kind(user: &User, purpose: Option<&str>) -> AccountKind {
    match purpose {
        Some("shared") => AccountKind::Shared,
        Some("room") => AccountKind::Room,
        Some("equipment") => AccountKind::Equipment,
        Some("others" | "unknownFutureValue") => AccountKind::Unknown,
        _ if is_guest(user) => AccountKind::Guest,
        Some("user" | "linked") | None => AccountKind::Person,
        Some(_) => AccountKind::Unknown,
    }
}

/// The primary mail address where there is one; it may be null although a mailbox exists.
fn address(user: &User) -> String {
    let mail = user.mail.as_deref().filter(|mail| mail.contains('@'));
    mail.or(user.user_principal_name.as_deref()).unwrap_or(&user.id).to_owned()
}

/// Sign-in name and proxy addresses (`SMTP:` the primary one, `smtp:` the others), without the first address.
fn aliases(user: &User) -> Vec<String> {
    let first = address(user);
    let mut aliases: Vec<String> = Vec::new();
    for alias in addresses(user) {
        let known = alias.eq_ignore_ascii_case(&first) || aliases.iter().any(|a| a.eq_ignore_ascii_case(&alias));
        if !known {
            aliases.push(alias);
        }
    }
    aliases
}

fn addresses(user: &User) -> Vec<String> {
    let proxies = user.proxy_addresses.iter().flatten();
    let smtp = proxies.filter_map(|proxy| {
        let (kind, address) = proxy.split_once(':')?;
        kind.eq_ignore_ascii_case("smtp").then(|| address.to_owned())
    });
    user.user_principal_name.iter().cloned().chain(user.mail.clone()).chain(smtp).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn user(fields: serde_json::Value) -> User {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn proxy_addresses_become_aliases() {
        let anna = user(json!({"id": "1", "mail": "anna@town.example", "userPrincipalName": "Anna@town.example",
            "proxyAddresses": ["SMTP:anna@town.example", "smtp:a.b@town.example", "X500:/o=x", "SIP:anna@town.example"]}));
        assert_eq!(address(&anna), "anna@town.example");
        assert_eq!(aliases(&anna), ["a.b@town.example"]);
        let bare = user(json!({"id": "1", "mail": null, "userPrincipalName": "b@town.example"}));
        assert_eq!(address(&bare), "b@town.example");
    }

    #[test]
    fn purposes_become_kinds() {
        let anna = user(json!({"id": "1", "userPrincipalName": "a@x"}));
        for (purpose, expected) in [
            (Some("user"), AccountKind::Person),
            (Some("linked"), AccountKind::Person),
            (Some("shared"), AccountKind::Shared),
            (Some("room"), AccountKind::Room),
            (Some("equipment"), AccountKind::Equipment),
            (Some("others"), AccountKind::Unknown),
            (None, AccountKind::Person),
        ] {
            assert_eq!(kind(&anna, purpose), expected, "{purpose:?}");
        }
    }

    #[test]
    fn guests_are_known_by_type_or_name() {
        assert!(is_guest(&user(json!({"id": "1", "userType": "Guest"}))));
        assert!(is_guest(&user(json!({"id": "1", "userPrincipalName": "b_mail.example#EXT#@town.example"}))));
        assert!(!is_guest(&user(json!({"id": "1", "userType": "Guest", "onPremisesSyncEnabled": true}))));
        assert!(!is_guest(&user(json!({"id": "1", "userType": null}))));
    }

    #[test]
    fn refusals_tell_absent_from_denied() {
        let fault = |what: What, code: &str| Fault::new(what, "s").reaching(Reach::Account).code(code);
        assert!(matches!(told(fault(What::Vanished, "MailboxNotEnabledForRESTAPI")), Ok(Presence::Absent(_))));
        assert!(matches!(told(fault(What::Forbidden, "ErrorAccessDenied")), Ok(Presence::Denied(_))));
        assert!(told(fault(What::Unreachable, "HTTP 503")).is_err());
        assert!(told(fault(What::Forbidden, "x").reaching(Reach::Run)).is_err());
    }
}
