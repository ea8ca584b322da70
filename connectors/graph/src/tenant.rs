//! Which tenant it is: its GUID, however the configuration spells it.

use crate::config::GraphConfig;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::time::Duration;
use transhume_contract::Fault;
use transhume_http::{HostRule, LaneKey, Proof, Request, Road, RoadConfig, Tokens, Url, Wire};

/// The longest the sign-in host is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const DOCUMENT: usize = 256 << 10;

/// The tenant's GUID; `None` where nobody tells it now.
pub async fn id(config: &GraphConfig, wire: &Wire, tokens: &dyn Tokens) -> Option<String> {
    if let Some(guid) = guid(&config.tenant) {
        return Some(guid);
    }
    match published(config, wire).await {
        Ok(Some(guid)) => Some(guid),
        Ok(None) | Err(_) => of_person(config, tokens).await,
    }
}

/// Every tenant publishes its GUID to everybody, in the issuer of its tokens (OpenID Connect Discovery 1.0, section 4).
async fn published(config: &GraphConfig, wire: &Wire) -> Result<Option<String>, Fault> {
    let url = config.discovery()?;
    let road = Road::new(wire.clone(), RoadConfig::new(vec![HostRule::of(&url)]), None);
    let request = Request::get(url, [LaneKey::new("login", "discovery")]).anonymous().within(PATIENCE);
    let answer = road.whole(request, DOCUMENT).await?;
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let issuer = document.get("issuer").and_then(Value::as_str).and_then(|issuer| Url::parse(issuer).ok());
    Ok(issuer.and_then(|issuer| issuer.path_segments()?.find_map(guid)))
}

/// `organizations` is whichever tenant the person who signed in belongs to: their token says.
async fn of_person(config: &GraphConfig, tokens: &dyn Tokens) -> Option<String> {
    if !matches!(config.proof, Proof::Refresh(_)) {
        return None;
    }
    let bearer = tokens.bearer().await.ok()?;
    guid(claims(bearer.token.expose_secret())?.get("tid")?.as_str()?)
}

/// What a token says. `None` when it is no readable JWT: tokens are the service's business, and may change their form.
pub fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}

fn guid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let groups: Vec<&str> = text.split('-').collect();
    let hexadecimal = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let right = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hexadecimal);
    right.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_known_by_its_shape() {
        let id = "6BABCAAD-604b-40ac-a9d7-9fd97c0b779f";
        assert_eq!(guid(&format!(" {id} ")), Some(id.to_lowercase()));
        for other in ["contoso", "contoso.example", "6babcaad-604b-40ac-a9d7", "zbabcaad-604b-40ac-a9d7-9fd97c0b779f"] {
            assert_eq!(guid(other), None, "{other}");
        }
    }
}
