#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use transhume_contract::{AccountId, FeedId, Workload};

fn endpoint() -> Endpoint {
    Endpoint::new(&Url::parse("https://graph.example").unwrap(), "app")
}

fn feed() -> Feed {
    Feed {
        account: AccountId::new("u1"),
        workload: Workload::Mail,
        id: FeedId::new("AQ="),
        collection: Some(CollectionId::new("AQ=")),
    }
}

fn link(text: &str) -> At {
    At::Link(text.to_owned())
}

fn spoilt() -> Fault {
    Fault::new(What::Malformed, "x").reaching(Reach::Collection).code("InternalServerError")
}

fn page(text: &str) -> wire::Page {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_round_starts_with_the_facts_asked_for_and_never_with_top() {
    let request =
        prepare(&crate::mail::rows::MAIL, &endpoint(), &feed(), &Place::start(Walk::Delta, 500), true).unwrap();
    let url = request.url.as_str();
    assert!(
        url.starts_with("https://graph.example/v1.0/users/u1/mailFolders/AQ%3D/messages/delta?$select=id,"),
        "{url}"
    );
    assert!(url.contains("$expand=singleValueExtendedProperties") && !url.contains("$top"), "{url}");
    assert_eq!(request.headers["prefer"], "IdType=\"ImmutableId\", odata.maxpagesize=500");
}

#[test]
fn a_walk_by_ids_selects_nothing_else() {
    let request =
        prepare(&crate::mail::rows::MAIL, &endpoint(), &feed(), &Place::start(Walk::DeltaIds, 100), true).unwrap();
    assert!(request.url.as_str().ends_with("/messages/delta?$select=id"));
    let plain = Place { at: At::Skip(7), ..Place::start(Walk::PlainIds, 1) };
    let request = prepare(&crate::mail::rows::MAIL, &endpoint(), &feed(), &plain, true).unwrap();
    assert!(request.url.as_str().ends_with("/messages?$select=id&$top=1&$skip=7"), "{}", request.url);
}

#[test]
fn an_empty_page_with_a_link_goes_on() {
    let place = Place::start(Walk::Delta, 62);
    let answer = page(r#"{"value":[],"@odata.nextLink":"https://graph.example/v1.0/x?$skiptoken=1"}"#);
    let expected = Place { size: 496, at: link("/v1.0/x?$skiptoken=1"), ..place.clone() };
    assert_eq!(next(&endpoint(), &place, &answer, 500).unwrap(), Next::More(expected.cursor()));
}

#[test]
fn a_delta_link_ends_the_round_and_starts_a_later_one() {
    let place = Place::start(Walk::Delta, 500);
    let answer = page(r#"{"value":[],"@odata.deltaLink":"https://graph.example/v1.0/x?$deltatoken=1"}"#);
    let expected = Place { fresh: false, at: link("/v1.0/x?$deltatoken=1"), ..place.clone() };
    assert_eq!(next(&endpoint(), &place, &answer, 500).unwrap(), Next::Done(expected.cursor()));
}

#[test]
fn a_page_without_links_ends_a_plain_listing_and_breaks_a_delta() {
    let plain = Place::start(Walk::Plain, 500);
    let Next::Done(cursor) = next(&endpoint(), &plain, &page("{\"value\":[]}"), 500).unwrap() else { panic!() };
    assert_eq!(Place::of(&cursor).unwrap().at, At::End);
    assert!(next(&endpoint(), &Place::start(Walk::Delta, 500), &page("{\"value\":[]}"), 500).is_err());
    let broken = page(r#"{"value":[],"@odata.nextLink":"https://graph.example/v1.0/users//x"}"#);
    assert!(next(&endpoint(), &plain, &broken, 500).is_err());
}

#[test]
fn a_spoilt_page_shrinks_then_goes_by_ids_then_plainly_then_steps_over() {
    let mut place = Place { at: link("/x?$skip=41"), ..Place::start(Walk::Delta, 500) };
    let mut seen = Vec::new();
    let stepped = loop {
        match instead(&place, &spoilt(), 500) {
            Instead::Ask(other) if other.walk == Walk::PlainIds => {
                break instead(&Place { size: 1, at: link("/x?$skip=41"), ..other }, &spoilt(), 500);
            }
            Instead::Ask(other) => place = other,
            other => panic!("{other:?}"),
        }
        seen.push((place.walk, place.size));
    };
    let delta = [(Walk::Delta, 62), (Walk::Delta, 7), (Walk::Delta, 1)];
    let ids = [(Walk::DeltaIds, 100), (Walk::DeltaIds, 12), (Walk::DeltaIds, 1)];
    assert_eq!(seen, [delta, ids].concat());
    assert_eq!(stepped, Instead::StepOver(41));
}

#[test]
fn a_later_round_that_is_spoilt_starts_over_as_a_whole_one() {
    let place = Place { fresh: false, at: link("/x?$deltatoken=1"), ..Place::start(Walk::Delta, 1) };
    let Instead::Ask(other) = instead(&place, &spoilt(), 500) else { panic!() };
    assert_eq!(other.at, At::End);
}

#[test]
fn a_full_mailbox_is_listed_plainly() {
    let full = Fault::new(What::Full, "x").reaching(Reach::Account);
    let Instead::Ask(other) = instead(&Place::start(Walk::Delta, 500), &full, 500) else { panic!() };
    assert_eq!(other, Place::start(Walk::Plain, 500));
    assert_eq!(instead(&Place::start(Walk::Plain, 500), &full, 500), Instead::GiveUp);
}

#[test]
fn a_collection_whose_changes_are_not_tracked_is_listed_plainly() {
    let refused = Fault::new(What::Unsupported, "x").reaching(Reach::Collection);
    let Instead::Ask(other) = instead(&Place::start(Walk::Delta, 500), &refused, 500) else { panic!() };
    assert_eq!(other, Place::start(Walk::Plain, 500));
    let later = Place { fresh: false, at: link("/x?$deltatoken=1"), ..Place::start(Walk::Delta, 500) };
    assert_eq!(instead(&later, &refused, 500), Instead::GiveUp);
}

#[test]
fn what_asking_differently_cannot_mend_is_given_up() {
    for what in [What::CursorExpired, What::Throttled, What::Forbidden, What::Vanished] {
        assert_eq!(instead(&Place::start(Walk::Delta, 500), &Fault::new(what, "x"), 500), Instead::GiveUp);
    }
}

#[test]
fn a_plain_page_shrinks_from_the_row_it_begins_at_and_grows_again_behind_it() {
    let place = Place { at: link("/x?$top=500&$skip=300"), ..Place::start(Walk::Plain, 500) };
    let Instead::Ask(shrunk) = instead(&place, &spoilt(), 500) else { panic!() };
    assert_eq!(shrunk, Place { size: 62, at: At::Skip(300), ..place });
    let answer = page(r#"{"value":[],"@odata.nextLink":"https://graph.example/v1.0/x?%24top=62&%24skip=362"}"#);
    let grown = Place { size: 496, at: At::Skip(362), ..shrunk.clone() };
    assert_eq!(next(&endpoint(), &shrunk, &answer, 500).unwrap(), Next::More(grown.cursor()));
    let large = Place { size: 500, ..shrunk };
    let followed = Place { at: link("/v1.0/x?%24top=62&%24skip=362"), ..large.clone() };
    assert_eq!(next(&endpoint(), &large, &answer, 500).unwrap(), Next::More(followed.cursor()));
}

#[test]
fn an_answer_that_broke_on_its_way_costs_no_row() {
    let broken = Fault::new(What::Malformed, "x").reaching(Reach::Collection);
    let place = Place { at: At::Skip(41), ..Place::start(Walk::PlainIds, 1) };
    assert_eq!(instead(&place, &broken, 500), Instead::GiveUp);
    assert_eq!(instead(&place, &spoilt(), 500), Instead::StepOver(41));
}

#[test]
fn an_outage_shrinks_a_page_and_ends_where_ids_fail_too() {
    let failed = Fault::new(What::Unreachable, "x").code("InternalServerError");
    assert!(matches!(instead(&Place::start(Walk::Delta, 500), &failed, 500), Instead::Ask(place) if place.size == 62));
    assert_eq!(
        instead(&Place::start(Walk::Delta, 1), &failed, 500),
        Instead::Ask(Place::start(Walk::DeltaIds, ONE_BY_ONE))
    );
    assert_eq!(instead(&Place::start(Walk::DeltaIds, ONE_BY_ONE), &failed, 500), Instead::GiveUp);
    let busy = Fault::new(What::Unreachable, "x").code("HTTP 503");
    assert_eq!(instead(&Place::start(Walk::Delta, 500), &busy, 500), Instead::GiveUp);
}
