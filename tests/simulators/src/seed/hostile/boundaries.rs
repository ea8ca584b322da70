//! Multiparts whose boundaries mislead.

use super::{Shape, over, text};
use crate::seed::mime::{multipart, part};

pub(super) fn shapes() -> Vec<Shape> {
    [missing(), misleading()].concat()
}

fn missing() -> Vec<Shape> {
    let whole = multipart("mixed", "open", &[text("first"), text("second")]);
    let open = &whole[..whole.len() - b"--open--\r\n".len()];
    let cut = &whole[..whole.len() - 40];
    let unnamed = part("Content-Type: multipart/mixed", "--b\r\n\r\nNobody named my boundary.\r\n--b--\r\n");
    let never = part("Content-Type: multipart/mixed; boundary=\"never\"", "It does not come.\r\n");
    let mut inner_open = multipart("alternative", "in", &[text("a"), text("b")]);
    inner_open.truncate(inner_open.len() - b"--in--\r\n".len());
    vec![
        over("boundary-never-closed", open),
        over("boundary-cut-in-the-last-part", cut),
        over("boundary-unnamed", unnamed),
        over("boundary-absent", never),
        over("boundary-inner-never-closed", multipart("mixed", "out", &[inner_open, text("after")])),
        over("multipart-without-parts", part("Content-Type: multipart/mixed; boundary=\"none\"", "--none--\r\n")),
    ]
}

fn misleading() -> Vec<Shape> {
    let lookalike = part("Content-Type: text/plain", "--=_x-not\r\n --=_x\r\n--=_\r\n-- \r\n--=_x--not\r\n=_x\r\n");
    let prefix = multipart("alternative", "abc-longer", &[text("inner one"), text("inner two")]);
    let around = [
        &b"Content-Type: multipart/mixed; boundary=around\r\n\r\nThis is a preamble.\r\n"[..],
        b"--around  \t\r\n\r\nBlanks after the boundary.\r\n--around--\r\nThis is an epilogue.\r\n--around\r\n\r\nNot a part.\r\n",
    ]
    .concat();
    vec![
        over("boundary-lookalikes", multipart("mixed", "=_x", &[lookalike, text("second")])),
        over("boundary-prefix-of-another", multipart("mixed", "abc", &[prefix, text("outer")])),
        over("boundary-with-odd-characters", multipart("mixed", "'()+_,-./:=? x", &[text("odd")])),
        over("boundary-of-70", multipart("mixed", &"b".repeat(70), &[text("long")])),
        over(
            "boundary-twice-the-same",
            multipart("mixed", "same", &[multipart("mixed", "same", &[text("in")]), text("out")]),
        ),
        over("preamble-and-epilogue", around),
        over("multipart-quoted-printable", multipart_with_encoding()),
    ]
}

/// RFC 2045 section 6.4 forbids it; senders do it.
fn multipart_with_encoding() -> Vec<u8> {
    let entity = multipart("mixed", "qp", &[text("quoted")]);
    [&b"Content-Transfer-Encoding: quoted-printable\r\n"[..], &entity].concat()
}
