//! How Entra says no: an OAuth error and an AADSTS code (Entra docs: error codes).

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Complaint {
    pub error: &'static str,
    /// None where the protocol's own error says it all, as while a device code is pending.
    pub code: Option<u32>,
    pub text: String,
}

impl Complaint {
    pub fn new(error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self { error, code: Some(code), text: text.into() }
    }

    pub fn missing(name: &str) -> Self {
        Self::new(
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{name}'."),
        )
    }

    pub fn no_such_tenant(tenant: &str) -> Self {
        let text = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        Self::new("invalid_request", 90_002, text)
    }

    pub fn malformed_tenant(tenant: &str) -> Self {
        let text =
            format!("Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.");
        Self::new("invalid_request", 900_023, text)
    }

    pub fn unknown_app(app: &str, tenant: &str) -> Self {
        let text = format!("Application with identifier '{app}' was not found in the directory '{tenant}'.");
        Self::new("unauthorized_client", 700_016, text)
    }

    pub fn scope(scope: &str) -> Self {
        let text =
            format!("The provided request must include a 'scope' input parameter. The scope {scope} is not valid.");
        Self::new("invalid_scope", 70_011, text)
    }

    /// Wrong client credentials are 401, everything else is 400.
    pub fn status(&self) -> StatusCode {
        match self.error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub fn body(&self, trace: &str, correlation: &str, now: Timestamp) -> Value {
        let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let code = self.code.map(|code| format!("AADSTS{code}: ")).unwrap_or_default();
        let text = &self.text;
        json!({
            "error": self.error,
            "error_description":
                format!("{code}{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"),
            "error_codes": self.code.into_iter().collect::<Vec<u32>>(),
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
        })
    }
}
