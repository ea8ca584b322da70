//! The token endpoint (Entra docs: client credentials flow, device authorization grant, refresh).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::complaint::Complaint;
use super::keys::Claims;
use super::{Form, assertion, device};
use crate::wire::Call;
use crate::world::World;

pub(super) fn grant(world: &World, call: &Call, form: &Form) -> Result<Value, Complaint> {
    match form.need("grant_type")? {
        "client_credentials" => client_credentials(world, call, form),
        "urn:ietf:params:oauth:grant-type:device_code" => device::redeem(world, call, form),
        "refresh_token" => refresh(world, call, form),
        other => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            Err(Complaint::new("unsupported_grant_type", 70_003, text))
        }
    }
}

fn client_credentials(world: &World, call: &Call, form: &Form) -> Result<Value, Complaint> {
    let credentials = Credentials::of(call, form)?;
    known_app(world, &credentials.id)?;
    credentials.check(world, call, form)?;
    let resource = default_scope(world, call, form.need("scope")?)?;
    let roles = world.knobs().roles.clone();
    let roles = (!roles.is_empty()).then_some(roles);
    let token = issue(world, call, &resource, |claims| claims.roles = roles);
    Ok(answer(world, token))
}

/// Id and secret, from the form or from an `Authorization: Basic` header.
struct Credentials {
    id: String,
    secret: Option<String>,
}

impl Credentials {
    fn of(call: &Call, form: &Form) -> Result<Self, Complaint> {
        if let Some((id, secret)) = basic(call) {
            return Ok(Self { id, secret: Some(secret) });
        }
        let secret = form.get("client_secret").map(str::to_owned);
        Ok(Self { id: form.need("client_id")?.to_owned(), secret })
    }

    fn check(&self, world: &World, call: &Call, form: &Form) -> Result<(), Complaint> {
        match (&self.secret, form.get("client_assertion")) {
            (Some(secret), _) => right_secret(world, secret),
            (None, Some(assertion)) => assertion::check(world, call, form, assertion, &self.id),
            (None, None) => {
                let text = "'client_assertion', 'client_secret' or 'request' is required for the grant type.";
                Err(Complaint::new("invalid_client", 7_000_216, text))
            }
        }
    }
}

fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |part: &str| {
        let part = part.replace('+', " ");
        percent_encoding::percent_decode_str(&part).decode_utf8_lossy().into_owned()
    };
    Some((decoded(id), decoded(secret)))
}

fn right_secret(world: &World, secret: &str) -> Result<(), Complaint> {
    let options = &world.options;
    if options.client_secret.as_deref() == Some(secret) {
        return Ok(());
    }
    let app = &options.client_id;
    if options.expired_secrets.iter().any(|expired| expired == secret) {
        let text = format!("The provided client secret keys for app '{app}' are expired.");
        return Err(Complaint::new("invalid_client", 7_000_222, text));
    }
    let text = format!(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
         not the client secret ID, for a secret added to app '{app}'."
    );
    Err(Complaint::new("invalid_client", 7_000_215, text))
}

pub(super) fn known_app(world: &World, id: &str) -> Result<(), Complaint> {
    if id == world.options.client_id {
        return Ok(());
    }
    Err(Complaint::unknown_app(id, &world.options.tenant_name))
}

/// The resource of a scope that must be `<resource>/.default`, of this cloud.
fn default_scope(world: &World, call: &Call, scope: &str) -> Result<String, Complaint> {
    let resource = scope.strip_suffix("/.default").ok_or_else(|| Complaint::scope(scope))?;
    let resource = resource.trim_end_matches('/');
    if audiences(world, call).iter().any(|known| known == resource) {
        return Ok(resource.to_owned());
    }
    Err(Complaint::scope(scope))
}

/// What a token may be for: the Graph host of the cloud, or the simulator as the client sees it.
pub(crate) fn audiences(world: &World, call: &Call) -> Vec<String> {
    let mut known = world.options.resources.clone();
    known.push(call.origin.clone());
    known
}

/// An access token; `fill` says whom it is for.
pub(super) fn issue(world: &World, call: &Call, resource: &str, fill: impl FnOnce(&mut Claims)) -> String {
    let now = world.now().as_second();
    #[allow(clippy::cast_possible_truncation)] // lifetimes are seconds, not ages of the universe
    let lifetime = world.knobs().token_lifetime_s.ceil() as i64;
    let mut claims = Claims {
        aud: resource.to_owned(),
        iss: format!("{}/{}/", call.origin, world.options.tenant_id),
        iat: now,
        nbf: now,
        exp: now + lifetime,
        appid: world.options.client_id.clone(),
        tid: world.options.tenant_id.clone(),
        oid: world.options.client_id.clone(),
        roles: None,
        scp: None,
        uti: world.guid(),
    };
    fill(&mut claims);
    world.stats.token();
    world.doorkeeper.sign(&claims)
}

pub(super) fn answer(world: &World, token: String) -> Value {
    let lifetime = world.knobs().token_lifetime_s;
    #[allow(clippy::cast_possible_truncation)]
    let seconds = lifetime.ceil() as i64;
    json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token})
}

/// What a refresh token holds. It is spent once: the answer brings another.
#[derive(Serialize, Deserialize)]
pub(super) struct Refresh {
    pub person: String,
    pub scope: String,
    pub number: String,
}

fn refresh(world: &World, call: &Call, form: &Form) -> Result<Value, Complaint> {
    known_app(world, form.need("client_id")?)?;
    let gone =
        || Complaint::new("invalid_grant", 70_008, "The provided authorization code or refresh token has expired.");
    let refresh: Refresh = world.seal.open(form.need("refresh_token")?).map_err(|_| gone())?;
    if !world.devices.spend(&refresh.number) {
        return Err(gone());
    }
    Ok(device::granted(world, call, &refresh.person, form.get("scope").unwrap_or(&refresh.scope)))
}
