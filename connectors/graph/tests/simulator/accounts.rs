use crate::stage::{Stage, config, hostile, plain};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transhume_contract::{Access, AccountKind, Presence, Reach, Severity, Source, What};
use transhume_graph::{GraphSource, Proof, device_sign_in};
use transhume_simulators::{Options, Running, Simulator, dump::Entry};

async fn pages(source: &GraphSource) -> (Vec<transhume_contract::Account>, Vec<transhume_contract::Unreachable>) {
    let (mut accounts, mut unreachable, mut from) = (Vec::new(), Vec::new(), None);
    loop {
        let page = source.accounts(from.as_ref()).await.unwrap();
        accounts.extend(page.accounts);
        unreachable.extend(page.unreachable);
        from = page.next;
        if from.is_none() {
            return (accounts, unreachable);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_tells_kinds_sizes_and_what_is_out_of_reach() {
    let mut dump = hostile(5, 10);
    let archived = dump.entries.iter_mut().find(|entry| entry.kind == "user").unwrap();
    archived.resource["_sim"] = json!({"archive": true});
    let owner = archived.resource["id"].as_str().unwrap().to_owned();
    let unified = |entry: &&mut Entry| entry.kind == "group" && entry.resource["groupTypes"][0] == "Unified";
    dump.entries.iter_mut().find(unified).expect("a Microsoft 365 group").resource["_sim"] =
        json!({"conversations": 23});
    let stage = Stage::of(dump).await;
    let (accounts, unreachable) = pages(&stage.source).await;
    let users = stage.sim.tenant().entries.iter().filter(|entry| entry.kind == "user").count();
    assert_eq!(accounts.len(), users);
    for kind in
        [AccountKind::Person, AccountKind::Shared, AccountKind::Room, AccountKind::Equipment, AccountKind::Guest]
    {
        assert!(accounts.iter().any(|account| account.kind == kind), "{kind:?}");
    }
    let absent = accounts.iter().filter(|account| matches!(account.workloads[0].1, Presence::Absent(_))).count();
    assert!(absent >= 2, "the guest and the trainee have no mailbox");
    let present = accounts.iter().filter(|account| account.workloads[0].1 == Presence::Present);
    assert!(present.clone().count() >= 5);
    assert!(present.clone().all(|account| account.workloads[0].2.items.is_some()));
    let kinds: Vec<&str> = unreachable.iter().map(|one| one.kind.as_str()).collect();
    assert!(kinds.contains(&"public_folders") && kinds.contains(&"group_conversations"), "{kinds:?}");
    let group = unreachable.iter().find(|one| one.kind == "group_conversations").unwrap();
    assert_eq!(group.size.items, Some(23));
    assert!(unreachable.iter().all(|one| one.rescue.contains("before the tenant closes")));
    let archives: Vec<_> = unreachable.iter().filter(|one| one.kind == "in_place_archive").collect();
    assert_eq!(archives.len(), 1, "one person has one: {archives:?}");
    let address = &accounts.iter().find(|account| account.id.as_str() == owner).unwrap().address;
    assert!(archives[0].rescue.contains(&format!("The online archive of {address} has no API")), "{archives:?}");
    assert!(archives[0].rescue.contains("move its mail back into the mailbox"), "{archives:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_goes_on_where_permissions_end() {
    let mut options = Options::default();
    options.knobs.roles = ["User.Read.All", "Mail.Read"].map(str::to_owned).to_vec();
    let stage = Stage::with(hostile(2, 5), options).await;
    let (accounts, unreachable) = pages(&stage.source).await;
    assert!(accounts.iter().any(|account| account.workloads[0].1 == Presence::Present));
    assert!(unreachable.iter().any(|one| one.kind == "group_conversations" && one.account.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_out_of_scope_is_denied_and_no_other() {
    for raop in [false, true] {
        let mut options = Options::default();
        options.knobs.switches.raop_wording = raop;
        let stage = Stage::with(plain(3, 2), options).await;
        let account = stage.first().await;
        stage.sim.faults(json!({"mailboxes": {&account.address: {"scoped_out": true}}})).unwrap();
        let accounts = stage.accounts().await;
        let denied = accounts.iter().filter(|one| matches!(one.workloads[0].1, Presence::Denied(_))).count();
        assert_eq!(denied, 1);
        let inbox = stage.inbox(&accounts[1]).await;
        assert!(stage.walk(&inbox, None).await.is_ok());
        let fault = stage.source.collections(&account, transhume_contract::Workload::Mail).await.unwrap_err();
        assert_eq!((fault.what, fault.reach), (What::Forbidden, Reach::Account));
        let access = stage.source.check(Some(&account)).await.unwrap();
        assert_eq!(codes(&access), ["mailbox_denied"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_mailboxes_are_absent_in_every_wording() {
    let mut options = Options::default();
    options.knobs.switches.resource_not_found_wording = true;
    let stage = Stage::with(hostile(1, 2), options).await;
    let accounts = stage.accounts().await;
    assert!(accounts.iter().filter(|one| matches!(one.workloads[0].1, Presence::Absent(_))).count() >= 2);
}

fn codes(access: &Access) -> Vec<&str> {
    access.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_every_permission_has_no_findings() {
    let stage = Stage::of(plain(2, 2)).await;
    assert_eq!(codes(&stage.source.check(None).await.unwrap()), [""; 0]);
    assert_eq!(codes(&stage.source.check(Some(&stage.first().await)).await.unwrap()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_are_named_one_by_one() {
    let mut options = Options::default();
    options.knobs.roles = vec!["Contacts.Read".into()];
    let stage = Stage::with(plain(2, 2), options).await;
    let access = stage.source.check(None).await.unwrap();
    assert_eq!(access.worst(), Some(Severity::Blocker));
    for permission in
        ["User.Read.All", "Mail.Read", "MailboxSettings.Read", "Reports.Read.All", "Calendars.Read", "Group.Read.All"]
    {
        let named =
            access.findings.iter().find(|finding| finding.sentence.contains(&format!("{permission} is missing")));
        assert!(named.unwrap().fix.contains("grant admin consent"), "{permission}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skewed_clock_and_concealed_names_are_found() {
    let mut options = Options::default();
    options.knobs.clock_offset_s = 900;
    options.knobs.switches.concealed_names = true;
    let stage = Stage::with(plain(2, 2), options).await;
    let access = stage.source.check(None).await.unwrap();
    assert_eq!(codes(&access), ["clock_skew", "concealed_names"]);
    assert!(access.findings[0].sentence.contains("behind"), "{}", access.findings[0].sentence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_may_not_be_had_now_holds_nothing_up() {
    let mut options = Options::default();
    options.knobs.limits.reports = 0;
    let stage = Stage::with(plain(2, 2), options).await;
    let since = std::time::Instant::now();
    let access = stage.source.check(None).await.unwrap();
    assert_eq!(codes(&access), ["no_usage_report"]);
    assert!(access.findings[0].sentence.contains("not available now"), "{}", access.findings[0].sentence);
    assert_eq!(access.findings[0].severity, Severity::Note);
    let (accounts, unreachable) = pages(&stage.source).await;
    assert!(accounts.iter().all(|account| account.workloads[0].2.items.is_none()));
    let unknown: Vec<_> = unreachable.iter().filter(|one| one.kind == "in_place_archive").collect();
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].account.is_none() && unknown[0].rescue.contains("survey` again in ten minutes"));
    assert!(since.elapsed() < std::time::Duration::from_secs(5), "{:?}", since.elapsed());
    let endpoints = stage.sim.stats().requests;
    assert_eq!(endpoints["GET /reports/getMailboxUsageDetail"].values().sum::<u64>(), 1, "{endpoints:?}");
}

async fn refused(change: impl FnOnce(&mut transhume_graph::GraphConfig), options: Options) -> (Access, Running) {
    let sim = Simulator::start(plain(1, 1), options).await.unwrap();
    let mut config = config(&sim);
    change(&mut config);
    (GraphSource::new(&config).unwrap().check(None).await.unwrap(), sim)
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_sign_ins_are_findings_that_say_what_to_do() {
    let options = || Options { expired_secrets: vec!["old".into()], ..Options::default() };
    let secret = |text: &str| Proof::Secret(text.to_owned().into());
    let (access, _) = refused(|config| config.proof = secret("wrong"), options()).await;
    assert_eq!(codes(&access), ["sign_in_refused"]);
    assert!(access.findings[0].fix.contains("Value"), "{}", access.findings[0].fix);
    let (access, _) = refused(|config| config.proof = secret("old"), options()).await;
    assert!(access.findings[0].sentence.contains("expired"), "{}", access.findings[0].sentence);
    let (access, _) = refused(|config| config.tenant = "nowhere.example".into(), options()).await;
    assert!(access.findings[0].sentence.contains("no such tenant"), "{}", access.findings[0].sentence);
    let (access, _) = refused(|config| config.client_id = "other".into(), options()).await;
    assert!(access.findings[0].sentence.contains("does not know the application"), "{}", access.findings[0].sentence);
}

/// Plays the person in front of the code: the control surface has no other door.
async fn approve(sim: &Running, user: &str) {
    let body = json!({"outcome": "approve", "user": user}).to_string();
    let request = format!(
        "POST /_sim/device HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", sim.port())).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_sign_in_reads_ones_own_mailbox() {
    let mut options = Options::default();
    options.knobs.switches.device_interval_s = 1;
    let stage = Stage::with(plain(1, 4), options).await;
    let account = stage.first().await;
    let mut config = config(&stage.sim);
    let (sign_in, prompt) = device_sign_in(&config).await.unwrap();
    assert!(!prompt.user_code.is_empty() && prompt.verification_uri.starts_with("http"));
    approve(&stage.sim, &account.address).await;
    config.proof = sign_in.wait().await.unwrap().proof;
    let source = GraphSource::new(&config).unwrap();
    let tree = source.collections(&account, transhume_contract::Workload::Mail).await.unwrap();
    assert!(!tree.is_empty());
}
