//! An IMAP target from its configuration.

use super::{NotBuilt, credential};
use crate::config::{ImapConfig, Security};
use std::sync::Arc;
use transhume_contract::Target;
use transhume_imap::{self as connector, ImapTarget};

pub fn target(config: &ImapConfig) -> Result<Arc<dyn Target>, NotBuilt> {
    let security = match config.security {
        Security::Tls => connector::Security::Tls,
        Security::Starttls => connector::Security::StartTls,
        Security::Plain => connector::Security::Plain,
    };
    let mut settings = connector::ImapConfig::new(config.host.clone(), security);
    settings.port = config.port;
    settings.allow_plain = config.allow_plain;
    settings.ca_file.clone_from(&config.ca_file);
    settings.connections = config.connections;
    settings.batch_items = config.batch;
    settings.silence_seconds = config.timeout;
    Ok(Arc::new(ImapTarget::new(settings, credential::of(config.login())?)?))
}
