//! How many items are on their way at once, when several collections of an account are filled.

use crate::{
    front::{Turn, front},
    setting::{OnePassword, calendar, event, place, placing, started},
};
use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};
use transhume_contract::Collection;
use transhume_dav::{DavConfig, DavTarget, Kind};
use transhume_servers::DavKind;

/// What the front sees of the items that are on their way.
#[derive(Default)]
struct Road {
    /// Now, and the most there ever were.
    gauge: Mutex<(usize, usize)>,
    /// Whether the item that is held back has come, and whether it may go on.
    held: Mutex<(bool, bool)>,
    change: Condvar,
}

impl Road {
    /// Long enough on the way for whatever goes beside it to meet it.
    fn pass(&self) {
        {
            let mut gauge = self.gauge.lock().unwrap();
            gauge.0 += 1;
            gauge.1 = gauge.1.max(gauge.0);
        }
        std::thread::sleep(Duration::from_millis(150));
        self.gauge.lock().unwrap().0 -= 1;
    }

    fn hold(&self) {
        let mut held = self.held.lock().unwrap();
        held.0 = true;
        while !held.1 {
            held = self.change.wait(held).unwrap();
        }
    }

    fn release(&self) {
        self.held.lock().unwrap().1 = true;
        self.change.notify_all();
    }

    /// The most at once since this was last asked.
    fn most(&self) -> usize {
        std::mem::take(&mut self.gauge.lock().unwrap().1)
    }
}

async fn fill(target: &DavTarget, at: &Collection, prefix: &str) {
    let uids: Vec<String> = (0..8).map(|n| format!("{prefix}-{n}")).collect();
    let answers = place(target, at, uids.iter().map(|uid| placing(uid, &event(uid, ""))).collect()).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{answers:?}");
}

/// As to a server that writes four at once into one collection; an account has four lanes.
#[tokio::test]
async fn an_accounts_lanes_are_shared_by_its_collections_and_given_back() {
    let server = started(DavKind::Radicale);
    let road = Arc::new(Road::default());
    let seen = road.clone();
    let url = front(server.port(), move |head| {
        if head.starts_with("PUT ") {
            if head.contains("/held.ics") { seen.hold() } else { seen.pass() }
        }
        Turn::Pass
    });
    let config = DavConfig { server: Some(Kind::Sabre), ..DavConfig::new(url) };
    let target = Arc::new(DavTarget::new(config, OnePassword::new("secret")).unwrap());
    let (one, two) = (calendar(&target, "One").await, calendar(&target, "Two").await);
    fill(&target, &two, "alone").await;
    assert_eq!(road.most(), 4, "one collection has all lanes");
    let beside = target.clone();
    let holding = tokio::spawn(async move { place(&beside, &one, vec![placing("held", &event("held", ""))]).await });
    while !road.held.lock().unwrap().0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fill(&target, &two, "shared").await;
    assert_eq!(road.most(), 2, "of two collections each has half of them");
    road.release();
    assert!(holding.await.unwrap()[0].1.is_ok());
    fill(&target, &two, "again").await;
    assert_eq!(road.most(), 4, "and what the other had is given back");
}
