#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::Limit;
use tokio::time::{sleep, timeout};

const PATIENT: Duration = Duration::from_secs(60);

fn patience() -> Patience {
    Patience { pause: Duration::from_millis(100), ..Patience::default() }
}

fn mailbox(of: &str) -> LaneKey {
    LaneKey::new("mailbox", of)
}

fn app() -> LaneKey {
    LaneKey::new("app", "one")
}

fn pacer(mailbox: usize, app: usize) -> Pacer {
    let limit = |lanes| Limit { lanes, window: None };
    let limits = Limits::default().with("mailbox", limit(mailbox)).with("app", limit(app));
    Pacer::recovering(limits, Duration::from_millis(50))
}

async fn enter(pacer: &Pacer, keys: &[LaneKey]) -> Permit {
    pacer.enter(keys, 1, PATIENT).await.unwrap()
}

async fn waits(pacer: &Pacer, keys: &[LaneKey]) -> bool {
    timeout(Duration::from_millis(30), enter(pacer, keys)).await.is_err()
}

#[tokio::test]
async fn requests_under_way_together_lose_one_lane_between_them() {
    let pacer = pacer(4, 100);
    let anna = mailbox("anna");
    let keys = [anna.clone()];
    let together = [enter(&pacer, &keys).await, enter(&pacer, &keys).await];
    sleep(Duration::from_millis(2)).await;
    for permit in &together {
        pacer.step_down(&anna, permit.entered);
    }
    assert_eq!(pacer.view(&anna).unwrap().lanes, 3);
    sleep(Duration::from_millis(2)).await;
    for expected in [2, 1, 1] {
        pacer.step_down(&anna, Instant::now());
        assert_eq!(pacer.view(&anna).unwrap().lanes, expected);
    }
}

#[tokio::test]
async fn lanes_come_back_one_by_one_after_quiet_times() {
    let pacer = pacer(3, 100);
    let anna = mailbox("anna");
    for _ in 0..2 {
        pacer.step_down(&anna, Instant::now());
    }
    let keys = [anna.clone()];
    pacer.went_well(&keys);
    assert_eq!(pacer.view(&anna).unwrap().lanes, 1, "not at once");
    for expected in [2, 3, 3] {
        sleep(Duration::from_millis(55)).await;
        pacer.went_well(&keys);
        pacer.went_well(&keys);
        assert_eq!(pacer.view(&anna).unwrap().lanes, expected);
    }
}

#[tokio::test]
async fn a_mailbox_that_must_wait_never_stands_in_the_way_of_another() {
    let pacer = pacer(3, 1);
    pacer.pause(&mailbox("anna"), Some(PATIENT), Instant::now(), &patience());
    let held_back = pacer.clone();
    let waiting = tokio::spawn(async move { enter(&held_back, &[mailbox("anna"), app()]).await });
    sleep(Duration::from_millis(10)).await;
    drop(enter(&pacer, &[mailbox("bert"), app()]).await);
    waiting.abort();
}

#[tokio::test]
async fn whoever_came_first_goes_first() {
    let pacer = pacer(1, 100);
    let held = enter(&pacer, &[mailbox("anna")]).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for at in 0..10 {
        let (pacer, order) = (pacer.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let _permit = enter(&pacer, &[mailbox("anna")]).await;
            order.lock().unwrap().push(at);
        }));
        sleep(Duration::from_millis(1)).await;
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_request_that_is_dropped_while_waiting_leaves_no_trace() {
    let pacer = pacer(1, 1);
    let keys = [mailbox("anna"), app()];
    let held = enter(&pacer, &keys).await;
    assert!(waits(&pacer, &keys).await);
    assert!(waits(&pacer, &[mailbox("bert"), app()]).await);
    drop(held);
    drop(enter(&pacer, &keys).await);
    assert_eq!((pacer.counters().in_flight, pacer.view(&app()).unwrap().in_flight), (0, 0));
}

#[tokio::test]
async fn keys_named_in_any_order_never_wait_for_each_other() {
    let pacer = pacer(1, 1);
    let (one, other) = ([mailbox("anna"), app()], [app(), mailbox("anna")]);
    let tasks: Vec<_> = (0..200)
        .map(|at| {
            let (pacer, keys) = (pacer.clone(), if at % 2 == 0 { one.clone() } else { other.clone() });
            tokio::spawn(async move { drop(enter(&pacer, &keys).await) })
        })
        .collect();
    for task in tasks {
        timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_pause_grows_with_each_refusal_in_a_row_but_not_with_those_under_way_together() {
    let pacer = pacer(3, 100);
    let anna = mailbox("anna");
    let entered = Instant::now();
    sleep(Duration::from_millis(2)).await;
    let first = pacer.pause(&anna, None, entered, &patience());
    assert_eq!(pacer.pause(&anna, None, entered, &patience()), first);
    let second = pacer.pause(&anna, None, Instant::now(), &patience());
    assert!(second - Instant::now() >= Duration::from_millis(95), "half of 200 ms at least");
    let shorter = pacer.pause(&anna, Some(Duration::ZERO), Instant::now(), &patience());
    assert_eq!(shorter, second, "a pause is never shortened");
}

#[tokio::test]
async fn idle_keys_are_forgotten_and_busy_ones_kept() {
    let pacer = pacer(3, 100);
    let busy = enter(&pacer, &[mailbox("busy")]).await;
    pacer.pause(&mailbox("paused"), Some(PATIENT), Instant::now(), &patience());
    for at in 0..3 * KEYS_KEPT {
        drop(enter(&pacer, &[mailbox(&at.to_string())]).await);
    }
    assert!(pacer.book().keys.len() <= KEYS_KEPT + 2);
    assert_eq!(pacer.view(&mailbox("busy")).unwrap().in_flight, 1);
    assert!(pacer.view(&mailbox("paused")).unwrap().paused_until.is_some());
    drop(busy);
}
