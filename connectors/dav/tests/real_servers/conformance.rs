use crate::setting::{alice, cyrus, started, target_at};
use transhume_contract::{Workload, conformance};
use transhume_servers::DavKind;

async fn conforms(url: &str) {
    let target = target_at(url);
    for workload in [Workload::Calendar, Workload::Tasks, Workload::Contacts] {
        let report = conformance::objects(&target, &alice(), workload).await;
        assert!(report.passed(), "{workload}\n{report}");
    }
}

#[tokio::test]
async fn radicale() {
    let server = started(DavKind::Radicale);
    conforms(&server.url()).await;
}

#[tokio::test]
async fn xandikos() {
    let server = started(DavKind::Xandikos);
    conforms(&server.url()).await;
}

#[tokio::test]
async fn cyrus_of_debian() {
    let server = cyrus();
    conforms(&server.dav_url().unwrap()).await;
}
