//! Dates of every age and form.

use super::{Shape, bent};

#[rustfmt::skip]
const DATES: [(&str, &str); 16] = [
    ("date-before-1970", "Wed, 31 Dec 1969 23:59:59 +0000"),
    ("date-1901", "Tue, 01 Jan 1901 00:00:00 +0000"),
    ("date-1601", "Mon, 01 Jan 1601 00:00:00 +0000"),
    ("date-after-2038", "Tue, 19 Jan 2038 03:14:08 +0000"),
    ("date-2106", "Sun, 07 Feb 2106 06:28:16 +0000"),
    ("date-9999", "Fri, 31 Dec 9999 23:59:59 +0000"),
    ("date-two-digit-year", "Thu, 13 Feb 97 10:00 EST"),
    ("date-obsolete-zone", "5 May 2026 09:30:00 PDT"),
    ("date-zone-26-hours", "Tue, 05 May 2026 09:30:00 +2600"),
    ("date-commented", "Tue (mardi), 05 May (mai) 2026 09:30:00 (heure) +0200 (CEST)"),
    ("date-iso", "2026-05-05T09:30:00+02:00"),
    ("date-french", "mar., 05 mai 2026 09:30:00 +0200"),
    ("date-impossible", "Tue, 31 Feb 2026 25:61:61 +0200"),
    ("date-leap-second", "Sat, 31 Dec 2016 23:59:60 +0000"),
    ("date-junk", "hier"),
    ("date-empty", ""),
];

pub(super) fn shapes() -> Vec<Shape> {
    let all = DATES.iter().map(|(name, date)| bent(name, |head| head.set("Date", date)));
    all.chain([
        bent("no-date", |head| head.without("Date")),
        bent("date-twice", |head| head.add("Date", "Wed, 06 May 2026 10:00:00 +0200")),
    ])
    .collect()
}
