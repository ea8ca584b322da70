//! The diary of what CalDAV and CardDAV servers refuse, and what we make of it.
//!
//! | answer | seen with | what we do |
//! |---|---|---|
//! | 401 | all | stop the account, never try that secret again |
//! | 503 to a right app password | Nextcloud 32, for a disabled user | later: it cannot be told from maintenance |
//! | 429 to everything | Nextcloud 32, after ten refused logins from one address | wait; three refusals stop us long before |
//! | 403 `unique-scheduling-object-resource` | Cyrus 3.6, for a UID in another calendar | quarantine: `duplicate_uid` |
//! | 409, 412 or 403 `no-uid-conflict`; 400 in words | Radicale 3.9, Xandikos 0.4; Nextcloud 32 | the same |
//! | 412 without a reason, to a first write | all | something stands under that name already, where something does |
//! | 412 where the condition is met | Radicale 3.9, to an object over its limit, measured on what it wrote anew | over the target's limit: quarantine |
//! | 403 `max-resource-size`, 413; 403 in words | others; Nextcloud 32, for cards of 5 MiB and what else its administrator limits | over the target's limit: quarantine |
//! | 403 `supported-calendar-component`, `valid-calendar-data`, 400, 415 | all | refused by itself: quarantine |
//! | 403 with `need-privileges` | read-only calendars | ask for the right |
//! | 403 in words | Nextcloud 32, for a series without an instance | refused by itself: quarantine |
//! | 403 without a reason | Radicale 3.9 for what is read-only | owed; quarantine when three passes were refused |
//! | 404, 405 or 409 without a reason, to a first write | all | the collection is gone |
//! | 500 with the name of an index of the database | Nextcloud 32, for a UID that lies in the calendar's trash | quarantine, `duplicate_uid`, with what to do |
//! | 500 to one object | Nextcloud 32: a rule it cannot expand | owed; quarantine when three passes were refused |
//! | 507 | Nextcloud 32, Radicale 3.9 with a full disk | the account is full |
//! | 200 with a page | a proxy's log-in form | not stored |

use crate::answer::{Answer, Complaint};
use std::time::Duration;
use transhume_contract::{Cause, Fault, Reach, What};

/// A server that is away for a moment is asked again after this.
const PAUSE: Duration = Duration::from_secs(30);

/// The secret was refused. It is not tried again in this process.
pub fn login_refused(place: &str, user: &str) -> Fault {
    Fault::new(What::Unauthenticated, format!("The CalDAV server {place} refused the login of {user}."))
        .reaching(Reach::Account)
        .code("HTTP 401")
        .ask(format!(
            "Correct the password or token of {user} in the settings (with Nextcloud it must be an app password), then run again; it is not tried again until then."
        ))
}

/// An administrator's own login was refused.
pub fn authority_refused(place: &str, authority: &str) -> Fault {
    Fault::new(What::Unauthenticated, format!("The CalDAV server {place} refused the login of {authority}."))
        .reaching(Reach::Run)
        .code("HTTP 401")
        .ask(format!("Correct the name or password of {authority} in the settings, then run again."))
}

/// Whoever answers offers no way to log in that is safe to use.
pub fn no_way_to_log_in(place: &str, offered: &str) -> Fault {
    let sentence =
        format!("The CalDAV server {place} offers only the login `{offered}`, and neither Basic nor Bearer.");
    Fault::new(What::Unauthenticated, sentence)
        .reaching(Reach::Run)
        .ask("Allow Basic authentication on the server (with Baikal: its settings, `WebDAV authentication type`).")
}

pub fn too_many_refusals(place: &str) -> Fault {
    let sentence =
        format!("The CalDAV server {place} refused the logins of three accounts in a row; no more are tried.");
    Fault::new(What::Unauthenticated, sentence)
        .reaching(Reach::Run)
        .ask("Correct the credentials of the target, then run again: some servers lock everybody out after ten.")
}

/// The administrator was let in, and not to this account.
pub fn not_opened(place: &str, authority: &str, user: &str, status: u16) -> Fault {
    let sentence = format!("The CalDAV server {place} shows {authority} no calendars of {user} (status {status}).");
    Fault::new(What::Unauthenticated, sentence).reaching(Reach::Account).ask(format!(
        "Check that the account {user} exists there under exactly that name (column `target` of accounts.csv) and that {authority} may write into it; else give each account's own password."
    ))
}

/// Acting for others where nobody says how.
pub fn no_acting(place: &str, server: &str) -> Fault {
    let sentence = format!("{place} is {server}, where one login cannot be used to write into the accounts of others.");
    Fault::new(What::Unsupported, sentence).reaching(Reach::Run).ask(
        "Give each account's own password (with Nextcloud an app password: `occ user:auth-tokens:add`), or name `principal` of the target.",
    )
}

pub fn no_calendars(place: &str, user: &str, what: &str) -> Fault {
    Fault::new(What::Unsupported, format!("The server {place} shows {user} no {what}."))
        .reaching(Reach::Account)
        .ask("Check `url` of the target, and that this account may have them; then run again.")
}

/// Cyrus 3.6 answers 500 until the account has an INBOX, which the first login over IMAP makes.
pub fn not_provisioned(place: &str, user: &str) -> Fault {
    Fault::new(What::Unreachable, format!("The CalDAV server {place} cannot open the account {user} (status 500)."))
        .reaching(Reach::Account)
        .code("HTTP 500")
        .ask("Check that the account exists there. Cyrus answers so until it has an INBOX: log in over IMAP once, or move its mail first.")
}

/// An answer that is none: a page, a cut document.
pub fn unreadable(place: &str, doing: &str, why: &str) -> Fault {
    Fault::new(What::Unreachable, format!("The answer of {place} to {doing} cannot be read: {why}.")).wait(PAUSE)
}

pub fn collection_vanished(name: &str) -> Fault {
    Fault::new(What::Vanished, format!("The collection `{name}` is no longer on the server."))
        .reaching(Reach::Collection)
        .ask("Somebody deleted it there. Run again to make it anew for what is new; what was in it is restored only by `push --repair`.")
}

pub fn item_vanished() -> Fault {
    Fault::new(What::Vanished, "The item is no longer where it was placed.")
}

pub fn changed_there() -> Fault {
    Fault::new(What::Forbidden, "The item was changed there since it was placed.")
}

/// An item that would make the server write to people.
pub fn would_invite(server: &str, why: &str) -> Fault {
    let sentence = format!("The event was not sent: {server} could mail its people, because {why}.");
    Fault::new(What::Unmappable, sentence).skip(Cause::RefusedByTarget)
}

/// A meeting that the server would cancel by mail.
pub fn would_cancel(server: &str) -> Fault {
    let sentence = format!("The event was not removed: {server} would mail its people that it is cancelled.");
    Fault::new(What::Forbidden, sentence)
}

/// A meeting that only a copy would move, and of which the server would tell its people.
pub fn would_tell(server: &str, why: &str) -> Fault {
    let sentence = format!(
        "The event was not moved: {server} moves nothing by itself, and could mail the event's people when it is written \
         anew and removed, because {why}. Move it there by hand."
    );
    Fault::new(What::Forbidden, sentence)
}

pub fn over_limit(length: u64, limit: u64) -> Fault {
    Fault::new(What::TooLarge, format!("The item has {length} bytes; the server takes at most {limit}."))
        .skip(Cause::OverTargetLimit)
}

/// A server that refuses by a condition what meets the condition means something else by it. Radicale 3.9 answers so,
/// without a word, to what is larger than it takes once it has written it in its own way.
pub fn unmet(place: &str, length: usize, answer: &Answer, is_radicale: bool) -> Fault {
    let status = answer.inner_status();
    match is_radicale && status == 412 {
        true => {
            let sentence = format!(
                "The server {place} refused the item, whose {length} bytes are more than it takes once it has written them \
                 in its own way (status 412)."
            );
            Fault::new(What::TooLarge, sentence).skip(Cause::OverTargetLimit)
        }
        // Owed, until it was refused in several passes.
        false => {
            let sentence = format!(
                "The server {place} refused the item on a condition that is met (status {status}): nothing stands in its way \
                 there."
            );
            Fault::new(What::Malformed, sentence)
        }
    }
    .code(format!("HTTP {status}"))
}

/// Under the name an item would get stands something that nobody recorded.
pub fn stands_already(place: &str) -> Fault {
    Fault::new(What::Exists, format!("At {place} something stands already under the name of this item."))
        .skip(Cause::DuplicateUid)
}

/// Words and reasons of a server, short enough for a sentence.
fn reason(answer: &Answer, complaint: &Complaint) -> String {
    let words = complaint.words.clone().or_else(|| complaint.conditions.first().cloned());
    let words = words.or_else(|| plain_words(answer));
    let status = answer.inner_status();
    match words.map(|words| words.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|words| !words.is_empty()) {
        Some(words) => {
            let short: String = words.trim_end_matches('.').chars().take(200).collect();
            format!("{short} (status {status})")
        }
        None => format!("status {status}"),
    }
}

/// What is said without markup.
fn plain_words(answer: &Answer) -> Option<String> {
    let text = std::str::from_utf8(&answer.body).ok()?.trim();
    (!text.starts_with('<') && text.len() < 500).then(|| text.to_owned())
}

fn says(complaint: &Complaint, names: &[&str]) -> bool {
    complaint.conditions.iter().any(|condition| names.contains(&condition.as_str()))
}

/// Whether a refusal says that the UID is taken, by a precondition or, with sabre/dav, in words.
fn is_duplicate(complaint: &Complaint) -> bool {
    says(complaint, &["unique-scheduling-object-resource", "no-uid-conflict"])
        || says_in_words(complaint, "uid already exists")
}

/// Nextcloud 32 shows what its database said: PostgreSQL and MySQL name the index, SQLite its columns.
fn is_trashed(status: u16, complaint: &Complaint) -> bool {
    let told = |words: &str| words.contains("calobjects_by_uid_index") || words.contains("calendarobjects.uid");
    status == 500 && complaint.words.as_deref().is_some_and(told)
}

fn trashed(place: &str) -> Fault {
    let sentence = format!(
        "An item of the same UID lies in this calendar's trash at {place}, which takes it only once. Delete it there for good \
         (calendar app, `Trash bin`), then try again with `--retry-quarantined`."
    );
    Fault::new(What::Exists, sentence).skip(Cause::DuplicateUid)
}

/// Nextcloud 32 says in words what others say by a precondition.
fn says_in_words(complaint: &Complaint, part: &str) -> bool {
    complaint.words.as_ref().is_some_and(|words| words.contains(part))
}

fn is_over_limit(complaint: &Complaint) -> bool {
    says(complaint, &["max-resource-size"]) || says_in_words(complaint, " object exceeds ")
}

fn duplicate(place: &str, complaint: &Complaint) -> Fault {
    let elsewhere = complaint.hrefs.first().map(|href| crate::paths::last_name(parent(href)));
    let elsewhere = elsewhere.filter(|name| !name.is_empty()).map(|name| format!(" in `{name}`")).unwrap_or_default();
    let sentence =
        format!("The server {place} already holds an item of the same UID{elsewhere}, and takes it only once.");
    Fault::new(What::Exists, sentence).skip(Cause::DuplicateUid)
}

fn parent(href: &str) -> &str {
    href.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// What a refusal of a write means. `doing` completes "refused".
pub fn refused(place: &str, doing: &str, answer: &Answer) -> Fault {
    let complaint = answer.complaint();
    let said = format!("The server {place} refused {doing}: {}.", reason(answer, &complaint));
    let status = answer.inner_status();
    let fault = match status {
        _ if is_duplicate(&complaint) => duplicate(place, &complaint),
        _ if is_trashed(status, &complaint) => trashed(place),
        401 => Fault::new(What::Unauthenticated, said).reaching(Reach::Account).ask(
            "The login was good before: check whether the password was changed or the account locked, then run again.",
        ),
        413 => Fault::new(What::TooLarge, said).skip(Cause::OverTargetLimit),
        403 | 409 | 412 if is_over_limit(&complaint) => Fault::new(What::TooLarge, said).skip(Cause::OverTargetLimit),
        403 if says_in_words(&complaint, "not generate any valid instances") => {
            Fault::new(What::Malformed, said).skip(Cause::RefusedByTarget)
        }
        403 if says(&complaint, &["need-privileges", "quota-not-exceeded"]) => not_permitted(said),
        507 => full(said),
        412 if complaint.conditions.is_empty() => Fault::new(What::Exists, said),
        // Of a server that gives no reason nobody knows whether it meant this item: owed, as at the end.
        403 if complaint.conditions.is_empty() => Fault::new(What::Malformed, said),
        400 | 403 | 412 | 415 | 422 => Fault::new(What::Malformed, said).skip(Cause::RefusedByTarget),
        404 | 405 | 409 | 410 => Fault::new(What::Vanished, said).reaching(Reach::Collection),
        423 => Fault::new(What::Throttled, said).wait(PAUSE),
        // Perhaps for good, perhaps not: owed, until it was refused in several passes.
        _ => Fault::new(What::Malformed, said),
    };
    fault.code(complaint.conditions.first().cloned().unwrap_or_else(|| format!("HTTP {status}")))
}

/// What it means that an answer does not say that something was written. `doing` completes "refused".
pub fn unwritten(place: &str, doing: &str, answer: &Answer) -> Fault {
    match answer.status {
        200 => unreadable(place, "a write", "status 200 says nothing of what was done"),
        _ => refused(place, doing, answer),
    }
}

fn not_permitted(said: String) -> Fault {
    Fault::new(What::Forbidden, said)
        .reaching(Reach::Collection)
        .ask("Give the account the right to write there, then run again.")
}

fn full(said: String) -> Fault {
    Fault::new(What::Full, said)
        .reaching(Reach::Account)
        .ask("Raise the account's quota on the server or free space in it, then run again.")
}

/// What a refusal to make or read a collection means.
pub fn collection_refused(place: &str, doing: &str, answer: &Answer) -> Fault {
    let fault = refused(place, doing, answer);
    let reach = fault.reach.max(Reach::Collection);
    let fault = match fault.what {
        What::Malformed | What::Exists => {
            let step = "Check on the server whether this account may make calendars and address books, then run again.";
            Fault { what: What::Forbidden, ..fault }.ask(step)
        }
        _ => fault,
    };
    fault.reaching(reach)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use transhume_contract::Remedy;
    use transhume_http::HeaderMap;

    fn fault(status: u16, inside: &str) -> Fault {
        let body = format!(
            "<d:error xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:s=\"http://sabredav.org/ns\">{inside}</d:error>"
        );
        refused("h", "the item", &Answer { status, headers: HeaderMap::new(), body: Bytes::from(body) })
    }

    const DUPLICATE: Option<Remedy> = Some(Remedy::Skip(Cause::DuplicateUid));
    const REFUSED: Option<Remedy> = Some(Remedy::Skip(Cause::RefusedByTarget));
    const TOO_LARGE: Option<Remedy> = Some(Remedy::Skip(Cause::OverTargetLimit));
    const OWED: Option<Remedy> = Some(Remedy::Later);
    /// Whoever is asked, and what for, stands in the fault.
    const ASKS: Option<Remedy> = None;

    const ELSEWHERE: &str = "<c:unique-scheduling-object-resource><d:href>/dav/calendars/user/ann/Old%20Plans/x.ics</d:href>\
        </c:unique-scheduling-object-resource>";
    const TWICE: &str = "<s:message>Calendar object with uid already exists in this calendar collection.</s:message>";
    const NO_DAY: &str = "<s:message>This recurrence rule does not generate any valid instances</s:message>";
    const TRASHED: &str = "<s:message>SQLSTATE[23505]: duplicate key value violates unique constraint \
        \"calobjects_by_uid_index\"</s:message>";
    const INVALID: &str = "<s:message>Validation error in iCalendar</s:message>";
    const LONG: &str = "<s:message>VCard object exceeds 5242880 bytes</s:message>";
    const UNCLEAR: &str = "<s:message>An exception occurred</s:message>";

    /// Statuses and words as servers gave them, and what each means.
    const ROWS: [(u16, &str, What, Reach, Option<Remedy>); 19] = [
        (403, ELSEWHERE, What::Exists, Reach::Item, DUPLICATE),
        (409, "<c:no-uid-conflict/>", What::Exists, Reach::Item, DUPLICATE),
        (412, "<c:no-uid-conflict/>", What::Exists, Reach::Item, DUPLICATE),
        (400, TWICE, What::Exists, Reach::Item, DUPLICATE),
        (412, "", What::Exists, Reach::Item, OWED),
        (412, "<c:valid-calendar-data/>", What::Malformed, Reach::Item, REFUSED),
        (403, "<c:supported-calendar-component/>", What::Malformed, Reach::Item, REFUSED),
        (415, INVALID, What::Malformed, Reach::Item, REFUSED),
        (403, "<c:max-resource-size/>", What::TooLarge, Reach::Item, TOO_LARGE),
        (403, LONG, What::TooLarge, Reach::Item, TOO_LARGE),
        (403, NO_DAY, What::Malformed, Reach::Item, REFUSED),
        (403, "", What::Malformed, Reach::Item, OWED),
        (413, "", What::TooLarge, Reach::Item, TOO_LARGE),
        (403, "<d:need-privileges/>", What::Forbidden, Reach::Collection, ASKS),
        (409, "", What::Vanished, Reach::Collection, ASKS),
        (500, UNCLEAR, What::Malformed, Reach::Item, OWED),
        (500, TRASHED, What::Exists, Reach::Item, DUPLICATE),
        (507, "", What::Full, Reach::Account, ASKS),
        (401, "", What::Unauthenticated, Reach::Account, ASKS),
    ];

    #[test]
    fn every_refusal_has_its_meaning() {
        for (status, inside, what, reach, remedy) in ROWS {
            let fault = fault(status, inside);
            assert_eq!((fault.what, fault.reach), (what, reach), "{status} {inside}: {fault}");
            assert!(remedy.is_none_or(|remedy| remedy == fault.remedy), "{status} {inside}: {:?}", fault.remedy);
        }
    }

    #[test]
    fn a_duplicate_says_where_the_other_one_is() {
        let fault = fault(403, ELSEWHERE);
        assert!(fault.sentence.contains("`Old Plans`"), "{fault}");
    }

    #[test]
    fn a_page_in_the_stead_of_an_answer_to_a_write_is_no_refusal() {
        let answer = |status| Answer { status, headers: HeaderMap::new(), body: Bytes::from("<html>log in</html>") };
        assert_eq!(unwritten("h", "the item", &answer(200)).what, What::Unreachable);
        assert_eq!(unwritten("h", "the item", &answer(413)).what, What::TooLarge);
    }
}
