//! Device codes: a person signs in elsewhere, played here by `POST /_sim/device` (Entra docs: device authorization
//! grant).

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Form;
use super::complaint::Complaint;
use super::token::{self, Refresh};
use crate::wire::Call;
use crate::world::World;

const LIFETIME: Duration = Duration::from_secs(900);

/// Codes that were handed out, and refresh tokens that were spent.
#[derive(Default)]
pub(crate) struct Devices {
    open: Mutex<HashMap<String, Device>>,
    spent: Mutex<HashSet<String>>,
}

struct Device {
    user_code: String,
    scope: String,
    since: Instant,
    outcome: Option<Outcome>,
}

/// How a sign-in ended.
#[derive(Clone, PartialEq)]
pub(crate) enum Outcome {
    /// By the person with this id.
    Approved(String),
    Declined,
    Expired,
}

impl Devices {
    /// Ends the sign-in with a code, or all that are open. Answers how many there were.
    pub fn settle(&self, user_code: Option<&str>, outcome: &Outcome) -> usize {
        let mut open = self.open.lock();
        let meant = open.values_mut().filter(|device| user_code.is_none_or(|code| code == device.user_code));
        meant.map(|device| device.outcome = Some(outcome.clone())).count()
    }

    /// Whether a refresh token was still good; it no longer is.
    pub fn spend(&self, number: &str) -> bool {
        self.spent.lock().insert(number.to_owned())
    }
}

pub(super) fn begin(world: &World, call: &Call, form: &Form) -> Result<Value, Complaint> {
    token::known_app(world, form.need("client_id")?)?;
    let scope = form.need("scope")?.to_owned();
    let device_code = world.guid().replace('-', "");
    let user_code = world.guid().to_uppercase().replace('-', "")[..9].to_owned();
    let verification_uri = format!("{}/_sim/device", call.origin);
    let message = format!(
        "To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate."
    );
    let answer = json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": verification_uri,
        "expires_in": LIFETIME.as_secs(),
        "interval": world.knobs().switches.device_interval_s,
        "message": message,
    });
    let device = Device { user_code, scope, since: Instant::now(), outcome: None };
    world.devices.open.lock().insert(device_code, device);
    Ok(answer)
}

pub(super) fn redeem(world: &World, call: &Call, form: &Form) -> Result<Value, Complaint> {
    token::known_app(world, form.need("client_id")?)?;
    let code = form.need("device_code")?;
    let (person, scope) = {
        let open = world.devices.open.lock();
        let device =
            open.get(code).ok_or_else(|| bare("bad_verification_code", "The device_code was not recognised."))?;
        (device.person()?, device.scope.clone())
    };
    world.devices.open.lock().remove(code);
    Ok(granted(world, call, &person, &scope))
}

impl Device {
    fn person(&self) -> Result<String, Complaint> {
        match &self.outcome {
            _ if self.since.elapsed() > LIFETIME => Err(expired()),
            Some(Outcome::Expired) => Err(expired()),
            Some(Outcome::Approved(person)) => Ok(person.clone()),
            Some(Outcome::Declined) => Err(bare("authorization_declined", "The person refused to sign in.")),
            None => Err(bare("authorization_pending", "The person has not finished signing in. Keep polling.")),
        }
    }
}

fn expired() -> Complaint {
    bare("expired_token", "The device_code has expired.")
}

fn bare(error: &'static str, text: &str) -> Complaint {
    Complaint { error, code: None, text: text.to_owned() }
}

/// The answer for a person who signed in. Scopes are granted as asked for.
pub(super) fn granted(world: &World, call: &Call, person: &str, scope: &str) -> Value {
    let resource = world.options.resources.first().cloned().unwrap_or_else(|| call.origin.clone());
    let plain: Vec<&str> = scope.split_whitespace().filter_map(|one| one.rsplit('/').next()).collect();
    let protocol = ["openid", "profile", "email", "offline_access"];
    let scopes: Vec<&str> = plain.iter().copied().filter(|one| !protocol.contains(one)).collect();
    let token = token::issue(world, call, &resource, |claims| {
        claims.scp = Some(scopes.join(" "));
        claims.oid = person.to_owned();
    });
    let mut answer = token::answer(world, token);
    answer["scope"] = scopes.join(" ").into();
    if plain.contains(&"offline_access") {
        let refresh = Refresh { person: person.to_owned(), scope: scope.to_owned(), number: world.guid() };
        answer["refresh_token"] = world.seal.seal(&refresh).into();
    }
    answer
}
