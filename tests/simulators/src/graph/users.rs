//! The directory: people, licences, the organisation (Microsoft Graph docs: list users, user resource).

use serde_json::{Value, json};

use super::access::{READ_ORGANISATION, READ_SETTINGS, READ_SKUS, READ_USERS};
use super::list::{chosen, directory_page};
use super::{Answer, Scene};
use crate::tenant::User;
use crate::wire::{Filter, Refusal, Reply};

/// What comes without `$select`.
#[rustfmt::skip]
const DEFAULT: &[&str] = &[
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
];
/// What the directory keeps beyond that.
#[rustfmt::skip]
const IN_DIRECTORY: &[&str] = &[
    "accountEnabled", "ageGroup", "assignedLicenses", "assignedPlans", "authorizationInfo", "city", "companyName",
    "consentProvidedForMinor", "country", "createdDateTime", "creationType", "deletedDateTime", "department",
    "employeeHireDate", "employeeId", "employeeOrgData", "employeeType", "externalUserState",
    "externalUserStateChangeDateTime", "faxNumber", "identities", "imAddresses", "isResourceAccount",
    "lastPasswordChangeDateTime", "legalAgeGroupClassification", "licenseAssignmentStates", "mailNickname",
    "onPremisesDistinguishedName", "onPremisesDomainName", "onPremisesExtensionAttributes", "onPremisesImmutableId",
    "onPremisesLastSyncDateTime", "onPremisesProvisioningErrors", "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "onPremisesUserPrincipalName", "otherMails",
    "passwordPolicies", "passwordProfile", "postalCode", "preferredDataLocation", "provisionedPlans", "proxyAddresses",
    "securityIdentifier", "showInAddressList", "signInActivity", "signInSessionsValidFromDateTime", "state",
    "streetAddress", "usageLocation", "userType",
];
/// What other services keep, and a listing cannot show.
#[rustfmt::skip]
const ELSEWHERE: &[&str] = &[
    "mailboxSettings", "mySite", "birthday", "skills", "aboutMe", "interests", "pastProjects", "preferredName",
    "responsibilities", "schools", "hireDate", "deviceEnrollmentLimit", "print",
];

pub(super) fn list(scene: &Scene<'_>) -> Answer {
    scene.need_directory(READ_USERS)?;
    let select = selected(scene)?;
    if select.iter().flatten().any(|name| ELSEWHERE.contains(&name.as_str())) {
        return Err(Refusal::new(501, "NotImplemented", "This operation target is not yet supported."));
    }
    let users = filtered(scene)?;
    let context = select.as_ref().map_or_else(|| "users".to_owned(), |names| format!("users({})", names.join(",")));
    let select = select.unwrap_or_else(defaults);
    let page = directory_page(scene, &context, &users, |user| chosen(user, Some(&select)))?;
    Ok(Reply::json(page).with("odata-version", "4.0").with("x-ms-resource-unit", "2"))
}

/// Members asked for.
///
/// # Errors
/// 400 for what users do not have.
fn selected(scene: &Scene<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let select = scene.call.query.select();
    let lists = [DEFAULT, IN_DIRECTORY, ELSEWHERE];
    let known = |name: &String| lists.iter().any(|list| list.contains(&name.as_str()));
    match select.iter().flatten().find(|name| !known(name)) {
        Some(unknown) => {
            let message = format!("Could not find a property named '{unknown}' on type 'microsoft.graph.user'.");
            Err(Refusal::bad_query(message))
        }
        None => Ok(select),
    }
}

fn defaults() -> Vec<String> {
    DEFAULT.iter().map(ToString::to_string).collect()
}

fn filtered<'a>(scene: &Scene<'a>) -> Result<Vec<&'a Value>, Refusal> {
    let resources = scene.world.tenant.users.iter().map(|user| &user.resource);
    let filter = directory_filter(scene)?;
    Ok(resources.filter(|user| filter.as_ref().is_none_or(|filter| filter.holds(user))).collect())
}

/// `$filter` of a directory collection. Some need `ConsistencyLevel: eventual` and `$count=true`.
///
/// # Errors
/// 400 without those, and for filters that are none.
pub(super) fn directory_filter(scene: &Scene<'_>) -> Result<Option<Filter>, Refusal> {
    let query = &scene.call.query;
    let eventual = scene.call.eventual();
    if query.get("$search").is_some() {
        return Err(match eventual {
            true => Refusal::not_simulated("$search"),
            false => Refusal::new(
                400,
                "Request_UnsupportedQuery",
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ),
        });
    }
    let filter = query.get("$filter").map(Filter::parse).transpose()?;
    let advanced = filter.as_ref().is_some_and(Filter::is_advanced);
    if advanced && !(eventual && query.is_true("$count")) {
        return Err(Refusal::new(400, "Request_UnsupportedQuery", "Unsupported Query."));
    }
    Ok(filter)
}

pub(super) fn count(scene: &Scene<'_>) -> Answer {
    scene.need_directory(READ_USERS)?;
    if !scene.call.eventual() {
        let message = "$count is not currently supported without the ConsistencyLevel: eventual header.";
        return Err(Refusal::new(400, "Request_BadRequest", message));
    }
    Ok(Reply::text(filtered_count(scene)?.to_string()))
}

fn filtered_count(scene: &Scene<'_>) -> Result<usize, Refusal> {
    let filter = scene.call.query.get("$filter").map(Filter::parse).transpose()?;
    let users = scene.world.tenant.users.iter();
    Ok(users.filter(|user| filter.as_ref().is_none_or(|filter| filter.holds(&user.resource))).count())
}

pub(super) fn one(scene: &Scene<'_>, key: &str) -> Answer {
    if scene.caller.person.as_deref() != Some(key) {
        scene.need_directory(READ_USERS)?;
    }
    let user = scene.user(key)?;
    let select = selected(scene)?;
    let with_settings = select.iter().flatten().any(|name| name == "mailboxSettings");
    let names = select.unwrap_or_else(defaults);
    let mut row = chosen(&user.resource, Some(&names));
    if with_settings {
        row["mailboxSettings"] = scene.mailbox(key, READ_SETTINGS)?.read().settings.clone();
    }
    row["@odata.context"] = scene.call.context("users/$entity").into();
    Ok(Reply::json(row).with("odata-version", "4.0").with("x-ms-resource-unit", "1"))
}

pub(super) fn licences(scene: &Scene<'_>, key: &str) -> Answer {
    scene.need_directory(READ_USERS)?;
    let user = scene.user(key)?;
    let context = format!("users('{}')/licenseDetails", user.id);
    Ok(Reply::json(json!({"@odata.context": scene.call.context(&context), "value": details(user)})))
}

fn details(user: &User) -> Vec<Value> {
    let licences = user.resource["assignedLicenses"].as_array().cloned().unwrap_or_default();
    licences.iter().map(|licence| json!({"id": licence["skuId"], "skuId": licence["skuId"], "skuPartNumber": "SIMULATED", "servicePlans": []})).collect()
}

pub(super) fn organization(scene: &Scene<'_>) -> Answer {
    scene.need_directory(READ_ORGANISATION)?;
    let options = &scene.world.options;
    let domain = |name: &str, initial: bool| json!({"name": name, "isDefault": !initial, "isInitial": initial, "type": "Managed"});
    let mut domains = vec![domain(&format!("{}.onmicrosoft.com", options.tenant_name), true)];
    let first = scene.world.tenant.users.iter().find_map(|user| user.upn.split('@').nth(1));
    domains.extend(first.map(|name| domain(name, false)));
    let row = json!({"id": options.tenant_id, "displayName": options.tenant_name, "verifiedDomains": domains,
        "tenantType": "AAD"});
    Ok(Reply::json(json!({"@odata.context": scene.call.context("organization"), "value": [row]})))
}

pub(super) fn subscribed_skus(scene: &Scene<'_>) -> Answer {
    scene.need_directory(READ_SKUS)?;
    let mut units = std::collections::BTreeMap::<String, u64>::new();
    for user in &scene.world.tenant.users {
        for licence in user.resource["assignedLicenses"].as_array().into_iter().flatten() {
            *units.entry(licence["skuId"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let rows: Vec<Value> = units
        .into_iter()
        .map(|(sku, consumed)| {
            json!({"skuId": sku, "skuPartNumber": "SIMULATED",
        "capabilityStatus": "Enabled", "consumedUnits": consumed})
        })
        .collect();
    Ok(Reply::json(json!({"@odata.context": scene.call.context("subscribedSkus"), "value": rows})))
}
