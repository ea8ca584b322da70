#![allow(clippy::unwrap_used)]
use super::*;
use transhume_contract::{Remedy, What};
use transhume_http::Refusal;

fn complaint(status: u16, body: &str) -> Complaint {
    Complaint::read(status, body.as_bytes())
}

fn verdict(status: u16, body: &str) -> Verdict {
    classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes()).verdict
}

#[test]
fn the_innermost_code_that_is_understood_wins() {
    let body = r#"{"error":{"code":"BadRequest","message":"m","innerError":{"code":"errorcorruptdata",
        "innererror":{"code":"NeverHeardOf","request-id":"r-1"}}}}"#;
    let fault = complaint(500, body).fault(Asked::Item, "a message");
    assert_eq!(fault.remedy, Remedy::Skip(Cause::CorruptAtSource));
    assert_eq!(fault.code.as_deref(), Some("errorcorruptdata"));
    assert_eq!(fault.request_id.as_deref(), Some("r-1"));
}

#[test]
fn a_page_is_never_skipped_for_one_damaged_item() {
    let body = r#"{"error":{"code":"ErrorCorruptData","message":"Data is corrupt.,Invalid global object ID: 1"}}"#;
    let fault = complaint(500, body).fault(Asked::Folder, "a page");
    assert_eq!((fault.what, fault.remedy), (What::Malformed, Remedy::Later));
}

#[test]
fn a_refusal_of_to_do_is_no_refusal_of_the_token() {
    let body = r#"{"error":{"code":"UnknownError","message":""}}"#;
    let fault = complaint(401, body).fault(Asked::Mailbox, "the lists of To Do");
    assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Account));
    assert_eq!(verdict(401, body), Verdict::Final);
    assert_eq!(verdict(502, body), Verdict::Transient);
}

#[test]
fn empty_bodies_and_empty_codes_go_by_their_status() {
    assert_eq!(complaint(404, "").fault(Asked::Item, "a message").what, What::Vanished);
    assert_eq!(complaint(503, "").fault(Asked::Item, "a message").what, What::Unreachable);
    let empty = complaint(410, r#"{"error":{"code":"","message":""}}"#).fault(Asked::Folder, "a page");
    assert_eq!((empty.what, empty.code.as_deref()), (What::CursorExpired, Some("HTTP 410")));
}

#[test]
fn the_road_is_told_what_to_do() {
    let coded = |code: &str, message: &str| format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
    assert_eq!(verdict(401, &coded("InvalidAuthenticationToken", "x")), Verdict::TokenRefused);
    assert_eq!(verdict(401, &coded("AuthenticationError", "x")), Verdict::Final);
    assert_eq!(verdict(503, ""), Verdict::Transient);
    assert_eq!(verdict(500, &coded("InternalServerError", "x")), Verdict::Transient);
    assert_eq!(verdict(500, &coded("InternalServerError", "Error while processing response.")), Verdict::Final);
    assert_eq!(verdict(500, &coded("ErrorContentConversionFailed", "x")), Verdict::Final);
    assert_eq!(verdict(429, ""), Verdict::Throttled(None));
    let crowded = coded("ApplicationThrottled", "Application is over its MailboxConcurrency limit.");
    assert_eq!(verdict(429, &crowded), Verdict::Crowded(None));
}

#[test]
fn a_denied_mailbox_reaches_the_account_and_says_what_to_do() {
    let body = r#"{"error":{"code":"ErrorAccessDenied","message":"Access to OData is disabled."}}"#;
    let fault = complaint(403, body).fault(Asked::Item, "a message");
    assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Account));
    assert!(fault.next_step().unwrap().contains("RBAC"));
    assert_eq!(
        fault.sentence,
        "Microsoft Graph refused a message: the application is not allowed into this mailbox (ErrorAccessDenied: \
         Access to OData is disabled.)",
    );
}

#[test]
fn long_ids_are_not_quoted_whole() {
    let id = "A".repeat(152);
    let line = quoted(&format!("The object\r\n {id} is gone"));
    assert!(!line.contains(&id) && line.starts_with("The object …AAA"), "{line}");
}

#[test]
fn every_line_of_the_catalogue_names_its_source() {
    let all = [table::WORDS, table::CODES, table::STATUSES];
    assert!(all.iter().flat_map(|table| table.iter()).all(|known| !known.source.is_empty() && !known.seen.is_empty()));
}

#[test]
fn refused_sign_ins_say_what_to_do() {
    let refused = |error: &str, codes: &[u64], description: &str| {
        token_fault(&Refusal {
            status: 401,
            error: error.into(),
            codes: codes.to_vec(),
            description: description.into(),
            clock_skew: Some(-600),
            ..Refusal::default()
        })
    };
    let wrong = refused("invalid_client", &[7_000_215], "");
    assert_eq!((wrong.what, wrong.reach), (What::Unauthenticated, Reach::Run));
    assert!(wrong.next_step().unwrap().contains("Value"));
    assert!(refused("invalid_client", &[700_024], "").sentence.contains("by 600 seconds"));
    let unknown = refused("invalid_x", &[99], "AADSTS99: Odd thing.\r\nTrace ID: 1-2 Correlation ID: 3");
    assert_eq!(unknown.sentence, "Microsoft refused the sign-in: Odd thing (AADSTS99)");
}
