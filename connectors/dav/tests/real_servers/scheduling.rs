//! Nobody hears of a meeting that is moved. Cyrus delivers to other accounts of its own when it is not kept silent.

use crate::{
    raw::Raw,
    setting::{
        alice, bob, calendar, cyrus, event, key, observe, place, place_one, placement, placing, started, target_at,
    },
};
use futures::StreamExt;
use std::os::unix::{fs::PermissionsExt, net::UnixDatagram};
use transhume_contract::{
    AccountId, Canary, Collection, CollectionId, Depth, Placed, Placing, Remedy, Scheduling, Target, What, Workload,
};
use transhume_dav::{DavConfig, DavTarget, Kind};
use transhume_servers::{Cyrus, DavKind, RawDav, Wire, Words};

/// Listens where Cyrus hands over its mails.
struct Trap(UnixDatagram);

impl Trap {
    fn at(server: &Cyrus) -> Self {
        let path = server.notify_socket();
        let socket = UnixDatagram::bind(&path).unwrap();
        // Cyrus is another user.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    fn caught(&self) -> usize {
        let mut buffer = vec![0; 1 << 16];
        std::iter::from_fn(|| self.0.recv(&mut buffer).ok()).count()
    }
}

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";

fn canary(target: &DavTarget) -> &dyn Canary {
    target.canary().unwrap()
}

/// A meeting of alice's with bob and somebody outside in it, as a migration writes it.
fn meeting(uid: &str, sequence: u32) -> String {
    event(
        uid,
        &format!(
            "SEQUENCE:{sequence}\r\nORGANIZER:mailto:{ALICE}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{ALICE}\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:{BOB}\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION;SCHEDULE-AGENT=CLIENT:mailto:out@elsewhere.example\r\n"
        ),
    )
}

/// The same as it stands in bob's calendar, who answers it.
fn invitation(uid: &str, answer: &str) -> String {
    event(
        uid,
        &format!(
            "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:{ALICE}\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=CLIENT:mailto:{ALICE}\r\nATTENDEE;PARTSTAT={answer}:mailto:{BOB}\r\n"
        ),
    )
}

/// Everything in an account's calendars and its scheduling inbox.
async fn everything(target: &DavTarget, account: &AccountId, inbox: &str) -> Vec<String> {
    let mut places = target.others(account, Workload::Calendar, &[]).await.unwrap();
    let id = CollectionId::new(inbox);
    places.push(Collection { id, ..places[0].clone() });
    let mut uids = Vec::new();
    for at in places {
        let seen: Vec<_> = target.observe(&at, Depth::Content.into()).collect().await;
        uids.extend(seen.into_iter().filter_map(|one| one.unwrap().facts.message_id));
    }
    uids
}

#[tokio::test]
async fn meetings_are_moved_changed_and_removed_on_cyrus_without_a_word() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    assert!(everything(&target, &bob(), "/dav/calendars/user/bob/Inbox/").await.is_empty());
    let trap = Trap::at(&server);
    let (at, other) = (calendar(&target, "Meetings").await, calendar(&target, "More").await);
    let mut placed = Vec::new();
    for n in 0..200 {
        placed.push(place_one(&target, &at, &format!("m-{n}"), &meeting(&format!("m-{n}"), 0)).await.unwrap());
    }
    assert!(placed.iter().all(|placement| placement.version.is_some()), "without a version none can be replaced");
    let again = |n: usize| {
        let uid = format!("m-{n}");
        Placing { instead: Some(placed[n].clone()), ..placing(&uid, &meeting(&uid, 1)) }
    };
    let answers = place(&target, &at, (0..100).map(again).collect()).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()));
    for placement in &placed[100..130] {
        target.withdraw(placement).await.unwrap();
    }
    for placement in &placed[130..] {
        target.relocate(placement, &other, None).await.unwrap();
    }
    assert_eq!((observe(&target, &at).await.len(), observe(&target, &other).await.len()), (100, 70));
    assert_eq!(everything(&target, &bob(), "/dav/calendars/user/bob/Inbox/").await, Vec::<String>::new());
    assert_eq!(trap.caught(), 0, "mails for people outside");
}

/// The other half: what bob's own calendar says of alice's meetings sends her no answers.
#[tokio::test]
async fn what_an_invited_account_holds_answers_nobody() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    target.traits(&alice()).await.unwrap();
    let mut want = crate::setting::wanted(Workload::Calendar, &["Invited"]);
    want.account = bob();
    let at = target.ensure(&want).await.unwrap();
    let placed = place_one(&target, &at, "i-1", &invitation("i-1", "NEEDS-ACTION")).await.unwrap();
    let changed = Placing { instead: Some(placed), ..placing("i-1", &invitation("i-1", "DECLINED")) };
    let version = place(&target, &at, vec![changed]).await.remove(0).1.unwrap().version;
    let second = place_one(&target, &at, "i-2", &invitation("i-2", "ACCEPTED")).await.unwrap();
    target.withdraw(&second).await.unwrap();
    assert!(version.is_some());
    assert_eq!(everything(&target, &alice(), "/dav/calendars/user/alice/Inbox/").await, Vec::<String>::new());
}

/// An event that was not made silent is not sent, whoever made it so.
#[tokio::test]
async fn what_could_invite_is_not_sent_at_all() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let at = calendar(&target, "Loud").await;
    let loud = meeting("loud", 0).replace(";SCHEDULE-AGENT=CLIENT", "");
    let batch = vec![placing("loud", &loud), placing("quiet", &meeting("quiet", 0))];
    let answers = place(&target, &at, batch).await;
    let fault = answers.iter().find(|(uid, _)| uid == "loud").unwrap().1.as_ref().unwrap_err();
    assert_eq!(fault.what, What::Unmappable, "{fault}");
    assert!(matches!(fault.remedy, Remedy::Skip(_)) && fault.sentence.contains("SCHEDULE-AGENT=CLIENT"), "{fault}");
    assert_eq!(observe(&target, &at).await.len(), 1);
    assert!(everything(&target, &bob(), "/dav/calendars/user/bob/Inbox/").await.is_empty());
}

/// Another tool put it there, so that Cyrus informs its people whenever it changes: it stays as it is.
#[tokio::test]
async fn a_meeting_that_invites_is_never_ours_to_replace() {
    let server = cyrus();
    let url = server.dav_url().unwrap();
    let (target, trap) = (target_at(&url), Trap::at(&server));
    let at = calendar(&target, "Found").await;
    let (loud, quiet) = (meeting("loud", 0).replace(";SCHEDULE-AGENT=CLIENT", ""), meeting("quiet", 0));
    for (uid, text) in [("loud", &loud), ("quiet", &quiet)] {
        let path = format!("{}{uid}.ics", at.id.as_str());
        assert_eq!(Raw::new(&url, "alice", "secret").status("PUT", &path, &[], Some(text.clone())).await, 201);
    }
    assert!(trap.caught() > 0, "another tool's meeting invites");
    let found = target.find(&at, &[key("loud", &loud), key("quiet", &quiet)]).await.unwrap();
    let version = |uid: &str| found.iter().find(|one| one.intent.as_str() == uid).unwrap().version.clone();
    assert!(version("loud").is_none() && version("quiet").is_some(), "{found:?}");
    let handle = found.iter().find(|one| one.intent.as_str() == "loud").unwrap().handle.clone();
    let adopted = placement(&at, Placed { handle: Some(handle), ..Placed::default() }, &loud);
    let newer = Placing { instead: Some(adopted.clone()), ..placing("loud", &meeting("loud", 1)) };
    assert!(place(&target, &at, vec![newer]).await.remove(0).1.is_err());
    assert!(target.withdraw(&adopted).await.is_err());
    assert_eq!((observe(&target, &at).await.len(), trap.caught()), (2, 0));
}

/// Cyrus before a client whose marks it does not understand.
const UNMARKED: Words = &[("SCHEDULE-AGENT=CLIENT", "SCHEDULE-AGENT=SERVER")];

fn port_of(url: &str) -> u16 {
    url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_canary_proves_silence_and_catches_its_absence() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let method = canary(&target).method(&alice()).await.unwrap().unwrap();
    assert!(
        method.starts_with("Cyrus 3.6.1") && method.contains("schedule-agent-client, one by one and together"),
        "{method}"
    );
    let trap = Trap::at(&server);
    let unseen = canary(&target).prove(&alice(), &bob(), Some("out@elsewhere.example")).await.unwrap();
    // It cannot look into mailboxes, and says whose a person is to look into.
    assert_eq!(unseen.len(), 1, "{unseen:?}");
    assert!(unseen[0].sentence.contains(BOB) && unseen[0].sentence.contains("out@elsewhere.example"), "{unseen:?}");
    assert_eq!(trap.caught(), 0, "mails for people outside");
    let names: Vec<_> = target.others(&alice(), Workload::Calendar, &[]).await.unwrap();
    assert!(names.iter().all(|one| !one.name.contains("canary")), "the trial left its calendar behind");
    let wire = Wire::start(port_of(&server.dav_url().unwrap()), UNMARKED, &[]).unwrap();
    let loud = target_at(&wire.url());
    let fault = canary(&loud).prove(&alice(), &bob(), Some("out@elsewhere.example")).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Forbidden, transhume_contract::Reach::Run));
    assert!(fault.sentence.contains(BOB) && fault.sentence.contains("when it was placed"), "{fault}");
    // And the trap catches what would have left.
    assert!(trap.caught() > 0, "the trap catches nothing at all");
}

#[tokio::test]
async fn a_canary_reads_only_what_came_since_it_began() {
    let server = cyrus();
    let direct = target_at(&server.dav_url().unwrap());
    let mut want = crate::setting::wanted(Workload::Calendar, &["Full"]);
    want.account = bob();
    let at = direct.ensure(&want).await.unwrap();
    for n in 0..20 {
        place_one(&direct, &at, &format!("f-{n}"), &event(&format!("f-{n}"), "")).await.unwrap();
    }
    let wire = Wire::start(port_of(&server.dav_url().unwrap()), &[], &[]).unwrap();
    canary(&target_at(&wire.url())).prove(&alice(), &bob(), None).await.unwrap();
    assert_eq!(wire.seen("REPORT"), 0, "what stood there before was read");
}

/// Where nothing could arrive, nothing is proven.
#[tokio::test]
async fn a_canary_between_nobodies_proves_nothing() {
    let cyrus = cyrus();
    let target = target_at(&cyrus.dav_url().unwrap());
    let oneself = canary(&target).prove(&alice(), &alice(), None).await.unwrap_err();
    assert_eq!(oneself.what, What::Unsupported);
    assert!(oneself.sentence.contains("one account") && oneself.next_step().is_some(), "{oneself}");
    for outside in ["nobody", "a b@x.example", BOB, "x@y.example\r\nATTENDEE:mailto:z@z"] {
        let odd = canary(&target).prove(&alice(), &bob(), Some(outside)).await.unwrap_err();
        assert!(odd.what == What::Unsupported && odd.next_step().unwrap().contains("--trap"), "{odd}");
    }
    // Radicale tells no addresses.
    let radicale = started(DavKind::Radicale);
    let unknown = canary(&target_at(&radicale.url())).prove(&alice(), &bob(), None).await.unwrap_err();
    assert_eq!(unknown.what, What::Unsupported);
    assert!(unknown.sentence.contains("no e-mail address of alice") && unknown.next_step().is_some(), "{unknown}");
}

#[tokio::test]
async fn servers_that_never_write_need_no_proof_and_those_that_always_do_are_not_tried() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    assert_eq!(canary(&target).method(&alice()).await.unwrap(), None);
    let config = DavConfig { server: Some(Kind::Sogo), ..DavConfig::new(server.url()) };
    let sogo = DavTarget::new(config, crate::setting::OnePassword::new("secret")).unwrap();
    assert_eq!(canary(&sogo).method(&alice()).await.unwrap(), None);
    assert_eq!(canary(&sogo).prove(&alice(), &bob(), None).await.unwrap_err().what, What::Unsupported);
    let at = calendar(&sogo, "People").await;
    let fault = place_one(&sogo, &at, "s", &meeting("s", 0)).await.unwrap_err();
    assert_eq!(fault.what, What::Unmappable, "{fault}");
}

/// Xandikos 0.4 writes to everybody in a meeting of somebody whose address it knows, and to nobody else.
#[tokio::test]
async fn xandikos_is_quiet_only_while_it_knows_no_address() {
    let server = started(DavKind::Xandikos);
    let way = async |target: &DavTarget| target.traits(&alice()).await.unwrap().profile.objects.unwrap().scheduling;
    let before = target_at(&server.url());
    assert_eq!(way(&before).await, Scheduling::Unneeded);
    let early = place_one(&before, &calendar(&before, "Early").await, "early", &meeting("early", 0)).await.unwrap();
    let body = format!(
        "<propertyupdate xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><set><prop>\
         <c:calendar-user-address-set><href>mailto:{ALICE}</href></c:calendar-user-address-set></prop></set></propertyupdate>"
    );
    let raw = RawDav::new(&server.url(), "alice", "secret");
    raw.send("PROPPATCH", "/alice/", &body).await.unwrap();
    let target = target_at(&server.url());
    assert_eq!(way(&target).await, Scheduling::NoOrganizer);
    assert_eq!(canary(&target).method(&alice()).await.unwrap(), None, "no meeting goes there at all");
    let at = calendar(&target, "Meetings").await;
    let fault = place_one(&target, &at, "x", &meeting("x", 0)).await.unwrap_err();
    assert_eq!(fault.what, What::Unmappable, "{fault}");
    // Nor is one removed that it would mail a cancellation of.
    let fault = target.withdraw(&early).await.unwrap_err();
    assert!(fault.what == What::Forbidden && fault.sentence.contains("cancelled"), "{fault}");
    assert_eq!(observe(&target, &early.at).await.len(), 1);
    // Why: it delivers, whatever the marks say.
    let path = format!("{}loud.ics", at.id.as_str());
    raw.send("PUT", &path, &meeting("loud", 0)).await.unwrap();
    let stored = raw.send("GET", &path, "").await.unwrap().replace("\r\n ", "");
    assert!(stored.contains("SCHEDULE-STATUS"), "{stored}");
}
