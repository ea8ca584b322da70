//! How the service says no. Three dialects: Exchange in `PascalCase` with `Error` before it, the directory with
//! `Request_` and `Authorization_`, drives in `camelCase` (Microsoft Graph docs: error responses).

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
    /// A finer code inside.
    pub inner: Option<&'static str>,
    pub headers: Vec<(&'static str, String)>,
    /// Nothing follows the headers: the service does that with 503 and 404 at times.
    pub empty: bool,
}

impl Refusal {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (code, message) = (code.into(), message.into());
        Self { status, code, message, inner: None, headers: Vec::new(), empty: false }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The error envelope; its date has no zone.
    pub fn envelope(&self, request: &str, client: &str, now: Timestamp) -> Value {
        let mut envelope = json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                "request-id": request,
                "client-request-id": client,
            },
        }});
        if let Some(code) = self.inner {
            envelope["error"]["innerError"]["code"] = code.into();
        }
        envelope
    }
}

/// The refusals that several rooms need, in the words of the service.
impl Refusal {
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn unparsable(message: impl Into<String>) -> Self {
        Self::new(400, "RequestBroker--ParseUri", message)
    }

    pub fn no_such_segment(segment: &str) -> Self {
        Self::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
    }

    pub fn malformed_id() -> Self {
        Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }

    pub fn unauthenticated(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    pub fn directory_forbidden() -> Self {
        Self::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }

    pub fn exchange_forbidden() -> Self {
        Self::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    }

    pub fn item_not_found() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    pub fn no_such_resource(id: &str) -> Self {
        let message =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// Options that change tracking does not take.
    pub fn not_with_tracking(of: &str) -> Self {
        let options = "'$orderby, $filter, $select, $expand, $search'";
        let message = format!(
            "The following parameters are not supported with change tracking over the '{of}' resource: {options}."
        );
        Self::new(400, "ErrorInvalidUrlQuery", message)
    }

    pub fn untracked(what: &str) -> Self {
        let message = format!("Change tracking is not supported against 'microsoft.graph.{what}'.");
        Self::new(400, "ErrorInvalidRequest", message)
    }

    /// What a To Do request of an application was answered with (wisecom-oy/atlas#148).
    pub fn unknown_error() -> Self {
        Self::new(401, "UnknownError", "")
    }

    pub fn odata_unsupported() -> Self {
        Self::new(405, "ErrorInvalidRequest", "The OData request is not supported.")
    }

    /// The service keeps only so many generations of a sync state (microsoft-graph-docs#2350).
    pub fn sync_state_gone(generation: u64) -> Self {
        let [g1, g2, g3, g4] = [8, 6, 7, 8].map(|ahead| generation + ahead);
        let message = format!(
            "The sync state generation is not found; generation={generation};[highest={g1}][{g4}][{g2}][{g3}]."
        );
        Self::new(410, "SyncStateNotFound", message)
    }

    pub fn drive_item_not_found() -> Self {
        Self::new(404, "itemNotFound", "The resource could not be found.")
    }

    pub fn drive_forbidden() -> Self {
        Self::new(403, "accessDenied", "Access denied")
    }

    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "invalidRequest", message)
    }

    pub fn page_poisoned() -> Self {
        Self::new(500, "InternalServerError", "Error while processing response.")
    }

    /// Not the service's words: a room of the simulator that is not built yet says so.
    pub fn not_simulated(what: &str) -> Self {
        Self::new(501, "NotSimulated", format!("This simulator does not serve {what} yet."))
    }
}
