//! A server of calendars and address books from its configuration.

use super::{NotBuilt, credential};
use crate::config::DavConfig;
use std::sync::Arc;
use transhume_contract::Target;
use transhume_dav::{self as connector, DavTarget};

pub fn target(config: &DavConfig) -> Result<Arc<dyn Target>, NotBuilt> {
    let mut settings = connector::DavConfig::new(config.url.as_str());
    settings.server = config.server;
    settings.principal.clone_from(&config.principal);
    settings.ca_file.clone_from(&config.ca_file);
    settings.connections = config.connections;
    settings.silence_seconds = config.timeout;
    Ok(Arc::new(DavTarget::new(settings, credential::of(config.login())?)?))
}
