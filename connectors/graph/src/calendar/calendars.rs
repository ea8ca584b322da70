//! The calendars of a mailbox: flat, in groups. `/calendars` lists those of the default group only (Graph docs: list
//! calendars), so each group is asked.
//!
//! A calendar that somebody shared with the account stands among its own. It is told of, as the service's own, and has
//! no feed: it moves once, with its owner.

use crate::{endpoint::segment, service::Service, wire};
use std::collections::HashSet;
use transhume_contract::{Account, Appearance, Collection, CollectionId, Fault, Role, Size, What, Workload};

const NAMED: &str = "the list of calendars";

/// Every calendar of an account, the default one first.
pub async fn all(service: &Service, account: &Account) -> Result<Vec<Collection>, Fault> {
    let mut calendars = service.rows(account.id.as_str(), &path(account, ""), NAMED).await?;
    for group in groups(service, account).await? {
        calendars.extend(of_group(service, account, &group).await?);
    }
    Ok(collections(account, calendars))
}

/// The path of the account's calendars, or of those of one group.
pub fn path(account: &Account, below: &str) -> String {
    format!("/users/{}{below}/calendars", segment(account.id.as_str()))
}

/// Where groups are not served, the default one is all there is.
async fn groups(service: &Service, account: &Account) -> Result<Vec<wire::CalendarGroup>, Fault> {
    let path = format!("/users/{}/calendarGroups", segment(account.id.as_str()));
    match service.rows(account.id.as_str(), &path, "the groups of calendars").await {
        Err(fault) if fault.what == What::Unsupported => Ok(Vec::new()),
        other => other,
    }
}

/// A group that was removed since the groups were listed has no calendars any more.
async fn of_group(
    service: &Service,
    account: &Account,
    group: &wire::CalendarGroup,
) -> Result<Vec<wire::Calendar>, Fault> {
    let path = path(account, &format!("/calendarGroups/{}", segment(&group.id)));
    match service.rows(account.id.as_str(), &path, NAMED).await {
        Err(fault) if fault.what == What::Vanished && crate::faults::no_mailbox(&fault).is_none() => Ok(Vec::new()),
        other => other,
    }
}

fn collections(account: &Account, calendars: Vec<wire::Calendar>) -> Vec<Collection> {
    let mut seen = HashSet::new();
    let own = calendars.into_iter().filter(|calendar| seen.insert(calendar.id.clone()));
    let mut all: Vec<_> = own.map(|calendar| collection(account, &calendar)).collect();
    all.sort_by_key(|one| one.role != Role::Default);
    all
}

fn collection(account: &Account, calendar: &wire::Calendar) -> Collection {
    Collection {
        account: account.id.clone(),
        workload: Workload::Calendar,
        id: CollectionId::new(calendar.id.as_str()),
        parent: None,
        name: calendar.name.clone().unwrap_or_default(),
        role: role(account, calendar),
        hidden: false,
        expected: Size::default(),
        appearance: Appearance { colour: colour(calendar), order: None },
    }
}

/// What is shared with the account is the service's own: it is not moved with the account. Whoever may share a calendar
/// made it (Graph docs: calendar, `canShare`), under whatever address they had then.
fn role(account: &Account, calendar: &wire::Calendar) -> Role {
    let owner = calendar.owner.as_ref().and_then(|owner| owner.address.as_deref());
    let known = |address: &str| {
        let mut own = account.aliases.iter().chain([&account.address]);
        !address.contains('@') || own.any(|own| own.eq_ignore_ascii_case(address))
    };
    match (calendar.is_default_calendar, owner) {
        (Some(true), _) => Role::Default,
        (_, Some(address)) if !known(address) && calendar.can_share != Some(true) => Role::Internal,
        // That of birthdays, of holidays, of a subscription.
        _ if calendar.can_edit == Some(false) => Role::ReadOnly,
        _ => Role::Ordinary,
    }
}

/// Whether a calendar is moved with this account.
pub fn is_own(account: &Account, calendar: &wire::Calendar) -> bool {
    role(account, calendar) != Role::Internal
}

/// What a person chose, else the service's name of a colour: it tells no values.
fn colour(calendar: &wire::Calendar) -> Option<String> {
    let chosen = calendar.hex_color.as_deref().map(str::to_ascii_lowercase);
    let is_colour = |text: &String| {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    chosen.filter(is_colour).or_else(|| calendar.color.clone().filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};
    use transhume_contract::{AccountId, AccountKind};

    fn anna() -> Account {
        Account {
            id: AccountId::new("u1"),
            address: "anna@town.example".into(),
            name: "Anna".into(),
            kind: AccountKind::Person,
            aliases: vec!["a.old@town.example".into()],
            enabled: true,
            workloads: Vec::new(),
        }
    }

    fn told(rows: Value) -> Vec<Collection> {
        collections(&anna(), serde_json::from_value(rows).unwrap())
    }

    #[test]
    fn the_default_calendar_comes_first_and_each_once() {
        let all = told(json!([
            {"id": "b", "name": "Team", "isDefaultCalendar": false},
            {"id": "a", "name": "Kalender", "isDefaultCalendar": true, "owner": {"address": "gone@town.example"}},
            {"id": "b", "name": "Team"}
        ]));
        let told: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.role)).collect();
        assert_eq!(told, [("a", Role::Default), ("b", Role::Ordinary)]);
    }

    #[test]
    fn what_others_share_is_told_of_and_not_moved() {
        let owned = |address: Value, can_share: bool| {
            let row = json!({"id": "x", "owner": {"address": address}, "canShare": can_share});
            is_own(&anna(), &serde_json::from_value(row).unwrap())
        };
        assert!(!owned(json!("boss@town.example"), false));
        for own in [json!("A.OLD@town.example"), json!("anna@town.example"), json!(null), json!("/o=x/cn=anna")] {
            assert!(owned(own.clone(), false), "{own}");
        }
        assert!(owned(json!("renamed@town.example"), true));
        let shared = told(json!([{"id": "x", "owner": {"address": "boss@town.example"}}, {"id": "y"}]));
        assert_eq!(shared.iter().map(|one| one.role).collect::<Vec<_>>(), [Role::Internal, Role::Ordinary]);
    }

    #[test]
    fn one_that_its_owner_may_not_write_into_is_told_so() {
        let all = told(json!([
            {"id": "b", "name": "Birthdays", "canEdit": false, "canShare": false},
            {"id": "s", "owner": {"address": "boss@town.example"}, "canEdit": false},
            {"id": "m", "canEdit": true},
            {"id": "d", "isDefaultCalendar": true, "canEdit": false}
        ]));
        let roles: Vec<_> = all.iter().map(|one| one.role).collect();
        assert_eq!(roles, [Role::Default, Role::ReadOnly, Role::Internal, Role::Ordinary]);
    }

    #[test]
    fn a_chosen_colour_goes_before_a_named_one() {
        let shown = |color: &str, hex: &str| {
            colour(&serde_json::from_value(json!({"id": "x", "color": color, "hexColor": hex})).unwrap())
        };
        assert_eq!(shown("lightRed", "#0078D4").as_deref(), Some("#0078d4"));
        for (color, hex) in [("auto", ""), ("lightRed", "blue"), ("ultraviolet", "#12345")] {
            assert_eq!(shown(color, hex).as_deref(), Some(color));
        }
        assert_eq!(shown("", ""), None);
    }
}
