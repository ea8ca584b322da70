//! What a source told of an item, as a target can hold it: the one answer for placing, for later changes and for plans.

use super::{
    Engine,
    rescue::{DECRYPT_FIRST, RIGHTS_PROTECTED},
};
use crate::store::Placement;
use transhume_contract::{Facts, Loss, Profile, Timestamp, Workload};

/// The name of the loss of a date that a target cannot hold.
const DATE_CLAMPED: &str = "date_clamped";

impl Engine {
    /// The target's own facts for those of the source, and all that is lost by them. The date of what stands there is
    /// never changed: what was said of it when it was placed holds.
    pub(super) fn facts_there(
        &self,
        workload: Workload,
        profile: &Profile,
        told: &Facts,
        standing: Option<&Placement>,
    ) -> (Facts, Vec<Loss>) {
        let (mut facts, mut losses) = self.render.facts(workload, told, profile);
        if told.protected == Some(true) {
            losses.push(Loss::new(RIGHTS_PROTECTED, DECRYPT_FIRST));
        }
        if let Some(placement) = standing {
            let of_date = placement.losses.iter().find(|loss| loss.name == DATE_CLAMPED);
            losses.extend(of_date.filter(|_| losses.iter().all(|loss| loss.name != DATE_CLAMPED)).cloned());
        } else if !profile.future_dates {
            losses.extend(not_in_the_future(&mut facts));
        }
        (facts, losses)
    }
}

/// Some servers give a date in the future the present time without a word (Dovecot 2.3.19); then it is better named.
fn not_in_the_future(facts: &mut Facts) -> Option<Loss> {
    let (now, received) = (Timestamp::now(), facts.received?);
    if received <= now {
        return None;
    }
    facts.received = Timestamp::from_second(now.as_second()).ok();
    let detail = format!("the date {received} lies in the future, which this server does not keep; it stands as today");
    Some(Loss::new(DATE_CLAMPED, detail))
}
