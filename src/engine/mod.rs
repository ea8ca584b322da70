//! What moves, in which order, and what a fault means for the rest. The engine knows the contract and the store, and no
//! provider, no format, no SQL.

mod audience;
mod canary;
mod check;
mod core;
mod discovery;
mod event;
mod existing;
mod facts;
mod list;
mod meaning;
mod moving;
mod names;
mod plan;
mod policy;
mod ports;
mod pull;
mod push;
mod release;
mod rendering;
mod rerender;
mod rescue;
mod settings;
mod standings;
mod stop;
mod vanished;
mod verdict;
mod verify;
mod well_known;

pub use self::core::{Engine, Lanes};
pub use check::Checked;
pub use discovery::{Mover, Wish, discover, muster};
pub use event::{Event, Observer, Phase, Silence};
pub use existing::Before;
pub use moving::Half;
pub use names::Rename;
pub use plan::{AccountPlan, Known, MINUTES_PER_ACCOUNT, MINUTES_PER_BLOCKER, Plan};
pub use policy::{DuplicateUid, Existing, Policy, Standing, standing};
pub use ports::{Audience, Handover, Meaning, Original, Own, Render, Rendered, Setting};
pub use rescue::{RIGHTS_PROTECTED, protected_mail};
pub use standings::{AccountStanding, account_standing};
pub use stop::Stop;
pub use verdict::{Kind, is_fine};
pub use verify::{Compared, Reconciled, There};

use transhume_contract::{Fault, Reach, What};

/// A fault of the program itself: the run ends, and says so.
fn defect(sentence: &str) -> Fault {
    Fault::new(What::StoreBroken, format!("{sentence}; please report this")).reaching(Reach::Run).report()
}
