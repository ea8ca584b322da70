//! What no later step of a migration can reach, and how an administrator rescues it while the tenant still lives.

use crate::wire::Group;
use transhume_contract::{Account, AccountId, Fault, Size, Unreachable};

pub fn in_place_archive(account: &Account) -> Unreachable {
    Unreachable {
        kind: "in_place_archive".into(),
        account: Some(account.id.clone()),
        size: Size::default(),
        rescue: format!(
            "The online archive of {} has no API: before the tenant closes, move its mail back into the mailbox (disable the \
             archive, or Outlook), or export it to PST with Purview eDiscovery",
            account.address
        ),
    }
}

/// Nobody could be looked up: whoever has one must be found out otherwise.
pub fn unknown_archives(why: &str) -> Unreachable {
    Unreachable {
        kind: "in_place_archive".into(),
        account: None,
        size: Size::default(),
        rescue: format!(
            "Who has an online archive, and the sizes of mailboxes, could not be learned from the usage report ({why}): run \
             `transhume survey` again in ten minutes, or look with Get-Mailbox -Archive in Exchange Online PowerShell \
             before the tenant closes"
        ),
    }
}

pub fn conversations(group: &Group, count: Option<u64>) -> Unreachable {
    let name = group.mail.as_deref().or(group.display_name.as_deref()).unwrap_or("a group");
    Unreachable {
        kind: "group_conversations".into(),
        account: Some(AccountId::new(group.id.as_str())),
        size: Size { items: count, bytes: None },
        rescue: format!(
            "The conversations of the group {name} are no mailbox, and its calendar opens to no application: export both to PST \
             with Purview eDiscovery, or have a member copy them into a mailbox before the tenant closes"
        ),
    }
}

pub fn unknown_groups(fault: &Fault) -> Unreachable {
    Unreachable {
        kind: "group_conversations".into(),
        account: None,
        size: Size::default(),
        rescue: format!(
            "Group conversations could not be counted ({}): grant Group.Read.All, or look into each Microsoft 365 group \
             and export it to PST with Purview eDiscovery before the tenant closes",
            fault.code.as_deref().unwrap_or("no code")
        ),
    }
}

/// Nothing tells whether a tenant has any.
pub fn public_folders() -> Unreachable {
    Unreachable {
        kind: "public_folders".into(),
        account: None,
        size: Size::default(),
        rescue: "Public folders, if the tenant has any (Get-PublicFolder in Exchange Online PowerShell tells), have no API: \
                 copy them into a shared mailbox or export them to PST before the tenant closes"
            .into(),
    }
}
