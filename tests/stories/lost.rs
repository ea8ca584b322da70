//! Which items lost something, by the name of the loss.

use crate::setting::{Story, base64, ordinary, server};
use serde_json::{Value, json};

const LOSS: &str = "importance_low";

/// A message whose low importance no keyword tells.
fn unimportant(user: &str, id: &str, date: &str) -> Value {
    let mime = base64(&format!("Message-ID: <{id}@x>\r\nSubject: {id}\r\n\r\nx\r\n"));
    let set = json!({ "receivedDateTime": date, "importance": "low" });
    json!({ "op": "new_message", "user": user, "folder": "inbox", "mime": mime, "set": set })
}

#[test]
fn the_items_that_have_a_loss_are_listed_with_the_numbers_that_explain_takes() {
    let story = Story::with_server(&ordinary(2, 4), server(2));
    let user = story.addresses[0].clone();
    story.mutate(json!([
        unimportant(&user, "the older one", "2020-04-01T10:00:00Z"),
        unimportant(&user, "the newer one", "2021-04-01T10:00:00Z"),
    ]));
    story.run(&["explain", "--loss", LOSS]).is(
        2,
        "no item has the loss importance_low\nNo loss was met so far; `transhume plan --sample 20` looks for some, and a \
         run finds all.",
    );
    story.run(&["run"]).tells(0, &["`transhume explain --loss NAME` lists the items of one"]);

    let of_one = ["explain", "--loss", LOSS, "--account", &user];
    let said = story.run(&of_one);
    said.tells(0, &["the older one", "the newer one", " have the loss importance_low. `transhume explain "]);
    assert!(said.out.find("the newer one") < said.out.find("the older one"), "the newest first: {}", said.out);
    let json = story.run(&[&of_one[..], &["--json"]].concat());
    let lines: Vec<_> = json.ok().events().into_iter().filter(|event| event["type"] == "loss").collect();
    let figures = ["items", "shown"].map(|name| json.summary()[name].as_u64());
    assert_eq!(figures, [Some(lines.len() as u64); 2], "{}", json.out);
    for line in &lines {
        assert!(line["account"] == *user && line["details"][0].is_string(), "{line}");
        let number = line["item"].as_u64().unwrap().to_string();
        story.run(&["explain", &number, "--account", &user]).tells(0, &["loss importance_low: "]);
    }
    let older = lines.iter().find(|line| line["subject"] == "the older one").expect("it is listed");
    assert_eq!(older["received"], "2020-04-01T10:00:00Z", "{older}");
    assert!(older["collections"].as_array().is_some_and(|names| names.len() == 1), "{older}");
}

#[test]
fn a_loss_that_many_have_is_told_with_a_hundred_of_them_and_their_number() {
    let story = Story::new(&ordinary(1, 2));
    let user = &story.addresses[0];
    let many = (0..105).map(|n| unimportant(user, &format!("{n} of many"), "2020-04-01T10:00:00Z"));
    story.mutate(many.collect());
    story.run(&["run"]).ok();
    let json = story.run(&["explain", "--loss", LOSS, "--json"]);
    let lines = json.ok().events().into_iter().filter(|event| event["type"] == "loss").count();
    let all = json.summary()["items"].as_u64().unwrap();
    assert_eq!((lines, json.summary()["shown"].as_u64(), all >= 105), (100, Some(100), true), "{all}");
    let sentence = format!("{all} items have the loss importance_low (100 of them are shown).");
    story.run(&["explain", "--loss", LOSS]).tells(0, &[&sentence]);
}

#[test]
fn a_name_that_no_loss_has_is_answered_with_those_that_were_met() {
    let story = Story::new(&ordinary(1, 2));
    story.mutate(unimportant(&story.addresses[0], "one", "2020-04-01T10:00:00Z"));
    story.run(&["run"]).ok();
    let met = ["no item has the loss importance_lo\nThese were met: ", LOSS];
    story.run(&["explain", "--loss", "importance_lo"]).complains(2, &met);
    story.run(&["explain", "1", "--loss", LOSS]).complains(2, &["cannot be used with"]);
    story.run(&["explain"]).complains(2, &["required arguments were not provided"]);
}
