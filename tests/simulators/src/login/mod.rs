//! Sign-in as Entra does it: the token endpoint, device codes, and the documents that clients discover them by.

mod assertion;
mod complaint;
mod device;
mod keys;
mod token;

use http::Method;
use serde_json::{Value, json};

pub(crate) use device::{Devices, Outcome};
pub(crate) use keys::{Doorkeeper, EXPIRED, KeyError};
pub(crate) use token::audiences;

use crate::wire::{Call, Payload, Reply};
use crate::world::World;
use complaint::Complaint;

/// Tenants that stand for "whichever the person who signs in belongs to".
const ANY_TENANT: [&str; 2] = ["organizations", "common"];

/// Answers a path of the login host, if it is one.
pub(crate) fn answer(world: &World, call: &Call) -> Option<Reply> {
    let path = call.target.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let reply = match (&call.method, segments.as_slice()) {
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => posted(world, call, tenant, token::grant),
        (&Method::POST, [tenant, "oauth2", "v2.0", "devicecode"]) => posted(world, call, tenant, device::begin),
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            known(world, tenant).map_or_else(|complaint| complaint.reply(world), |()| discovery(world, call, tenant))
        }
        (&Method::GET, [_, "discovery", "v2.0", "keys"]) => Reply::json(world.doorkeeper.key_set()),
        (&Method::GET, ["common", "discovery", "instance"]) => instances(call),
        _ => return None,
    };
    Some(reply)
}

/// A form that was posted, decoded.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// # Errors
    /// AADSTS900144 if it is absent.
    fn need(&self, name: &str) -> Result<&str, Complaint> {
        self.get(name).ok_or_else(|| Complaint::missing(name))
    }
}

type Grant = fn(&World, &Call, &Form) -> Result<Value, Complaint>;

fn posted(world: &World, call: &Call, tenant: &str, grant: Grant) -> Reply {
    let form = Form(url::form_urlencoded::parse(&call.body).into_owned().collect());
    let answer = known(world, tenant).and_then(|()| grant(world, call, &form));
    let reply = answer.map_or_else(|complaint| complaint.reply(world), Reply::json);
    reply.with("cache-control", "no-store").with("content-type", "application/json; charset=utf-8")
}

/// Whether this tenant is served here: by GUID, by name, or by the name under the shared domain.
fn known(world: &World, tenant: &str) -> Result<(), Complaint> {
    let options = &world.options;
    let shared_domain = format!("{}.onmicrosoft.com", options.tenant_name);
    let names = [options.tenant_id.as_str(), &options.tenant_name, &shared_domain];
    let named = names.iter().chain(&ANY_TENANT).any(|name| name.eq_ignore_ascii_case(tenant));
    let by_address = || world.tenant.users.iter().any(|user| domain(&user.upn).eq_ignore_ascii_case(tenant));
    if named || by_address() {
        return Ok(());
    }
    let well_formed = tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    Err(if well_formed { Complaint::no_such_tenant(tenant) } else { Complaint::malformed_tenant(tenant) })
}

fn domain(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

fn discovery(world: &World, call: &Call, tenant: &str) -> Reply {
    let origin = &call.origin;
    Reply::json(json!({
        "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{origin}/{}/v2.0", world.options.tenant_id),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/devicecode"),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nbf", "tid", "ver"],
        "msgraph_host": origin.split("://").nth(1),
    }))
}

/// Client libraries ask which hosts are authorities before they trust one.
fn instances(call: &Call) -> Reply {
    let host = call.origin.split("://").nth(1).unwrap_or_default();
    Reply::json(json!({
        "tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", call.origin),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }))
}

impl Complaint {
    pub(super) fn reply(&self, world: &World) -> Reply {
        let body = self.body(&world.guid(), &world.guid(), world.now());
        Reply::of(self.status(), Payload::Json(body))
    }
}
