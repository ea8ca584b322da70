use crate::stage::{Stage, hostile, plain};
use serde_json::{Value, json};
use transhume_contract::{Account, Cause, Listed, Reach, Remedy, Source, What, Workload, memory::HeldOriginal};
use transhume_simulators::{
    MimeCut, Options,
    dump::{Content, Dump, Entry},
};

/// Every message of an account, as listed.
async fn listed(stage: &Stage, account: &Account) -> Vec<Listed> {
    stage.whole(account).await.into_values().flat_map(|round| round.listed.into_values()).collect()
}

/// Gives the first message of a tenant other content.
fn first_message(dump: &mut Dump, content: Content, marks: Value) {
    let message = dump.entries.iter_mut().find(|entry| entry.kind == "message").unwrap();
    message.content = Some(content);
    message.resource["_sim"] = marks;
    message.resource["subject"] = "chosen".into();
    message.resource["hasAttachments"] = true.into();
    message.resource["body"] = json!({"contentType": "text", "content": "See both."});
}

async fn chosen(stage: &Stage, account: &Account) -> Listed {
    let mut all = listed(stage, account).await;
    all.retain(|one| one.facts.subject.as_deref() == Some("chosen"));
    all.remove(0)
}

fn two_attachments(bytes: usize) -> String {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let body = line.repeat(bytes / line.len());
    format!(
        "From: a@x.example\r\nSubject: chosen\r\nMessage-ID: <big@x>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"=_big_boundary_1\"\r\n\r\n\
         --=_big_boundary_1\r\nContent-Type: text/plain\r\n\r\nSee both.\r\n\
         --=_big_boundary_1\r\nContent-Type: application/pdf; name=one.pdf\r\nContent-ID: <cid-1>\r\n\
         Content-Disposition: attachment; filename=one.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\
         --=_big_boundary_1\r\nContent-Type: application/zip; name=two.zip\r\n\
         Content-Disposition: attachment; filename=two.zip\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n\
         --=_big_boundary_1--\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_original_of_a_hostile_mailbox_comes_byte_for_byte_or_is_skipped() {
    let stage = Stage::of(hostile(1, 20)).await;
    let account = stage.first().await;
    let mut wanted: Vec<Vec<u8>> = Vec::new();
    let broken =
        |entry: &Entry| entry.resource["_sim"]["fails"].is_string() || entry.resource["_sim"]["vanishes"] == true;
    wanted.extend(
        stage
            .messages(&account)
            .iter()
            .filter(|e| !broken(e))
            .filter_map(|e| Some(e.content.as_ref()?.to_bytes().to_vec())),
    );
    let (mut had, mut pieces) = (Vec::new(), 0);
    let all = listed(&stage, &account).await;
    for one in &all {
        match stage.fetch(&account, one).await {
            // Shapes whose outermost multipart never closes.
            Ok((original, _)) if original.part("mime").is_none() => {
                let message: Value = serde_json::from_slice(original.part("message").expect("its JSON")).unwrap();
                assert_eq!(message["id"], one.id.as_str());
                pieces += 1;
            }
            Ok((original, _)) => had.push(original.part("mime").expect("the MIME").to_vec()),
            Err(fault) => {
                let decided = matches!(fault.remedy, Remedy::Skip(_)) || fault.what == What::Vanished;
                assert!(decided && fault.reach == Reach::Item, "{fault}");
            }
        }
    }
    assert_eq!(had.len() + pieces, wanted.len());
    assert!((1..10).contains(&pieces), "{pieces} came in pieces");
    for one in had {
        let at = wanted.iter().position(|other| *other == one).expect("an original differs");
        wanted.swap_remove(at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_brings_one_message() {
    let stage = Stage::of(plain(1, 30)).await;
    let account = stage.first().await;
    let all = listed(&stage, &account).await;
    stage.sim.reset_stats();
    for one in &all {
        stage.fetch(&account, one).await.unwrap();
    }
    assert_eq!((stage.sim.stats().total, stage.sim.stats().bodies), (30, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_mime_stays_cut_comes_in_pieces() {
    for clean in [true, false] {
        let mut dump = plain(1, 3);
        let mime = two_attachments(24 << 20);
        first_message(&mut dump, Content::Bytes(mime.clone().into()), json!({}));
        let mut options = Options::default();
        options.knobs.switches.cut_mime = Some(MimeCut { above: 21 << 20, clean });
        let stage = Stage::with(dump, options).await;
        let account = stage.first().await;
        let (original, _) = stage.fetch(&account, &chosen(&stage, &account).await).await.unwrap();
        in_pieces(&original);
    }
}

fn in_pieces(original: &HeldOriginal) {
    assert!(original.part("mime").is_none());
    let read = |name: &str| -> Value { serde_json::from_slice(original.part(name).expect(name)).unwrap() };
    assert_eq!(read("message")["subject"], "chosen");
    assert!(read("message")["internetMessageHeaders"].is_array() && read("message")["body"].is_object());
    let meta = read("attachment/0/meta");
    assert_eq!((&meta["name"], &meta["contentType"]), (&json!("one.pdf"), &json!("application/pdf")));
    assert_eq!(meta["contentId"].as_str().map(|id| id.trim_matches(['<', '>'])), Some("cid-1"));
    assert!(meta.get("contentBytes").is_none());
    assert!(original.part("attachment/0").unwrap().starts_with(b"ABCABC"));
    assert_eq!(original.part("attachment/1").unwrap(), b"ABC");
}

fn many_attachments(count: usize) -> String {
    let part = |n: usize| {
        format!(
            "--=_big_boundary_1\r\nContent-Type: application/pdf; name={n}.pdf\r\nContent-Disposition: attachment; \
             filename={n}.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"
        )
    };
    let head = "From: a@x.example\r\nSubject: chosen\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
                boundary=\"=_big_boundary_1\"\r\n\r\n";
    let parts: String = (0..count).map(part).collect();
    format!("{head}{parts}--=_big_boundary_1--\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paged_list_of_attachments_is_read_to_its_end() {
    for page in [1, 2, 7, 50] {
        let mut dump = plain(1, 3);
        first_message(&mut dump, Content::Bytes(many_attachments(7).into()), json!({}));
        let mut options = Options::default();
        options.knobs.switches.cut_mime = Some(MimeCut { above: 600, clean: true });
        options.knobs.switches.attachments_page = page;
        let stage = Stage::with(dump, options).await;
        let account = stage.first().await;
        let (original, _) = stage.fetch(&account, &chosen(&stage, &account).await).await.unwrap();
        for n in 0..7 {
            let meta: Value = serde_json::from_slice(original.part(&format!("attachment/{n}/meta")).unwrap()).unwrap();
            assert_eq!(meta["name"], format!("{n}.pdf"), "pages of {page}");
            assert_eq!(original.part(&format!("attachment/{n}")).unwrap(), b"ABC");
        }
        assert!(original.part("attachment/7/meta").is_none());
    }
}

/// A message whose true end shows, cut once after each of its bytes as if it were whole.
async fn survives_every_cut(mime: &str) {
    let mut dump = plain(1, 2);
    first_message(&mut dump, Content::Bytes(mime.to_owned().into()), json!({}));
    let stage = Stage::of(dump).await;
    let account = stage.first().await;
    let one = chosen(&stage, &account).await;
    for after in 0..mime.trim_end().len() {
        let cut = json!({"kind": "truncate", "after": after, "tellable": true});
        stage.sim.faults(json!({"rules": [{"path": "value", "times": 1, "fault": cut}]})).unwrap();
        let (original, _) = stage.fetch(&account, &one).await.unwrap();
        assert!(original.part("mime") == Some(mime.as_bytes()), "cut after {after} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_that_looks_like_an_end_is_noticed_at_every_byte() {
    survives_every_cut(&many_attachments(1)).await;
    let line = "QUJD".repeat(19);
    let head = "Subject: chosen\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    survives_every_cut(&format!("{head}{line}\r\n{line}\r\nQUI=\r\n")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_far_shorter_than_the_mailbox_counts_is_asked_for_again() {
    let mime = format!("Subject: chosen\r\n\r\n{}", "A line of the minutes.\r\n".repeat(4000));
    let mut dump = plain(1, 2);
    first_message(&mut dump, Content::Bytes(mime.clone().into()), json!({}));
    let stage = Stage::of(dump).await;
    let account = stage.first().await;
    let one = chosen(&stage, &account).await;
    let at_a_line = mime.find("\r\n\r\n").unwrap() + 4 + 24 * 100;
    assert!(mime[..at_a_line].ends_with("\r\n"));
    let cut = json!({"kind": "truncate", "after": at_a_line});
    stage.sim.faults(json!({"rules": [{"path": "value", "times": 1, "fault": cut}]})).unwrap();
    let (original, _) = stage.fetch(&account, &one).await.unwrap();
    assert_eq!(original.part("mime").unwrap().len(), mime.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_cannot_be_opened_costs_only_itself() {
    let mut dump = plain(1, 3);
    first_message(&mut dump, Content::Bytes(two_attachments(4000).into()), json!({"attachment_fails": 0}));
    let mut options = Options::default();
    options.knobs.switches.cut_mime = Some(MimeCut { above: 3000, clean: true });
    let stage = Stage::with(dump, options).await;
    let account = stage.first().await;
    let (original, _) = stage.fetch(&account, &chosen(&stage, &account).await).await.unwrap();
    let meta: Value = serde_json::from_slice(original.part("attachment/0/meta").unwrap()).unwrap();
    assert_eq!(meta["transhume.error"]["code"], "ErrorCannotOpenFileAttachment");
    assert!(original.part("attachment/0").is_none());
    assert_eq!(original.part("attachment/1").unwrap(), b"ABC");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_item_is_skipped_with_its_cause() {
    for (code, cause) in [
        ("ErrorCorruptData", Cause::CorruptAtSource),
        ("ErrorContentConversionFailed", Cause::NotConvertible),
        ("ErrorInvalidRecipients", Cause::CorruptAtSource),
    ] {
        let mut dump = plain(1, 3);
        first_message(&mut dump, Content::Bytes("Subject: chosen\r\n\r\nx\r\n".into()), json!({"fails": code}));
        let stage = Stage::of(dump).await;
        let account = stage.first().await;
        let one = chosen(&stage, &account).await;
        stage.sim.reset_stats();
        let fault = stage.fetch(&account, &one).await.err().unwrap();
        assert_eq!((fault.remedy, fault.reach), (Remedy::Skip(cause), Reach::Item), "{code}");
        assert_eq!(stage.sim.stats().total, 1, "what is permanent is asked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_deleted_meanwhile_has_vanished() {
    let stage = Stage::of(plain(1, 3)).await;
    let account = stage.first().await;
    let one = listed(&stage, &account).await.remove(0);
    stage.mutate(json!({"op": "delete", "user": account.address, "message": one.id.as_str(), "hard": true}));
    let fault = stage.fetch(&account, &one).await.err().unwrap();
    assert_eq!((fault.what, fault.reach), (What::Vanished, Reach::Item));
}

#[tokio::test(flavor = "multi_thread")]
async fn mime_made_anew_at_each_call_starts_over_when_cut() {
    let mut options = Options::default();
    options.knobs.switches.regenerate_mime = true;
    let stage = Stage::with(plain(1, 5), options).await;
    let account = stage.first().await;
    let all = listed(&stage, &account).await;
    let rule = json!({"path": "value", "fault": {"kind": "reset", "after": 700}, "times": 3});
    stage.sim.faults(json!({"rules": [rule]})).unwrap();
    for one in &all {
        let (original, _) = stage.fetch(&account, one).await.unwrap();
        let mime = String::from_utf8_lossy(original.part("mime").unwrap()).into_owned();
        assert_eq!(mime.matches("X-MS-Exchange-CrossTenant-Network-Message-Id").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_come_as_the_service_gave_them() {
    let stage = Stage::of(hostile(1, 10)).await;
    let account = stage.first().await;
    let mut settings = HeldOriginal::default();
    stage.source.settings(&account, Workload::Mail, &mut settings).await.unwrap();
    for part in ["mailboxSettings", "messageRules", "masterCategories", "inferenceOverrides"] {
        let value: Value = serde_json::from_slice(settings.part(part).expect(part)).unwrap();
        assert!(value.get("@odata.nextLink").is_none(), "{part}");
    }
    let sharing: Value = serde_json::from_slice(settings.part("calendarPermissions").unwrap()).unwrap();
    let delegates = sharing["value"].as_array().unwrap().iter();
    let mut delegates = delegates.filter(|one| one["role"] == "delegateWithoutPrivateEventAccess");
    assert_eq!(delegates.next().unwrap()["emailAddress"]["name"], "Jürgen Groß");
    let rules: Value = serde_json::from_slice(settings.part("messageRules").unwrap()).unwrap();
    let held = stage.sim.tenant().entries;
    let own = |entry: &&Entry| entry.kind == "messageRule" && entry.user.as_deref() == Some(account.address.as_str());
    assert_eq!(rules["value"].as_array().unwrap().len(), held.iter().filter(own).count());
    stage.sim.faults(json!({"roles": ["User.Read.All", "Mail.Read", "MailboxSettings.Read"]})).unwrap();
    let mut without = HeldOriginal::default();
    stage.source.settings(&account, Workload::Mail, &mut without).await.unwrap();
    let sharing: Value = serde_json::from_slice(without.part("calendarPermissions").unwrap()).unwrap();
    assert_eq!(sharing["transhume.error"]["code"], "ErrorAccessDenied", "said, and no reason to go without the rest");
    assert!(without.part("messageRules").is_some());
    stage.sim.faults(json!({"roles": ["User.Read.All", "Mail.Read"]})).unwrap();
    let fault = stage.source.settings(&account, Workload::Mail, &mut settings).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Item));
    assert!(fault.next_step().unwrap().contains("MailboxSettings.Read"));
}
