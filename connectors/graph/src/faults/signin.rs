//! Refused sign-ins: what Entra's AADSTS codes mean and what a person does about them.
//!
//! Entra docs: client credentials flow, certificate credentials, device authorization grant, AADSTS error codes.

use super::quoted;
use transhume_contract::{Fault, Reach, What};
use transhume_http::Refusal;

struct Known {
    codes: &'static [u64],
    seen: &'static str,
    step: &'static str,
}

static SIGN_INS: &[Known] = &[
    Known {
        codes: &[7_000_215],
        seen: "the client secret is wrong",
        step: "copy the secret's Value from Entra (App registrations, Certificates & secrets), not its Secret ID",
    },
    Known {
        codes: &[7_000_222],
        seen: "the client secret has expired",
        step: "make a new secret in Entra (App registrations, Certificates & secrets), or better, use a certificate",
    },
    Known {
        codes: &[700_016],
        seen: "this tenant does not know the application",
        step: "check tenant and client id: the application must be registered in, or consented to by, this very tenant",
    },
    Known {
        codes: &[90_002, 900_023],
        seen: "there is no such tenant",
        step: "check the tenant: its id (a GUID) or one of its verified domains, in the right cloud",
    },
    Known {
        codes: &[700_027],
        seen: "the certificate is not registered for this application",
        step: "upload the certificate (its public half) in Entra under Certificates & secrets, and check that it is this one",
    },
    Known {
        codes: &[700_024],
        seen: "the sign-in lies outside its time window",
        step: "set this machine's clock right (NTP): it differs too much from the service's",
    },
    Known {
        codes: &[50_027, 700_021, 700_023, 700_030],
        seen: "the signed assertion is not accepted",
        step: "check that the login host and the tenant are those the application is registered with",
    },
    Known {
        codes: &[70_011, 500_011, 1_002_012],
        seen: "the scope does not belong to this cloud",
        step: "check the cloud: login host, Graph host and scope must be of the same one",
    },
    Known {
        codes: &[65_001],
        seen: "nobody has consented to the application yet",
        step: "have an administrator give consent (API permissions, Grant admin consent)",
    },
    Known {
        codes: &[7_000_112, 7_000_218, 7_000_216],
        seen: "the application may not sign in this way",
        step: "enable the application in Entra, and for a device sign-in allow public client flows (Authentication)",
    },
    Known {
        codes: &[50_076, 50_079, 53_003, 53_000],
        seen: "Conditional Access or multi-factor authentication stands in the way",
        step: "sign in interactively again, or exempt the application in Conditional Access",
    },
    Known { codes: &[70_008, 700_082, 50_173], seen: "the sign-in has expired or was revoked", step: "sign in again" },
];

/// AADSTS700027 says two things; this is the one whose reason reads "The key used is expired".
static EXPIRED_CERTIFICATE: Known = Known {
    codes: &[700_027],
    seen: "the certificate has expired",
    step: "make a new certificate, upload its public half in Entra (App registrations, Certificates & secrets) and name \
           it in transhume.toml",
};

const OTHERWISE: &str = "check tenant, client id, and secret or certificate; the code is explained at \
                         https://login.microsoftonline.com/error";

/// The fault a refused sign-in is. A refused secret is not tried again until it changes.
pub fn token_fault(refusal: &Refusal) -> Fault {
    let known = if is_of(&EXPIRED_CERTIFICATE, refusal) && refusal.description.contains("is expired") {
        Some(&EXPIRED_CERTIFICATE)
    } else {
        SIGN_INS.iter().find(|known| is_of(known, refusal))
    };
    let code = refusal.codes.first().map_or_else(|| refusal.error.clone(), |code| format!("AADSTS{code}"));
    let seen = known.map_or_else(|| described(refusal), |known| known.seen.to_owned());
    let step = known.map_or(OTHERWISE, |known| known.step);
    let skewed =
        refusal.clock_skew.filter(|seconds| known.is_some_and(|k| k.codes.contains(&700_024)) && *seconds != 0);
    let skew = skewed.map(|seconds| format!(", by {} seconds", seconds.abs())).unwrap_or_default();
    Fault::new(What::Unauthenticated, format!("Microsoft refused the sign-in: {seen}{skew} ({code})"))
        .reaching(Reach::Run)
        .ask(step)
        .code(code)
        .request(refusal.request_id.clone())
}

fn is_of(known: &Known, refusal: &Refusal) -> bool {
    refusal.codes.iter().any(|code| known.codes.contains(code))
}

/// The first line of the description, without the ids that follow it.
fn described(refusal: &Refusal) -> String {
    let text = refusal.description.split("Trace ID").next().unwrap_or_default();
    let text = text.split_once(": ").map_or(text, |(_, rest)| rest).trim().trim_end_matches('.');
    if text.is_empty() { refusal.error.clone() } else { quoted(text) }
}
