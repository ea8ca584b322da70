//! What is moved at the source while it is under way to the target.

use crate::{
    proof::{kinds, opened},
    wires::{Behind, Fate, Waiting, Wire},
    world::{Ear, World, project},
};
use futures::FutureExt;
use std::sync::Arc;
use tokio::sync::watch;
use transhume_contract::{Depth, Facts, ItemId};

fn is(facts: &Facts, id: &str) -> bool {
    facts.message_id.as_deref() == Some(id)
}

/// The answer for a message is lost. Meanwhile somebody moves it at the source, and another vanishes there, so that the
/// account is listed again while it is pushed.
#[tokio::test]
async fn what_was_moved_while_its_answer_is_owed_is_moved_and_not_placed_twice() {
    for tells_handle in [true, false] {
        let world = Arc::new(World::new(tells_handle));
        let (dir, (sent, was_sent)) = (project().await, watch::channel(false));
        let shifts = world.clone();
        let fate = |facts: &Facts| if is(facts, "<m5@example.org>") { Fate::Unanswered } else { Fate::Arrives };
        let placed = move |facts: &Facts| {
            if is(facts, "<m5@example.org>") {
                shifts.source.shift(&shifts.account.id, &ItemId::new("m05"), &shifts.archive);
                sent.send_replace(true);
            }
        };
        let removes = world.clone();
        let before = move |item: &transhume_contract::ItemRef| {
            let (last, mut was_sent, removes) = (item.id.as_str() == "m00", was_sent.clone(), removes.clone());
            async move {
                if last {
                    was_sent.wait_for(|sent| *sent).await.unwrap();
                    removes.source.remove(&removes.account.id, &ItemId::new("m00"));
                }
            }
            .boxed()
        };
        let source = Arc::new(Waiting(world.source.clone(), before));
        let target = Arc::new(Behind(Wire { target: world.target.clone(), fate, placed }));
        let engine = world.engine_with(source, target, Arc::new(Ear::default()));
        let project = opened(&dir).await;
        let movers = world.pass(&engine, &project).await.unwrap();
        let five: Vec<_> = world.standing().into_iter().filter(|line| line.contains("Subject: 5")).collect();
        assert!(matches!(five.as_slice(), [only] if only.starts_with("Inbox>Archive/2019")), "{five:#?}");
        let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
        assert_eq!((found.compared, found.differences, found.others), (6, 0, 0));
        assert!(kinds(&project, &world).await.is_empty());
    }
}
