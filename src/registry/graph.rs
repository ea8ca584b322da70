//! Microsoft Graph from its configuration.

use super::NotBuilt;
use crate::{
    config::{ConfigError, GraphConfig, Limits, SecretError},
    engine::Stop,
};
use std::{sync::Arc, time::Duration};
use transhume_contract::{Fault, Source};
use transhume_graph::{self as connector, Certificate, Cloud, GraphSource, Proof, Signature, Window, device_sign_in};

/// Requests stay this share below the limit: the service counts refused ones too.
const MARGIN: f64 = 0.96;

pub async fn source(config: &GraphConfig, limits: &Limits, stop: &Stop) -> Result<Arc<dyn Source>, NotBuilt> {
    let mut settings = connector::GraphConfig::new(&config.tenant, &config.client_id, proof(config)?);
    settings.cloud = Cloud::named(&config.cloud)?;
    settings.login_host.clone_from(&config.login_url);
    settings.graph_host.clone_from(&config.graph_url);
    settings.network.extra_ca.clone_from(&config.ca_file);
    settings.lanes = limits.lanes;
    settings.window = window(limits);
    if config.device_code {
        stop.unless(sign_in(&mut settings)).await?;
    }
    Ok(Arc::new(stop.unless(GraphSource::connect(&settings)).await?))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn window(limits: &Limits) -> Window {
    let requests = (limits.requests as f64 * MARGIN).max(1.0) as u32;
    Window { requests, per: Duration::from_secs(limits.window_seconds) }
}

/// The configuration has exactly one way to prove who asks; for a device code it is found out by `sign_in`.
fn proof(config: &GraphConfig) -> Result<Proof, NotBuilt> {
    let broken = |error: SecretError| ConfigError::Sense(error.to_string());
    if let Some(secret) = &config.client_secret {
        return Ok(Proof::Secret(secret.read(None).map_err(broken)?));
    }
    if let Some(file) = &config.certificate {
        let signature = if config.legacy_assertion { Signature::Rs256 } else { Signature::Ps256 };
        return Ok(Proof::Certificate(Certificate::from_files(file, file, signature)?));
    }
    Ok(Proof::Secret(String::new().into()))
}

/// Shows a person what to type where, and waits for them.
async fn sign_in(settings: &mut connector::GraphConfig) -> Result<(), Fault> {
    let (waiting, prompt) = device_sign_in(settings).await?;
    let minutes = prompt.expires_in.as_secs() / 60;
    crate::report::ask_person(&format!(
        "To sign in, open {} and enter the code {} within {minutes} minutes.",
        prompt.verification_uri, prompt.user_code
    ));
    settings.proof = waiting.wait().await?.proof;
    Ok(())
}
