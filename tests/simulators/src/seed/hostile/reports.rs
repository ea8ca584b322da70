//! What mail systems write to each other.

use super::{Shape, head, shape, text};
use crate::seed::mime::{multipart, part};

pub(super) fn shapes() -> Vec<Shape> {
    vec![delivery(), headers_only(), disposition(), abuse(), loops()]
}

const STATUS: &str = "Reporting-MTA: dns; mx.valmont.example\r\n\r\nFinal-Recipient: rfc822; absent@voisin.example\r\n\
                      Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n";

/// RFC 3464, with the whole mail.
fn delivery() -> Shape {
    let status = part("Content-Type: message/delivery-status", STATUS);
    let whole = part("Content-Type: message/rfc822", head("returned").with(text("returned")));
    report("delivery-report", "delivery-status", &[status, whole])
}

/// RFC 3464, with the header of the mail alone.
fn headers_only() -> Shape {
    let status = part("Content-Type: message/delivery-status", STATUS);
    let headers = part("Content-Type: text/rfc822-headers", head("returned").bytes());
    report("delivery-report-headers-only", "delivery-status", &[status, headers])
}

/// RFC 8098.
fn disposition() -> Shape {
    let fields = "Reporting-UA: valmont; Outlook\r\nFinal-Recipient: rfc822; emilie.lefevre@valmont.example\r\n\
                  Original-Message-ID: <x@voisin.example>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n";
    let notification = part("Content-Type: message/disposition-notification", fields);
    report("disposition-notification", "disposition-notification", &[notification])
}

/// RFC 5965.
fn abuse() -> Shape {
    let feedback =
        part("Content-Type: message/feedback-report", "Feedback-Type: abuse\r\nUser-Agent: t/1\r\nVersion: 1\r\n");
    report(
        "abuse-report",
        "feedback-report",
        &[feedback, part("Content-Type: message/rfc822", head("spam").with(text("spam")))],
    )
}

fn report(name: &'static str, kind: &str, machine: &[Vec<u8>]) -> Shape {
    let said = text(name);
    let entity = multipart(&format!("report; report-type={kind}"), "report", &[&[said], machine].concat());
    let mail = head(name).set("From", "MAILER-DAEMON@valmont.example").add("Return-Path", "<>").with(entity);
    shape(name, mail)
}

/// A mail that went round in circles.
fn loops() -> Shape {
    let hop = |n: u32| {
        format!(
            "from mx{n}.example (mx{n}.example [192.0.2.{}]) by mx{}.example with ESMTPS id {n:08x};\r\n\tTue, 05 May 2026 09:30:00 +0200",
            n % 250,
            n + 1
        )
    };
    let mail = (0..120).fold(head("received-120-times"), |head, n| head.add("Received", hop(n)));
    shape("received-120-times", mail.with(text("received")))
}
