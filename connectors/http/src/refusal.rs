//! A sign-in that was refused, and what a person does about it.

use transhume_contract::{Fault, Reach, What};

/// What a token endpoint said when it refused. `description` may be long and holds ids, never secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// RFC 6749 section 5.2: `invalid_client`, `invalid_grant`...
    pub error: String,
    /// Numeric codes of the service's own (`error_codes`), where it gives them.
    pub codes: Vec<u64>,
    pub description: String,
    /// The service's id of the failed request (`trace_id`, or a header).
    pub request_id: Option<String>,
    /// The server's clock minus ours, in seconds, as its Date header told.
    pub clock_skew: Option<i64>,
}

/// Turns a refusal into a fault that says what to do. Every service has its own codes; [`rfc6749`] is the common ground.
pub type TokenFaults = fn(&Refusal) -> Fault;

/// The reading of RFC 6749 section 5.2 and RFC 8628 section 3.5.
pub fn rfc6749(refusal: &Refusal) -> Fault {
    let step = match refusal.error.as_str() {
        "invalid_client" => "check the client id and its secret or certificate",
        "invalid_grant" => "sign in again: the grant has expired or was withdrawn",
        "unauthorized_client" => "allow this way of signing in for the registered application",
        "invalid_scope" => "check the scope that is asked for",
        "access_denied" | "authorization_declined" => "start again and accept the request",
        "expired_token" => "start again: the code was not entered in time",
        _ => "check the address of the token endpoint, the client id and its secret or certificate",
    };
    let code = refusal.codes.first().map_or_else(|| refusal.error.clone(), u64::to_string);
    Fault::new(What::Unauthenticated, format!("the sign-in was refused ({})", refusal.error))
        .reaching(Reach::Run)
        .ask(step)
        .code(code)
        .request(refusal.request_id.clone())
}
